"""Sets of masks alone are found below one folder, however methods and sets are laid out."""

import numpy as np
import pytest

from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.scoring.sets import map_contests


@pytest.mark.parametrize("inner", ["GT", ""])
@pytest.mark.parametrize("first", ["method", "set"])
@pytest.mark.parametrize("names", [("SIP", "STÈRE"), ("SIP",)])
def test_sets_without_pictures_are_found(tmp_path, inner, first, names):
    mask = np.zeros((8, 8), np.bool_)
    mask[2:5, 2:6] = True
    methods = {}
    for name in (*names, "LFSD"):
        (tmp_path / "data" / name / inner).mkdir(parents=True)
        write_mask(tmp_path / "data" / name / inner / "1.png", mask)
    for name in names:
        for method in ("ours", "theirs"):
            parts = (method, name) if first == "method" else (name, method)
            write_picture(
                tmp_path.joinpath("maps", *parts, "1.png"),
                mask[..., None].repeat(3, 2) * np.uint8(200),
            )
            methods[parts[0]] = tmp_path / "maps" / parts[0]
    found = map_contests(tmp_path / "data", methods, [])
    assert [each.truth.name for each in found] == list(names)
    for contest in found:
        assert sorted(each.method for each in contest.answers) == ["ours", "theirs"]
        assert all(len(each.paired.answers) == 1 for each in contest.answers)
