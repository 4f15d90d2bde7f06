"""Every parser of strangers' files: a small real file of each, and what reads it in commands."""

import contextlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import av
import crash_jobs
import numpy as np
import torch
from fuzzing import Parser
from PIL import Image

from viewfinder import nets
from viewfinder.ablation.grid import read_grid
from viewfinder.ablation.running import Gathered
from viewfinder.cli import check, classes, convert, evaluate
from viewfinder.datasets.depth import read_scale
from viewfinder.datasets.editing.transaction import recover, take_back
from viewfinder.datasets.frame_list import FrameOrigin, read_frame_list, write_frame_list
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.inference.opening import open_model
from viewfinder.inference.predict import find_pictures, predict
from viewfinder.inference.thresholds import threshold_of
from viewfinder.labelling.accepting import accept
from viewfinder.labelling.proposals import read_proposals
from viewfinder.nets.checkpoints import load_matching
from viewfinder.nets.darknet import load_weights, read_config, write_weights
from viewfinder.nets.weight_files import read_weights
from viewfinder.pictures.arrays import read_array
from viewfinder.pictures.kinds import source_of
from viewfinder.pictures.reading import read_depth, read_instances, read_mask, read_picture
from viewfinder.pictures.video import read_video
from viewfinder.pictures.video_writing import write_video
from viewfinder.runs.pictures import read_pictures
from viewfinder.runs.run import open_run
from viewfinder.tasks.classify.heads import LinearHead
from viewfinder.tasks.detect.class_names import names_of
from viewfinder.tasks.detect.opinion.second import Opinion, read_opinion, write_opinion
from viewfinder.tasks.figures import Score
from viewfinder.tasks.model import Model
from viewfinder.training.progress import TrainingProgress
from viewfinder.training.resuming import same_run

CPU = torch.device("cpu")
SMALL = {"classes": 3, "width": 0.125}

Make = Callable[[Path], object]


def in_turn(*steps: Callable[[Path], object]) -> Make:
    def make(folder: Path) -> None:
        for step in steps:
            step(folder)

    return make


# Data sets.


def look(folder: Path) -> None:
    """What `check` and `classes` do."""
    check.run(check.Flags(str(folder / "set")))
    classes.run(classes.Flags(str(folder / "set")))


def look_and_convert(layout: str) -> Make:
    def both(folder: Path) -> None:
        look(folder)
        data = (str(folder / "set"), str(folder / "out"))
        convert.run(convert.Flags(data, layout))  # type: ignore[arg-type]

    return both


def outlines(folder: Path) -> None:
    """Polygons, run lengths and crowds."""
    crash_jobs.coco(folder)
    file = folder / "set/annotations/instances_train.json"
    document = json.loads(file.read_text())
    first, second, third, *_ = document["annotations"]
    first["segmentation"] = [[1, 1, 4, 1, 4, 5.5]]
    second |= {"segmentation": {"size": [16, 20], "counts": [10, 5, 305]}, "iscrowd": 1}
    third |= {"area": 12.0, "segmentation": []}
    file.write_text(json.dumps(document))


def class_list(folder: Path) -> None:
    (folder / "set/classes.txt").write_text("cat\ndog\ncow\n")


def darknet_lists(folder: Path) -> None:
    crash_jobs.converted("yolo")(folder)
    root = folder / "set"
    for file in [*root.rglob("*.yaml"), *root.rglob("*.txt")]:
        if file.parent == root:
            file.unlink()
    (root / "obj.names").write_text("cat\ndog\ncow\n")
    for side in ("train", "val"):
        pictures = sorted((root / "images" / side).glob("*"))
        (root / f"{side}.txt").write_text("".join(f"images/{side}/{p.name}\n" for p in pictures))
    (root / "obj.data").write_text(
        "classes = 3\ntrain = train.txt\nvalid = val.txt\nnames = obj.names\nbackup = backup/\n"
    )


def proposed(folder: Path) -> None:
    crash_jobs.proposed(folder)


def accepted(folder: Path) -> None:
    crash_jobs.proposed(folder)
    accept(folder / "set", above=0.5)


def cut_short(folder: Path) -> None:
    """An edit that a kill left to be finished."""
    accepted(folder)
    for done in (folder / "set/.viewfinder/edits").glob("*.done"):
        done.rename(done.with_suffix(".undo"))


def read_proposed(folder: Path) -> None:
    read_proposals(folder / "set")
    accept(folder / "set", above=0.5)


def undo(folder: Path) -> None:
    recover(folder / "set")
    take_back(folder / "set", verb="propose")


def frames(folder: Path) -> None:
    origins = {f"{n}.png": FrameOrigin("a.mp4", n, n / 25) for n in range(3)}
    write_frame_list(folder, origins)


# Runs and weights.


TRAINED: dict[str, tuple[Make, tuple[str, ...]]] = {
    "classify": (crash_jobs.folders, crash_jobs.CLASSIFY),
    "detect": (crash_jobs.coco, crash_jobs.DETECT),
    "saliency": (crash_jobs.scenes, crash_jobs.SALIENCY),
    "folds": (lambda folder: crash_jobs.folders(folder, count=6), crash_jobs.CLASSIFY),
}


@cache
def trained(task: str = "classify") -> Path:
    """A run's folder, `run`, beside what it learnt, `set`."""
    place = Path(tempfile.mkdtemp())
    make, words = TRAINED[task]
    more = ("--folds", "2") if task == "folds" else ()
    with contextlib.chdir(place), contextlib.redirect_stderr(io.StringIO()):
        make(place)
        crash_jobs.quietly("train", *words, "--out", "run", *more)
    for folder in place.glob("run/**/tensorboard"):
        shutil.rmtree(folder)
    return place


def run_of(task: str) -> Make:
    def copy(folder: Path) -> None:
        for name in ("run", "set"):
            shutil.copytree(trained(task) / name, folder / name)

    return copy


run_folder = run_of("classify")


def resume_folds(folder: Path) -> None:
    from viewfinder.training.folds import train_in_folds

    recipe = open_run(trained("folds") / "run").manifest.recipe
    with contextlib.chdir(folder):
        train_in_folds("classify", "set", recipe, folds=2, out="run", resume=True)


def answer_and_score(folder: Path) -> None:
    evaluate.run(evaluate.Flags(str(folder / "run"), str(folder / "set"), device="cpu", json=True))


def best_thresholds_of(folder: Path) -> None:
    run = open_run(folder / "run")
    threshold_of(run.model, "best", run)
    same_run(folder / "run", open_dataset(folder / "set"), run.manifest.recipe)


def answer_json(model: Model, picture: Path) -> None:
    found = [each.as_json(model.config.classes) for each in predict(model, picture, device=CPU)]
    json.dumps(found, allow_nan=False)


def answer(folder: Path) -> None:
    picture = next((folder / "set/val").rglob("*.png"))
    answer_json(open_model(folder / "run"), picture)


def history(folder: Path) -> None:
    run = open_run(folder / "run")
    run.history()
    run.keep_history(1)


def gather(folder: Path) -> None:
    score = Score("accuracy", higher_is_better=True)
    Gathered(score).add(open_run(folder / "run"))


def progress(folder: Path) -> None:
    text = json.dumps(
        TrainingProgress(epoch=1, updates=4, sums={"loss": 1.5}, seen=9).as_json(seconds=3.5)
    )
    (folder / "progress.json").write_text(text)


def read_progress(folder: Path) -> None:
    try:
        TrainingProgress.from_json(json.loads((folder / "progress.json").read_bytes()))
    except (ValueError, RecursionError) as error:  # what is told of the whole file then
        raise InputError("is damaged") from error


def resume(folder: Path) -> None:
    from viewfinder.api import train

    manifest = open_run(folder / "run").manifest
    fields = manifest.recipe.as_json()
    with contextlib.chdir(folder):
        train(manifest.task, "set", out="run", resume=True, **fields)


def checkpoint(folder: Path) -> None:
    torch.manual_seed(0)
    state = nets.create("lenet", classes=3).state_dict()
    torch.save({"state_dict": state, "epoch": 3}, folder / "a.pth")
    torch.save(state, folder / "b.pth", _use_new_zipfile_serialization=False)


def read_checkpoint(folder: Path) -> None:
    net = nets.create("lenet", classes=3)
    for file in sorted(folder.glob("*.pth")):
        load_matching(net, read_weights(file, net))


def darknet(folder: Path) -> None:
    from nets.test_darknet_config import tiny_text

    torch.manual_seed(0)
    write_weights(nets.create("yolov3-tiny", **SMALL), folder / "a.weights")
    (folder / "a.cfg").write_text(tiny_text(3))
    (folder / "a.names").write_text("cat\ndog\ncow\n")


def read_darknet(folder: Path) -> None:
    config = read_config(folder / "a.cfg")
    names_of(folder / "a.weights", config.classes)
    load_weights(nets.create("yolov3-tiny", **SMALL), folder / "a.weights")


@cache
def exported() -> bytes:
    from viewfinder.inference.export import export_onnx

    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stderr(io.StringIO()):
        run = open_run(trained() / "run")
        files = find_pictures(trained() / "set/val")
        export_onnx(run.model, Path(place) / "a.onnx", pictures=files)
        return (Path(place) / "a.onnx").read_bytes()


def onnx_file(folder: Path) -> None:
    (folder / "a.onnx").write_bytes(exported())
    Image.fromarray(np.zeros((16, 20, 3), np.uint8)).save(folder / "b.png")


def answer_onnx(folder: Path) -> None:
    answer_json(open_model(folder / "a.onnx"), folder / "b.png")


# Pictures, maps and videos.


def pictures(folder: Path) -> None:
    from pictures.test_hostile_files import samples

    for kind, data in samples().items():
        (folder / f"{kind.replace(' ', '-')}.jpg").write_bytes(data)


def read_pictures_(folder: Path) -> None:
    # All but the mutated one are as they were: that one alone is read.
    clean = _clean_pictures()
    for file in sorted(folder.iterdir()):
        data = file.read_bytes() if file.is_file() else b""
        if data != clean[file.name]:
            source_of(file)
            for read in (read_picture, read_depth, read_mask, read_instances):
                read(file)


@cache
def _clean_pictures() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        pictures(Path(place))
        return {file.name: file.read_bytes() for file in Path(place).iterdir()}


def arrays(folder: Path) -> None:
    from pictures.test_arrays import mat, matrix

    values = np.arange(48, dtype=np.float32).reshape(6, 8)
    np.save(folder / "a.npy", values)
    (folder / "b.mat").write_bytes(mat(matrix(values.astype(np.uint16))))


def read_arrays(folder: Path) -> None:
    read_array(folder / "a.npy")
    read_array(folder / "b.mat")


def depth_words(folder: Path) -> None:
    (folder / "depth.toml").write_text(
        "near_is_bright = true\nlowest = 400\nhighest = 9000.5\nmissing = 0\n"
    )


def read_depth_words(folder: Path) -> None:
    scale = read_scale(folder / "depth.toml")
    scale.apply(np.arange(48, dtype=np.uint16).reshape(6, 8) * 300)


# Containers of all kinds, and codecs that FFmpeg itself encodes.
VIDEOS = {
    "mov": ("mov", "mpeg4"),
    "avi": ("avi", "mpeg4"),
    "mkv": ("matroska", "mpeg4"),
    "webm": ("webm", "libvpx-vp9"),
    "wmv": ("asf", "wmv2"),
    "flv": ("flv", "flv"),
    "ts": ("mpegts", "mpeg2video"),
    "mpg": ("mpeg", "mpeg1video"),
    "m2v": ("mpeg2video", "mpeg2video"),
    "y4m": ("yuv4mpegpipe", "rawvideo"),
    "gif": ("gif", "gif"),
    "mjpeg": ("mjpeg", "mjpeg"),
}


def video(folder: Path) -> None:
    steps = [np.full((48, 64, 3), 20 * n, np.uint8) for n in range(8)]
    write_video(folder / "a.mp4", steps, rate=12)


def videos(folder: Path) -> None:
    steps = [np.random.default_rng(n).integers(0, 256, (48, 64, 3), np.uint8) for n in range(8)]
    for suffix, (container, codec) in VIDEOS.items():
        if codec not in av.codecs_available:
            continue
        with av.open(str(folder / f"a.{suffix}"), "w", format=container) as out:
            stream = out.add_stream(codec, rate=25)
            stream.width, stream.height = 64, 48
            stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(suffix, "yuv420p")
            for step in steps:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(step, format="rgb24")))
            out.mux(stream.encode(None))


def read_videos(folder: Path) -> None:
    # All but the mutated one are as they were: that one alone is read.
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.read_bytes() != _clean_videos().get(file.name):
            source_of(file)
            for _ in read_video(file):
                pass


@cache
def _clean_videos() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        videos(Path(place))
        return {file.name: file.read_bytes() for file in Path(place).iterdir()}


def grid(folder: Path) -> None:
    crash_jobs.grid(folder)


def opinion(folder: Path) -> None:
    layer = LinearHead(np.arange(24.0).reshape(3, 8), np.zeros(3))
    write_opinion(folder, Opinion(layer, np.arange(3), 0.5, "features", ("a", "b", "c")))


def read_a_grid(folder: Path) -> None:
    with contextlib.chdir(folder):
        read_grid("grid.toml")


PARSERS = [
    Parser("COCO", outlines, "set/annotations/*.json", look_and_convert("voc"), json=0),
    Parser("COCO outlines", outlines, "set/annotations/*train.json", look_and_convert("coco"), 0),
    Parser("YOLO data.yaml", crash_jobs.converted("yolo"), "set/*.yaml", look),
    Parser("YOLO labels", crash_jobs.converted("yolo"), "set/labels/*/*", look_and_convert("coco")),
    Parser("YOLO obj.data", darknet_lists, "set/*.[dnt]*", look),
    Parser("VOC pages", crash_jobs.converted("voc"), "set/Annotations/*", look_and_convert("yolo")),
    Parser("VOC lists", in_turn(crash_jobs.converted("voc"), class_list), "set/**/*.txt", look),
    Parser("rendered set's CSV", crash_jobs.scenes, "set/*.csv", look),
    Parser("proposals.json", proposed, "set/.viewfinder/proposals.json", read_proposed, json=0),
    Parser("edit.json, done", accepted, "set/.viewfinder/edits/*/edit.json", undo, json=0),
    Parser("edit.json, cut short", cut_short, "set/.viewfinder/edits/*/edit.json", undo, json=0),
    Parser("frames.json", frames, "frames.json", read_frame_list, json=0),
    Parser("run.json", run_folder, "run/run.json", answer, json=0),
    Parser("run.json, detect", run_of("detect"), "run/run.json", answer_and_score, json=0),
    Parser("run.json, saliency", run_of("saliency"), "run/run.json", answer_and_score, json=0),
    Parser("history.csv, resumed", run_folder, "run/history.csv", resume),
    Parser("pictures.csv, scored", run_of("detect"), "run/pictures.csv", answer_and_score),
    Parser(
        "scores.json, thresholds", run_of("detect"), "run/scores.json", best_thresholds_of, json=0
    ),
    Parser("state.ckpt, detect", run_of("detect"), "run/state.ckpt", resume),
    Parser("folds.json", run_of("folds"), "run/folds/folds.json", resume_folds, json=0),
    Parser("runs of folds", run_of("folds"), "run/folds/*/*.[cj]s*", resume_folds, json=0),
    Parser(
        "weights, detect", run_of("detect"), "run/weights.safetensors", answer_and_score, json=8
    ),
    Parser(
        "weights, saliency", run_of("saliency"), "run/weights.safetensors", answer_and_score, json=8
    ),
    Parser("history.csv", run_folder, "run/history.csv", history),
    Parser("pictures.csv", run_folder, "run/pictures.csv", lambda f: read_pictures(f / "run")),
    Parser("scores.json", run_folder, "run/scores.json", gather, json=0),
    Parser("state.ckpt", run_folder, "run/state.ckpt", resume),
    Parser("state.ckpt, progress", progress, "progress.json", read_progress, json=0),
    Parser("weights.safetensors", run_folder, "run/weights.safetensors", answer, json=8),
    Parser(
        "second opinion",
        opinion,
        "opinion.safetensors",
        lambda f: read_opinion(f, ("a", "b", "c")),
        json=8,
    ),
    Parser(".pth", checkpoint, "*.pth", read_checkpoint),
    Parser("Darknet .cfg, .names", darknet, "a.[cn]*", read_darknet),
    Parser("Darknet .weights", darknet, "a.weights", read_darknet),
    Parser("ONNX", onnx_file, "a.onnx", answer_onnx),
    Parser("pictures", pictures, "*", read_pictures_),
    Parser(".npy, .mat", arrays, "*", read_arrays),
    Parser("depth.toml", depth_words, "depth.toml", read_depth_words),
    Parser("videos", video, "a.mp4", read_videos),
    Parser("videos of other kinds", videos, "a.*", read_videos),
    Parser("ablation TOML", grid, "grid.toml", read_a_grid),
]
# Of what is slow to read there are fewer mutations.
WEIGHTS = {
    "rendered set's CSV": 1,
    "state.ckpt": 1,
    "Darknet .weights": 1,
    "Darknet .cfg, .names": 2,
    "videos": 2,
    **dict.fromkeys(("run.json, detect", "run.json, saliency", "weights, detect"), 2),
    **dict.fromkeys(("weights, saliency", "pictures.csv, scored", "history.csv, resumed"), 1),
    **dict.fromkeys(("state.ckpt, detect", "folds.json", "runs of folds"), 1),
}
