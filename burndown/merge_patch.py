"""JSON Merge Patch, RFC 7396."""

from collections.abc import Mapping
from typing import Any

__all__ = ["merge_patch"]


def merge_patch(target: Any, patch: Any) -> Any:
    """Return the JSON value that a patch makes of another one; change neither of them.

    Objects are merged key by key at every depth, and ``None`` removes a key. Whatever else the
    patch has replaces what is there, lists included.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), change)
    return merged
