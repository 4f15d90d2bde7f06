"""The sheet of proposals: names stay apart, cells have the pictures' shape."""

import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals
from viewfinder.labelling.proposing import ProposalRows
from viewfinder.labelling.sheet import short_names, write_sheet
from viewfinder.pictures.drawing import caption_font, text_width
from viewfinder.pictures.reading import read_header, read_picture
from viewfinder.pictures.writing import write_picture

FONT = caption_font(240)


@pytest.mark.parametrize(
    "pattern",
    [
        "a_long_beginning_that_all_of_the_names_share_{}.jpg",
        "{}_and_a_long_end_that_all_of_the_names_share_with_each_other.jpg",
        "both_a_beginning_of_many_signs_{}_and_an_end_of_at_least_as_many_signs.jpg",
        "folder/of/folders/in/folders/{}.jpg",
        "{}.jpg",
    ],
)
def test_what_differs_in_long_names_stays(pattern):
    names = [pattern.format(f"{number:03}") for number in range(7, 12)]
    short = short_names(names, 240, FONT)
    assert len(set(short)) == 5
    for number, name in zip(range(7, 12), short, strict=True):
        assert f"{number % 10}" in name
        assert text_width(name, FONT) <= 240


def test_a_long_name_of_its_own_loses_its_middle():
    (name,) = short_names(["x" * 20 + "y" * 60 + "z" * 20], 240, FONT)
    assert (name[0], name[-1]) == ("x", "z")
    assert text_width(name, FONT) <= 240


@pytest.mark.parametrize(("size", "boxes"), [((60, 180), 1), ((200, 60), 2), ((90, 60), 0)])
def test_cells_have_the_shape_of_the_pictures(tmp_path, size, boxes):
    rows, random = ProposalRows(), np.random.default_rng(0)
    names = [f"写真 {number}.png" for number in range(3)]
    for name in names:
        write_picture(tmp_path / name, np.full((size[1], size[0], 3), 90, np.uint8))
        rows.sizes[name] = size
        for _ in range(boxes):
            low = random.uniform(0, 0.5, 2) * size
            rows.add(name, "é", np.array([*low, *(low + 20)]), 0.5, "by")
    write_sheet(tmp_path, rows.proposals(), tmp_path / "look.png")
    sheet = read_picture(tmp_path / "look.png")
    grey = (np.abs(sheet.astype(int) - 90) < 3).all(axis=2).mean()
    header = read_header(tmp_path / "look.png")
    assert grey > 0.45, f"most of {header.size} is pictures"


def test_without_proposals_there_is_no_sheet(tmp_path):
    with pytest.raises(InputError, match="nothing is proposed"):
        write_sheet(tmp_path, Proposals(), tmp_path / "look.png")
