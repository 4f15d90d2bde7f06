"""A set's page: what is odd, what shows the same, and which labels may be wrong."""

import json
from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from viewfinder.cli.main import main
from viewfinder.datasets.dealing import one_split, told_splits
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.splits import TEST, TRAIN, VAL
from viewfinder.evaluation.label_statistics import section
from viewfinder.features.alike import Pair, across_splits
from viewfinder.labelling.odd import Odd, Suspects, odd_ones, suspects
from viewfinder.labelling.set_page import write_set_page
from viewfinder.pictures.writing import write_picture

ODD, COPY, WRONG = "train/disc/odd.png", "val/disc/copy.png", "train/disc/wrong.png"


def _disc(random, *, square):
    """A thing of one colour on a noisy ground of another."""
    picture = random.integers(170, 230, (64, 64, 3)).astype(np.uint8)
    colour = (200, 40, 30) if square else (30, 40, 200)
    x, y = (int(random.integers(24, 40)) for _ in range(2))
    if square:
        cv2.rectangle(picture, (x - 14, y - 14), (x + 14, y + 14), colour, -1)
    else:
        cv2.circle(picture, (x, y), 15, colour, -1)
    return picture


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Discs and squares; among the discs noise, one of the training's, and a square."""
    root, random = tmp_path_factory.mktemp("planted"), np.random.default_rng(0)
    for split, count in (("train", 9), ("val", 3)):
        for name in ("disc", "square"):
            for number in range(count):
                picture = _disc(random, square=name == "square")
                write_picture(root / split / name / f"{number}.png", picture)
    write_picture(root / ODD, random.integers(0, 2, (64, 64, 3)).astype(np.uint8) * 255)
    (root / COPY).write_bytes((root / "train/disc/3.png").read_bytes())
    write_picture(root / WRONG, _disc(random, square=True))
    return root


def test_what_was_planted_is_found(planted):
    dataset = open_dataset(planted)
    found = suspects(dataset)
    assert dataset.paths[found.odd[0].picture] == ODD
    first = found.alike[0]
    assert {dataset.paths[first.one], dataset.paths[first.other]} == {COPY, "train/disc/3.png"}
    assert first.same
    assert dataset.paths[found.doubted[0].picture] == WRONG
    assert dataset.classes[found.doubted[0].other] == "square"


def test_the_page_shows_it_and_json_tells_it(planted, tmp_path, capsys):
    page = tmp_path / "set.html"
    assert main(["check", str(planted), "--report", str(page), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["report"] == str(page)
    assert told["suspects"]["odd"][0]["file"] == ODD
    assert told["suspects"]["labels"][0] | {"amount": 0} == {
        "file": WRONG, "box": None, "class": "disc", "other": "square", "amount": 0,
    }  # fmt: skip
    assert any(pair["same"] for pair in told["suspects"]["alike"])
    text = page.read_text(encoding="utf-8")
    for words in ("in train and val", "<b>disc</b>, or square?", "How bright pictures are", ODD):
        assert words in text
    assert text.count("<img") < 200


def test_a_long_list_is_folded_and_can_be_jumped_to(planted, tmp_path):
    page, dataset = tmp_path / "set.html", open_dataset(planted)
    odd = tuple(Odd(number, 0.5) for number in range(20))
    write_set_page(page, dataset, [], Suspects(odd, (), (), 2 * len(odd), 0), by="a test")
    text = page.read_text(encoding="utf-8")
    shown, folded = text.split("<details>")
    assert (shown.count("<figure>"), folded.count("<figure>")) == (14, 6)
    assert "<summary>show 6 more</summary>" in folded
    for place in ("faults", "same", "odd", "labels"):
        assert f'href="#{place}"' in shown
        assert f'id="{place}"' in text
    assert ">20 odd pictures<" in shown


def test_pictures_that_are_all_alike_are_one_group_and_none_is_left_out(
    planted, tmp_path, chromium
):
    """Eight pictures in a clique are 28 pairs, and push nobody from the page."""
    page, dataset = tmp_path / "set.html", open_dataset(planted)
    clique = [Pair(one, other, 0.95, False) for one, other in combinations(range(8), 2)]
    pairs = (*clique, Pair(9, 10, 0.94, False), Pair(11, 12, 1.0, True))
    write_set_page(page, dataset, [], Suspects((), pairs, (), len(dataset), 0), by="a test")
    with chromium.new_page(viewport={"width": 390, "height": 800}) as opened:
        opened.goto(page.as_uri())
        groups = opened.locator(".pairs > div")
        shown = [groups.nth(n).locator("img").count() for n in range(groups.count())]
        assert shown == [8, 2, 2]
        assert groups.nth(0).inner_text().count("8 pictures, alike by 0.95") == 1
        assert "3 groups of pictures that show the same" in opened.locator("nav").inner_text()
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_more_groups_than_fit_are_a_click_away(planted, tmp_path):
    page, dataset = tmp_path / "set.html", open_dataset(planted)
    many = dataset.select(list(range(len(dataset))) * 3)
    pairs = tuple(Pair(n, n + 1, 0.95, False) for n in range(0, 60, 2))
    write_set_page(page, many, [], Suspects((), pairs, (), len(many), 0), by="a test")
    text = page.read_text(encoding="utf-8")
    assert "<summary>show 6 more</summary>" in text
    assert text.count("<figure>") == 60


def test_a_split_that_was_dealt_is_told_as_one(planted):
    dataset = open_dataset(planted)
    train, val = (int(np.flatnonzero(dataset.splits == split)[0]) for split in (TRAIN, VAL))
    assert told_splits(dataset, [train, val]) == ["train", "val"]
    assert one_split(dataset, [train, val]) == "keep them in one split"
    dealt = replace(dataset, val_dealt=True)
    (fault,) = across_splits(dealt, [Pair(train, val, 0.95, False)])
    assert "in the splits train, val (dealt from train)" in fault.detail
    assert "keep one of them, or deal the set to splits of its own" in fault.fix
    splits = dealt.splits.copy()
    splits[train] = TEST
    (fault,) = across_splits(replace(dealt, splits=splits), [Pair(train, val, 0.95, False)])
    assert "in the splits test, val (dealt from train)" in fault.detail
    assert fault.fix.endswith("keep them in one split")


def test_names_of_files_stay_whole_in_the_table_of_faults(planted, tmp_path, chromium):
    page, dataset = tmp_path / "set.html", open_dataset(planted)
    detail = "the same picture as train/airplane/0470.jpg, in the splits test, train"
    fix = "keep it in one split: a net that has seen a test picture cannot be judged by it"
    faults = [Fault("duplicate-across-splits", "test/airplane/zz_90633883.jpg", detail, fix)]
    write_set_page(page, dataset, faults, Suspects((), (), (), len(dataset), 0), by="a test")
    with chromium.new_page(viewport={"width": 1280, "height": 800}) as opened:
        opened.goto(page.as_uri())
        lines = """cell => { const range = document.createRange(); range.selectNodeContents(cell);
          return new Set([...range.getClientRects()].map(r => r.top)).size; }"""
        assert opened.locator(".faults td.file").evaluate(lines) == 1


def test_shapes_of_pictures_are_drawn_where_they_differ(tmp_path):
    for number, (name, width) in enumerate([("wide", 64), ("wide", 48), ("square", 32)]):
        write_picture(tmp_path / name / f"{number}.png", np.full((32, width, 3), 90, np.uint8))
    dataset, title = open_dataset(tmp_path, deal=False), "What shape pictures are"
    assert title in "".join(section(dataset)["figures"])
    alike = dataset.select([0])
    assert title not in "".join(section(alike)["figures"])


def test_numbers_stay_whole_on_a_narrow_page(planted, tmp_path, chromium):
    page = tmp_path / "set.html"
    dataset = replace(open_dataset(planted), classes=("extraordinarily_round_disc", "square"))
    write_set_page(page, dataset, [], Suspects((), (), (), len(dataset), 0), by="a test")
    with chromium.new_page(viewport={"width": 390, "height": 800}) as opened:
        opened.goto(page.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        lines = """[...document.querySelectorAll("table :is(td, th)")].filter(cell => {
          const range = document.createRange(); range.selectNodeContents(cell);
          return cell.innerText && !/\\s/.test(cell.innerText.trim())
            && new Set([...range.getClientRects()].map(r => r.top)).size > 1;
        }).length"""
        assert opened.evaluate(lines) == 0


def test_other_sets_have_a_page_too(planted, tmp_path, subject_scenes):
    """Masks have no classes to doubt; and too few pictures say nothing."""
    masks = open_dataset(subject_scenes)
    found = suspects(masks)
    assert (found.doubted, found.asked) == ((), 0)
    few = open_dataset(planted).select([0, 1])
    for name, each in (("masks", masks), ("few", few)):
        write_set_page(tmp_path / f"{name}.html", each, [], suspects(each), by="a test")
        text = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert "No label was doubted" in text
    assert "There are too few pictures to tell" in text
    none = replace(few.select([]), splits=np.zeros(0, np.int8))
    assert len(none) == 0


def test_boxes_are_cut_out(tmp_path):
    """Crops of the doubted boxes, of a set that nobody has dealt."""
    random = np.random.default_rng(1)
    rows = []
    for number in range(12):
        picture = random.integers(170, 230, (64, 128, 3)).astype(np.uint8)
        for place, square in enumerate((True, False)):
            picture[:, 64 * place : 64 * place + 64] = _disc(random, square=square)
        write_picture(tmp_path / "images" / f"{number}.png", picture)
        wrong = number == 5
        rows.append([(int(wrong), 0.25), (1, 0.75)])
    for number, boxes in enumerate(rows):
        lines = [f"{label} {x} 0.5 0.5 1" for label, x in boxes]
        file = tmp_path / "labels" / f"{number}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(lines))
    (tmp_path / "classes.txt").write_text("square\ndisc\n")
    page = tmp_path / "boxes.html"
    assert main(["check", str(tmp_path), "--report", str(page)]) in (0, 1)
    text = page.read_text(encoding="utf-8")
    first = text.split("Labels that may be wrong")[1].split("</figure>")[0]
    assert "<b>disc</b>, or square?" in first
    assert "images/5.png" in first
    assert "What shape boxes are" in text
    assert main(["check", str(tmp_path), "--report", str(tmp_path / "page.pdf")]) == 2


def test_a_group_that_strayed_into_a_set_is_odd_too():
    """Pictures of one kind are each other's neighbours, and would vouch for each other."""
    random = np.random.default_rng(0)
    usual = 0.3 * random.normal(size=(400, 16)) + 3 * np.eye(16)[0]
    strays = 0.1 * random.normal(size=(30, 16)) - np.eye(16)[1]
    vectors = np.concatenate([usual, strays]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = odd_ones(vectors, np.arange(430))
    assert {each.picture for each in found[:30]} == set(range(400, 430))
    assert odd_ones(vectors[:2], np.arange(2)) == ()
