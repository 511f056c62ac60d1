"""The settings of the dashboard of the examples, in a real browser."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from burndown import PersistenceBackend, ProfileDocument
from burndown.persistence import open_backend
from tests.support.chromium import Chromium, Tab

pytest.importorskip("dash")
pytest.importorskip("gunicorn")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="gunicorn needs a fork")

TOKEN = "canary-token"
ERRORS = "[...document.querySelectorAll('.error')].map(each => each.textContent).filter(Boolean)"


@pytest.fixture
def store(dashboard_folder: Path, dashboard: str) -> Iterator[PersistenceBackend]:
    """The store of the application, whose profile has nothing but a token."""
    with open_backend(dashboard_folder / "burndown.db") as backend:
        backend.save_profile({"id": "kafka", "jira_config": {"token": TOKEN}})
        yield backend


@pytest.fixture
def tab(chromium: Chromium, dashboard: str, store: PersistenceBackend) -> Tab:
    return opened(chromium, dashboard)


def opened(chromium: Chromium, dashboard: str) -> Tab:
    """Open the form in a new tab."""
    new = chromium.open(f"{dashboard}/settings?profile=kafka")
    new.wait_for_text("#save", "Save")
    return new


def selector(kind: str, path: str) -> str:
    """Return the CSS selector of the input of a field, or of its error."""
    return f"[id='{json.dumps({kind: path}, separators=(',', ':'))}']"


def fill(tab: Tab, path: str, text: str) -> None:
    tab.fill(selector("field", path), text)


def save(tab: Tab, store: PersistenceBackend) -> ProfileDocument:
    """Save, and return what is stored then."""
    revision = stored(store)["revision"] + 1
    tab.click("#save")
    tab.wait_for_text("#message", f"Saved as revision {revision}.")
    return stored(store)


def fail_to_save(tab: Tab, message: str) -> None:
    tab.click("#save")
    tab.wait_for_text("#message", message)


def stored(store: PersistenceBackend) -> ProfileDocument:
    profile = store.get_profile("kafka")
    assert profile is not None
    return profile


def test_errors_are_next_to_the_fields(tab: Tab, store: PersistenceBackend) -> None:
    before = stored(store)
    fill(tab, "jira_config.base_url", "jira")
    fill(tab, "forecast_settings.pert_factor", "-1")
    fail_to_save(tab, "Not saved.")
    tab.wait_for_text(selector("error", "jira_config.base_url"), "input should be a URL")
    tab.wait_for_text(selector("error", "forecast_settings.pert_factor"), "above 0, got -1")
    assert len(tab.evaluate(ERRORS)) == 2
    assert stored(store) == before
    fill(tab, "jira_config.base_url", "https://jira.example.com")
    fill(tab, "forecast_settings.pert_factor", "1.5")
    after = save(tab, store)
    assert tab.evaluate(ERRORS) == []
    assert after["forecast_settings"] == {"pert_factor": 1.5}
    assert after["jira_config"] == {"base_url": "https://jira.example.com", "token": TOKEN}


def test_two_tabs_do_not_undo_each_other(
    chromium: Chromium, dashboard: str, tab: Tab, store: PersistenceBackend
) -> None:
    """The second one reports the changes of the first, and saves its own ones if asked again."""
    second = opened(chromium, dashboard)
    fill(tab, "forecast_settings.pert_factor", "1.5")
    first = save(tab, store)
    fill(second, "project_classification.bug_types", "Bug, Incident")
    fail_to_save(second, "Others have saved since.")
    assert stored(store) == first
    both = save(second, store)
    assert both["forecast_settings"] == {"pert_factor": 1.5}
    assert both["project_classification"] == {"bug_types": ["Bug", "Incident"]}
    assert both["jira_config"] == {"token": TOKEN}
    fill(second, "description", "Saved by the same tab.")
    assert save(second, store)["forecast_settings"] == {"pert_factor": 1.5}


def test_choices_and_flags_are_set_and_unset(tab: Tab, store: PersistenceBackend) -> None:
    def choose(path: str, label: str) -> None:
        options = (
            f"[...document.querySelectorAll({json.dumps(selector('field', path) + ' label')})]"
        )
        tab.click_element(f"{options}.find(each => each.textContent === {json.dumps(label)})")

    choose("jira_config.api_version", "v3")
    choose("show_milestone", "yes")
    choose("show_points", "yes")
    found = save(tab, store)
    assert (found["show_milestone"], found["show_points"]) == (True, True)
    assert found["jira_config"] == {"token": TOKEN, "api_version": "v3"}
    choose("jira_config.api_version", "default (v2)")
    choose("show_points", "no")
    found = save(tab, store)
    assert (found["show_milestone"], found["show_points"]) == (True, False)
    assert found["jira_config"] == {"token": TOKEN}


def test_the_token_is_not_sent_to_the_browser_and_can_be_replaced(
    tab: Tab, store: PersistenceBackend
) -> None:
    assert TOKEN not in tab.evaluate("document.documentElement.outerHTML")
    fill(tab, "jira_config.token", "another-canary")
    assert save(tab, store)["jira_config"] == {"token": "another-canary"}
    token = json.dumps(selector("field", "jira_config.token"))
    assert tab.evaluate(f"document.querySelector({token}).value") == ""


def test_a_profile_that_was_deleted_is_not_saved(tab: Tab, store: PersistenceBackend) -> None:
    store.delete_profile("kafka")
    fill(tab, "description", "Too late.")
    fail_to_save(tab, "Not saved. Profile 'kafka' not found")
    assert store.get_profile("kafka") is None


def test_leaving_the_form_asks_if_changes_are_not_saved(
    tab: Tab, store: PersistenceBackend
) -> None:
    tab.evaluate("asked = 0; window.confirm = () => { asked += 1; return false; }; 0")
    fill(tab, "description", "First")
    tab.click("header .button")
    assert tab.evaluate("[asked, location.pathname]") == [1, "/settings"]
    save(tab, store)
    fill(tab, "description", "Second")
    tab.click("header .button")
    assert tab.evaluate("[asked, location.pathname]") == [2, "/settings"]
    save(tab, store)
    tab.click("header .button")
    tab.wait_for("location.pathname === '/' && document.querySelector('#profile')")
    assert tab.evaluate("asked") == 2


def test_an_error_of_the_store_is_shown(tab: Tab, dashboard_folder: Path) -> None:
    """What was entered is still there, to be saved again."""
    with closing(sqlite3.connect(dashboard_folder / "burndown.db")) as connection:
        connection.execute("ALTER TABLE profiles RENAME TO elsewhere")
        fill(tab, "description", "Not lost.")
        fail_to_save(tab, "Not saved. ")
        connection.execute("ALTER TABLE elsewhere RENAME TO profiles")
    description = json.dumps(selector("field", "description"))
    assert tab.evaluate(f"document.querySelector({description}).value") == "Not lost."
    tab.click("#save")
    tab.wait_for_text("#message", "Saved as revision")


def test_a_profile_that_does_not_exist_has_no_form(chromium: Chromium, dashboard: str) -> None:
    tab = chromium.open(f"{dashboard}/settings?profile=other")
    tab.wait_for_text("main", "There is no such profile")
    assert tab.evaluate("document.querySelector('#save')") is None
