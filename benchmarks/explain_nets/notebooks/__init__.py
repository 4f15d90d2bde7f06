"""Mistakes as they stand in notebooks, each with what was meant; a file a field.

python benchmarks/explain_meaning.py notebooks
"""

from explain_nets.notebooks import (  # type: ignore[import-not-found]
    attention,
    blocks,
    detection,
    generating,
    joining,
    making,
    pictures,
    sequences,
    signals,
    unets,
)

_FIELDS = (
    pictures,
    blocks,
    unets,
    generating,
    making,
    sequences,
    attention,
    detection,
    signals,
    joining,
)
CASES = {name: wrong for field in _FIELDS for name, wrong in field.CASES.items()}
# First fixes that do as well by another way, by what they say; we read them.
READ = {
    "ShortcutCondition": "self.project(self.shortcut(x)) instead of self.shortcut(x) in out += "
    "self.shortcut(x), with self.project = nn.Conv2d(16, 32, kernel_size=1, stride=2) here, in "
    "every BasicBlock a convolution of 1 for its own channels and stride, and nn.Identity() where "
    "nothing changes",
    "GateBeforeUpsampling": "F.interpolate(g1, size=x1.shape[2:]) instead of g1 in g1 + x1",
}
