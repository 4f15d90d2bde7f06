"""Whole batches of pictures, changed at random: one matrix and one resample each.

Every random number is a function of the generator it is handed, so that a training that was
stopped and resumed, or dealt to two processes, sees the same pictures as one that was not.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from viewfinder.devices import send

# The weights of red, green and blue in a picture's grey (ITU-R BT.601).
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentation:
    """How far each random change may go; 0 switches it off.

    Attributes:
        shift: largest shift, as a share of the picture's side.
        scale: largest zoom, as a share: 0.2 zooms by a factor from 1/1.2 to 1.2.
        turn: largest rotation, in degrees.
        flip: share of the pictures that are mirrored left to right.
        colour: largest change of brightness, contrast and saturation, as a share.
        erase: largest side of a grey square laid over each picture, as a share of the side.
    """

    shift: float = 0.0
    scale: float = 0.0
    turn: float = 0.0
    flip: float = 0.0
    colour: float = 0.0
    erase: float = 0.0


def random_matrices(count: int, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """One random 3×3 matrix a picture, from target to source, for corners at −1 and 1.

    `affine_grid` asks for each target pixel where it comes from, so these are the inverses of
    what happens to the picture; drawn symmetrically, the two are alike.

    Returns:
        count×3×3 float32.
    """

    def uniform(reach: float) -> Tensor:
        return (torch.rand(count, generator=generator) * 2 - 1) * reach

    angle = uniform(math.radians(augmentation.turn))
    zoom = torch.exp(uniform(math.log1p(augmentation.scale)))
    # Half the pictures' widths lie on each side of 0, so a share of the side is twice as much.
    right, down = uniform(2 * augmentation.shift), uniform(2 * augmentation.shift)
    mirrored = torch.rand(count, generator=generator) < augmentation.flip
    mirror = torch.where(mirrored, -1.0, 1.0)
    cosine, sine, zero = angle.cos() / zoom, angle.sin() / zoom, torch.zeros(count)
    rows = [mirror * cosine, -mirror * sine, right, sine, cosine, down, zero, zero, zero + 1]
    return torch.stack(rows, dim=1).view(count, 3, 3)


def random_colours(count: int, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """One random 3×4 colour change a picture: brightness, contrast and saturation, multiplied.

    Returns:
        count×3×4 float32, applied to red, green, blue in [0, 1] and 1.
    """

    def factor() -> Tensor:
        change = (torch.rand(count, generator=generator) * 2 - 1) * augmentation.colour
        return (1 + change).view(count, 1, 1)

    brightness, contrast, saturation = factor(), factor(), factor()
    grey = torch.tensor(_GREY).expand(3, 3)
    matrix = (saturation * torch.eye(3) + (1 - saturation) * grey) * contrast * brightness
    # Contrast turns about mid-grey.
    offset = ((1 - contrast) * 0.5 * brightness).expand(count, 3, 1)
    return torch.cat([matrix, offset], dim=2)


def random_squares(count: int, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """One square a picture to lay over it, `centre x, centre y, half side`, as shares of the side.

    Returns:
        count×3 float32.
    """
    places = torch.rand(count, 3, generator=generator)
    return places * torch.tensor([1.0, 1.0, augmentation.erase / 2])


@dataclass(frozen=True)
class Changes:
    """The random changes of one batch, drawn but not yet applied; a row a picture."""

    matrices: Tensor
    colours: Tensor | None
    squares: Tensor | None

    def part(self, rows: slice) -> "Changes":
        """The changes of some of the pictures: a process's share of the batch."""
        colours = None if self.colours is None else self.colours[rows]
        squares = None if self.squares is None else self.squares[rows]
        return Changes(self.matrices[rows], colours, squares)


def draw(count: int, augmentation: Augmentation, generator: torch.Generator) -> Changes:
    """Draw the changes of a batch of `count` pictures."""
    return Changes(
        random_matrices(count, augmentation, generator),
        random_colours(count, augmentation, generator) if augmentation.colour else None,
        random_squares(count, augmentation, generator) if augmentation.erase else None,
    )


def apply(pictures: Tensor, changes: Changes) -> Tensor:
    """Change a batch: one resample, one product of colours, one square.

    Args:
        pictures: N×3×H×W float32 in [0, 1], on any device.

    Returns:
        The same shape and range; what comes from outside a picture mirrors its edge.
    """
    device = pictures.device
    # The matrices speak of a square from −1 to 1; on a picture that is not square, a rotation
    # would shear it, but every picture here has been letterboxed to a square.
    grid = functional.affine_grid(
        send(changes.matrices[:, :2], device), list(pictures.shape), align_corners=False
    )
    changed = functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    if changes.colours is not None:
        changed = recolour(changed, changes.colours)
    if changes.squares is not None:
        changed = _erase(changed, send(changes.squares, device))
    return changed


def recolour(pictures: Tensor, colours: Tensor) -> Tensor:
    """N×3×H×W pictures in [0, 1] under the N×3×4 changes that `random_colours` draws."""
    colours = send(colours, pictures.device)
    mixed = torch.einsum("nij,njhw->nihw", colours[:, :, :3], pictures)
    return (mixed + colours[:, :, 3, None, None]).clamp_(0, 1)


def _erase(pictures: Tensor, squares: Tensor) -> Tensor:
    """Lay a mid-grey square over each picture."""
    height, width = pictures.shape[2:]
    down = (torch.arange(height, device=pictures.device) + 0.5) / height
    right = (torch.arange(width, device=pictures.device) + 0.5) / width
    x, y, half = squares[:, 0, None], squares[:, 1, None], squares[:, 2, None]
    rows, columns = (down - y).abs() < half, (right - x).abs() < half
    return pictures.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.5)
