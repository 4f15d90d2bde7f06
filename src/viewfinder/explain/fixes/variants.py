"""The same net asked with other inputs: a second batch, a second size, another length.

What a batch of 1 hides, a batch of 2 shows: shapes alone are run, so that a pass costs little.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.explanation import Shape
from viewfinder.explain.passed import Args
from viewfinder.explain.traces import Sample, Trace, is_input
from viewfinder.wording import counted


def sampled(value: object) -> object:
    """Inputs as shapes and types alone, in their own structure."""
    if isinstance(value, Tensor):
        return Sample(shape_of(value), value.dtype, value.device)
    if isinstance(value, list | tuple):
        return type(value)(sampled(item) for item in value)
    if isinstance(value, dict):
        return {key: sampled(item) for key, item in value.items()}
    return value


def all_samples(value: object) -> Iterator[Sample]:
    """Each sample of nested inputs."""
    if isinstance(value, Sample):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from all_samples(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from all_samples(item)


def _each(value: object, change: Callable[[Sample], Sample]) -> object:
    if isinstance(value, Sample):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_each(item, change) for item in value)
    if isinstance(value, dict):
        return {key: _each(item, change) for key, item in value.items()}
    return value


@dataclass(frozen=True)
class Inputs:
    """The inputs of a pass, and what can be varied of them."""

    given: tuple[object, ...]
    batch: int
    """The size of the batch dimension; 0 where the inputs have none."""
    names: tuple[str, ...] = ()
    """Of a line of a script: what it calls its tensors."""
    steps_last: bool = False
    """Sequences have their features first, as convolutions take them."""
    channels_last: bool = False
    """Pictures or volumes have their channels last, where a convolution wants them first."""
    steps_first: bool = False
    """Sequences have their batch second, as torch's recurrent layers take them by default."""

    def dimensions(self, sample: Sample) -> tuple[str, ...]:
        """What the dimensions of an input most likely are."""
        names = input_names(sample, 1 if self.batch else 0)
        if names[-2:] == ("time", "features") and sample.shape[-2:] in self._sides:
            return (*names[:-2], "height", "width")
        if names[-2:] == ("time", "features") and self._are_pairs(sample):
            return (*names[:-2], "time", "time")
        if self.steps_first and sample.shape[1:2] == (self.batch,):
            names = ("time", "batch", *names[2:])
        if self.steps_last and names[-2:] == ("time", "features"):
            names = (*names[:-2], "channels", "time")
        if self.channels_last and names[-2:] == ("height", "width"):
            lead = names.index("channels") if "channels" in names else len(names)
            names = (*names[:lead], *names[lead + 1 :], *names[lead : lead + 1])
        return names

    @property
    def sure(self) -> bool:
        """Every input begins with the batch, so that a second batch is told beyond doubt."""
        shapes = [one.shape for one in all_samples(self.given)]
        first = not self.steps_first and self.batch > 0
        return first and all(shape and shape[0] == self.batch for shape in shapes)

    @property
    def _sides(self) -> set[Shape]:
        """The heights and widths of pictures, which masks of theirs have too."""
        rank = 4 if self.batch else 3
        return {one.shape[-2:] for one in all_samples(self.given) if len(one.shape) == rank}

    def _are_pairs(self, sample: Sample) -> bool:
        """Whether a square input says something of each pair of another's steps, as graphs do."""
        steps, others = sample.shape[-1], [one.shape for one in all_samples(self.given)]
        square = sample.shape[-2] == steps
        return square and any(len(one) > 1 and one[-2] == steps != one[-1] for one in others)

    @property
    def size_text(self) -> str:
        """The sizes that `stretched` changes, as a person says them."""
        for sample in all_samples(self.given):
            named = dict(zip(self.dimensions(sample), sample.shape, strict=True))
            if "height" in named:
                return f"{named['height']}×{named['width']}"
            if "time" in named:
                return f"{counted(named['time'], 'step')}"
        return ""

    def doubled(self) -> Args | None:
        """Twice the batch, in every input that has it."""
        return self.with_batch(2 * self.batch) if self.batch else None

    def with_batch(self, batch: int) -> Args:
        """Another batch, in every input that has it."""

        def change(sample: Sample) -> Sample:
            shape = list(sample.shape)
            # A state, such as a recurrent layer's, has the batch second.
            for dim in (1, 0) if self.steps_first else (0, 1):
                if len(shape) > dim and shape[dim] == self.batch:
                    shape[dim] = batch
                    break
            return replace(sample, shape=tuple(shape))

        changed = tuple(_each(one, change) for one in self.given)
        # A line of a script may have the batch as a number besides.
        number = self.batch if self.names else None
        return tuple(batch if type(one) is int and one == number else one for one in changed)

    def stretched(self, *names: str, halved: bool = False) -> Args | None:
        """Twice the height, width or length, or half of it; None where no input has one."""
        touched = False

        def change(sample: Sample) -> Sample:
            nonlocal touched
            shape = list(sample.shape)
            for dim, name in enumerate(self.dimensions(sample)):
                if name in names:
                    shape[dim] = max(1, shape[dim] // 2) if halved else 2 * shape[dim]
                    touched = True
            return replace(sample, shape=tuple(shape))

        result = tuple(_each(one, change) for one in self.given)
        return result if touched else None


def input_names(sample: Sample, lead: int) -> tuple[str, ...]:
    """What the dimensions of an input most likely are, by how many they are."""
    rest = len(sample.shape) - lead
    whole = not sample.dtype.is_floating_point
    names: tuple[str, ...] = {
        1: ("time",) if whole and lead else ("features",),
        2: ("time", "features"),
        3: ("channels", "height", "width"),
        4: ("channels", "depth", "height", "width"),
    }.get(rest, ("?",) * rest)
    return ("batch",) * lead + names


def first_use(seen: Trace) -> Call | None:
    """The first call that takes the first input."""
    calls: Sequence[Call] = seen.calls
    if seen.failure is not None and seen.failure.call is not None:
        calls = (*calls, seen.failure.call)
    return next((c for c in calls if any(is_input(p) and p == -1 for p in c.producers)), None)


def has_channels_last(first: Call) -> bool:
    """Whether a convolution finds its channels in the last dimension and not behind the batch."""
    weight, shape = first.argument("weight"), first.input_shapes[0]
    if not isinstance(weight, Tensor) or len(shape) != weight.dim():
        return False
    wanted = int(weight.shape[1]) * int(first.argument("groups", 1))
    return shape[-1] == wanted != shape[1]


def module_takes_last(net: nn.Module, inputs: Inputs) -> bool:
    """Whether a net's first layer is a norm or a linear layer made for a map's last dimension."""
    sample = next(all_samples(inputs.given), None)
    if sample is None or len(sample.shape) - (inputs.batch > 0) not in (3, 4):
        return False
    for module in net.modules():
        if isinstance(module, nn.Linear):
            return module.in_features == sample.shape[-1]
        if isinstance(module, nn.LayerNorm):
            return tuple(module.normalized_shape) == sample.shape[-1:]
        if any(True for _ in module.parameters(recurse=False)):
            return False
    return False


def shape_in(other: Trace, call: Call, number: int) -> Shape | None:
    """The shape of the same call's output in another pass, if that pass made the same call."""
    twin = other.by_index.get(call.index)
    if twin is None or twin.operation != call.operation or number >= len(twin.output_shapes):
        return None
    return twin.output_shapes[number]
