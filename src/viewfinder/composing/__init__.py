"""Composed scenes: objects cut out of a few pictures, put onto other backgrounds, with exact boxes.

cut_out, cutouts_from, open_captures   objects without their surroundings
read_backgrounds, tabletop_backgrounds places to put them
compose_scene                          one scene, from a random generator
composed                               scenes by number, made as a training asks for them
write_composed                         the same as a COCO set, on all cores
"""

from viewfinder.composing.backgrounds import read_backgrounds, tabletop_backgrounds
from viewfinder.composing.captures import Captures, open_captures
from viewfinder.composing.cutouts import CutOut, cut_out
from viewfinder.composing.labelled import cutouts_from
from viewfinder.composing.scenes import Composition, compose_scene
from viewfinder.composing.source import Composed, composed
from viewfinder.composing.writing import write_composed

__all__ = [
    "Captures",
    "Composed",
    "Composition",
    "CutOut",
    "compose_scene",
    "composed",
    "cut_out",
    "cutouts_from",
    "open_captures",
    "read_backgrounds",
    "tabletop_backgrounds",
    "write_composed",
]
