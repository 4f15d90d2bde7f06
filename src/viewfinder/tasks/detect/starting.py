"""Weights of other detectors to start from: layers that fit, the last ones class by class."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.events import note
from viewfinder.nets.checkpoints import LoadReport, load_matching
from viewfinder.nets.darknet import find_config, read_weights
from viewfinder.nets.yolov3 import BOX_VALUES
from viewfinder.tasks.detect.class_names import names_of

_SUFFIX = ".weights"


def read_darknet(file: Path, net: nn.Module) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
    """The numbers of one of Darknet's files and the names of its classes; None of another file.

    A backbone alone (`darknet53.conv.74`) names no classes.

    Raises:
        InputError: the file is damaged, or of another layout than `net`.
    """
    if file.suffix != _SUFFIX and ".conv." not in file.name:
        return None
    layout: nn.Module = net
    if file.suffix == _SUFFIX:
        config = find_config(file)
        with torch.device("meta"):
            layout = nets.create(
                config.net, classes=config.classes, anchors=config.anchors, masks=config.masks
            )
    found = read_weights(file, layout)  # type: ignore[arg-type]
    if not found.classes:
        return found.state, ()
    named = names_of(file, found.classes)
    if named.told:
        note(named.told)
    return found.state, named.names


def load_by_name(
    net: nn.Module, state: Mapping[str, Tensor], names: Sequence[str], classes: Sequence[str]
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
    for name in _heads(net):
        theirs = state.get(name)
        if theirs is not None and names:
            fitted[name] = _by_class(ours[name], theirs, names, classes)
    report = load_matching(net, fitted)
    if not names or set(classes) <= set(names):
        return report
    partly = tuple(name for name in _heads(net) if name in report.loaded)
    return replace(report, loaded=tuple(n for n in report.loaded if n not in partly), partly=partly)


def tell_classes(names: Sequence[str], classes: Sequence[str]) -> str:
    """Which classes had a name in the weights, in words."""
    known = [name for name in classes if name in set(names)]
    new = [name for name in classes if name not in set(names)]
    told = f"classes known to the weights: {', '.join(known) or 'none'}"
    return told + (f"; new: {', '.join(new)}" if new else "")


def _heads(net: nn.Module) -> list[str]:
    """The parameters of the layers that predict, of which a row is a value of an anchor."""
    return [name for name in net.state_dict() if ".predict." in name]


def _by_class(ours: Tensor, theirs: Tensor, names: Sequence[str], classes: Sequence[str]) -> Tensor:
    """Their rows for each anchor's box and objectness, and for the classes that both name."""
    anchors = theirs.shape[0] // (BOX_VALUES + len(names))
    if ours.shape[0] != anchors * (BOX_VALUES + len(classes)) or ours.shape[1:] != theirs.shape[1:]:
        return theirs  # Of another shape than the net's, so that it is told and left.
    made = ours.clone().view(anchors, BOX_VALUES + len(classes), -1)
    source = theirs.to(ours).reshape(anchors, BOX_VALUES + len(names), -1)
    made[:, :BOX_VALUES] = source[:, :BOX_VALUES]
    place = {name: index for index, name in enumerate(names)}
    for index, name in enumerate(classes):
        if name in place:
            made[:, BOX_VALUES + index] = source[:, BOX_VALUES + place[name]]
    return made.view_as(ours)
