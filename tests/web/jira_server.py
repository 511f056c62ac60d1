"""A Jira server that responds to searches page by page, when the test allows it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Semaphore, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 2
"""Issues in a page."""


class JiraServer:
    """A running server.

    Args:
        http: the server.
        issues: what every search finds, in this order.
    """

    def __init__(self, http: ThreadingHTTPServer, issues: list[dict[str, Any]]) -> None:
        self._http = http
        self.address = f"http://127.0.0.1:{http.server_port}"
        self.issues = issues
        self.searches = 0
        self._pages = Semaphore(0)

    def allow(self, pages: int) -> None:
        """Have it respond to this many further requests; the others wait."""
        self._pages.release(pages)

    def page(self, start: int) -> dict[str, Any]:
        """Return a page, as soon as it is allowed."""
        self.searches += start == 0
        self._pages.acquire()
        return {
            "startAt": start,
            "maxResults": PAGE,
            "total": len(self.issues),
            "issues": self.issues[start : start + PAGE],
        }

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def running_jira(issues: list[dict[str, Any]]) -> Iterator[JiraServer]:
    """Run a server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parameters = parse_qs(urlsplit(self.path).query)
            body = json.dumps(jira.page(int(parameters["startAt"][0]))).encode()
            with suppress(BrokenPipeError):  # whoever asked was killed meanwhile
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        jira = JiraServer(http, issues)
        Thread(target=http.serve_forever, daemon=True).start()
        yield jira
        jira.stop()
