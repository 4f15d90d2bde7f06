"""A second opinion on the classes of what was found, by features of ImageNet."""
