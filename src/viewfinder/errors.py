"""The one error that a user is meant to read."""


class InputError(ValueError):
    """What the user gave cannot be used.

    Its text is one sentence or two that say what is wrong, where, and what to do about it. The
    command line prints it as `error: …` and exits with status 2; it is never a bug in Viewfinder.
    """


class PictureError(InputError):
    """The file of a picture cannot be read; others of the same folder may be."""
