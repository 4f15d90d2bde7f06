"""Darknet's files, in which YOLOv3 was published: `.cfg` lists layers, `.weights` their numbers.

    config = read_config("yolov3-tiny.cfg")
    net = create(config.net, classes=config.classes, anchors=config.anchors, masks=config.masks)
    load_weights(net, "yolov3-tiny.weights")

A `.weights` file does not say what net it is for; `find_config` finds that out.
"""

from viewfinder.nets.darknet.config import (
    DarknetConfig,
    config_beside,
    find_config,
    is_published,
    read_config,
    stems,
)
from viewfinder.nets.darknet.header import WeightsHeader, read_header
from viewfinder.nets.darknet.weights import (
    DarknetWeights,
    load_weights,
    read_weights,
    write_weights,
)

__all__ = [
    "DarknetConfig",
    "DarknetWeights",
    "WeightsHeader",
    "config_beside",
    "find_config",
    "is_published",
    "load_weights",
    "read_config",
    "read_header",
    "read_weights",
    "stems",
    "write_weights",
]
