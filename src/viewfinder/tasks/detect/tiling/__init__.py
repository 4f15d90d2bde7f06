"""Large pictures in tiles: whether, where, and one answer of all."""
