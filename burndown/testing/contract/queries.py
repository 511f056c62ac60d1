"""A query comes back as it was saved, below its profile and no other."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import ValidationError
from burndown.testing.contract.drawn import identifiers, names, queries
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store, as_returned, same

__all__ = ["QueryContract"]


class QueryContract(ContractPart):
    """The contract of queries."""

    @given(queries())
    def test_a_query_comes_back_as_it_was_saved(
        self, shared: Store, document: dict[str, Any]
    ) -> None:
        """All keys come back, including unknown ones, with their order and the types of numbers."""
        shared.empty().delete_query("p", "q")
        before = repr(document)
        shared.save_query("p", document)
        assert repr(document) == before
        found = shared.get_query("p", document["id"])
        expected = {"jql": "", "updated_at": None, **as_returned(document), "profile_id": "p"}
        assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
        assert all(same(found[key], expected[key]) for key in expected)
        assert shared.list_queries("p") == [found]

    @given(queries(), queries())
    def test_saving_replaces_the_complete_query(
        self, shared: Store, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        """Only the timestamps stay, if the later document has none."""
        shared.empty().delete_query("p", "q")
        shared.save_query("p", one)
        first = shared.get_query("p", one["id"])
        shared.save_query("p", {**other, "id": one["id"]})
        expected = {
            "jql": "",
            "updated_at": None,
            **as_returned({**other, "id": one["id"]}),
            "profile_id": "p",
        }
        for timestamp in ("created_at", "last_used", "updated_at"):
            if timestamp not in other:
                expected[timestamp] = first[timestamp]
        found = shared.get_query("p", one["id"])
        expected["revision"] = found["revision"]  # tests of revisions predict it
        assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)

    @given(identifiers, identifiers)
    def test_queries_of_two_profiles_may_have_the_same_id_and_name(
        self, shared: Store, query_id: str, profile_id: str
    ) -> None:
        """Ids and names of queries are unique within a profile."""
        shared.clear()
        for owner in (f"{profile_id}1", f"{profile_id}2"):
            shared.save_profile({"id": owner})
            shared.save_query(owner, {"id": query_id, "name": "same", "jql": owner})
        for owner in (f"{profile_id}1", f"{profile_id}2"):
            assert [query["jql"] for query in shared.list_queries(owner)] == [owner]
        shared.delete_query(f"{profile_id}1", query_id)
        assert shared.get_query(f"{profile_id}2", query_id)["jql"] == f"{profile_id}2"

    @given(names, st.sets(identifiers, min_size=2, max_size=2))
    def test_a_name_is_unique(self, shared: Store, name: str, ids: set[str]) -> None:
        """A second profile, or a second query of a profile, cannot have the name of the first."""
        shared.clear()
        one, other = ids
        shared.save_profile({"id": one, "name": name})
        shared.save_profile({"id": one, "name": name})
        before = shared.everything()
        with pytest.raises(ValidationError) as refused:
            shared.save_profile({"id": other, "name": name})
        assert [problem.path for problem in refused.value.problems] == ["name"]
        assert repr(one) in refused.value.problems[0].expected
        assert shared.everything() == before

        shared.save_query(one, {"id": one, "name": name})
        with pytest.raises(ValidationError) as refused:
            shared.save_query(one, {"id": other, "name": name})
        assert [problem.path for problem in refused.value.problems] == ["name"]
        assert repr(one) in refused.value.problems[0].expected
        shared.save_profile({"id": other, "name": name + "x"[: 200 - len(name)]})
        shared.save_query(other, {"id": one, "name": name})
        assert len(shared.list_profiles()) == 2
