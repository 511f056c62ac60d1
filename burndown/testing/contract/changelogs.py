"""Changelogs come back as they were saved, one by one and together."""

from typing import Any

from hypothesis import strategies as st

from burndown.testing.contract.drawn import json_objects, keys
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import HOUR, Store, same

__all__ = ["ChangelogContract"]


class ChangelogContract(ContractPart):
    """The contract of changelogs."""

    @given(st.dictionaries(keys, json_objects, max_size=4), st.sets(keys, max_size=3))
    def test_changelogs_come_back_as_they_were_saved(
        self, shared: Store, changelogs: dict[str, Any], others: set[str]
    ) -> None:
        """All or some changelogs come by issue key, in the order of code points."""
        shared.empty().save_jira_changelogs("p", "q", changelogs)
        found = shared.get_jira_changelogs("p", "q")
        assert same(found, dict(sorted(changelogs.items())))
        for key, changelog in changelogs.items():
            assert same(shared.get_jira_changelog("p", "q", key), changelog)
        wanted = others | set(list(changelogs)[::2])
        some = shared.get_jira_changelogs("p", "q", wanted)
        assert same(some, {key: found[key] for key in found if key in wanted})
        assert shared.get_jira_changelogs("p", "q", []) == {}

    def test_any_number_of_changelogs_can_be_read_together(self, store: Store) -> None:
        """There may be more keys than parameters in a statement, and they may be an iterator."""
        store.save_jira_changelogs("p", "q", {f"K-{number}": {"n": number} for number in range(50)})
        wanted = [f"K-{number}" for number in range(25_000)]
        assert len(store.get_jira_changelogs("p", "q", wanted)) == 50
        assert len(store.get_jira_changelogs("p", "q", iter(wanted))) == 50

    @given(keys, json_objects)
    def test_one_changelog_is_saved_like_many(
        self, shared: Store, key: str, changelog: dict[str, Any]
    ) -> None:
        """Saving one changelog and saving many gives the same rows."""
        shared.empty().save_jira_changelog("p", "q", key, changelog)
        assert same(shared.get_jira_changelogs("p", "q"), {key: changelog})

    @given(keys, json_objects, json_objects)
    def test_a_changelog_is_replaced_by_the_next(
        self, shared: Store, key: str, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        """Only the last changelog of an issue is kept, without the expiry of the one before."""
        shared.empty().save_jira_changelog("p", "q", key, one, HOUR)
        shared.save_jira_changelogs("p", "q", {key: other})
        assert same(shared.get_jira_changelogs("p", "q"), {key: other})
        assert shared.list_jira_changelogs("p", "q")[0]["expires_at"] is None
