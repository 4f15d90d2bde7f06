"""PostgreSQL as the studio's labels are kept in it: its address, and one moment of its tables."""

import contextlib
import getpass
import os
import ssl
from collections.abc import Iterator, Sequence

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from viewfinder.datasets.formats.label_server import in_words
from viewfinder.datasets.formats.stored_classes import Ask
from viewfinder.errors import InputError

NO_DRIVER = "needs a driver: pip install 'viewfinder[postgres]'"
STORE = "store"
"""The key, in the table `meta`, of what tells a store from any other."""
_DRIVER = "postgresql+pg8000"
_WRONG = (
    "the address of a database is postgresql://person:password@host/name, with @ in a password as "
    "%40"
)
# What may stand in an address's query.
_KNOWN = "host, port, options, application_name, sslmode, sslrootcert or connect_timeout"
# Where PostgreSQL listens if nothing else is said.
_PORT = 5432
# SQLSTATEs of a password that is wrong, or was not given.
_NO_ENTRY = ("28P01", "08P01")
# What a machine calls itself.
_OWN = ("localhost", "127.0.0.1", "::1")


def address_of(url: str | None) -> tuple[URL, dict[str, object]]:
    """Where PostgreSQL is as the driver takes it, and what else the driver is given.

    Of an address's query, as libpq has it: `host`, `port`, `sslmode` with `sslrootcert`,
    `application_name`, and `options`, the server's settings such as `-csearch_path=NAME`. A
    password that it has not is `PGPASSWORD`'s.

    Raises:
        InputError: it is no address of PostgreSQL, or asks for what is not known.
    """
    # As hosters hand it out.
    if (url or "").startswith("postgres://"):
        url = (url or "").replace("postgres", "postgresql", 1)
    try:
        address = make_url(url or "")
    except (ArgumentError, ValueError):  # the second, of a port that is no number
        raise InputError(_WRONG) from None
    if address.get_backend_name() != "postgresql":
        raise InputError(
            f"labels are kept in PostgreSQL or in the folder, not in {address.get_backend_name()}"
        )
    # The rest of a password, which is not to be shown.
    if "@" in (address.host or "") or "@" in (address.database or ""):
        raise InputError(_WRONG)
    address, given = _without_query(address)
    # As libpq has it, who is not named is the account's own name.
    username = address.username or getpass.getuser()
    password = address.password or os.environ.get("PGPASSWORD", "")
    if not password:
        # The driver stumbles over none where the server asks for one.
        given["password"] = ""
    return address.set(drivername=_DRIVER, username=username, password=password), given


def _without_query(address: URL) -> tuple[URL, dict[str, object]]:
    """The address with its query's host and port, and what else that says, for the driver."""
    query = {name: str(value) for name, value in address.query.items()}
    if port := query.pop("port", ""):
        if not port.isdecimal() or int(port) > 65535:
            raise InputError(_WRONG)
        address = address.set(port=int(port))
    given: dict[str, object] = {}
    host = query.pop("host", "")
    if host.startswith("/"):
        given["unix_sock"] = f"{host}/.s.PGSQL.{address.port or _PORT}"
    elif host:
        address = address.set(host=host)
    if settings := query.pop("options", ""):
        pairs = (each.partition("=") for each in settings.replace("-c ", "-c").split())
        given["startup_params"] = {name.removeprefix("-c"): value for name, _, value in pairs}
    # The driver would end slow questions by it, and not the greeting alone.
    query.pop("connect_timeout", "")
    if name := query.pop("application_name", ""):
        given["application_name"] = name
    if "sslmode" in query:
        given["ssl_context"] = _encryption(query.pop("sslmode"), query.pop("sslrootcert", ""))
    # The driver binds a password to an encrypted connection wherever the server offers that.
    if query.pop("channel_binding", "prefer") not in ("prefer", "disable") or query:
        what = ", ".join(sorted(query)) or "channel_binding=require"
        raise InputError(
            f"{what} in the address of a database is not known here: a password stands before the "
            f"@ or in PGPASSWORD, and behind the ? may be {_KNOWN}"
        )
    return address.set(query={}), given


def _encryption(mode: str, authorities: str) -> ssl.SSLContext | bool | None:
    """What libpq's `sslmode` is to the driver: none, where the server wants it, or always."""
    if mode == "disable":
        return False
    if mode in ("allow", "prefer"):
        return None
    if mode == "require":
        return True
    if mode not in ("verify-ca", "verify-full"):
        raise InputError(
            "sslmode in the address of a database is disable, prefer, require, verify-ca or "
            "verify-full"
        )
    try:
        context = ssl.create_default_context(
            cafile=None if authorities in ("", "system") else authorities
        )
    except OSError as error:
        raise InputError(f"cannot read sslrootcert {authorities}: {error}") from None
    context.check_hostname = mode == "verify-full"
    return context


def place_of(url: str) -> dict[str, object]:
    """Where a set's labels are, for others to read: without a person's name or password."""
    address, given = address_of(url)
    socket = str(given.get("unix_sock", ""))
    settings = given.get("startup_params")
    schema = settings.get("search_path", "") if isinstance(settings, dict) else ""
    place: dict[str, object] = {
        "host": socket.rpartition("/")[0] or address.host or "localhost",
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


# What is wrong, by the first letters of SQLSTATE, as the end of a sentence.
_TROUBLES = {
    "28": "does not let this person in: see the name and the password in its address",
    "3D": "is not there: the server has no database of this name",
    "3F": "has no labels of the studio: see its address",
    "42P01": "has no labels of the studio: see its address",
    "42501": "gives this person no right to do that: ask whoever runs it",
    "25006": "can only be read: it is a copy, or was made so",
    "53100": "has no space left on its disk",
    "53300": "has as many guests as it takes: try again",
    "57": "is being stopped or started: try again",
}


def trouble_of(error: BaseException | None) -> str:
    """What is wrong with a database that cannot be asked, as what is said behind its name.

    The driver's own words are not for people: they tell how it tried to connect.
    """
    code = str(_fields(error).get("C", ""))
    if code in _NO_ENTRY:
        return (
            "does not let this person in: give the password as in "
            "postgresql://person:password@host/name, or by PGPASSWORD"
        )
    if not code and "SSL" in str(error):
        return "cannot be reached encrypted as its address asks: see its sslmode and sslrootcert"
    if not code or code.startswith("08"):
        return "does not answer: see that it runs, and that it can be reached from here"
    said = next((said for start, said in _TROUBLES.items() if code.startswith(start)), None)
    return said or f"refuses: {words_of(error).strip().splitlines()[0][:200]}"


def words_of(error: BaseException | None) -> str:
    """What a driver says; PostgreSQL's says it in fields, of which M is for people."""
    fields = _fields(error)
    return str(fields.get("M", fields)) if fields else str(error)


def _fields(error: BaseException | None) -> dict[object, object]:
    """What the server itself said, also where the driver then stumbled over a closed connection."""
    for _ in range(3):
        if error is None:
            break
        if error.args and isinstance(error.args[0], dict):
            return error.args[0]
        error = error.__cause__ or error.__context__
    return {}


@contextlib.contextmanager
def one_moment(url: str) -> Iterator[tuple[Ask, str]]:
    """What asks one moment of a database, which others may write to meanwhile, and its name.

    Raises:
        InputError: the address is none, or the database cannot be asked.
    """
    address, options = address_of(url)
    name = in_words(place_of(url))
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
        trouble = trouble_of(error.orig if isinstance(error, DBAPIError) else error)
        raise InputError(f"{name} {trouble}") from None
    finally:
        engine.dispose()


def store_at(url: str) -> str:
    """What tells the store in a database from any other; nothing where there is none.

    Raises:
        InputError: the database cannot be asked.
    """
    with one_moment(url) as (ask, _):
        if ask("SELECT to_regclass('meta')")[0][0] is None:
            return ""
        rows = ask(f"SELECT value FROM meta WHERE key = '{STORE}'")
    return str(rows[0][0]) if rows else ""
