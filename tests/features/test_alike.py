"""Near-duplicates that no bytes tell: cut, mirrored, saved again."""

import json
from pathlib import Path

import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.similarity import difference_hash, difference_hashes, scenes
from viewfinder.features.alike import _near, all_alike
from viewfinder.pictures.writing import write_picture


def scene(seed: int) -> np.ndarray:
    """Smooth colours that no other seed has."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:120, 0:160] / 160
    waves = [
        sum(np.sin(a * x * 9 + b * y * 9 + c) for a, b, c in random.normal(0, 1.5, (5, 3)))
        for _ in range(3)
    ]
    return np.clip(128 + 40 * np.stack(waves, axis=2), 0, 255).astype(np.uint8)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    for number in range(10):
        kind, side = (
            ("left", "right")[number % 2],
            ("train", "val", "test")[max(0, number // 2 - 2)],
        )
        write_picture(tmp_path / f"{side}/{kind}/{number}.png", scene(number))
    write_picture(tmp_path / "test/left/cut.png", scene(0)[6:, 8:])
    write_picture(tmp_path / "train/right/mirrored.png", np.ascontiguousarray(scene(1)[:, ::-1]))
    write_picture(tmp_path / "train/left/again.jpg", scene(2), quality=60)
    return tmp_path


def test_a_set_whose_pictures_are_all_alike_is_told() -> None:
    rng = np.random.default_rng(0)

    def at(spread: float, count: int = 30) -> np.ndarray:
        rows = np.eye(64, dtype=np.float32)[:1] + spread * rng.normal(0, 1 / 8, (count, 64))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    told = all_alike(at(0.4))
    assert told.startswith("the pictures of this set are much alike (half of all pairs by 0.8")
    assert all_alike(at(2.0)) == ""
    assert all_alike(at(0.4, count=4)) == "", "so few tell nothing"


def test_check_finds_them_when_asked(planted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(planted), "--json"]) == 0, "nothing is wrong without"
    capsys.readouterr()
    assert main(["check", str(planted), "--alike", "--json"]) == 1
    faults = json.loads(capsys.readouterr().out)["faults"]
    told = {(fault["kind"], fault["file"]): fault["detail"] for fault in faults}
    pairs = {
        ("alike-across-splits", "test/left/cut.png"): "train/left/0.png",
        ("alike", "train/right/1.png"): "train/right/mirrored.png",
        ("alike", "train/left/2.png"): "train/left/again.jpg",
    }
    assert set(told) == set(pairs)
    for fault, other in pairs.items():
        assert f"looks nearly the same as {other} (0.9" in told[fault]
    assert "in the splits test, train" in told["alike-across-splits", "test/left/cut.png"]


def test_a_page_calls_what_lies_in_two_splits_a_fault_too(
    planted: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path_factory.mktemp("page") / "set.html"
    assert main(["check", str(planted), "--report", str(page), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["kind"], fault["file"]) == ("alike-across-splits", "test/left/cut.png")
    assert "<td>alike-across-splits</td>" in page.read_text(encoding="utf-8")


def test_a_mirror_image_has_the_hash_that_is_told_before(tmp_path: Path) -> None:
    picture = scene(5)
    own, mirrored = difference_hashes(picture)
    assert difference_hash(np.ascontiguousarray(picture[:, ::-1])) == mirrored != own
    assert difference_hash(picture) == own


def test_mirrored_pictures_are_one_scene(planted: Path) -> None:
    dataset = open_dataset(planted)
    found = dict(zip(dataset.paths, scenes(dataset).tolist(), strict=True))
    assert found["train/right/1.png"] == found["train/right/mirrored.png"]
    assert len(set(found.values())) >= len(found) - 3


def test_a_pair_far_nearer_than_all_others_is_named_though_less_alike():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(40, 1280)).astype(np.float32)
    vectors[1] = 0.9 * vectors[0] + 0.44 * vectors[1]
    vectors[20:32] = random.normal(size=1280) + 0.33 * random.normal(size=(12, 1280))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors.T
    assert 0.88 < likeness[0, 1] < 0.93
    assert 0.88 < likeness[20, 21:32].max() < 0.93
    assert list(_near(vectors)) == [(0, 1)], "of a crowd that is all alike, no two"
