"""The commands that `crashing` kills, each with a small set: `crash_jobs.py [NAME[=POINTS]…]`.

All whose names begin with NAME, everything if there is no NAME. POINTS is how many, spread evenly,
or, with colons, which of all of them as a slice: `600:` from there on, `1::2` every second.

Prints a line of JSON for each job: its file operations, the points tried, and what went wrong.
"""

import contextlib
import importlib
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from crashing import Job, enumerate_crashes
from matplotlib.figure import Figure

from viewfinder.cli.main import main
from viewfinder.pictures.writing import write_mask, write_picture

CLASSES = ("cat", "dog", "cow")
RECORDS = r"\.viewfinder/edits/[^/]*/edit\.json$"
RUN = r"(run\.json|scores\.json|history\.csv|report\.html|tensorboard.*|state\.ckpt|cache/.*)$"


def picture(number: int, size: tuple[int, int] = (20, 16)) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)


def quietly(*words: str) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        assert main(list(words)) == 0


def coco(root: Path) -> None:
    """Two sides of two pictures, a box of each class in each; `set/`."""
    for side in ("train", "val"):
        images = [
            {"id": n, "file_name": f"{side}{n}.png", "width": 20, "height": 16} for n in (1, 2)
        ]
        boxes = [
            {"id": 3 * image + n, "image_id": image, "category_id": n, "bbox": [n, image, 3, 4]}
            for image in (1, 2)
            for n in (1, 2, 3)
        ]
        kinds = [{"id": n, "name": name} for n, name in enumerate(CLASSES, 1)]
        file = root / f"set/annotations/instances_{side}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        document = {"images": images, "annotations": boxes, "categories": kinds}
        file.write_text(json.dumps(document))
        for image in images:
            number = image["id"] + 2 * (side == "val")
            write_picture(root / "set" / "images" / image["file_name"], picture(number))


def converted(layout: str):
    def make(root: Path) -> None:
        coco(root / "from")
        quietly("convert", str(root / "from/set"), str(root / "set"), "--to", layout)

    return make


def folders(root: Path, *, count: int = 2) -> None:
    for side in ("train", "val"):
        for number, name in enumerate(CLASSES):
            for index in range(count):
                colour = np.uint8(picture(index) // 4 + 60 * number)
                write_picture(root / "set" / side / name / f"{index}.png", colour)


def edited(make, *words: str):
    """A set after an edit."""

    def both(root: Path) -> None:
        make(root)
        quietly(words[0], str(root / "set"), *words[1:])

    return both


def proposed(root: Path) -> None:
    """Pictures of which one is labelled, with proposals for all."""
    from viewfinder.labelling.proposals import Proposals, write_proposals
    from viewfinder.tasks.detect.detections import Detections

    coco(root)
    (root / "set/annotations/instances_val.json").unlink()
    file = root / "set/annotations/instances_train.json"
    document = json.loads(file.read_text())
    document["annotations"] = document["annotations"][:3]
    file.write_text(json.dumps(document))
    corners = np.array([[1, 1, 9, 9], [2, 2, 8, 9]], np.float64)
    found = Proposals(
        ("images/train1.png", "images/train2.png"),
        np.array([[20, 16], [20, 16]]),
        ("hen",),
        np.array([0, 1]),
        Detections(corners, np.array([0.95, 0.95]), np.array([0, 0])),
        ("plate: x", "plate: x"),
    )
    write_proposals(root / "set", found)


def first_accepted(root: Path) -> None:
    """Proposals for pictures that no file lists yet."""
    proposed(root)
    (root / "set/annotations/instances_train.json").unlink()
    (root / "set/annotations").rmdir()


def captures(root: Path) -> None:
    mask = np.zeros((60, 80), np.bool_)
    mask[15:45, 25:55] = True
    for number, name in enumerate(("cup", "box")):
        shown = np.full((60, 80, 3), 90, np.uint8)
        shown[mask] = (200, 60, 60 * number)
        write_picture(root / "captures" / name / "frames/0.png", shown)
        write_mask(root / "captures" / name / "masks/0.png", mask)
        write_picture(root / f"places/{number}.png", picture(number, (120, 90)))


def video(root: Path) -> None:
    from viewfinder.pictures.video_writing import write_video

    wall = picture(0, (8, 6)).repeat(8, 0).repeat(8, 1)
    frames = []
    for index in range(12):
        frames.append(wall.copy())
        frames[-1][10:26, 2 + 3 * index : 18 + 3 * index] = (240, 220, 30)
    write_video(root / "a.mp4", frames, rate=12)


def save_always() -> None:
    """What is needed to go on is written after every step."""
    from viewfinder.training import loop

    for name in ("_SAVE_EVERY", "SAVE_EVERY"):
        if hasattr(loop, name):
            setattr(loop, name, -1.0)


def scenes(root: Path) -> None:
    words = ("--kind", "scenes", "--train", "6", "--val", "2", "--test", "2")
    quietly(
        "render", str(root / "set"), *words, "--size", "64", "--subject", "True", "--processes", "1"
    )


def trained(root: Path) -> None:
    folders(root)
    os.chdir(root)
    quietly("train", *CLASSIFY, "--out", "run")


def grid(root: Path) -> None:
    folders(root)
    text = 'task = "classify"\ndata = "set"\nseeds = 1\n[grid]\nlearning_rate = [0.01, 0.02]\n'
    text += '[base]\nnet = "lenet"\nepochs = 1\nprecision = "32"\nkeep = "memory"\nsize = 32\n'
    (root / "grid.toml").write_text(text)


def small_demo() -> None:
    from viewfinder.cli import demo
    from viewfinder.demo.setting import DemoSetting

    small = DemoSetting(things=1, turn=3, frames=3, composed=16, unseen=4, size=128, epochs=1)
    demo._SETTING = small
    # Drawing curves takes a third of the time, and writes no file.
    Figure.savefig = lambda figure, out, **_: out.write("<svg></svg>")


COMMON = ("--epochs", "2", "--batch", "4", "--precision", "32", "--device", "cpu")
CLASSIFY = ("classify", "set", "--net", "lenet", "--size", "32", *COMMON)
DETECT = ("detect", "set", "--size", "64", "--init", "random", *COMMON)
SALIENCY = ("saliency", "set", "--size", "64", *COMMON)

ACCEPT = ("propose", "--accept-above", "0.9")
COMPOSE = ("captures", "out", "--backgrounds", "places", "--count", "3", "--size", "96", "64")
RENDER = ("out", "--kind", "classes", "--train", "1", "--val", "1", "--test", "1", "--size", "32")
ALONE = ("--processes", "1")

OTHERS = ("matplotlib.pyplot", "torch.utils.tensorboard")
LEARNING = ("train", "ablate", "demo", "export", "predict")

LAYOUTS = {"coco": coco, "yolo": converted("yolo"), "voc": converted("voc"), "folders": folders}
EDITS = {
    "rename": ("rename", "cat", "lion"),
    "merge": ("merge", "cat", "dog", "pet"),
    "drop": ("drop", "cat"),
}


def training(name: str, make, words) -> Job:
    command = ("train", *words, "--out", "run")
    return Job(
        name,
        make,
        command,
        again=(*command, "--resume"),
        loose=RUN,
        ignored=r"^cache|tensorboard",
        patch=save_always,
    )


JOBS = [
    *(
        Job(
            f"classes-{layout}-{edit}",
            make,
            ("classes", "set", *words, "--yes"),
            look=("classes", "set"),
            loose=RECORDS,
        )
        for layout, make in LAYOUTS.items()
        for edit, words in EDITS.items()
    ),
    *(
        Job(
            f"take-back-{layout}-{edit}",
            edited(make, "classes", *words, "--yes"),
            ("classes", "set", "--take-back"),
            look=("classes", "set"),
        )
        for layout, make in LAYOUTS.items()
        for edit, words in EDITS.items()
    ),
    *(
        Job(name, make, ("propose", "set", *ACCEPT[1:]), loose=RECORDS)
        for name, make in (("accept", proposed), ("accept-first", first_accepted))
    ),
    *(
        Job(
            name,
            edited(make, "propose", "--accept-above", "0.9"),
            ("propose", "set", "--take-back"),
        )
        for name, make in (("unaccept", proposed), ("unaccept-first", first_accepted))
    ),
    Job("convert", coco, ("convert", "set", "out", "--to", "voc")),
    Job("convert-copy", coco, ("convert", "set", "out", "--to", "yolo", "--copy")),
    Job("compose", captures, ("compose", *COMPOSE, *ALONE)),
    Job("frames", video, ("frames", "a.mp4", "out", "--every", "0.25")),
    Job("render", lambda root: None, ("render", *RENDER, *ALONE)),
    Job("export", trained, ("export", "run", "--pictures", "set/val"), ignored="tensorboard"),
    Job("predict", trained, ("predict", "run", "set/val", "--out", "drawn")),
    training("train-classify", folders, CLASSIFY),
    training("train-detect", coco, DETECT),
    training("train-saliency", scenes, SALIENCY),
    Job(
        "ablate",
        grid,
        ("ablate", "grid.toml", "--out", "grid"),
        loose=r"(log|csv|json|html|ckpt|lock)$",
        ignored="tensorboard",
        patch=save_always,
    ),
    Job(
        "demo",
        lambda root: None,
        ("demo", "--out", "demo", "--epochs", "1"),
        loose=r"demo/run/|json$|html$",
        ignored="tensorboard|state.ckpt",
        patch=small_demo,
    ),
]


def import_slow(*, learning: bool) -> None:
    """What every command would else import anew."""
    names = ["datasets.editing.classes", "datasets.converting", "labelling.accepting"]
    if learning:
        names += ["inference.drawing", "inference.export", "ablation.running", "training.train"]
        names += ["tasks.classify.task", "tasks.detect.task", "tasks.saliency.task"]
    for name in (*(f"viewfinder.{name}" for name in names), *(OTHERS if learning else ())):
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as place:
        coco(Path(place))
        quietly("classes", f"{place}/set")


def run_all(words: list[str]) -> None:
    wanted = [word.partition("=") for word in words] or [("", "", "")]
    chosen = [
        (job, points) for name, _, points in wanted for job in JOBS if job.name.startswith(name)
    ]
    import_slow(learning=any(job.name.startswith(LEARNING) for job, _ in chosen))
    with tempfile.TemporaryDirectory() as scratch:
        for number, (job, points) in enumerate(chosen):
            most = int(points) if points and ":" not in points else None
            ends = points.split(":") if ":" in points else [""]
            part = slice(*(int(end) if end else None for end in ends))
            outcome = enumerate_crashes(job, Path(scratch) / str(number), most=most, part=part)
            print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    run_all(sys.argv[1:])
