"""A COCO file read by types is what the standard parser makes of it, or is left to that."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viewfinder.datasets.formats import typed_json
from viewfinder.datasets.formats.coco import parts
from viewfinder.datasets.formats.coco.rows import AnnotationRows
from viewfinder.datasets.formats.coco.typed_rows import TypedRows
from viewfinder.datasets.formats.large_json import read_large_json
from viewfinder.datasets.formats.typed_json import NotPlain, read_typed_json
from viewfinder.errors import InputError

IMAGES = [
    {"id": n, "file_name": f"é{n}.jpg", "width": 40, "height": 30, "license": 3, "odd key": [n]}
    for n in range(1, 5)
]
ANNOTATIONS = [
    {
        "id": n,
        "image_id": n % 4 + 1,
        "category_id": 1,
        "bbox": [0.1 * n, 2, 3.25, 4],
        "area": 13.0,
        "iscrowd": 0,
        "segmentation": [[0.5, 1, 2, 3, 4.5, 6], [1, 2, 3, 4, 5, 6, 7, 8]],
    }
    for n in range(1, 9)
]
ODD = [
    None, True, -0.0, 1.5, 2.0, 2**53 + 1, 2**63, 10**30, 1e300, float("nan"), float("inf"), "7",
    "a", "", " ", "\ud800", [], [1, 2, 3, 4], [[1, 2], [3, 4], [5, 6]], [[1, 2, 3, True, 5, 6]],
    [[1e20, 2, 3, 4, 5, 6]], {}, {"x": 1}, [{"a": 1}, {"b": 2}],
    {"size": [3, 4], "counts": [1, 2, 3]}, {"size": [3, 4], "counts": "0a"},
]  # fmt: skip
KEYS = [
    "id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation", "file_name",
    "width", "height", "group", "difficult", "attributes", "score", "license", "odd key", "}, {",
]  # fmt: skip


def told(rows, others):
    """All that was read, comparable."""
    boxes = {
        name: (str(np.concatenate(columns).dtype), np.concatenate(columns).tobytes())
        for name, columns in rows.boxes.items()
    }
    outlines = {
        row: outline if isinstance(outline, dict) else [p.tobytes() for p in outline]
        for row, outline in rows.segmentations.items()
    }
    counts = sorted((+rows.unread).items())
    return repr((rows.images, boxes, outlines, rows.tracks, counts, rows.texts, rows.count, others))


def by_parser(file):
    rows = AnnotationRows(str(file))
    take = {"images": rows.take_images, "annotations": rows.take_annotations}
    try:
        return told(rows, read_large_json(file, take))
    except InputError as error:
        return str(error)


def by_types(file):
    """What the types make of it; None where they leave it to the parser."""
    rows = AnnotationRows(str(file))
    typed = TypedRows(rows)
    take = {"images": typed.take_images, "annotations": typed.take_annotations}
    try:
        return told(rows, read_typed_json(file, take))
    except NotPlain:
        return None


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(typed_json, "_PIECE", 300)
    return tmp_path / "instances.json"


def write(file, images=IMAGES, annotations=ANNOTATIONS, **others):
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1}], **others}
    file.write_text(json.dumps(document, ensure_ascii=False), "utf-8", "surrogatepass")


def test_what_is_plain_is_read_by_types(file):
    write(file)
    assert by_types(file) == by_parser(file)


change = st.tuples(
    st.sampled_from(["images", "annotations"]), st.integers(0, 7), st.sampled_from(KEYS),
    st.sampled_from([*ODD, ...]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(change, min_size=1, max_size=4))
@example(changes=[("annotations", n, "image_id", "7") for n in range(8)])
@example(changes=[("annotations", 2, "attributes", [{"a": 1}, {"b": 2}, {"c": 3}])])
def test_odd_values_are_read_as_the_parser_reads_them(tmp_path_factory, changes):
    file = tmp_path_factory.mktemp("odd") / "instances.json"
    lists = {"images": list(IMAGES), "annotations": list(ANNOTATIONS)}
    for name, row, key, value in changes:
        row %= len(lists[name])
        kept = {k: v for k, v in lists[name][row].items() if k != key}
        lists[name][row] = kept if value is ... else kept | {key: value}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typed_json, "_PIECE", 300)
        write(file, **lists)
        assert by_types(file) in (by_parser(file), None)


def test_damage_is_never_read_otherwise_than_by_the_parser(file):
    write(file, info={"version": "1"})
    whole, numbers = file.read_bytes(), np.random.default_rng(2)
    signs = b'{}[],:"\\ \x00\xff0-.eENa'
    left = 0
    for _ in range(800):
        data = bytearray(whole)
        for place in numbers.integers(0, len(data), numbers.integers(1, 3)):
            data[place] = signs[numbers.integers(len(signs))]
        file.write_bytes(data)
        typed = by_types(file)
        left += typed is None
        assert typed in (by_parser(file), None)
    assert left > 100


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"\xff\xfe{}", b'{"images": [], "images": []}', b'{"images": [{}',
        b'{"a": ' + b"[" * 100_000, b'{"images": 1}', b'{"images": [1]}', b'{"im\\u0061ges": []}',
        b'{"a": ' + b"1" * 5000 + b"}", b'{"a": "\xff"}', b'{"images": []} more',
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_parser(file, data):
    file.write_bytes(data)
    assert by_types(file) is None


@pytest.mark.parametrize("odd", [{"bbox": None}, {"attributes": {}}, {"score": [{}, {}] * 400}])
def test_a_file_that_is_left_in_the_middle_is_read_from_its_start(file, odd):
    write(file, annotations=[*ANNOTATIONS[:-1], ANNOTATIONS[-1] | odd])
    assert by_types(file) is None
    rows, _ = parts._rows_of(Path(file))
    assert rows.images.ids == [1, 2, 3, 4]
    assert rows.count == 8


def test_a_mark_of_order_is_passed_over(file):
    write(file)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert by_types(file) == by_parser(file)
