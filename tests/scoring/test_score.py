"""`viewfinder score` from folders of maps to tables, figures and a page."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from page_material import saliency_onnx

from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.scoring.comparing import compare
from viewfinder.scoring.contours import boundary_iou, contour_band
from viewfinder.scoring.page import refuse_place, write_comparison
from viewfinder.scoring.reading import asked, contests
from viewfinder.scoring.saliency_contest import PLOTS
from viewfinder.scoring.size_invariance import parts_of, size_invariant
from viewfinder.scoring.tables import as_latex, best_two, shown
from viewfinder.tasks.saliency.scores import mean, score

SIZE = (48, 64)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))


def mask_of(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return ((y - random.uniform(15, 33)) / 10) ** 2 + ((x - random.uniform(20, 44)) / 14) ** 2 < 1


def map_of(mask: np.ndarray, noise: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3)
    return np.clip(255 * soft + random.normal(0, 255 * noise, SIZE), 0, 255).astype(np.uint8)


def grey(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values)


def made(root: Path, sets=("SIP",), pictures: int = 8) -> Path:
    """`truth/SET/GT`, `truth/SET/RGB` and `maps/METHOD/SET`, by two methods."""
    for k, name in enumerate(sets):
        for n in range(pictures):
            mask = mask_of(100 * k + n)
            (root / "truth" / name / "GT").mkdir(parents=True, exist_ok=True)
            (root / "truth" / name / "RGB").mkdir(parents=True, exist_ok=True)
            write_mask(root / "truth" / name / "GT" / f"{n}.png", mask)
            shown = np.repeat(mask[:, :, None] * np.uint8(200), 3, axis=2)
            write_picture(root / "truth" / name / "RGB" / f"{n}.png", shown)
            grey(root / "maps" / "good" / name / f"{n}.png", map_of(mask, 0.02, n))
            grey(root / "maps" / "bad" / name / f"{n}_sal.png", map_of(mask, 0.3, n))
    return root


def judged(root: Path, *methods: str, stretch: bool = True):
    """The contests of one set."""
    return contests(asked(root / "truth/SIP/GT", methods or [f"{root}/maps"], [], stretch=stretch))


@pytest.mark.parametrize("stretch", [True, False])
def test_scores_are_those_of_the_pictures(tmp_path, stretch):
    """Equal to the scores of one picture at a time, which are held to an independent program."""
    made(tmp_path)
    found = compare(judged(tmp_path, stretch=stretch))
    own = {each.method: each for each in found.sets[0].methods}["good"]
    expected = mean(
        score(map_of(mask_of(n), 0.02, n) / 255, mask_of(n), stretch=stretch) for n in range(8)
    )
    for key, value in expected.as_json().items():
        assert own.values[key].value == pytest.approx(value, abs=1e-9)
        assert own.values[key].low <= value <= own.values[key].high


def test_kept_scores_are_the_same(tmp_path, monkeypatch):
    made(tmp_path)
    before = compare(judged(tmp_path))
    monkeypatch.setattr("viewfinder.scoring.saliency.record_of", None)  # Nothing is measured again.
    after = compare(judged(tmp_path))
    assert [m.values for m in after.sets[0].methods] == [m.values for m in before.sets[0].methods]


def test_a_changed_map_is_scored_anew(tmp_path):
    made(tmp_path)
    judged(tmp_path)
    grey(tmp_path / "maps/good/SIP/3.png", np.zeros(SIZE, np.uint8))
    (found,) = judged(tmp_path)
    measured = found.judged.measured["good"]
    assert measured["3.png"].of.mae == pytest.approx(mask_of(3).mean())


def test_what_is_missing_odd_or_in_colour_is_said(tmp_path):
    made(tmp_path)
    maps = tmp_path / "maps/good/SIP"
    (maps / "0.png").unlink()
    for extra in ("extra.png", "overlays/1.png", "cutouts/2.png"):
        grey(maps / extra, np.zeros(SIZE, np.uint8))
    grey(maps / "1.png", cv2.resize(map_of(mask_of(1), 0.02, 1), (128, 96)))
    three = map_of(mask_of(2), 0.02, 2)
    cv2.imwrite(str(maps / "2.png"), np.dstack([three] * 3))  # Grey in three channels is grey.
    cv2.imwrite(str(maps / "3.png"), cv2.applyColorMap(three, cv2.COLORMAP_JET))
    (maps / "4.png").write_bytes((maps / "4.png").read_bytes()[:100])
    (only,) = compare(judged(tmp_path)).sets
    notes = "\n".join(only.notes)
    assert "good: no map for 1 mask: 0.png" in notes
    assert "good: 1 map of no mask: extra.png" in notes  # and none that predict drew beside it
    assert "good: 1 map of another size than the mask, resized to it: 1.png" in notes
    assert "3.png is in colour" in notes
    assert "4.png is damaged or was cut short" in notes
    assert only.common == ("1.png", "2.png", "5.png", "6.png", "7.png")
    images = {own.method: own.images for own in only.methods}
    assert images == {"bad": 5, "good": 5}


def test_empty_masks_follow_the_rule_that_is_said(tmp_path):
    made(tmp_path)
    write_mask(tmp_path / "truth/SIP/GT/0.png", np.zeros(SIZE, bool))
    grey(tmp_path / "maps/good/SIP/0.png", np.zeros(SIZE, np.uint8))
    (found,) = judged(tmp_path)
    assert found.judged.measured["good"]["0.png"].scores.weighted_f == 1
    assert found.judged.measured["bad"]["0.png"].scores.weighted_f == 0
    (only,) = compare([found]).sets
    assert any("1 mask without a subject (0.png)" in note for note in only.notes)
    assert all(0 < own.values["auc"].value <= 1 for own in only.methods)


@pytest.mark.parametrize("reach", [0.02, 0.1])
def test_boundary_iou_by_its_definition(reach):
    def band(mask: np.ndarray, steps: int) -> np.ndarray:
        """What has a pixel of the background, or beyond the edge, within so many steps."""
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(mask, steps), (2 * steps + 1, 2 * steps + 1)
        )
        return mask & ~windows.all(axis=(2, 3))

    one, other = mask_of(1), mask_of(2)
    other[:5] = True  # It touches the picture's edge.
    steps = max(1, round(reach * float(np.hypot(*SIZE))))
    first, second = band(one, steps), band(other, steps)
    expected = (first & second).sum() / (first | second).sum()
    bands = contour_band(one, share=reach), contour_band(other, share=reach)
    assert boundary_iou(*bands) == pytest.approx(expected)
    assert boundary_iou(one & False, contour_band(one & False)) == 1


@pytest.mark.parametrize("set_first", [False, True])
def test_folders_of_many_sets(tmp_path, set_first):
    made(tmp_path, sets=("SIP", "LFSD"), pictures=4)
    if set_first:
        for method in ("good", "bad"):
            for name in ("SIP", "LFSD"):
                target = tmp_path / "turned" / name / method
                shutil.copytree(tmp_path / "maps" / method / name, target)
    maps = tmp_path / ("turned" if set_first else "maps")
    found = contests(asked(tmp_path / "truth", [str(maps)], []))
    assert sorted(each.name for each in found) == ["LFSD", "SIP"]
    for each in (each.judged.contest for each in found):
        assert [answers.method for answers in each.answers] == ["bad", "good"]
        assert len(each.truth.pictures) == 4
        assert each.answers[1].file(each.truth.masks[0]).is_file()


def test_sets_by_pattern(tmp_path):
    made(tmp_path, pictures=4)
    given = f"mine={tmp_path}/truth/SIP/GT:{tmp_path}/maps/*/SIP"
    (only,) = contests(asked(None, [], [given]))
    assert only.name == "mine"
    assert list(only.methods) == ["bad", "good"]


@pytest.mark.parametrize(
    ("truth", "methods", "sets", "said"),
    [
        ("truth/SIP/GTs", ["maps"], [], "no folder truth.SIP.GTs .did you mean GT"),
        ("truth/SIP/GT", ["x=nowhere"], [], "nowhere is not there: name a method as"),
        ("truth/SIP/GT", [], [], "name a method's answers"),
        ("truth/SIP/GT", ["a=maps/good/SIP", "a=maps/bad/SIP"], [], "two methods are named a"),
        (None, [], ["SIP=truth/SIP/GT"], "a set is named as NAME=TRUTH:ANSWERS"),
        (None, [], ["SIP=truth/SIP/GT:maps/good/SIP"], "needs one [*] where"),
        (None, [], ["SIP=truth/SIP/GT:nowhere/*"], "there is no folder nowhere"),
        (None, [], [], "name the truth and a method"),
    ],
)
def test_what_is_named_wrongly(tmp_path, monkeypatch, truth, methods, sets, said):
    made(tmp_path, pictures=3)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        contests(asked(Path(truth) if truth else None, methods, sets))


def test_the_folder_that_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("viewfinder.scoring.saliency_contest.PLOTS", PLOTS[:1])
    made(tmp_path, sets=("SIP", "A&B_50%"))
    out = tmp_path / "out"
    status = main(["score", str(tmp_path / "truth"), str(tmp_path / "maps"), "--out", str(out)])
    assert status == 0
    printed = capsys.readouterr().out
    assert "bad: maps are named NAME_sal for the mask NAME" in printed
    assert "S: 1 of 1 pair differs by more than chance" in printed
    rows = list(csv.DictReader((out / "scores.csv").read_text(encoding="utf-8").splitlines()))
    assert {(row["set"], row["method"]) for row in rows} == {
        (name, method) for name in ("SIP", "A&B_50%") for method in ("good", "bad")
    }
    document = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert document["schema"] == "viewfinder.score/1"
    assert document["ranks"]["mae"] == {"good": 1.0, "bad": 2.0}
    assert (out / "pictures.csv").read_text(encoding="utf-8").count("\n") == 1 + 2 * 2 * 8
    latex = (out / "table.tex").read_text(encoding="utf-8")
    assert r"\multicolumn{5}{c}{A\&B\_50\%}" in latex
    assert latex.count(r"\textbf{") == 10
    assert latex.count(r"\underline{") == 10
    assert all(
        line.count("&") == 10 for line in latex.splitlines() if line.startswith(("go", "ba"))
    )
    assert len(list((out / "figures").glob("*.svg"))) == 2
    assert all(f.read_bytes().startswith(b"%PDF") for f in (out / "figures").glob("*.pdf"))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "A&amp;B_50%" in page
    assert page.count("<figure>") == 2 * 6 * 4


def test_names_are_text(tmp_path, monkeypatch):
    monkeypatch.setattr("viewfinder.scoring.saliency_contest.PLOTS", PLOTS[:1])
    made(tmp_path, pictures=3)
    name = "<script>alert(1)</script>$x_$"
    shutil.copytree(tmp_path / "maps/good/SIP", tmp_path / "evil")
    found = judged(tmp_path, f"{name}={tmp_path}/evil", f"=cmd={tmp_path}/maps/bad/SIP"[1:])
    page = write_comparison(tmp_path / "out", compare(found), command="<b>")
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<b>" not in text.replace("<b>MAE", "").split("How this was made")[1]
    latex = (tmp_path / "out/table.tex").read_text(encoding="utf-8")
    assert r"\textless{}script\textgreater{}alert(1)" in latex


def test_json_is_one_document(tmp_path, capsys):
    made(tmp_path, pictures=3)
    arguments = [str(tmp_path / "truth/SIP/GT"), f"good={tmp_path}/maps/good/SIP", "--json"]
    assert main(["score", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    (only,) = document["sets"]
    assert only["name"] == "SIP"
    assert only["methods"][0]["scores"]["mae"]["value"] < 0.1


def test_unknown_metric_is_refused(tmp_path, capsys):
    made(tmp_path, pictures=3)
    command = ["score", str(tmp_path / "truth/SIP/GT"), f"{tmp_path}/maps", "--metrics", "fmax"]
    assert main(command) == 2
    assert "did you mean f_max" in capsys.readouterr().err


def test_a_model_in_the_place_of_maps(tmp_path):
    """It answers the pictures beside the masks, once."""
    made(tmp_path, pictures=3)
    saliency_onnx(tmp_path)
    given = f"bright={tmp_path}/u2netp.onnx"
    (found,) = judged(tmp_path, given, f"good={tmp_path}/maps/good/SIP")
    # What is bright in these pictures is the subject.
    assert all(each.iou > 0.9 for each in found.judged.measured["bright"].values())
    (kept,) = (tmp_path / "cache/maps").iterdir()
    before = kept.stat().st_mtime_ns
    judged(tmp_path, given)
    assert kept.stat().st_mtime_ns == before
    shutil.rmtree(tmp_path / "truth/SIP/RGB")
    with pytest.raises(InputError, match="some are not found"):
        judged(tmp_path, given)


def test_a_model_of_another_task(tmp_path, small_run):
    made(tmp_path, pictures=3)
    with pytest.raises(InputError, match="answers of the task classify"):
        judged(tmp_path, f"x={small_run}", f"good={tmp_path}/maps/good/SIP")


def test_what_cannot_be_done_is_refused_before_anything_is_scored(tmp_path, capsys, monkeypatch):
    """Unknown scores, and a split of masks, which have none."""
    for place in ("GT", "maps"):
        (tmp_path / place).mkdir()
        write_picture(tmp_path / place / "a.png", np.full((8, 8, 3), 255, np.uint8))
    monkeypatch.setattr(
        "viewfinder.scoring.saliency_contest.judge", lambda *_, **__: pytest.fail("scored")
    )
    asked_for = ["score", str(tmp_path / "GT"), f"it={tmp_path / 'maps'}"]
    assert main([*asked_for, "--metrics", "s_mesure"]) == 2
    assert "--metrics s_mesure (did you mean s_measure?)" in capsys.readouterr().err
    assert main([*asked_for, "--split", "val"]) == 2
    assert "--split val: masks lie in folders and in no splits" in capsys.readouterr().err


def test_nothing_is_less_than_nothing():
    assert shown(-0.0001) == "0.000"


def test_a_small_part_counts_as_much_as_a_large_one():
    """Two squares, of which the map has the large one alone: half of the parts are wrong."""
    mask = np.zeros((60, 100), np.bool_)
    mask[5:55, 5:55] = True
    mask[20:30, 70:80] = True
    mask[0, 99] = True  # too small to be a part
    map_ = mask.astype(float)
    map_[20:30, 70:80] = 0
    assert len(parts_of(mask).boxes) == 2
    found = size_invariant(map_, parts_of(mask))
    alpha = (6000 - 2500 - 100) / 2600
    assert found.mae == pytest.approx(1 / (2 + alpha))
    assert found.f_curve[1:] == pytest.approx(np.full(255, 0.5))
    assert found.mae > 3 * float(np.abs(map_ - mask).mean())


def test_without_parts_a_picture_is_judged_as_a_whole():
    mask = np.zeros((20, 30), np.bool_)
    map_ = np.random.default_rng(0).random(mask.shape)
    assert parts_of(mask).boxes == ()
    found = size_invariant(map_, parts_of(mask))
    own = score(map_, mask)
    assert found.mae == pytest.approx(own.mae)
    np.testing.assert_allclose(found.f_curve, own.f_curve, atol=1e-12)


def test_a_legend_has_the_methods_names_and_nothing_else(tmp_path):
    for place in ("GT", "maps"):
        (tmp_path / place).mkdir()
        write_mask(tmp_path / place / "a.png", mask_of(1))
    (contest,) = contests(asked(tmp_path / "GT", [f"_mine={tmp_path / 'maps'}"], []))
    page = write_comparison(tmp_path / "out", compare([contest]), command="score").read_text()
    assert ">_mine</text>" in page
    assert "200b" not in page


def test_a_method_that_leaves_out_what_is_hard_is_not_best_by_it(tmp_path):
    """All are scored on what all answered, and a table says on how many."""
    made(tmp_path)
    maps = tmp_path / "maps"
    shutil.copytree(maps / "good", maps / "picky")
    for n in (0, 1, 2):
        grey(maps / "good/SIP" / f"{n}.png", 255 - map_of(mask_of(n), 0.02, n))
        (maps / "picky/SIP" / f"{n}.png").unlink()
    truth = str(tmp_path / "truth/SIP/GT")
    own = [f"{name}={maps / name / 'SIP'}" for name in ("good", "picky")]
    found = compare(contests(asked(Path(truth), own, [])))
    (each,) = found.sets
    assert [method.images for method in each.methods] == [5, 5]
    one, other = (method.values["mae"].value for method in each.methods)
    assert one == other
    assert any("5 pictures of 8 that all answered: picky lacks 3" in note for note in each.notes)
    assert "the 5 of 8 pictures" in as_latex(found, found.headline).splitlines()[0]
    shutil.rmtree(maps / "picky/SIP")
    shutil.copytree(maps / "good/SIP", maps / "picky/SIP")
    for n in range(8):
        (maps / ("good" if n < 4 else "picky") / "SIP" / f"{n}.png").unlink()
    (apart,) = compare(contests(asked(Path(truth), own, []))).sets
    assert not apart.comparable
    assert not any(apart.pairs.values())
    assert best_two(apart, found.metrics[0]) == (set(), set())


def test_sets_that_lack_a_method_do_not_count_in_places(tmp_path):
    made(tmp_path, ("SIP", "NLPR"))
    shutil.rmtree(tmp_path / "maps/good/NLPR")
    found = compare(contests(asked(tmp_path / "truth", [str(tmp_path / "maps")], [])))
    assert found.ranked == ("SIP",)
    lacking = next(each for each in found.sets if each.name == "NLPR")
    assert any("not scored on this set: good" in note for note in lacking.notes)


def test_the_truth_beside_the_methods_is_none_of_them(tmp_path):
    made(tmp_path)
    shutil.copytree(tmp_path / "truth/SIP/GT", tmp_path / "all/GT")
    for name in ("good", "bad"):
        shutil.copytree(tmp_path / f"maps/{name}/SIP", tmp_path / "all" / name, dirs_exist_ok=True)
    wanted = asked(None, [], [f"SIP={tmp_path}/all/GT:{tmp_path}/all/*"])
    assert set(wanted.sets[0].answers) == {"good", "bad"}


def test_the_truth_is_no_method_and_answers_within_it_are_refused(tmp_path, capsys):
    made(tmp_path)
    shutil.copytree(tmp_path / "truth/SIP/GT", tmp_path / "all/GT")
    shutil.copytree(tmp_path / "maps/good/SIP", tmp_path / "all/good")
    wanted = asked(tmp_path / "all/GT", [str(tmp_path / "all")], [])
    assert set(wanted.methods) == {"good"}
    assert "GT is the truth and no method" in capsys.readouterr().err
    with pytest.raises(InputError, match="is the truth: name a method's answers beside it"):
        asked(tmp_path / "all/GT", [f"C={tmp_path}/all/GT"], [])
    shutil.copytree(tmp_path / "maps/good/SIP", tmp_path / "all/GT/A")
    with pytest.raises(InputError, match="lies within the truth"):
        contests(asked(tmp_path / "all/GT", [str(tmp_path / "all/GT/A")], []))


def test_a_report_is_not_written_among_pictures(tmp_path):
    write_picture(tmp_path / "maps/deep/1.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match=r"it holds pictures, such as deep/1\.png"):
        refuse_place(tmp_path / "maps")
    refuse_place(tmp_path / "new")


def test_a_methods_map_is_not_shown_as_the_picture(tmp_path):
    random = np.random.default_rng(0)
    for folder in ("GT", "A", "B"):
        for number in range(3):
            write_mask(tmp_path / folder / f"{number}.png", random.random((16, 16)) > 0.5)
    methods = [f"{name}={tmp_path}/{name}" for name in "AB"]
    (only,) = compare(contests(asked(tmp_path / "GT", methods, []))).sets
    row = only.contest.row("0.png", ("A", "B"))
    assert [each.what for each in row.seen] == ["mask", "A", "B"]


def test_a_wide_table_stands_in_blocks_and_every_score_of_a_picture_in_its_table(tmp_path, capsys):
    made(tmp_path)
    keys = ("mae", "s_measure", "weighted_f", "f_adaptive", "f_mean", "e_mean", "si_mae", "auc")
    asked_for = [str(tmp_path / "truth/SIP/GT"), f"m={tmp_path / 'maps/good/SIP'}"]
    out = tmp_path / "out"
    assert main(["score", *asked_for, "--out", str(out), "--metrics", *keys]) == 0
    printed = capsys.readouterr().out
    table = printed.partition("note:")[0]
    assert table.count("method ") > 1
    assert "…" not in table
    assert all(f"{title} " in table for title in ("F weighted", "F adaptive", "SI-MAE", "AUC"))
    with (out / "pictures.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert all(0 <= float(row[key]) <= 1 for row in rows for key in keys)


def test_one_picture_is_said_to_give_no_interval(tmp_path, capsys):
    made(tmp_path, pictures=1)
    maps = [f"{name}={tmp_path / 'maps' / name / 'SIP'}" for name in ("good", "poor")]
    there = [each for each in maps if Path(each.partition("=")[2]).is_dir()]
    assert (
        main(["score", str(tmp_path / "truth/SIP/GT"), *there, "--out", str(tmp_path / "o")]) == 0
    )
    printed = capsys.readouterr().out
    assert "one picture gives no interval" in printed
    assert "bootstrap" not in printed
    page = (tmp_path / "o/report.html").read_text(encoding="utf-8")
    assert "95 % interval" not in page
    assert "bootstrap" not in page
