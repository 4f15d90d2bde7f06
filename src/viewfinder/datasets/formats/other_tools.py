"""Label files that are recognised and not read: which tool wrote them, and what to give instead.

A folder with such files must not be taken for class folders: its pictures are labelled, and the
labels would silently go unused.
"""

import re
from pathlib import PurePosixPath

from viewfinder.datasets.split_names import words_of
from viewfinder.datasets.survey import Survey, beginning, is_yolo_labels, speaks_of
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folded, is_picture

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
    (('"regions"', '"boundingBox"'), "VoTT's own JSON"),
    (('"detections"', '"bounding_box"'), "FiftyOne's own JSON"),
    (('"classes"', '"labels"', '"bounding_box"'), "FiftyOne's own JSON"),
    (('"coordinates"', '"annotations"', '"label"', '"image'), "CreateML's JSON"),
    (('"featureClassName"', '"bbox"'), "Labelbox' JSON"),
    (('"slots"', '"bounding_box"'), "Darwin's JSON (V7)"),
    (('"box2d"',), "Scalabel's or BDD100K's JSON"),
    (('"rectanglelabels"',), "Label Studio's short JSON"),
    (('"items"', '"annotations"', '"bbox"'), "Datumaro's JSON"),
    *(((word,), "JSON with boxes") for word in ('"bbox"', '"bndbox"', '"xmin"', '"gtboxes"')),
)
_CSV = re.compile(
    r"\bx_?min\b|\bbbox|\bx1\b.*\by1\b|\bleft\b.*\btop\b|region_shape|rectanglelabels",
    re.IGNORECASE,
)
_TABLES = (
    (re.compile(r"\"(?:rectangle|polygon|brush|ellipse|keypoint)labels\"+:"), "Label Studio's CSV"),
    (re.compile(r"\bregion_shape_attributes\b"), "the VGG Image Annotator's CSV (VIA)"),
    # A class, four numbers of a box, its picture, and that one's two sides.
    (
        re.compile(r"\A[^,\n]+(?:,-?\d+){4},[^,\n]+\.\w{3,4},\d+,\d+\s*$", re.M),
        "makesense.ai's CSV",
    ),
)
HOW = "export them as COCO, YOLO (with its data.yaml) or Pascal VOC"
# Words of a path that speak of a table of boxes.
_BOX_WORDS = frozenset({"gt", "bbox", "bboxes", "bounding", "boxes", "det"})
_NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
_BETWEEN = re.compile(r"[\s,;()]+")


def refuse_other_tools(seen: Survey) -> None:
    """Refuse a folder whose pictures have labels that are not read.

    Raises:
        InputError: there are any; it says what they look like and what to give.
    """
    for recognise in (_bare_yolo, _texts, _json, _xml, _tables):
        if sentence := recognise(seen):
            raise InputError(f"{seen.root} {sentence}")


def box_table(seen: Survey) -> str:
    """A file beside the pictures that lists boxes of many, or empty text.

    Sets of classes have such files too, as CUB-200 and Tiny ImageNet do.
    """
    for path in _some(seen, ".odgt"):
        return path
    for path in _some(seen, ".jsonl"):
        if re.search(r'"(?:bbox|bboxes|objects)"\s*:', beginning(seen.root / path)):
            return path
    for path in _some(seen, ".csv"):
        first = beginning(seen.root / path).partition("\n")[0]
        if _CSV.search(first) and first.count(",") >= 4:
            return path
    for path in _some(seen, ".csv", ".txt"):
        if _lists_boxes(seen, path):
            return path
    return ""


def _lists_boxes(seen: Survey, path: str) -> bool:
    """Whether a text lists pictures' names with two corners each, or boxes as its name says."""
    lines = [line.strip() for line in beginning(seen.root / path).splitlines()[:20]]
    lines = [line for line in lines if line and not line.startswith("#")]
    rows = [[word for word in _BETWEEN.split(line) if word] for line in lines]
    if not rows or not rows[0]:
        return False
    named = [row for row in rows if is_picture(row[0]) and seen.pictures.named(_last(row[0]))]
    numbers = [list(map(float, filter(_NUMBER.fullmatch, row[1:]))) for row in named]
    if named and all(len(row) >= 4 and _box_in(row) for row in numbers):
        return True
    if len(named) > 1 and len(rows) > 2 and rows[0] in named and rows[1][0].isdigit():
        return len(rows[1]) == 1 and len(rows[2]) >= 4  # WIDER FACE's name, count, boxes
    alone = all(len(row) >= 4 and all(map(_NUMBER.fullmatch, row)) for row in rows)
    return alone and bool(_BOX_WORDS.intersection(words_of(path)))


def _box_in(numbers: list[float]) -> bool:
    """Whether two corners stand among the first numbers."""
    spans = (numbers[start : start + 4] for start in range(min(3, len(numbers) - 3)))
    return any(x2 > x1 >= 0 and y2 > y1 >= 0 for x1, y1, x2, y2 in spans)


def _last(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _texts(seen: Survey) -> str | None:
    """Text files of pictures with boxes in lines of another form than YOLO's."""
    for path in [path for path in seen.of(".txt") if _belongs(seen, path)][:_LOOKS]:
        lines = beginning(seen.root / path).splitlines()[:8]
        rows = [[word for word in _BETWEEN.split(line) if word] for line in lines]
        counts = [sum(map(bool, map(_NUMBER.fullmatch, row))) for row in rows]
        boxes = any(
            4 <= count <= 20 and len(row) - count <= 2
            for row, count in zip(rows, counts, strict=True)
        )
        if boxes and ["0", "0", "0", "1"] not in [_whole(row) for row in rows]:
            return f"has boxes in texts (as {path:.80}) that are not YOLO's lines: {HOW}"
    return None


def _whole(row: list[str]) -> list[str]:
    """The words of a line without decimals that are zero; a matrix of a camera ends in 0 0 0 1."""
    return [re.sub(r"\.0*$", "", word) for word in row]


def _bare_yolo(seen: Survey) -> str | None:
    """Labels as YOLO's whose classes have no names."""
    labels = [path for path in seen.of(".txt") if _belongs(seen, path)]
    labels = [path for path in labels[:200] if _in_shares(seen, path)]
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
                return f"has labels as {tool} (as {path:.80}), which is not read: {HOW}"
    return None


def _xml(seen: Survey) -> str | None:
    for path in _some(seen, ".xml"):
        text = beginning(seen.root / path)
        if "<annotations" in text and "<image" in text + "<image" * ("<meta" in text):
            return f"has labels as CVAT's XML for images ({path:.80}), which is not read: {HOW}"
        if "<annotations" in text or re.search(r"<\w*(?:bndbox|bbox|box)[\s_>]", text):
            return f"has labels as XML of a tool ({path:.80}) that is not read: {HOW}"
    return None


def _tables(seen: Survey) -> str | None:
    """Tables that tools of boxes write; what they are tells of what the pictures are for."""
    for path in _some(seen, ".csv"):
        text = beginning(seen.root / path)
        tool = next((tool for words, tool in _TABLES if words.search(text)), "")
        if tool:
            return f"has labels as {tool} ({path:.80}), which is not read: {HOW}"
    return None


def _in_shares(seen: Survey, path: str) -> bool:
    """Whether a text's first line is YOLO's, a class and shares of the picture."""
    if not is_yolo_labels(seen.root / path):
        return False
    line = next(filter(str.strip, beginning(seen.root / path).splitlines()))
    return all(abs(float(word)) <= 2 for word in line.replace(",", " ").split()[1:])


def _some(seen: Survey, *suffixes: str) -> list[str]:
    """A few files of a kind, those in different folders first."""
    files = seen.of(*suffixes)
    firsts = {PurePosixPath(path).parent: path for path in reversed(files)}
    return list(dict.fromkeys([*firsts.values(), *files]))[:_LOOKS]


def _belongs(seen: Survey, path: str) -> bool:
    """Whether a text file has the name of a picture."""
    return bool(seen.pictures.of_stem(folded(PurePosixPath(path).stem)))
