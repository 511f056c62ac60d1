"""A settings form for a profile, in Dash: ``python -m examples.settings_form.app``.

Errors appear next to the fields. Tabs do not undo each other: a form saves only what was changed in
it, and reports if others have saved since it was filled. The token is never sent to the browser.
"""

from typing import Any

from dash import ALL, Dash, Input, Output, State

from burndown import RevisionConflictError, ValidationError, get_backend
from burndown.forms import form_values, read_form
from examples.settings_form.layout import PATHS, page

PROFILE = "kafka"
CONFLICT = "Others have saved since. Save again to add your changes, or reload to see theirs first."

app = Dash(__name__, title="Settings")
server = app.server
backend = get_backend()
if backend.get_profile(PROFILE) is None:
    backend.save_profile({"id": PROFILE})


def state_of(profile: Any) -> dict[str, Any]:
    """Return what a page keeps of the profile that it shows."""
    return {"values": form_values(profile), "revision": profile["revision"]}


app.layout = lambda: page(state_of(backend.get_profile(PROFILE)))  # filled whenever it is loaded


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
    values = dict(zip(PATHS, entered, strict=True))
    message, errors = "Not saved.", dict[str, str]()
    try:
        changes = read_form(values, before=state["values"])
        state = state_of(backend.patch_profile(PROFILE, changes, if_revision=state["revision"]))
        message, values = f"Saved as revision {state['revision']}.", state["values"]
    except RevisionConflictError as conflict:
        message, state["revision"] = CONFLICT, conflict.current
    except ValidationError as error:
        errors = error.by_path()
    return [*values.values()], [errors.get(path) for path in PATHS], message, state


if __name__ == "__main__":
    app.run()
