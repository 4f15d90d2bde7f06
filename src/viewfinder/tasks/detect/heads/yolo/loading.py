"""Weights of other detectors to start from: layers that fit, the last ones class by class."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from torch import Tensor

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.building import shapes_alone
from viewfinder.nets.checkpoints import LoadReport, load_matching
from viewfinder.nets.darknet import find_config, read_weights
from viewfinder.nets.yolo import BOX_VALUES, YOLO
from viewfinder.nets.yolov3 import YOLOv3, YOLOv3Tiny
from viewfinder.tasks.detect.class_names import names_of

_SUFFIX = ".weights"


def read_darknet(file: Path, net: YOLO) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
    """The numbers of one of Darknet's files and the names of its classes; None of another file.

    A backbone alone (`darknet53.conv.74`) names no classes.

    Raises:
        InputError: the file is damaged, or of another layout than `net`.
    """
    if file.suffix != _SUFFIX and ".conv." not in file.name:
        return None
    layout = net
    if file.suffix == _SUFFIX:
        config = find_config(file)
        with shapes_alone():
            layout = cast(
                "YOLO",
                nets.create(
                    config.net, classes=config.classes, anchors=config.anchors, masks=config.masks
                ),
            )
    if not isinstance(layout, YOLOv3 | YOLOv3Tiny):
        raise InputError(
            f"{file} holds the first layers of one of Darknet's nets, which this net does not "
            "have: choose yolov3, yolov3-spp or yolov3-tiny"
        )
    found = read_weights(file, layout)
    if not found.classes:
        return found.state, ()
    named = names_of(file, found.classes)
    if named.origin:
        note(named.origin)
    return found.state, named.names


def load_by_name(
    net: YOLO, state: Mapping[str, Tensor], names: Sequence[str], classes: Sequence[str]
) -> LoadReport:
    """Load what fits; of the last layers the boxes, and the classes that both sides name.

    A class that the weights do not know starts anew, and its layer counts as loaded in part.

    Args:
        names: the classes of the weights, in their order; empty where they are not known.
        classes: those of the net.

    Raises:
        InputError: not one weight fits.
    """
    ours = net.state_dict()
    fitted = dict(state)
    for name in _predictors(net):
        theirs = state.get(name)
        if theirs is not None and names:
            fitted[name] = _by_class(ours[name], theirs, names, classes)
    report = load_matching(net, fitted)
    if not names or set(classes) <= set(names):
        return report
    partly = tuple(name for name in _predictors(net) if name in report.loaded)
    return replace(report, loaded=tuple(n for n in report.loaded if n not in partly), partly=partly)


def _predictors(net: YOLO) -> list[str]:
    """The parameters of the layers that predict, of which a row is a value of an anchor."""
    layers = net.predictors()
    return [f"{name}.{own}" for name in layers for own, _ in layers[name].named_parameters()]


def _by_class(ours: Tensor, theirs: Tensor, names: Sequence[str], classes: Sequence[str]) -> Tensor:
    """Their rows for each anchor's box and objectness, and for the classes that both name."""
    anchors = theirs.shape[0] // (BOX_VALUES + len(names))
    if ours.shape[0] != anchors * (BOX_VALUES + len(classes)) or ours.shape[1:] != theirs.shape[1:]:
        return theirs  # Of another shape than the net's, so that it is reported and left.
    made = ours.clone().view(anchors, BOX_VALUES + len(classes), -1)
    source = theirs.to(ours).reshape(anchors, BOX_VALUES + len(names), -1)
    made[:, :BOX_VALUES] = source[:, :BOX_VALUES]
    place = {name: index for index, name in enumerate(names)}
    for index, name in enumerate(classes):
        if name in place:
            made[:, BOX_VALUES + index] = source[:, BOX_VALUES + place[name]]
    return made.view_as(ours)
