"""A server that runs a FastAPI application, and its client."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import uvicorn

__all__ = ["REQUESTS", "Response", "Service", "running"]

REQUESTS = 200
"""The number of requests that can wait for the server."""


class Response(NamedTuple):
    """A response of the server."""

    status: int
    text: str
    headers: Any

    @property
    def body(self) -> Any:
        """Return the JSON value of the text."""
        return json.loads(self.text)


class Service:
    """A running application."""

    def __init__(self, address: str) -> None:
        self.address = address

    def request(self, method: str, path: str, body: Any = None) -> Response:
        """Send a body, as JSON unless it is encoded, and return the response."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        url = f"{self.address}{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as got:
                return Response(got.status, got.read().decode(), got.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, error.read().decode(), error.headers)


@contextmanager
def running(app: object) -> Iterator[Service]:
    """Run an application on loopback."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=REQUESTS)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        serving = threading.Thread(target=server.run, args=([listening],))
        serving.start()
        try:
            yield Service(f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            serving.join()
