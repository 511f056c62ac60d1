"""The versions of the schema."""

__all__ = ["SCHEMA_VERSION", "VERSIONS"]

VERSIONS = {
    "1.0": "Profiles, queries, the data of each query, the app state, tasks.",
    "1.1": "Cached responses: issue count, completeness. Queries: time of the last edit.",
    "1.2": "A version table of its own. Changelogs: completeness.",
    "1.3": "Profiles and queries: the revision.",
    "1.4": "Budgets of queries. SQLite: triggers against the published dashboard.",
    "1.5": "Tasks: the lease. Changelogs: when they were saved. Snapshots: a forecast by metric.",
    "1.6": "Cached responses of many issues: compressed in frames.",
}
"""All versions, oldest first, with their changes; ``burndown/schema/versions`` has the scripts."""

SCHEMA_VERSION = list(VERSIONS)[-1]
"""The version of the tables that the models define."""
