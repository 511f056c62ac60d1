"""Conversion of what old formats hold into documents of the models.

Nothing is dropped: a value that no field can take is kept under ``legacy_values``, and everything
that is converted or skipped is reported.

::

    findings        reports of what was converted or skipped, and of damage
    json_text       JSON text in any encoding and dialect
    field_values    what an invalid value can mean
    documents       invalid values of a document, converted or kept aside
    weekly_metrics  metrics in one snapshot for each week and type
    sources         the content of an old store
    unique_names    names that clash or are too long, and ids that are not valid
"""

from burndown.conversion.documents import (
    LEGACY_HIDDEN,
    LEGACY_VALUES,
    convert,
    describe,
    is_timestamp,
    keep_storable,
)
from burndown.conversion.findings import Finding, Findings, Report, first_few
from burndown.conversion.json_text import (
    FormatError,
    UnreadableError,
    escape_surrogates,
    json_type,
    parse_json,
    replace_non_finite,
)
from burndown.conversion.sources import (
    Source,
    SourceData,
    SourceProfile,
    SourceStore,
)
from burndown.conversion.unique_names import UniqueIds, make_names_unique, report_id
from burndown.conversion.weekly_metrics import WeeklyMetrics, read_week

__all__ = [
    "LEGACY_HIDDEN",
    "LEGACY_VALUES",
    "Finding",
    "Findings",
    "FormatError",
    "Report",
    "Source",
    "SourceData",
    "SourceProfile",
    "SourceStore",
    "UniqueIds",
    "UnreadableError",
    "WeeklyMetrics",
    "convert",
    "describe",
    "escape_surrogates",
    "first_few",
    "is_timestamp",
    "json_type",
    "keep_storable",
    "make_names_unique",
    "parse_json",
    "read_week",
    "replace_non_finite",
    "report_id",
]
