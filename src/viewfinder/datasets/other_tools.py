"""Label files that are recognised and not read: which tool wrote them, and what to give instead.

A folder with such files must not be taken for class folders: its pictures are labelled, and the
labels would silently go unused.
"""

import re
from pathlib import PurePosixPath

from viewfinder.datasets.survey import Survey, beginning, is_yolo_labels, speaks_of
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folded

# A few files of each kind tell of all.
_LOOKS = 20
# What a tool's JSON files hold, and what the tool is called.
_JSON = (
    (('"shapes"', '"imagePath"'), "labelme's JSON"),
    (('"_via_img_metadata"',), "a project of the VGG Image Annotator (VIA)"),
    (('"regions"', '"shape_attributes"'), "annotations of the VGG Image Annotator (VIA)"),
    (('"classTitle"', '"objects"'), "Supervisely's JSON"),
    (('"from_name"', '"to_name"'), "Label Studio's own JSON"),
    (('"labelName"', '"boundingBox"'), "annotations of CreateML or Azure"),
    (('"coordinates"', '"annotations"', '"label"'), "CreateML's JSON"),
    (('"featureClassName"', '"bbox"'), "Labelbox' JSON"),
    (('"slots"', '"bounding_box"'), "Darwin's JSON (V7)"),
    (('"frames"', '"box2d"'), "Scalabel's or BDD100K's JSON"),
)
_CSV = re.compile(r"\bx_?min\b|\bbbox\b|\bx1\b.*\by1\b", re.IGNORECASE)
_MEND = "export them as COCO, YOLO (with its data.yaml) or Pascal VOC"


def refuse_other_tools(seen: Survey) -> None:
    """Refuse a folder whose pictures have labels that are not read.

    Raises:
        InputError: there are any; it says what they look like and what to give.
    """
    for recognise in (_bare_yolo, _json, _xml, _csv):
        if sentence := recognise(seen):
            raise InputError(f"{seen.root} {sentence}")


def _bare_yolo(seen: Survey) -> str | None:
    """Labels as YOLO's whose classes have no names."""
    labels = [path for path in seen.of(".txt") if _belongs(seen, path)]
    labels = [path for path in labels[:200] if is_yolo_labels(seen.root / path)]
    if not labels:
        return None
    highest = -1
    for path in labels:
        for line in beginning(seen.root / path).splitlines():
            word = line.split()[0] if line.split() else ""
            highest = max(highest, int(float(word)) if re.fullmatch(r"\d+(\.0*)?", word) else -1)
    names = ", ".join(f"name{number}" for number in range(min(highest + 1, 3)))
    names += ", …" if highest >= 3 else ""
    return (
        f"has YOLO's labels (as {labels[0]:.80}) and nothing that names their classes: write a "
        f"data.yaml into it with the line names: [{names}], in the order of the numbers 0 to "
        f"{highest}"
    )


def _json(seen: Survey) -> str | None:
    for path in _some(seen, ".json"):
        for words, tool in _JSON:
            if speaks_of(seen.root / path, *words):
                return f"has labels as {tool} (as {path:.80}), which is not read: {_MEND}"
    return None


def _xml(seen: Survey) -> str | None:
    for path in _some(seen, ".xml"):
        text = beginning(seen.root / path)
        if "<annotations" in text and "<image" in text + "<image" * ("<meta" in text):
            return f"has labels as CVAT's XML for images ({path:.80}), which is not read: {_MEND}"
        if "<annotations" in text:
            return f"has labels as XML of a tool ({path:.80}) that is not read: {_MEND}"
    return None


def _csv(seen: Survey) -> str | None:
    for path in _some(seen, ".csv"):
        first = beginning(seen.root / path).partition("\n")[0]
        if _CSV.search(first) and first.count(",") >= 4:
            return f"has boxes in a table ({path:.80}), which is not read: {_MEND}"
    return None


def _some(seen: Survey, suffix: str) -> list[str]:
    """A few files of a kind, those in different folders first."""
    files = seen.of(suffix)
    firsts = {PurePosixPath(path).parent: path for path in reversed(files)}
    return list(dict.fromkeys([*firsts.values(), *files]))[:_LOOKS]


def _belongs(seen: Survey, path: str) -> bool:
    """Whether a text file has the name of a picture."""
    return bool(seen.pictures.of_stem(folded(PurePosixPath(path).stem)))
