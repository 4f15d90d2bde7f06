"""Masks and maps as people have them: of 0 and 1, in colour, damaged, links to nothing, strays."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.scoring.comparing import compare
from viewfinder.scoring.masks import read_scored
from viewfinder.scoring.page import write_comparison
from viewfinder.scoring.patterns import like, named_methods
from viewfinder.scoring.reading import asked, contests
from viewfinder.scoring.size_invariance import parts_of, size_invariant
from viewfinder.scoring.tables import as_latex
from viewfinder.tasks.saliency.scores import score

SIZE = (48, 64)


def mask_of(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return ((y - random.uniform(15, 33)) / 10) ** 2 + ((x - random.uniform(20, 44)) / 14) ** 2 < 1


def map_of(mask: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 25, SIZE)
    return np.clip(mask * 230.0 + noise, 0, 255).astype(np.uint8)


def grey(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))


def only(root, *methods):
    (contest,) = contests(asked(root / "GT", [f"{m}={root / m}" for m in methods], []))
    return contest


def two_sets(root: Path) -> None:
    """`truth/SET/GT` and `maps/METHOD/SET`."""
    for name in ("SIP", "LFSD"):
        for n in range(2):
            grey(root / "truth" / name / "GT" / f"{n}.png", mask_of(n).astype(np.uint8) * 255)
            for method in ("good", "bad"):
                grey(root / "maps" / method / name / f"{n}.png", map_of(mask_of(n), n))


def a_set(root, pictures=4, methods=("a",)):
    for n in range(pictures):
        mask = mask_of(n)
        grey(root / "GT" / f"{n}.png", mask.astype(np.uint8) * 255)
        for method in methods:
            grey(root / method / f"{n}.png", map_of(mask, n))


@pytest.mark.parametrize("times", [1, 3])
def test_masks_of_small_numbers_are_refused(tmp_path, times):
    a_set(tmp_path)
    for n in range(3):
        grey(tmp_path / "GT" / f"{n}.png", (mask_of(n) * times).astype(np.uint8))
    with pytest.raises(InputError, match=f"3 masks of 4 .* values up to {times} "):
        only(tmp_path, "a")
    grey(tmp_path / "GT" / "3.png", (mask_of(3) * times).astype(np.uint8))
    with pytest.raises(InputError, match=f"values up to {times} .*multiply by 255"):
        only(tmp_path, "a")
    for n in range(4):
        grey(tmp_path / "GT" / f"{n}.png", np.zeros((48, 64), np.uint8))
    assert "values above 0" not in "\n".join(only(tmp_path, "a").notes(()))


def test_numbers_of_classes_with_a_border_of_255_are_told(tmp_path):
    a_set(tmp_path)
    assert not any("Pascal" in note for note in only(tmp_path, "a").notes(()))
    for n in range(4):
        border = cv2.dilate(mask_of(n).astype(np.uint8), np.ones((3, 3))) - mask_of(n)
        grey(tmp_path / "GT" / f"{n}.png", (mask_of(n) * 15 + border * 255).astype(np.uint8))
    assert any("masks hold 15 and 255" in note for note in only(tmp_path, "a").notes(()))


def test_white_that_is_the_background_is_told(tmp_path):
    """Of one method, of the masks and of both; and never of a method that is only bad."""
    a_set(tmp_path, methods=("a", "b"))
    random = np.random.default_rng(3)
    for n in range(4):
        grey(tmp_path / "b" / f"{n}.png", 255 - map_of(mask_of(n), n))
        grey(tmp_path / "bad" / f"{n}.png", random.integers(0, 255, SIZE).astype(np.uint8))

    def told(*methods):
        return [note for note in only(tmp_path, *methods).notes(()) if "background" in note]

    (one,) = told("a", "b")
    assert one.startswith("maps of b fit the masks far better with black and white exchanged (AUC ")
    assert one.endswith("in these maps white seems to be the background")
    assert told("a", "bad") == []
    for n in range(4):
        grey(tmp_path / "GT" / f"{n}.png", (~mask_of(n)).astype(np.uint8) * 255)
    (one,) = told("a")
    assert "in them, or in the masks, which are 8" in one
    (one,) = told("b")
    assert one.startswith("masks are 8")


def test_maps_of_one_value_and_maps_on_their_side_are_told(tmp_path):
    a_set(tmp_path)
    for n in range(4):
        grey(tmp_path / "even" / f"{n}.png", np.full(SIZE, 40 * (n % 2), np.uint8))
        grey(tmp_path / "turned" / f"{n}.png", map_of(mask_of(n), n).T.copy())
    notes = only(tmp_path, "a", "even", "turned").notes(())
    assert (
        "even: 4 maps of one value everywhere, which finds nothing: 0.png, 1.png, 2.png …" in notes
    )
    assert any("resized to it" in n and "(the first is 48×64 for 64×48)" in n for n in notes)
    assert not any("a: " in note for note in notes)
    grey(tmp_path / "GT/0.png", np.zeros(SIZE, np.uint8))
    notes = only(tmp_path, "even").notes(())
    assert any("even: 3 maps of one value" in note for note in notes)


def test_grey_that_a_format_has_rounded_is_grey(tmp_path):
    """WebP has no grey, and its channels differ by one."""
    a_set(tmp_path)
    for n in range(4):
        pixels = np.repeat(map_of(mask_of(n), n)[..., None], 3, 2)
        cv2.imwrite(str(tmp_path / f"a/{n}.png"), pixels)
        file = tmp_path / "w" / f"{n}.webp"
        file.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(file), pixels, [cv2.IMWRITE_WEBP_QUALITY, 90])
    contest = only(tmp_path, "a", "w")
    plain, webp = (own.drawn("mae", contest.pictures).value for own in contest.methods.values())
    assert webp == pytest.approx(plain, abs=0.02)


def test_arrays_in_the_place_of_maps_are_told(tmp_path):
    a_set(tmp_path, pictures=1)
    (tmp_path / "n").mkdir()
    np.save(tmp_path / "n/0.npy", np.zeros(SIZE))
    with pytest.raises(InputError, match=r"arrays such as 0\.npy: write maps as PNG"):
        only(tmp_path, "n")


def test_a_name_with_an_end_of_line_stays_in_its_row(tmp_path, capsys):
    a_set(tmp_path, methods=("a", "b\nc"))
    assert main(["score", str(tmp_path / "GT"), f"a={tmp_path}/a", f"b\nc={tmp_path}/b\nc"]) == 0
    assert any(line.startswith("b\\nc ") for line in capsys.readouterr().out.splitlines())


def test_a_mask_is_white_above_128_of_8_bits_and_above_half_of_16(tmp_path):
    grey(tmp_path / "a.png", np.array([[127, 128, 129, 255]], np.uint8))
    assert read_scored(tmp_path / "a.png").tolist() == [[False, False, True, True]]
    grey(tmp_path / "b.png", np.array([[32767, 32768]], np.uint16))
    assert read_scored(tmp_path / "b.png").tolist() == [[False, True]]


def test_what_cannot_be_scored_stays_in_the_table_with_one_note(tmp_path):
    a_set(tmp_path, methods=("a", "b"))
    for n in range(4):
        write_picture(tmp_path / "b" / f"{n}.png", np.full((48, 64, 3), (9, 90, 200), np.uint8))
    contest = only(tmp_path, "a", "b")
    (found,) = compare([contest]).sets
    assert [(own.method, own.images) for own in found.methods] == [("a", 4), ("b", 0)]
    assert found.methods[0].values
    assert not found.methods[1].values
    (line,) = (note for note in found.notes if note.startswith("b: "))
    assert line.startswith("b: 4 maps left out (0.png, 1.png, 2.png …), the first as ")
    page = write_comparison(tmp_path / "out", compare([contest]), command="score").read_text()
    assert "<td>b</td>" in page
    assert "Which differences are more than chance" not in page
    document = json.loads((tmp_path / "out/scores.json").read_text(encoding="utf-8"))
    assert document["sets"][0]["methods"][1] == {"method": "b", "images": 0, "scores": {}}
    with pytest.raises(InputError, match=r"not one map could be scored: b: 4 maps left out"):
        only(tmp_path, "b")


def test_damaged_maps_are_one_line_however_they_are_damaged(tmp_path):
    a_set(tmp_path, pictures=5)
    for n in range(4):
        file = tmp_path / f"a/{n}.png"
        file.write_bytes(file.read_bytes()[: 200 + 30 * n])
    notes = [note for note in only(tmp_path, "a").notes(()) if "left out" in note]
    assert len(notes) == 1
    assert notes[0].startswith("a: 4 maps left out (0.png, 1.png, 2.png …), the first as ")


def test_a_link_to_nothing_is_as_a_damaged_map(tmp_path):
    a_set(tmp_path)
    (tmp_path / "a/2.png").unlink()
    (tmp_path / "a/2.png").symlink_to("nowhere.png")
    contest = only(tmp_path, "a")
    assert len(contest.methods["a"].pictures) == 3
    assert "2.png is no file, or a link to none" in "\n".join(contest.notes(()))


def test_strays_beside_methods_are_passed_over(tmp_path, capsys):
    two_sets(tmp_path)
    maps = tmp_path / "maps"
    (maps / "README.txt").write_text("maps of two methods\n", encoding="utf-8")
    (maps / "config.json").write_text("{}", encoding="utf-8")
    write_picture(maps / "teaser.png", np.zeros((9, 9, 3), np.uint8))
    assert main(["score", str(tmp_path / "truth"), str(maps), "--json"]) == 0
    document, said = capsys.readouterr()
    assert [each["name"] for each in json.loads(document)["sets"]] == ["LFSD", "SIP"]
    assert said.count("passed over") == 1
    assert "README.txt, config.json, teaser.png beside them" in said
    assert set(named_methods([str(maps / "good/SIP")])) == {"SIP"}


def test_two_sets_of_one_name_are_refused(tmp_path):
    two_sets(tmp_path)
    one = f"SIP={tmp_path}/truth/SIP/GT:{tmp_path}/maps/*/SIP"
    with pytest.raises(InputError, match="two sets are named sip"):
        asked(None, [], [one, one.replace("SIP=", "sip=")])
    with pytest.raises(InputError, match="two sets are named SIP"):
        contests(asked(tmp_path / "truth/SIP/GT", [f"{tmp_path}/maps"], [one]))


def test_names_that_latex_would_take_for_an_option(tmp_path):
    a_set(tmp_path, pictures=2, methods=("[x]", "*y"))
    found = compare([only(tmp_path, "[x]", "*y")])
    text = as_latex(found, found.headline)
    assert "\n{[x]} & " in text
    assert "\n{*y} & " in text


# MAE, mean and max of F by PySODMetrics 1.6 of the map and masks below.
PARTS = {
    "one pixel": (0.49183517156862744, 0.7461003595600677, 1.0),
    "column": (0.4932598039215686, 0.7134385659938299, 1.0),
    "two alike": (0.4943471536197175, 0.6995606578755483, 1.0),
    "one larger": (0.4951746323529411, 0.6492290677123818, 1.0),
    "one large": (0.4964460784313726, 0.6997265185845847, 0.9976744186046511),
}


@pytest.mark.parametrize("kind", PARTS)
def test_small_parts_are_judged_as_in_pysodmetrics(kind):
    y, x = np.mgrid[:24, :32]
    map_ = ((37 * y + 61 * x + 5 * x * y) % 256) / 255
    mask = np.zeros((24, 32), np.bool_)
    if kind == "one pixel":
        mask[5, 9] = True
    elif kind == "column":
        mask[:, 7] = True
    elif kind == "one large":
        mask[2:12, 2:12] = mask[15:17, 20:30] = True
    else:
        mask[3:6, 3:6] = mask[10:13, 20:23] = True
        mask[13, 20:24] = mask[10:14, 23] = kind == "one larger"
        mask[20, 20] = kind == "two alike"
    found = size_invariant(map_, parts_of(mask))
    own = (found.mae, found.f_curve.mean(), found.f_curve.max())
    assert own == pytest.approx(PARTS[kind], abs=1e-9)


def test_s_of_an_even_grey_map_has_no_rounding_in_it():
    """By hand: mean m in and out of the mask, no deviation, and no likeness of regions."""
    mask, grey_ = mask_of(1), 100 / 255
    share = mask.mean()
    bright, dark = (2 * m / (m * m + 1) for m in (grey_, 1 - grey_))
    inside = share * bright + (1 - share) * dark
    found = score(np.full(mask.shape, grey_), mask, stretch=False)
    assert found.s_measure == pytest.approx(inside / 2, abs=1e-12)


def test_what_is_added_is_told_as_it_is_written(tmp_path):
    a_set(tmp_path)
    for n in range(4):
        (tmp_path / f"a/{n}.png").rename(tmp_path / f"a/DUTS_{n}_Sal_FUSE.png")
    assert "a: maps are named DUTS_NAME_Sal_FUSE for" in "\n".join(only(tmp_path, "a").notes(()))


def test_masks_may_be_written_by_us(tmp_path):
    write_mask(tmp_path / "m.png", mask_of(2))
    assert (read_scored(tmp_path / "m.png") == mask_of(2)).all()


def test_a_map_on_its_side_and_one_that_is_turned_over_are_told(tmp_path):
    for n in range(6):
        own = map_of(mask_of(n), n)
        grey(tmp_path / f"GT/{n}.png", mask_of(n).astype(np.uint8) * 255)
        grey(tmp_path / f"side/{n}.png", own.T)
        grey(tmp_path / f"one/{n}.png", 255 - own if n == 4 else own)
        # What misses its subject is not turned over.
        grey(tmp_path / f"missed/{n}.png", np.roll(own, 32, axis=1) if n == 4 else own)
    notes = {m: "\n".join((c := only(tmp_path, m)).notes(c.pictures)) for m in ("side", "one")}
    assert "are they transposed?" in notes["side"]
    assert (
        "one: 1 map of 6 would fit far better with black and white exchanged: 4.png"
        in (notes["one"])
    )
    missed = only(tmp_path, "missed")
    assert "exchanged" not in "\n".join(missed.notes(missed.pictures))


def test_a_damaged_map_is_named_as_its_own_method_has_it(tmp_path):
    for n in range(3):
        grey(tmp_path / f"GT/{n}.png", mask_of(n).astype(np.uint8) * 255)
        for method in ("a", "b"):
            grey(tmp_path / method / f"{n}.png", map_of(mask_of(n), n))
    for method in ("a", "b"):
        (tmp_path / method / "1.png").write_bytes(b"none")
    notes = only(tmp_path, "a", "b").notes(("0.png", "2.png"))
    for method in ("a", "b"):
        own = [note for note in notes if note.startswith(f"{method}: left out")]
        assert len(own) == 1
        assert f"{tmp_path / method}" in own[0]


@pytest.mark.parametrize(
    ("folder", "shown"), [("Edge", None), ("gt01", None), ("views", "views"), ("RGB", "RGB")]
)
def test_only_photographs_are_shown_as_pictures(tmp_path, folder, shown):
    for n in range(3):
        mask = mask_of(n)
        grey(tmp_path / f"GT/{n}.png", mask.astype(np.uint8) * 255)
        grey(tmp_path / f"a/{n}.png", map_of(mask, n))
        if shown:
            write_picture(tmp_path / folder / f"{n}.png", mask[..., None] * np.uint8([200, 90, 9]))
        else:
            grey(tmp_path / folder / f"{n}.png", map_of(mask, n) // 2)
    contest = only(tmp_path, "a")
    titles = [view.what for view in contest.row("0.png", ["a"]).seen]
    assert ("picture" in titles) == (shown is not None)
    assert (f"Pictures are those of {tmp_path / folder}" in contest.differing) == bool(shown)


def test_a_star_that_stands_for_nothing_leaves_the_folders_name(tmp_path):
    for name in ("net", "net2"):
        (tmp_path / "maps" / name).mkdir(parents=True)
    assert list(like(f"{tmp_path}/maps/net*", "--set")) == ["net", "2"]
    (tmp_path / "maps/netnet").mkdir()
    assert len(like(f"{tmp_path}/maps/net*", "--set")) == 3
