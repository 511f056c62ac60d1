"""The results of calls that read: complete documents, their age and state, and series."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.models import (
    Document,
    Entity,
    FoundChangelog,
    FoundResponse,
    JiraCache,
    JiraCacheEntry,
    JiraChangelog,
    JiraChangelogEntry,
    MetricSeries,
    QueryStatus,
    Submodel,
    Week,
)
from burndown.models.codec import codec_of
from burndown.models.metric_series import MEASURES
from burndown.models.timestamps import after, to_utc, utc_now
from burndown.persistence import caching
from burndown.testing.strategies.entities import documents
from burndown.testing.strategies.short_strings import identifiers
from burndown.testing.strategies.times import START, weeks

__all__ = ["RESULTS", "complete_documents", "documents_with_times"]

_LATER = st.just(timedelta(hours=2)) | st.timedeltas(timedelta(), timedelta(days=400))
"""How long after its saving something is read."""
_HIGHEST = {"share": 1, "percent": 100}
"""The highest value of a metric, by its unit."""


def documents_with_times(model: type[Entity] | type[Submodel]) -> SearchStrategy[Document]:
    """Return documents with the times that their class would take from the system.

    An example would be another one in each run.
    """
    fields = model.model_fields.items()
    of_system = [name for name, field in fields if field.default_factory is utc_now]
    start = START.isoformat()
    return documents(model).map(
        lambda document: {**dict.fromkeys(of_system, document.get("created_at", start)), **document}
    )


def complete_documents(model: type[Entity]) -> SearchStrategy[Document]:
    """Return documents of an entity as a backend returns them: with all keys, and times in UTC."""
    return documents_with_times(model).map(lambda each: codec_of(model).complete([each])[0])


def _at_a_later_time(
    model: type[Entity], result_of: Callable[[Document, datetime], Any]
) -> SearchStrategy[Any]:
    """Return what a call returns of a document some time after it was saved."""

    def result(document: Document, later: timedelta) -> Any:
        return result_of(document, after(to_utc(document["created_at"] or START), later))

    return st.builds(result, complete_documents(model), _LATER)


def _status(document: Document, now: datetime) -> QueryStatus:
    return caching.query_status(document["query_id"], document["query_id"], document, now)


def _without_data(query_id: str) -> QueryStatus:
    return caching.query_status(query_id, query_id, None, START)


@st.composite
def _series(draw: st.DrawFn) -> MetricSeries:
    """Draw the series of a DORA or Flow metric over up to half a year."""
    measure = draw(st.sampled_from(MEASURES))
    metric_type = "flow" if measure.name.startswith("flow") else "dora"
    values = st.floats(0, _HIGHEST.get(measure.unit, 1000))
    forecasts = st.lists(values, min_size=3, max_size=3).map(sorted) | st.just([None] * 3)
    first = Week.of(draw(weeks("2000-W01", "2100-W01")))
    found = draw(st.lists(st.tuples(st.none() | values, forecasts), max_size=26))
    return {
        "metric": f"{metric_type}.{measure.name}",
        "unit": measure.unit,
        "weeks": [str(first + number) for number in range(len(found))],
        "values": [value for value, _ in found],
        "forecast": [forecast for _, (_, forecast, _) in found],
        "lower": [lower for _, (lower, _, _) in found],
        "upper": [upper for _, (_, _, upper) in found],
    }


RESULTS: dict[Any, SearchStrategy[Any]] = {
    FoundResponse: _at_a_later_time(JiraCache, caching.found_response),
    JiraCacheEntry: _at_a_later_time(JiraCache, caching.listed_cache),
    FoundChangelog: _at_a_later_time(JiraChangelog, caching.found_changelog),
    JiraChangelogEntry: _at_a_later_time(JiraChangelog, caching.listed_changelog),
    QueryStatus: _at_a_later_time(JiraCache, _status) | identifiers().map(_without_data),
    MetricSeries: _series(),
}
"""The results of calls that look data up, list or summarize them, by their type."""
