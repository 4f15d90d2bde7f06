"""Rendered pictures and their truth."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from viewfinder import tabletop
from viewfinder.errors import InputError
from viewfinder.tabletop import ClassOptions, DepthState, SceneOptions, scenes

SMALL = SceneOptions(size=96)


def scene(index: int, **changes):
    return tabletop.render_scene(seed=3, index=index, options=replace(SMALL, **changes))


def test_there_are_eight_classes_in_this_order():
    assert tabletop.CLASSES == ("ball", "box", "can", "cone", "ring", "mug", "bulb", "switch")


def test_rendering_does_not_load_torch():
    code = "import sys, viewfinder.tabletop; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("label", range(8))
def test_a_class_picture_depends_on_its_arguments_alone(label):
    options = ClassOptions(size=32)

    def picture(seed, index):
        example = tabletop.render_class_picture(label, seed=seed, index=index, options=options)
        assert example.label == label
        return example.picture

    first = picture(1, 0)
    assert first.shape == (32, 32, 3)
    assert first.dtype == np.uint8
    assert first.std() > 5
    others = [picture(1, 1), picture(2, 0)]
    assert all((first != other).any() for other in others)
    assert (picture(1, 0) == first).all()


def test_a_scene_depends_on_its_arguments_alone():
    first = scene(0)
    assert (scene(1).picture != first.picture).any()
    again = scene(0)
    for name in ("picture", "boxes", "box_classes", "instances", "depth"):
        assert (getattr(again, name) == getattr(first, name)).all()


def test_boxes_are_tight_around_the_visible_pixels():
    for index in range(12):
        example = scene(index)
        assert example.instances.dtype == np.uint16
        numbers = set(np.unique(example.instances)) - {0}
        assert numbers == set(range(1, len(example.boxes) + 1))
        for i, box in enumerate(example.boxes):
            rows, columns = np.nonzero(example.instances == i + 1)
            assert list(box) == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_what_is_seen_is_what_is_nearest():
    """Each thing rendered alone gives its own depth; the scene shows the nearest of them."""
    rng = scenes.Random("depth order")
    things, camera, _ = scenes._cluttered_scene(rng, replace(SMALL, objects=(6, 6)))
    empty = scenes.backdrop.backdrop(rng, busy=0.0)
    light = scenes.lighting.light(rng, table=empty.table.base)
    together = scenes.rendering.render(camera, empty, light, things)
    alone = [scenes.rendering.render(camera, empty, light, [thing]) for thing in things]
    bare = scenes.rendering.render(camera, empty, light, [])
    depths = np.stack([bare.depth] + [np.where(a.owner > 0, a.depth, np.inf) for a in alone])
    nearest = depths.min(axis=0)
    assert together.depth == pytest.approx(nearest, abs=1e-3)
    seen = depths[together.owner.astype(int), *np.indices(nearest.shape)]
    assert seen == pytest.approx(nearest, abs=1e-3)


def test_hidden_objects_have_no_truth():
    for index in range(8):
        lenient, strict = (
            tabletop.render_scene(
                seed=9, index=index, options=SceneOptions(size=96, objects=(9, 9), hidden=share)
            )
            for share in (1.0, 0.1)
        )
        assert (lenient.picture == strict.picture).all()
        assert len(strict.boxes) <= len(lenient.boxes)
        kept = strict.instances > 0
        assert (lenient.instances[kept] > 0).all()
    options = SceneOptions(size=96, objects=(9, 9), hidden=0.1)
    result, labels, _ = scenes._photographed(9, 0, options)
    instances, _, classes = scenes._truth(result, labels, 0.1, scenes.FEWEST_PIXELS)
    for i in range(len(classes)):
        owners = np.unique(result.owner[instances == i + 1])
        assert len(owners) == 1
        seen = (result.owner == owners[0]).sum()
        assert seen >= 0.9 * result.whole[owners[0] - 1]


def test_the_number_of_objects_is_as_asked():
    for index in range(6):
        labels = scenes._photographed(1, index, replace(SMALL, size=32, objects=(4, 5)))[1]
        assert 4 <= sum(label >= 0 for label in labels) <= 5


def test_imbalance_shifts_the_counts_of_classes():
    weights = np.array(scenes.class_weights(20.0))
    assert weights[0] / weights[-1] == pytest.approx(20)
    assert (np.diff(weights) < 0).all()
    options = replace(SMALL, size=16, clutter=0.0, objects=(9, 9), imbalance=20.0)
    counts = np.zeros(8)
    for index in range(40):
        labels = [t.label for t in scenes._cluttered_scene(scenes.Random(index), options)[0]]
        counts += np.bincount(labels, minlength=8)
    assert counts[:2].sum() > 4 * counts[-2:].sum()
    assert np.array(scenes.class_weights(1.0)) == pytest.approx(1)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 1.0])
@pytest.mark.parametrize("seed", [0, 5])
def test_the_share_of_unreliable_depth_is_exact(share, seed):
    states = [tabletop.depth_state(seed=seed, index=i, share=share) for i in range(400)]
    bad = np.array([state is not DepthState.GOOD for state in states])
    for start in (0, 13, 200):
        for count in (1, 50, 133):
            assert abs(bad[start : start + count].sum() - share * count) < 1 + 1e-6
    if share == 1.0:
        assert set(states) == set(DepthState) - {DepthState.GOOD}


def test_unreliable_depth_is_wrong_as_said_and_changes_nothing_else():
    found = set()
    for index in range(14):
        good, bad = scene(index), scene(index, unreliable_depth=1.0)
        assert (good.picture == bad.picture).all()
        assert (good.instances == bad.instances).all()
        assert good.depth.min() == 0
        assert good.depth.max() == 1
        state = tabletop.depth_state(seed=3, index=index, share=1.0)
        found.add(state)
        if state is DepthState.MISSING:
            assert bad.depth is None
            continue
        assert bad.depth.dtype == np.float32
        assert bad.depth.min() >= 0
        assert bad.depth.max() <= 1
        if state is DepthState.INVERTED:
            assert bad.depth == pytest.approx(1 - good.depth)
        elif state is DepthState.HOLES:
            lost = bad.depth != good.depth
            assert (bad.depth[lost] == 0).all()
            assert 0.3 < lost.mean() < 0.65
        elif state is DepthState.NOISE:
            assert 0.05 < np.abs(bad.depth - good.depth).mean() < 0.5
        else:
            assert np.abs(bad.depth - good.depth).max() > 0.1
    assert len(found) == 5


def test_a_subject_scene_has_one_subject():
    for index in range(8):
        example = scene(index, subject=True)
        assert set(np.unique(example.instances)) == {0, 1}
        assert list(example.box_classes) == [example.label]
        share = (example.instances > 0).mean()
        assert 0.01 < share < 0.8


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SceneOptions(objects=(5, 2)),
        lambda: SceneOptions(hidden=1.5),
        lambda: SceneOptions(imbalance=0.5),
        lambda: SceneOptions(unreliable_depth=-0.1),
        lambda: ClassOptions(size=0),
        lambda: ClassOptions(clutter=float("nan")),
        lambda: tabletop.TurntableOptions(scale=0),
        lambda: tabletop.render_class_picture(8, seed=0, index=0),
        lambda: tabletop.render_turntable(-1, seed=0),
        lambda: tabletop.render_turntable(0, seed=0, frames=0),
    ],
)
def test_impossible_wishes_are_explained(wrong):
    with pytest.raises(InputError):
        wrong()
