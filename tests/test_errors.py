"""Errors say which value of an input is wrong."""

from datetime import timedelta

from burndown import ValidationError
from burndown.errors import Problem


def test_problems_by_path_are_what_a_form_shows_next_to_its_fields() -> None:
    error = ValidationError(
        "Profile 'kafka'",
        [
            Problem("jira_config.base_url", "input should be a URL", "'jira'"),
            Problem("jira_config.token", "input should be the token itself, not its mask", None),
            Problem("jira_config.base_url", "input should be shorter", "'jira'"),
        ],
    )
    assert error.by_path() == {
        "jira_config.base_url": (
            "input should be a URL, got 'jira'; input should be shorter, got 'jira'"
        ),
        "jira_config.token": "input should be the token itself, not its mask",
    }


def test_a_message_of_a_path_has_no_control_characters() -> None:
    error = ValidationError("Profile", [Problem("", "input should be\nan object", None)])
    assert error.by_path() == {"": r"input should be\nan object"}


def test_a_duration_that_is_refused_is_quoted() -> None:
    error = ValidationError.of("Staleness", "max_stale", "input should be 0", -timedelta(hours=1))
    assert str(error).endswith("max_stale: input should be 0, got -1 day, 23:00:00")
