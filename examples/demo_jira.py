"""A Jira server on this machine, which finds what the demo's workspace has cached."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

from burndown import PersistenceBackend
from examples.dashboard.delivery import newest_response

__all__ = ["run_demo_jira"]

PAGE = 50
"""Issues in a page."""
SECONDS = 0.8
"""Time that a page takes, so that there is a progress to look at."""


def run_demo_jira(backend: PersistenceBackend) -> None:
    """Run the server in the background, and connect the profiles of the workspace to it."""
    found = {
        query["jql"]: cached_issues(backend, profile["id"], query["id"])
        for profile in backend.list_profiles()
        for query in backend.list_queries(profile["id"])
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parameters = parse_qs(urlsplit(self.path).query)
            issues = found.get(parameters.get("jql", [""])[0], [])
            start = int(parameters.get("startAt", ["0"])[0])
            page = {"total": len(issues), "issues": issues[start : start + PAGE]}
            sleep(SECONDS)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(page).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    jira = {"base_url": f"http://127.0.0.1:{server.server_port}"}
    for profile in backend.list_profiles():
        backend.patch_profile(profile["id"], {"jira_config": jira})


def cached_issues(backend: PersistenceBackend, profile_id: str, query_id: str) -> list[Any]:
    """Return the issues of the newest response of a query, with the changelogs that are cached."""
    response = newest_response(backend, (profile_id, query_id))
    changelogs = {
        key: {"changelog": each["changelog"]}
        for key, each in backend.get_jira_changelogs(profile_id, query_id).items()
    }
    issues = response["response"]["issues"] if response else []
    return [{**each, **changelogs.get(each["key"], {})} for each in issues]
