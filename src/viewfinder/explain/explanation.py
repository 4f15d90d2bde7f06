"""What an explanation holds: plain data, the same for the terminal, the page and the JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from viewfinder.explain.edits import Offer

Shape = tuple[int, ...]

SCHEMA = "viewfinder.explain/1"


@dataclass(frozen=True)
class Dropped:
    """The rows and columns of a layer's input, counted from 0, that none of its windows reads."""

    rows: Shape = ()
    columns: Shape = ()
    words: tuple[str, ...] = ()
    """The same as a person says it, padding included."""


@dataclass(frozen=True)
class ReceptiveField:
    """Which pixels of one input an output position can depend on, through every branch.

    Along axis k, output position i sees pixels `offset[k] + i·stride[k]` up to, not including,
    that plus `size[k]`, as far as they lie inside the picture. One entry an axis of the picture:
    (height, width), or (length,) for a sequence.
    """

    input: int
    """Which of the net's inputs: the one that is seen widest, when there are several."""
    size: Shape
    stride: tuple[float, ...]
    offset: Shape
    whole: bool
    """Every output position sees the whole input."""


@dataclass(frozen=True)
class ExplainedLayer:
    """One module of `torch.nn`, or one function call, in the order of execution."""

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    formula: tuple[str, ...]
    dropped: Dropped
    params: int
    """Parameters that take part here for the first time; shared weights count once."""
    macs: int
    """Multiply–accumulates of convolutions, linear layers and matrix products, for the batch."""
    activation_bytes: int
    """Bytes that are kept here for the backward pass and that no earlier layer keeps already."""
    receptive_field: ReceptiveField | None
    notes: tuple[str, ...]
    """Words beside common choices."""
    source: str
    """File and line of the call in the user's own code, as `net.py:31`."""
    code: str
    """The text of that line."""
    parents: tuple[int, ...]
    """Indices of the layers whose outputs this one takes; −1 is the first input, −2 the second."""


@dataclass(frozen=True)
class Totals:
    params: int
    """Of the whole net, each tensor once, used in this pass or not."""
    macs: int
    activation_bytes: int
    unused_params: int
    """Of `params`, those that no layer of this pass took: auxiliary heads in evaluation, say."""
    unused: tuple[tuple[str, int], ...] = ()
    """The modules, or single parameters, that hold these, with how many, the most first."""


@dataclass(frozen=True)
class Mistake:
    """Why the forward pass stopped, in words with numbers."""

    where: str
    rule: str
    got: str
    expected: str
    fixes: tuple[str, ...]
    """Each was tried: what to change, and how far the net then gets, the best first."""
    parents: tuple[int, ...] = ()
    """Indices of the layers that met there, as in `Layer.parents`; empty where it is unknown."""
    untried: int = 0
    """How many more ideas were not tried, for the time that it would have taken."""
    offers: tuple[Offer, ...] = field(default=(), compare=False, repr=False)
    """The same fixes, as what can be carried out."""


@dataclass(frozen=True)
class Explanation:
    """A net's arithmetic for the given inputs; with a mistake, the layers up to it."""

    net: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    layers: tuple[ExplainedLayer, ...]
    totals: Totals
    mistake: Mistake | None
    training: bool
    """The net was traced in training mode."""
    warnings: tuple[str, ...] = ()
    """What runs and is wrong all the same."""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from viewfinder.explain.rendering.notebook import table

        return table(self)


def differing(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The dimensions that two shapes have in common and of another size."""
    return [dim for dim, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]


def shape_text(shape: Shape) -> str:
    """A shape as it is written on paper: 3×224×224."""
    return "×".join(map(str, shape)) if shape else "scalar"
