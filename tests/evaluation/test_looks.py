"""What pictures and the boxes in them look like."""

import numpy as np
import pytest

from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.label_statistics import section
from viewfinder.evaluation.looks import looks
from viewfinder.pictures.writing import write_picture

# Left half black, right half white; x, y of the middle, width and height, as shares.
BOXES = ["0 0.25 0.5 0.5 1", "0 0.75 0.5 0.4 0.4", "0 0.5 0.5 0.5 0.5", "0 0.9 0.9 0.001 0.001"]


@pytest.fixture
def halves(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    picture = np.zeros((200, 400, 3), np.uint8)
    picture[:, 200:] = 255
    for number, boxes in enumerate((BOXES, [], BOXES[1:2])):
        write_picture(tmp_path / f"images/{number}.png", picture)
        (tmp_path / f"labels/{number}.txt").write_text("\n".join(boxes))
    (tmp_path / "classes.txt").write_text("thing\n")
    return open_dataset(tmp_path)


def test_how_bright_boxes_are_is_measured_within_them(halves):
    found = looks(halves)
    assert found.boxes == pytest.approx([0, 100, 50, 100, 100], abs=1)
    assert found.brightness == pytest.approx([50, 50, 50], abs=1)


def test_a_box_outside_its_picture_has_no_brightness(halves):
    halves.boxes.corners[1] = (500, 0, 600, 100)
    halves.boxes.corners[2] = (-50, 0, -10, 100)
    found = looks(halves).boxes
    assert np.isnan(found).tolist() == [False, True, True, False, False]


def test_a_page_draws_what_boxes_and_pictures_are_like(halves):
    drawn = "".join(map(str, section(halves)["figures"]))
    for title in ("How large boxes", "What shape boxes", "How bright boxes", "How bright pictures"):
        assert title in drawn
