"""Every block of commands and of Python on README and docs is run as it stands there.

Those of one page in order, in one folder, with small sets where a reader has sets of their own.
"""

import re
import shutil
from collections import Counter

import page_material as material
import pytest
from pages import PAGES, ROOT, Shorter, blocks, run_page

from viewfinder.datasets.opening import read_boxes

BY_NAME = {page.name: page for page in PAGES}
# All that differs from what stands on the pages.
SHORTER = {
    "README.md": Shorter(
        flags={
            "uv run viewfinder train classify my-photos --net lenet": "--epochs 1 --precision 32",
            "uv run viewfinder train detect my-boxes --size 320 --minutes 8": (
                "--size 96 --minutes 0.01 --precision 32"
            ),
        },
        text={'out="runs/first"': 'out="runs/first", epochs=1, size=32, precision="32"'},
    ),
    "a2dele.md": Shorter(
        flags={
            "viewfinder render scenes --kind scenes --subject True --unreliable-depth 0.3": (
                "--train 4 --val 2 --test 2 --size 64 --processes 1"
            ),
            "viewfinder train saliency scenes --net a2dele-depth --out runs/teacher": (
                "--size 64 --epochs 1 --precision 32"
            ),
            "viewfinder train saliency scenes --net a2dele-lite0 --teacher runs/teacher --out "
            "runs/student": ("--size 64 --epochs 1 --precision 32"),
        },
        text={
            "seeds = 5": "seeds = 1",
            "epochs = 15": "epochs = 1",
            'teacher_weight = [0.0, 0.5, 1.0, "adaptive"]': 'teacher_weight = ["adaptive"]',
            'attention = ["none", "plain", "dilated"]': 'attention = ["dilated"]',
        },
    ),
    "ablation.md": Shorter(
        flags={},
        text={
            "seeds = [0, 1, 2, 3, 4]": "seeds = [0, 1]",
            "epochs = 30": "epochs = 1",
            "learning_rate = [0.02, 0.05, 0.1]": "learning_rate = [0.05]",
            "balanced = [false, true]": "balanced = [false]",
        },
    ),
    "detection.md": Shorter(
        flags={
            "viewfinder train detect my-boxes --size 320 --minutes 8": (
                "--size 96 --minutes 0.01 --precision 32"
            ),
            "viewfinder train detect my-boxes --tiles 416 --out runs/tiled": (
                "--size 96 --epochs 1 --precision 32"
            ),
            "viewfinder train detect my-boxes --second-opinion": (
                "--size 96 --epochs 1 --precision 32"
            ),
        },
        text={},
    ),
    "doctor.md": Shorter({}, {}),
    "explain.md": Shorter(
        flags={
            "viewfinder explain lenet --shift 8 --compare --html pooling.html": (
                "--shift 1 --seeds 1 --epochs 1"
            ),
        },
        text={},
    ),
    "few-labels.md": Shorter(
        flags={
            "viewfinder train classify my-photos": "--size 64",
            "viewfinder train classify my-photos --head full": (
                "--size 64 --epochs 1 --precision 32"
            ),
        },
        text={},
    ),
    "labelling.md": Shorter(
        flags={
            "viewfinder compose captures scenes --count 1000 --backgrounds places": (
                "--count 6 --processes 1"
            ),
            "viewfinder train detect scenes": "--size 96 --epochs 1 --precision 32",
            "viewfinder train detect my-boxes --compose captures --compose-share 0.5 "
            "--backgrounds places": "--size 96 --epochs 1 --precision 32",
        },
        text={},
    ),
    "many-machines.md": Shorter(
        flags={
            f"viewfinder train detect my-boxes --device cpu{more}": (
                "--size 96 --epochs 1 --precision 32"
            )
            for more in (" --out runs/one", " --devices 2 --out runs/two")
        },
        text={},
    ),
    "scores.md": Shorter(flags={}, text={}),
    "scoring.md": Shorter(flags={}, text={}),
    "why.md": Shorter(flags={}, text={}),
}


def to_run(page):
    return [
        block
        for block in blocks(page)
        if block.kind in ("sh", "console", "python") and not block.not_run
    ]


def prepare(page, folder, shorter, small_run):
    """What the page's reader has already."""
    if page == "README.md":
        material.photos(folder)
        material.boxes(folder)
    elif page == "a2dele.md":
        material.places(folder, "photos")
        material.recipes(folder, shorter.of_text)
    elif page in ("ablation.md", "few-labels.md"):
        material.photos(folder)
    elif page == "many-machines.md":
        material.boxes(folder)
    elif page == "detection.md":
        material.boxes(folder)
        shutil.copy(min((folder / "my-boxes").rglob("*.png")), folder / "large.png")
    elif page == "explain.md":
        material.net_of_my_own(folder)
        material.script_of_tensors(folder)
        material.script(folder)
        material.run_of_photos(folder, small_run)
    elif page == "why.md":
        material.photos(folder)
        material.run_of_photos(folder, small_run)
    elif page == "doctor.md":
        material.script(folder)
    elif page == "labelling.md":
        material.turntables(folder)
        material.boxes(folder)
        material.places(folder, "places")
        material.places(folder, "photos")
        shutil.copy(min((folder / "photos").iterdir()), folder / "odd.jpg")
        material.keys(folder)
        material.saliency_onnx(folder)
        material.detector(folder)
    elif page == "scores.md":
        material.boxes(folder)
        material.detector(folder)
        (folder / "runs/first").rename(folder / "runs/my-boxes-yolov3-tiny")
        material.photos(folder)
        material.run_of_photos(folder, small_run)
        shutil.copytree(folder / "my-photos/cat", folder / "new")
    elif page == "scoring.md":
        material.maps_of_methods(folder)
        material.answers_of_methods(folder)
        material.photos(folder)
        for name in ("first", "second"):
            shutil.copytree(small_run, folder / "runs" / name)


# What is there when a page's last command is done.
LEFT = {
    "README.md": ["runs/my-photos-lenet/report.html", "drawn/clip.mp4", "runs/first/report.html"],
    "a2dele.md": ["cut-out/0.png", "runs/A2dele-*/report.html"],
    "ablation.md": ["runs/grid/report.html"],
    "detection.md": ["drawn/clip.mp4", "found.json", "found.csv", "followed/clip.mp4"],
    "doctor.md": ["doctor.html"],
    "explain.md": ["net.html", "shift.html", "pooling.html"],
    "few-labels.md": ["runs/my-photos-efficientnet-lite0/report.html"],
    "labelling.md": ["look.png", "runs/scenes-yolov3-tiny/report.html"],
    "many-machines.md": ["runs/one/report.html", "runs/two/report.html"],
    "scores.md": [],
    "scoring.md": ["comparison/report.html", "comparison/table.tex", "comparison/figures/*.pdf"],
    "why.md": ["why.html", "reasons.html", "occluded.html", "maps/01-*-1.png"],
}


@pytest.mark.parametrize("name", [page.name for page in PAGES if to_run(page)])
def test_the_blocks_of_a_page_do_what_they_say(ask, tmp_path, monkeypatch, small_run, name):
    shorter = SHORTER[name]
    monkeypatch.chdir(tmp_path)
    # As wide as what is printed into a file is.
    monkeypatch.delenv("COLUMNS", raising=False)
    prepare(name, tmp_path, shorter, small_run)
    done = run_page(BY_NAME[name], ask, shorter)
    assert set(shorter.flags) <= set(done)
    assert [file for file in LEFT[name] if not list(tmp_path.glob(file))] == []
    if name == "labelling.md":
        for made in ("captures", "scenes"):
            counts = read_boxes(tmp_path / made).counts()
            assert set(counts) == {"mug", "ball"}
            assert min(counts.values()) >= 1


def test_all_but_the_marked_blocks_are_run():
    unrun = Counter(page.name for page in PAGES for block in blocks(page) if block.not_run)
    assert unrun == {"README.md": 1, "many-machines.md": 4, "why.md": 1}
    assert {page.name for page in PAGES if to_run(page)} == set(SHORTER) == set(LEFT)


def test_nothing_is_made_shorter_that_is_not_there():
    """Each piece that is replaced stands on its page, or in the recipe that the page trains."""
    recipes = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("recipes/*.toml"))
    for name, shorter in SHORTER.items():
        there = "".join(block.text for block in to_run(BY_NAME[name]))
        there += "".join(block.text for block in blocks(BY_NAME[name]) if block.kind == "toml")
        if name == "a2dele.md":
            there += recipes
        assert [piece for piece in (*shorter.flags, *shorter.text) if piece not in there] == []


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("viewfinder train classify a --epochs 3", "--epochs 4"),
        ("viewfinder train classify a", "--net lenet"),
        ("viewfinder train classify a --precision 16", "--precision 32"),
    ],
)
def test_what_makes_a_command_another_is_no_shortening(line, flags):
    with pytest.raises(AssertionError, match="train classify a"):
        Shorter({line: flags}, {}).of_command(line)


@pytest.mark.parametrize(
    ("piece", "short"),
    [
        ("epochs = 3", "epochs = 4"),
        ("epochs = 3", "seeds = 1"),
        ("x = [1, 2]", "x = [3]"),
        ("a", "a, net='vgg16'"),
    ],
)
def test_what_makes_a_text_another_is_no_shortening(piece, short):
    with pytest.raises((AssertionError, ValueError)):
        Shorter({}, {piece: short}).of_text(piece)


def test_what_the_pages_name_is_in_the_project():
    """Benchmarks, recipes, scripts and pages: each is there under its name."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"\b((?:benchmarks|recipes|scripts|tests)/[\w/-]+(?:\.\w+)?)", text)
        assert [name for name in named if not (ROOT / name).exists()] == [], page.name
        links = re.findall(r"\]\((?!http)([^)#]+)", re.sub(r"`[^`\n]*`|\|.*\|", "", text))
        assert [link for link in links if not (page.parent / link).exists()] == [], page.name
