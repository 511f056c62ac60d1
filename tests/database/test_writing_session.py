"""Edits in place of entities of the caller's own SQLModel queries are stored, undone or refused."""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from burndown import (
    Budget,
    BudgetNotFoundError,
    BudgetRevision,
    JiraCache,
    Profile,
    RevisionConflictError,
    SQLiteBackend,
    ValidationError,
)
from burndown.models.codec import codec_of
from burndown.models.timestamps import utc_now
from burndown.repositories import BudgetRepository
from burndown.repositories.profile import ProfileRepository, get_profile
from burndown.sql import Executor

DOCUMENT = {
    "id": "k",
    "project_classification": {"bug_types": ["Bug"], "unknown": [[1], {"a": 1}]},
    "flow_type_mappings": {"Defect": ["Bug"], "Spike": {"issue_types": []}},
    "show_points": ["show"],
    "theme": {"colors": [1]},
}
EDITS: dict[str, Callable[[Profile], object]] = {
    "a field of a default": lambda p: setattr(p.field_mappings.dora, "change_failure", "labels"),
    "a list": lambda p: p.project_classification.bug_types.append("Incident"),
    "a list of an unknown key": lambda p: p.project_classification.unknown[0].append(2),  # type: ignore[attr-defined]
    "a flow type that is a list": lambda p: p.flow_type_mappings.defect.append("Fault"),  # type: ignore[union-attr]
    "a flow type of its own": lambda p: p.flow_type_mappings.Spike.issue_types.append("Spike"),  # type: ignore[attr-defined]
    "the token": lambda p: setattr(p.jira_config, "token", "secret"),
    "a default that is set": lambda p: setattr(p.forecast_settings, "pert_factor", 1.2),
    "a list at the top": lambda p: p.show_points.append("more"),  # type: ignore[union-attr]
    "unknown keys": lambda p: p.extra["theme"].setdefault("font", []).append("serif"),
}
edits = st.lists(st.sampled_from(sorted(EDITS)), min_size=1)


@pytest.fixture(scope="module")
def shared_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path_factory.mktemp("writing") / "burndown.db") as new:
        yield new


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path / "burndown.db") as new:
        new.save_profile(DOCUMENT)
        yield new


def bug_types(backend: SQLiteBackend) -> object:
    stored = backend.get_profile("k")
    assert stored is not None
    return stored["project_classification"]["bug_types"]


@given(edits, edits)
def test_edits_in_place_are_stored(
    shared_backend: SQLiteBackend, first: list[str], second: list[str]
) -> None:
    shared_backend.save_profile(DOCUMENT)
    with shared_backend.database.session() as session:
        profile = session.exec(select(Profile)).one()
        for each in first:
            EDITS[each](profile)
        assert get_profile(Executor.of(session), "k") == profile.to_document()
        for each in second:
            EDITS[each](profile)
    assert shared_backend.get_profile("k") == profile.to_document()


def test_an_entity_without_other_references_is_stored(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        session.get_one(Profile, "k").project_classification.bug_types.append("Incident")
    assert bug_types(backend) == ["Bug", "Incident"]


def test_an_edit_after_adding_is_stored(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        new = Profile(id="new")
        session.add(new)
        session.flush()
        new.field_mappings.flow.estimate = "customfield_1"
    assert backend.get_profile("new") == new.to_document()


def test_columns_that_were_not_edited_are_not_written(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        profile = session.get_one(Profile, "k")
        backend.save_profile({**DOCUMENT, "project_classification": {"bug_types": ["Incident"]}})
        profile.show_points.append("more")  # type: ignore[union-attr]
    assert bug_types(backend) == ["Incident"]


def test_an_entity_that_is_saved_after_an_edit_is_stored(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        profile = session.get_one(Profile, "k")
        profile.project_classification.bug_types.append("Incident")
        backend.save_profile({**DOCUMENT, "project_classification": {"bug_types": ["Fault"]}})
    assert bug_types(backend) == ["Fault"]


def test_refreshing_drops_edits(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        profile = session.get_one(Profile, "k")
        profile.project_classification.bug_types.append("Incident")
        session.expire(profile)
        assert profile.project_classification.bug_types == ["Bug"]
    assert bug_types(backend) == ["Bug"]


def test_an_error_undoes_only_the_edits_of_its_savepoint(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        profile = session.get_one(Profile, "k")
        profile.project_classification.bug_types.append("Incident")
        with suppress(RuntimeError), backend.transaction():
            profile.project_classification.bug_types.append("Mistake")
            raise RuntimeError
    assert bug_types(backend) == ["Bug", "Incident"]


def test_an_invalid_edit_is_refused(backend: SQLiteBackend) -> None:
    def edit() -> None:
        with backend.database.session() as session:
            profile = session.get_one(Profile, "k")
            profile.name = "New"
            profile.project_classification.bug_types.append(5)  # type: ignore[arg-type]

    with pytest.raises(ValidationError, match="bug_types"):
        edit()
    stored = backend.get_profile("k")
    assert stored is not None
    assert stored["name"] == "k"
    assert bug_types(backend) == ["Bug"]


def test_derived_columns_follow_an_edit(backend: SQLiteBackend) -> None:
    backend.save_query("k", {"id": "q"})
    backend.save_jira_cache("k", "q", "c", {"issues": [{"key": "A-1"}]}, utc_now())
    with backend.database.session() as session:
        cache = session.exec(select(JiraCache)).one()
        cache.issues.append({"key": "A-2"})
    with backend.database.read_session() as session:
        assert session.exec(select(JiraCache.issue_count)).one() == 2


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, Profile.model_copy, lambda p: p.model_copy(deep=True)]
)
def test_a_copy_belongs_to_no_session(
    backend: SQLiteBackend, copied: Callable[[Profile], Profile]
) -> None:
    with backend.database.session() as session:
        profile = session.get_one(Profile, "k")
        other = copied(profile)
        other.show_milestone = True
        assert other.show_milestone
        assert not profile.show_milestone
        other.id = other.name = "other"
        session.add(other)
    stored = backend.get_profile("other")
    assert stored is not None
    assert stored["show_milestone"] is True
    unchanged = backend.get_profile("k")
    assert unchanged is not None
    assert unchanged["show_milestone"] is False


def test_a_copy_can_be_changed_after_the_original_was_deleted() -> None:
    copied = Profile(id="k").model_copy()
    copied.show_points = ["show"]
    assert copied.show_points == ["show"]


def test_a_deep_copy_shares_nothing() -> None:
    profile = codec_of(Profile).entity(DOCUMENT)
    copied = copy.deepcopy(profile)
    for edit in EDITS.values():
        edit(copied)
    assert (
        profile.to_document()
        == codec_of(Profile)
        .entity({**DOCUMENT, "created_at": profile.created_at, "last_used": profile.last_used})
        .to_document()
    )


# --- revisions ---------------------------------------------------------------------------------


def revision(backend: SQLiteBackend) -> int:
    stored = backend.get_profile("k")
    assert stored is not None
    return stored["revision"]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_raises_the_revision(backend: SQLiteBackend, edit: str) -> None:
    """Once for each flush that changes something."""
    with backend.database.session() as session:
        profile = session.get_one(Profile, "k")
        EDITS[edit](profile)
        session.flush()
        assert profile.revision == 2
        session.flush()
    assert profile.revision == revision(backend) == 2


def test_an_edit_of_times_leaves_the_revision(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        session.get_one(Profile, "k").last_used = utc_now()
    assert revision(backend) == 1


def test_a_new_entity_has_the_first_revision(backend: SQLiteBackend) -> None:
    new = Profile(id="new", name="new")
    with backend.database.session() as session:
        session.add(new)
    assert new.revision == 1


def test_an_edit_after_a_save_of_a_repository_is_counted(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        profile = session.get_one(Profile, "k")
        backend.save_profile({**DOCUMENT, "description": "saved"})
        profile.show_milestone = True
    assert revision(backend) == 3


def test_a_stale_entity_is_not_merged(backend: SQLiteBackend) -> None:
    """One without a revision is merged, whatever is stored."""
    stale = Profile.model_validate(backend.get_profile("k"))
    backend.save_profile({**DOCUMENT, "description": "of others"})
    stale.description = "mine"
    with backend.database.session() as session:
        session.merge(stale)
        with pytest.raises(RevisionConflictError, match="Profile 'k' has revision 2, not 1"):
            session.flush()
        session.expire_all()
    assert revision(backend) == 2
    stale.revision = None
    with backend.database.session() as session:
        session.merge(stale)
    assert revision(backend) == 3


def test_a_new_entity_is_merged(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        session.merge(Profile(id="new", name="New"))
    assert backend.get_profile("new")["name"] == "New"
    assert backend.check_integrity() == (True, [])
    assert backend.integrity_notes() == []


def test_a_repository_sets_the_revision(backend: SQLiteBackend) -> None:
    """An entity can be saved again and again."""
    with backend.database.session() as session:
        profiles = ProfileRepository(session)
        profile = Profile(id="new", name="new")
        for number in (1, 2, 3):
            profile.description = str(number)
            profiles.save(profile)
            assert profile.revision == number
        stale = profiles.get("new")
        assert stale is not None
        profile.description = "changed"
        profiles.save(profile)
        with pytest.raises(RevisionConflictError):
            profiles.save(stale)
        profiles.save(profile)
    assert profile.revision == 4


# --- lists of sections -------------------------------------------------------------------------


@pytest.fixture
def with_budget(backend: SQLiteBackend) -> SQLiteBackend:
    backend.save_query("k", {"id": "q"})
    revisions = [{"reason": "scope", "own": {"a": 1}}]
    backend.save_budget("k", "q", {"effective_from": "2026-01-05", "revisions": revisions})
    return backend


BUDGET_EDITS: dict[str, Callable[[Budget], object]] = {
    "a revision": lambda b: b.revisions.append(BudgetRevision(reason="more")),
    "a field of a revision": lambda b: setattr(b.revisions[0], "team_cost_delta", 3),
    "an unknown key of a revision": lambda b: b.revisions[0].own.update(api_token="t"),  # type: ignore[attr-defined]
    "no revision": lambda b: b.revisions.clear(),
    "a day": lambda b: setattr(b, "effective_from", date(2026, 2, 2)),
    "an unknown key": lambda b: b.extra.update(own=1),
}


@pytest.mark.parametrize("edit", BUDGET_EDITS)
def test_an_edit_of_a_budget_in_place_is_stored(with_budget: SQLiteBackend, edit: str) -> None:
    """So is that of an entity which a repository has read and saved."""
    found = []
    for by_repository in (False, True):
        with with_budget.database.session() as session:
            repository = BudgetRepository(session)
            budget = repository.get("k", "q") if by_repository else session.get(Budget, ("k", "q"))
            assert budget is not None
            assert budget.effective_from == date(2026, 1, 5)
            BUDGET_EDITS[edit](budget)
            if by_repository:
                repository.save(budget)
        found.append(with_budget.get_budget("k", "q"))
        assert found[-1] == budget.to_document()
        with_budget.delete_budget("k", "q")
        revisions = [{"reason": "scope", "own": {"a": 1}}]
        with_budget.save_budget("k", "q", {"effective_from": "2026-01-05", "revisions": revisions})
    times = {"created_at": None, "updated_at": None}
    assert {**found[0], **times} == {**found[1], **times}  # type: ignore[dict-item]


def test_an_invalid_revision_that_was_added_in_place_is_refused(with_budget: SQLiteBackend) -> None:
    before = with_budget.get_budget("k", "q")

    def add() -> None:
        with with_budget.database.session() as session:
            budget = session.get(Budget, ("k", "q"))
            assert budget is not None
            budget.revisions.append({"reason": 3})  # type: ignore[arg-type]

    with pytest.raises(
        ValidationError, match=r"revisions\[1\].reason: input should be a valid str"
    ):
        add()
    assert with_budget.get_budget("k", "q") == before


def test_a_repository_deletes_a_budget(with_budget: SQLiteBackend) -> None:
    with with_budget.database.session() as session:
        BudgetRepository(session).delete("k", "q")
        assert BudgetRepository(session).get("k", "q") is None
        with pytest.raises(BudgetNotFoundError):
            BudgetRepository(session).delete("k", "q")
    assert with_budget.get_budget("k", "q") is None
