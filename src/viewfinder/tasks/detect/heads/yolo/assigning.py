"""Which of a net's predictions answer for which objects: by YOLOv3's rule, or by a wider one.

A place is where P predictions stand in a map of N×A×H×W cells: a tuple of their pictures, anchors,
rows and columns, P int64 each, that picks them out of it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from viewfinder.devices import send
from viewfinder.nets.yolo import Scale

Places = tuple[Tensor, ...]

# The factor within which an anchor fits a box, unless another is asked for.
RATIO = 3.0


def fitting_anchors(sizes: Tensor, scales: Sequence[Scale], *, ratio: float) -> list[Tensor]:
    """For each scale T×A bool: the anchors within a factor `ratio` of T×2 widths and heights.

    For an object that no anchor of any scale fits, the one that is off by the least factor.
    """
    factors = sizes[:, None] / _anchors(sizes, scales)  # T×ΣA×2
    # Too large by a factor is as far as too small by it; the worse of the two sides decides.
    factors = torch.maximum(factors, 1 / factors).amax(2)
    fits = factors <= ratio
    # No object is left out, however odd its shape.
    nearest = one_hot(factors.argmin(1), factors.shape[1]).bool()
    fits = fits | (nearest & ~fits.any(1, keepdim=True))
    return list(torch.split(fits, [len(scale.anchors) for scale in scales], dim=1))


def positives(
    cells: Tensor, fits: Tensor, pictures: Tensor, shape: torch.Size
) -> tuple[Tensor, Places]:
    """Each object at its fitting anchors, in its centre's cell and the nearest two beside that.

    The nearest two are the one to the left or right, by which half of its cell the centre lies in,
    and the one above or below; those outside the map are left out.

    Args:
        cells: T×2, the centres' x and y in cells of the map.
        fits: T×A bool.
        pictures: T int64.
        shape: the map's, beginning with N, A, H, W.

    Returns:
        P int64, the objects, and the places that answer for them.
    """
    home = _home(cells, shape)
    # A centre in the left half of its cell is nearer to the cell on the left, and so on. With a
    # reach of 2 those cells' predictions get there, and an object has three times the positives.
    nearer = torch.where(cells - home < 0.5, -1, 1)
    # No step, one to the side, one up or down.
    steps = torch.stack([torch.zeros_like(nearer), nearer, nearer], dim=1)  # T×3×2
    steps = steps * send(torch.tensor([[0, 0], [1, 0], [0, 1]]), steps.device)
    near = home[:, None] + steps
    inside = ((near >= 0) & (near < _sides(shape, near))).all(2)
    owners, steps, anchors = (inside[:, :, None] & fits[:, None]).nonzero(as_tuple=True)
    columns, rows = near[owners, steps].unbind(1)
    return owners, (pictures[owners], anchors, rows, columns)


def best_anchors(sizes: Tensor, scales: Sequence[Scale]) -> Tensor:
    """T×2, of all scales' anchors the one with the best IoU with each of T×2 widths and heights.

    Of equals the smallest, as Darknet's comes first in its list.
    """
    anchors = _anchors(sizes, scales)
    anchors = anchors[anchors.prod(1).argsort(stable=True)]
    shared = torch.minimum(sizes[:, None], anchors).prod(2)  # T×ΣA
    union = sizes.prod(1)[:, None] + anchors.prod(1) - shared
    return anchors[(shared / union).argmax(1)]


def responsible(
    cells: Tensor, best: Tensor, pictures: Tensor, scale: Scale, shape: torch.Size
) -> tuple[Tensor, Places]:
    """Each object whose best anchor is one of this scale's, in the cell of its centre.

    Args:
        cells: T×2, the centres' x and y in cells of the map.
        best: T×2, as of `best_anchors`.
        pictures: T int64.
        shape: the map's, beginning with N, A, H, W.

    Returns:
        P int64, the objects, and the places that answer for them. Two objects may share a place.
    """
    same = (best[:, None] == _anchors(best, [scale])).all(2)  # T×A
    owners = same.any(1).nonzero().squeeze(1)
    anchors = same[owners].int().argmax(1)
    columns, rows = _home(cells, shape)[owners].unbind(1)
    return owners, (pictures[owners], anchors, rows, columns)


def greatest(values: Tensor, places: Places, shape: torch.Size) -> Tensor:
    """A map of `shape` with P values at their places, the greatest where several meet; 0 elsewhere.

    Args:
        values: P numbers of 0 or more.
        shape: N×A×H×W.
    """
    # Plain indexing would keep any one of several values at a place; on a GPU, now this, now that.
    flat = values.new_zeros(shape.numel())
    return flat.scatter_reduce(0, _flat(places, shape), values, "amax").view(shape)


def _flat(places: Places, shape: torch.Size) -> Tensor:
    pictures, anchors, rows, columns = places
    return ((pictures * shape[1] + anchors) * shape[2] + rows) * shape[3] + columns


def _home(cells: Tensor, shape: torch.Size) -> Tensor:
    """The column and row of each centre's cell; of one on the far edge, the last."""
    return cells.floor().long().clamp(min=0).minimum(_sides(shape, cells) - 1)


def _sides(shape: torch.Size, like: Tensor) -> Tensor:
    """The map's columns and rows."""
    return send(torch.tensor([shape[3], shape[2]]), like.device)


def _anchors(like: Tensor, scales: Sequence[Scale]) -> Tensor:
    anchors = [anchor for scale in scales for anchor in scale.anchors]
    return send(torch.tensor(anchors, dtype=like.dtype), like.device)
