"""How detectors say where objects are, and how they learn it: families of heads, by name.

A net names its family (`head_family` of its class). Everything that depends on it stands here, and
the task asks. A new family is a module with a class that answers as `Head` asks, and a line below.
"""

from collections.abc import Mapping

from torch import nn

from viewfinder import nets
from viewfinder.tasks.detect.heads.head import Head, HeadLoss
from viewfinder.tasks.detect.heads.yolo.head import YOLOHead

__all__ = ["HEADS", "Head", "HeadLoss", "head_of", "head_of_net"]

HEADS: Mapping[str, Head] = {"yolo": YOLOHead()}


def head_of(name: str) -> Head:
    """The family of the net of this name.

    Raises:
        InputError: there is no such net, or it is no detector.
    """
    return HEADS[nets.head_family(name)]


def head_of_net(net: nn.Module) -> Head:
    """The family of a detector that is made."""
    family = getattr(net, "head_family", None)
    assert isinstance(family, str), "a detector's class names its family"
    return HEADS[family]
