"""Where a fix is tried: the pass is made again with it, with two batches and a second size."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from torch import Tensor, nn

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.diagnosis.rows import LostBatch, cut, refuse_mixed
from viewfinder.explain.edits import Around, Edit, Named, Replace, Rewrite
from viewfinder.explain.explanation import differing, shape_text
from viewfinder.explain.fixes.alone import refused_alone
from viewfinder.explain.fixes.names import Names
from viewfinder.explain.fixes.variants import Inputs
from viewfinder.explain.input_edits import Given, Resized
from viewfinder.explain.shortcuts import Shortcuts
from viewfinder.explain.traces import Failure, Trace, TracedFrame, looks_at_numbers
from viewfinder.explain.tracing import trace

# Calls that torch may be asked for in all the trials of one mistake, each about a millisecond: what
# keeps a large net quick. Behind the first fix after which all runs, fewer are worth it.
BUDGET = 8_000
ENOUGH = 1_500
LEFT_OUT = "nn.Identity()"
MIXED = "the answers no longer follow the batch"


@dataclass(frozen=True)
class Stop:
    """Where a net stops, and whether it does so with twice the batch alone."""

    failure: Failure
    batch: bool = False

    @property
    def place(self) -> int:
        """How many calls went well before."""
        call = self.failure.call
        return call.index if call is not None else self.failure.trace.count


@dataclass(frozen=True)
class Verdict:
    """How far a pass gets with a fix."""

    further: bool
    stop: Stop | None = None
    """Where it stops next; None where the whole net runs, with both batches."""
    any_size: bool = True
    """It runs with pictures, or sequences, of another size too."""
    only: str = ""
    """The one size that the fix itself fits, of pictures or sequences; empty where others do."""
    answers: str = ""
    """What is odd about the batch of what comes out; empty where nothing is."""
    alone: bool = False
    """It was refused at the call that failed, without another pass."""
    seen: Trace | None = None
    """The pass with the fix."""
    doubled: Trace | None = None
    """The same with twice the batch."""

    @property
    def whole(self) -> bool:
        return self.further and self.stop is None


@dataclass
class Lab:
    """One net and its inputs, and the passes that were made of it."""

    module: nn.Module
    inputs: Inputs
    base: Trace
    """The pass with the inputs as they were given."""
    real: bool = False
    shortcuts: Shortcuts = field(default_factory=Shortcuts)
    untried: int = 0
    """Candidates that were left out since there was no time."""
    _followed: dict[str, Trace | None] = field(default_factory=dict)

    def exhausted(self, *, found: bool) -> bool:
        """Whether no more is to be tried; `found` tells that something runs already."""
        return self.shortcuts.work > (ENOUGH if found else BUDGET)

    def run(self, arguments: tuple[object, ...], edits: Sequence[Edit] = ()) -> Trace:
        """A pass without its costs."""
        seen = trace(
            self.module,
            arguments,
            real=self.real,
            edits=edits,
            costs=False,
            shortcuts=self.shortcuts,
        )
        refuse_mixed(seen)
        if self.real:
            self.shortcuts.work += seen.count
        return seen

    @cached_property
    def doubled(self) -> Trace | None:
        """The pass with twice the batch."""
        arguments = self.inputs.doubled()
        return None if arguments is None else self.run(arguments)

    @cached_property
    def stretched(self) -> Trace | None:
        """The pass with pictures or sequences of twice the size."""
        arguments = self.inputs.stretched("height", "width", "time")
        return None if arguments is None else self.run(arguments)

    def followed(self, name: str) -> Trace | None:
        """The pass with twice the height, width, depth or time; None where no input has one."""
        if name not in self._followed:
            arguments = self.inputs.stretched(name)
            self._followed[name] = None if arguments is None else self.run(arguments)
        return self._followed[name]

    def names(self, stop: Stop, edits: Sequence[Edit] = ()) -> Names:
        """What the dimensions are, from passes in which one thing each was doubled."""
        inputs, second = self.inputs, self.inputs.doubled()
        if stop.batch and second is not None:
            inputs, second = replace(inputs, given=second, batch=2 * inputs.batch), inputs.given
        asked: dict[str, tuple[object, ...] | None] = {"batch": second}
        for name in ("height", "width", "time"):
            asked[name] = inputs.stretched(name)
        if asked["width"] is not None and asked["time"] is None:
            # What follows the width follows both sides and not the height; the pass with both
            # is needed in any case.
            del asked["width"]
            asked["sides"] = inputs.stretched("height", "width")
        others = {
            name: self._made(name, stop, edits) or self.run(arguments, edits)
            for name, arguments in asked.items()
            if arguments is not None
        }
        return Names(stop.failure.trace, inputs, others)

    def _made(self, name: str, stop: Stop, edits: Sequence[Edit]) -> Trace | None:
        """A pass that was made already."""
        if edits or name not in ("batch", "sides"):
            return None
        if name == "batch":
            return self.base if stop.batch else self.doubled
        return None if stop.batch else self.stretched

    def stops(self) -> Stop | None:
        """Where the net stops as it is, with either batch."""
        return first_stop(self.base, self.doubled) or self._lost()

    def single(self) -> "Lab | None":
        """The same net asked with a batch of 1, where a call would squeeze that away."""
        if self.inputs.batch < 2 or not any(map(_squeezes, self.base.calls)):
            return None
        inputs = replace(self.inputs, given=self.inputs.with_batch(1), batch=1)
        return Lab(self.module, inputs, self.run(inputs.given), self.real, self.shortcuts)

    def _lost(self) -> Stop | None:
        """A call that squeezed a batch of 1 away: the answers then have a dimension less."""
        other = self.doubled
        if other is None or not self.base.outputs or not other.outputs:
            return None
        if self.base.outputs[0].dim() == other.outputs[0].dim():
            return None
        whole = Stop(Failure(ValueError(), _outermost(self.base), None, self.base))
        call = self.names(whole).lost_batch()
        twin = other.by_index.get(call.index) if call is not None else None
        if call is None or twin is None:
            return None
        one, two = shape_text(call.output_shapes[0]), shape_text(twin.output_shapes[0])
        batch = self.inputs.batch
        words = f"{call.operation} gives {one} for a batch of {batch}, and {two} for one of"
        error = LostBatch(f"{words} {2 * batch}: the batch is no dimension of its own")
        row = next((row for row in self.base.rows if call in row.calls), None)
        frame = replace(_outermost(self.base), path=row.path if row else "")
        failure = Failure(error, frame, call, self.base)
        cut(self.base, failure, call.index)
        return Stop(failure)

    def judge(self, before: Sequence[Edit], own: Sequence[Edit], stop: Stop) -> Verdict:
        """Try edits against a mistake, with two batches and with inputs of another size.

        Args:
            before: edits that are in force already where it stops.
            own: those that are tried.
        """
        if not self.real and refused_alone(stop.failure, own):
            return Verdict(False, alone=True)
        edits = (*before, *own)
        place = stop.place
        if any(_takes_a_place(edit) for edit in own):
            place -= 1
        seen = self.run(self.inputs.given, edits)
        if seen.failure is not None and Stop(seen.failure).place <= place:
            return Verdict(False)
        other = self._second_batch(edits)
        if other is not None and other.failure is not None and _unpacks(other.failure):
            return Verdict(False)
        following = first_stop(seen, other)
        if following is not None and following.place <= place:
            return Verdict(False)
        if following is not None:
            return Verdict(True, following)
        odd = "" if other is None or self.inputs.steps_first else _oddity(seen, other)
        wide = self._wide(edits)
        if wide is None or wide.failure is None:
            return Verdict(True, None, answers=odd, seen=seen, doubled=other)
        # Another size may fail elsewhere, where the net was made for this one.
        changed = {edit.path for edit in edits if isinstance(edit, Replace | Around)}
        mine = wide.failure.frame.path in changed
        if any(isinstance(edit, Rewrite) for edit in edits):
            mine = mine or Stop(wide.failure).place <= stop.place
        only = self.inputs.size_text if mine and not self._runs_shorter(edits) else ""
        return Verdict(True, None, False, only, odd, seen=seen, doubled=other)

    def _wide(self, edits: Sequence[Edit]) -> Trace | None:
        """The pass with inputs of another size, where that can be asked."""
        arguments = self.inputs.stretched("height", "width", "time")
        other = any(isinstance(edit, Resized) for edit in edits)
        if arguments is None or other or self.inputs.names:
            return None
        return self.run(arguments, edits)

    def _runs_shorter(self, edits: Sequence[Edit]) -> bool:
        """Whether inputs of half the size run: the net then has a largest size, as a mask gives."""
        arguments = self.inputs.stretched("height", "width", "time", halved=True)
        return arguments is not None and self.run(arguments, edits).failure is None

    def _second_batch(self, edits: Sequence[Edit]) -> Trace | None:
        arguments = self.inputs.doubled()
        if arguments is not None:
            return self.run(arguments, edits)
        if any(isinstance(edit, Given) for edit in edits):
            # The fix gives the input a batch: of two, then.
            twice = [replace(e, repeats=2) if isinstance(e, Given) else e for e in edits]
            return self.run(self.inputs.given, twice)
        return None


def _takes_a_place(edit: Edit) -> bool:
    """Whether what fails next may have the number of what failed: a layer left out, or a name."""
    return isinstance(edit, Named) or (isinstance(edit, Replace) and edit.code == LEFT_OUT)


def _squeezes(call: Call) -> bool:
    """Whether a call takes away every dimension of length 1, whichever it is, or the first."""
    return call.base == "squeeze" and call.argument("dim") in (None, 0)


def _outermost(seen: Trace) -> TracedFrame:
    return TracedFrame(seen.module, "", (), {}, None, False)


def first_stop(seen: Trace, other: Trace | None) -> Stop | None:
    """The earlier of the two mistakes of a pass and of one with twice its batch."""
    stops = [Stop(seen.failure)] if seen.failure else []
    if other is not None and other.failure is not None and not _own_words(other.failure):
        stops.append(Stop(other.failure, batch=True))
    return min(stops, key=lambda stop: stop.place) if stops else None


def _unpacks(failure: Failure) -> bool:
    """A tensor was taken apart as the parts of a tuple, which goes well with one batch alone."""
    return isinstance(failure.error, ValueError) and "unpack" in str(failure.error)


def _own_words(failure: Failure) -> bool:
    """The net itself refuses another batch, or looks at numbers: no mistake of shapes."""
    return (failure.call is None and failure.frame.row is None) or looks_at_numbers(failure)


def _oddity(seen: Trace, other: Trace) -> str:
    """What is wrong with the rows that come out, when the batch is doubled."""
    if not seen.outputs or not other.outputs or not seen.inputs:
        return ""
    one, two = shape_of(seen.outputs[0]), shape_of(other.outputs[0])
    batch = seen.inputs[0].shape[0] if seen.inputs[0].dim() else 0
    if not one or not isinstance(seen.outputs[0], Tensor):
        return ""
    if len(one) != len(two) or one == two:
        return MIXED
    moved = differing(one, two)
    if moved == [0] and one[0] % batch:
        return MIXED
    if moved != [0]:
        return "" if moved and one[moved[0]] == batch else "the batch ends up among the answers"
    if one[0] != batch:
        return f"{one[0]} answers come out for a batch of {batch}"
    return ""
