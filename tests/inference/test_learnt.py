"""What a run learnt from, as its net sees it: found again, kept, and told where it is gone."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from viewfinder import open_run
from viewfinder.cli.main import main
from viewfinder.datasets.boxes import Boxes
from viewfinder.errors import InputError
from viewfinder.features.own import Layers, layers_of, watching
from viewfinder.inference.answers import Predictor
from viewfinder.inference.learnt import gathering
from viewfinder.inference.learnt.kept import FILE, keep_learnt, read_learnt
from viewfinder.inference.learnt.nearest import (
    learnt_by,
    learnt_paths,
    nearest_pictures,
    rows_of,
    seen_by,
)
from viewfinder.inference.learnt.space import space_of
from viewfinder.inference.learnt.unlike import limit_of
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.pictures import learnt_from


def test_a_vector_that_is_there_is_its_own_nearest() -> None:
    vectors = np.random.default_rng(0).normal(3, 1, (40, 12)).astype(np.float32)
    space = space_of(vectors)
    placed = space.place(vectors)
    np.testing.assert_allclose(placed.along, space.vectors, atol=1e-5)
    assert [space.nearest(space.place(row[None]), 1)[0][0] for row in vectors] == [*range(40)]
    assert space.distances(placed, neighbours=1).max() < 1e-3
    # A likeness is the cosine of what differs from the mean.
    apart = vectors - vectors.mean(axis=0)
    cosine = apart[0] @ apart[1] / np.linalg.norm(apart[0]) / np.linalg.norm(apart[1])
    assert placed.unit[0] @ placed.unit[1] == pytest.approx(cosine, abs=1e-4)


def test_what_lies_outside_of_what_was_learnt_is_far_by_place() -> None:
    random = np.random.default_rng(0)
    flat = np.zeros((30, 40), np.float32)
    flat[:, :5] = random.normal(0, 1, (30, 5))
    space = space_of(flat)
    away = flat[:1].copy()
    away[0, 20] = 7
    (near, far) = space.distances(space.place(np.concatenate([flat[:1], away])), neighbours=1)
    assert near == pytest.approx([0, 0], abs=1e-3)
    assert far[1] == pytest.approx(7, rel=1e-3)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(20, 60), st.sampled_from([0.05, 0.1, 0.3]))
def test_no_more_than_the_share_of_such_pictures_is_refused(seed, count, share) -> None:
    random = np.random.default_rng(seed)
    draws = random.normal(size=(2000, count + 1))
    beyond = np.mean(
        [row[-1] > limit_of(row[:-1] - row.min() + 1, share) + row.min() - 1 for row in draws]
    )
    assert beyond <= share + 4 * np.sqrt(share * (1 - share) / 2000)


def test_too_few_held_out_pictures_have_no_limit() -> None:
    with pytest.raises(ValueError, match="too few"):
        limit_of(np.ones(18), 0.05)
    assert limit_of(np.arange(19.0), 0.05) == 18


class Maps(nn.Module):
    """Gives its answer at the full size, from maps of a quarter and an eighth."""

    def __init__(self) -> None:
        super().__init__()
        self.quarter = nn.Conv2d(3, 6, 4, stride=4)
        self.eighth = nn.Conv2d(6, 8, 2, stride=2)
        self.answer = nn.Conv2d(8, 2, 1)

    def forward(self, pictures):
        return self.answer(self.eighth(self.quarter(pictures)))


def test_a_box_is_the_mean_of_the_maps_over_it() -> None:
    torch.manual_seed(0)
    net, pictures = Maps().eval(), torch.rand(2, 3, 32, 32)
    layers = layers_of(net, lambda: net(pictures[:1]))
    assert layers == Layers("", ("eighth", "quarter"))
    with watching(net, layers) as watched, torch.no_grad():
        net(pictures)
    maps = net.eighth(net.quarter(pictures[1:])).detach()[0].numpy()
    means = maps[:, 1:3, 0:2].mean((1, 2))
    (found,) = watched.boxes(1, np.array([[0, 8, 16, 24]], np.float32), (32, 32))
    np.testing.assert_allclose(found[:8], means / np.linalg.norm(means), rtol=1e-4)
    whole = watched.boxes(1, np.array([[0, 0, 32, 32]], np.float32), (32, 32))
    np.testing.assert_allclose(whole[0], watched.pictures(2)[1], rtol=1e-4, atol=1e-6)


def test_few_of_many_pictures_are_of_each_class_equally_many_where_it_has_them() -> None:
    labels = np.array([0] * 90 + [1] * 7 + [2] * 3)
    chosen = gathering.by_class(labels, np.arange(100), np.random.default_rng(0))
    assert sorted(chosen) == [*range(100)]
    assert np.bincount(labels[chosen[:9]]).tolist() == [3, 3, 3]
    assert np.bincount(labels[chosen[:30]]).tolist() == [20, 7, 3]
    none = np.zeros(4)
    classes, offsets = np.array([5, 5, 8, 5]), np.array([0, 1, 3, 3, 4])
    boxes = Boxes(np.zeros((4, 4)), classes, offsets, none, none, none, none)
    first, second, third, fourth = gathering.rarest_in_each(boxes)
    assert first == fourth != second
    assert third == -1


def test_no_more_is_looked_at_than_there_is_time_for(
    make_set, small_run, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "run"
    shutil.copytree(small_run, folder)
    (folder / FILE).unlink(missing_ok=True)
    run = open_run(folder)
    monkeypatch.setattr(gathering, "_FEWEST", 3)
    monkeypatch.setattr(gathering, "_BATCH", 2)
    monkeypatch.setattr(gathering, "_SECONDS", 1e-9)
    learnt = learnt_by(run.trained, Predictor(run.model, device=torch.device("cpu")))
    assert len(learnt.paths) == 3
    first, second, third, *_ = capsys.readouterr().err.splitlines()
    # Before anything is read; then for how long; then why not all.
    assert first.startswith("first, and this once, what ")
    assert second.startswith("looking at ")
    assert re.search(r", about \d+ (s|min)$", second)
    assert "3 of the " in third


def test_what_a_classifier_learnt_is_looked_at_once_and_kept(make_set, small_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(small_run, folder)
    run = open_run(folder)
    predictor = Predictor(run.model, device=torch.device("cpu"))
    (folder / FILE).unlink(missing_ok=True)
    learnt = learnt_by(run.trained, predictor)
    kept = read_learnt(folder, run.weights_file)
    assert kept is not None
    assert (kept.paths, kept.layers) == (learnt.paths, learnt.layers)
    file = learnt.root / learnt.paths[0]
    seen = seen_by(predictor, kept, predictor.prepare_file(file).pixels[None])
    nearest = nearest_pictures(kept, seen)[0]
    assert nearest.likeness == pytest.approx(1, abs=1e-3)
    assert nearest.as_json(run.classes)["class"] == run.classes[int(learnt.labels[0])]
    assert nearest.picture(16) is not None
    # What is asked about may have been learnt from: it is no neighbour of its own.
    known = learnt_from(folder)
    assert rows_of(kept, learnt_paths(kept, file, known)) == {0}
    assert not learnt_paths(kept, tmp_path / "other.png", known)
    copy = Path(shutil.copyfile(file, tmp_path / "copy.png"))
    assert learnt_paths(kept, copy, known) == {kept.paths[0]}
    # One that was not looked at was learnt from all the same.
    few = replace(kept, paths=kept.paths[1:])
    assert learnt_paths(few, copy, known) == {kept.paths[0]}
    assert not rows_of(few, learnt_paths(few, copy, known))
    # So are all that are there twice.
    twice = {digest: (*paths, kept.paths[1]) for digest, paths in known.items()}
    assert rows_of(kept, learnt_paths(kept, copy, twice)) == {0, 1}
    copy.write_bytes(copy.read_bytes()[:-1] + b"?")  # as long, and another picture
    assert not learnt_paths(kept, copy, known)
    others = nearest_pictures(kept, seen, but={0})
    assert len(others) == min(5, len(kept.paths) - 1)
    assert file not in [each.file for each in others]
    # Cut short, or of other weights, it is as good as none.
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole[: len(whole) // 2])
    assert read_learnt(folder, run.weights_file) is None
    (folder / FILE).write_bytes(whole)
    assert read_learnt(folder, folder / "run.json") is None


def test_what_is_no_longer_there_is_said(make_set, small_run, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(small_run, folder)
    (folder / FILE).unlink(missing_ok=True)
    text = (folder / "run.json").read_text()
    data = open_run(folder).manifest.data
    for name in ("source", "root"):
        text = text.replace(data[name], str(tmp_path / "gone"))
    (folder / "run.json").write_text(text)
    run = open_run(folder)
    with pytest.raises(InputError, match="learnt from is no longer there"):
        learnt_by(run.trained, Predictor(run.model, device=torch.device("cpu")))


def test_pictures_unlike_what_was_learnt_are_said_to_be_so(small_run, tmp_path, capsys):
    folder, pictures = tmp_path / "run", tmp_path / "pictures"
    shutil.copytree(small_run, folder)
    run = open_run(folder)
    with pytest.raises(InputError, match="needs 19 validation pictures or more"):
        run.predict(small_run, refuse_unlike=0.05)
    learnt = read_learnt(folder, run.weights_file)
    assert learnt is not None
    pictures.mkdir()
    shutil.copy(learnt.root / learnt.paths[0], pictures / "known.png")
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    write_picture(pictures / "noise.png", noise)
    # As though twenty pictures had been held out, each as near as those that were learnt.
    held_out = np.full((20, 2), 1e-3) + learnt.space.distances(learnt.space.place(_own(learnt)))[:1]
    keep_learnt(folder, run.weights_file, replace(learnt, held_out=held_out))
    known, other = run.predict(pictures, refuse_unlike=0.05)
    assert (known["unlike"], other["unlike"]) == (False, True)
    assert known["distance"] <= 1 < other["distance"]
    assert other["label"] == "unknown"
    assert known["label"] in run.classes
    assert main(["predict", str(folder), str(pictures), "--refuse-unlike", "0.05"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "unlike what" not in first
    assert "unlike what was learnt (" in second


def _own(learnt) -> np.ndarray:
    """The vector of the first picture that was learnt."""
    space = learnt.space
    return space.mean + space.vectors[:1] @ space.axes
