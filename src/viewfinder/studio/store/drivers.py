"""What the databases' drivers are given, and what they say, in words for a person."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from viewfinder.datasets.formats.label_store import not_opened
from viewfinder.studio.store.records import Unavailable


def of_the_request(error: DBAPIError) -> bool:
    """Whether what was asked is at fault, so that asking again would not help."""
    if isinstance(error, DataError | IntegrityError):
        return True
    fields = error.orig.args[0] if error.orig is not None and error.orig.args else None
    # SQLSTATE's classes of data that cannot be and of constraints.
    return isinstance(fields, dict) and str(fields.get("C", ""))[:2] in ("22", "23")


def unavailable(name: str, said: str) -> Unavailable:
    """What to raise where a database cannot be asked."""
    lower = said.lower()
    if "malformed" in lower or "not a database" in lower or "corrupt" in lower:
        return Unavailable(
            f"{name} is damaged ({said.strip()[:200]}): put a backup in its place, and keep this "
            "file for `sqlite3 FILE .recover`"
        )
    if "full" in lower or "no space" in lower:
        return Unavailable(
            f"cannot write {name}: the disk is full: free some space; nothing is lost"
        )
    if "readonly" in lower or "read-only" in lower:
        return Unavailable(
            f"cannot write {name}: it or its folder is read-only: make them writable"
        )
    if "locked" in lower or "busy" in lower:
        return Unavailable(f"{name} is busy: another program has been writing for long: try again")
    if "unable to open" in lower:
        return Unavailable(not_opened(name, said.strip()))
    return Unavailable(
        f"{name} does not answer: {(said.strip() or 'no reason given').splitlines()[0][:200]}"
    )
