"""Evaluating on pictures that are not the run's own set."""

import shutil

import pytest

import viewfinder
from viewfinder.cli.main import main
from viewfinder.errors import InputError


@pytest.fixture
def run(tmp_path, make_set):
    data = make_set()
    out = tmp_path / "run"
    return viewfinder.train("classify", data, net="lenet", epochs=1, precision="32", out=out), data


def test_a_set_without_sides_is_scored_whole_and_learnt_pictures_are_named(run, tmp_path, capsys):
    run, data = run
    new = tmp_path / "new"
    for name in ("amber", "blue", "green"):
        shutil.copytree(data / "test" / name, new / name)
    judged = run.evaluate(new)
    assert (judged["split"], judged["images"], judged["learnt"]) == ("all", 18, [])
    # The same picture under another name, in another place.
    for side, name in (("train", "amber"), ("val", "blue")):
        picture = min((data / side / name).iterdir())
        shutil.copy(picture, new / name / f"renamed{picture.suffix}")
    assert run.evaluate(new)["learnt"] == ["amber/renamed.png", "blue/renamed.png"]
    assert main(["evaluate", str(run.folder), str(new)]) == 0
    told = capsys.readouterr().out
    assert "all of them, since the set has no test or val split" in told
    assert "note: 2 of the 20 pictures are among those that the run was trained on" in told


def test_sides_are_taken_as_they_are_named_and_a_damaged_list_is_one_sentence(run):
    run, data = run
    assert run.evaluate(data)["split"] == "test"
    whole = run.evaluate(data, split="all")
    assert whole["images"] == 72
    assert len(whole["learnt"]) == 54
    with pytest.raises(InputError, match="no pictures in its split"):
        run.evaluate(data / "test", split="val")
    for damage in (b"\xff\xfe", b"digest,side,path\n1,nowhere,x\n", b"a,b\n1,2\n"):
        (run.folder / "pictures.csv").write_bytes(damage)
        with pytest.raises(InputError, match=r"pictures\.csv"):
            run.evaluate(data)


def test_the_runs_own_set_without_sides_is_dealt_as_in_training(tmp_path, make_set):
    parts = make_set()
    data = tmp_path / "flat"
    for name in ("amber", "blue", "green"):
        shutil.copytree(parts / "train" / name, data / name)
    run = viewfinder.train(
        "classify", data, net="lenet", epochs=1, precision="32", out=tmp_path / "run"
    )
    judged = run.evaluate(data)
    assert (judged["split"], judged["learnt"]) == ("test", [])
    assert judged["images"] < 18
