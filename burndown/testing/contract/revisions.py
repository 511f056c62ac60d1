"""The revision of a profile or query counts the changes of its content."""

import pickle
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import Profile, Query, RevisionConflictError, ValidationError
from burndown.testing.contract.drawn import profiles, queries
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import START, Store, everything, same

__all__ = ["RevisionContract"]

Save = Callable[[Store, dict[str, Any]], None]

Read = Callable[[Store], Any]

KINDS: dict[str, tuple[str, Save, Read]] = {
    "profile": (
        "Profile 'p'",
        lambda store, document: store.save_profile({**document, "id": "p"}),
        lambda store: store.get_profile("p"),
    ),
    "query": (
        "Query 'q'",
        lambda store, document: store.save_query("p", {**document, "id": "q"}),
        lambda store: store.get_query("p", "q"),
    ),
}

documents = {"profile": profiles(), "query": queries()}

kinds = pytest.mark.parametrize("kind", KINDS)


class RevisionContract(ContractPart):
    """The contract of revisions."""

    @kinds
    def test_a_change_raises_the_revision(self, store: Store, kind: str) -> None:
        _, save, read = KINDS[kind]
        assert read(store)["revision"] == 1
        for number in range(2, 5):
            save(store, {"description": str(number)})
            assert read(store)["revision"] == number

    @kinds
    @given(data=st.data())
    def test_saving_what_was_read_leaves_the_revision(
        self, shared: Store, kind: str, data: st.DataObject
    ) -> None:
        """Other times are no change."""
        _, save, read = KINDS[kind]
        shared.empty()
        save(shared, data.draw(documents[kind]))
        found = read(shared)
        later = (START + timedelta(hours=1)).isoformat()
        for changed in ({}, {"last_used": later}, {"created_at": later}, {"revision": None}):
            save(shared, {**found, **changed})
            assert read(shared) == {**found, **changed, "revision": found["revision"]}

    @kinds
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"unknown": 1}, {"unknown": 1.0}),
            ({"unknown": 0.0}, {"unknown": -0.0}),
            ({"unknown": True}, {"unknown": 1}),
            ({"unknown": {"a": 1, "b": 2}}, {"unknown": {"b": 2, "a": 1}}),
            ({"unknown": None}, {}),
            ({"unknown": 10**30}, {"unknown": 10**30 + 1}),
            ({"name": "a"}, {"name": "A"}),
        ],
    )
    def test_each_difference_is_a_change(
        self, store: Store, kind: str, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        _, save, read = KINDS[kind]
        save(store, one)
        revision = read(store)["revision"]
        for number, each in enumerate((one, other, other, one)):
            save(store, each)
            assert read(store)["revision"] == revision + (0, 1, 1, 2)[number]

    @kinds
    @pytest.mark.parametrize("given_revision", [1, 3, 2**53 - 1])
    def test_another_revision_than_the_stored_one_is_refused(
        self, store: Store, kind: str, given_revision: int
    ) -> None:
        subject, save, read = KINDS[kind]
        save(store, {"description": "of others"})
        before = everything(store.backend)
        with pytest.raises(RevisionConflictError, match="read it again") as caught:
            save(store, {"description": "mine", "revision": given_revision})
        for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
            assert (error.subject, error.given, error.current) == (subject, given_revision, 2)
        assert everything(store.backend) == before
        save(store, {"description": "mine", "revision": 2})
        assert read(store)["revision"] == 3

    @kinds
    def test_a_conflict_is_found_before_a_taken_name(self, store: Store, kind: str) -> None:
        subject, save, _ = KINDS[kind]
        store.save_profile({"id": "other", "name": "taken"})
        store.save_query("p", {"id": "other", "name": "taken"})
        with pytest.raises(RevisionConflictError, match=subject):
            save(store, {"name": "taken", "revision": 7})
        with pytest.raises(ValidationError, match="other"):
            save(store, {"name": "taken", "revision": 1})

    @kinds
    def test_a_conflict_in_a_transaction_leaves_the_rest(self, store: Store, kind: str) -> None:
        _, save, _ = KINDS[kind]
        with store.backend.transaction():
            store.set_app_state("before", "kept")
            with pytest.raises(RevisionConflictError):
                save(store, {"revision": 7})
            store.set_app_state("after", "kept")
        assert store.get_app_state("before") == store.get_app_state("after") == "kept"

    @kinds
    @pytest.mark.parametrize("revision", [0, -1, 2**53, "1", 1.0, True])
    def test_a_revision_is_a_positive_integer(self, store: Store, kind: str, revision: Any) -> None:
        _, save, _ = KINDS[kind]
        with pytest.raises(ValidationError, match="revision"):
            save(store, {"revision": revision})

    def test_a_new_one_is_stored_with_the_revision_that_it_has(self, store: Store) -> None:
        """It is that of a document which was deleted after it was read."""
        store.save_profile({"id": "new", "revision": 7})
        store.save_query("new", {"id": "q", "revision": 8})
        assert store.get_profile("new")["revision"] == 7
        assert store.get_query("new", "q")["revision"] == 8

    def test_records_keep_their_revision(self, store: Store) -> None:
        """Lower ones as well; without one it is 1."""
        for revision in (7, 2, None):
            store.save_records(Profile, [{"id": "p", "name": "p", "revision": revision}])
            store.save_records(Query, [{"profile_id": "p", "id": "q", "revision": revision}])
            assert store.get_profile("p")["revision"] == (revision or 1)
            assert store.get_query("p", "q")["revision"] == (revision or 1)

    def test_entities_are_saved_as_documents(self, store: Store) -> None:
        """One that was not stored has no revision, one that was has its own."""
        profile = Profile(id="new", name="Team A", description="typed")
        query = Query(profile_id="new", id="bugs", name="Bugs", jql="project = A")
        for number in (1, 1):
            store.save_profile(profile)
            store.save_query("new", query)
            assert store.get_profile("new") == {**profile.to_document(), "revision": number}
            assert store.get_query("new", "bugs") == {**query.to_document(), "revision": number}
        read = Profile.model_validate(store.get_profile("new"))
        store.save_profile({"id": "new", "name": "Team B"})
        with pytest.raises(RevisionConflictError):
            store.save_profile(read)
        store.save_records(Profile, [read])
        store.save_records(Query, [query])
        assert same(store.get_profile("new"), read.to_document())

    def test_an_entity_has_its_revision_after_it_was_saved(self, store: Store) -> None:
        """So it can be saved again, unless others have saved in between."""
        profile = Profile(id="new", name="Team A")
        query = Query(profile_id="new", id="bugs", name="Bugs")
        for number in (1, 2, 3):
            profile.description = query.description = str(number)
            store.save_profile(profile)
            store.save_query("new", query)
            assert (profile.revision, query.revision) == (number, number)
        store.patch_profile("new", {"description": "of others"})
        with pytest.raises(RevisionConflictError):
            store.save_profile(profile)
        assert profile.revision == 3

    def test_another_entity_is_no_document(self, store: Store) -> None:
        query = Query(profile_id="p", id="q")
        for save in (store.save_profile, lambda each: store.save_records(Profile, [each])):
            with pytest.raises(
                ValidationError, match="input should be an object or instance of Profile"
            ):
                save(query)
        with pytest.raises(ValidationError, match="input should be an object or instance of Query"):
            store.save_query("p", Profile(id="p"))
        with pytest.raises(ValidationError, match="profile_id"):
            store.save_query("other", query)

    def test_threads_that_try_again_after_a_conflict_lose_no_update(self, store: Store) -> None:
        """Each adds its own key, with the revision that it has read."""
        errors: list[BaseException] = []

        def add(number: int) -> None:
            try:
                while True:
                    found = store.get_profile("p")
                    try:
                        store.patch_profile("p", {"keys": {str(number): 1}}, found["revision"])
                    except RevisionConflictError:
                        continue
                    return
            except BaseException as error:  # noqa: BLE001 - asserted below
                errors.append(error)

        threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        found = store.get_profile("p")
        assert found["keys"] == {str(number): 1 for number in range(6)}
        assert found["revision"] == 1 + 6
