"""The metrics of a week."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar

from sqlalchemy import PrimaryKeyConstraint
from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import OrderedText, UtcTimestamp
from burndown.models.documents import Document
from burndown.models.entity import add_index
from burndown.models.field_types import JsonObject, LenientNumber, LenientText, Word, lenient
from burndown.models.json_columns import JsonText
from burndown.models.query import of_query
from burndown.models.query_data import QueryData
from burndown.models.submodel import View
from burndown.models.time_types import IsoWeek, UtcDatetime
from burndown.models.timestamps import utc_now
from burndown.models.week import Week

__all__ = [
    "DoraMetrics",
    "FlowMetrics",
    "MetricForecast",
    "MetricsSnapshot",
    "MetricsSnapshotDocument",
]

_Object = Annotated[dict[str, Any] | None, lenient(dict)]


class MetricForecast(View):
    """The forecast of a metric: as a range of today or in the dashboard's own form."""

    predicted_value: LenientNumber = None
    """The forecast."""
    confidence_interval: Annotated[list[Any] | None, lenient(list)] = None
    """Lower and upper bound."""
    forecast_value: LenientNumber = None
    """The forecast, as the dashboard names it."""
    forecast_range: _Object = None
    """``lower`` and ``upper``, as the dashboard names them."""
    historical_values: Annotated[list[Any] | None, lenient(list)] = None
    """The values that it was calculated from, oldest first."""
    weights_applied: Annotated[list[Any] | None, lenient(list)] = None
    """The weight of each of these."""
    weeks_available: LenientNumber = None
    """The number of weeks that it was calculated from."""
    confidence: LenientText = None
    """``building`` or ``established``."""


class DoraMetrics(View):
    """The four DORA metrics, as single numbers and as the dashboard's objects."""

    deployment_frequency: LenientNumber = None
    """Deployments in the week."""
    lead_time_days: LenientNumber = None
    """Days from commit to production."""
    change_failure_rate: LenientNumber = None
    """Share of deployments that failed, 0 to 1."""
    mttr_hours: LenientNumber = None
    """Hours until service was restored."""
    dora_deployment_frequency: _Object = None
    """``deployment_count``, ``release_count``, ``release_names`` and ``week``."""
    dora_lead_time: _Object = None
    """``median_hours``, ``mean_hours``, ``p95_hours`` and ``issues_with_lead_time``."""
    dora_change_failure_rate: _Object = None
    """``change_failure_rate_percent`` (0 to 100) and the numbers it is made of."""
    dora_mttr: _Object = None
    """``median_hours`` and ``mean_hours`` (null for none), ``value`` and its ``unit``."""


class FlowMetrics(View):
    """The Flow metrics, as the dashboard's objects."""

    flow_time: _Object = None
    """``median_days``, ``avg_days``, ``p85_days`` and ``completed_count``."""
    flow_efficiency: _Object = None
    """``overall_pct`` and ``median_pct`` (0 to 100), ``avg_active_days``, ``avg_waiting_days``."""
    flow_load: _Object = None
    """``wip_count``, ``by_status`` and ``by_issue_type``."""
    flow_velocity: _Object = None
    """``completed_count`` and its ``distribution`` over the flow types."""


class MetricsSnapshot(QueryData, table=True):
    """The metrics of one type in one week, stored unchanged."""

    __tablename__: ClassVar[str] = "metrics_snapshots"
    __table_args__ = of_query(
        PrimaryKeyConstraint("profile_id", "query_id", "metric_type", "snapshot_date"),
    )
    LABEL: ClassVar[str] = "metrics snapshots"
    EXPORT_FILE: ClassVar[str | None] = "metrics/snapshots.json"
    LEGACY_FILE: ClassVar[str | None] = "metrics_snapshots.json"

    metric_type: Word = Field(primary_key=True, sa_type=OrderedText)
    """``dora``, ``flow`` or another lower-case word."""
    snapshot_date: IsoWeek = Field(primary_key=True, sa_type=OrderedText)
    """The week, ``2025-W12``."""
    created_at: UtcDatetime = Field(default_factory=utc_now, sa_type=UtcTimestamp)
    """When it was saved, UTC."""
    metrics: JsonObject = Field(sa_type=JsonText)
    """Numbers, strings, objects or null, by name."""
    forecast: JsonObject | None = Field(default=None, sa_type=JsonText)
    """The forecast of the snapshot, if there is one."""
    forecasts: JsonObject | None = Field(default=None, sa_type=JsonText)
    """Forecasts by the name of their metric, if there are some."""

    @classmethod
    def converted(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same as for any entity; the week can be a ``Week`` or its Monday."""
        week = document.get("snapshot_date")
        if isinstance(week, Week | date):
            document = {**document, "snapshot_date": week.isoformat()}
        return super().converted(document)

    @staticmethod
    def patched(stored: Sequence[Mapping[str, Any]], patch: Document) -> Document:
        """Return a snapshot with the metrics and forecasts of a patch; ``None`` removes one.

        Args:
            stored: the snapshot of its week and type, if there is one.
            patch: a complete document. Without ``forecasts``, the stored ones are kept.
        """
        [before] = stored or [{}]
        merged = {key: _merged(before.get(key), patch[key]) for key in ("metrics", "forecasts")}
        return {**patch, **merged, "forecast": before.get("forecast")}

    @property
    def dora(self) -> DoraMetrics:
        """Return the metrics, read as DORA metrics."""
        return DoraMetrics.model_validate(self.metrics)

    @property
    def flow(self) -> FlowMetrics:
        """Return the metrics, read as Flow metrics."""
        return FlowMetrics.model_validate(self.metrics)

    @property
    def typed_forecast(self) -> MetricForecast | None:
        """Return the forecast as a view; ``None`` if there is none."""
        return None if self.forecast is None else MetricForecast.model_validate(self.forecast)


class MetricsSnapshotDocument(TypedDict):
    """A metrics snapshot as a backend returns it."""

    profile_id: str
    query_id: str
    metric_type: str
    snapshot_date: str
    created_at: str
    metrics: Document
    forecast: Document | None
    forecasts: Document | None


# The order of snapshots of all types; that of one type is the order of the primary key.
add_index(
    MetricsSnapshot,
    "ix_metrics_snapshots_week",
    "profile_id",
    "query_id",
    "-snapshot_date",
    "metric_type",
)


def _merged(stored: Document | None, changes: Document | None) -> Document | None:
    if changes is None:
        return stored
    merged = {**(stored or {}), **changes}
    return {key: item for key, item in merged.items() if item is not None or key not in changes}
