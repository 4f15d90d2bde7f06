"""Composed scenes: objects cut out of a few pictures, put onto other backgrounds, with exact boxes.

composition   what scenes look like
cutouts       objects without their surroundings; of labelled sets (`labelled`), and `captures`
backgrounds   places to put them
scenes        one scene, from a random generator
source        scenes by number, made as a training asks for them
writing       the same as a COCO set, on all cores
"""
