"""The page: an input for each setting, with its help and a place for its error."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from burndown import Profile
from burndown.forms import FormField, fields_of

FIELDS = [field for field in fields_of(Profile) if field.for_people]
PATHS = [field.path for field in FIELDS]


def page(state: dict[str, Any]) -> Component:
    """Return the form, filled with the values of the state, which the page keeps."""
    sections = groupby(FIELDS, key=lambda field: field.section)
    return html.Main(
        [
            html.H1("Settings"),
            *(_section(title, fields, state["values"]) for title, fields in sections),
            html.Button("Save", id="save"),
            html.A("Reload", href=""),
            html.P(id="message", role="status"),
            dcc.Store(id="state", data=state),
        ],
        style={"maxWidth": "48rem", "margin": "auto", "fontFamily": "sans-serif"},
    )


def _section(title: str, fields: Iterable[FormField], values: Mapping[str, Any]) -> Component:
    rows = [_row(field, values[field.path]) for field in fields]
    return html.Fieldset([html.Legend(title or "Profile"), *rows])


def _row(field: FormField, value: str | bool) -> Component:
    error = html.Strong(id={"error": field.path}, style={"color": "firebrick"})
    label = html.Label([f"{field.label} ", _input(field, value)])
    return html.Div([label, html.Small(f" {field.help} "), error], style={"margin": "0.5rem"})


def _input(field: FormField, value: str | bool) -> Component:
    common: dict[str, Any] = {"id": {"field": field.path}, "value": value}
    match field.kind:
        case "flag":
            options = [{"label": "yes", "value": True}, {"label": "no", "value": False}]
            return dcc.RadioItems(options, **common)
        case "choice":
            unset = {"": f"default ({field.default})"}
            return dcc.RadioItems(unset | {each: each for each in field.choices}, **common)
        case "list":
            return dcc.Textarea(**common)
        case "secret":
            return dcc.Input(type="password", placeholder="unchanged", **common)
        case _:
            # Not "number": Dash gives `None` for what is not a number, which unsets the setting.
            example = "YYYY-MM-DD" if field.kind == "date" else str(field.default or "")
            return dcc.Input(type="text", placeholder=example, **common)
