"""PostgreSQL as the studio's labels are kept in it: its address, and one moment of its tables."""

import contextlib
import getpass
from collections.abc import Iterator, Sequence

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from viewfinder.datasets.formats.stored_classes import Ask
from viewfinder.errors import InputError

NO_DRIVER = "needs a driver: pip install 'viewfinder[postgres]'"
# Where PostgreSQL listens if nothing else is said.
_PORT = 5432
# What a machine calls itself.
_OWN = ("localhost", "127.0.0.1", "::1")


def address_of(url: str | None) -> tuple[URL, dict[str, object]]:
    """Where PostgreSQL is as the driver takes it, and what else the driver is given.

    Of an address's query, as libpq has it: `host`, the folder of a socket of this machine, and
    `options`, the server's settings such as `-csearch_path=NAME`.
    """
    # As hosters hand it out.
    if (url or "").startswith("postgres://"):
        url = (url or "").replace("postgres", "postgresql", 1)
    wrong = (
        "the address of a database is postgresql://person@host/name, with @ in a password as %40"
    )
    try:
        address = make_url(url or "")
    except (ArgumentError, ValueError):  # the second, of a port that is no number
        raise InputError(wrong) from None
    if address.get_backend_name() != "postgresql":
        raise InputError(
            f"labels are kept in PostgreSQL or in the folder, not in {address.get_backend_name()}"
        )
    if "@" in (address.host or ""):  # the rest of a password, which is not to be shown
        raise InputError(wrong)
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


def same_place(known: dict[str, object], place: dict[str, object]) -> bool:
    """Whether an address is of the database that a mark names.

    A studio on the server's own machine leaves a mark that calls it by a name of that machine
    alone.
    """
    host = str(known.get("host", ""))
    if host in _OWN or host.startswith("/"):
        known = known | {"host": place["host"]}
    return known == place


def words_of(error: BaseException | None) -> str:
    """What a driver says; PostgreSQL's says it in fields, of which M is for people."""
    fields = error.args[0] if error is not None and error.args else error
    return str(fields.get("M", fields)) if isinstance(fields, dict) else str(error)


@contextlib.contextmanager
def one_moment(url: str) -> Iterator[tuple[Ask, str]]:
    """What asks one moment of a database, which others may write to meanwhile, and its name.

    Raises:
        InputError: the address is none, or the database cannot be asked.
    """
    address, options = address_of(url)
    name = address.render_as_string(hide_password=True)
    try:
        engine = create_engine(address, poolclass=NullPool, connect_args=options)
    except ImportError:
        raise InputError(f"{name} {NO_DRIVER}") from None
    level = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with engine.connect() as connection:
            moment = connection.execution_options(**level)

            def ask(sql: str) -> Sequence[Sequence[object]]:
                return moment.exec_driver_sql(sql).fetchall()

            yield ask, name
    except (SQLAlchemyError, OSError) as error:
        said = words_of(error.orig if isinstance(error, DBAPIError) else error)
        raise InputError(f"{name} cannot be read: {said.strip()[:200]}") from None
    finally:
        engine.dispose()
