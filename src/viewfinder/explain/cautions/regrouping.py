"""Views that take dimensions apart and together so that one is no longer what it stands for.

A view moves no number: each dimension of its result holds a range of the steps through the numbers
that the dimensions before it held. A width of the result that does not hold what the width held is
a mistake, although the sizes fit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import prod

from viewfinder.explain.calls import Call
from viewfinder.explain.cautions.naming import homes
from viewfinder.explain.explanation import Shape, shape_text
from viewfinder.explain.traces import Trace

_VIEWS = ("view", "reshape", "view_as", "reshape_as")
_FOLLOWED = ("batch", "width", "height", "depth", "time")
Steps = tuple[int, int]
"""Of a dimension: how many numbers one step along it passes, and how many all its steps do."""


@dataclass(frozen=True)
class _Following:
    """A view in two passes, of which the second has something doubled, such as the width."""

    name: str
    base: tuple[Shape, Shape]
    """What the view is given and what it gives."""
    other: tuple[Shape, Shape]

    def moved(self, side: int) -> list[int]:
        """The dimensions that follow what is doubled."""
        pairs = zip(self.base[side], self.other[side], strict=True)
        return [dim for dim, (one, two) in enumerate(pairs) if one != two]

    def permuted(self, order: Sequence[int]) -> "_Following":
        """The same view of what it is given with its dimensions in another order."""
        (one, two), (mine, theirs) = self.base, self.other
        return _Following(
            self.name,
            (tuple(one[dim] for dim in order), two),
            (tuple(mine[dim] for dim in order), theirs),
        )


def scrambled(
    seen: Trace, twice: Trace | None, stretched: Callable[[str], Trace | None]
) -> Iterator[str]:
    """Views that turn dimensions, which only permute does.

    Args:
        twice: the pass with twice the batch, where the first dimension is the batch.
        stretched: gives the pass with twice the height, width, depth or time.
    """
    names = homes(seen)
    for call in seen.calls:
        if call.base not in _VIEWS or not _shapes(call):
            continue
        other = twice.by_index.get(call.index) if twice is not None else None
        # With a batch of 1 its place is not to be seen.
        pair = _shapes(other) or _shapes(call)
        turned = _turned(*pair)
        lost = _wrong(_following("batch", call, twice)) if twice is not None else ""
        if not turned and not lost and not _crosses(*pair) and not _alike(*pair):
            continue
        passes = {name: twice if name == "batch" else stretched(name) for name in _FOLLOWED}
        follows = [_following(name, call, one) for name, one in passes.items() if one is not None]
        known = [one for one in follows if one is not None]
        wrong = "" if turned else next(filter(None, map(_wrong, known)), "")
        if turned or wrong:
            one, two = map(shape_text, _shapes(call))
            yield (
                f"{names.get(call.index)} makes {one} into {two}{wrong}: it reads the numbers in "
                "the order that they lie in and scrambles them; "
                f"{_permuted(pair, known) or 'permute or transpose'} turns dimensions"
            )


def _shapes(call: Call | None) -> tuple[Shape, ...]:
    if call is None or not call.input_shapes or not call.output_shapes:
        return ()
    return call.input_shapes[0], call.output_shapes[0]


def _following(name: str, call: Call, other: Trace) -> _Following | None:
    twin = other.by_index.get(call.index)
    if twin is None or twin.operation != call.operation or not _shapes(twin):
        return None
    (one, two), (mine, theirs) = _shapes(call), _shapes(twin)
    if (len(one), len(two)) != (len(mine), len(theirs)):
        return None
    return _Following(name, (one, two), (mine, theirs))


def _crosses(one: Shape, two: Shape) -> bool:
    """Whether several dimensions at once become several others."""
    left, right = ([size for size in shape if size != 1] for shape in (one, two))
    while left and right:
        mine, theirs = [left.pop(0)], [right.pop(0)]
        while prod(mine) != prod(theirs):
            shorter, rest = (mine, left) if prod(mine) < prod(theirs) else (theirs, right)
            if not rest:
                return False
            shorter.append(rest.pop(0))
        if min(len(mine), len(theirs)) > 1:
            return True
    return False


def _alike(one: Shape, two: Shape) -> bool:
    """Whether a dimension of the result may be either of two, since they are of one size."""
    return 2 < len(two) < len(one) and any(one.count(size) > 1 for size in two[1:] if size != 1)


def _wrong(follow: _Following | None) -> str:
    """What is wrong with a view, in words; empty where nothing is."""
    if follow is None or _is_skewed(*follow.base):
        return ""
    before, after = (_steps(shape) for shape in follow.other)
    mine, theirs = follow.moved(0), follow.moved(1)
    held = {*_steps(follow.base[1])}
    if all(_steps(follow.base[0])[at] in held for at in mine):
        # It stays whole; with sizes that are written out, another dimension grows instead.
        return ""
    for dim in theirs:
        sizes = follow.base[1][dim], follow.other[1][dim]
        same = [at for at in mine if (follow.base[0][at], follow.other[0][at]) == sizes]
        mixed = same and all(before[at] != after[dim] for at in same)
        if mixed or not any(_overlap(before[at], after[dim]) for at in mine):
            return f", where dimension {dim} goes with the {follow.name} and does not hold it"
    for at in mine if follow.name != "batch" else ():
        if _torn(before, after, at, theirs):
            return f", which tears the {follow.name} apart"
    return ""


def _permuted(pair: tuple[Shape, ...], follows: Sequence[_Following]) -> str:
    """The permutation after which the same view only joins and splits; empty where none does."""
    orders = list(permutations(range(len(pair[0]))))[1:]
    # Sizes that are written out do not follow anything, and tell the least.
    batch = [one for one in follows if one.name == "batch"]
    for known, sound in ((follows, _whole), (follows, _divides), (batch, _whole)):
        for order in orders:
            moved = [one.permuted(order) for one in known]
            turned = tuple(pair[0][dim] for dim in order)
            if sound(turned, pair[1]) and all(sound(*m.other) and not _wrong(m) for m in moved):
                return f"permute{order} before it"
    return ""


def _whole(one: Shape, two: Shape) -> bool:
    return not _crosses(one, two)


def _divides(one: Shape, two: Shape) -> bool:
    """Whether each dimension of the result is made of whole dimensions or of parts of one."""
    ends = sorted({end for shape in (one, two) for _, end in _steps(shape)})
    return all(large % small == 0 for small, large in pairwise(ends))


def _steps(shape: Shape) -> list[Steps]:
    return [(prod(shape[dim + 1 :]), prod(shape[dim:])) for dim in range(len(shape))]


def _overlap(one: Steps, two: Steps) -> bool:
    return max(one[0], two[0]) < min(one[1], two[1])


def _torn(before: list[Steps], after: list[Steps], at: int, theirs: list[int]) -> bool:
    """Whether pieces of one size are cut from a dimension and stand beside dimensions outside it.

    Pieces may join the batch, as parts of a recording do.
    """
    low, high = before[at]
    for dim, (step, whole) in enumerate(after):
        if low < step < high < whole and dim + 1 not in theirs:
            return any(_overlap(one, (high, whole)) for one in before[1:at])
    return False


def _is_skewed(one: Shape, two: Shape) -> bool:
    """Attention by distances, which moves each row by one: N×T×(T + 1) read as N×(T + 1)×T."""
    return len(one) > 1 and one[-1] == one[-2] + 1 and two[-2:] == (one[-1], one[-2])


def _turned(one: Shape, two: Shape) -> bool:
    """Whether a view gives the sizes of a permutation of dimensions, of which some are joined."""
    if _is_skewed(one, two):
        return False
    large, other = ([size for size in shape if size != 1] for shape in (one, two))
    while large and other and large[0] == other[0]:
        large, other = large[1:], other[1:]
    while large and other and large[-1] == other[-1]:
        large, other = large[:-1], other[:-1]
    if len(large) == len(other):
        return len(large) > 1 and large != other and sorted(large) == sorted(other)
    whole, parts = sorted((large, other), key=len)
    if len(whole) != 2 or len(parts) != 3:
        return False
    if parts[-1] % whole[1] == 0 or parts[0] % whole[0] == 0:
        # The last or the first dimension may be split in two, as anchors are from channels.
        return False
    orders = set(permutations(parts)) - {tuple(parts)}
    return not _joins(parts, whole) and any(_joins(order, whole) for order in orders)


def _joins(parts: Sequence[int], whole: Sequence[int]) -> bool:
    """Whether neighbours among the parts make up the whole."""
    return any(
        [prod(parts[:cut]), prod(parts[cut:])] == list(whole) for cut in range(1, len(parts))
    )
