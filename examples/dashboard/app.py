"""The application: callbacks between its pages and the store.

Whichever worker serves a page, it shows the same: the state of a fetch is in the store, and so is
what was fetched last. A fetch can be cancelled from any page, and its worker can be killed.
"""

from threading import Thread
from typing import Any
from urllib.parse import urlencode

from dash import ALL, Dash, Input, Output, State, no_update, register_page

from burndown import PersistenceError, RevisionConflictError, ValidationError, get_backend
from burndown.forms import form_values, read_form
from examples.dashboard import layout
from examples.dashboard.delivery import read_delivery
from examples.dashboard.fetching import TASK, fetch

CONFLICT = "Others have saved since. Save again to add your changes, or reload to see theirs first."

app = Dash(__name__, title="Delivery", use_pages=True, pages_folder="", update_title="")
app.config.suppress_callback_exceptions = True  # each page has the components of some callbacks
app.index_string = app.index_string.replace("<html>", '<html lang="en">')
server = app.server
backend = get_backend()


def overview(profile: str | None = None, query: str | None = None, **_other: str) -> Any:
    """Return the page of a query: by default of the one that was used last."""
    profiles = backend.list_profiles()
    profile = profile or (profiles[0]["id"] if profiles else None)
    queries = backend.list_queries(profile) if profile else []
    query = query or (queries[0]["id"] if queries else None)
    return layout.overview(profiles, queries, {"profile": profile, "query": query})


def settings(profile: str = "", **_other: str) -> Any:
    """Return the form with the settings of a profile, filled whenever it is loaded."""
    found = backend.get_profile(profile) if profile else None
    return layout.settings(found and state_of(found))


pages: Any = register_page  # which has no types
pages("overview", path="/", title="Delivery", layout=overview)
pages("settings", path="/settings", title="Settings", layout=settings)
pages("not_found_404", path="/404", title="Delivery", layout=layout.missing("page"))
app.layout = layout.frame()


@app.callback(
    Output("url", "search"),
    Input("profile", "value"),
    Input("query", "value"),
    State("selected", "data"),
    prevent_initial_call=True,
)
def select(profile: str | None, query: str | None, selected: dict[str, str]) -> Any:
    """Go to the page of what was picked; another profile has other queries."""
    if profile and profile != selected["profile"]:
        return "?" + urlencode({"profile": profile})
    if query and query != selected["query"]:
        return "?" + urlencode({"profile": profile, "query": query})
    return no_update  # a new page calls this, too, without what does not exist


@app.callback(Input("fetch", "n_clicks"), State("selected", "data"), prevent_initial_call=True)
def start_fetch(_clicks: int, selected: dict[str, str]) -> None:
    """Fetch in the background, unless a worker does so already."""
    ids = (selected["profile"], selected["query"])
    Thread(target=fetch, args=(backend, *ids), daemon=True).start()


@app.callback(Input("cancel", "n_clicks"), prevent_initial_call=True)
def cancel(_clicks: int) -> None:
    """Ask whichever worker is fetching to stop."""
    backend.cancel_task(TASK)


@app.callback(
    *layout.STATUS,
    Output("content", "children"),
    Output("version", "data"),
    Input("tick", "n_intervals"),
    State("selected", "data"),
    State("version", "data"),
    # Dash drops the response to a tick if another tick follows: a slow one would never be shown.
    running=[(Output("tick", "disabled"), True, False)],
)
def refresh(_ticks: int, selected: dict[str, str], version: Any) -> tuple[Any, ...]:
    """Show the state of the data and of a fetch, and the data themselves if they have changed."""
    ids = (selected["profile"], selected["query"])
    profile, query = backend.get_profile(ids[0]), backend.get_query(*ids)
    found = [each for each in backend.query_status(ids[0]) if each["query_id"] == ids[1]]
    now = backend.now()
    newest = [str(now.date()), profile and profile["revision"], query and query["revision"], *found]
    content: Any = no_update
    if newest != version:
        content = layout.delivery(read_delivery(backend, *ids))
    status = layout.status(found, now, backend.get_task_progress(TASK))
    return *status, content, newest


def state_of(profile: Any) -> dict[str, Any]:
    """Return what a form keeps of the profile that it shows."""
    return {"id": profile["id"], "values": form_values(profile), "revision": profile["revision"]}


@app.callback(
    Output({"field": ALL}, "value"),
    Output({"error": ALL}, "children"),
    Output("message", "children"),
    Output("state", "data"),
    Input("save", "n_clicks"),
    State({"field": ALL}, "value"),
    State("state", "data"),
    prevent_initial_call=True,
)
def save(_clicks: int, entered: list[Any], state: dict[str, Any]) -> tuple[Any, ...]:
    """Save what was changed in the form since it was filled."""
    values = dict(zip(layout.PATHS, entered, strict=True))
    message, errors = "Not saved.", dict[str, str]()
    try:
        changes = read_form(values, before=state["values"])
        saved = backend.patch_profile(state["id"], changes, if_revision=state["revision"])
        state = state_of(saved)
        message, values = f"Saved as revision {state['revision']}.", state["values"]
    except RevisionConflictError as conflict:
        message, state["revision"] = CONFLICT, conflict.current
    except ValidationError as error:
        errors = error.by_path()
    except PersistenceError as error:  # the profile has been deleted, or the store is busy
        message = f"Not saved. {error}"
    paths = layout.PATHS
    return [values[path] for path in paths], [errors.get(path) for path in paths], message, state


# The pages register their scripts. A worker can be asked for a script before it has served a page.
server.test_client().get("/")
