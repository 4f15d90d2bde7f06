"""Examples, datasets and class lists; reading, checking, splitting, loading and augmenting them."""

from typing import Literal

Keep = Literal["auto", "memory", "disk", "none"]
"""Where decoded pictures stay: in memory, in the cache on disk, nowhere, or what they fit in."""

Format = Literal["coco", "yolo", "voc"]
"""The formats that sets of boxes are written in: those of `box_files.WRITERS`."""
