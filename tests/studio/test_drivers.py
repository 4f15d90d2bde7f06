"""Where a database is, by its address."""

import getpass

from viewfinder.datasets.formats.postgres import address_of


def test_whoever_an_address_does_not_name_is_the_account_itself():
    address, _ = address_of("postgresql://127.0.0.1:1/x")
    assert address.username == getpass.getuser()
    named, _ = address_of("postgresql://ann@127.0.0.1/x")
    assert (named.username, named.drivername) == ("ann", "postgresql+pg8000")
