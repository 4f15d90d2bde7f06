"""Numbers that the user's modules keep, such as heads, groups or a window, with other values."""

from collections.abc import Iterator

from viewfinder.explain.edits import Numbered
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.layouts import LAST
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At the modules around the failure, the innermost first."""
    path, cost = scene.path, LAST + 0.2
    sizes, met = origins.every_size(scene), origins.pairs(scene)
    while True:
        module = scene.net.get_submodule(path)
        own = {} if type(module).__module__.startswith("torch.nn") else vars(module)
        for name, value in own.items():
            if type(value) is not int or value < 2 or name.startswith("_"):
                continue
            near = sorted(_divisors(sizes) - {value}, key=lambda n: (abs(n - value), -n))
            ways = (*origins.values(value, (), met), *((n, 0.2) for n in near[:3]))
            for new, far in ways:
                holder = f"{path}.{name}".lstrip(".") if path else f"self.{name}"
                says = f"{holder} = {new} instead of {value}"
                yield Candidate((Numbered(path, name, new),), says, cost + far)
        if not path:
            return
        path, cost = path.rpartition(".")[0], cost + 0.05


def _divisors(sizes: list[int]) -> set[int]:
    return {n for size in sizes if size <= 4096 for n in range(2, size) if size % n == 0}
