"""What the pages' commands find in their folder: small sets, short videos, a net of one's own."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pages import ROOT

from viewfinder.labelling.frames import write_frames
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_map, write_mask, write_picture
from viewfinder.tabletop import (
    CLASSES,
    SceneOptions,
    SplitCounts,
    TurntableOptions,
    render_turntable,
    write_scenes,
)


def photos(folder: Path) -> None:
    """`my-photos/cat/1.jpg` and so on, and one that is new."""
    random = np.random.default_rng(0)
    for name, colour in (("cat", (200, 140, 30)), ("dog", (40, 70, 200)), ("owl", (50, 170, 60))):
        for number in range(1, 15):
            noisy = np.array(colour) + random.normal(0, 40, (48, 48, 3))
            write_picture(
                folder / f"my-photos/{name}/{number}.jpg", noisy.clip(0, 255).astype(np.uint8)
            )
    shutil.copy(folder / "my-photos/cat/1.jpg", folder / "new.jpg")


def boxes(folder: Path, name: str = "my-boxes") -> None:
    """A small COCO set, and a video of its pictures."""
    counts = SplitCounts(train=6, val=2, test=2)
    write_scenes(folder / name, options=SceneOptions(size=96), counts=counts, seed=1, processes=1)
    pictures = sorted((folder / name).rglob("*.jpg")) or sorted((folder / name).rglob("*.png"))
    # As large as the lines and zones that pages draw into it.
    frames = [read_picture(file).repeat(5, 0).repeat(5, 1) for file in pictures[:3]]
    write_video(folder / "clip.mp4", frames, rate=3)


def run_of_photos(folder: Path, small_run: Path) -> None:
    shutil.copytree(small_run, folder / "runs/my-photos-lenet")


def turntables(folder: Path) -> None:
    """Two objects filmed on a stand, and the stand without them."""
    options = TurntableOptions(size=128, noise=1, shadow=0.4)
    for name, seed in (("mug", 4), ("ball", 5)):
        turn = render_turntable(CLASSES.index(name), seed=seed, frames=8, options=options)
        write_video(folder / f"{name}.mp4", turn.frames, rate=2)
        write_picture(folder / f"{name}-empty.png", turn.empty)


def places(folder: Path, name: str) -> None:
    random = np.random.default_rng(1)
    for number in range(3):
        coarse = random.integers(60, 200, (6, 8, 3), np.uint8)
        write_picture(folder / f"{name}/{number}.png", coarse.repeat(20, 0).repeat(20, 1))


def keys(folder: Path) -> None:
    """A video of a square that moves, and boxes in the first and the last frame taken of it."""
    places, frames = [10 + 5 * number for number in range(12)], []
    for x in places:
        picture = np.full((96, 128, 3), 60, np.uint8)
        picture[::4] += 20
        picture[30:60, x : x + 30] = (200, 120, 40)
        picture[36:48, x + 6 : x + 18] = (30, 90, 220)
        frames.append(picture)
    write_video(folder / "walk.mp4", frames, rate=4)
    write_frames([folder / "walk.mp4"], folder / "taken")
    names = sorted(file.name for file in (folder / "taken").glob("*.jpg"))
    shutil.rmtree(folder / "taken")
    images, annotations = [], []
    for index in (0, len(names) - 1):
        x = places[int(names[index].removesuffix(".jpg")[-6:])]
        size = {"width": 128, "height": 96}
        images.append({"id": index + 1, "file_name": names[index], **size})
        box = {"image_id": index + 1, "category_id": 1, "bbox": [x, 30, 30, 30]}
        annotations.append({"id": index + 1, "iscrowd": 0, "area": 900, **box})
    labels = {"images": images, "annotations": annotations}
    labels["categories"] = [{"id": 1, "name": "square"}]
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")


def saliency_onnx(folder: Path) -> None:
    """A network whose map is the mean over the channels."""
    import onnx
    from onnx import TensorProto, helper

    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, "H", "W"])
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["picture", "axes"], ["map"], keepdims=1)],
        "brightness",
        [picture],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, None)],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "u2netp.onnx")


def detector(folder: Path) -> None:
    """`runs/first`, of the boxes there are."""
    import viewfinder

    small = {"size": 64, "epochs": 1, "options": ("width=0.125",), "precision": "32"}
    viewfinder.train("detect", folder / "my-boxes", out=folder / "runs/first", **small)


def maps_of_methods(folder: Path) -> None:
    """`masks`, `data/SET/GT` and `RGB`, `maps/METHOD` and `maps/METHOD/SET`, of two methods."""
    random = np.random.default_rng(0)
    for name in ("SIP", "LFSD"):
        for number in range(3):
            mask = np.zeros((24, 32), bool)
            mask[4 + number : 18, 6 : 20 + number] = True
            for kind in (f"data/{name}/GT", f"data/{name}/RGB", "masks"):
                (folder / kind).mkdir(parents=True, exist_ok=True)
            write_mask(folder / f"data/{name}/GT/{number}.png", mask)
            write_mask(folder / f"masks/{number}.png", mask)
            write_picture(
                folder / f"data/{name}/RGB/{number}.png",
                np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2),
            )
            for method, noise in (("mine", 0.1), ("other", 0.3)):
                values = np.clip(mask + random.normal(0, noise, mask.shape), 0, 1)
                (folder / f"maps/{method}/{name}").mkdir(parents=True, exist_ok=True)
                write_map(folder / f"maps/{method}/{name}/{number}.png", values)
                write_map(folder / f"maps/{method}/{number}.png", values)


def answers_of_methods(folder: Path) -> None:
    """`boxes` in COCO and `found/METHOD.json`; `photos` in class folders and `METHOD.csv`."""
    plain = np.full((48, 48, 3), 90, np.uint8)
    images, boxes = [], []
    for number in range(1, 5):
        write_picture(folder / f"boxes/{number}.jpg", plain)
        write_picture(folder / f"photos/{'cat' if number % 2 else 'dog'}/{number}.jpg", plain)
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 48, "height": 48})
        place = {"image_id": number, "category_id": 1, "bbox": [5, 5, 20, 9 + number]}
        boxes.append({"id": number, "area": 20 * (9 + number), "iscrowd": 0, **place})
    labels = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cup"}]}
    (folder / "boxes/labels.json").write_text(json.dumps(labels), encoding="utf-8")
    (folder / "found").mkdir()
    for method, off in (("mine", 1), ("other", 4)):
        found = [
            {"image_id": n, "category_id": 1, "score": 0.9, "bbox": [5 + off, 5, 20, 9 + n]}
            for n in range(1, 5)
        ]
        (folder / f"found/{method}.json").write_text(json.dumps(found), encoding="utf-8")
        rows = "".join(f"{n}.jpg,{'cat' if n % off else 'dog'}\n" for n in range(1, 5))
        (folder / f"{method}.csv").write_text(f"picture,class\n{rows}", encoding="utf-8")


def recipes(folder: Path, shorter: Callable[[str], str]) -> None:
    for file in sorted((ROOT / "recipes").glob("*.toml")):
        (folder / "recipes").mkdir(exist_ok=True)
        text = shorter(file.read_text(encoding="utf-8"))
        (folder / "recipes" / file.name).write_text(text, encoding="utf-8")


def net_of_my_own(folder: Path) -> None:
    (folder / "mynet.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(),"
        " nn.LazyLinear(2))\n",
        encoding="utf-8",
    )


def script(folder: Path) -> None:
    """A training of one's own, alone and in a folder, as people write it."""
    text = (
        "import sys\n\nimport torch\nfrom torch import nn\n\n"
        "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 2))\n"
        'for _ in range(int(sys.argv[sys.argv.index("--epochs") + 1])):\n'
        "    net(torch.zeros(1, 3, 8, 8)).sum().backward()\n"
    )
    for file in (folder / "train.py", folder / "my-project/train.py"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def script_of_tensors(folder: Path) -> None:
    """Lines outside of any net, the last of which fails."""
    lines = (
        "import torch",
        "pictures = torch.rand(4, 3, 10, 12)",
        "mean = torch.tensor([0.5, 0.5, 0.5])",
        "normal = pictures - mean",
    )
    (folder / "means.py").write_text("\n".join(lines), encoding="utf-8")
