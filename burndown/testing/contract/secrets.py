"""A profile keeps its secrets until somebody says that they are removed."""

from typing import Any

import pytest

from burndown import JiraConfig, Profile, ValidationError, public_document
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store, same

__all__ = ["SecretContract"]

JIRA = {"token": "canary", "base_url": "https://jira.example.com"}

KEEPING: dict[str, dict[str, Any]] = {
    "no section": {},
    "an empty section": {"jira_config": {}},
    "a section without it": {"jira_config": {"base_url": "https://jira.example.com"}},
    "asterisks": {"jira_config": {**JIRA, "token": "*****"}},
    "a mask": {"jira_config": {**JIRA, "token": {"is_set": True}}},
    "a mask of none": {"jira_config": {**JIRA, "token": {"is_set": False}}},
    "a model": {"jira_config": JiraConfig(base_url="https://jira.example.com")},
}

REMOVING: dict[str, dict[str, Any]] = {
    "null": {"jira_config": {**JIRA, "token": None}},
    "an empty string": {"jira_config": {**JIRA, "token": ""}},
    "a model": {"jira_config": JiraConfig.model_validate({"token": None})},
}

SECRETS: dict[str, Any] = {
    "jira_config": {**JIRA, "password": "canary", "k": {"api_key": ["canary"], "other": 1}},
    "legacy_secret": {"k": "canary"},
    "list": [{"secret": "canary"}, {"secret": ""}, 3],
    "has_token": True,
}

A, B, C = ({"name": name, "password": f"canary {name}"} for name in "abc")


class SecretContract(ContractPart):
    """The contract of secrets of profiles."""

    @pytest.fixture
    @staticmethod
    def saved(store: Store) -> Store:
        """Save a profile with a token."""
        store.save_profile({"id": "p", "jira_config": JIRA})
        return store

    @pytest.mark.parametrize("case", KEEPING)
    def test_a_document_without_the_token_keeps_it(self, saved: Store, case: str) -> None:
        saved.save_profile({"id": "p", **KEEPING[case]})
        assert saved.get_profile("p")["jira_config"]["token"] == "canary"

    @pytest.mark.parametrize("case", KEEPING)
    def test_a_token_that_is_not_stored_cannot_be_kept(self, store: Store, case: str) -> None:
        for profile_id in ("p", "new"):
            store.save_profile({"id": profile_id, **KEEPING[case]})
            assert "token" not in store.get_profile(profile_id)["jira_config"]

    @pytest.mark.parametrize("case", REMOVING)
    def test_a_token_is_removed_explicitly(self, saved: Store, case: str) -> None:
        saved.save_profile({"id": "p", **REMOVING[case]})
        assert saved.get_profile("p")["jira_config"]["token"] == ""

    @pytest.mark.parametrize(
        ("changes", "token"),
        [
            ({"cache_size_mb": 50}, "canary"),
            ({"token": "*"}, "canary"),
            ({"token": {"is_set": True}}, "canary"),
            ({"token": "other"}, "other"),
            ({"token": ""}, ""),
            ({"token": None}, ""),
            (None, ""),
        ],
    )
    def test_a_patch_keeps_or_removes_the_token(
        self, saved: Store, changes: Any, token: str
    ) -> None:
        assert saved.patch_profile("p", {"jira_config": changes})["jira_config"]["token"] == token

    @pytest.mark.parametrize("section", ["canary", [], 3])
    def test_an_invalid_section_removes_no_token(self, saved: Store, section: Any) -> None:
        before = saved.get_profile("p")
        with pytest.raises(ValidationError) as caught:
            saved.patch_profile("p", {"jira_config": section})
        assert [problem.path for problem in caught.value.problems] == ["jira_config"]
        assert same(saved.get_profile("p"), before)

    def test_an_entity_keeps_or_removes_the_token(self, saved: Store) -> None:
        saved.save_profile(Profile(id="p", name="typed"))
        assert saved.get_profile("p")["jira_config"] == {"token": "canary"}
        saved.save_profile(Profile(id="p", jira_config=JiraConfig.model_validate({"token": ""})))
        assert saved.get_profile("p")["jira_config"] == {"token": ""}

    def test_records_replace_the_token(self, saved: Store) -> None:
        saved.save_records(Profile, [{"id": "p"}])
        assert saved.get_profile("p")["jira_config"] == {}

    def test_a_public_document_holds_no_secret(self, store: Store) -> None:
        store.save_profile({"id": "p", **SECRETS})
        stored = store.get_profile("p")
        shown = public_document(stored)
        assert "canary" not in repr(shown)
        assert shown == {
            **stored,
            "jira_config": {
                "token": {"is_set": True},
                "base_url": "https://jira.example.com",
                "password": {"is_set": True},
                "k": {"api_key": {"is_set": True}, "other": 1},
            },
            "legacy_secret": {"is_set": True},
            "list": [{"secret": {"is_set": True}}, {"secret": ""}, 3],
        }
        assert same(stored, store.get_profile("p"))

    def test_saving_a_public_document_changes_nothing(self, store: Store) -> None:
        for document in ({}, {"jira_config": {"token": ""}}, SECRETS):
            store.save_profile({"id": "p", **document})
            stored = store.get_profile("p")
            store.save_profile(public_document(stored))
            assert store.get_profile("p")["revision"] == stored["revision"]
            assert same(store.get_profile("p")["jira_config"], stored["jira_config"])

    def test_a_public_document_as_patch_changes_nothing(self, store: Store) -> None:
        """Neither does one of its masks, which stands for an object."""
        store.save_profile({"id": "p", **SECRETS})
        stored = store.get_profile("p")
        for changes in (public_document(stored), {"legacy_secret": {"is_set": True}}):
            assert same(store.patch_profile("p", changes), stored)

    def test_a_mask_of_what_is_not_stored_is_omitted(self, store: Store) -> None:
        shown = public_document({"id": "p", **SECRETS})
        for profile_id in ("p", "new"):
            store.save_profile({**shown, "id": profile_id})
            found = store.get_profile(profile_id)
            assert found["jira_config"] == {"base_url": JIRA["base_url"], "k": {"other": 1}}
            assert "legacy_secret" not in found
            assert found["list"] == [{}, {"secret": ""}, 3]

    @pytest.mark.parametrize("servers", [[B, C], [C, A], [A, {"name": "new"}, B, C], [C, B, A], []])
    def test_items_of_a_list_keep_their_own_secrets(self, store: Store, servers: list[Any]) -> None:
        """Wherever they are, and whatever is added or removed."""
        store.save_profile({"id": "p", "servers": [A, B, C]})
        store.save_profile({"id": "p", "servers": public_document({"servers": servers})["servers"]})
        assert store.get_profile("p")["servers"] == servers

    def test_an_edited_item_of_a_list_keeps_its_secret(self, store: Store) -> None:
        store.save_profile({"id": "p", "servers": [A, B]})
        edited = [public_document(A), {**public_document(B), "name": "new"}]
        for each in edited:
            del each["jira_config"]
        store.save_profile({"id": "p", "servers": edited})
        assert store.get_profile("p")["servers"] == [A, {**B, "name": "new"}]
