"""Pictures are found through links and under any suffix, and a walk always ends."""

from pathlib import Path

import pytest

from viewfinder.errors import InputError
from viewfinder.pictures.finding import folded, folders_in, pictures_below, pictures_in, walk


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_every_suffix_of_a_picture_and_nothing_else(tmp_path: Path):
    touch(*(tmp_path / f"{i}{s}" for i, s in enumerate([".JPG", ".jfif", ".jpe", ".mpo", ".dib"])))
    touch(tmp_path / "notes.txt", tmp_path / ".hidden.jpg", tmp_path / "__MACOSX" / "1.jpg")
    touch(tmp_path / "._1.jpg", tmp_path / ".thumbs" / "1.png", tmp_path / "a.jpg.txt")
    assert list(pictures_below(tmp_path)) == ["0.JPG", "1.jfif", "2.jpe", "3.mpo", "4.dib"]


def test_a_folder_alone(tmp_path: Path):
    touch(tmp_path / "2.png", tmp_path / "1.JPG", tmp_path / ".3.jpg", tmp_path / "b/4.jpg")
    touch(tmp_path / "notes.txt", tmp_path / ".thumbs/1.jpg", tmp_path / "a/5.txt")
    assert [file.name for file in pictures_in(tmp_path)] == ["1.JPG", "2.png"]
    assert [folder.name for folder in folders_in(tmp_path)] == ["a", "b"]
    with pytest.raises(InputError, match="cannot read"):
        pictures_in(tmp_path / "none")


def test_a_walk_passes_over_the_folders_that_are_taken_out(tmp_path: Path):
    touch(tmp_path / "a/b/1.jpg", tmp_path / "c/d/2.jpg", tmp_path / "c/e/3.jpg")
    seen = []
    for place in walk(tmp_path):
        seen.append(place.path)
        if place.path in ("a", "c/d"):
            place.folders.clear()
        elif place.path == "c":
            place.folders.remove("e")
    assert seen == ["", "a", "c", "c/d"]


def test_links_to_folders_are_followed_under_their_own_names(tmp_path: Path):
    touch(tmp_path / "disk" / "photos" / "1.jpg", tmp_path / "set" / "notes.txt")
    (tmp_path / "set" / "train").symlink_to(tmp_path / "disk" / "photos")
    (tmp_path / "set" / "val").symlink_to(tmp_path / "disk" / "photos")
    (tmp_path / "set" / "one.jpg").symlink_to(tmp_path / "disk" / "photos" / "1.jpg")
    assert list(pictures_below(tmp_path / "set")) == ["one.jpg", "train/1.jpg", "val/1.jpg"]


def test_a_loop_of_links_ends(tmp_path: Path):
    touch(tmp_path / "a" / "b" / "1.jpg")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    for name in "cdefghij":  # each links to all: without an end there would be 8! ways
        (tmp_path / name).mkdir()
        for other in "cdefghij":
            (tmp_path / name / other).symlink_to(tmp_path / other)
    assert set(pictures_below(tmp_path)) == {"a/b/1.jpg"}
    assert len(list(walk(tmp_path))) < 1000


def test_names_are_compared_whatever_their_case_and_composition():
    assert folded("Cafe\u0301.JPG") == folded("CAFÉ.jpg") == folded("café.jpg")
    assert folded("a.jpg") != folded("b.jpg")
