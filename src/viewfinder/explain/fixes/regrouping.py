"""Fixes at views into a shape that holds another number of elements."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import isqrt, prod

from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.edits import Rewrite
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import layers
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.lost import view_sizes
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import module_call


def candidates(scene: Scene, call: Call) -> Iterator[Candidate]:
    shape, target = call.input_shapes[0], _target(call)
    if target is None or not shape:
        return
    lead = 1 if scene.lab.inputs.batch else 0
    own = prod(shape[lead:])
    tail = target[lead:]
    batched = lead and (target[0] in (shape[0], -1))
    if len(shape) == 4 and len(target) == 2 and target[1] > 0:
        yield from _pictures(scene, call, shape, target[1])
    elif len(shape) == 4 and len(target) > 4:
        yield from _divided(scene)
    yield from _without_token(scene, call, shape, target)
    yield from _row_of_an_anchor(scene, call, shape, target)
    yield from _of_one_class_less(scene, call, shape, target)
    if batched and -1 not in tail:
        yield from _one_size(scene, call, shape, target)
    if not batched or -1 in tail:
        return
    if len(shape) == 1 and len(tail) == 1 and target[0] == -1:
        yield from as_asked(scene, call, {1: 1}, 0.1)
    if len(tail) == 3 and own % tail[0] == 0:
        side = isqrt(own // tail[0])
        if side * side * tail[0] == own:
            # A map of 1×1 holds no picture, where a larger one was asked for.
            dot = side == 1 < min(tail[1:])
            yield from _viewed(scene, call, (tail[0], side, side), 0.7 if dot else 0.1)
        yield from _for_the_next(scene, own)
    if len(tail) == 3 and own % (tail[1] * tail[2]) == 0:
        yield from _viewed(scene, call, (own // (tail[1] * tail[2]), *tail[1:]), 0.4)
    if prod(tail) > 0:
        yield from _upstream(scene, call, shape, tail)
    yield from _heads(scene, call, shape, target)


def _for_the_next(scene: Scene, own: int) -> Iterator[Candidate]:
    """nn.Unflatten into the channels that the next layer of its Sequential takes."""
    home, _, name = scene.path.rpartition(".")
    above = scene.net.get_submodule(home)
    if not isinstance(above, nn.Sequential) or not name.isdigit() or not scene.case.in_layer:
        return
    following = list(above)[int(name) + 1 :]
    channels = int(getattr(following[0], "in_channels", 0)) if following else 0
    side = isqrt(own // channels) if channels and own % channels == 0 else 0
    if side > 1 and side * side * channels == own:
        yield from scene.replace(scene.path, 0.0, unflattened_size=(channels, side, side))


def _of_one_class_less(
    scene: Scene, call: Call, shape: Shape, target: Shape
) -> Iterator[Candidate]:
    """Heads of 3·10 answers a place, viewed as rows of 11: each head gives 3·11."""
    rows = target[-1]
    rows_of_maps = len(shape) == 4 and len(target) == 3 and target[1] == -1 and rows > 2
    made: Call | int | None = scene.case.back(scene.case.producer())
    while isinstance(made, Call) and made.base in ("permute", "contiguous") and made.producers:
        made = made.producers[0]
    if not rows_of_maps or not isinstance(made, Call) or not made.module:
        return
    layer = scene.net.get_submodule(made.module)
    out = int(getattr(layer, "out_channels", 0))
    if out < rows - 1 or out % (rows - 1) or out % rows == 0:
        return
    whole: Candidate | None = None
    for path, one in scene.net.named_modules():
        beside = path.rpartition(".")[0] == made.module.rpartition(".")[0]
        listed = isinstance(scene.parent(path), nn.ModuleList) if path else False
        if path == made.module or (beside and listed and getattr(one, "out_channels", 0) == out):
            for fitted in scene.replace(path, 0.0, out_channels=out // (rows - 1) * rows):
                whole = fitted if whole is None else whole.and_(fitted)
    if whole is not None:
        yield replace(whole, cost=-0.02)


def _named(call: Call) -> bool:
    """Whether sizes of a view are written as the net's own settings: 5 + self.classes."""
    node = module_call(call.place)
    words = node.args[1:-2] if node is not None else []
    return any(isinstance(one, ast.Attribute) for word in words for one in ast.walk(word))


def _without_token(scene: Scene, call: Call, shape: Shape, target: Shape) -> Iterator[Candidate]:
    """Tokens put back into their map, with a class token still among them."""
    if len(shape) != 3 or len(target) != 4 or min(target[-2:]) < 1:
        return
    places = target[-2] * target[-1]
    for dim, index in ((1, "[:, 1:]"), (2, "[:, :, 1:]")):
        if shape[dim] == places + 1:

            def cut(t: Sequence[Tensor], dim: int = dim) -> Tensor:
                return t[0].narrow(dim, 1, t[0].size(dim) - 1)

            yield from scene.on_operand(0, f"{{0}}{index}", cut, -0.05)


def _row_of_an_anchor(scene: Scene, call: Call, shape: Shape, target: Shape) -> Iterator[Candidate]:
    """Rows of so many answers that each place of a map has whole ones: 21 of 126 channels."""
    made = call.producers[0]
    turned = isinstance(made, Call) and made.base == "permute" and len(shape) == 4
    if not turned or len(target) != 3 or target[1] != -1 or target[2] < 2:
        return
    channels, asked = shape[3], target[2]
    if channels % asked:
        divisors = (n for n in range(2, channels + 1) if channels % n == 0)
        near = min(divisors, key=lambda n: (abs(n - asked), n))
        yield from as_asked(scene, call, {2: near}, 0.0)


def _divided(scene: Scene) -> Iterator[Candidate]:
    """Pictures whose sides the patches, or the windows, divide."""
    inputs = scene.case.failure.trace.inputs
    if not inputs or inputs[0].dim() != 4:
        return
    sides = tuple(map(int, inputs[0].shape[-2:]))
    sizes = {
        tuple(max(step, (side + up) // step * step) for side in sides)
        for step in (4, 7, 8, 14, 16, 28, 32, 56, 112, 224)
        for up in (0, step - 1)
    }
    near = sorted(
        sizes - {sides}, key=lambda size: abs(size[0] - sides[0]) + abs(size[1] - sides[1])
    )
    for at, (height, width) in enumerate(near):
        yield layers.resized(height, width, 1.0 + at / 1000)


def _one_size(scene: Scene, call: Call, shape: Shape, target: Shape) -> Iterator[Candidate]:
    """One of the sizes asked for as what is there gives it: an anchor's numbers, say."""
    map_kept = len(shape) == 4 and target[-2:] == shape[-2:]
    own, last = prod(shape[1:]), len(target) - (2 if map_kept else 0)
    places = "{0}.size(-2), {0}.size(-1)" if map_kept else ""
    producer = scene.case.back(scene.case.producer())
    if map_kept and isinstance(producer, Call) and producer.module:
        layer = scene.net.get_submodule(producer.module)
        if getattr(layer, "out_channels", None) == shape[1]:
            cost = 0.2 if _named(call) else 0.6
            yield from scene.replace(producer.module, cost, out_channels=prod(target[1:-2]))
    if len(shape) == 4 and not map_kept and prod(target[1:-2]) == shape[1]:
        # A grid that was written down, for maps of another size.
        yield from as_asked(scene, call, {len(target) - 2: -2, len(target) - 1: -1}, 0.2)
    for dim in range(last - 1, 0, -1):
        rest = prod(target[1:dim]) * prod(target[dim + 1 :])
        if len(target) < 3 or rest < 1 or own % rest or own // rest < 1:
            continue
        fitted = (*target[1:dim], own // rest, *target[dim + 1 : last])
        if not map_kept and (said := as_asked(scene, call, {dim: own // rest}, 0.45)):
            yield from said
            continue
        written = ", ".join([*map(str, fitted), *([places] if places else [])])

        def run(t: Sequence[Tensor], fitted: Shape = fitted) -> Tensor:
            kept = t[0].shape[-2:] if map_kept else ()
            return t[0].reshape(t[0].size(0), *fitted, *kept)

        way = "view" if call.base == "view" else "reshape"
        # Where one size alone is other than the layer before gives, the layer is as it was meant.
        cost = 0.25 if map_kept else 0.5
        yield from scene.instead(call, f"{{0}}.{way}({{0}}.size(0), {written})", run, cost)


def as_asked(scene: Scene, call: Call, sizes: dict[int, int], cost: float) -> list[Candidate]:
    """The view as it is written but for some sizes; one below 0 is the map's own at that end."""
    node, asked = module_call(call.place), call.args[1:]
    if call.place is None or node is None or not isinstance(node.func, ast.Attribute):
        return []
    starred = any(isinstance(word, ast.Starred) for word in node.args)
    if starred or node.keywords or len(node.args) != len(asked) or isinstance(asked[0], tuple):
        return []
    way, owner = node.func.attr, ast.unparse(node.func.value)
    short = owner if len(owner) < 40 else "x"
    said, code = [], []
    for at, word in enumerate(node.args):
        new = sizes.get(at)
        size = "size" if new is not None and new < 0 else ""
        said.append(
            ast.unparse(word) if new is None else f"{short}.size({new})" if size else f"{new}"
        )
        code.append(
            f"args[{at + 1}]" if new is None else f"{{0}}.size({new})" if size else f"{new}"
        )

    def carry_out(function: Callable[..., object], args: Args, kwargs: Kwargs) -> object:
        new = [
            size if (own := sizes.get(at)) is None else args[0].size(own) if own < 0 else own
            for at, size in enumerate(args[1:])
        ]
        return function(args[0], *new, **kwargs)

    text = f"{{0}}.{way}({', '.join(code)})"
    edit = Rewrite(call.place[:2], call.operation, text, carry_out)
    old = " ".join(ast.unparse(node).split())
    return [Candidate((edit,), f"{owner}.{way}({', '.join(said)}) instead of {old}", cost)]


def _target(call: Call) -> Shape | None:
    if call.base != "unflatten":
        return view_sizes(call)
    dim, shape = call.argument("dim", 0), call.input_shapes[0]
    inner = tuple(call.argument("sizes"))
    dim %= len(shape)
    return (*shape[:dim], *inner, *shape[dim + 1 :])


def _viewed(scene: Scene, call: Call, tail: Shape, cost: float) -> Iterator[Candidate]:
    if scene.case.in_layer:
        yield from scene.replace(scene.path, cost, unflattened_size=tail)
        return
    way = call.base if call.base != "unflatten" else "reshape"
    sizes = ", ".join(map(str, tail))

    def run(t: Sequence[Tensor]) -> Tensor:
        return getattr(t[0], way)(t[0].size(0), *tail)  # type: ignore[no-any-return]

    yield from scene.instead(call, f"{{0}}.{way}({{0}}.size(0), {sizes})", run, cost)


def _upstream(scene: Scene, call: Call, shape: Shape, tail: Shape) -> Iterator[Candidate]:
    """The linear layer before gives as many features as the view asks for."""
    producer = scene.case.back(scene.case.producer())
    if not isinstance(producer, Call) or not producer.module:
        return
    module = scene.net.get_submodule(producer.module)
    if not isinstance(module, nn.Linear):
        return
    wanted = prod(tail) if len(shape) == 2 else 0
    if len(shape) == 3 and tail and tail[0] == shape[1]:
        wanted = prod(tail[1:])
    if wanted:
        yield from scene.replace(producer.module, 0.3, out_features=wanted)


def _heads(scene: Scene, call: Call, shape: Shape, target: Shape) -> Iterator[Candidate]:
    """Another number of heads, which divides the features."""
    if len(shape) != 3 or len(target) != 4 or target[1] != shape[1]:
        return
    features, heads = shape[2], target[2]
    numbers = [n for n in range(1, features + 1) if features % n == 0]
    for at, number in enumerate(sorted(numbers, key=lambda n: (abs(n - heads), -n))[:2]):
        each = features // number
        if said := as_asked(scene, call, {2: number, 3: each}, 0.35 + at / 10):
            yield from said
            continue
        code = f"{{0}}.{call.base}({{0}}.size(0), {{0}}.size(1), {number}, {each})"

        def run(t: Sequence[Tensor], n: int = number, e: int = each) -> Tensor:
            return t[0].reshape(t[0].size(0), t[0].size(1), n, e)

        yield from scene.instead(call, code, run, 0.35 + at / 10)


def _pictures(scene: Scene, call: Call, shape: Shape, wanted: int) -> Iterator[Candidate]:
    """Pictures of the size at which the view comes out whole."""
    inputs = scene.case.failure.trace.inputs
    if wanted % shape[1] or not inputs or inputs[0].dim() != 4:
        return
    side = isqrt(wanted // shape[1])
    if side * side * shape[1] != wanted:
        return
    step = max(1, round(int(inputs[0].shape[-2]) / max(shape[2], 1)))
    near = range(max(1, (side - 2) * step), (side + 3) * step + 1)
    order = sorted(near, key=lambda n: (-(n & -n) if n % 8 == 0 else 0, abs(n - side * step)))
    for at, size in enumerate(order[:10]):
        yield layers.resized(size, size, 1.9 + at / 1000)
