"""Where a database is, by its address, and what is said where it cannot be asked."""

import getpass
import ssl
from pathlib import Path

import pg8000.native
import pytest

from viewfinder.datasets.formats.postgres import address_of, one_moment, place_of, trouble_of
from viewfinder.errors import InputError
from viewfinder.studio.store import Unavailable, open_store


def test_whoever_an_address_does_not_name_is_the_account_itself():
    address, _ = address_of("postgresql://127.0.0.1:1/x")
    assert address.username == getpass.getuser()
    named, _ = address_of("postgresql://ann@127.0.0.1/x")
    assert (named.username, named.drivername) == ("ann", "postgresql+pg8000")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:two@parts@lab/screws",
        "postgresql://ann:two@par/ts@lab:5433/screws",
        "postgresql://ann@lab:port/screws",
        "postgresql://ann@lab/screws?password=parts",
        "postgresql://ann:parts@lab/screws?sslmode=surely",
        "postgresql://ann:parts@lab/screws?sslmode=verify-full&sslrootcert=nowhere.pem",
        "postgresql://ann:parts@lab/screws?channel_binding=require",
        "postgresql://ann:parts@lab/screws?port=no",
        "mysql://ann:parts@lab/screws",
        "lab",
    ],
)
def test_of_a_wrong_address_no_part_of_a_password_is_shown(address):
    with pytest.raises(InputError) as refused:
        address_of(address)
    assert "parts" not in str(refused.value)
    assert "par/ts" not in str(refused.value)


def test_an_address_as_hosters_hand_it_out_is_asked_for_as_it_says():
    encrypted = "?sslmode=require&connect_timeout=10&application_name=studio"
    address, given = address_of(f"postgres://ann:two%40parts@lab/screws{encrypted}")
    assert (address.password, address.host, dict(address.query)) == ("two@parts", "lab", {})
    assert given == {"application_name": "studio", "ssl_context": True}
    _, plain = address_of("postgresql://ann:own@lab/screws?sslmode=disable")
    assert plain == {"ssl_context": False}
    _, proved = address_of("postgresql://ann@lab/screws?sslmode=verify-full")
    assert isinstance(proved["ssl_context"], ssl.SSLContext)
    assert proved["ssl_context"].check_hostname
    _, signed = address_of("postgresql://ann@lab/screws?sslmode=verify-ca")
    assert isinstance(signed["ssl_context"], ssl.SSLContext)
    assert signed["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert not signed["ssl_context"].check_hostname


def test_hosts_sockets_and_ports_may_stand_behind_the_question_mark():
    address, given = address_of("postgresql://ann:own@/screws?host=/run/lab&port=5499")
    assert given == {"unix_sock": "/run/lab/.s.PGSQL.5499"}
    assert place_of("postgresql://ann@/screws?host=/run/lab&port=5499") == {
        "host": "/run/lab",
        "port": 5499,
        "name": "screws",
    }
    address, given = address_of("postgresql://ann:own@/screws?host=lab&port=5499")
    assert (address.host, address.port, given) == ("lab", 5499, {})


def test_a_password_is_the_environments_where_the_address_has_none(monkeypatch):
    assert address_of("postgresql://ann@lab/screws")[0].password in (None, "")
    monkeypatch.setenv("PGPASSWORD", "kept aside")
    assert address_of("postgresql://ann@lab/screws")[0].password == "kept aside"
    assert address_of("postgresql://ann:own@lab/screws")[0].password == "own"


def test_a_server_that_asks_for_a_password_says_how_one_is_given(postgres, photos):
    """Encrypted passwords, as servers ask for them; the tests' own server believes any name."""
    socket = postgres.url.rpartition("=")[2]
    rules = Path(socket) / "data" / "pg_hba.conf"
    before = rules.read_text()
    connection = {"database": "postgres", "unix_sock": f"{socket}/.s.PGSQL.5432"}
    with pg8000.native.Connection("me", **connection) as person:
        person.run("CREATE ROLE ann LOGIN PASSWORD 'own'")
        person.run("CREATE SCHEMA asked AUTHORIZATION ann")
        rules.write_text("local all ann scram-sha-256\n" + before)
        person.run("SELECT pg_reload_conf()")
    address = f"@/postgres?host={socket}&options=-csearch_path%3Dasked"
    try:
        for wrong in ("postgresql://ann", "postgresql://ann:other"):
            with pytest.raises(InputError, match="does not let this person in") as refused:
                open_store(photos, url=wrong + address)
            assert "by PGPASSWORD" in str(refused.value)
            assert "other" not in str(refused.value)
        with open_store(photos, url="postgresql://ann:own" + address, wait=True) as store:
            assert store.counts().states["todo"] == 4
    finally:
        rules.write_text(before)
        with pg8000.native.Connection("me", **connection) as person:
            person.run("SELECT pg_reload_conf()")


def said_of(url):
    with pytest.raises(InputError) as caught, one_moment(url) as (ask, _):
        ask("SELECT key FROM meta")
    return str(caught.value)


def test_a_server_that_is_down_is_said_in_one_sentence_without_the_drivers_words(
    yolo, postgres, new_schema
):
    url = new_schema().replace("://me@", "://me:secret@")
    with open_store(yolo, url=url, wait=True) as store:
        with postgres.stopped(), pytest.raises(Unavailable) as caught:
            store.counts()
        said = str(caught.value)
        assert said.startswith("PostgreSQL (/")
        assert said.endswith(
            ") does not answer: see that it runs, and that it can be reached from here; nothing "
            "that was kept is lost"
        )
        assert "secret" not in said
        assert store.counts().boxes  # it is asked again once it is there
    with postgres.stopped():
        assert said_of(url) == said.partition(";")[0]
    assert "has no labels of the studio" in said_of(new_schema())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("28000", "does not let this person in: see the name and the password"),
        ("28P01", "does not let this person in: give the password as in"),
        ("3D000", "is not there: the server has no database of this name"),
        ("53300", "as many guests as it takes"),
        ("57P03", "being stopped or started"),
        ("55P03", "refuses: canceling statement due to lock timeout"),
    ],
)
def test_what_a_server_says_by_its_code_is_said_in_words(code, said):
    fields = {"S": "FATAL", "C": code, "M": "canceling statement due to lock timeout\nmore"}
    assert trouble_of(Exception(fields)).startswith(said) or said in trouble_of(Exception(fields))
    assert "FATAL" not in trouble_of(Exception(fields))
