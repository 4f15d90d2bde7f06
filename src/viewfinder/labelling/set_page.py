"""A page of a set: what is in it, what is wrong with it, and what a person is to look at."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.dealing import told_splits
from viewfinder.datasets.faults import Fault
from viewfinder.evaluation.label_statistics import section
from viewfinder.evaluation.templating import environment_of, made_with
from viewfinder.features.alike import Pair, groups_of
from viewfinder.files import write_text
from viewfinder.labelling.odd import Doubted, Suspects
from viewfinder.pictures.resampling import at_side
from viewfinder.pictures.writing import picture_url

# What a page shows at most of each, so that it stays a page.
_FAULTS, _GROUPS, _OF_GROUP, _ODD, _DOUBTED = 200, 192, 24, 48, 192
_SIDE = 160
# Of a box its surroundings are shown too, this share of its sides.
_AROUND = 0.2


def write_set_page(
    file: Path, dataset: Dataset, faults: Sequence[Fault], found: Suspects, *, by: str
) -> None:
    """Write it.

    Args:
        by: the command that made it.

    Raises:
        InputError: a picture cannot be read any more, or the page cannot be written.
    """
    split = dataset.splits
    groups = groups_of(found.alike)
    content = {
        "title": f"The set {dataset.root.name}",
        "summary": dataset.summary(faults=False).rstrip("."),
        "labels": section(dataset),
        "faults": faults[:_FAULTS],
        "fault_count": len(faults),
        "left_out": max(0, len(faults) - _FAULTS),
        "groups": [_group(dataset, pairs) for pairs in groups[:_GROUPS]],
        "group_count": len(groups),
        "across": sum(
            any(split[pair.one] != split[pair.other] for pair in pairs) for pairs in groups
        ),
        "compared": found.compared,
        "odd": [
            _seen(dataset, each.picture) | {"says": f"{each.likeness:.2f}"}
            for each in found.odd[: min(_ODD, found.compared // 2)]
        ],
        "asked": found.asked,
        "mistakes": found.mistakes,
        "named": found.named,
        "doubt_count": len(found.doubted),
        "doubted": [_doubted(dataset, each) for each in found.doubted[:_DOUBTED]],
        "why_not": found.why_not,
        "made": f"{by} — {made_with()}",
    }
    template = environment_of("viewfinder.labelling").get_template("set.html.jinja")
    write_text(file, template.render(content))


def suspects_document(dataset: Dataset, found: Suspects) -> dict[str, object]:
    """What the page shows for a person, for programs: `alike`, `odd` and `labels`, all of them, and
    how many of these are `named` before the others, of which about so many are `wrong`."""
    paths, classes = dataset.paths, dataset.classes
    return {
        "alike": [
            {
                "file": paths[pair.one],
                "other": paths[pair.other],
                "likeness": round(pair.likeness, 4),
                "same": pair.same,
            }
            for pair in found.alike
        ],
        "odd": [
            {"file": paths[each.picture], "likeness": round(each.likeness, 4)}
            for each in found.odd[:_ODD]
        ],
        "labels": [
            {
                "file": paths[each.picture],
                "box": None if each.box is None else [round(side, 2) for side in each.box],
                "class": classes[each.label],
                "other": classes[each.other],
                "amount": round(each.amount, 4),
            }
            for each in found.doubted
        ],
        "named": found.named,
        "wrong": found.wrong,
    }


def _group(dataset: Dataset, pairs: Sequence[Pair]) -> dict[str, object]:
    """Pictures that show the same, those in the order in which the likeliest pairs name them."""
    numbers = list(dict.fromkeys(number for pair in pairs for number in (pair.one, pair.other)))
    least, most = (f"{end(pair.likeness for pair in pairs):.2f}" for end in (min, max))
    says = f"alike by {most}" if least == most else f"alike by {least} to {most}"
    if all(pair.same for pair in pairs):
        says = "the same file"
    if len(numbers) > 2:
        says = f"{len(numbers):,} pictures, {says}"
    splits = told_splits(dataset, numbers)
    across = len(splits) > 1
    if across:
        says += f", in {_listed(splits)}"
    labels = {int(label) for label in dataset.labels[numbers] if label >= 0}
    if dataset.boxes is None and len(labels) > 1:
        says += f", as {' and as '.join(dataset.classes[label] for label in sorted(labels))}"
        across = True
    if len(numbers) > _OF_GROUP:
        says += f"; here are {_OF_GROUP} of them"
    seen = [_seen(dataset, number) for number in numbers[:_OF_GROUP]]
    return {"seen": seen, "says": says, "across": across}


def _listed(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _seen(dataset: Dataset, number: int) -> dict[str, str]:
    picture = dataset.picture(number, at_least=(_SIDE, _SIDE))
    side = min(_SIDE, max(picture.shape[:2]))
    return {"image": picture_url(at_side(picture, side)), "name": dataset.paths[number]}


def _doubted(dataset: Dataset, each: Doubted) -> dict[str, str]:
    labels = {"label": dataset.classes[each.label], "other": dataset.classes[each.other]}
    if each.box is None:
        return _seen(dataset, each.picture) | labels
    picture = dataset.picture(each.picture)
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = each.box
    across, down = _AROUND * (x2 - x1), _AROUND * (y2 - y1)
    left, top = (int(np.clip(v, 0, None)) for v in (x1 - across, y1 - down))
    right, bottom = min(width, round(x2 + across) + 1), min(height, round(y2 + down) + 1)
    crop = picture[top : max(bottom, top + 1), left : max(right, left + 1)]
    side = min(_SIDE, max(crop.shape[:2]))
    name = dataset.paths[each.picture]
    return {"image": picture_url(at_side(crop, side)), "name": name} | labels
