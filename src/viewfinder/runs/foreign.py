"""Runs that no training of ours wrote: Darknet's files, and the detector that comes with us."""

from pathlib import Path
from typing import Any

from viewfinder.datasets.framing import DARKNET
from viewfinder.events import note
from viewfinder.nets.published import COCO_FILE, COCO_NET, coco_weights
from viewfinder.pictures.geometry import Size
from viewfinder.runs.run import Run, new_net
from viewfinder.tasks import recipe_of
from viewfinder.tasks.detect.class_names import COCO as COCO_CLASSES
from viewfinder.tasks.detect.foreign import describe_weights
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.normalisation import PLAIN

COCO = "coco"
"""The word for the detector of COCO's 80 classes, wherever a run may stand."""


def open_weights(file: Path) -> Run:
    """A detector of Darknet's; tells what was assumed of it."""
    found = describe_weights(file)
    for told in found.notes:
        note(told)
    config = found.config
    anchors = [list(anchor) for anchor in config.anchors]
    masks = [list(mask) for mask in config.masks]
    options = {"anchors": anchors, "masks": masks}
    size = config.size[1], config.size[0]
    manifest = _of_darknet(config.net, found.classes, size, options, file)
    return Run(file, manifest, foreign=file, framing=found.framing)


def open_published() -> Run:
    """The detector that comes with the package, which answers as the Darknet file it is from."""
    net = new_net(COCO_NET, len(COCO_CLASSES), {})
    net.load_state_dict(coco_weights(), strict=False)  # all but the norms' counters of steps
    manifest = _of_darknet(COCO_NET, COCO_CLASSES, (416, 416), {}, Path(COCO))
    return Run(Path(COCO), manifest, foreign=COCO_FILE, framing=DARKNET, opened=net.eval())


def _of_darknet(
    net: str, classes: tuple[str, ...], size: Size, options: dict[str, Any], source: Path
) -> Manifest:
    return Manifest(
        task="detect",
        net=net,
        classes=classes,
        size=size,
        options=options,
        mean=PLAIN.mean,
        std=PLAIN.std,
        recipe=recipe_of("detect").from_json({"net": net}),
        versions={},
        data={"source": str(source)},
        device="",
        precision={},
    )
