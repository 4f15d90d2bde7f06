"""Pictures without labels: which of a folder's are learnt from."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.datasets.digests import of_files, short
from viewfinder.datasets.unlabelled import unlabelled_pictures
from viewfinder.errors import InputError
from viewfinder.events import listening
from viewfinder.pictures.writing import write_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("learnt", "judging", "new", "cut"):
        pixels = np.random.default_rng(len(name)).integers(0, 256, (20, 20, 3), np.uint8)
        write_picture(tmp_path / "more" / f"{name}.png", pixels)
    cut = tmp_path / "more/cut.png"
    cut.write_bytes(cut.read_bytes()[:300])
    return tmp_path / "more"


def digests(*files: Path) -> set[str]:
    return {short(key) for key in of_files(files)}


def test_what_judges_is_left_out_by_content_and_what_is_damaged_passed_over(folder: Path) -> None:
    (folder / "judging.png").rename(folder / "another name.png")
    said: list[str] = []
    with listening(lambda event: said.append(getattr(event, "text", ""))):
        found = unlabelled_pictures(
            str(folder),
            learnt=digests(folder / "learnt.png"),
            held_out=digests(folder / "another name.png"),
        )
    assert [file.name for file, _ in found] == ["new.png"]
    assert f"in --unlabelled {folder} 1 is one that the set holds out to judge by" in said[0]
    assert said[1].startswith(f"passed over 1 picture in --unlabelled {folder} that cannot be read")


def test_a_folder_without_such_pictures_is_refused(folder: Path, tmp_path: Path) -> None:
    every = digests(*folder.iterdir())
    with pytest.raises(InputError, match="has no pictures but those of the set itself"):
        unlabelled_pictures(str(folder), learnt=every)
    for name in ("learnt", "judging", "new"):
        (folder / f"{name}.png").unlink()
    with pytest.raises(InputError, match="has no pictures that can be read"):
        unlabelled_pictures(str(folder), learnt=set())
    with pytest.raises(InputError, match="is no folder"):
        unlabelled_pictures(str(tmp_path / "none"), learnt=set())


def test_it_is_refused_before_anything_is_trained(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cut.png").unlink()
    for name in ("a", "b"):
        shutil.copytree(folder, tmp_path / "set" / name)
    (tmp_path / "nothing").mkdir()
    for place in ("nothing", "set"):
        given = ["--unlabelled", str(tmp_path / place), "--out", str(tmp_path / "run")]
        assert main(["train", "classify", str(tmp_path / "set"), *given]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"--unlabelled {tmp_path / place} has no pictures" in said
        assert "few pictures" not in said, "which comes before folds"
        assert not (tmp_path / "run").exists()
