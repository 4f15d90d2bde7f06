"""Drawings show what they are asked to, where they are asked to."""

import numpy as np
import pytest

from viewfinder.pictures.drawing import (
    caption_font,
    contact_sheet,
    draw_boxes,
    legible,
    number_boxes,
)
from viewfinder.pictures.geometry import box_areas, iou
from viewfinder.pictures.lettering import font_of, free_places

RED, YELLOW, NAVY = (255, 0, 0), (255, 255, 0), (0, 0, 128)


@pytest.mark.parametrize("size", [(40, 30), (640, 480), (3000, 2000)])
def test_a_box_is_drawn_along_the_inside_of_its_edges(size: tuple[int, int]) -> None:
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    box = np.array([[width // 4, height // 2, width // 2, height - 3]], np.float32)
    drawn = draw_boxes(picture, box, [""], [RED])
    assert (picture == 90).all(), "the picture itself is left alone"
    rows, columns = np.nonzero((drawn == RED).all(axis=2))
    assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == box[0].tolist()
    y, x = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    assert (drawn[y, x] == 90).all(), "the object itself stays in sight"


@pytest.mark.parametrize("corner", [(-20, -20), (0, 0), (300, 0), (310, 230), (100, 100)])
def test_a_caption_is_kept_inside_the_picture(corner: tuple[int, int]) -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    x, y = corner
    drawn = draw_boxes(
        picture, np.array([[x, y, x + 5, y + 5]], np.float32), ["a red cell"], [YELLOW]
    )
    plate = (drawn == YELLOW).all(axis=2).sum()
    letters = ((drawn > 0) & (drawn < 60)).all(axis=2).sum()
    assert plate > 300
    assert letters > 30


def test_letters_stand_out_from_their_plate() -> None:
    picture = np.full((200, 300, 3), 128, np.uint8)
    box = np.array([[50, 100, 120, 150]], np.float32)
    on_yellow = draw_boxes(picture, box, ["HHHHHH"], [YELLOW])[88:100, 50:90]
    assert on_yellow.max(axis=2).min() < 80, "dark letters on a light plate"
    on_navy = draw_boxes(picture, box, ["HHHHHH"], [NAVY])[88:100, 50:90]
    assert on_navy.min(axis=2).max() > 180, "light letters on a dark plate"


@pytest.mark.parametrize("caption", ["naïve façade", "写真", "🙂", "", "\n\t", "long " * 200])
def test_any_caption_will_do(caption: str) -> None:
    picture = np.full((50, 60, 3), 200, np.uint8)
    assert draw_boxes(picture, np.array([[5, 5, 50, 40]]), [caption], [RED]).shape == picture.shape
    sheet = contact_sheet([picture], columns=1, cell=64, captions=[caption])
    assert sheet.shape[1] == 64 + 16


def test_a_sheet_holds_every_picture_in_its_cell() -> None:
    greys = [np.full((30 + 7 * i, 90 - 9 * i, 3), 20 * i, np.uint8) for i in range(7)]
    sheet = contact_sheet(greys, columns=3, cell=100)
    assert sheet.shape == (3 * 108 + 8, 3 * 108 + 8, 3)
    for i in range(7):
        y, x = 8 + i // 3 * 108 + 50, 8 + i % 3 * 108 + 50
        assert (sheet[y, x] == 20 * i).all()
    assert (sheet[8 + 2 * 108 :, 8 + 108 :] == 255).all(), "the last row is not full"
    captioned = contact_sheet(greys, columns=3, cell=100, captions=[str(i) for i in range(7)])
    assert captioned.shape[0] > sheet.shape[0]
    assert captioned.shape[1] == sheet.shape[1]


def test_an_empty_sheet_is_a_margin_of_paper() -> None:
    sheet = contact_sheet([], columns=3, cell=100)
    assert sheet.size
    assert (sheet == 255).all()


def test_numbers_that_do_not_match_are_a_mistake_of_the_program() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="1 boxes, 2 captions, 1 colours"):
        draw_boxes(picture, np.zeros((1, 4), np.float32), ["a", "b"], [RED])
    with pytest.raises(ValueError, match="1 pictures, but 0 captions"):
        contact_sheet([picture], columns=1, cell=8, captions=[])


def test_numbers_of_boxes_do_not_cover_each_other() -> None:
    picture = np.full((200, 300, 3), 128, np.uint8)
    boxes = np.array([[100, 80, 160, 150]] * 4 + [[0, 0, 30, 30]], np.float32)
    colours = [RED, YELLOW, NAVY, (0, 200, 0), (200, 0, 200)]
    drawn = number_boxes(picture, boxes, colours)
    plates = [(drawn == colour).all(axis=2).sum() for colour in colours]
    assert min(plates[:3]) > 60, "hidden behind the last box, but for their plates"
    bare = draw_boxes(picture, boxes[:1], [""], [RED])
    assert (number_boxes(picture, boxes[:1], [RED]) == bare).all()


def test_captions_cover_no_other_and_little_of_the_picture() -> None:
    """Of forty boxes at almost one place those come first that are named first, and lie on top."""
    picture = np.full((400, 600, 3), 128, np.uint8)
    at = np.arange(40)[:, None] * np.array([[2, 1, 2, 1]])
    boxes = (np.array([[200, 150, 280, 210]]) + at).astype(np.float32)
    colours = [(5 * number, 255 - 5 * number, 30) for number in range(40)]
    captions = [f"cell {number}" for number in range(40)]
    font = font_of(max(10, round(400 / 32)))
    places = [
        place for place in free_places(boxes, captions, (600, 400), font) if place is not None
    ]
    assert 3 <= len(places) < 40
    assert iou(np.array(places), np.array(places)).sum() == pytest.approx(len(places))
    assert box_areas(np.array(places)).sum() < 0.17 * 600 * 400
    drawn = draw_boxes(picture, boxes, captions, colours)
    for corner in ((150, 200), (209, 279)):
        assert tuple(drawn[corner]) == colours[0], "whole, and above the others"
    assert (drawn == colours[0]).all(axis=2).sum() > 600, "with its plate"


def test_a_caption_stands_where_it_hides_no_other_box() -> None:
    picture = np.full((300, 300, 3), 128, np.uint8)
    # A small object just above the large one, where a caption would stand.
    boxes = np.array([[100, 100, 200, 200], [102, 88, 112, 98]], np.float32)
    drawn = draw_boxes(picture, boxes, ["cell", ""], [RED, YELLOW])
    assert (drawn[88, 102:112] == YELLOW).all()
    assert (drawn == RED).all(axis=2).sum() > 600


def test_signs_that_the_font_lacks_are_told_apart() -> None:
    font = caption_font(320)
    assert legible("Küche 写 1.png", font) == "Kuche \\u5199 1.png"
