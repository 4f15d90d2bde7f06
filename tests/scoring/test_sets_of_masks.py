"""Sets of masks alone are found below one folder, however methods and sets are laid out."""

import re

import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.scoring.saliency_contest import maps_compared
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


def categories(root, names=("ant", "bee"), *, alike=False):
    """`gt/CATEGORY`, `maps/inner/CATEGORY` and all of them in `maps/flat`."""
    for k, name in enumerate(names):
        for n in range(2):
            mask = np.zeros((12, 12), np.bool_)
            mask[2 + n : 8, 2 : 7 + k] = True
            file = f"{n}.png" if alike else f"{name}_{n}.png"
            shown = mask[..., None].repeat(3, 2) * np.uint8(200)
            for folder in (f"gt/{name}", f"maps/inner/{name}", "maps/flat"):
                (root / folder).mkdir(parents=True, exist_ok=True)
                write_picture(root / folder / file, shown + np.uint8(9) * (folder[0] == "m"))
    return {name: root / "maps" / name for name in ("flat", "inner")}


def test_maps_of_all_categories_may_lie_in_one_folder(tmp_path):
    methods = categories(tmp_path)
    write_mask(tmp_path / "maps/flat/ant_7.png", np.ones((4, 4), np.bool_))
    for contest in map_contests(tmp_path / "gt", methods, []):
        assert [each.method for each in contest.answers] == ["flat", "inner"]
        flat = contest.answers[0]
        assert sorted(flat.paired.answers) == sorted(contest.truth.masks)
        assert all(flat.file(mask).name == mask for mask in contest.truth.masks)
        assert not contest.lost
    (contest,) = map_contests(tmp_path / "gt", {"flat": methods["flat"]}, [])
    assert contest.answers[0].paired.answers["bee/bee_1.png"] == "bee_1.png"
    assert not contest.answers[0].paired.missing


def test_maps_that_may_be_of_two_categories_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    methods = categories(tmp_path, alike=True)
    contest, _ = map_contests(tmp_path / "gt", methods, [])
    assert [each.method for each in contest.answers] == ["inner"]
    notes = maps_compared(contest, stretch=True).notes(())
    assert notes[0].startswith("flat: its 2 maps in ")
    assert "cannot be told apart" in notes[0]
    maps = [str(tmp_path / "gt"), str(tmp_path / "maps")]
    assert main(["score", *maps, "--metrics", "mae"]) == 1  # Who reads no notes knows it too.
    assert re.search(r"^flat +–", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(InputError, match=r"is named like a mask"):
        map_contests(tmp_path / "gt", {"flat": methods["flat"]}, [])
