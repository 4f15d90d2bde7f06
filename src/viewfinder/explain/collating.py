"""Samples of unequal sizes that a DataLoader cannot put into one batch."""

import re
from types import TracebackType

from viewfinder.explain.explanation import Mistake, Shape, shape_text

_UNEQUAL = re.compile(
    r"stack expects each tensor to be equal size, but got \[([\d, ]*)\] at entry 0 "
    r"and \[([\d, ]*)\] at entry (\d+)"
)
_NAMES = {
    1: ("length",),
    2: ("length", "features"),
    3: ("channels", "height", "width"),
    4: ("channels", "depth", "height", "width"),
}


def collated(error: BaseException) -> Mistake | None:
    """What an error of torch's default collate comes from; None for any other error."""
    # A worker of the loader gives its own traceback as text.
    said = str(error)
    found = _UNEQUAL.search(said)
    if found is None or not ("collate" in said or _in_collate(error.__traceback__)):
        return None
    one, two = (tuple(map(int, part.split(","))) if part else () for part in found.groups()[:2])
    return Mistake(
        where="the DataLoader, where its collate puts samples into one batch",
        rule=f"{_difference(one, two)}: {_remedy(one, two)}",
        got=f"{shape_text(one)}, and {_place(int(found[3]))} {shape_text(two)}",
        expected=f"samples of one size, as {shape_text(one)}",
        fixes=(),
    )


def _place(number: int) -> str:
    return "right behind it" if number == 1 else f"{number} places behind it"


def _in_collate(at: TracebackType | None) -> bool:
    while at is not None:
        code = at.tb_frame.f_code
        if "collate" in code.co_name and "torch" in code.co_filename:
            return True
        at = at.tb_next
    return False


def _difference(one: Shape, two: Shape) -> str:
    if len(one) != len(two):
        return f"samples have {len(one)} and {len(two)} dimensions"
    parts = [
        f"{_name(dim, len(one))}, {one[dim]} and {two[dim]}"
        for dim in range(len(one))
        if one[dim] != two[dim]
    ]
    return f"samples differ in {'; in '.join(parts)}"


def _name(dim: int, rank: int) -> str:
    names = _NAMES.get(rank, ())
    return names[dim] if names else f"dimension {dim}"


def _remedy(one: Shape, two: Shape) -> str:
    if len(one) == len(two) == 3 and one[0] != two[0]:
        return 'open every picture in one way, as Image.open(path).convert("RGB") does'
    if len(one) == len(two) and len(one) > 2:
        return (
            "resize them to one size in the data set, as torchvision.transforms.Resize((h, w)) "
            "does, or give the DataLoader a collate_fn that pads them"
        )
    return (
        "give the DataLoader a collate_fn that pads them, as torch.nn.utils.rnn.pad_sequence does, "
        "or cut them to one size in the data set"
    )
