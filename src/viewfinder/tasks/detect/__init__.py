"""Detect: every object of a picture, as a box, a class and a score."""
