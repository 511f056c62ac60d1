"""A profile: a Jira connection, field mappings and forecast settings."""

from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import (
    AfterValidator,
    SecretStr,
    StrictBool,
    field_validator,
)
from pydantic import Field as SectionField
from pydantic_core import ErrorDetails, PydanticCustomError, SchemaValidator, core_schema
from sqlalchemy import UniqueConstraint, false
from sqlmodel import Field

from burndown.models.columns import Flag
from burndown.models.docstring_schema import NOT_FOR_PEOPLE
from burndown.models.entity import add_index
from burndown.models.field_types import Count, Expecting, FieldSource, PositiveNumber, Text, invalid
from burndown.models.json_codec import check_text
from burndown.models.json_columns import FlagJson, SubmodelJson
from burndown.models.named_entity import NamedEntity
from burndown.models.public_documents import is_masked_text
from burndown.models.submodel import Submodel
from burndown.models.time_types import OptionalDate, TimestampText
from burndown.quoting import Description

__all__ = [
    "DoraFieldMappings",
    "FieldMappings",
    "FlowFieldMappings",
    "FlowTypeMapping",
    "FlowTypeMappings",
    "ForecastSettings",
    "JiraConfig",
    "Profile",
    "ProjectClassification",
]

_URL = SchemaValidator(core_schema.url_schema(max_length=2083, allowed_schemes=["http", "https"]))
"""The rule of :class:`pydantic.HttpUrl`, without the object that it wraps around the URL."""

_WITH_USER = Description("one with a user")
"""The value of an error, in place of a URL that may hold a password."""


_LONGEST_QUOTED = 16
"""The maximum length of strings in errors; tokens of Jira have 24 characters or more."""


def _check_base_url(url: str) -> str:
    if url == "":
        return url
    try:
        parsed = _URL.validate_python(url)
    except pydantic.ValidationError:
        shown = _WITH_USER if "@" in url else url
        raise invalid(
            "input should be a URL such as https://jira.example.com", value=shown
        ) from None
    if parsed.username or parsed.password:
        expected = "input should be a URL without user and password; set `token` instead"
        raise invalid(expected, value=_WITH_USER)
    if url != url.strip():
        raise invalid("input should be a URL without surrounding blanks")
    return url


def _check_token(token: SecretStr) -> SecretStr:
    secret = token.get_secret_value()
    try:
        check_text(secret)
    except PydanticCustomError:
        raise invalid("input should be a string without lone surrogates") from None
    if is_masked_text(secret):
        raise invalid("input should be the token itself, not its mask")
    return token


_Token = Annotated[
    SecretStr, AfterValidator(_check_token), SectionField(json_schema_extra={"pattern": "^$|[^*]"})
]


class JiraConfig(Submodel):
    """The connection to Jira; empty until it is configured."""

    base_url: Annotated[
        Text,
        AfterValidator(_check_base_url),
        # Unlike a URI, a reference may be empty.
        SectionField(
            json_schema_extra={
                "format": "iri-reference",
                "pattern": "^([Hh][Tt][Tt][Pp][Ss]?:.+)?$",
            }
        ),
    ] = ""
    """The URL of Jira, with or without a slash at the end; empty while not configured."""
    api_version: Literal["v2", "v3"] = "v2"
    """Version of Jira's REST API: ``v2`` for servers, ``v3`` for the cloud."""
    token: _Token = SecretStr("")
    """The access token; empty for anonymous access."""
    cache_size_mb: Annotated[pydantic.StrictInt, SectionField(ge=10, le=1000)] = 100
    """Size of the issue cache in megabytes, 10 to 1000; a cleanup deletes what is above it."""
    max_results_per_call: Annotated[pydantic.StrictInt, SectionField(ge=10, le=1000)] = 100
    """Issues requested in one call, 10 to 1000."""
    points_field: FieldSource = ""
    """The field of story points, such as ``customfield_10016``; empty if there is none."""
    configured: Annotated[StrictBool, NOT_FOR_PEOPLE] = False
    """Whether the connection has been saved."""
    last_test_timestamp: Annotated[TimestampText | None, NOT_FOR_PEOPLE] = None
    """When the connection was last tested, ISO 8601, local time if without an offset."""
    last_test_success: Annotated[StrictBool | None, NOT_FOR_PEOPLE] = None
    """Whether that test succeeded."""

    @classmethod
    def quotable(cls, details: ErrorDetails) -> object:
        """Return the value of an error, or a description if it may be a token in a wrong field."""
        value = super().quotable(details)
        if isinstance(value, Description) or not isinstance(value, str):
            return value
        is_short_or_url = len(value) <= _LONGEST_QUOTED or "://" in value
        return value if is_short_or_url else Description(f"a string of {len(value)} characters")

    # Not a rule of the field, which the codec would apply to rows: they keep what was given.
    @field_validator("token", mode="before", json_schema_input_type=_Token | None)
    @classmethod
    def _none_is_empty(cls, token: Any) -> Any:
        return "" if token is None else token


class DoraFieldMappings(Submodel):
    """The sources in an issue of the values for the four DORA metrics."""

    deployment_date: FieldSource | None = None
    """When a change reached production."""
    deployment_successful: FieldSource | None = None
    """Whether a deployment succeeded."""
    code_commit_date: FieldSource | None = None
    """When work on a change began."""
    incident_detected_at: FieldSource | None = None
    """When an incident was noticed."""
    incident_resolved_at: FieldSource | None = None
    """When an incident was over."""
    change_failure: FieldSource | None = None
    """Whether a change failed."""
    production_impact: FieldSource | None = None
    """The effect of an incident on production."""
    affected_environment: FieldSource | None = None
    """Environment in which an incident happened."""
    target_environment: FieldSource | None = None
    """Environment to which a change was deployed."""
    severity_level: FieldSource | None = None
    """The severity of an incident."""


class FlowFieldMappings(Submodel):
    """The sources in an issue of the values for the Flow metrics."""

    flow_item_type: FieldSource | None = None
    """Kind of work."""
    status: FieldSource | None = None
    """The state of the item in the workflow."""
    effort_category: FieldSource | None = None
    """Category of effort, for the distribution of work."""
    completed_date: FieldSource | None = None
    """When the item was done."""
    estimate: FieldSource | None = None
    """The size of the item."""


class FieldMappings(Submodel):
    """The Jira fields that the metrics read."""

    dora: DoraFieldMappings = SectionField(default_factory=DoraFieldMappings)
    """For the DORA metrics."""
    flow: FlowFieldMappings = SectionField(default_factory=FlowFieldMappings)
    """For the Flow metrics."""


class ForecastSettings(Submodel):
    """The settings of the forecast."""

    pert_factor: PositiveNumber = 1.2
    """Weight of the optimistic and pessimistic estimates in the PERT forecast, above 0."""
    deadline: OptionalDate = None
    """The day by which everything has to be done."""
    milestone: OptionalDate = None
    """A day in between to aim at."""
    data_points_count: Count = 12
    """The number of past weeks that the forecast uses, at least 1."""


class ProjectClassification(Submodel):
    """The meaning of projects, types, statuses and environments."""

    devops_projects: list[Text] = []
    """Keys of the projects that hold deployments and incidents."""
    development_projects: list[Text] = []
    """Keys of the projects that hold development work."""
    devops_task_types: list[Text] = []
    """Issue types that are deployments."""
    bug_types: list[Text] = []
    """Issue types that are defects or incidents."""
    production_environment_values: list[Text] = []
    """Values of the environment field that mean production."""
    flow_end_statuses: list[Text] = []
    """Statuses in which work is done."""
    active_statuses: list[Text] = []
    """Statuses of work in progress."""
    flow_start_statuses: list[Text] = []
    """Statuses with which work begins."""
    wip_statuses: list[Text] = []
    """Statuses that count as work in progress."""


class FlowTypeMapping(Submodel):
    """The issues that belong to one flow type."""

    issue_types: list[Text] = []
    """Issue types that belong to it."""
    effort_categories: list[Text] = []
    """Effort categories that belong to it."""


_FlowType = Annotated[
    list[Text] | FlowTypeMapping,
    SectionField(union_mode="left_to_right"),
    Expecting(
        "input should be an object with issue_types and effort_categories, or a list of issue types"
    ),
]


class FlowTypeMappings(Submodel):
    """The four flow types of the Flow Framework; other spellings are kept as further types."""

    __pydantic_extra__: dict[str, _FlowType]

    feature: _FlowType = SectionField(default_factory=FlowTypeMapping, alias="Feature")
    """New value for customers."""
    defect: _FlowType = SectionField(default_factory=FlowTypeMapping, alias="Defect")
    """Quality problems."""
    technical_debt: _FlowType = SectionField(
        default_factory=FlowTypeMapping, alias="Technical Debt"
    )
    """Work on the architecture, so that it does not hinder later work."""
    risk: _FlowType = SectionField(default_factory=FlowTypeMapping, alias="Risk")
    """Security, privacy and compliance."""


def _section(model: type[Submodel]) -> Any:
    return Field(
        default_factory=model,
        sa_type=SubmodelJson(model),
        sa_column_kwargs={"server_default": "{}", "nullable": False},
    )


class Profile(NamedEntity, table=True):
    """One workspace of the dashboard; its name is unique."""

    __tablename__: ClassVar[str] = "profiles"
    __table_args__ = (UniqueConstraint("name"),)
    LABEL: ClassVar[str] = "profiles"
    PROFILE_COLUMN: ClassVar[str | None] = "id"
    EXPORT_FILE: ClassVar[str | None] = "profile.json"
    LEGACY_FILE: ClassVar[str | None] = "profile.json"
    FALLBACK_ID: ClassVar[str] = "profile"

    jira_config: JiraConfig = _section(JiraConfig)
    """The connection to Jira."""
    field_mappings: FieldMappings = _section(FieldMappings)
    """The sources of the values for the metrics."""
    forecast_settings: ForecastSettings = _section(ForecastSettings)
    """The settings of the forecast."""
    project_classification: ProjectClassification = _section(ProjectClassification)
    """The meaning of projects, types and statuses."""
    flow_type_mappings: FlowTypeMappings = _section(FlowTypeMappings)
    """The issues that belong to each flow type."""
    show_milestone: StrictBool = Field(
        default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()}
    )
    """Whether charts show the milestone."""
    # The dashboard's checkbox writes ["show"] or [].
    show_points: Annotated[
        StrictBool | list[Text], Expecting("input should be true, false or a list of strings")
    ] = Field(
        default=False,
        sa_type=FlagJson,
        sa_column_kwargs={"server_default": "false", "nullable": False},
    )
    """Whether charts show story points."""


# The order of lists: without it, SQLite sorts all profiles.
add_index(Profile, "ix_profiles_last_used", "-last_used", "id")
