"""The verdict on real trainings that over-fit, under-fit or fit, where its limits lie, and advice.

Every task reasons alike, so that the limits are held by classifiers alone.
"""

import json
import math
import re
from dataclasses import replace

import pytest
import torch
import tyro

from viewfinder import nets
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.advising import Course, advised, longer, unsaid
from viewfinder.evaluation.classify import advice as classify_advice
from viewfinder.evaluation.classify import page as classify_page
from viewfinder.evaluation.detect import advice as detect_advice
from viewfinder.evaluation.detect import page as detect_page
from viewfinder.evaluation.few import too_few_in
from viewfinder.evaluation.fitting import FitVerdict, Trend, Tries, verdict
from viewfinder.evaluation.judging import judge
from viewfinder.evaluation.lost import Lost, naming_few, with_lost
from viewfinder.evaluation.material import Material
from viewfinder.evaluation.saliency import advice as saliency_advice
from viewfinder.evaluation.split_scores import LEAST_PICTURES, SplitScore, counted, pooled
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.detect.measures.breakdown import Cost
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.training.train import train

UNCHANGED = {"shift": 0.0, "scale": 0.0, "turn": 0.0, "flip": 0.0, "colour": 0.0}
COMMON = {"net": "lenet", "precision": "32", "keep": "memory", "batch": 20}


def verdict_on(data, recipe, out):
    run = train("classify", data, recipe, out=out)
    dataset = open_dataset(data)
    judgements = judge(run, dataset, device=torch.device("cpu"))
    return classify_page.fit(
        Material(run, run.manifest.recipe, dataset, judgements, run.history())
    ), run


def test_labels_learnt_by_heart_are_over_fitting(make_set, tmp_path):
    data = make_set(train=20, val=20, test=0, told_apart=False)
    recipe = ClassifyRecipe(
        **COMMON | UNCHANGED | {"batch": 10},
        epochs=25,
        average=0.9,
        learning_rate=0.01,
        weight_decay=0.0,
        label_smoothing=0.0,
    )
    said, run = verdict_on(data, recipe, tmp_path / "run")
    assert said.kind == "over-fitting", said
    assert "20 a class is few" in said.tries[0]
    scores = json.loads(run.scores_file.read_text())
    assert f"{scores['train']['accuracy']:.1%} of training pictures" in said.says
    assert "over-fits" in run.report_file.read_text(encoding="utf-8")


def test_a_net_that_was_hardly_trained_is_under_fitting(make_set, tmp_path):
    recipe = ClassifyRecipe(**COMMON, epochs=1, learning_rate=1e-6)
    said, run = verdict_on(make_set(train=20, val=10, test=0), recipe, tmp_path / "run")
    assert said.kind == "under-fitting", said
    assert said.tries[0] == f"train for longer: --epochs {ClassifyRecipe().epochs}"
    assert "under-fits" in run.report_file.read_text(encoding="utf-8")


def test_colours_that_are_told_apart_fit_well(make_set, tmp_path):
    recipe = ClassifyRecipe(**COMMON, epochs=10)
    said, _ = verdict_on(make_set(train=20, val=10, test=0), recipe, tmp_path / "run")
    assert said.kind == "fine", said
    assert "predict" in said.tries[0]


NO_TREND = Trend("The validation loss", [], rises=False)


def said_of(train, held_out, recipe=None, trend=NO_TREND, end=None, **fields):
    """Of accuracies, each with its pictures."""
    recipe = recipe or ClassifyRecipe(net="lenet")
    return verdict(
        counted(*train),
        counted(*held_out) if held_out else None,
        end=end and tuple(counted(score, 1000) for score in end),
        measure=classify_page._MEASURE,
        trend=trend,
        tries=classify_advice.tries(recipe, per_class=1000.0, accuracy=0.9, course=Course()),
        recipe=recipe,
        **fields,
    )


def test_over_fitting_after_the_kept_weights_is_said_with_their_figures():
    said = said_of((0.91, 1000), (0.89, 1000), end=(1.0, 0.88))
    assert said.kind == "over-fitting"
    assert "towards the training's end, where the gap is 12.0 points" in said.says
    assert "91.0% of training pictures are right and 89.0% of those held out" in said.says
    assert said_of((0.91, 1000), (0.89, 1000), end=(0.93, 0.89)).kind == "fine"


def test_where_the_last_weights_are_kept_all_that_was_held_out_judges_them():
    """And not what validation pictures alone say of the end."""

    def at_the_end(kept):
        row = {"epoch": 12, "kept_epoch": kept, "train_accuracy": 0.8, "val_accuracy": 0.6}
        material = Material(None, ClassifyRecipe(), None, {}, [row])
        return material.at_the_end("accuracy", counted(0.8, 120), {"val": counted(0.7, 120)})

    assert at_the_end(12) is None
    learnt, held_out = at_the_end(9)
    assert (learnt.score, held_out.score, held_out.images) == (0.8, 0.6, 120)


def test_no_advice_comes_twice():
    said = ("train for longer: --epochs 20", "look at the worst pictures")
    tries = ("go on: --epochs 20", "look at the worst pictures", "small: --size 608")
    assert unsaid(tries, said) == ("small: --size 608",)
    later = ("later layers, in minutes: --head full --val-share 0", "more: --epochs 2")
    whole = (
        "later layers: viewfinder train classify d --head full --size 64 --val-share 0 --epochs 20"
    )
    assert unsaid(later, (whole,)) == ("more: --epochs 2",)


def test_the_sentence_has_the_figures_and_pictures_of_the_cards(make_set, tmp_path):
    """The splits differ in size, and the kept weights from the last ones."""
    data = make_set(train=60, val=15, test=30)
    recipe = ClassifyRecipe(**COMMON, epochs=3, learning_rate=1e-4)
    run = train("classify", data, recipe, out=tmp_path / "run")
    dataset = open_dataset(data)
    judgements = judge(run, dataset, device=torch.device("cpu"))
    assert len(judgements["train"].examples) == len(judgements["val"].examples)
    page = classify_page.page(
        Material(run, run.manifest.recipe, dataset, judgements, run.history())
    )
    figures = {card.of: card.figure for card in page.cards}
    says = page.verdict.says
    assert f"{figures['training']} of training pictures are right" in says
    shares = [float(figures[of][:-1]) for of in ("validation", "test")]
    assert f"{(15 * shares[0] + 30 * shares[1]) / 45:.1f}% of those held out" in says
    assert "(validation and test together)" in says


def test_all_that_was_held_out_judges_by_its_pictures_or_objects():
    assert pooled([]) is None
    together = pooled([counted(0.65, 120), counted(0.75, 180)])
    assert together.score == pytest.approx(0.71)
    assert together.images == 300
    assert together.error == pytest.approx(counted(0.71, 300).error, rel=0.02)
    boxes = pooled([SplitScore(0.2, 50, 0.1, objects=10), SplitScore(0.8, 5, 0.1, objects=30)])
    assert (boxes.score, boxes.objects) == (pytest.approx(0.65), 40)


@pytest.mark.parametrize(
    ("train", "held_out", "kind"),
    [
        ((0.99, 1000), (0.95, 1000), "fine"),  # A gap of 4 points harms nobody.
        ((0.99, 1000), (0.92, 1000), "over-fitting"),
        ((1.00, 30), (0.90, 30), "fine"),  # 3 of 30: chance can make that.
        ((1.00, 30), (0.60, 30), "over-fitting"),
        ((0.70, 1000), (0.69, 1000), "under-fitting"),
        ((0.70, 1000), (0.40, 1000), "over-fitting"),
        ((0.84, 1000), (0.90, 1000), "under-fitting"),
        ((0.90, 1000), (0.95, 1000), "fine"),
        ((1.0, 20), (1.0, 20), "fine"),
        # A gap that chance can make, and that may as well be wide: nothing is called fine.
        ((1.0, 30), (0.75, 30), "over-fitting"),
        ((0.95, 30), (0.8, 30), "unknown"),
        ((0.9, 20), (0.8, 20), "unknown"),
        # Few pictures show a gap that is wide, and one split alone that nothing was learnt.
        ((1.0, 1000), (0.0, 19), "over-fitting"),
        ((1.0, 19), (0.0, 1000), "over-fitting"),
        ((1.0, 1000), (0.8, 19), "unknown"),
        ((1.0, 1000), (0.0, 4), "unknown"),
        ((1.0, 1000), None, "unknown"),
        ((0.3, 1000), None, "under-fitting"),
        ((0.3, 10), (0.3, 10), "under-fitting"),
        ((0.8, 10), (0.8, 10), "unknown"),
    ],
)
def test_where_the_limits_lie(train, held_out, kind):
    assert said_of(train, held_out).kind == kind


def test_what_is_too_few_is_named_and_what_helps():
    assert "too few training" in said_of((1.0, 5), (1.0, 500)).says
    few = said_of((1.0, 9), (1.0, 9), pool=90)
    assert (
        "too few validation pictures to tell whether it over-fits: 9, and at least 20" in few.says
    )
    assert "100.0% of training pictures are right" in few.says
    assert few.tries[0].endswith("--val-share 0.23")
    assert "too few test" in said_of((1.0, 500), (1.0, 5), split="test").says
    alone = said_of((1.0, 500), None)
    assert alone.says.startswith("Nothing was held out")
    assert "100.0% of training pictures" in alone.says


def test_where_folds_can_judge_no_share_is_advised_that_turns_them_off():
    folds = ("let each of 20 pictures judge once: --folds 5",)
    for learnt, other in (((1.0, 5), (1.0, 2)), ((1.0, 50), None), ((0.95, 30), (0.8, 30))):
        assert said_of(learnt, other, pool=90, folds=folds).tries[0] == folds[0]


def test_no_advice_stands_beside_the_whole_command_of_it():
    words = "let later layers learn too, in minutes: --head full --val-share 0"
    whole = "let later layers learn too: viewfinder train classify d --head full --val-share 0"
    assert advised((words, "look"), (whole,)) == ("look", whole)
    assert advised((words, "look"), ("look",)) == (words, "look")


def test_a_gap_that_chance_may_make_or_hide_is_too_few_to_tell():
    """With the number of pictures that would tell: those of folds, or held out by a share."""
    said = verdict(
        SplitScore(1.0, 30, 0.03),
        SplitScore(0.733, 30, 0.186),
        measure=classify_page._MEASURE,
        trend=NO_TREND,
        tries=Tries((), (), ()),
        recipe=ClassifyRecipe(),
        folded=True,
    )
    assert said.kind == "unknown"
    assert "too few pictures to tell" in said.says
    assert "a gap of 26.7 ± 37.7 points" in said.says
    assert said.tries == ("add pictures: about 30 more would tell",)
    shared = said_of((0.95, 30), (0.8, 30), pool=300)
    share, *_ = shared.tries
    wanted = int(re.findall(r"keep (\d+) or more", share)[0])
    assert wanted > 30
    assert share.endswith(f"--val-share {math.ceil(100 * wanted / 300) / 100:g}")


def test_when_over_fitting_began_is_said():
    def said(values, *, rises=False):
        trend = Trend("AP50" if rises else "The validation loss", values, rises=rises)
        return said_of((1.0, 500), (0.5, 500), trend=trend).says

    worse = said([(1, 1.0), (2, 0.5), (3, 0.7), (4, 0.9)])
    assert "The validation loss was lowest at epoch 2 (0.50) and rose to 0.90" in worse
    assert "lowest" not in said([(1, 1.0), (2, 0.5), (3, 0.5), (4, 0.51)])
    assert "lowest" not in said([]), "nothing was measured on the way"
    # Not every epoch need be measured.
    assert "AP50 was highest at epoch 10 (0.80) and fell to 0.60" in said(
        [(5, 0.2), (10, 0.8), (20, 0.6)], rises=True
    )
    assert "highest" not in said([(5, 0.2), (10, 0.8), (20, 0.75)], rises=True)


@pytest.mark.parametrize(
    ("error", "kind"), [(0.01, "over-fitting"), (0.05, "fine"), (0.12, "unknown")]
)
def test_a_gap_within_what_chance_makes_is_none(error, kind):
    """A detector's AP50 of few pictures moves more than a share of as many would."""
    said = verdict(
        SplitScore(0.9, 50, error),
        SplitScore(0.8, 50, error),
        measure=detect_page._MEASURE,
        trend=NO_TREND,
        tries=Tries((), (), ()),
        recipe=DetectRecipe(),
    )
    assert said.kind == kind
    assert "AP50 is 0.900 on training pictures and 0.800 on those held out" in said.says
    assert f"a gap of 10.0 ± {200 * error * 2**0.5:.1f} points" in said.says


CLASSIFIERS = [
    ClassifyRecipe(net=net, size=32 if net == "lenet" else None, **fields)
    for net in ("lenet", "alexnet", "vgg16", "googlenet", "resnet18")
    for fields in ({}, UNCHANGED, {"minutes": 3.0}, {"turn": 45.0, "erase": 0.5})
]
DETECTORS = [
    DetectRecipe(**fields)
    for fields in (
        {},
        {"net": "yolov3", "minutes": 30.0, "copy_paste": 0.5, "rare": 0.1},
        {"init": "runs/a", "mosaic": 1.0, "flip": 0.0, "scale": 0.0, "size": 640},
    )
]
SALIENCY = [
    SaliencyRecipe(**fields)
    for fields in (
        {},
        {"net": "a2dele-depth", "minutes": 2.0},
        {"teacher": "runs/t", "flip": 0.0, "colour": 0.5, "scale": 0.0, "turn": 0.0},
        {"init": "imagenet", "size": 256, "options": ("width=1",)},
    )
]
SITUATION = detect_advice.Situation(
    DetectRecipe(),
    boxes_per_class=10,
    rarest=0.5,
    ap50=0.5,
    misses_small=False,
    longer_side=416,
    course=Course(),
)
ERRORS = ("localisation", "class", "both", "duplicate", "background", "missed")


def advice_to_classifiers(recipe):
    for per_class in (10.0, 1000.0):
        for accuracy in (0.9, 0.99):
            yield classify_advice.tries(
                recipe, per_class=per_class, accuracy=accuracy, course=Course(side=500)
            )


def advice_to_detectors(recipe):
    for few in (True, False):
        now = detect_advice.Situation(
            recipe,
            boxes_per_class=10 if few else 1000,
            rarest=0.01 if few else 0.5,
            ap50=0.5 if few else 0.99,
            misses_small=few,
            longer_side=416,
            course=Course(epochs=3, side=2000),
        )
        yield detect_advice.tries(now)
        for kind in ERRORS:
            costs = {each: Cost(1, 0.2 if each == kind else 0.0) for each in ERRORS}
            said, tries = detect_advice.costliest(costs, now)
            assert "20.0 points of AP50" in said
            assert tries
            yield Tries(tries, (), ())


def advice_to_saliency(recipe):
    for few in (True, False):
        pictures, likeness = (10, 0.5) if few else (5000, 0.99)
        fields = {"pictures": pictures, "depth": few, "likeness": likeness, "course": Course()}
        yield saliency_advice.tries(recipe, **fields)
        taught = replace(recipe, net="a2dele", teacher="runs/teacher")
        for followed, said in ((1e-20, True), (0.4, False)):
            tries = saliency_advice.tries(taught, **fields, followed=followed)
            assert any("train the teacher" in each for each in tries.under_fitting) == said
            yield tries


def flags_in(advice):
    """Flags with their values, and a flag's further values."""
    found = re.findall(r"(?:(?<= )|^)(--[a-z-]+ [^\s,;:]+(?: [a-z]+=\S+)*)", advice)
    return [word for each in found for word in each.split()]


# Flags of `viewfinder predict`, which are no recipe's.
ELSEWHERE = {"--out", "--threshold"}


@pytest.mark.parametrize(
    ("recipe", "advise"),
    [
        *((recipe, advice_to_classifiers) for recipe in CLASSIFIERS),
        *((recipe, advice_to_detectors) for recipe in DETECTORS),
        *((recipe, advice_to_saliency) for recipe in SALIENCY),
    ],
    ids=lambda value: getattr(value, "net", ""),
)
def test_all_advice_can_be_followed(recipe, advise):
    """Every flag that is advised is one of the recipe's, and every option one of the net's."""
    for tries in advise(recipe):
        for advice in (*tries.over_fitting, *tries.under_fitting, *tries.fine):
            flags = flags_in(advice)
            if ELSEWHERE.isdisjoint(flags):
                advised = tyro.cli(type(recipe), args=flags, config=(tyro.conf.FlagCreatePairsOff,))
                net = advised.net if "--net" in flags else recipe.net
                assert set(advised.net_options()) <= set(nets.options(net)), advice


@pytest.mark.parametrize("share", [None, 0.0, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("pool", [0, 5, 60, 66, 67, 90, 150, 1000])
@pytest.mark.parametrize("held_out", [None, (1.0, 7)])
def test_advice_on_too_few_pictures_helps(share, pool, held_out):
    """A share is advised only where it holds out enough, is more than now, and has an effect."""
    recipe = ClassifyRecipe(net="lenet", val_share=share)
    said = said_of((1.0, 50), held_out, recipe, pool=pool)
    assert said.kind == "unknown"
    assert said.tries
    flags = [flag for flag in flags_in(said.tries[0]) if "with" not in said.tries[0]]
    if flags:
        advised = tyro.cli(ClassifyRecipe, args=flags).val_share
        assert advised * pool >= LEAST_PICTURES
        assert (0.1 if share is None else share) < advised <= 0.3
    else:
        assert "add pictures" in said.tries[0]


def test_a_detectors_few_pictures_with_many_boxes_are_judged():
    def said(pictures, boxes):
        splits = SplitScore(0.9, pictures, 0.02, boxes), SplitScore(0.5, pictures, 0.03, boxes)
        tries = detect_advice.tries(SITUATION)
        measure, recipe = detect_page._MEASURE, SITUATION.recipe
        return verdict(*splits, measure=measure, trend=NO_TREND, tries=tries, recipe=recipe)

    assert said(8, 60).says.startswith("The net over-fits: AP50 is 0.900")
    assert said(3, 60).kind == "unknown"
    assert "3 with 60 boxes, and at least 5 with 20 boxes are needed" in said(3, 60).says
    assert said(4, 1).says.count("1 box,") == 1


def test_one_epoch_of_a_detector_is_under_fitting_whatever_was_held_out():
    tries = detect_advice.tries(SITUATION)
    fields = {"measure": detect_page._MEASURE, "trend": NO_TREND, "tries": tries}
    for held_out in (None, SplitScore(0.0, 2, 0.2, 3)):
        said = verdict(SplitScore(0.001, 2, 0.2, 4), held_out, recipe=SITUATION.recipe, **fields)
        assert said.kind == "under-fitting"
        assert "AP50 is 0.001 on training pictures" in said.says
        assert said.tries[0] == "train for longer: --epochs 200"


def test_no_flag_is_advised_that_changes_nothing_or_turns_back():
    """Of a recipe that has gone far already, in each direction."""
    strong = ClassifyRecipe(
        net="resnet18", shift=0.3, scale=0.1, turn=45.0, weight_decay=0.0, options=("width=0.5",)
    )
    said = classify_advice.tries(strong, per_class=10.0, accuracy=0.9, course=Course())
    assert "augment more: --scale 0.2" in said.over_fitting
    assert "drop units of the last layers: --options width=0.5 dropout=0.3" in said.over_fitting
    advised = [*said.over_fitting, *said.under_fitting, *said.fine]
    assert not any("--net resnet18" in each for each in advised)
    assert "augment less: --turn 5" in said.under_fitting
    for advice in said.over_fitting:
        for flag, value in re.findall(r"--([a-z-]+) ([\d.]+)", advice):
            assert float(value) != getattr(strong, flag.replace("-", "_")), advice
    alexnet = classify_advice.tries(
        ClassifyRecipe(net="alexnet"), per_class=10.0, accuracy=0.9, course=Course()
    )
    assert not any("dropout" in each for each in alexnet.over_fitting), "it drops half already"


def test_weights_that_are_advised_come_along_or_their_size_is_said():
    """Who has an old laptop and no network can follow it, or knows beforehand."""
    small = SaliencyRecipe(net="a2dele", size=64)
    tries = saliency_advice.tries(small, pictures=40, depth=False, likeness=0.6, course=Course())
    parts = (tries.over_fitting, tries.under_fitting, tries.fine)
    started = {line for each in parts for line in each if "--init imagenet" in line}
    assert started
    assert all("--net a2dele-lite0 --init imagenet" in line for line in started)
    now = detect_advice.Situation(DetectRecipe(), 1000.0, 0.5, 0.4, False, 320, Course(), gpu=True)
    tries = detect_advice.tries(now)
    larger = {x for each in (tries.under_fitting, tries.fine) for x in each if "net yolov3 " in x}
    assert larger
    assert all("--init coco" in line and "MB" in line for line in larger)
    for slow in (replace(now, gpu=False), replace(now, boxes_per_class=10.0)):
        tries = detect_advice.tries(slow)
        advised = (*tries.under_fitting, *tries.fine)
        assert not any("net yolov3 " in each for each in advised), "nobody waits days for it"
        few = any("--net yolov3-lite0" in each for each in advised)
        assert few == (slow.boxes_per_class == 10.0)


@pytest.mark.parametrize(
    ("recipe", "course", "flags"),
    [
        # Minutes that made three epochs of a usual 150 are too few by more than twice.
        ({"minutes": 0.2}, Course(epochs=3), "--minutes 2"),
        ({"minutes": 0.2}, Course(epochs=30), "--minutes 1"),
        ({"minutes": 0.0295}, Course(epochs=150), "--minutes 0.06"),
        ({"minutes": 0.295}, Course(epochs=150), "--minutes 0.6"),
        ({"minutes": 5.0}, Course(epochs=150), "--minutes 10"),
        ({"epochs": 200}, Course(epochs=200), "--epochs 400"),
        # Patience that ended nothing is left as it is; where it did, more epochs would do nothing.
        ({"epochs": 200, "patience": 1}, Course(epochs=200), "--epochs 400"),
        ({"epochs": 200, "patience": 1}, Course(9, patience_ended=True), "--patience 2"),
        ({"minutes": 3.0, "patience": 4}, Course(9, patience_ended=True), "--patience 8"),
    ],
)
def test_longer_is_what_would_make_a_training_longer(recipe, course, flags):
    assert longer(ClassifyRecipe(net="lenet", **recipe), course) == flags


def test_larger_is_no_larger_than_the_pictures():
    """Blown up they show nothing new."""

    def advised(side):
        course = Course(side=side)
        lines = []
        for recipe, tries in (
            (ClassifyRecipe(net="resnet18", size=32), classify_advice.tries),
            (SaliencyRecipe(size=64), saliency_advice.tries),
        ):
            own = {"per_class": 10.0, "accuracy": 0.5}
            if tries is saliency_advice.tries:
                own = {"pictures": 10, "depth": False, "likeness": 0.5}
            lines += tries(recipe, **own, course=course).under_fitting
        missing = replace(SITUATION, misses_small=True, course=course)
        lines += detect_advice.tries(missing).under_fitting
        return [int(n) for line in lines for n in re.findall(r"--size (\d+)", line)]

    assert advised(4000) == [64, 256, 640]
    assert advised(500) == [64, 256, 512]
    assert advised(100) == [64, 100]
    assert advised(32) == []


def test_after_folds_a_training_of_all_layers_holds_none_out():
    """Which of them would too few choose by, and judge."""
    recipe = ClassifyRecipe()
    for folds, flags in ((5, "--head full --val-share 0 --folds 5"), (0, "minutes: --head full")):
        tries = classify_advice.tries(
            recipe, per_class=30.0, accuracy=0.5, course=Course(folds=folds)
        )
        (line,) = (each for each in tries.over_fitting if "--head full" in each)
        assert line.endswith(flags)
    few = classify_advice.tries(recipe, per_class=8.0, accuracy=0.5, course=Course(folds=5))
    every = (*few.over_fitting, *few.under_fitting, *few.fine)
    assert not any("--head full" in each for each in every), "where it did not measure better"


def test_augmenting_less_waits_until_a_usual_training_was_tried():
    recipe = DetectRecipe(copy_paste=0.5)
    usual = recipe.epochs
    for course, waits in (
        (Course(epochs=1), True),
        (Course(epochs=usual), False),
        (Course(epochs=1, patience_ended=True), False),
    ):
        now = replace(SITUATION, recipe=recipe, course=course)
        tries = detect_advice.tries(now).under_fitting
        assert tries[0].startswith("train for longer: ")
        assert any(each.startswith("augment less") for each in tries) is not waits


def test_larger_pictures_wait_until_a_usual_training_was_tried():
    lenet = ClassifyRecipe(net="lenet", size=32)
    saliency = SaliencyRecipe(size=64)
    for ended, waits in ((False, True), (True, False)):
        course = Course(epochs=1, side=2000, patience_ended=ended)
        now = replace(SITUATION, misses_small=True, course=course, learnt=not waits)
        lines = [
            *classify_advice.tries(
                lenet, per_class=10.0, accuracy=0.5, course=course
            ).under_fitting,
            *saliency_advice.tries(
                saliency, pictures=10, depth=False, likeness=0.5, course=course
            ).under_fitting,
            *detect_advice.tries(now).under_fitting,
            *detect_advice.costliest({"localisation": Cost(1, 0.2)}, now)[1],
        ]
        assert sum("--size" in each for each in lines) == (0 if waits else 4)


def test_classes_with_few_pictures_are_named_once():
    uneven = {"cat": 100, "dog": 20, "bird": 5}
    recipe = ClassifyRecipe(net="lenet")
    asked = {"per_class": 125 / 3, "accuracy": 0.5, "course": Course()}
    few = "add pictures: bird 5, dog 20 training pictures are few, and nothing helps as much"
    assert classify_advice.tries(recipe, **asked, counts=uneven).over_fitting[0] == few
    even = classify_advice.tries(recipe, **asked, counts=dict.fromkeys(uneven, 42))
    assert even.over_fitting[0] == "add pictures: 42 a class is few, and nothing helps as much"
    for names, told in (
        (("bird",), (few, "look")),
        (("cat",), ("add pictures of cat", "look")),
    ):
        lost = Lost(names, "None is right.", clear=False)
        said = with_lost(FitVerdict("over-fitting", "It over-fits.", (few, "look")), lost)
        assert said.tries == told


def test_a_net_that_may_not_have_learnt_trains_for_longer_before_folds():
    """Of few pictures the training score alone cannot prove it, and still it comes first."""
    folds = (
        "let each of 20 pictures judge once: --folds 5",
        "add pictures: with 4 more, 20 judge",
    )
    short = said_of((0.75, 20), (0.5, 4), folds=folds)
    assert (short.kind, short.learnt) == ("unknown", False)
    assert "may not have learnt its own training pictures" in short.says
    assert short.tries[0].startswith("train for longer: --epochs ")
    assert short.tries[1:] == folds[1:]
    learnt = said_of((1.0, 20), (0.75, 4), folds=folds)
    assert (learnt.learnt, learnt.tries[:2]) == (True, folds)
    assert "look at the worst pictures: add more like them" in learnt.tries, "as of one that fits"
    solved = said_of((1.0, 20), (0.85, 20), ClassifyRecipe(head="auto"), folded=True)
    assert solved.tries[0].startswith("add pictures: about ")
    assert any("--unlabelled" in each for each in solved.tries[1:])
    assert sum("add pictures" in each for each in solved.tries) == 1


def test_of_few_pictures_lost_classes_and_how_many_are_wanted_are_one_advice():
    tries = ("look", "add pictures: with 14 more, 20 can judge in folds")
    said = with_lost(FitVerdict("unknown", "Few.", tries), Lost(("b",), "None of b.", clear=False))
    assert said.says == "Few. None of b."
    assert said.tries == ("look", "add pictures, of b first: with 14 more, 20 can judge in folds")


def test_what_is_short_is_named_where_pictures_are_to_be_added():
    more = "add pictures: about 25 more would tell"
    said = FitVerdict("unknown", "Few.", (more, "boxes of b 5 are few, add pictures: of b"))
    assert naming_few(said, "") == said
    assert naming_few(said, "b 5, c 20").tries == (
        "add pictures, first of the classes that have few (b 5, c 20): about 25 more would tell",
        "boxes of b 5 are few, add pictures: of b",
    )


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"images": 19, "per_class": {"a": {"images": 19}}}, ", too few to tell"),
        ({"images": 20}, ""),
        ({"images": 5, "per_class": {"a": {"boxes": 20}}}, ""),
        ({"images": 5, "per_class": {"a": {"boxes": 19}}}, ", too few to tell"),
        ({"images": 4, "per_class": {"a": {"boxes": 99}}}, ", too few to tell"),
    ],
)
def test_pictures_or_boxes_in_them_are_too_few_to_tell(figures, said):
    assert too_few_in(figures) == said
