"""Where to draw the boxes of a network: the layered layout of Sugiyama, Tagawa and Toda (1981).

Boxes stand in ranks by their longest way from an input; an edge that skips ranks gets a narrow
place in each, so that it never runs behind a box. Within a rank, order follows the neighbours'
mean position, and places are then moved as near to those neighbours as the gaps allow.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
Edge = tuple[int, int]

_GAP = 26.0
_RANK_GAP = 30.0
_LANE = 14.0
_SWEEPS = 12


@dataclass(frozen=True)
class Drawing:
    """Each box's centre, each edge's way from box to box, and the size of it all, in pixels."""

    centres: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float


@dataclass
class _Place:
    rank: int
    width: float
    x: float = 0.0


def draw(sizes: Sequence[tuple[float, float]], edges: Sequence[Edge]) -> Drawing:
    """Lay out boxes of the given (width, height), joined by edges from lower to higher index."""
    if not sizes:
        return Drawing((), (), 0.0, 0.0)
    ranks = _ranks(len(sizes), edges)
    places = [_Place(rank, width) for rank, (width, _) in zip(ranks, sizes, strict=True)]
    chains = [_chain(edge, places) for edge in edges]
    above, below = _neighbours(chains, len(places))
    rows = _ordered(places, above, below)
    _align(rows, places, above, below)
    heights = [0.0] * len(rows)
    for box, (_, height) in enumerate(sizes):
        heights[ranks[box]] = max(heights[ranks[box]], height)
    tops = [sum(heights[:rank]) + rank * _RANK_GAP for rank in range(len(rows))]
    left = min(place.x - place.width / 2 for place in places)
    right = max(place.x + place.width / 2 for place in places)

    def middle(place: int) -> Point:
        rank = places[place].rank
        return places[place].x - left, tops[rank] + heights[rank] / 2

    routes = [_route(chain, middle, sizes, tops, heights, places) for chain in chains]
    total = tops[-1] + heights[-1]
    centres = tuple(middle(box) for box in range(len(sizes)))
    return Drawing(centres, tuple(routes), right - left, total)


def _ranks(count: int, edges: Sequence[Edge]) -> list[int]:
    ranks = [0] * count
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        ranks[end] = max(ranks[end], ranks[start] + 1)
    return ranks


def _chain(edge: Edge, places: list[_Place]) -> list[int]:
    """The edge's places, one in each rank from its start to its end; adds those in between."""
    start, end = edge
    chain = [start]
    for rank in range(places[start].rank + 1, places[end].rank):
        places.append(_Place(rank, _LANE))
        chain.append(len(places) - 1)
    return [*chain, end]


def _neighbours(
    chains: Sequence[Sequence[int]], count: int
) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for chain in chains:
        for upper, lower in pairwise(chain):
            below[upper].append(lower)
            above[lower].append(upper)
    return above, below


def _ordered(
    places: Sequence[_Place], above: list[list[int]], below: list[list[int]]
) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max(place.rank for place in places) + 1)]
    for number, place in enumerate(places):
        rows[place.rank].append(number)
    at = {number: float(index) for row in rows for index, number in enumerate(row)}
    best, fewest = [list(row) for row in rows], _crossings(rows, at, below)
    for sweep in range(_SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            means = {n: _mean([at[m] for m in near[n]], at[n]) for n in row}
            row.sort(key=means.__getitem__)
            at.update((number, float(index)) for index, number in enumerate(row))
        crossings = _crossings(rows, at, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _crossings(rows: list[list[int]], at: dict[int, float], below: list[list[int]]) -> int:
    """How often two edges between neighbouring ranks cross."""
    total = 0
    for row in rows:
        passed: list[float] = []
        for number in row:
            ends = sorted(at[lower] for lower in below[number])
            total += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return total


def _align(
    rows: list[list[int]],
    places: list[_Place],
    above: list[list[int]],
    below: list[list[int]],
) -> None:
    for row in rows:
        _spread(row, places, [0.0] * len(row))
    for sweep in range(2 * _SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [_mean([places[m].x for m in near[n]], places[n].x) for n in row]
            _spread(row, places, wanted)


def _spread(row: list[int], places: list[_Place], wanted: list[float]) -> None:
    """Put a row as near to the wanted places, in least squares, as the gaps between allow."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (places[left].width + places[right].width) / 2 + _GAP)
    # Less the gaps, the places must rise: pool neighbours that would not (isotonic regression).
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        blocks.append((want - offset, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, many), (two, more) = blocks[-2:]
            blocks[-2:] = [((one * many + two * more) / (many + more), many + more)]
    values = [value for value, many in blocks for _ in range(many)]
    for number, value, offset in zip(row, values, offsets, strict=True):
        places[number].x = value + offset


def _route(
    chain: list[int],
    middle: Callable[[int], Point],
    sizes: Sequence[tuple[float, float]],
    tops: list[float],
    heights: list[float],
    places: list[_Place],
) -> tuple[Point, ...]:
    (x, y), (end_x, end_y) = middle(chain[0]), middle(chain[-1])
    points = [(x, y + sizes[chain[0]][1] / 2)]
    for lane in chain[1:-1]:
        lane_x, _ = middle(lane)
        rank = places[lane].rank
        points += [(lane_x, tops[rank]), (lane_x, tops[rank] + heights[rank])]
    return (*points, (end_x, end_y - sizes[chain[-1]][1] / 2))


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
