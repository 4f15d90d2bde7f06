"""The depth stream that teaches: out of a run of its training, or a checkpoint of the authors'."""

import json
from pathlib import Path
from typing import Any

from torch import nn

from viewfinder import nets
from viewfinder.console import note
from viewfinder.errors import InputError
from viewfinder.nets.a2dele import A2deleDepth
from viewfinder.nets.a2dele_weights import read_checkpoint
from viewfinder.nets.checkpoints import load_matching
from viewfinder.nets.weight_files import read_weights
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.saliency.recipe import DEPTH_NET

_MANIFEST, _WEIGHTS = "run.json", "weights.safetensors"
# Bytes beyond which a `run.json` is no training's: it must not fill the memory.
_LARGEST_MANIFEST = 1 << 26


def read_teacher(path: str, size: Size) -> A2deleDepth:
    """The depth stream in a run or a checkpoint, in evaluation mode and without gradients.

    Args:
        size: width and height at which it will be asked.

    Raises:
        InputError: there is none: no such file, another net's, damaged, or one that would have to
            run code to be read.
    """
    place = Path(path).expanduser()
    # A run's weights alone do not tell what net they are for; its folder does.
    folder = place.parent if place.name == _WEIGHTS else place
    if not folder.exists():
        raise InputError(
            f"--teacher {path}: there is no such run or file; train one with `viewfinder train "
            f"saliency DATA --net {DEPTH_NET}`"
        )
    net = _of_run(folder, size) if folder.is_dir() else read_checkpoint(place)
    if not isinstance(net, A2deleDepth):
        raise InputError(
            f"--teacher {path} holds A2dele's stream of pictures, and the stream of depth is what "
            f"teaches: give a run of {DEPTH_NET}"
        )
    return net.eval().requires_grad_(False)


def _of_run(folder: Path, size: Size) -> nn.Module:
    """The net that a training left in a folder."""
    name, options, learnt = _manifest(folder)
    if name != DEPTH_NET:
        raise InputError(
            f"--teacher {folder} is a run of {name!r:.50}, which cannot read depth: give a run of "
            f"{DEPTH_NET}"
        )
    net = nets.create(name, **options)
    report = load_matching(net, read_weights(folder / _WEIGHTS))
    if report.different or report.missing:
        raise InputError(
            f"--teacher {folder}: its weights are not those of the net that its {_MANIFEST} tells "
            f"of: {report}"
        )
    if learnt != size:
        told = [f"{width}×{height}" for width, height in (learnt, size)]
        note(f"the teacher learnt at {told[0]} and is asked at {told[1]}: train both at one --size")
    return net


def _manifest(folder: Path) -> tuple[str, dict[str, Any], Size]:
    """The net of a run, its options, and the width and height it was trained at."""
    file = folder / _MANIFEST
    try:
        if file.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError("it is larger than any that Viewfinder writes")
        document = json.loads(file.read_text(encoding="utf-8"))
        width, height = document["size"]
        return str(document["net"]), dict(document["options"]), (int(width), int(height))
    except OSError as error:
        raise InputError(
            f"--teacher {folder} is not a run ({error.strerror or error}: {file.name}): give the "
            f"folder that `viewfinder train` wrote, or a checkpoint"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"--teacher {folder}: {file} is damaged: {error}") from error
