"""The fields in which a profile has its story points."""

import re
from typing import Any

from burndown import models
from burndown.jira.values import follow

__all__ = ["points_fields"]

_SOURCES = (["field_mappings", "general", "estimate"], ["jira_config", "points_field"])
_FIELD_ID = re.compile(r"[A-Za-z]\w*", re.ASCII).fullmatch


def points_fields(profile: Any) -> tuple[str, ...]:
    """Return the ids of the fields that can have the story points of an issue, preferred first.

    The dashboard takes them from ``field_mappings.general.estimate``, which its newer releases
    have, and else from ``jira_config.points_field``.

    Args:
        profile: a profile or its document; anything else names no field.
    """
    document = profile.to_document() if isinstance(profile, models.Profile) else profile
    named = [follow(document, path) for path in _SOURCES]
    return tuple(field for field in named if isinstance(field, str) and _FIELD_ID(field))
