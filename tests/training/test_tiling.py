"""Sets of small objects in large pictures: learnt in tiles by themselves, and answered so."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from viewfinder.api import open_run
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.events import Note, listening
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks import find
from viewfinder.tasks.detect.augmentation.making import compose
from viewfinder.tasks.detect.augmentation.plan import BoxAugmentation, plan_step
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.detect.task import Detect
from viewfinder.tasks.detect.tiling.choosing import tiles_for
from viewfinder.tasks.detect.tiling.tiles import Tiles, tiles_of
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.parts import TrainSetup
from viewfinder.training import forecast
from viewfinder.training.beginning import prepare
from viewfinder.training.train import train

QUICK = {"size": 64, "options": ("width=0.125",), "epochs": 1, "precision": "32", "keep": "memory"}
SIZE = (240, 200)


def write_set(root: Path, side: int) -> Path:
    """A COCO set: four pictures for training and two for val, with ten squares of `side` each."""
    random = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        images, annotations = [], []
        for number in range(1, count + 1):
            picture = random.integers(90, 150, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
            images.append({"id": number, "file_name": f"{number}.png"})
            for _ in range(10):
                x, y = (int(random.integers(0, length - side)) for length in SIZE)
                picture[y : y + side, x : x + side] = (230, 40, 40)
                box = {"bbox": [x, y, side, side], "area": side * side, "iscrowd": 0}
                numbers = {"id": len(annotations) + 1, "image_id": number, "category_id": 1}
                annotations.append(numbers | box)
            write_picture(root / split / f"{number}.png", picture)
        document = {"images": images, "annotations": annotations}
        document["categories"] = [{"id": 1, "name": "square"}]
        (root / "annotations").mkdir(parents=True, exist_ok=True)
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))
    return root


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return write_set(tmp_path_factory.mktemp("small") / "set", 10)


def test_tiles_are_taken_where_objects_are_small_and_nowhere_else(small, tmp_path) -> None:
    dataset = open_dataset(small)
    assert tiles_for(DetectRecipe(**QUICK), dataset) == Tiles(64)
    assert tiles_for(DetectRecipe(**QUICK | {"size": None}), dataset) is None
    assert tiles_for(DetectRecipe(**QUICK, tiles="none"), dataset) is None
    assert tiles_for(DetectRecipe(**QUICK, second_opinion=True), dataset) is None
    assert tiles_for(DetectRecipe(**QUICK, tiles=100, overlap=0.5), dataset) == Tiles(100, 0.5)
    with pytest.raises(InputError, match="do not go together"):
        tiles_for(DetectRecipe(**QUICK, tiles=100, second_opinion=True), dataset)
    large = open_dataset(write_set(tmp_path / "set", 60))
    assert tiles_for(DetectRecipe(**QUICK), large) is None
    # They would be 45 pixels in tiles of 120, which are given at their own size.
    assert Detect().size(DetectRecipe(**QUICK | {"size": None}, tiles=120), large) == (128, 128)


def test_a_training_shows_tiles_at_their_own_scale(small) -> None:
    dataset = open_dataset(small).split("train")
    recipe = DetectRecipe(**QUICK, tiles=64)
    config = ModelConfig("detect", recipe.net, dataset.classes, (64, 64), PLAIN)
    config = replace(config, habits={"tiles": Tiles(64)})
    learnt = Detect().open_train(dataset, TrainSetup(recipe, config))
    assert learnt.pictures.shown_an_epoch().tolist() == [4.0] * 4
    step = plan_step(learnt.pictures, BoxAugmentation(), (64, 64))
    batch = compose(step, np.arange(4).repeat(8), np.random.default_rng(0))
    sides = (batch.truth.boxes[:, 2:] - batch.truth.boxes[:, :2]).numpy()
    assert len(sides) > 20
    # Pixels are the picture's own; what is cut shows a quarter or more.
    assert np.median(sides) == pytest.approx(10, abs=0.01)
    assert sides.prod(axis=1).min() >= 25 - 0.01
    # A red square lies in each box.
    for box, number in zip(batch.truth.boxes.numpy(), batch.truth.pictures.tolist(), strict=True):
        x, y = ((box[:2] + box[2:]) / 2).astype(int)
        assert batch.pictures[number, :, y, x].tolist() == [230, 40, 40]


def test_a_run_learns_in_tiles_and_answers_in_them_wherever_it_is_asked(
    small, tmp_path, monkeypatch
) -> None:
    told: list[str] = []
    timed: list[float] = []
    of_parts = forecast._seconds_of_parts
    monkeypatch.setattr(
        forecast, "_seconds_of_parts", lambda *given: timed.append(of_parts(*given)) or 3600.0
    )
    with listening(lambda event: told.append(event.text) if isinstance(event, Note) else None):
        train("detect", small, DetectRecipe(**QUICK), out=tmp_path / "run")
    assert any("learnt and answered in tiles of 64 pixels" in line for line in told)
    assert len(timed) == 1
    assert timed[0] > 0
    (plan,) = (line for line in told if line.startswith("training for "))
    assert plan.endswith(" h") or " h " in plan, "all of its tiles are answered at the end"
    run = open_run(tmp_path / "run")
    assert tiles_of(run.model.config) == Tiles(64)
    assert run.manifest.data["decided"] == {"tiles": {"side": 64, "overlap": 0.2}}
    picture = small / "val" / "1.png"
    own, whole, again = (
        run.predict(picture, threshold=0.001, tiles=tiles).answers[0].value
        for tiles in (None, "none", 64)
    )
    np.testing.assert_array_equal(own.boxes, again.boxes)
    assert len(own) != len(whole)
    assert (own.boxes.min(axis=0) >= 0).all()
    assert (own.boxes.max(axis=0) <= [*SIZE, *SIZE]).all()
    assert run.evaluate(small)["images"] == 2
    assert run.evaluate(small, tiles="none")["images"] == 2


def test_the_measuring_of_the_last_epoch_is_counted_and_sizes_are_kept(small, monkeypatch) -> None:
    monkeypatch.setattr(forecast, "_seconds_of_parts", lambda *_: 10.0)
    recipe = DetectRecipe(**QUICK | {"epochs": 9, "minutes": 0.1}, tiles=64)
    ready = prepare(find("detect"), open_dataset(small), recipe, source="small")
    asked = 6 + ready.splits.measured
    assert ready.splits.measured >= 2
    assert 10 * asked <= ready.forecast.after < 10 * asked + 5
    assert ready.forecast.each == ready.forecast.after + 6
    assert ready.record["longer_side"] == {"median": 240, "most": 240}
    share = pytest.approx(10 / 240)
    assert ready.record["object_share"] == {"median": share, "low": share}


def test_what_cannot_be_taken_apart_is_refused(small, tmp_path) -> None:
    run = train("detect", small, DetectRecipe(**QUICK, tiles="none"), out=tmp_path / "run")
    with pytest.raises(InputError, match="give --tiles"):
        open_run(run.folder).predict(small / "val", overlap=0.3)
