"""Fixes of maps that were enlarged too much, or too little, before they met others."""

from collections.abc import Iterator

from viewfinder.explain.calls import Call
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.scene import Scene

_MEETING = {"add", "sub", "mul", "cat", "maximum"}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """The factor of F.interpolate, or of nn.Upsample, after which both maps are of one size."""
    call = scene.call
    if call is None or call.base not in _MEETING or scene.case.in_layer:
        return
    for position, shape in enumerate(call.input_shapes[:2]):
        other, made = call.input_shapes[1 - position], scene.case.back(call.producers[position])
        if len(shape) != 4 or len(other) != 4 or not isinstance(made, Call):
            continue
        scale = made.argument("scale_factor")
        wanted = {
            scale * two / one
            for one, two in zip(shape[2:], other[2:], strict=True)
            if isinstance(scale, int | float) and one
        }
        if made.base not in ("interpolate", "upsample") or len(wanted) != 1:
            continue
        factor = wanted.pop()
        if factor < 1 or factor != int(factor):
            continue
        if made.module and type(scene.net.get_submodule(made.module)).__name__ == "Upsample":
            yield from scene.replace(made.module, -0.05, scale_factor=int(factor))
        else:
            # torch hands on all that it was not given, too.
            given = {
                name: v for name, v in made.kwargs.items() if v not in (None, False, "nearest")
            }
            options = {**given, "scale_factor": int(factor)}
            args = made.args[:1] if len(made.args) > 2 else made.args
            yield from again(scene, made, args, options, -0.05)
