"""Damaged and hostile label files end in an InputError of one sentence, and in nothing else."""

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.converting import convert
from viewfinder.datasets.formats import large_json
from viewfinder.datasets.formats.large_json import read_large_json
from viewfinder.datasets.formats.yolo.data_yaml import quoted, read_data_yaml
from viewfinder.datasets.opening import open_dataset, read_boxes, usable_boxes
from viewfinder.datasets.tidying import tidied
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture

COCO = {
    "images": [{"id": 1, "file_name": "1.png", "width": 40, "height": 20}],
    "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
    "categories": [{"id": 1, "name": "cat"}],
}
YAML = "train: images\nval: images\nnames: ['cat', dog]\n"
LABELS = "0 0.5 0.5 0.25 0.5\n1 0 0 1 0 1 1\n"
VOC = (
    "<annotation><filename>1.png</filename><size><width>40</width><height>20</height></size>"
    "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax>"
    "</bndbox></object></annotation>"
)


def opened(files):
    """What opening and checking a set of these files comes to: a set, or an InputError."""
    with tempfile.TemporaryDirectory() as name:
        for path, data in files.items():
            file = Path(name) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data if isinstance(data, bytes) else data.encode())
        write_picture(Path(name) / "images/1.png", np.zeros((20, 40, 3), np.uint8))
        dataset = read_boxes(name)
        if dataset is not None:
            check_boxes(dataset)
            tidied(usable_boxes(dataset)).summary()
        return dataset


def coco(**changes):
    return {"annotations/instances_train.json": json.dumps(COCO | changes)}


def annotation(**changes):
    return coco(annotations=[COCO["annotations"][0] | changes])


def image(**changes):
    return coco(images=[COCO["images"][0] | changes])


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"annotations/instances_a.json": "[" * 100_000}, "holds a list"),
        ({"annotations/instances_a.json": '{"x":' + "[" * 100_000}, "nested too deeply"),
        ({"annotations/instances_a.json": '{"images": [' + "[" * 100_000}, "nested too deeply"),
        ({"annotations/instances_a.json": '{"x": ' + "1" * 5000 + "}"}, "cannot be read"),
        ({"annotations/instances_a.json": b"\xff\xfe{}"}, "not UTF-8"),
        ({"annotations/instances_a.json": b""}, "is missing in line 1"),
        ({"annotations/instances_a.json": "{}"}, "lists no images"),
        ({"annotations/instances_a.json": "{} more"}, "more after the end"),
        ({"annotations/instances_a.json": '{"images": {}}'}, "must be a list"),
        ({"annotations/instances_a.json": '{"images": [1]}'}, "must hold objects alone"),
        (coco(categories=None), "no list of categories"),
        (coco(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]), "same number, 1"),
        (coco(categories=[{"id": 1, "name": " "}]), "has no 'name'"),
        (coco(images=COCO["images"] * 2), "two images have the same number, 1"),
        (image(file_name="../../etc/passwd"), "leads out of the set"),
        (image(file_name="/etc/passwd"), "leads out of the set"),
        (image(file_name="C:\\a.png"), "leads out of the set"),
        (image(file_name="a\0.png"), "no file can have the name"),
        (image(file_name="\ud800.png"), "no file can have the name"),
        (image(file_name=7), "has no 'file_name'"),
        (image(id=[1]), "'id' is not a whole number"),
        (image(id=10**30), "'id' is not a whole number"),
        (image(width=[1]), "'width' is not a whole number"),
        (annotation(category_id=1.5), "'category_id' is not a whole number"),
        (coco(annotations=[{"id": 8, "bbox": [1, 2, 3, 4]}]), r"\(id 8\) has no 'image_id'"),
    ],
)
def test_coco_that_is_refused(files, says):
    with pytest.raises(InputError, match=says):
        opened(files)


def test_numbers_at_both_ends_of_64_bits_and_no_classes_at_all_are_read():
    ends = [-(2**63), 2**63 - 1]
    names = zip(ends, ("0.png", "1.png"), strict=True)
    images = [{"id": number, "file_name": name} for number, name in names]
    categories = [{"id": number, "name": str(number)} for number in ends]
    box = COCO["annotations"][0] | {"image_id": ends[1], "category_id": ends[0]}
    dataset = opened(coco(images=images, categories=categories, annotations=[box]))
    assert dataset.boxes.offsets.tolist() == [0, 0, 1]
    assert dataset.boxes.classes.tolist() == [0]
    assert opened(coco(categories=[], annotations=[])).classes == ()


@pytest.mark.parametrize(
    "box", [[1, 2, 3], "1234", [1, 2, "x", 4], [1, 2, 10**400, 4], None, [], [True, 1, 2, 3]]
)
def test_a_box_that_is_none_is_passed_over_and_said(box):
    dataset = opened(annotation(bbox=box))
    assert len(dataset.boxes) == 0
    assert [fault.kind for fault in dataset.faults] == ["no-box"]


@pytest.mark.parametrize(
    "outline", [[], [[]], [[1, 2, 3, 4, 5, 6]], 7, "x", [["a"]], [[[1]]], [[10**400]], {"size": 1}]
)
def test_an_outline_that_is_none_costs_no_box(outline):
    assert len(opened(annotation(segmentation=outline)).boxes) == 1


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]>' + VOC, "declares a document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd">' + VOC, "declares a document type"),
        (
            ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a []>' + VOC).encode("utf-16"),
            "declares a document type",
        ),
        ('<?xml version="1.0" encoding="klingon"?>' + VOC, "XML|encoding"),
        ("<a>" * 50_000, "nested more than"),
        (VOC.replace("<annotation>", "<annotation>&x;"), "not whole XML"),
        (VOC[:-5], r"1.xml, line \d+: it is not whole XML \(the file was cut off there\): put the"),
        (VOC.replace("</object>", ""), r"line \d+, character \d+: .* \(mismatched tag\): correct"),
        ("", "is empty, so it is not whole XML: put the whole file back"),
        ("<svg/>", "begins with <svg>"),
        (VOC.replace("cat", " "), "object 1 has no <name>: give it one"),
        (VOC.replace("bndbox", "box"), r"object 1 \(cat\) has no <bndbox> .*: complete it"),
        (VOC.replace("<xmin>1", "<xmin>one"), r"object 1 \(cat\) holds 'one', no number: write"),
        (VOC.replace("<width>40", "<width>-40"), "is none of a picture"),
        (VOC.replace("<width>40", "<width>1e99"), "is none of a picture"),
        (" " * 17_000_000, "too many for one picture"),
    ],
)
def test_voc_that_is_refused(page, says):
    with pytest.raises(InputError, match=says):
        opened({"Annotations/1.xml": page})


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"data.yaml": "train: images\n"}, "has no `names`"),
        ({"data.yaml": "train: nowhere\nnames: [a]\n"}, "there is no nowhere"),
        ({"data.yaml": "train: {a: b}\nnames: [a]\n"}, "must name a folder"),
        ({"data.yaml": "names: [a]\nnames: [b]\ntrain: images"}, "line 2.* a second time"),
        ({"data.yaml": "names: [a, a]\ntrain: images"}, "'a' stands there twice"),
        ({"data.yaml": "names: {0: a, 2: b}\ntrain: images"}, "without a gap"),
        ({"data.yaml": "names: !!python/object:os.system [a]"}, "begins a value with '!'"),
        ({"data.yaml": "names: &a [b]"}, "begins a value with '&'"),
        ({"data.yaml": "names: [[a]]"}, "a list within a list"),
        ({"data.yaml": "names: [a"}, "no closing"),
        ({"data.yaml": "names: ['a]"}, "not closed|no closing"),
        ({"data.yaml": "names:\n  - a\n    - b\n"}, "not in line"),
        ({"data.yaml": "names\n"}, "is no `key: value`"),
        ({"data.yaml": b"\xff\xfe"}, "not UTF-8"),
        ({"data.yaml": YAML, "labels/1.txt": "0 0.5 0.5 0.5\n"}, "line 1: 3 numbers"),
        ({"data.yaml": YAML, "labels/1.txt": "0 .5 .5 .5 .5 .9\n"}, "line 1: 5 numbers"),
        ({"data.yaml": YAML, "labels/1.txt": "\ncat 0 0 1 1\n"}, "line 2: .*not numbers"),
        ({"data.yaml": YAML, "labels/1.txt": "0.5 0 0 1 1\n"}, "the class '0.5'"),
        ({"data.yaml": YAML, "labels/1.txt": "1e99 0 0 1 1\n"}, "the class '1e99'"),
        ({"data.yaml": YAML, "labels/1.txt": "nan 0 0 1 1\n"}, "the class 'nan'"),
        ({"data.yaml": YAML, "labels/1.txt": b"\xff\xfe\0"}, "not UTF-8"),
        ({"data.yaml": f"train: {'x' * 5000}\nnames: [a]\n"}, "cannot be read"),
        ({"data.yaml": "train: a.txt\nnames: [a]\n", "a.txt": "a\0b\n"}, "leads to no pictures"),
        ({"classes.txt": "a\na\n", "labels/1.txt": ""}, "'a' stands there twice"),
    ],
)
def test_yolo_that_is_refused(files, says):
    with pytest.raises(InputError, match=says):
        opened(files)


def test_numbers_that_are_none_are_faults_and_no_errors():
    for value in ("nan", "inf", "-1e308", "1e999"):
        dataset = opened({"data.yaml": YAML, "labels/1.txt": f"0 {value} 0.5 0.25 0.5\n"})
        assert not len(tidied(dataset).boxes)
        page = VOC.replace("<xmin>1", f"<xmin>{value}")
        assert len(opened({"Annotations/1.xml": page}).boxes) == 1
    raw = json.dumps(COCO).replace("[1, 2, 3, 4]", "[NaN, -1e308, 1e999, Infinity]")
    assert not len(tidied(opened({"annotations/instances_a.json": raw})).boxes)


SOUND = st.sampled_from(
    [
        {"annotations/instances_train.json": json.dumps(COCO)},
        {"data.yaml": YAML, "labels/1.txt": LABELS},
        {"Annotations/1.xml": VOC, "ImageSets/Main/train.txt": "1\n"},
    ]
)


@settings(max_examples=200)
@given(SOUND, st.data())
def test_no_damage_gets_past_the_readers(files, data):
    """Bytes cut, changed, doubled or made up give a set or an InputError."""
    name = data.draw(st.sampled_from(sorted(files)))
    whole = files[name].encode()
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 12)))
    put = data.draw(
        st.binary(max_size=8) | st.sampled_from([b"", whole, b"{", b"[", b'"', b"<", b"&", b": "])
    )
    damaged = whole[:begin] + put + whole[end:]
    with contextlib.suppress(InputError):
        dataset = opened(files | {name: damaged})
        assert dataset is None or len(dataset.boxes.classes) == dataset.boxes.offsets[-1]


@settings(max_examples=100)
@given(
    st.lists(
        st.dictionaries(
            st.text('ab},{["\\ ', max_size=4),
            st.recursive(
                st.integers() | st.text('},{[]"\\ x', max_size=8) | st.none(),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.lists(st.dictionaries(st.just("k"), inner), max_size=3)
                ),
                max_leaves=4,
            ),
            max_size=3,
        ),
        max_size=12,
    ),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
)
def test_a_document_read_in_pieces_is_the_document(objects, piece, indent):
    """Wherever the cuts fall: in strings that look like objects, in lists, at either end."""
    document = {"first": [1], "many": objects, "last": {"a": "}, {"}}
    taken = []
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_json, "_PIECE", piece)
        file = Path(name) / "a.json"
        file.write_text(json.dumps(document, indent=indent), encoding="utf-8")
        others = read_large_json(file, {"many": taken.extend})
    assert taken == objects
    assert others == {"first": [1], "last": {"a": "}, {"}}


@given(st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))), max_size=4))
def test_quoted_names_come_back(names):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.yaml"
        lines = "".join(f"  {i}: {quoted(name)}\n" for i, name in enumerate(names))
        file.write_text(f"names:\n{lines}nc: 3\n", encoding="utf-8")
        value = read_data_yaml(file, {"names"})["names"].value
    assert (list(value.values()) if names else value) == (names or "")


@pytest.mark.parametrize(
    ("outline", "box"),
    [
        ([[1, 1, float("nan"), 1, 4, 5.5]], [1, 2, 3, 4]),
        ([[-1e308, 1, 1e308, 1, 4, 5.5]], None),
        ({"size": [20, 40], "counts": [float("nan"), 305]}, [1, 2, 3, 4]),
        ([], [1, 2, float("inf"), 4]),
        ([], [-1.5e308, 2, 1.6e308, 4]),
    ],
)
def test_numbers_that_are_none_are_told_and_not_written(outline, box, tmp_path):
    changes = {"segmentation": outline} if box is None else {"segmentation": outline, "bbox": box}
    good = {"id": 9, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    bad = {key: value for key, value in COCO["annotations"][0].items() if key != "bbox"} | changes
    write_picture(tmp_path / "set/images/1.png", np.zeros((20, 40, 3), np.uint8))
    file = tmp_path / "set/annotations/instances_train.json"
    file.parent.mkdir()
    file.write_text(json.dumps(COCO | {"annotations": [good, bad]}))
    told = {fault.kind for fault in check_boxes(read_boxes(tmp_path / "set"))}
    assert told & {"no-outline", "not-finite", "no-box"}
    assert convert(tmp_path / "set", tmp_path / "out", to="coco").lost
    for written in (tmp_path / "out").rglob("*.json"):
        json.loads(written.read_text(), parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("width", ["nan", "-nan", "inf", "1e400", "-1"])
def test_a_page_of_a_size_that_is_none_is_refused(width):
    page = VOC.replace("<width>40", f"<width>{width}")
    with pytest.raises(InputError, match=r"is none of a picture|holds"):
        opened({"Annotations/1.xml": page, "ImageSets/Main/train.txt": "1\n"})


def test_a_data_yaml_that_says_nothing_is_no_class_folder(tmp_path: Path) -> None:
    """Its folder of pictures is not taken for one of a classifier's classes."""
    (tmp_path / "data.yaml").write_text("# only a comment\n")
    write_picture(tmp_path / "images/a.jpg", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"data\.yaml has no `names`"):
        open_dataset(tmp_path)
