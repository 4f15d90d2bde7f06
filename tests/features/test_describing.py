"""Vectors of pictures and of parts of them, for the whole house."""

from pathlib import Path

import numpy as np
import pytest
import torch

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.events import Note, ProgressBegan, ProgressEnded, listening
from viewfinder.features import vectors as of_any_net
from viewfinder.features.describing import Part, _extractor, describe, describe_readable
from viewfinder.features.installed import installed_extractor
from viewfinder.nets.imagenet import imagenet_weights
from viewfinder.pictures.writing import write_picture


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures the net was asked about, each time; here one by one, on one core."""
    monkeypatch.setattr(of_any_net, "_BATCH", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    counts: list[int] = []
    described = of_any_net.described

    def count(extractor, pictures):
        counts.append(len(pictures))
        return described(extractor, pictures)

    monkeypatch.setattr(of_any_net, "described", count)
    return counts


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    random = np.random.default_rng(0)
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file in files:
        coarse = random.integers(0, 256, (7, 9, 3), dtype=np.uint8)
        write_picture(file, np.kron(coarse, np.ones((32, 40, 1), np.uint8)))
    return files


def test_they_are_the_features_of_the_published_net(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    write_picture(tmp_path / "a.png", picture)
    net = nets.create("efficientnet-lite0").eval()
    net.load_state_dict(imagenet_weights("efficientnet-lite0"))
    x = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() - 127) / 128
    with torch.no_grad():
        expected = net.features(x)[0].numpy()
    (found,) = describe([Part(tmp_path / "a.png")])
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)


def test_a_part_is_as_a_picture_of_it(pictures: list[Path], tmp_path: Path) -> None:
    from viewfinder.pictures.reading import read_picture

    write_picture(tmp_path / "part.png", read_picture(pictures[0])[30:130, 50:200])
    part, alone, whole = describe(
        [Part(pictures[0], (50, 30, 200, 130)), Part(tmp_path / "part.png"), Part(pictures[0])]
    )
    np.testing.assert_allclose(part, alone, atol=1e-6)
    assert part @ whole < 0.95
    # What reaches beyond the picture is cut.
    outer = Part(pictures[0], (-5, -5, 900, 900))
    np.testing.assert_allclose(describe([outer])[0], whole, atol=1e-6)


def test_the_same_content_is_asked_once(pictures: list[Path], tmp_path: Path, asked) -> None:
    copy = tmp_path / "under another name.png"
    copy.write_bytes(pictures[0].read_bytes())
    first = describe([Part(file) for file in (*pictures, copy, pictures[1])])
    assert sum(asked) == 3
    np.testing.assert_array_equal(first[0], first[3])
    again = describe([Part(copy), Part(pictures[2]), Part(copy, (0, 0, 40, 40))])
    assert sum(asked) == 4, "only the part is new"
    np.testing.assert_array_equal(again[:2], first[[0, 2]])
    write_picture(copy, np.zeros((50, 50, 3), np.uint8))
    describe([Part(copy)])
    assert sum(asked) == 5, "its bytes are others"


def test_who_is_stopped_goes_on(pictures: list[Path], monkeypatch, asked) -> None:
    described = of_any_net.described

    def stop_at_the_third(extractor, given):
        if len(asked) == 2:
            raise KeyboardInterrupt
        return described(extractor, given)

    with monkeypatch.context() as patched:
        patched.setattr(of_any_net, "described", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            describe([Part(file) for file in pictures])
    assert len(asked) == 2
    describe([Part(file) for file in pictures])
    assert len(asked) == 3


def test_what_takes_long_says_how_long(pictures: list[Path], monkeypatch) -> None:
    monkeypatch.setattr(of_any_net, "_TELLING", 0.0)
    said: list[object] = []
    with listening(said.append):
        describe([Part(file) for file in pictures])
    notes = [each.text for each in said if isinstance(each, Note)]
    assert any("describing pictures: about" in text and "is kept" in text for text in notes)
    (began,) = (each for each in said if isinstance(each, ProgressBegan))
    (ended,) = (each for each in said if isinstance(each, ProgressEnded))
    assert began.total == ended.done == len(pictures)  # and not of what is computed at once


def test_what_cannot_be_read_is_told_or_left_out(pictures: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(pictures[0].read_bytes()[:200])
    parts = [Part(pictures[0]), Part(broken), Part(pictures[1]), Part(pictures[2], (0, 0, 0, 9))]
    with pytest.raises(InputError, match=r"broken\.png"):
        describe(parts[:3])
    with pytest.raises(InputError, match="the box 0 0 0 9 has nothing of a picture of 360×224"):
        describe(parts[3:])
    said: list[object] = []
    with listening(said.append):
        found, kept = describe_readable(parts)
    assert (kept, found.shape) == ([0, 2], (2, 1280))
    assert any("2 pictures cannot be read" in str(each) for each in said)
    assert describe([]).shape == (0, 1280)


def test_one_net_serves_all() -> None:
    assert _extractor() is _extractor()


def test_making_the_net_moves_no_random_number() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    installed_extractor(torch.device("cpu"), size=(32, 32), made="of a test")
    assert torch.rand(1) == expected
