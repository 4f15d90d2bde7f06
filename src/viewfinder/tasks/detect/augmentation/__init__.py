"""How a detector's training pictures are changed at random: drawn first, then made."""
