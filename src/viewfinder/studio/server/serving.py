"""Running the server at its address, and its clean end."""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator

import uvicorn

from viewfinder.studio.learning.impressions import Impressions
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.server.adding import Adding
from viewfinder.studio.server.address import LOOPBACK, Address, address_at
from viewfinder.studio.server.app import studio_app
from viewfinder.studio.server.films import Carrier
from viewfinder.studio.server.news import News
from viewfinder.studio.store import Store

_LOGGER = "uvicorn.error"


@contextlib.contextmanager
def studio_server(
    store: Store, *, person: str, host: str = LOOPBACK, port: int | None = None
) -> Iterator[tuple[uvicorn.Server, socket.socket, Address]]:
    """A server at an address of its own, to be run by `serve`; see `address_at`."""
    with address_at(host, port) as address, server_at(address, store, person=person) as server:
        yield server, address.bound, address


@contextlib.contextmanager
def server_at(address: Address, store: Store, *, person: str) -> Iterator[uvicorn.Server]:
    """A server of an address, to be run by `serve`."""
    news = News()
    adding, teacher, carrier = Adding(store), Teacher(store), Carrier(store)
    impressions = Impressions()
    looking = news.look(store, lambda: adding.state()["waiting"] > 0)
    config = uvicorn.Config(
        studio_app(
            store,
            address.access,
            news,
            adding,
            teacher,
            carrier,
            impressions,
            person=person,
            local=address.local,
        ),
        access_log=False,  # it would hold the token
        log_config=None,
        lifespan="off",
        ws="none",
        server_header=False,
        # Pages keep their connections; whoever ends the server does not wait for them.
        timeout_graceful_shutdown=3,
    )
    yield _Server(config, impressions.stop)
    impressions.close()
    carrier.close()
    teacher.close()
    adding.close()
    news.end()
    looking.join()  # before the store is closed
    logging.getLogger(_LOGGER).setLevel(logging.NOTSET)


class _Server(uvicorn.Server):
    """A server that ends what its answers wait for, and what is then cut off without a word."""

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger(_LOGGER).setLevel(logging.CRITICAL)
        self._ending()
        await super().shutdown(sockets)


def serve(server: uvicorn.Server, bound: socket.socket) -> None:
    """Answer until Ctrl-C or SIGTERM, and what was asked before that."""
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[bound])
