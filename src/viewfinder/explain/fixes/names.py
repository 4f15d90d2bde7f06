"""What each dimension of a tensor is: batch, channels, height, width, time, features, heads.

A dimension is known by what it follows: one that doubles as the batch does holds the batch, one
that doubles with the pictures' height holds rows. What follows nothing is channels or features.
"""

import re
from dataclasses import dataclass, field

from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.variants import Inputs, shape_in
from viewfinder.explain.traces import Sample, Trace, is_input

SPATIAL = {"height", "width", "depth", "time", "positions"}
# What gives a map sides that do not follow the picture's; after what turns it, which they are is
# not known.
_GIVING, _SIDES = ("adaptive_", "interpolate", "upsample"), ("depth", "height", "width")
_TURNING = {"permute", "transpose", "movedim", "view", "reshape", "unflatten", "flatten"}


@dataclass
class Names:
    """The names of the dimensions of a pass, from how other passes differ from it."""

    seen: Trace
    inputs: Inputs
    others: dict[str, Trace] = field(default_factory=dict)
    """Passes of the same calls, by what was doubled: batch, height, width, time, both sides."""

    def operand(self, call: Call, position: int) -> tuple[str, ...]:
        """The names of the dimensions of a tensor that a call took."""
        tensor, producer = call.tensors[position], call.producers[position]
        shape = call.input_shapes[position]
        if isinstance(producer, Call):
            number = next((n for n, t in enumerate(producer.outputs) if t is tensor), 0)
            return self.output(producer, number, shape)
        if is_input(producer):
            return self.inputs.dimensions(Sample(shape, tensor.dtype))
        return ("constant",) * len(shape)

    def output(self, call: Call, number: int = 0, shape: Shape | None = None) -> tuple[str, ...]:
        """The names of the dimensions of a tensor that a call gave."""
        if shape is None:
            shape = call.output_shapes[number]
        follows: list[set[str]] = [set() for _ in shape]
        sizes = {name: shape_in(other, call, number) for name, other in self.others.items()}
        for name, theirs in sizes.items():
            if theirs is None or len(theirs) != len(shape):
                continue
            # With both sides doubled, what the height alone does not tell is the width's.
            known = sizes.get("height") if name == "sides" else None
            before = known if known is not None and len(known) == len(shape) else shape
            for dim, (one, two) in enumerate(zip(before, theirs, strict=True)):
                if one != two:
                    follows[dim].add("width" if name == "sides" else name)
        names = _called(shape, follows, self.inputs.batch, self._longest)
        sides = _given_sides(call, len(shape))
        first = len(shape) - len(sides)
        return tuple(
            sides[dim - first]
            if dim >= first and not follows[dim] and sides[dim - first] not in names
            else name
            for dim, name in enumerate(names)
        )

    @property
    def _longest(self) -> int:
        """The most steps that an input has."""
        lead = 1 if self.inputs.batch and not self.inputs.steps_first else 0
        return max((one.shape[lead] for one in self.seen.inputs if one.dim() > lead), default=0)

    def lost_batch(self) -> Call | None:
        """The first call that takes a tensor with the batch in front and gives one without."""
        other = self.others.get("batch")
        if other is None or not self.inputs.batch:
            return None
        for call in self.seen.calls:
            if not call.tensors or not call.output_shapes or call.operation == "setitem":
                continue
            before = self.operand(call, 0)
            if not before or before[0] != "batch" or not isinstance(call.args[0], Tensor):
                continue
            twin = other.by_index.get(call.index)
            if twin is None or twin.operation != call.operation:
                continue
            after = call.output_shapes[0]
            theirs = twin.output_shapes[0]
            ranks = len(after) != len(theirs)
            if ranks or self._swallowed(call, after, theirs):
                return call
        return None

    def _swallowed(self, call: Call, shape: Shape, theirs: Shape) -> bool:
        names = self.output(call, 0)
        if not shape or not any("batch" in name for name in names):
            # A mean over everything is a number, as losses are.
            return bool(shape) and call.base in ("view", "reshape", "flatten", "squeeze")
        return not any(name == "batch" for name in names)


def _given_sides(call: Call, rank: int) -> tuple[str, ...]:
    """The last dimensions of a map whose sides a layer gave, whatever came in; none of another."""
    producer: object = call
    while isinstance(producer, Call) and len(producer.output_shapes[0]) == rank:
        if producer.base.startswith(_GIVING):
            found = re.search(r"(\d)d", producer.base)
            sides = int(found[1]) if found else rank - 2
            return ("time",) if sides == 1 else _SIDES[-sides:]
        if producer.base in _TURNING or not producer.producers:
            return ()
        producer = producer.producers[0]
    return ()


def _called(shape: Shape, follows: list[set[str]], batch: int, longest: int) -> tuple[str, ...]:
    names = []
    rank = len(shape)
    placed = set().union(*follows) if follows else set()
    for dim, moved in enumerate(follows):
        if "batch" in moved:
            names.append("batch" if shape[dim] == batch and moved == {"batch"} else "batch·…")
        elif {"height", "width"} <= moved:
            names.append("positions" if rank > 2 else "features")
        elif moved & {"height", "width", "time"}:
            # Longer than the input: steps were flattened together with what each holds.
            name = next(iter(moved))
            flat = rank == 2 and name == "time" and shape[dim] > longest
            names.append("features" if flat else name)
        elif rank >= 4 and dim >= 2 and shape[dim] == 1 and "time" not in placed:
            names.append(("height", "width")[dim - rank] if dim - rank >= -2 else "depth")
        elif rank >= 4 and "time" in placed and dim != rank - 1:
            names.append("heads")
        elif "time" in placed or "positions" in names or rank <= 2:
            names.append("features")
        else:
            names.append("channels")
    return tuple(names)


def spoken(shape: Shape, names: tuple[str, ...]) -> str:
    """`batch 2 × channels 16 × height 8 × width 8`."""
    if len(names) != len(shape) or not shape:
        return ""
    return " × ".join(f"{name} {size}" for name, size in zip(names, shape, strict=True))
