"""Every string and JSON value comes back exactly, or is refused."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from burndown import ValidationError
from burndown.testing.calls import SAVES_OF_A_VALUE
from burndown.testing.contract.drawn import nested
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import HOUR, Store, same

__all__ = ["ValueContract"]

MEGABYTE = "é" * (1 << 19)

VALUES: dict[str, Any] = {
    "NUL": "\0",
    "NUL within": ["a\0b", {"\0": "\0\0"}],
    "written NUL": "\\u0000",
    "emoji": {"\U0001f9d1\u200d\U0001f680": "\U0001f600\ufe0f"},
    "right to left": "\u200f\u202eabc\u202c\u05d0\u2067",
    "control characters": "".join(map(chr, [*range(1, 32), *range(127, 160), 0x2028, 0xFEFF])),
    "not a character": "\uffff\ufffe\U0010ffff",
    "not composed": ["\u00e9", "e\u0301", "\u212b", "\u00c5"],
    "quotes": "'\"\\`$$%s:x?;--/*\r\n\t",
    "one megabyte": MEGABYTE,
    "key of one megabyte": {MEGABYTE: None},
    "ten thousand keys": {f"k{number}": number for number in range(10_000)},
    "keys in no order": {"b": 1, "a": 2, "B": 3, "": 4, "10": 5, "9": 6},
    "300 digits": [10**299, -(10**299) - 1],
    "4,298 digits": [10**4298 - 1, 1 - 10**4298],
    "beyond 64 bits": [2**63, -(2**63) - 1, 2**64, 2**53 + 1],
    "smallest float": [5e-324, -5e-324, 2.2250738585072014e-308],
    "largest float": [1.7976931348623157e308, -1.7976931348623157e308],
    "zeros": [0, 0.0, -0.0],
    "kinds of numbers": [1, 1.0, True, 100, 1e2, 1e16, 1e22, 1e23],
    "close floats": [0.1, 0.1 + 2**-56, 1 / 3, 2 / 3, 9007199254740993.0],
    "nothing": [None, False, "", [], {}, [[]], [{}]],
    "199 levels": nested(199),
}

"""JSON values that some stores would change."""

Read = Callable[[Any], Any]

READS: dict[str, Read] = {
    "existing profile": lambda store: store.get_profile("p")["unknown"],
    "section": lambda store: store.get_profile("new")["jira_config"]["unknown"],
    "field": lambda store: store.get_profile("new")["field_mappings"]["dora"]["severity_level"][
        "k"
    ],
    "query": lambda store: store.get_query("p", "new")["unknown"],
    "answer": lambda store: store.get_jira_cache("p", "q", "k")["k"],
    "changelog": lambda store: store.get_jira_changelog("p", "q", "K-1")["k"],
    "changelogs": lambda store: store.get_jira_changelogs("p", "q")["K-2"]["k"],
    "data": lambda store: store.get_project_data("p", "q")["k"],
    "metrics": lambda store: store.get_metrics_snapshots("p", "q")[0]["metrics"]["k"],
    "forecast": lambda store: store.get_metrics_snapshots("p", "q")[0]["forecast"]["k"],
}

"""Calls that read what was saved by the call of the same name."""

LINES = {
    "empty": "",
    "blanks": " \t ",
    "lines": "a\nb\r\nc\rd\u2028e",
    "emoji": "\U0001f9d1\u200d\U0001f680\ufe0f",
    "right to left": "\u200f\u202eabc\u202c\u05d0\u2067",
    "control characters": "".join(map(chr, [*range(1, 32), *range(127, 160), 0xFEFF])),
    "not a character": "\uffff\ufffe\U0010ffff",
    "not composed": "\u00e9e\u0301\u212b\u00c5",
    "quotes": "'\"\\`$$%s%(x)s:x?;--/*",
    "null": "null",
    "one megabyte": MEGABYTE,
}

"""Strings for a column of their own."""


class ValueContract(ContractPart):
    """The contract of strings and JSON values."""

    @pytest.mark.parametrize("place", READS)
    def test_a_value_comes_back_exactly(self, shared: Store, place: str) -> None:
        """Strings, numbers and the order of keys are the same in this backend and the next one."""
        with shared.empty().another() as other:
            for what, value in VALUES.items():
                if what == "199 levels" and place in ("section", "field"):
                    continue  # the document around it has some levels
                SAVES_OF_A_VALUE[place](shared.backend, value)
                assert same(READS[place](shared), value), what
                assert same(READS[place](other), value), what

    @pytest.mark.parametrize(
        "within", [nullcontext, lambda store: store.transaction()], ids=["call", "transaction"]
    )
    @pytest.mark.parametrize("place", READS)
    def test_a_document_belongs_to_the_caller(
        self, shared: Store, place: str, within: Callable[[Store], AbstractContextManager[None]]
    ) -> None:
        """A change of what was saved or returned changes nothing that is stored."""
        saved: dict[str, Any] = {"k": [1, {"l": 2}]}
        with within(shared.empty()):
            SAVES_OF_A_VALUE[place](shared.backend, saved)
            saved["k"][1]["l"] = 3
            found = READS[place](shared)
            assert found == {"k": [1, {"l": 2}]}
            found["k"].clear()
            assert READS[place](shared) == {"k": [1, {"l": 2}]}

    @pytest.mark.parametrize("place", ["answer", "changelog", "data", "metrics", "forecast"])
    def test_200_levels_are_stored_and_201_refused(self, shared: Store, place: str) -> None:
        """The limit of a document is that of JSON parsers, including the document itself."""
        save, read = SAVES_OF_A_VALUE[place], READS[place]
        save(shared.empty().backend, nested(199))
        before = shared.everything()
        with pytest.raises(ValidationError, match="input should nest at most 200 levels"):
            save(shared.backend, nested(200))
        assert shared.everything() == before
        assert read(shared) == nested(199)

    @pytest.mark.parametrize("depth", range(192, 204))
    def test_an_accepted_nested_value_can_be_read(self, shared: Store, depth: int) -> None:
        """Whatever is around a value in a profile, what was saved can be read."""
        value = nested(depth)
        accepted = []
        for document in (
            {"unknown": value},
            {"jira_config": {"points_field": value}},
            {"jira_config": {"unknown": value}},
            {"field_mappings": {"dora": {"severity_level": value}}},
            {"field_mappings": {"dora": {"unknown": value}}},
            {"flow_type_mappings": {"Feature": {"unknown": value}}},
            {"forecast_settings": {"unknown": value}},
        ):
            try:
                shared.empty().save_profile({"id": "p", **document})
            except ValidationError:
                continue
            accepted.append(document)
            found = shared.get_profile("p")
            assert found == {**found, **document}
            assert shared.list_profiles() == [found]
        assert accepted or depth > 196

    @pytest.mark.parametrize("place", READS)
    @pytest.mark.parametrize(
        "integer", [10**4300, -(10**5000)], ids=["4301 digits", "-5001 digits"]
    )
    def test_an_integer_that_cannot_be_read_is_refused(
        self, shared: Store, place: str, integer: int
    ) -> None:
        """Integers of 4,300 digits and more are refused, and nothing is written."""
        before = shared.empty().everything()
        with pytest.raises(ValidationError, match="fewer than 4,299 digits"):
            SAVES_OF_A_VALUE[place](shared.backend, [integer])
        assert shared.everything() == before

    @pytest.mark.parametrize("text", LINES.values(), ids=LINES)
    def test_a_string_comes_back_exactly(self, store: Store, text: str) -> None:
        """It is neither trimmed nor normalized, and its line ends do not change."""
        store.save_profile({"id": "p", "description": text})
        store.save_query("p", {"id": "q", "description": text, "jql": text})
        store.save_task_progress("task", 0, "running", text)
        store.set_app_state("key", text)
        store.close()
        query = store.get_query("p", "q")
        assert store.get_profile("p")["description"] == text
        assert (query["description"], query["jql"]) == (text, text)
        assert store.get_task_progress("task")["message"] == text
        assert store.get_app_state("key") == text

    @pytest.mark.parametrize(
        "key",
        ["\U0001f600" * 200, "é\n\t" * 60, " ", "'\"\\%_?:", "/../", "\u202e", "CON", "k.", "\x7f"],
        ids=lambda key: ascii(key[:4]),
    )
    def test_a_key_may_be_any_string(self, store: Store, key: str) -> None:
        """It has up to 200 characters, which may be special to file systems or SQL."""
        store.save_jira_cache("p", "q", key, {"k": 1}, HOUR)
        store.save_jira_changelog("p", "q", key, {"k": 2})
        store.set_app_state(key, "value")
        assert store.get_jira_cache("p", "q", key) == {"k": 1}
        assert [each["cache_key"] for each in store.list_jira_caches("p", "q")] == [key]
        assert store.get_jira_changelogs("p", "q", [key]) == {key: {"k": 2}}
        assert store.get_app_state(key) == "value"
        for other in (key + "x", key[:-1], key.upper() + "X"):
            assert store.get_jira_cache("p", "q", other) is None
            assert store.get_jira_changelogs("p", "q", [other]) == {}
            assert store.get_app_state(other) is None

    @pytest.mark.parametrize("text", ["\U0001f600" * 50, "a" * 200, "é" * 100, "x" * 199 + "y"])
    def test_an_id_may_have_200_bytes_and_a_name_200_characters(
        self, store: Store, text: str
    ) -> None:
        """The longest ids and names are stored by all backends, and one more is refused."""
        name = (text * 4)[:200]
        store.save_profile({"id": text, "name": name})
        store.save_query(text, {"id": text, "name": name})
        store.save_project_data(text, text, {"k": 1})
        store.save_task_progress(text, 1, "running")
        assert store.get_profile(text)["name"] == store.get_query(text, text)["name"] == name
        assert store.get_project_data(text, text) == {"k": 1}
        assert [task["task_name"] for task in store.list_task_progress()] == [text]
        before = store.everything()
        for document in ({"id": text + "z"}, {"id": text, "name": "z" * 201}):
            with pytest.raises(ValidationError):
                store.save_profile(document)
        assert store.everything() == before

    @pytest.mark.parametrize("percent", [0, 100, 5e-324, 33.3, 0.1 + 0.2, 99.99999999999999, -0.0])
    def test_a_percentage_comes_back_as_it_was_saved(self, store: Store, percent: float) -> None:
        """It is exact."""
        store.save_task_progress("task", percent, "running")
        assert store.get_task_progress("task")["progress_percent"] == percent
