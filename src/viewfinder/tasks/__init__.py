"""The tasks: what the loss is, how outputs become predictions, how they are scored."""

NAMES = ("classify",)
