"""The types of a profile and its sections in documents.

The sections hold what was set; the models in :mod:`burndown.models.profile` have the defaults.
"""

from typing import Literal

from typing_extensions import TypedDict

from burndown.models.documents import Document

__all__ = [
    "DoraFieldMappingsDocument",
    "FieldMappingsDocument",
    "FlowFieldMappingsDocument",
    "FlowTypeMappingDocument",
    "FlowTypeMappingsDocument",
    "ForecastSettingsDocument",
    "JiraConfigDocument",
    "ProfileDocument",
    "ProjectClassificationDocument",
]


class JiraConfigDocument(TypedDict, total=False):
    """:class:`JiraConfig` in a document."""

    base_url: str
    api_version: Literal["v2", "v3"]
    token: str
    cache_size_mb: int
    max_results_per_call: int
    points_field: str | Document
    configured: bool
    last_test_timestamp: str | None
    last_test_success: bool | None


class DoraFieldMappingsDocument(TypedDict, total=False):
    """:class:`DoraFieldMappings` in a document."""

    deployment_date: str | Document | None
    deployment_successful: str | Document | None
    code_commit_date: str | Document | None
    incident_detected_at: str | Document | None
    incident_resolved_at: str | Document | None
    change_failure: str | Document | None
    production_impact: str | Document | None
    affected_environment: str | Document | None
    target_environment: str | Document | None
    severity_level: str | Document | None


class FlowFieldMappingsDocument(TypedDict, total=False):
    """:class:`FlowFieldMappings` in a document."""

    flow_item_type: str | Document | None
    status: str | Document | None
    effort_category: str | Document | None
    completed_date: str | Document | None
    estimate: str | Document | None


class FieldMappingsDocument(TypedDict, total=False):
    """:class:`FieldMappings` in a document."""

    dora: DoraFieldMappingsDocument
    flow: FlowFieldMappingsDocument


class ForecastSettingsDocument(TypedDict, total=False):
    """:class:`ForecastSettings` in a document."""

    pert_factor: float
    deadline: str | None
    milestone: str | None
    data_points_count: float


class ProjectClassificationDocument(TypedDict, total=False):
    """:class:`ProjectClassification` in a document."""

    devops_projects: list[str]
    development_projects: list[str]
    devops_task_types: list[str]
    bug_types: list[str]
    production_environment_values: list[str]
    flow_end_statuses: list[str]
    active_statuses: list[str]
    flow_start_statuses: list[str]
    wip_statuses: list[str]


class FlowTypeMappingDocument(TypedDict, total=False):
    """:class:`FlowTypeMapping` in a document."""

    issue_types: list[str]
    effort_categories: list[str]


FlowTypeMappingsDocument = TypedDict(
    "FlowTypeMappingsDocument",
    {
        "Feature": FlowTypeMappingDocument | list[str],
        "Defect": FlowTypeMappingDocument | list[str],
        "Technical Debt": FlowTypeMappingDocument | list[str],
        "Risk": FlowTypeMappingDocument | list[str],
    },
    total=False,
)


class ProfileDocument(TypedDict):
    """A profile as a backend returns it; sections hold what was set, :class:`Profile` has defaults.

    It also holds whatever other keys were saved.
    """

    id: str
    name: str
    description: str
    created_at: str
    last_used: str
    revision: int
    jira_config: JiraConfigDocument
    field_mappings: FieldMappingsDocument
    forecast_settings: ForecastSettingsDocument
    project_classification: ProjectClassificationDocument
    flow_type_mappings: FlowTypeMappingsDocument
    show_milestone: bool
    show_points: bool | list[str]
