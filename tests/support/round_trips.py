"""A proxy in front of a PostgreSQL server that counts round trips, and can delay them."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, make_url

__all__ = ["RoundTripProxy", "running_proxy"]

_SIZE = 1 << 16


class RoundTripProxy:
    """A running proxy.

    Args:
        listener: the socket that clients connect to.
        server: the path of the server's socket, or its host and port.
        delay: the seconds that each round trip takes longer.
    """

    def __init__(
        self, listener: socket.socket, server: str | tuple[str, int], delay: float
    ) -> None:
        self._listener = listener
        self._server = server
        self._delay = delay
        self._counting = threading.Lock()
        self.round_trips = 0
        """How often a client has sent something after it had received all that was sent before."""
        self.withholds = 0
        """How often to close the connection in place of returning what the server sends next."""
        self.last_words = b""
        """What to send before it is closed."""

    def url_of(self, database_url: str) -> str:
        """Return the URL by which the same database is reached through the proxy."""
        url = make_url(database_url)
        host, port = self._listener.getsockname()
        query = {name: each for name, each in url.query.items() if name not in ("host", "port")}
        through = URL.create(
            url.drivername, url.username, url.password, host, port, url.database, query
        )
        return through.render_as_string(hide_password=False)

    def serve(self) -> None:
        """Accept clients until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _Connection(self, client, self._connect())

    def count(self) -> None:
        """Count a round trip, and take its time."""
        with self._counting:
            self.round_trips += 1
        if self._delay:
            time.sleep(self._delay)

    def _connect(self) -> socket.socket:
        if isinstance(self._server, tuple):
            return socket.create_connection(self._server)
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(self._server)
        return connected


class _Connection:
    """A client, and its connection to the server; a thread for each direction."""

    def __init__(self, proxy: RoundTripProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._is_answered = True
        for run in (self._forward, self._return):
            threading.Thread(target=run, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while sent := client.recv(_SIZE):
                if self._is_answered and sent[:1] != b"X":  # which is the end, without an answer
                    self._is_answered = False
                    self._proxy.count()
                server.sendall(sent)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _return(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while received := server.recv(_SIZE):
                if self._proxy.withholds:
                    self._proxy.withholds -= 1
                    client.sendall(self._proxy.last_words)
                    break
                self._is_answered = True
                client.sendall(received)
        for each in (client, server):
            with suppress(OSError):  # it is closed already
                each.shutdown(socket.SHUT_RDWR)  # ends the wait of the other thread, too
            each.close()


@contextmanager
def running_proxy(database_url: str, delay: float = 0) -> Iterator[RoundTripProxy]:
    """Run a proxy in front of the server of a database, on a free port of this machine.

    Args:
        database_url: the SQLAlchemy URL of a database on the server.
        delay: the seconds that each round trip takes longer.
    """
    url = make_url(database_url)
    host, port = url.query.get("host") or url.host or "127.0.0.1", url.port or 5432
    is_socket = str(host).startswith("/")
    server = str(Path(str(host)) / f".s.PGSQL.{port}") if is_socket else (str(host), port)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = RoundTripProxy(listener, server, delay)
        threading.Thread(target=proxy.serve, daemon=True).start()
        yield proxy
