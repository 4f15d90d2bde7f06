"""Tabletop: rendered pictures of eight kinds of objects on a table, with exact truth.

Nothing is downloaded: every picture is a function of a seed, an index and the options, so the
same set is made again anywhere, a picture at a time or by the thousand.

    render_class_picture   one object, for classification
    render_scene           many objects with boxes, masks and depth; or one salient subject
    render_turntable       one object turning on a stand, and the empty stand
    write_classes, write_scenes, write_turntable   the same into a folder, on all cores
"""

from viewfinder.tabletop.depth import DepthState, depth_state
from viewfinder.tabletop.options import ClassOptions, SceneOptions, TurntableOptions
from viewfinder.tabletop.rendered_sets import (
    SplitCounts,
    write_classes,
    write_scenes,
    write_turntable,
)
from viewfinder.tabletop.scenes import render_scene
from viewfinder.tabletop.shapes import CLASSES
from viewfinder.tabletop.single import render_class_picture
from viewfinder.tabletop.turntable import Turntable, render_turntable

__all__ = [
    "CLASSES",
    "ClassOptions",
    "DepthState",
    "SceneOptions",
    "SplitCounts",
    "Turntable",
    "TurntableOptions",
    "depth_state",
    "render_class_picture",
    "render_scene",
    "render_turntable",
    "write_classes",
    "write_scenes",
    "write_turntable",
]
