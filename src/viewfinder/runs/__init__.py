"""The recipe, and the folder that a training writes."""
