"""Searching a Jira server, page by page, with the standard library."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from burndown.models import JiraConfig

__all__ = ["search"]

TIMEOUT = 10
"""Seconds to wait for each page."""


def search(jira: JiraConfig, jql: str, fields: str) -> Iterator[dict[str, Any]]:
    """Yield the pages of a search for fields, with the changelog of each issue.

    Raises:
        OSError: Jira cannot be reached, or has refused the request.
        ValueError: there is no address of Jira, or its response is not JSON.
        Exception: its response is no page of issues.
    """
    # A token that was read from a file may end with a newline, and urllib quotes such a header.
    token = "".join(jira.token.get_secret_value().split())
    start, total = 0, 1
    while start < total:
        parameters = {
            "jql": jql,
            "fields": fields,
            "expand": "changelog",
            "startAt": start,
            "maxResults": jira.max_results_per_call,
        }
        address = f"{jira.base_url.rstrip('/')}/rest/api/2/search?{urlencode(parameters)}"
        # The profile has validated that it is an address of HTTP.
        request = Request(address)  # noqa: S310
        if token:  # whoever a redirect leads to must not get it
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        with urlopen(request, timeout=TIMEOUT) as sent:  # noqa: S310
            page = json.load(sent)
        yield page
        start, total = start + len(page["issues"]), page["total"] if page["issues"] else 0
