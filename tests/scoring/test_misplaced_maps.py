"""Maps that are not what their names or their range say: of other masks, nearly black, or twice."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.scoring.reading import asked, contests

SIDE, COUNT = 40, 16


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path_factory.mktemp("cache")))


def grey(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values)


def mask_of(number: int) -> np.ndarray:
    x, y = np.random.default_rng(1000 + number).integers(10, SIDE - 10, 2).tolist()
    return cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (x, y), 8, 255, -1)


def a_set(root: Path, **methods) -> None:
    """`GT`, and of each method the map of each number that its function makes."""
    for n in range(COUNT):
        grey(root / "GT" / f"{n}.png", mask_of(n))
        for name, map_of in methods.items():
            grey(root / name / f"{n}.png", map_of(n))


def notes(root: Path, *methods: str, stretch: bool = True) -> list[str]:
    named = [f"{name}={root / name}" for name in methods]
    (one,) = contests(asked(root / "GT", named, [], stretch=stretch))
    answered = [set(own.pictures) for own in one.methods.values()]
    return one.notes(tuple(p for p in one.pictures if all(p in own for own in answered)))


def noisy(n: int, seen: int | None = None) -> np.ndarray:
    noise = np.random.default_rng(100 + n).normal(60, 60, (SIDE, SIDE))
    return np.clip(noise + mask_of(n if seen is None else seen) / 3, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("step", "place"), [(1, "behind"), (-1, "before")])
def test_maps_that_are_numbered_from_another_are_told(tmp_path, step, place):
    a_set(tmp_path, right=noisy, off=lambda n: mask_of(n + step))
    (told,) = notes(tmp_path, "right", "off")
    assert told.startswith("off: of 14 of its maps 1")
    assert f"better than their own, the one {place} it in the order of names" in told


def test_maps_of_no_picture_of_the_set_are_told_and_weak_ones_are_not(tmp_path):
    a_set(tmp_path, weak=noisy, elsewhere=lambda n: mask_of(n + 500), turned=lambda n: ~mask_of(n))
    assert [note[:15] for note in notes(tmp_path, "weak", "turned")] == ["maps of turned "]
    (told,) = notes(tmp_path, "weak", "elsewhere")
    assert told.startswith("elsewhere: 14 of its maps fit their own masks no better than the masks")


@pytest.mark.parametrize(
    ("form", "most"),
    [
        (lambda map_: map_ // 255, "0.8%"),
        (lambda map_: map_.astype(np.uint16), "0.4%"),
        (lambda map_: map_ // 3, "33.6%"),
    ],
)
def test_maps_that_are_black_as_they_are_are_told(tmp_path, form, most):
    a_set(tmp_path, dim=lambda n: form(mask_of(n)), plain=noisy)
    assert notes(tmp_path, "dim", "plain") == []
    (told,) = notes(tmp_path, "dim", "plain", stretch=False)
    assert told.startswith(f"dim: no value of its maps is above {most} of what their files can")


def test_one_method_under_two_names_is_told(tmp_path):
    a_set(
        tmp_path,
        a=mask_of,
        b=lambda n: mask_of(n).astype(np.uint16) * 257,
        c=lambda n: mask_of(n) if n else noisy(n),
    )
    (told,) = notes(tmp_path, "a", "b", "c")
    assert (
        told == "a and b have the same maps in all 16 pictures compared: one method under 2 names?"
    )


def test_notes_are_of_pictures_that_are_scored(tmp_path):
    a_set(tmp_path, a=mask_of, b=lambda n: noisy(n) if n else np.zeros((9, 9), np.uint8))
    grey(tmp_path / "GT/3.png", np.zeros((SIDE, SIDE), np.uint8))
    whole = "\n".join(notes(tmp_path, "a", "b"))
    assert "b: 1 map of another size" in whole
    assert "b: 1 map of one value" in whole
    assert "1 mask without a subject (3.png)" in whole
    (tmp_path / "a/0.png").unlink()
    (tmp_path / "a/3.png").unlink()
    assert notes(tmp_path, "a", "b") == ["a: no map for 2 masks: 0.png, 3.png"]


def test_a_method_that_cannot_be_read_is_no_success(tmp_path, capsys):
    a_set(tmp_path, a=mask_of, b=noisy)
    words = ["score", str(tmp_path / "GT"), f"a={tmp_path}/a", f"b={tmp_path}/b", "--json"]
    assert main(words) == 0
    for n in range(COUNT):
        (tmp_path / f"b/{n}.png").write_bytes(b"\x89PNG\r\n")
    assert main(words) == 1
    assert '"images": 0' in capsys.readouterr().out
    assert main([*words[:2], f"={tmp_path}/a"]) == 2
    assert "name the method before the =" in capsys.readouterr().err
