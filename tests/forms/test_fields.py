"""A form has a field for each setting of a model, described by the model."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr

from burndown.forms import Bounds, FormField, fields_of
from burndown.models import ENTITIES, Budget, Entity, Profile, Query, Submodel
from burndown.models.docstring_schema import NOT_FOR_PEOPLE
from burndown.models.field_types import FieldSource, PositiveNumber
from burndown.models.time_types import OptionalDate, UtcDatetime

FIELDS = {field.path: field for field in fields_of(Profile)}


class Limits(Submodel):
    """A section within a section."""

    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """A ``share``
    of the whole."""


class Example(Submodel):
    """A field of each kind."""

    text: str
    """A required string."""
    base_url: Annotated[str, Field(json_schema_extra={"format": "uri"})] = ""
    """A URL."""
    secret: SecretStr = SecretStr("")
    """A secret."""
    number: PositiveNumber = 1.5
    """A number."""
    integer: Annotated[int, Field(ge=2, le=9)] | None = None
    """An integer."""
    flag: bool = True
    """A flag."""
    day: OptionalDate = None
    """A day."""
    timestamp: Annotated[UtcDatetime | None, NOT_FOR_PEOPLE] = None
    """A timestamp."""
    choice: Literal["a", "b"] = "a"
    """A choice."""
    items: list[str] = []
    """A list."""
    source: FieldSource | None = None
    """A source."""
    others: list[int] = Field([], title="The others")
    """A list of others."""
    limits: Limits = Field(default_factory=Limits)
    """A section."""


def test_a_field_has_what_the_model_says() -> None:
    assert FIELDS["jira_config.cache_size_mb"] == FormField(
        path="jira_config.cache_size_mb",
        kind="integer",
        label="Cache size MB",
        help=(
            "Size of the issue cache in megabytes, 10 to 1000; a cleanup deletes what is above it."
        ),
        section="Jira config",
        default=100,
        required=False,
        choices=(),
        bounds=Bounds(minimum=10, maximum=1000),
        for_people=True,
        unit="jira_config.cache_size_mb",
    )


def test_every_kind_follows_from_the_type() -> None:
    assert {field.path: field.kind for field in fields_of(Example)} == {
        "text": "text",
        "base_url": "url",
        "secret": "secret",
        "number": "number",
        "integer": "integer",
        "flag": "flag",
        "day": "date",
        "timestamp": "timestamp",
        "choice": "choice",
        "items": "list",
        "source": "source",
        "others": "json",
        "limits.share": "number",
    }


def test_labels_help_and_limits_come_from_the_model() -> None:
    fields = {field.path: field for field in fields_of(Example)}
    assert (fields["base_url"].label, fields["others"].label) == ("Base URL", "The others")
    assert fields["limits.share"].section == "Limits"
    assert fields["limits.share"].help == "A share of the whole."
    assert fields["limits.share"].bounds == Bounds(exclusive_minimum=0, exclusive_maximum=1)
    assert fields["integer"].bounds == Bounds(minimum=2, maximum=9)
    assert fields["number"].bounds == Bounds(exclusive_minimum=0)
    assert fields["choice"].choices == ("a", "b")
    assert [path for path, field in fields.items() if field.required] == ["text"]


def test_fields_are_in_the_order_of_the_model_with_the_keys_of_documents() -> None:
    assert list(FIELDS)[:3] == ["id", "name", "description"]
    assert list(FIELDS)[-3:] == [
        "flow_type_mappings.Risk.effort_categories",
        "show_milestone",
        "show_points",
    ]
    debt = FIELDS["flow_type_mappings.Technical Debt.issue_types"]
    assert (debt.section, debt.label) == ("Flow type mappings, Technical debt", "Issue types")


def test_ids_times_and_results_are_not_for_people() -> None:
    hidden = {path for path, field in FIELDS.items() if not field.for_people}
    assert hidden >= {
        "id",
        "created_at",
        "last_used",
        "revision",
        "jira_config.configured",
        "jira_config.last_test_timestamp",
        "jira_config.last_test_success",
    }
    shown = [field.path for field in fields_of(Query) if field.for_people]
    assert shown == ["name", "description", "jql"]


def test_a_form_of_a_budget_has_what_people_enter() -> None:
    """Revisions are added one by one, as ``add_budget_revision`` does."""
    shown = {field.path: field.kind for field in fields_of(Budget) if field.for_people}
    assert shown == {
        "time_allocated_weeks": "number",
        "team_cost_per_week": "number",
        "budget_total": "number",
        "cost_rate_type": "text",
        "currency_symbol": "text",
        "baseline_velocity_items": "number",
        "baseline_velocity_points": "number",
        "effective_from": "date",
    }


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.__name__)
def test_every_field_of_every_entity_has_a_label_and_a_help(entity: type[Entity]) -> None:
    for field in fields_of(entity):
        assert field.label[0].isupper(), field.path
        assert field.help.endswith("."), field.path


@pytest.mark.parametrize("entity", [Profile, Query])
def test_help_is_plain_text(entity: type[Entity]) -> None:
    assert [field.help for field in fields_of(entity) if "`" in field.help] == []
