"""Strategies for the strings of documents: ids, keys, names and words."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.testing.strategies.characters import characters, matching

__all__ = ["identifiers", "issue_keys", "keys", "lines", "names", "words"]

_in_lines = characters(exclude="\0")
_not_blank = characters("Cc", "Z")
_in_ids = characters("Cc", exclude="/\\")
_around_ids = characters("Cc", "Z", exclude="/\\.")
_slugs = matching(r"[a-z][a-z0-9-]{0,20}[a-z0-9]")


def lines() -> SearchStrategy[str]:
    """Return strings without NUL, as columns of databases hold them, the empty one first."""
    return st.text(_in_lines, max_size=20)


def names() -> SearchStrategy[str]:
    """Return names of profiles and queries, ``Team A`` first."""
    around = st.text(_in_lines, max_size=8)
    odd = st.builds("{}{}{}".format, around, _not_blank, around)
    return st.just("Team A") | st.just("Größe 🚀") | odd


def identifiers() -> SearchStrategy[str]:
    """Return ids of profiles, queries and tasks, ``kafka`` first."""
    odd = st.builds("{}{}{}".format, _around_ids, st.text(_in_ids, max_size=18), _around_ids)
    return st.just("kafka") | st.just("team-a") | _slugs | _around_ids | odd


def keys() -> SearchStrategy[str]:
    """Return keys that others make, such as cache keys and keys of issues, ``KAFKA-1`` first."""
    return issue_keys() | st.text(_in_lines, min_size=1, max_size=20)


def issue_keys() -> SearchStrategy[str]:
    """Return keys of issues, ``KAFKA-1`` first."""
    projects = matching("[A-Z][A-Z0-9_]{1,7}")
    others = st.builds("{}-{}".format, projects, st.integers(1, 99999))
    return st.just("KAFKA-1") | st.just("KAFKA-2") | st.just("OPS-1") | others


def words() -> SearchStrategy[str]:
    """Return lower-case words, such as metric types and statuses of tasks, ``dora`` first."""
    others = matching("[a-z][a-z0-9_]{0,10}")
    return st.just("dora") | st.just("flow") | others
