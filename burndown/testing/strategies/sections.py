"""The shapes of the sections of profiles and budgets."""

from datetime import UTC

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.models import (
    BudgetRevision,
    DoraFieldMappings,
    FieldMappings,
    FlowFieldMappings,
    FlowTypeMapping,
    FlowTypeMappings,
    ForecastSettings,
    JiraConfig,
    ProjectClassification,
    Submodel,
)
from burndown.testing.strategies.characters import characters
from burndown.testing.strategies.json_content import json_objects, strings
from burndown.testing.strategies.shapes import Shape
from burndown.testing.strategies.times import days, naive_timestamps, timestamps, weeks

__all__ = ["SECTIONS", "field_sources", "flow_types"]

_issue_types = st.sampled_from(["Story", "Bug", "Task", "Deployment"])
_CLASSIFIED = {
    "projects": st.sampled_from(["KAFKA", "OPS", "WEB"]),
    "types": _issue_types,
    "values": st.sampled_from(["Production", "Staging"]),
    "statuses": st.sampled_from(["Open", "In Progress", "In Review", "Done"]),
}
"""What the lists of a classification hold, by the last word of their keys."""


def field_sources() -> SearchStrategy[object]:
    """Return sources of values in an issue, such as ``customfield_10016``, and rules of objects."""
    known = [
        "",
        "customfield_10016",
        "fixVersions",
        "status:In Progress.DateTime",
        "*.priority.name",
    ]
    return st.sampled_from(known) | strings() | json_objects()


def _some(values: SearchStrategy[str]) -> SearchStrategy[list[str]]:
    return st.lists(values | strings(), max_size=3)


_tokens = (
    st.just("")
    | st.just("a-token")
    | st.builds(
        # A token of asterisks alone is a mask, and refused.
        "{}{}{}".format,
        strings(6),
        characters(exclude="*"),
        strings(6),
    )
)
_JIRA_CONFIG = Shape(
    optional={
        "base_url": st.sampled_from(
            [
                "",
                "https://jira.example.com",
                "https://jira.example.com/",
                "http://localhost:8080/jira",
                "https://example.atlassian.net",
            ]
        ),
        "api_version": st.sampled_from(["v2", "v3"]),
        "token": _tokens,
        "cache_size_mb": st.integers(10, 1000),
        "max_results_per_call": st.integers(10, 1000),
        "points_field": field_sources(),
        "configured": st.booleans(),
        "last_test_timestamp": st.none()
        | (timestamps() | naive_timestamps()).map(lambda time: time.isoformat()),
        "last_test_success": st.none() | st.booleans(),
    }
)
_DORA_FIELD_MAPPINGS = Shape(
    optional=dict.fromkeys(DoraFieldMappings.model_fields, st.none() | field_sources())
)
_FLOW_FIELD_MAPPINGS = Shape(
    optional=dict.fromkeys(FlowFieldMappings.model_fields, st.none() | field_sources())
)
_FIELD_MAPPINGS = Shape(
    optional={"dora": _DORA_FIELD_MAPPINGS.documents(), "flow": _FLOW_FIELD_MAPPINGS.documents()}
)
_optional_days = st.none() | st.just("") | days()
_FORECAST_SETTINGS = Shape(
    optional={
        "pert_factor": st.sampled_from([1.2, 1, 1.0, 3])
        | st.integers(1, 10**30)
        | st.floats(0, exclude_min=True, allow_infinity=False),
        "deadline": _optional_days,
        "milestone": _optional_days,
        "data_points_count": st.sampled_from([12, 12.0, 1])
        | st.integers(1, 10**30)
        | st.floats(1, allow_infinity=False),
    }
)
_PROJECT_CLASSIFICATION = Shape(
    optional={
        key: _some(_CLASSIFIED[key.rpartition("_")[2]])
        for key in ProjectClassification.model_fields
    }
)
_FLOW_TYPE_MAPPING = Shape(
    optional={"issue_types": _some(_issue_types), "effort_categories": _some(st.just("Security"))}
)


def flow_types() -> SearchStrategy[object]:
    """Return the issues of a flow type: an object, or a list of issue types."""
    return _FLOW_TYPE_MAPPING.documents() | _some(_issue_types)


_FLOW_TYPE_MAPPINGS = Shape(
    optional=dict.fromkeys(["Feature", "Defect", "Technical Debt", "Risk"], flow_types()),
    unknown=flow_types(),
    reserved=frozenset(FlowTypeMappings.model_fields),
)
_times_as_returned = timestamps().map(lambda time: time.astimezone(UTC).isoformat())
_deltas = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
_BUDGET_REVISION = Shape(
    optional={
        "revision_date": st.none() | _times_as_returned,
        "week_label": st.none() | weeks(),
        "time_allocated_weeks_delta": _deltas,
        "team_cost_delta": _deltas,
        "budget_total_delta": _deltas,
        "reason": strings(),
        "created_at": st.none() | _times_as_returned,
        "metadata": st.none() | json_objects(),
    }
)

SECTIONS: dict[type[Submodel], Shape] = {
    JiraConfig: _JIRA_CONFIG,
    DoraFieldMappings: _DORA_FIELD_MAPPINGS,
    FlowFieldMappings: _FLOW_FIELD_MAPPINGS,
    FieldMappings: _FIELD_MAPPINGS,
    ForecastSettings: _FORECAST_SETTINGS,
    ProjectClassification: _PROJECT_CLASSIFICATION,
    FlowTypeMapping: _FLOW_TYPE_MAPPING,
    FlowTypeMappings: _FLOW_TYPE_MAPPINGS,
    BudgetRevision: _BUDGET_REVISION,
}
"""The shape of every section."""
