"""Max pooling against strided convolution: answers follow the figures, and chance is told."""

import json
import math
import re
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder import nets
from viewfinder.cli.explain import Flags, run
from viewfinder.console import WIDTH
from viewfinder.errors import InputError
from viewfinder.position.chart import ChartLine, chart
from viewfinder.position.claims import answers
from viewfinder.position.comparison import (
    ACCURACY,
    FLIPS,
    OUTPUT,
    POOLED,
    POOLED_SHIFTED,
    STRIDED,
    STRIDED_SHIFTED,
    VARIANTS,
    PositionComparison,
    average,
    curve,
    difference,
)
from viewfinder.position.comparison_page import page
from viewfinder.position.comparison_text import cell, document, lines
from viewfinder.position.intervals import MeanInterval, interval
from viewfinder.position.sensitivity import ComparedStage, FeatureChange, Sensitivity, ShiftStep

STAGES = (ComparedStage("conv1", (1.0, 1.0)), ComparedStage("fc1", None))

# Changed answers, in %, of: pooled, strided, and both with shifts in training.
Shares = tuple[float, float, float, float]


def made_up(
    shares: Shares, *, seeds: int = 4, noise: float = 0.2, largest: int = 5, reach: float = 3.2
) -> PositionComparison:
    """As if four variants changed these shares of their answers at every shift."""
    random = np.random.default_rng(0)

    def one(share: float) -> Sensitivity:
        flips = float(np.clip(random.normal(share, noise) / 100, 0, 1))
        steps = [
            ShiftStep(
                shift=shift,
                output=2 * flips * min(shift, 1),
                probability=flips * min(shift, 1),
                flips=flips * min(shift, 1),
                accuracy=1 - flips / 2,
                features=(FeatureChange(0.3 * shift, None), FeatureChange(flips, None)),
            )
            for shift in range(largest + 1)
        ]
        return Sensitivity(20, (32, 32), STAGES, tuple(steps))

    found = {
        variant: [one(share) for _ in range(seeds)]
        for variant, share in zip(VARIANTS, shares, strict=True)
    }
    return PositionComparison("lenet", "tabletop", 25, reach, tuple(range(seeds)), found)


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(3.0, 2.0, (4000, 5))
    held = sum(
        abs(interval(row.tolist()).mean - 3.0) < interval(row.tolist()).margin for row in rows
    )
    # Four standard deviations of a binomial.
    assert abs(held / 4000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=8),
    st.floats(-100, 100),
    st.floats(0.01, 100),
)
def test_intervals_move_and_stretch_with_their_values(
    values: list[float], offset: float, scale: float
) -> None:
    before, after = interval(values), interval([scale * value + offset for value in values])
    assert after.mean == pytest.approx(scale * before.mean + offset, abs=1e-6)
    assert after.margin == pytest.approx(scale * before.margin, rel=1e-6, abs=1e-6)


def test_one_value_tells_no_sign() -> None:
    assert interval([0.4]) == MeanInterval(0.4, math.inf)
    assert interval([0.4]).sign == 0
    assert interval([0.4, 0.4, 0.4]).sign == 1
    assert interval([-0.4, -0.5, -0.4]).sign == -1
    assert interval([-0.4, 0.5, -0.4]).sign == 0


def test_differences_are_taken_seed_by_seed() -> None:
    comparison = made_up((30, 40, 10, 12))
    shifts = [2, 4]
    apart = [
        statistics.fmean((a.steps[s].flips or 0) - (b.steps[s].flips or 0) for s in shifts)
        for a, b in zip(comparison.found[STRIDED], comparison.found[POOLED], strict=True)
    ]
    told = difference(comparison, STRIDED, POOLED, FLIPS, shifts)
    assert told == interval(apart)
    assert difference(comparison, POOLED, STRIDED, FLIPS, shifts).mean == pytest.approx(-told.mean)
    assert difference(comparison, POOLED, POOLED, OUTPUT, shifts) == MeanInterval(0.0, 0.0)
    of_seeds = [found.steps[3].accuracy or 0 for found in comparison.found[POOLED_SHIFTED]]
    assert curve(comparison, POOLED_SHIFTED, ACCURACY)[3] == interval(of_seeds)
    assert average(comparison, STRIDED_SHIFTED, FLIPS, [0]) == MeanInterval(0.0, 0.0)


@pytest.mark.parametrize(
    ("shares", "insensitive", "less", "replaced"),
    [
        ((30, 40, 10, 12), "no", "yes", "Not wholly: "),
        ((40, 30, 10, 12), "no", "no, more", "There is nothing to replace"),
        ((30, 40, 12, 10), "no", "yes", "Yes: "),
        ((30, 40, 10, 10), "no", "yes", "Yes: "),
        ((30, 40, 25, 35), "no", "yes", "No: "),
        ((0.4, 40, 0.1, 0.1), "yes", "yes", "Yes: "),
    ],
)
def test_the_answers_are_those_of_the_figures(
    shares: Shares, insensitive: str, less: str, replaced: str
) -> None:
    one, two = answers(made_up(shares, noise=0.05))
    told = f"Insensitive: {insensitive}. Less sensitive than strided convolution: {less}."
    assert one.verdict == told
    assert two.verdict.startswith(replaced)
    assert "cannot tell" not in two.verdict


def test_what_chance_may_have_done_is_not_told_as_found() -> None:
    for comparison in (
        made_up((30, 40, 10, 12), seeds=1),
        made_up((30, 30, 10, 12), noise=5, seeds=3),
    ):
        insensitive, replaced = answers(comparison)
        assert "Less sensitive than strided convolution: " in insensitive.verdict
        assert insensitive.verdict.endswith("cannot tell.")
        assert "cannot tell" in replaced.verdict
        assert "--seeds" in insensitive.because[-1]
        assert "--seeds" in replaced.because[-1]
    assert "one seed cannot tell" in answers(made_up((30, 40, 10, 12), seeds=1))[0].verdict
    # Augmentation alone clearly does more, but what pooling adds to it is lost in chance.
    unclear = made_up((30, 40, 10, 10))
    found = dict(unclear.found)
    found[STRIDED_SHIFTED] = made_up((10, 10, 10, 10), noise=4).found[POOLED]
    assert answers(replace(unclear, found=found))[1].verdict.startswith("Perhaps: ")


def test_the_figures_stand_in_the_words() -> None:
    comparison = made_up((30, 40, 10, 12), noise=0)
    insensitive, replaced = answers(comparison)
    assert "changes 30.0 % (30.0 to 30.0) of its answers" in insensitive.because[0]
    assert "that share is 10.0 points higher (10.0 to 10.0)" in insensitive.because[1]
    assert "right answers 5.0 points lower (5.0 to 5.0)" in insensitive.because[1]
    assert "18.0 points lower (18.0 to 18.0)" in replaced.because[0]
    assert "it is 2.0 points higher" in replaced.because[1]
    assert "Over shifts of 1 to 3 px alone" in replaced.because[2]
    assert len(answers(made_up((30, 40, 10, 12), largest=3))[1].because) == 2


def test_cells() -> None:
    assert cell(MeanInterval(0.932, 0.0049)) == "93.2±0.5"
    assert cell(MeanInterval(1.2, 0.13)) == "120±13"
    assert cell(MeanInterval(-0.012, 0.004), signed=True) == "−1.2±0.4"
    assert cell(MeanInterval(0.012, math.inf), signed=True) == "+1.2"
    assert cell(MeanInterval(0.0, 0.0)) == "0"


@pytest.mark.parametrize("seeds", [1, 2, 5])
@pytest.mark.parametrize("largest", [1, 8, 31])
def test_the_table_fits_and_the_page_is_whole(seeds: int, largest: int) -> None:
    comparison = made_up((30, 40, 10, 12), seeds=seeds, noise=8, largest=largest)
    comparison = replace(comparison, net="<script>alert(1)</script>")
    assert max(line.cell_len for line in lines(comparison)) <= WIDTH
    text = page(comparison)
    assert "<script" not in text
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    drawings = re.findall(r"<svg.*?</svg>", text, re.S)
    assert len(drawings) == 3 + len(STAGES)
    for drawing in drawings:
        shapes = [one.attrib["class"].split() for one in ET.fromstring(drawing).iter("path")]
        assert sum("line" in kind for kind in shapes) == 4
        assert sum("dashed" in kind for kind in shapes) == 2
        assert sum("band" in kind for kind in shapes) == (4 if seeds > 1 else 0)
        assert sum("reach" in kind for kind in shapes) == (1 if largest > 3 else 0)
    for answer in answers(comparison):
        assert answer.question in text
    told = json.loads(json.dumps(document(comparison, [[None] * seeds] * 4), allow_nan=False))
    assert [(one["downsample"], one["shifted_in_training"]) for one in told["variants"]] == [
        *[("pool", False), ("stride", False), ("pool", True), ("stride", True)]
    ]
    assert all(len(one["flips"]) == largest + 1 for one in told["variants"])
    verdicts = [answer.verdict for answer in answers(comparison)]
    assert [one["answer"] for one in told["answers"]] == verdicts


def test_bands_stay_inside_the_chart() -> None:
    line = ChartLine("a", (50.0, 60.0), 0, band=((0.0, 100.0), (20.0, 240.0)))
    drawing = ET.fromstring(chart([line], label="a"))
    (band,) = (one for one in drawing.iter("path") if "band" in one.attrib["class"])
    numbers = [float(number) for number in re.findall(r"[\d.]+", band.attrib["d"])]
    assert len(numbers) == 8
    assert all(14 <= y <= 290 for y in numbers[1::2])
    assert any("(20 to 240)" in (one.text or "") for one in drawing.iter("title"))


@pytest.fixture
def few_pictures(
    small_set: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[], list[Path]]:
    """The command on a small set instead of the rendered one; tells which runs were made."""
    monkeypatch.setattr("viewfinder.position.comparing.DATA", str(small_set))
    return lambda: sorted(path.parent for path in tmp_path.rglob("run.json"))


def test_the_command_trains_four_variants_and_keeps_them(
    few_pictures: Callable[[], list[Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from viewfinder.runs.run import open_run

    kept, html = tmp_path / "runs", tmp_path / "page.html"
    flags = Flags("lenet", shift=2, compare=True, seeds=2, epochs=1, out=kept, html=html, json=True)
    assert run(flags) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["schema"] == "viewfinder.position-comparison/1"
    assert [told["net"], told["epochs"], told["seeds"]] == ["lenet", 1, [0, 1]]
    assert [stage["name"] for stage in told["stages"]][:2] == ["conv1", "down1"]
    assert len(few_pictures()) == 8
    for variant in told["variants"]:
        for one in variant["runs"]:
            recipe = open_run(one["run"]).manifest.recipe
            assert recipe.options == (f"downsample={variant['downsample']}",)
            assert recipe.shift == (0.1 if variant["shifted_in_training"] else 0)
            assert (recipe.seed, recipe.flip, recipe.turn) == (one["seed"], 0, 0)
            assert one["steps"][0]["flips"] == 0
    assert "8/8  stride-shifts" in said.err
    # What each training tells of itself would bury the eight lines.
    assert "loss" not in said.err
    assert "Does pooling make the net insensitive to position?" in html.read_text(encoding="utf-8")
    # Again: nothing is trained anew, and the figures are the same.
    weights = [(path / "weights.safetensors").stat().st_mtime_ns for path in few_pictures()]
    assert run(flags) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert weights == [(p / "weights.safetensors").stat().st_mtime_ns for p in few_pictures()]


def test_what_is_measured_is_what_shift_measures(
    few_pictures: Callable[[], list[Path]],
    small_set: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = tmp_path / "runs"
    flags = Flags("lenet", shift=1, compare=True, seeds=1, epochs=1, out=kept, json=True)
    assert run(flags) == 0
    told = json.loads(capsys.readouterr().out)
    for variant in told["variants"]:
        (one,) = variant["runs"]
        weights = Path(one["run"])
        assert run(Flags(shift=1, weights=weights, on=str(small_set), json=True)) == 0
        alone = json.loads(capsys.readouterr().out)
        assert one["steps"][1]["flips"] == pytest.approx(alone["steps"][1]["flips"])
        assert one["steps"][1]["output"] == pytest.approx(alone["steps"][1]["output"])
        assert variant["flips"][1] == {"mean": one["steps"][1]["flips"], "low": None, "high": None}


def test_nothing_is_left_without_a_folder(
    few_pictures: Callable[[], list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(Flags("lenet", shift=1, compare=True, seeds=1, epochs=1)) == 0
    assert list(tmp_path.iterdir()) == []
    assert "one seed cannot tell" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (Flags("resnet18", shift=8, compare=True), "--compare trains lenet, alexnet, vgg16"),
        (Flags("own.py:Net", shift=8, compare=True), "own.py:Net has no option downsample"),
        (Flags(shift=8, compare=True), "say which net: --compare trains lenet"),
        (Flags("lenet", compare=True), "--compare goes with --shift"),
        (Flags("lenet", shift=8, seeds=3), "--seeds goes with --compare"),
        (Flags("lenet", out=Path("runs")), "--out goes with --compare"),
        (Flags("lenet", shift=8, compare=True, on="a.jpg"), "leave --on and --weights out"),
        (Flags("lenet", shift=8, compare=True, training=True), "--shift takes no --batch"),
        (Flags("lenet", shift=0, compare=True), "--shift 0: --compare moves pictures of 32×32"),
        (Flags("lenet", shift=32, compare=True), "so give 1 to 31"),
        (Flags("lenet", shift=8, compare=True, seeds=0), "--seeds 0: give 1 or more"),
        (Flags("lenet", shift=8, compare=True, epochs=0), "--epochs 0: give 1 or more"),
        (Flags("alexnet", shift=8, compare=True, input=("3x32x32",)), "smallest size is 64"),
    ],
)
def test_what_cannot_be_compared(flags: Flags, words: str) -> None:
    with pytest.raises(InputError) as caught:
        run(flags)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_nets_that_can_be_compared_keep_their_stages_in_both_ways() -> None:
    from viewfinder.position.comparing import Trainings, _probe

    names = [name for name in nets.names("classify") if "downsample" in nets.options(name)]
    assert names[:2] == ["lenet", "alexnet"]
    probe = _probe(Trainings("lenet", 32, 1, 1, None), 2)
    strided = nets.create("lenet", downsample="stride")
    assert [stage.name for stage in probe.stages][1] == "down1"
    assert {stage.name for stage in probe.stages} <= {name for name, _ in strided.named_modules()}
