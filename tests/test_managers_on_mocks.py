"""The managers work on a mock of the interface, as in the quickstart: its calls can be asserted.

`create_autospec` also refuses a call with arguments that no backend takes.
"""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import ANY, Mock, call, create_autospec

import pytest

from burndown import PersistenceBackend, ProfileNotFoundError, profile_manager, query_manager
from burndown.persistence import set_backend

PROFILE = {"id": "kafka", "name": "Kafka"}
QUERY = {"id": "12w", "profile_id": "kafka", "name": "12 weeks", "jql": "project = KAFKA"}


@pytest.fixture(params=[Mock, create_autospec])
def mock_backend(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """Use a mock without any profile, and only with the return values that calls need."""
    backend: Mock = (
        Mock(spec=PersistenceBackend)
        if request.param is Mock
        else create_autospec(PersistenceBackend, instance=True)
    )
    backend.get_profile.return_value = None
    backend.list_profiles.return_value = []
    backend.list_queries.return_value = []
    backend.get_app_state.return_value = None
    backend.records.return_value = []
    set_backend(backend)
    yield backend
    set_backend(None)


@pytest.fixture
def kafka(mock_backend: Mock) -> Mock:
    """Use a mock with one profile and its query, both active."""
    mock_backend.get_profile.side_effect = lambda *_: {**PROFILE}
    mock_backend.list_profiles.return_value = [PROFILE]
    mock_backend.get_query.side_effect = lambda *_: {**QUERY}
    mock_backend.list_queries.return_value = [QUERY]
    active = {"active_profile_id": "kafka", "active_query_id": "12w"}
    mock_backend.get_app_state.side_effect = active.get
    return mock_backend


ACTIVATE = [
    call.set_app_state("active_profile_id", "kafka"),
    call.set_app_state("active_query_id", "12w"),
]
NEITHER = [
    call.set_app_state("active_profile_id", None),
    call.set_app_state("active_query_id", None),
]
CHANGES: dict[str, tuple[Callable[[], Any], list[Any]]] = {
    "create_profile": (
        lambda: profile_manager.create_profile("New", {"show_points": True}),
        [call.save_profile({"id": "new", "name": "New", "description": "", "show_points": True})],
    ),
    "update_profile": (
        lambda: profile_manager.update_profile("kafka", {"show_points": True}),
        [call.patch_profile("kafka", {"show_points": True}, None)],
    ),
    "rename_profile": (
        lambda: profile_manager.rename_profile("kafka", "Streams"),
        [call.patch_profile("kafka", {"name": "Streams"}, None)],
    ),
    "duplicate_profile": (
        lambda: profile_manager.duplicate_profile("kafka", "Copy"),
        [
            call.save_profile({"id": "copy", "name": "Copy", "description": ""}),
            call.save_query("copy", {**QUERY, "profile_id": "copy", "revision": None}),
        ],
    ),
    "switch_profile": (
        lambda: profile_manager.switch_profile("kafka"),
        [call.patch_profile("kafka", {"last_used": ANY}), *ACTIVATE],
    ),
    "delete_profile": (
        lambda: profile_manager.delete_profile("kafka"),
        [call.delete_profile("kafka"), *ACTIVATE],
    ),
    "create_query": (
        lambda: query_manager.create_query("kafka", "Bugs", "issuetype = Bug"),
        [
            call.save_query(
                "kafka",
                {"id": "bugs", "name": "Bugs", "jql": "issuetype = Bug", "description": ""},
            )
        ],
    ),
    "update_query": (
        lambda: query_manager.update_query("kafka", "12w", jql="status = Done"),
        [call.patch_query("kafka", "12w", {"jql": "status = Done", "updated_at": ANY}, None)],
    ),
    "rename_query": (
        lambda: query_manager.rename_query("kafka", "12w", "Quarter"),
        [call.patch_query("kafka", "12w", {"name": "Quarter", "updated_at": ANY}, None)],
    ),
    "duplicate_query": (
        lambda: query_manager.duplicate_query("kafka", "12w", "Copy"),
        [call.save_query("kafka", {**QUERY, "id": "copy", "name": "Copy"})],
    ),
    "switch_query": (
        lambda: query_manager.switch_query("kafka", "12w"),
        [
            call.patch_query("kafka", "12w", {"last_used": ANY}),
            call.patch_profile("kafka", {"last_used": ANY}),
            *ACTIVATE,
        ],
    ),
    "delete_query": (
        lambda: query_manager.delete_query("kafka", "12w"),
        [call.delete_query("kafka", "12w"), call.set_app_state("active_query_id", "12w")],
    ),
}
"""A call of each function that changes something, and the changes that reach the backend."""

READS: dict[str, tuple[Callable[[], Any], Any]] = {
    "get_profile": (lambda: profile_manager.get_profile("kafka"), PROFILE),
    "list_profiles": (profile_manager.list_profiles, [PROFILE]),
    "get_active_profile": (profile_manager.get_active_profile, PROFILE),
    "get_query": (lambda: query_manager.get_query("kafka", "12w"), QUERY),
    "list_queries": (lambda: query_manager.list_queries("kafka"), [QUERY]),
    "validate_query": (lambda: query_manager.validate_query("kafka", "12w"), None),
    "get_active_query": (query_manager.get_active_query, QUERY),
}
"""A call of each function that reads, and what it returns."""


def changes_of(backend: Mock) -> list[Any]:
    """Return the calls that change something, in their order."""
    changing = ("save_", "patch_", "set_", "delete_")
    return [each for each in backend.mock_calls if each[0].startswith(changing)]


@pytest.mark.parametrize("name", CHANGES)
def test_the_changes_of_a_manager_reach_a_mock(kafka: Mock, name: str) -> None:
    change, expected = CHANGES[name]
    change()
    assert changes_of(kafka) == expected
    kafka.transaction.assert_called()


@pytest.mark.parametrize("name", READS)
def test_a_manager_reads_from_a_mock(kafka: Mock, name: str) -> None:
    read, expected = READS[name]
    assert read() == expected
    assert changes_of(kafka) == []


def test_every_function_of_the_managers_is_called() -> None:
    """Here, so that a new function needs its line."""
    public = {*profile_manager.__all__, *query_manager.__all__}
    assert {name for name in public if name.islower()} == CHANGES.keys() | READS.keys()


def test_what_a_mock_does_not_have_is_not_found(mock_backend: Mock) -> None:
    """The first profile becomes active, and the last one leaves none."""
    with pytest.raises(ProfileNotFoundError, match="Profile 'xyz' not found"):
        profile_manager.duplicate_profile("xyz", "Copy")
    assert changes_of(mock_backend) == []
    mock_backend.get_app_state.return_value = "kafka"
    profile_manager.delete_profile("kafka")
    assert changes_of(mock_backend) == [call.delete_profile("kafka"), *NEITHER]


def test_an_error_of_a_mock_passes_through(kafka: Mock) -> None:
    kafka.delete_profile.side_effect = ProfileNotFoundError("kafka")
    with pytest.raises(ProfileNotFoundError):
        profile_manager.delete_profile("kafka")
    assert changes_of(kafka) == [call.delete_profile("kafka")]
