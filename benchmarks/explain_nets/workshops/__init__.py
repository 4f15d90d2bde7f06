"""Mistakes as workshops see them: an old net's lines in a new one, and sizes counted by hand.

python benchmarks/explain_meaning.py workshops
"""

from explain_nets.workshops import (  # type: ignore[import-not-found]
    attention,
    learning,
    maps,
    pictures,
    scoring,
    sequences,
)

_FIELDS = (pictures, maps, sequences, attention, learning, scoring)
CASES = {name: wrong for field in _FIELDS for name, wrong in field.CASES.items()}
# First fixes that do as well by another way, by what they say; we read them.
READ = {
    "ShortcutForStridesAlone": "*",
    "AttentionOfChannelsByLinear": "nn.Flatten() before attention.mlp[0]",
    "PositionsOfTheTutorial": "self.pe[:x.size(1)].transpose(0, 1) instead of self.pe[:x.size(1)] "
    "in x + self.pe[: x.size(1)]",
    "HundredByEight": "*",
    "ActionsWithoutAColumn": "a.unsqueeze(1) instead of a in q.gather(1, a)",
    # Layers that the fix makes itself have weights of their own.
    "BridgeForgotten": "state = self.bridge(state) before decoder; bridge was made and is not used",
    "TableWithoutItsLayer": "*",
}
