"""A second opinion on classes: what features of ImageNet say of each object that was found.

What a detector of few labels confuses are classes: it has seen a dozen mugs, where a net that has
seen ImageNet knows how things look in general. So the crop around each object is described by that
net (`features`), a linear layer learnt from the labelled crops names its class, and both are mixed:

    score of a class ∝ (detector's score)^(1 − w) · (layer's probability)^w,

where w was fitted on held-out pictures (`opining.py`), and all classes of an object share what the
detector gave them together: a second opinion changes what an object is, not whether it is there.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from viewfinder.errors import InputError
from viewfinder.features.installed import installed_extractor
from viewfinder.features.vectors import Extractor, described
from viewfinder.files import write_bytes
from viewfinder.pictures.geometry import BoxArray, Matrix, iou, scaling, translation
from viewfinder.pictures.resampling import resample
from viewfinder.reading import read_bytes, refuse_special
from viewfinder.tasks.classify.heads import Floats, Labels, LinearHead, softmax
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.run_files import SCORES
from viewfinder.values import as_table

OPINION = "second_opinion"
"""The name of a model's habit that holds its `Opinion`."""
FILE = "opinion.safetensors"
"""The file in a run's folder that keeps it."""

IN_ANSWERS = "a second opinion on classes is in these answers"
"""What is said of a run that has one."""

_TOLD = "opinion"

SIDE = 96
"""Of a crop, in pixels."""
# How much larger a crop is than its object.
_ROOM = 1.25
_FILL = 127
# Crops at a time: 4 ms of a core each, where they take 8 one by one.
_BATCH = 16
# Boxes that overlap more than this are of one object, whatever classes they have.
_SAME = 0.6
# Objects of a picture that are judged, at most: the best.
_MOST = 40
LEAST = 0.1
"""The score of an object from which on it is judged."""
# What a class has that the detector does not mention, and below which nothing is added.
_UNMENTIONED, _ADDED = 1e-3, 0.01


@dataclass(frozen=True, eq=False)
class Opinion:
    """What names the class of a crop, and how much that counts.

    Attributes:
        layer: K×D, of the crop's features.
        known: K class indices that it tells apart; other classes keep their scores.
        weight: its share beside the detector, above 0, to 1.
        features: the name of the extractor whose vectors it takes.
        names: K, of the classes.
    """

    layer: LinearHead
    known: Labels
    weight: float
    features: str
    names: tuple[str, ...]

    def on(
        self, found: Sequence[Detections], pictures: Tensor, device: torch.device
    ) -> list[Detections]:
        """Detections with classes judged again.

        Args:
            pictures: N×3×H×W, in whose pixels the N detections are; uint8, or float32 in [0, 1].
        """
        extractor = crop_extractor(device)
        if extractor.name != self.features:
            raise InputError(
                "the second opinion of this run was learnt from other features than are made here: "
                "train it again, or remove its " + FILE
            )
        consulted = consult(found, as_arrays(pictures), extractor, self.layer)
        both = zip(found, consulted, strict=True)
        return [mix(each, asked, self.known, self.weight) for each, asked in both]


@dataclass(frozen=True, eq=False)
class Consulted:
    """What a layer says of the objects in a picture.

    Attributes:
        objects: of each of M detections the object that it is of, or -1 where that is not judged.
        leaders: of each of G objects its best detection.
        shares: G×K probabilities.
    """

    objects: Labels
    leaders: Labels
    shares: Floats


def consult(
    found: Sequence[Detections],
    pictures: Sequence[NDArray[np.uint8]],
    extractor: Extractor,
    layer: LinearHead,
) -> list[Consulted]:
    """Ask a layer about the objects that were found in each of N pictures, H×W×3."""
    objects = [_objects(each) for each in found]
    boxes = [each.boxes[leaders] for each, (_, leaders) in zip(found, objects, strict=True)]
    shares = (softmax(layer.logits(f[:, 0])) for f in describe(pictures, boxes, extractor))
    return [Consulted(*of, share) for of, share in zip(objects, shares, strict=True)]


def mix(found: Detections, consulted: Consulted, known: Labels, weight: float) -> Detections:
    """Both opinions as one, by falling score."""
    scores = found.scores.astype(np.float64)
    # Of each detection the object and the place of its class among the known, where it has both.
    of_class = found.labels[:, None] == known
    asked = np.flatnonzero((consulted.objects >= 0) & of_class.any(axis=1))
    own = consulted.objects[asked], of_class[asked].argmax(axis=1)
    first = np.zeros(consulted.shares.shape)
    np.maximum.at(first, own, scores[asked])
    mixed = np.minimum(1.0, first.sum(axis=1, keepdims=True))
    mixed = mixed * mixture(first, consulted.shares, weight)
    mentioned = first > 0
    scores[asked] *= np.divide(mixed, first, out=np.ones_like(first), where=mentioned)[own]
    objects, added = np.nonzero(~mentioned & (mixed > _ADDED))
    boxes = np.concatenate([found.boxes, found.boxes[consulted.leaders[objects]]])
    scores = np.concatenate([scores, mixed[objects, added]])
    labels = np.concatenate([found.labels, known[added]]).astype(np.int64)
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes[order], scores[order].astype(np.float32), labels[order])


def mixture(first: Floats, second: Floats, weight: float) -> Floats:
    """Two opinions, …×K numbers each, as shares that sum to 1: the product of their powers."""
    logarithms = np.log(np.maximum(first, _UNMENTIONED)) * (1 - weight)
    logarithms += np.log(np.maximum(second, 1e-12)) * weight
    shares = np.exp(logarithms - logarithms.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True), np.float64)


def describe(
    pictures: Sequence[NDArray[np.uint8]],
    boxes: Sequence[BoxArray],
    extractor: Extractor,
    *,
    mirrored: bool = False,
) -> list[Floats]:
    """Of each picture, H×W×3, M×1×D features of what is in its M boxes; or M×2×D, mirrored too.

    The crops of all pictures go through the net together: few at a time cost it twice as much each.
    """
    made = [crop(picture, box) for picture, own in zip(pictures, boxes, strict=True) for box in own]
    if mirrored:
        made = [view for each in made for view in (each, each[:, ::-1])]
    rows = [
        described(extractor, as_tensors(made[start : start + _BATCH]))
        for start in range(0, len(made), _BATCH)
    ]
    found = np.concatenate(rows) if rows else np.zeros((0, extractor.width))
    found = found.reshape(-1, 1 + mirrored, extractor.width).astype(np.float64)
    return np.split(found, np.cumsum([len(own) for own in boxes])[:-1]) if len(boxes) else []


def crop(picture: NDArray[np.uint8], box: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The square around a box, with room, as the extractor takes it."""
    x1, y1, x2, y2 = (float(edge) for edge in box)
    side = max(_ROOM * max(x2 - x1, y2 - y1), 1.0)
    way: Matrix = (
        translation(SIDE / 2, SIDE / 2)
        @ scaling(SIDE / side)
        @ translation(-(x1 + x2) / 2, -(y1 + y2) / 2)
    )
    return np.asarray(resample(picture, way, (SIDE, SIDE), fill=_FILL), np.uint8)


def as_tensors(made: Sequence[NDArray[np.uint8]]) -> Tensor:
    """N pictures of one size as N×3×H×W."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(made).transpose(0, 3, 1, 2)))


def as_arrays(pictures: Tensor) -> list[NDArray[np.uint8]]:
    """N×3×H×W, uint8 or float32 in [0, 1], as H×W×3 uint8 each."""
    if pictures.is_floating_point():
        pictures = (255 * pictures).round().to(torch.uint8)
    return list(pictures.cpu().permute(0, 2, 3, 1).contiguous().numpy())


def crop_extractor(device: torch.device) -> Extractor:
    """What describes crops, with the ImageNet weights that come with the installation."""
    return installed_extractor(device, size=(SIDE, SIDE), made=f"crops of {_ROOM}")


def write_opinion(folder: Path, opinion: Opinion) -> None:
    """Keep an opinion in a run's folder."""
    arrays: dict[str, np.ndarray] = {
        # By rows, whatever its order in memory: the file has the bytes as they lie there.
        "weight": np.ascontiguousarray(opinion.layer.weight, np.float32),
        "bias": opinion.layer.bias.astype(np.float32),
        "known": opinion.known,
    }
    # Under one name: of several, their order in the file would be another each time.
    told = {"share": opinion.weight, "features": opinion.features, "classes": opinion.names}
    metadata = json.dumps(told)
    write_bytes(folder / FILE, safetensors.numpy.save(arrays, {_TOLD: metadata}))


def read_opinion(folder: Path, classes: Sequence[str]) -> Opinion | None:
    """The opinion in the folder of a run of these classes; None if there is none.

    Raises:
        InputError: the file is damaged, or of another run.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        refuse_special(file)
        with safe_open(file, "np") as opened:
            arrays = {name: opened.get_tensor(name) for name in ("weight", "bias", "known")}
            metadata = json.loads((opened.metadata() or {})[_TOLD])
        weight, features = float(metadata["share"]), str(metadata["features"])
        told = metadata.get("classes")  # which files of older versions lack
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{file} is damaged: copy it again, or train the run again") from error
    known = arrays["known"]
    fits = known.ndim == 1 and arrays["bias"].shape == known.shape and 0 < weight <= 1
    fits = fits and arrays["weight"].ndim == 2 and len(arrays["weight"]) == len(known)
    fits = fits and known.dtype == np.int64 and len(set(known.tolist())) == len(known) > 0
    fits = fits and known.min() >= 0 and known.max() < len(classes)
    names = tuple(classes[label] for label in known.tolist()) if fits else ()
    if not fits or told not in (None, list(names)):
        raise InputError(
            f"{file} is damaged, or of another run: copy it from where the run was trained, or "
            "remove it"
        )
    if not all(np.isfinite(arrays[name]).all() for name in ("weight", "bias")):
        raise InputError(f"{file} is damaged: it has what is no number")
    layer = LinearHead(arrays["weight"].astype(np.float64), arrays["bias"].astype(np.float64))
    return Opinion(layer, known, weight, features, names)


def lost_opinion(folder: Path) -> str:
    """That a run's opinion was kept and its file is not there; empty where it never was."""
    try:
        told = as_table(as_table(json.loads(read_bytes(folder / SCORES)))[OPINION])
    except (OSError, ValueError, KeyError, RecursionError):
        return ""
    if told.get("kept") is not True or (folder / FILE).exists():
        return ""
    return (
        f"{folder} is without its second opinion on classes ({FILE}), by which its scores and "
        "thresholds were fitted: answers are the detector's alone; copy that file from where the "
        "run was trained"
    )


def _objects(found: Detections) -> tuple[Labels, Labels]:
    """Of each detection the object that it is of, or -1; and each object's best detection."""
    objects = np.full(len(found.scores), -1)
    able = int((found.scores >= LEAST).sum())  # the first, as scores fall
    near = iou(found.boxes[:able], found.boxes) > _SAME
    free = np.ones(len(objects), np.bool_)
    leaders: list[int] = []
    for row in range(able):
        if not free[row]:
            continue
        if len(leaders) == _MOST:
            break
        own = free & near[row]
        own[row] = True
        objects[own], free[own] = len(leaders), False
        leaders.append(row)
    return objects, np.array(leaders, np.int64)
