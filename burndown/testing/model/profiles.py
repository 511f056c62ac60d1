"""The model of profiles, queries and the app state."""

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from burndown import QueryNotFoundError, RevisionConflictError
from burndown.merge_patch import merge_patch
from burndown.models import AppState, Entity, Profile, Query
from burndown.testing.controlled_store import KEYS, Document, in_utc
from burndown.testing.model.records import RecordModel, newest_first
from burndown.testing.model.refusals import RefusedError, check

__all__ = ["ProfileModel"]

MASK = {"is_set": True}

DEFAULTS: Mapping[type[Entity], Document] = {
    Profile: {
        "description": "",
        "jira_config": {},
        "field_mappings": {},
        "forecast_settings": {},
        "project_classification": {},
        "flow_type_mappings": {},
        "show_milestone": False,
        "show_points": False,
    },
    Query: {"description": "", "jql": "", "updated_at": None},
}

TIMESTAMPS: Mapping[type[Entity], tuple[str, ...]] = {
    Profile: ("created_at", "last_used"),
    Query: ("created_at", "last_used", "updated_at"),
}


class ProfileModel(RecordModel):
    """Profiles and queries with their revisions, and the app state."""

    def get_profile(self, profile_id: str) -> Any:
        return self._find(Profile, profile_id)

    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        assert isinstance(profile, Mapping)
        check("profile", profile)
        self._save_named(Profile, profile)

    def patch_profile(
        self, profile_id: str, changes: Mapping[str, Any], if_revision: int | None = None
    ) -> Any:
        self._require(profile_id)
        stored = self.kept[Profile][profile_id,]
        document = self._patched(stored, dict(changes), if_revision, "id")
        if "token" in stored["jira_config"]:
            document.setdefault("jira_config", {}).setdefault("token", "")
        self.save_profile(document)
        return self.get_profile(profile_id)

    @staticmethod
    def _patched(
        stored: Document, changes: Document, if_revision: int | None, *key: str
    ) -> Document:
        for name in key:
            if changes.get(name, stored[name]) != stored[name]:
                raise RefusedError(name)
        document: Document = merge_patch(copy.deepcopy(stored), changes)
        expected = {} if if_revision is None else {"revision": if_revision}
        return {"revision": stored["revision"], **document, **expected}

    def list_profiles(self) -> Any:
        return self._most_recently_used(self._below(Profile))

    def delete_profile(self, profile_id: str) -> None:
        self._require(profile_id)
        self._delete(Profile, profile_id)

    def get_query(self, profile_id: str, query_id: str) -> Any:
        return self._find(Query, profile_id, query_id)

    def save_query(self, profile_id: str, query: Mapping[str, Any] | Query) -> None:
        assert isinstance(query, Mapping)
        if query.get("profile_id", profile_id) != profile_id:
            raise RefusedError("profile_id")
        check("query", query)
        self._require(profile_id)
        self._save_named(Query, {**query, "profile_id": profile_id})

    def patch_query(
        self,
        profile_id: str,
        query_id: str,
        changes: Mapping[str, Any],
        if_revision: int | None = None,
    ) -> Any:
        stored = self.get_query(profile_id, query_id)
        if stored is None:
            raise QueryNotFoundError(profile_id, query_id)
        document = self._patched(stored, dict(changes), if_revision, "profile_id", "id")
        self.save_query(profile_id, document)
        return self.get_query(profile_id, query_id)

    def list_queries(self, profile_id: str) -> Any:
        return self._most_recently_used(self._below(Query, profile_id))

    def delete_query(self, profile_id: str, query_id: str) -> None:
        if self.get_query(profile_id, query_id) is None:
            raise QueryNotFoundError(profile_id, query_id)
        self._delete(Query, profile_id, query_id)

    def _save_named(self, model: type[Entity], given: Mapping[str, Any]) -> None:
        document = {**DEFAULTS[model], "name": given["id"], **given}
        before = self._find(model, *(document[name] for name in KEYS[model])) or {}
        expected = document.pop("revision", None)
        if before and expected not in (None, before["revision"]):
            subject = f"{model.__name__} {document['id']!r}"
            raise RevisionConflictError(subject, expected, before["revision"])
        self._refuse_taken_name(model, document)
        times = before or {
            "created_at": (created_at := document.get("created_at", self._now())),
            "last_used": created_at,
            "updated_at": None,
        }
        document.update({name: times[name] for name in TIMESTAMPS[model] if name not in given})
        for name in TIMESTAMPS[model]:
            document[name] = document[name] and in_utc(document[name])
        if model is Profile:
            document = with_secrets(document, before)
        if before:
            is_changed = self._content(model, document) != self._content(model, before)
            document["revision"] = before["revision"] + is_changed
        else:
            document["revision"] = expected or 1
        self._keep(model, document)

    def _content(self, model: type[Entity], document: Document) -> list[str]:
        """Return what the revision counts: the order of keys counts, but not that of fields."""
        fields = {"name", *DEFAULTS[model]} - {*TIMESTAMPS[model]}
        others = {*fields, *TIMESTAMPS[model], *KEYS[model], "revision"}
        unknown = {key: item for key, item in document.items() if key not in others}
        return [json.dumps(each) for each in (*(document[f] for f in sorted(fields)), unknown)]

    @staticmethod
    def _most_recently_used(found: Iterable[Document]) -> list[Document]:
        return sorted(found, key=lambda each: (newest_first(each["last_used"]), each["id"]))

    def get_app_state(self, key: str) -> str | None:
        found = self._find(AppState, key)
        return None if found is None else found["value"]

    def set_app_state(self, key: str, value: str | None) -> None:
        check("state", {"value": value})
        if value is None:
            self.kept[AppState].pop((key,), None)
        else:
            self._keep(AppState, {"key": key, "value": value})


def with_secrets(document: Document, before: Mapping[str, Any]) -> Document:
    """Return a profile with the secrets that it keeps; the samples have two keys of secrets."""
    jira, earlier = dict(document["jira_config"]), before.get("jira_config", {})
    if jira.get("token", MASK) in ("***", MASK):
        if "token" in earlier:
            jira["token"] = earlier["token"]
        else:
            jira.pop("token", None)
    elif jira["token"] is None:
        jira["token"] = ""
    document = {**document, "jira_config": jira}
    if document.get("password") == MASK:
        del document["password"]
        if "password" in before:
            document["password"] = before["password"]
    return document
