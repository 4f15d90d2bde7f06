"""With which choices the studio trains: those for few labels, on the computer of who labels."""

# Objects pasted into other pictures, and small pictures first.
_FEW_LABELS = ("--small", "0.6", "--copy-paste", "0.3")
# A shorter training sees pictures smaller, and so half as many more of them.
_SHORT, _SMALLER = 5.0, ("--size", "320")
# Of fewer pictures none is kept from learning: a tenth of them tells nothing, and is missed.
_FEW = 40


def choices(*, minutes: float, pictures: int, begin_from: str = "") -> list[str]:
    """What `viewfinder train detect` is told.

    Args:
        pictures: that it learns from.
        begin_from: a run whose weights it begins with, if any.
    """
    told = ["--init", begin_from] if begin_from else []
    told += ["--minutes", f"{minutes:g}", *_FEW_LABELS]
    told += _SMALLER if minutes <= _SHORT else ()
    told += ("--val-share", "0") if pictures < _FEW else ()
    return told
