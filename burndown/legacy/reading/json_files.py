"""JSON files of a workspace."""

from pathlib import Path
from typing import Any

from burndown.conversion import Findings, UnreadableError, json_type, parse_json, replace_non_finite
from burndown.files.paths import is_file, lexists
from burndown.files.reading import read_below
from burndown.legacy.signature import verified

__all__ = ["read_bytes", "read_json", "read_object"]


def read_json(path: Path, findings: Findings) -> Any:
    """Return the value in the file, as :func:`parse_json` does.

    Raises:
        UnreadableError: it cannot be read, decoded or parsed.
    """
    return parse_json(read_bytes(path, findings.root), findings.reporter(path))


def read_object(path: Path, findings: Findings) -> dict[str, Any] | None:
    """Return the object in an irreplaceable file; ``None`` if there is none.

    A file that cannot be read, or holds another value, is reported as a problem.
    """
    if not lexists(path):
        return None
    try:
        value = replace_non_finite(read_json(path, findings), findings.reporter(path))
    except UnreadableError as error:
        findings.add_problem(path, str(error))
        return None
    if not isinstance(value, dict):
        findings.add_problem(path, f"input should be an object, got {json_type(value)}")
        return None
    return value


def read_bytes(path: Path, root: Path | None = None) -> bytes:
    """Return the content of the file, without the signature of this package.

    Args:
        path: the file.
        root: the folder below which no link is followed; the file's own if it is not below it.

    Raises:
        UnreadableError: it cannot be read, or is not as this package has written it.
    """
    is_below = root is not None and path.is_relative_to(root)
    try:
        return verified(read_below(root if root is not None and is_below else path.parent, path))
    except OSError as error:
        raise UnreadableError(_why_unreadable(path, error)) from None
    except ValueError as error:
        raise UnreadableError(str(error)) from None


def _why_unreadable(path: Path, error: OSError) -> str:
    """Return what is at the path instead of a file, or else the reason of the system."""
    if path.is_symlink():
        return f"a link to {path.readlink()}, and links are not followed"
    if path.exists() and not is_file(path):
        return f"a {'folder' if path.is_dir() else 'device'}, not a file"
    return error.strerror or str(error)
