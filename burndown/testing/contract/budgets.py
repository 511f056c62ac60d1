"""The budget of a query comes back as it was saved, with every revision that was added."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import (
    Budget,
    BudgetNotFoundError,
    BudgetRevision,
    ProfileNotFoundError,
    QueryNotFoundError,
    ValidationError,
)
from burndown.testing.contract.drawn import SECTIONS, budgets, given_timestamps
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import HOUR, START, Store, in_utc, same

__all__ = ["BudgetContract"]

Document = dict[str, Any]

AMOUNTS = (
    *("time_allocated_weeks", "team_cost_per_week", "budget_total"),
    *("baseline_velocity_items", "baseline_velocity_points"),
)

DEFAULTS = {
    **dict.fromkeys(AMOUNTS),
    "cost_rate_type": "weekly",
    "currency_symbol": "€",
    "effective_from": None,
    "profile_id": "p",
    "query_id": "q",
}

amounts = st.none() | st.integers(0, 2**53 - 1) | st.sampled_from([-0.0, 0.1])

times = st.none() | given_timestamps

given_revisions = st.builds(
    lambda revision, given: {**revision, **given},
    SECTIONS[BudgetRevision],
    st.fixed_dictionaries({}, optional={"revision_date": times, "created_at": times}),
)

given_budgets = st.builds(
    lambda budget, given: {**budget, **given},
    budgets,
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(AMOUNTS, amounts),
            "revisions": st.lists(given_revisions, max_size=3),
        },
    ),
)

"""Budgets as people write them: integers, and times in any zone."""


def revision_as_returned(revision: Document) -> Document:
    """Return a revision as backends are expected to return it: its times are in UTC."""
    times = {key: revision.get(key) for key in ("revision_date", "created_at")}
    return {**revision, **{key: in_utc(time) for key, time in times.items() if time is not None}}


def as_returned(budget: Document) -> Document:
    """Return a budget that was saved at the start as backends are expected to return it."""
    returned = {**DEFAULTS, "created_at": START, "revisions": [], **budget}
    return {
        **returned,
        **{key: abs(float(returned[key])) for key in AMOUNTS if returned[key] is not None},
        "created_at": in_utc(returned["created_at"]),
        "updated_at": in_utc(START),
        "revisions": list(map(revision_as_returned, returned["revisions"])),
    }


def in_one_order(budget: Any) -> Any:
    """Return a budget whose keys, and those of its revisions, are in one order."""
    revisions = [dict(sorted(each.items())) for each in budget["revisions"]]
    return dict(sorted({**budget, "revisions": revisions}.items()))


class BudgetContract(ContractPart):
    """The contract of budgets."""

    @given(given_budgets)
    def test_a_budget_comes_back_as_it_was_saved(self, shared: Store, budget: Document) -> None:
        """It has all that was saved, the defaults, and the time at which it was saved."""
        shared.empty().save_budget("p", "q", budget)
        assert same(in_one_order(shared.get_budget("p", "q")), in_one_order(as_returned(budget)))

    @given(before=given_budgets, after=given_budgets, hours=st.integers(0, 100))
    def test_an_update_keeps_revisions_and_creation_time_unless_they_are_given(
        self, shared: Store, before: Document, after: Document, hours: int
    ) -> None:
        """All other keys are those of the later document, unknown ones included."""
        shared.empty().save_budget("p", "q", before)
        shared.clock.now += timedelta(hours=hours)
        shared.save_budget("p", "q", after)
        kept: Document = {key: before[key] for key in ("revisions", "created_at") if key in before}
        expected = as_returned({**kept, **after})
        expected["updated_at"] = in_utc(START + timedelta(hours=hours))
        assert same(in_one_order(shared.get_budget("p", "q")), in_one_order(expected))

    @given(st.lists(given_revisions, max_size=4), st.lists(given_revisions, max_size=4))
    def test_revisions_are_added_after_the_others(
        self, shared: Store, first: list[Document], others: list[Document]
    ) -> None:
        """Each has all that was given; without times, it has the current one."""
        shared.empty().save_budget("p", "q", {"revisions": first, "own": 1})
        shared.clock.now = HOUR
        for each in others:
            shared.add_budget_revision("p", "q", each)
        now = {"revision_date": HOUR, "created_at": HOUR}
        expected = [*first, *({**now, **each} for each in others)]
        found = shared.get_budget("p", "q")
        assert found["own"] == 1
        assert found["updated_at"] == in_utc(HOUR if others else START)
        assert same(
            [dict(sorted(each.items())) for each in found["revisions"]],
            [dict(sorted(revision_as_returned(each).items())) for each in expected],
        )

    @given(given_budgets)
    def test_the_order_of_keys_of_a_revision_is_kept(self, shared: Store, budget: Document) -> None:
        """A document that a backend has returned is stored unchanged."""
        shared.empty().save_budget("p", "q", budget)
        found = shared.get_budget("p", "q")
        found["revisions"] = [dict(reversed(each.items())) for each in found["revisions"]]
        shared.save_budget("p", "q", found)
        assert same(shared.get_budget("p", "q"), found)

    def test_an_empty_list_removes_the_revisions(self, store: Store) -> None:
        store.save_budget("p", "q", {"revisions": [{"reason": "scope"}]})
        store.save_budget("p", "q", {"budget_total": 10})
        assert store.get_budget("p", "q")["revisions"] == [{"reason": "scope"}]
        store.save_budget("p", "q", {"revisions": []})
        assert store.get_budget("p", "q")["revisions"] == []

    def test_a_budget_and_a_revision_can_be_entities(self, store: Store) -> None:
        """An entity that was made without revisions and times keeps those that are stored."""
        made = Budget(profile_id="p", query_id="q", effective_from=date(2026, 1, 5))
        store.save_budget("p", "q", made)
        before = store.get_budget("p", "q")
        assert before["effective_from"] == "2026-01-05"
        store.add_budget_revision("p", "q", BudgetRevision(reason="scope"))
        store.save_budget("p", "q", Budget(profile_id="p", query_id="q", budget_total=3))
        found = store.get_budget("p", "q")
        assert found["created_at"] == before["created_at"] == in_utc(START)
        assert found["effective_from"] is None
        assert [each["reason"] for each in found["revisions"]] == ["scope"]

    def test_revisions_that_were_added_to_an_entity_in_place_are_saved(self, store: Store) -> None:
        budget = Budget(profile_id="p", query_id="q")
        budget.revisions.append(BudgetRevision(reason="scope"))
        store.save_budget("p", "q", budget)
        assert store.get_budget("p", "q")["revisions"] == [{"reason": "scope"}]

    def test_the_budget_of_another_query_can_be_saved(self, store: Store) -> None:
        store.save_query("p", {"id": "r"})
        store.save_budget("p", "q", {"budget_total": 3, "revisions": [{"reason": "scope"}]})
        store.save_budget("p", "r", store.get_budget("p", "q"))
        assert store.get_budget("p", "r") == {**store.get_budget("p", "q"), "query_id": "r"}

    def test_a_deleted_budget_is_gone_with_its_revisions(self, store: Store) -> None:
        store.save_budget("p", "q", {"revisions": [{"reason": "scope"}]})
        store.delete_budget("p", "q")
        assert store.get_budget("p", "q") is None
        store.save_budget("p", "q", {})
        assert store.get_budget("p", "q")["revisions"] == []

    @pytest.mark.parametrize("ids", [("p", "q"), ("p", "nope"), ("nope", "q"), ("p", "a\0b")])
    def test_what_needs_a_budget_names_the_query_without_one(
        self, store: Store, ids: tuple[str, str]
    ) -> None:
        assert store.get_budget(*ids) is None
        for call in (store.delete_budget, lambda *ids: store.add_budget_revision(*ids, {})):
            with pytest.raises(BudgetNotFoundError, match="has no budget") as refused:
                call(*ids)
            assert (refused.value.profile_id, refused.value.query_id) == ids

    def test_a_budget_needs_its_query(self, store: Store) -> None:
        with pytest.raises(QueryNotFoundError):
            store.save_budget("p", "nope", {})
        with pytest.raises(ProfileNotFoundError):
            store.save_budget("nope", "q", {})

    @pytest.mark.parametrize(
        ("budget", "message"),
        [
            (
                {"team_cost_per_week": "4000"},
                "team_cost_per_week: input should be a number from 0 to 9007199254740991, "
                "got '4000'",
            ),
            (
                {"effective_from": "5.1.2026"},
                "effective_from: input should be a date such as 2025-12-31, got '5.1.2026'",
            ),
            (
                {"currency_symbol": " "},
                "currency_symbol: input should be a symbol of 1 to 10 characters, such as €, "
                "got ' '",
            ),
            (
                {"revisions": [{}, {"team_cost_delta": "250"}]},
                "revisions[1].team_cost_delta: input should be a finite number, got '250'",
            ),
        ],
    )
    def test_an_error_names_field_requirement_and_value(
        self, store: Store, budget: Document, message: str
    ) -> None:
        with pytest.raises(ValidationError) as refused:
            store.save_budget("p", "q", budget)
        assert str(refused.value) == f"Budget is not valid: {message}"
        assert store.get_budget("p", "q") is None

    def test_an_error_in_an_added_revision_names_its_field(self, store: Store) -> None:
        store.save_budget("p", "q", {})
        with pytest.raises(ValidationError) as refused:
            store.add_budget_revision("p", "q", {"week_label": "2025-W53"})
        assert str(refused.value) == (
            "BudgetRevision is not valid: week_label: "
            "input should be an ISO week such as 2025-W12, or its Monday, got '2025-W53'"
        )
        assert store.get_budget("p", "q")["revisions"] == []

    def test_of_revisions_that_are_added_concurrently_none_is_lost(self, store: Store) -> None:
        """Each thread has a backend of its own, as each process has."""
        store.save_budget("p", "q", {})

        def add(writer: int) -> None:
            with store.another() as backend:
                for number in range(5):
                    backend.add_budget_revision("p", "q", {"reason": f"{writer} {number}"})

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(add, range(8)))
        reasons = [each["reason"] for each in store.get_budget("p", "q")["revisions"]]
        for writer in range(8):
            own = [each for each in reasons if each.startswith(f"{writer} ")]
            assert own == [f"{writer} {number}" for number in range(5)]
        assert len(reasons) == 40
