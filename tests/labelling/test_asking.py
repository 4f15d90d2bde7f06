"""Which pictures to label next, and which look like one: `order` and `similar`."""

import json
from pathlib import Path

import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.pictures.writing import write_picture

NAMES = [f"{kind}{number}.png" for kind in ("red", "stripes") for number in range(6)]


def draw(folder: Path) -> None:
    """Six pictures of red noise, six of stripes."""
    random = np.random.default_rng(0)
    for name in NAMES:
        noise = random.integers(0, 40, (96, 128, 3)).astype(np.uint8)
        if name.startswith("red"):
            noise[..., 0] += 200
        else:
            noise[:, :: random.integers(5, 8)] = 250
        write_picture(folder / name, noise)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    draw(place)
    return place


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, of which red0 and red1 have a box each."""
    place = tmp_path_factory.mktemp("boxes")
    draw(place)
    document = {
        "images": [
            {"id": n, "file_name": f"red{n}.png", "width": 128, "height": 96} for n in (0, 1)
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [10, 20, 60, 50]} for n in (0, 1)
        ],
        "categories": [{"id": 1, "name": "red thing"}],
    }
    (place / "labels.json").write_text(json.dumps(document))
    return place


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main([*words, "--json"]) == 0
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def test_a_folder_without_labels_is_put_in_order(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, "order", str(folder), "--count", "0")
    assert sorted(each["file"] for each in found["pictures"]) == NAMES
    assert (found["waiting"], found["labelled"]) == (12, 0)
    first = [each["file"] for each in found["pictures"][:4] if not each["random"]]
    assert {name[:3] for name in first[:2]} == {"red", "str"}, "what differs comes first"
    assert sum(each["random"] for each in found["pictures"]) == 2
    assert asked(capsys, "order", str(folder), "--count", "3")["pictures"] == found["pictures"][:3]


def test_what_is_labelled_does_not_come_again(
    boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, "order", str(boxes), "--count", "0", "--html", str(tmp_path / "a.html"))
    files = [each["file"] for each in found["pictures"]]
    assert sorted(files) == sorted(set(NAMES) - {"red0.png", "red1.png"})
    assert found["labelled"] == 2
    assert next(e["file"] for e in found["pictures"] if not e["random"]).startswith("stripes")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count("<img") == 10
    assert "http" not in page
    everything = asked(capsys, "order", str(boxes), "--count", "0", "--everything")
    assert len(everything["pictures"]) == 12


def test_those_most_alike_come_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "similar", str(folder / "red2.png"), str(folder), "--count", "6")["found"]
    assert [each["file"][:3] for each in found[:5]] == ["red"] * 5
    assert found[5]["file"].startswith("stripes")
    assert all(each["file"] != "red2.png" for each in found), "not the picture itself"
    likeness = [each["likeness"] for each in found]
    assert likeness == sorted(likeness, reverse=True)


def test_objects_like_a_part(
    boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "found.html"
    words = ["similar", str(boxes / "red0.png"), str(boxes), "--objects"]
    box = ["--box", "10", "20", "70", "70", "--html", str(page)]
    (found,) = asked(capsys, *words, *box)["found"]
    assert (found["file"], found["class"]) == ("red1.png", "red thing")
    assert found["box"] == [10, 20, 70, 70]
    assert page.read_text(encoding="utf-8").count("<img") == 2


def test_copies_are_told_of_and_are_found_without_any_labels(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes((folder / "red0.png").read_bytes())
    (tmp_path / "stripes.png").write_bytes((folder / "stripes0.png").read_bytes())
    for words in (["order", str(tmp_path)], ["similar", str(tmp_path / "a.png"), str(tmp_path)]):
        assert main(words) == 0
        told = " ".join(capsys.readouterr().err.split())
        assert "2 of these pictures are copies of another, byte for byte (b.png of" in told
    assert main(["check", str(tmp_path), "--alike"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "pictures without labels, 4 pictures in no split yet" in told
    assert "duplicate: a.png: the same picture as b.png, c.png; keep one of them" in told
    assert main(["check", str(tmp_path)]) == 2
    assert main(["similar", str(folder / "red0.png"), str(folder)]) == 0
    assert "copies of another" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["similar", "{0}/red0.png", "{0}", "--objects"], "no data set that is known here"),
        (
            ["similar", "{0}/red0.png", "{0}", "--box", "0", "0", "0", "0"],
            "has nothing of a picture",
        ),
        (["similar", "{0}/red0.png", "{0}/red1.png"], "is no folder"),
        (["similar", "{0}/red0.png", "{0}", "--count", "0"], "--count 0"),
        (["order", "{0}", "--html", "a.txt"], "name it a.html"),
        (["order", "{1}"], "there are no pictures below"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main([word.format(folder, tmp_path) for word in words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error: ") == 1
