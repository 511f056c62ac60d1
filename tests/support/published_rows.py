"""Hypothesis strategies for the rows of the published dashboard, usual and odd ones."""

import json
import math
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from burndown.testing.contract.drawn import PROFILE_SECTIONS, json_objects, json_values, strings
from tests.support.published_databases import Content, Undecodable

__all__ = ["TOKEN", "contents", "json_texts", "metric_rows"]

TOKEN = "canary-of-a-token"

PROFILE_IDS = ["p_1", "P_1", "Team A/B", " .hidden ", "n" * 300, "", Undecodable(b"p_\xff")]
QUERY_IDS = ["q_1", "Q_1", "q_2", "a/b", Undecodable(b"q_\xff")]

OWNERS = [("p_1", "q_1"), ("p_1", "Q_1"), ("Team A/B", "a/b")]
"""The queries that always exist, by their profiles."""

odd_values: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(
            None,
            "",
            " ",
            "NaT",
            "n/a",
            "\0",
            "\ud7ff\U0001f600",
            "line\nbreak",
            "2025-W45",
            7,
            -1.5,
        ),
        *(2**63 - 1, -0.0, 1e308, math.inf, -math.inf, b"", b"\xff\x00", b"binary"),
        Undecodable(b"latin \xe9"),
    ]
)
string_values = st.one_of(st.none(), strings, odd_values)
numbers = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), odd_values
)
timestamps = st.one_of(
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(datetime.isoformat),
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
        datetime.isoformat
    ),
    st.sampled_from(["2025-10-31T22:22:55.000+0000", "2025-10-31T22:22:55.000-0500", "2025-11-03"]),
    odd_values,
)
days = st.one_of(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(date.isoformat),
    st.sampled_from(["2025-11-03T00:00:00", "20260119-101112"]),
    odd_values,
)
weeks = st.one_of(
    st.sampled_from(["2025-W45", "2025-45", "2025-11-03", "2025-11-03T00:00:00", "2025-W7"]),
    odd_values,
)
broken_texts = st.sampled_from(["", " ", "{", "nul", "{'a': 1}", '"\\ud800"', "[" * 300, "\0"])
special_numbers = st.sampled_from([math.nan, math.inf, -math.inf])


def json_texts(values: st.SearchStrategy[Any] = json_values) -> st.SearchStrategy[Any]:
    """Return a strategy for JSON columns: such a value, one with NaN, none, or no JSON."""
    with_nan = st.dictionaries(strings, st.one_of(values, special_numbers), max_size=3)
    return st.one_of(
        values.map(json.dumps),
        with_nan.map(json.dumps),
        st.sampled_from([None, "null", "[]", "{}", '{"a": 1e400}', '{"a": 12345678901234567890}']),
        broken_texts,
        odd_values,
    )


def rows(columns: dict[str, st.SearchStrategy[Any]], most: int) -> st.SearchStrategy[Any]:
    """Return a strategy for the rows of a data table, some of no query that exists."""
    owners = st.sampled_from([*OWNERS, *OWNERS, ("p_1", "q_missing"), ("p_missing", "q_1")])
    return st.lists(
        st.builds(
            lambda owner, row: {"profile_id": owner[0], "query_id": owner[1], **row},
            owners,
            st.fixed_dictionaries(columns),
        ),
        min_size=1,
        max_size=most,
    )


custom_fields = st.dictionaries(
    st.sampled_from(["customfield_1", "customfield_2", "summary", "x"]), json_values, max_size=3
)
metric_columns: dict[str, st.SearchStrategy[Any]] = {
    "snapshot_date": weeks,
    "metric_category": st.sampled_from(["dora", "flow", "custom", "else"]),
    "metric_name": st.one_of(
        st.sampled_from(["dora_mttr", "flow_time", "trends", "flow_time (double)"]), strings
    ),
    "metric_value": st.one_of(numbers, json_texts(json_objects)),
    "metric_unit": string_values,
    "excluded_issue_count": numbers,
    "calculation_metadata": json_texts(
        st.dictionaries(
            st.sampled_from(["value", "unit", "excluded_issue_count", "legacy_values", "a"]),
            json_values,
        )
    ),
    "forecast_value": numbers,
    "forecast_confidence_low": numbers,
    "forecast_confidence_high": numbers,
    "calculated_at": timestamps,
}
metric_rows = rows(metric_columns, 12)

_with_token = PROFILE_SECTIONS["jira_config"].map(lambda config: {**config, "token": TOKEN})


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Draw a workspace in which any value can be odd."""
    profiles = st.fixed_dictionaries(
        {
            "id": st.sampled_from(PROFILE_IDS),
            "name": st.one_of(st.sampled_from(["Team", "team", " ", "n" * 300]), strings),
            "description": string_values,
            "created_at": timestamps,
            "last_used": timestamps,
            "jira_config": json_texts(_with_token),
            "field_mappings": json_texts(
                st.just({"general": {"estimate": "customfield_1", "parent_issue_types": ["Epic"]}})
            ),
            "forecast_settings": json_texts(PROFILE_SECTIONS["forecast_settings"]),
            "project_classification": json_texts(PROFILE_SECTIONS["project_classification"]),
            "flow_type_mappings": json_texts(PROFILE_SECTIONS["flow_type_mappings"]),
            "show_milestone": numbers,
            "show_points": numbers,
        },
    )
    queries = st.fixed_dictionaries(
        {
            "profile_id": st.sampled_from([*PROFILE_IDS, "p_missing"]),
            "id": st.sampled_from(QUERY_IDS),
            "name": st.one_of(st.sampled_from(["Bugs", " ", "n" * 300]), string_values),
            "jql": string_values,
            "created_at": timestamps,
            "last_used": timestamps,
        },
    )
    owning = [{"id": profile_id, "name": profile_id} for profile_id in ("p_1", "Team A/B")]
    owned = [{"profile_id": profile_id, "id": query_id} for profile_id, query_id in OWNERS]
    return draw(
        st.fixed_dictionaries(
            {
                "profiles": st.lists(profiles, max_size=3).map(lambda drawn: [*drawn, *owning]),
                "queries": st.lists(queries, max_size=5).map(lambda drawn: [*drawn, *owned]),
                "jira_issues": rows(
                    {
                        "issue_key": st.sampled_from(["A-1", "A-2", "a-1", "", "k" * 300]),
                        "cache_key": string_values,
                        **dict.fromkeys(
                            ("summary", "status", "assignee", "issue_type"), string_values
                        ),
                        **dict.fromkeys(("priority", "resolution"), string_values),
                        **dict.fromkeys(("project_key", "project_name"), string_values),
                        **dict.fromkeys(("created", "updated", "resolved"), timestamps),
                        "points": st.one_of(st.sampled_from([3.0, -1.0]), numbers),
                        **dict.fromkeys(("fix_versions", "labels", "components"), json_texts()),
                        "custom_fields": json_texts(custom_fields),
                        **dict.fromkeys(("expires_at", "fetched_at"), timestamps),
                    },
                    8,
                ),
                "jira_changelog_entries": rows(
                    {
                        "issue_key": st.sampled_from(["A-1", "A-2", "gone-1", "", "k" * 300]),
                        "change_date": timestamps,
                        **dict.fromkeys(("author", "field_name", "field_type"), string_values),
                        **dict.fromkeys(("old_value", "new_value"), string_values),
                        "expires_at": timestamps,
                    },
                    8,
                ),
                "project_statistics": rows(
                    {
                        "stat_date": days,
                        "week_label": weeks,
                        **dict.fromkeys(("completed_items", "velocity_points"), numbers),
                        **dict.fromkeys(("remaining_items", "remaining_total_points"), numbers),
                        "recorded_at": timestamps,
                    },
                    6,
                ),
                "project_scope": rows(
                    {"scope_data": json_texts(json_objects), "updated_at": timestamps}, 3
                ),
                "metrics_data_points": metric_rows,
                "budget_settings": rows(
                    {
                        **dict.fromkeys(
                            ("time_allocated_weeks", "team_cost_per_week_eur"), numbers
                        ),
                        **dict.fromkeys(("budget_total_eur", "baseline_velocity_items"), numbers),
                        **dict.fromkeys(("cost_rate_type", "currency_symbol"), string_values),
                        **dict.fromkeys(("created_at", "updated_at"), timestamps),
                    },
                    3,
                ),
                "budget_revisions": rows(
                    {
                        **dict.fromkeys(("revision_date", "created_at"), timestamps),
                        "week_label": weeks,
                        **dict.fromkeys(("time_allocated_weeks_delta", "team_cost_delta"), numbers),
                        "revision_reason": string_values,
                        "metadata": json_texts(json_objects),
                    },
                    4,
                ),
                "app_state": st.just([{"key": "profiles", "value": TOKEN}]),
            }
        )
    )
