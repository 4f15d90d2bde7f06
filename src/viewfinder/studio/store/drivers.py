"""What the databases' drivers are given, and what they say, in words for a person."""

import getpass

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError

from viewfinder.datasets.formats.label_store import not_opened
from viewfinder.errors import InputError
from viewfinder.studio.store.records import Unavailable

# Where PostgreSQL listens if nothing else is said.
_PORT = 5432


def address_of(url: str | None) -> tuple[URL, dict[str, object]]:
    """Where PostgreSQL is as the driver takes it, and what else the driver is given.

    Of an address's query, as libpq has it: `host`, the folder of a socket of this machine, and
    `options`, the server's settings such as `-csearch_path=NAME`.
    """
    try:
        address = make_url(url or "")
    except ArgumentError:
        raise InputError("the address of a database is postgresql://person@host/name") from None
    if address.get_backend_name() != "postgresql":
        raise InputError(
            f"the store is kept in SQLite or PostgreSQL, not in {address.get_backend_name()}"
        )
    given: dict[str, object] = {}
    query = {name: str(value) for name, value in address.query.items()}
    if folder := query.pop("host", ""):
        given["unix_sock"] = f"{folder}/.s.PGSQL.{address.port or _PORT}"
    if settings := query.pop("options", ""):
        pairs = (each.partition("=") for each in settings.replace("-c ", "-c").split())
        given["startup_params"] = {name.removeprefix("-c"): value for name, _, value in pairs}
    # As libpq has it, who is not named is the account's own name.
    username = address.username or getpass.getuser()
    return address.set(drivername="postgresql+pg8000", username=username, query=query), given


def place_of(url: str) -> dict[str, object]:
    """Where a set's labels are, for others to read: without a person's name or password."""
    address, given = address_of(url)
    socket = str(make_url(url).query.get("host", ""))
    settings = given.get("startup_params")
    schema = settings.get("search_path", "") if isinstance(settings, dict) else ""
    place: dict[str, object] = {
        "host": socket or address.host or "localhost",
        "port": address.port or _PORT,
        "name": address.database or "",
    }
    return {**place, "schema": schema} if schema else place


def of_the_request(error: DBAPIError) -> bool:
    """Whether what was asked is at fault, so that asking again would not help."""
    if isinstance(error, DataError | IntegrityError):
        return True
    fields = error.orig.args[0] if error.orig is not None and error.orig.args else None
    # SQLSTATE's classes of data that cannot be and of constraints.
    return isinstance(fields, dict) and str(fields.get("C", ""))[:2] in ("22", "23")


def words_of(error: BaseException | None) -> str:
    """What a driver says; PostgreSQL's says it in fields, of which M is for people."""
    fields = error.args[0] if error is not None and error.args else error
    return str(fields.get("M", fields)) if isinstance(fields, dict) else str(error)


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
