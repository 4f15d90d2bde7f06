"""What a run learnt from, as its own net sees it: the nearest of it, and what is unlike all."""
