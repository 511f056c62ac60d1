"""The settings of a profile: an input for each, with its help and a place for its error."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from burndown import Profile
from burndown.forms import FormField, fields_of
from examples.dashboard.layout.pages import header, missing

__all__ = ["PATHS", "settings"]

FIELDS = sorted(
    (field for field in fields_of(Profile) if field.for_people),
    key=lambda field: field.section != "",  # those of the profile itself first
)
PATHS = [field.path for field in FIELDS]


def settings(state: dict[str, Any] | None) -> Component:
    """Return the form, filled with the values of the state, which the page keeps.

    Without a state, return that there is no such profile.
    """
    if state is None:
        return missing("profile")
    sections = groupby(FIELDS, key=lambda field: field.section)
    back = f"/?{urlencode({'profile': state['id']})}"
    return html.Div(
        [
            header(dcc.Link("Back", href=back, className="button")),
            html.Main(
                [
                    html.H1(f"Settings of {state['values']['name']}"),
                    *(_section(title, fields, state["values"]) for title, fields in sections),
                    html.Div(
                        [
                            html.Button("Save", id="save", className="primary"),
                            html.A("Reload", href="", className="button"),
                            html.P(id="message", role="status"),
                        ],
                        className="actions",
                    ),
                    dcc.Store(id="state", data=state),
                ],
                className="settings",
            ),
        ]
    )


def _section(title: str, fields: Iterable[FormField], values: Mapping[str, Any]) -> Component:
    rows = [_row(field, values[field.path]) for field in fields]
    return html.Fieldset([html.Legend(title or "Profile"), *rows], className="card")


def _row(field: FormField, value: str | bool) -> Component:
    error = html.Strong(id={"error": field.path}, className="error", role="alert")
    label = html.Label([html.Span(field.label), _input(field, value)])
    text = "Leave it empty to keep it." if field.kind == "secret" else field.help
    return html.Div([label, html.Small(text), error], className="field")


def _input(field: FormField, value: str | bool) -> Component:
    common: dict[str, Any] = {"id": {"field": field.path}, "value": value}
    match field.kind:
        case "flag":
            options = [{"label": "yes", "value": True}, {"label": "no", "value": False}]
            return dcc.RadioItems(options, inline=True, **common)
        case "choice":
            unset = {"": f"default ({field.default})"}
            choices = unset | {each: each for each in field.choices}
            return dcc.RadioItems(choices, inline=True, **common)
        case "list":
            return dcc.Textarea(rows=3, **common)
        case "secret":
            return dcc.Input(type="password", placeholder="unchanged", **common)
        case _:
            # Not "number": Dash gives `None` for what is not a number, which unsets the setting.
            example = "YYYY-MM-DD" if field.kind == "date" else str(field.default or "")
            return dcc.Input(type="text", placeholder=example, **common)
