"""Large pictures in tiles: where these lie, what is cut at their edges, and one answer of all.

A tile overlaps its neighbours, so that what one of them cuts lies whole in another, as long as it
is no larger than the overlap. What is found cut gives way to what is found whole; what is cut
everywhere, being larger, is put together of its parts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import BoxArray, Size, clip_boxes, iou
from viewfinder.tasks.detect.answers.suppression import best_of
from viewfinder.tasks.detect.detections import Detections, no_detections
from viewfinder.tasks.detect.recipe import OVERLAP
from viewfinder.tasks.detect.tiling.asked import refuse_no_tiles
from viewfinder.tasks.model import ModelConfig
from viewfinder.values import as_number, as_table, as_whole

TILES = "tiles"
"""The habit's name: a model that has it answers in tiles."""

# A found box ends at its tile's edge if it comes this near to it, as a share of the tile's side.
_NEAR = 0.01
# Of a cut box that lies so far within another tile's box, this is a part.
_WITHIN = 0.6
# Two cut boxes are parts of one object if what both tiles show of them overlaps so well.
_SAME = 0.5
# Of what is cut and believed in less, thousands could be compared with each other for nothing.
_LEAST_CUT = 0.01

Place = tuple[int, int]
"""Where a tile begins, in whole pixels of its picture; less than 0 in one that is smaller."""


@dataclass(frozen=True)
class Tiles:
    """How pictures are taken apart.

    Attributes:
        side: of a tile, its longer one, in pixels of the picture.
        overlap: share of a side that neighbours have in common, at least.
        learnt: whether the net learnt in tiles, and so knows small pictures in the middle of one;
            another is given a picture that no tile would cut as it learnt it: whole.
    """

    side: int
    overlap: float = OVERLAP
    learnt: bool = True

    def __post_init__(self) -> None:
        refuse_no_tiles(self.side, self.overlap)

    def tile(self, size: Size) -> Size:
        """Width and height of a tile, of the aspect of what the net is given."""
        width, height = (max(1, round(self.side * side / max(size))) for side in size)
        return width, height

    def cuts(self, of: Size, size: Size) -> bool:
        """Whether a picture is answered in tiles, and not whole; arguments as for `places`."""
        width, height = self.tile(size)
        return self.learnt or of[0] > width or of[1] > height

    def places(self, of: Size, size: Size) -> list[Place]:
        """Where the tiles of a picture begin, row by row, evenly spread.

        Where a picture is smaller than a tile, it lies in its middle.

        Args:
            of: width and height of the picture.
            size: of what the net is given.
        """
        columns, rows = (
            _starts(length, side, self.overlap)
            for length, side in zip(of, self.tile(size), strict=True)
        )
        return [(x, y) for y in rows for x in columns]

    def as_json(self) -> dict[str, object]:
        """As `run.json` and exported files keep it."""
        table: dict[str, object] = {"side": self.side, "overlap": self.overlap}
        return table if self.learnt else table | {"learnt": False}

    def __str__(self) -> str:
        return f"tiles of {self.side} pixels that overlap by {self.overlap:.0%}"


def tiles_from_json(document: object) -> Tiles:
    """What `Tiles.as_json` gave; raises ValueError or InputError of anything else."""
    table = as_table(document)
    learnt = table.get("learnt", True)
    if table.keys() - {"learnt"} != {"side", "overlap"} or not isinstance(learnt, bool):
        raise ValueError("tiles must have a side and an overlap")
    return Tiles(as_whole(table["side"]), as_number(table["overlap"]), learnt)


def tiles_of(config: ModelConfig) -> Tiles | None:
    """The tiles in which a model answers; None if it sees pictures whole."""
    tiles = config.habits.get(TILES)
    return tiles if isinstance(tiles, Tiles) else None


def _starts(length: int, side: int, overlap: float) -> list[int]:
    """Where tiles begin along one side of a picture."""
    if length <= side:
        return [-((side - length) // 2)]
    step = max(1, math.floor(side * (1 - overlap)))
    count = math.ceil((length - side) / step) + 1
    return [round(number * (length - side) / (count - 1)) for number in range(count)]


def cut_tile(
    picture: NDArray[np.uint8], place: Place, tile: Size, *, grey: float
) -> NDArray[np.uint8]:
    """What a tile shows: H×W×3, grey where it reaches beyond its picture."""
    (x, y), (width, height) = place, tile
    shown = picture[max(0, y) : y + height, max(0, x) : x + width]
    if shown.shape[:2] == (height, width):
        return shown
    whole = np.full((height, width, 3), round(grey), np.uint8)
    top, left = max(0, -y), max(0, -x)
    whole[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return whole


def merge(found: Sequence[Detections], places: Sequence[Place], tile: Size, of: Size) -> Detections:
    """What tiles found as what their picture holds, by falling score: one box an object.

    Args:
        found: of each tile, in its own pixels.
        of: width and height of the picture.
    """
    parts = [_in_picture(each, place, of) for each, place in zip(found, places, strict=True)]
    every = no_detections().joined(parts)
    corners = np.array(places)[np.repeat(np.arange(len(parts)), [len(each) for each in parts])]
    regions = clip_boxes(np.hstack([corners, corners + tile]).astype(np.float64), of)
    cut = _cut(every.boxes, regions, tile, of)
    counted = np.flatnonzero(~cut | (every.scores >= _LEAST_CUT))
    order = counted[np.argsort(-every.scores[counted], kind="stable")]
    every, regions, cut = every.take(order), regions[order], cut[order]
    whole = every.take(~cut)
    whole_regions = regions[~cut]
    kept = best_of(whole)
    pieces, lands = every.take(cut), regions[cut]
    alone = ~_are_parts(pieces, lands, whole.take(kept), whole_regions[kept])
    joined = _put_together(pieces.take(alone), lands[alone])
    both = whole.take(kept).joined([joined])
    both = both.take(np.argsort(-both.scores, kind="stable"))
    return both.take(best_of(both))


def _in_picture(found: Detections, place: Place, of: Size) -> Detections:
    boxes = found.boxes.astype(np.float64) + np.tile(place, 2)
    return Detections(clip_boxes(boxes, of), found.scores, found.labels)


def _cut(boxes: BoxArray, regions: BoxArray, tile: Size, of: Size) -> NDArray[np.bool_]:
    """M bool: which boxes end at an edge of their tile that is not the picture's."""
    near = _NEAR * np.array(tile)
    low = (boxes[:, :2] - regions[:, :2] < near) & (regions[:, :2] > 0)
    high = (regions[:, 2:] - boxes[:, 2:] < near) & (regions[:, 2:] < np.array(of))
    return np.asarray((low | high).any(axis=1), np.bool_)


def _shared(one: BoxArray, others: BoxArray) -> BoxArray:
    """What M boxes have in common with each of K others: M×K×4; inverted where nothing."""
    low = np.maximum(one[:, None, :2], others[None, :, :2])
    high = np.minimum(one[:, None, 2:], others[None, :, 2:])
    return np.concatenate([low, high], axis=2)


def _areas(boxes: BoxArray) -> NDArray[np.float64]:
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    area: NDArray[np.float64] = sides[..., 0] * sides[..., 1]
    return area


def _are_parts(
    pieces: Detections, lands: BoxArray, whole: Detections, regions: BoxArray
) -> NDArray[np.bool_]:
    """M bool: cut boxes that lie within a box of their class which another tile shows whole."""
    parts = np.zeros(len(pieces), np.bool_)
    for label in np.unique(pieces.labels):
        mine, theirs = pieces.labels == label, whole.labels == label
        boxes, others = pieces.boxes[mine], whole.boxes[theirs]
        within = _areas(_shared(boxes, others)) >= _WITHIN * _areas(boxes)[:, None]
        elsewhere = (lands[mine][:, None] != regions[theirs][None]).any(axis=2)
        # A box in which hardly anything is believed takes nothing away.
        surer = whole.scores[theirs][None] >= pieces.scores[mine][:, None] / 4
        parts[mine] = (within & elsewhere & surer).any(axis=1)
    return parts


def _put_together(pieces: Detections, lands: BoxArray) -> Detections:
    """Cut boxes, those of one object that several tiles show as one; each by its best score."""
    parents = np.arange(len(pieces))

    def root(number: int) -> int:
        while parents[number] != number:
            number = int(parents[number])
        return number

    for one, other in _continued(pieces, lands):
        parents[max(root(one), root(other))] = min(root(one), root(other))
    roots = np.array([root(number) for number in range(len(pieces))], np.intp)
    first, group = np.unique(roots, return_inverse=True)
    boxes = np.tile([np.inf, np.inf, -np.inf, -np.inf], (len(first), 1))
    np.minimum.at(boxes[:, :2], group, pieces.boxes[:, :2])
    np.maximum.at(boxes[:, 2:], group, pieces.boxes[:, 2:])
    scores = np.zeros(len(first))
    np.maximum.at(scores, group, pieces.scores)
    return Detections(boxes, scores, pieces.labels[first])


def _continued(pieces: Detections, lands: BoxArray) -> list[tuple[int, int]]:
    """Pairs of cut boxes that are one object's: in what both their tiles show, they agree."""
    pairs: list[tuple[int, int]] = []
    for label in np.unique(pieces.labels):
        numbers = np.flatnonzero(pieces.labels == label)
        boxes, regions = pieces.boxes[numbers], lands[numbers]
        meeting = np.triu(_areas(_shared(boxes, boxes)) > 0, 1)
        apart = (regions[:, None] != regions[None]).any(axis=2)
        for one, other in np.argwhere(meeting & apart).tolist():
            common = _shared(regions[one][None], regions[other][None])[0]
            shown = _shared(boxes[[one, other]], common)[:, 0]
            if (_areas(shown) > 0).all() and iou(shown[:1], shown[1:])[0, 0] >= _SAME:
                pairs.append((int(numbers[one]), int(numbers[other])))
    return pairs
