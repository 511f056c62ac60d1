"""A dashboard that opens its store before the server forks its workers."""

import os

from dash import Dash, Input, Output, html

from burndown import get_backend

backend = get_backend()
backend.set_app_state("started_in", str(os.getpid()))

app = Dash(__name__)
app.layout = html.Div(
    [html.Button(id="save"), html.P(id="saved"), html.Button(id="fork"), html.P(id="forked")]
)
server = app.server


def store(clicks: int) -> None:
    """Count a click, and store it."""
    with backend.transaction():
        backend.set_app_state(f"save-{clicks}", "x")
        count = int(backend.get_app_state("count") or 0)
        backend.set_app_state("count", str(count + 1))


@app.callback(Output("saved", "children"), Input("save", "n_clicks"))
def save(clicks: int) -> str:
    """Save in the worker."""
    store(clicks)
    return str(os.getpid())


@app.callback(Output("forked", "children"), Input("fork", "n_clicks"))
def fork(clicks: int) -> str:
    """Save in a process that is forked from a thread of the worker, as background callbacks do."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store(clicks)
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the forked process failed")
    return str(child)
