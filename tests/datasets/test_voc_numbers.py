"""Pascal VOC as tools write it: with fractions, in polygons, and with lists of single classes."""

import numpy as np
import pytest
from brought import TRUTH, coco, picture, said, text, truth, voc_page

from viewfinder.datasets.converting import convert
from viewfinder.datasets.opening import read_boxes


def write(root, page=voc_page):
    for stem in TRUTH:
        picture(root / f"JPEGImages/{stem}.jpg")
        text(root / f"Annotations/{stem}.xml", page(stem))


def page_of(stem, numbers):
    low_x, low_y, high_x, high_y = numbers
    return (
        f"<annotation><filename>{stem}.jpg</filename><size><width>40</width><height>20</height>"
        f"</size><object><name>red</name><bndbox><xmin>{low_x}</xmin><ymin>{low_y}</ymin>"
        f"<xmax>{high_x}</xmax><ymax>{high_y}</ymax></bndbox></object></annotation>"
    )


def test_fractions_are_measured_from_the_edge(tmp_path):
    write(tmp_path, lambda stem: page_of(stem, (3.25, 4.5, 20.75, 15.0)))
    dataset = read_boxes(tmp_path)
    assert dataset.boxes.corners.tolist() == [[3.25, 4.5, 20.75, 15.0]] * 4
    assert "fractions of pixels" in dataset.summary()
    # One such box among whole ones, as in VOC 2012, is no other rule.
    text(tmp_path / "Annotations/0.xml", page_of("0", (3.5, 4, 20, 15)))
    for stem in "123":
        text(tmp_path / f"Annotations/{stem}.xml", page_of(stem, (3, 4, 20, 15)))
    assert read_boxes(tmp_path).boxes.corners.tolist()[:2] == [[2.5, 3, 20, 15], [2, 3, 20, 15]]


@pytest.mark.parametrize("first", [-1.0, -0.25, 0.0])
def test_what_is_written_reads_back_whatever_stands_at_the_edge(tmp_path, first):
    coco(tmp_path / "a/labels.json", {stem: f"{stem}.jpg" for stem in TRUTH})
    for stem in TRUTH:
        picture(tmp_path / f"a/{stem}.jpg")
    document = (tmp_path / "a/labels.json").read_text()
    # A box that begins before its picture is written as xmin 0, and is not counted from there.
    text(tmp_path / "a/labels.json", document.replace("[4, 2, 10, 10]", f"[{first}, 2, 10.5, 10]"))
    wanted = said(read_boxes(tmp_path / "a"))
    convert(tmp_path / "a", tmp_path / "b", to="voc")
    assert said(read_boxes(tmp_path / "b")) == wanted
    assert not read_boxes(tmp_path / "b").unread


def test_pictures_with_polygons_alone_are_left_out_and_said(tmp_path):
    write(tmp_path)
    polygons = voc_page("2").replace("bndbox", "polygon")
    text(tmp_path / "Annotations/2.xml", polygons)
    dataset = read_boxes(tmp_path)
    assert said(dataset) == truth("0", "1", "3")
    assert [(fault.kind, fault.file) for fault in dataset.faults] == [
        ("no-box", "Annotations/2.xml")
    ]


def test_lists_of_single_classes_name_a_side(tmp_path):
    write(tmp_path)
    for name in ("red", "blue"):
        text(tmp_path / f"ImageSets/Main/{name}_train.txt", "0 1\n1 -1\n2  1\n")
        text(tmp_path / f"ImageSets/Main/{name}_val.txt", "3.jpg -1\n")
    dataset = read_boxes(tmp_path)
    assert dict(zip(dataset.paths, dataset.splits.tolist(), strict=True)) == {
        f"JPEGImages/{stem}.jpg": side for stem, side in zip("0123", (0, 0, 0, 1), strict=True)
    }
    # Where lists of the sides themselves are there, they alone count.
    text(tmp_path / "ImageSets/Main/train.txt", "3\n")
    assert np.flatnonzero(read_boxes(tmp_path).splits == 0).tolist() == [3]
