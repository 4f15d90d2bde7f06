"""The depth stream that teaches: out of a run of its training, or a checkpoint of the authors'."""

from pathlib import Path

from torch import nn

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.a2dele import A2deleDepth
from viewfinder.nets.a2dele_weights import read_checkpoint
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.run_files import WEIGHTS
from viewfinder.tasks.run_weights import open_trained
from viewfinder.tasks.saliency.recipe import DEPTH_NET


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
    folder = place.parent if place.name == WEIGHTS else place
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
    try:
        model = open_trained(folder)
        if model.config.net == DEPTH_NET:
            net = model.load()
    except InputError as error:
        raise InputError(f"--teacher: {error}") from error
    if model.config.net != DEPTH_NET:
        raise InputError(
            f"--teacher {folder} is a run of {model.config.net!r:.50}, which cannot read depth: "
            f"give a run of {DEPTH_NET}"
        )
    if model.config.size != size:
        own, asked = (f"{width}×{height}" for width, height in (model.config.size, size))
        note(f"the teacher learnt at {own} and is asked at {asked}: train both at one --size")
    return net
