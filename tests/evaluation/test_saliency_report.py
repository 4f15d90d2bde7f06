"""A saliency net's report, on maps made by hand and nets that have learnt nothing."""

import numpy as np
import pytest
import torch

from viewfinder import nets
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.depth import DepthScale
from viewfinder.datasets.formats.rgbd.reading import CLASSES, read_subject
from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.saliency.page import likenesses
from viewfinder.pictures.writing import write_depth, write_mask, write_picture
from viewfinder.runs.run import create_run
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.saliency.maps import SubjectMap
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.tasks.saliency.scores import mean, score
from viewfinder.training.arrangement import Arrangement, Choice

SIZE = (60, 40)
NET = (32, 32)
WIDTH = {"width": 0.0625}
SIDES = ("train", "val", "test")
DATA = {"source": "<i>a</i>", "root": ".", "layout": "", "fingerprint": "", "per_class": {}}


def dataset_in(folder, *, each, sides, empty=False):
    random = np.random.default_rng(0)
    names, splits = [], []
    for side in sides:
        for number in range(each):
            name = f"{side}-{number} <b>&"
            picture = random.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
            mask = np.zeros((SIZE[1], SIZE[0]), np.bool_)
            mask[8:30, 5 + number : 25 + number] = not empty
            write_picture(folder / "RGB" / f"{name}.png", picture)
            write_mask(folder / "GT" / f"{name}.png", mask)
            write_depth(folder / "depth" / f"{name}.png", mask.astype(np.float32))
            names.append(name)
            splits.append(SIDES.index(side))
    return Dataset(
        folder,
        "RGB-D saliency",
        CLASSES,
        tuple(f"RGB/{name}.png" for name in names),
        np.full(len(names), -1),
        np.array(splits, np.int8),
        masks=tuple(f"GT/{name}.png" for name in names),
        depths=tuple(f"depth/{name}.png" for name in names),
        depth_scales=(DepthScale(near_is_bright=True),) * len(names),
    )


def manifest_of(net, recipe):
    return Manifest(
        task="saliency",
        net=net,
        classes=CLASSES,
        size=NET,
        options=WIDTH,
        mean=(0.5,) * 3,
        std=(0.2,) * 3,
        recipe=recipe,
        versions={"python": "3"},
        data=DATA | {"images": {"train": 3, "val": 2, "test": 1}},
        device="CPU <b>",
        precision=Choice(Arrangement("32", "contiguous"), "it <em>won</em>", ()).as_json(),
    )


def run_in(folder, net="a2dele", **fields):
    run = create_run(folder, manifest_of(net, SaliencyRecipe(net=net, **fields)))
    torch.manual_seed(0)
    run.save_weights(nets.create(net, **WIDTH).state_dict())
    return run


def judgements_of(dataset, sides, values=None):
    """Maps drawn at random, or all of `values`, at the size that the net sees."""
    random = np.random.default_rng(1)
    judgements = {}
    for side in sides:
        examples = dataset.split(side)
        maps = []
        for _ in range(len(examples)):
            drawn = random.random(NET, np.float32) if values is None else np.full(NET, values)
            maps.append(SubjectMap(drawn.astype(np.float32), SIZE))
        scores = mean(
            score(each.at(SIZE), read_subject(examples, index)) for index, each in enumerate(maps)
        )
        judgements[side] = Judgement(examples, maps, scores, 1.0)
    return judgements


def made(folder, *, each=6, sides=SIDES, **fields):
    dataset = dataset_in(folder / "data", each=each, sides=sides)
    return run_in(folder / "run", **fields), dataset, judgements_of(dataset, sides)


def test_the_headline_and_every_score_of_every_side(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path)
    page = page_of(run, dataset, judgements)
    scores = judgements["test"].scores.as_json()
    assert f"MAE {scores['mae']:.3f}, S {scores['s_measure']:.3f} on 6 test pictures" in page.told
    assert f"F max {scores['f_max']:.3f}, E max {scores['e_max']:.3f}" in page.told
    for side in SIDES:
        for value in judgements[side].scores.as_json().values():
            assert f"{value:.3f}" in page.told
    for injected in ("<b>&", "<i>a", "<em>won"):
        assert injected not in page.source
    # Curves of the map, and how large subjects are and where; none of a history that is not there.
    assert page.tags.count("svg") == 6


@pytest.mark.parametrize("sides", [("train",), ("train", "val")])
@pytest.mark.parametrize("each", [1, 3])
def test_few_pictures_and_sides_that_are_not_there(tmp_path, page_of, each, sides):
    page = page_of(*made(tmp_path, each=each, sides=sides))
    # Picture, truth, answer and three gates; and no picture is shown both as worst and best.
    assert page.tags.count("img") == each * 6
    assert ("nothing was held out" in page.told) == (sides == ("train",))
    unknown = "Nothing was held out" if sides == ("train",) else "too few validation pictures"
    assert (unknown if each == 1 else "The net under-fits") in page.told


def test_gates_stand_beside_the_teachers_map(tmp_path, page_of):
    run_in(tmp_path / "teacher", net="a2dele-depth")
    page = page_of(*made(tmp_path, each=2, teacher=str(tmp_path / "teacher")))
    views = "picture truth answer depth teacher attention 4 attention 8 attention 16"
    assert page.told.count(views) == 2


def test_the_depth_stream_shows_the_depth_that_it_saw(tmp_path, page_of):
    page = page_of(*made(tmp_path, each=2, net="a2dele-depth"))
    assert page.told.count("picture truth answer depth RGB/") == 2
    assert "gates" not in page.told


def test_the_verdict_names_this_tasks_flags(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, each=20)
    row = {"epoch": 1, "seconds": 1.0, "images_per_s": 9.0, "loss": 1.0, "skipped_steps": 0}
    row |= {"truth": 1.0, "imitation": 0.5, "attention": 0.0, "weight": 0.1}
    measured = {"train_s_measure": 0.97, "val_s_measure": 0.6}
    run.save_history([row, row | measured | {"epoch": 2}, row | {"epoch": 3}])
    page = page_of(run, dataset, judgements)
    assert "The net over-fits towards the training's end, where the gap is 37.0 points" in page.told
    assert '<span class="flag">--teacher RUN</span>' in page.source
    assert "20 are few" in page.told
    assert page.tags.count("svg") == 8


@pytest.mark.parametrize(("values", "empty", "likeness"), [(0.0, True, 1.0), (1.0, True, 0.0)])
def test_maps_of_empty_masks_are_judged_as_their_scores_are(tmp_path, values, empty, likeness):
    dataset = dataset_in(tmp_path / "data", each=2, sides=("train",), empty=empty)
    judgement = judgements_of(dataset, ("train",), values)["train"]
    assert likenesses(judgement) == pytest.approx([likeness] * 2)
    assert judgement.scores.s_measure == pytest.approx(likeness)


def test_the_mean_likeness_is_the_s_measure(tmp_path):
    dataset = dataset_in(tmp_path / "data", each=5, sides=("train",))
    judgement = judgements_of(dataset, ("train",))["train"]
    assert likenesses(judgement).mean() == pytest.approx(judgement.scores.s_measure, abs=1e-9)
