"""Maps that a net makes of a row, as decoders do, and of labels: `fc(z).view(-1, 32, 7, 7)`.

Such a map has the size that was written down for it. Where it, or what is made larger of it, meets
a map of another size, the size of the first is another, and the layer before gives as many numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import Numbered
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.modules import settings
from viewfinder.explain.fixes.regrouping import as_asked
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.traces import ancestors

_VIEWS = ("view", "reshape")
_JOINED = {"cat", "add", "sub", "mul", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}
_JOINED |= {"binary_cross_entropy", "binary_cross_entropy_with_logits"}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At a call where two maps of unequal sizes meet, one of which a row was made into."""
    call = scene.call
    if call is None or call.base not in _JOINED or scene.case.in_layer:
        return
    shapes = call.input_shapes[:2]
    if [len(shape) for shape in shapes] != [4, 4] or shapes[0][2:] == shapes[1][2:]:
        return
    for position, producer in enumerate(call.producers[:2]):
        got, wanted = shapes[position][2:], shapes[1 - position][2:]
        seed = _seed(scene, producer)
        if seed is not None and _seed(scene, call.producers[1 - position]) is None:
            for sides in _sides(seed.output_shapes[0][2:], got, wanted):
                yield from _made(scene, seed, sides)


def _seed(scene: Scene, producer: Call | int) -> Call | None:
    """The view that makes a map of the row that a layer gives."""
    for call in ancestors(producer) if isinstance(producer, Call) else ():
        if call.base not in _VIEWS or not call.input_shapes:
            continue
        map_of_row = len(call.input_shapes[0]) == 2 and len(call.output_shapes[0]) == 4
        before = call.producers[0]
        if map_of_row and isinstance(before, Call) and before.module:
            layer = scene.net.get_submodule(before.module)
            return call if isinstance(layer, nn.Linear | nn.Embedding) else None
    return None


def _sides(own: Shape, got: Shape, wanted: Shape) -> Iterator[Shape]:
    """Sizes to try: those that grow as the larger map must, and the next ones."""
    scaled = [max(1, round(a * w / g)) for a, g, w in zip(own, got, wanted, strict=True)]
    for more in (0, 1, -1):
        sides = tuple(side + more for side in scaled)
        if min(sides) > 0 and sides != own:
            yield sides


def _made(scene: Scene, seed: Call, sides: Shape) -> Iterator[Candidate]:
    before, shape = seed.producers[0], seed.output_shapes[0]
    assert isinstance(before, Call)
    count = prod(shape[1:2]) * prod(sides)
    layer = scene.net.get_submodule(before.module)
    key = "out_features" if isinstance(layer, nn.Linear) else "embedding_dim"
    if settings(layer) is None or getattr(layer, key) != prod(shape[1:]):
        return
    for fitted in scene.replace(before.module, 0.05, **{key: count}):
        for viewed in _viewed(scene, seed, sides):
            both = fitted.and_(viewed)
            yield replace(both, only_here=True)


def _viewed(scene: Scene, seed: Call, sides: Shape) -> Iterator[Candidate]:
    own = seed.output_shapes[0][2:]
    if named := _kept_side(scene, seed):
        path, name = named
        if sides[0] == sides[1]:
            words = f"{path_as_code(path) or 'self'}.{name} = {sides[0]} instead of {own[0]}"
            yield Candidate((Numbered(path, name, sides[0]),), words, 0.0)
        return
    if said := as_asked(scene, seed, {2: sides[0], 3: sides[1]}, 0.0):
        yield from said
        return
    channels = seed.output_shapes[0][1]

    def run(t: Sequence[Tensor]) -> Tensor:
        return t[0].reshape(t[0].size(0), channels, *sides)

    sizes = ", ".join(map(str, (channels, *sides)))
    code = f"{{0}}.{seed.base}({{0}}.size(0), {sizes})"
    yield from scene.instead(seed, code, run, 0.0)


def _kept_side(scene: Scene, seed: Call) -> tuple[str, str] | None:
    """The user's module that keeps the side as a number, which the view is written with."""
    own = seed.output_shapes[0][2:]
    place = seed.place
    if place is None or own[0] != own[1]:
        return None
    path = seed.module
    module = scene.net.get_submodule(path)
    names = [
        name
        for name, value in vars(module).items()
        if type(value) is int and value == own[0] and name in place.code.co_names
    ]
    return (path, names[0]) if len(names) == 1 else None
