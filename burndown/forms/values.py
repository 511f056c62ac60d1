"""The values of a form: those of a document as strings, and what was entered as a patch."""

from collections.abc import Callable, Mapping
from typing import Any

from burndown.forms.fields import FormField, Kind, fields_of
from burndown.models import Document, Profile
from burndown.models.docstring_schema import Described
from burndown.models.json_codec import decode, encode

__all__ = ["form_values", "read_form"]


def form_values(
    document: Mapping[str, Any], model: type[Described] = Profile
) -> dict[str, str | bool]:
    """Return the values that fill a form, by path, for all fields that are for people.

    A flag is a ``bool``, everything else a string: a list has an item on each line, a source rule
    is JSON, and a secret, or what is not set, is empty. :func:`read_form` reads each of them as the
    value of the document.

    Args:
        document: as a backend returns it.
        model: its class.
    """
    return {
        field.path: _shown(field, _value_at(document, field.path))
        for field in fields_of(model)
        if field.for_people
    }


def read_form(
    values: Mapping[str, object],
    before: Mapping[str, object] | None = None,
    model: type[Described] = Profile,
) -> Document:
    """Return the changes that a form makes, as a patch for ``patch_profile`` or ``patch_query``.

    - An empty string, ``None`` or an empty list unsets a setting, so that its default applies. An
      empty secret is not in the patch, so that the stored one stays.
    - A flag is a ``bool``, a word of HTML forms (``on``), or a list of checked boxes.
    - A list is given as such, or as a string with an item on each line, or with commas in one line.
    - A value that cannot be read stays as it is: validation reports it under the path of the field.
    - Keys that are no fields for people, such as ``id`` or a CSRF token, are ignored.

    Args:
        values: what the inputs contain, by path.
        before: what they contained when the form was filled. Unchanged values are not in the patch,
            so it does not undo what others have changed since.
        model: the class of what is edited.
    """
    read, unchanged = _read_all(values, model), _read_all(before or {}, model)
    units = {field.path: field.unit for field in fields_of(model)}
    changed = {
        units[path]
        for path, value in read.items()
        if path not in unchanged or value != unchanged[path]
    }
    patch: Document = {}
    for path, value in read.items():
        if units[path] in changed:
            *sections, key = path.split(".")
            target = patch
            for section in sections:
                target = target.setdefault(section, {})
            target[key] = _replacement(unchanged.get(path), value)
    return patch


def _read_all(values: Mapping[str, object], model: type[Described]) -> Document:
    """Return the values of a document by path, without those of secrets that were not entered."""
    fields = [field for field in fields_of(model) if field.for_people and field.path in values]
    read = {field.path: _read(field, values[field.path]) for field in fields}
    kept = {field.path for field in fields if field.kind == "secret" and read[field.path] is None}
    return {path: value for path, value in read.items() if path not in kept}


def _replacement(old: Any, new: Any) -> Any:
    """Return the patch that replaces a value: that of an object removes keys that are gone."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    removed: Document = dict.fromkeys(old.keys() - new.keys())
    return removed | {key: _replacement(old.get(key), value) for key, value in new.items()}


def _value_at(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for key in path.split("."):
        if isinstance(value, list):  # instead of a flow type: its issue types
            value = {"issue_types": value}
        value = (value or {}).get(key)
    return value


def _shown(field: FormField, value: Any) -> str | bool:
    """Return the value of a document as an input shows it."""
    if field.kind == "flag":
        return bool(field.default if value is None else value)
    if field.kind == "secret" or value in _EMPTY:
        return ""
    match value:
        case str():
            plain = value
        case [*items] if field.kind == "list":
            plain = "\n".join(items)
        case _:
            plain = encode(value).decode()
    # Such as a list with an item that contains a comma; JSON can be read in any case.
    return plain if _read(field, plain) == value else encode(value).decode()


def _read(field: FormField, value: object) -> Any:
    """Return what was entered as a value of a document; ``None`` unsets it."""
    if isinstance(value, str):
        text = value if field.kind == "text" else value.strip()
        value = _READERS.get(field.kind, str)(text)
    if field.kind == "flag":
        return bool(value) if value is None or isinstance(value, list) else value
    if value in _EMPTY:
        return "" if field.required else None  # "" is reported by validation
    return value


def _read_flag(text: str) -> bool | str:
    return _FLAGS.get(text.lower(), text)


def _read_number(text: str) -> int | float | str:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _read_list(text: str) -> list[str]:
    items = _read_json(text) if text.startswith("[") else None
    if isinstance(items, list) and all(isinstance(item, str) for item in items):
        return items
    separator = "\n" if "\n" in text else ","
    return [item for item in map(str.strip, text.split(separator)) if item]


def _read_source(text: str) -> Any:
    """Return a rule, which is an object in JSON, or the id of a field."""
    return _read_json(text) if text.startswith(("{", '"')) else text


def _read_json(text: str) -> Any:
    try:
        return decode(text)
    except ValueError:
        return text


_EMPTY: tuple[Any, ...] = (None, "", [])
_FLAGS = {"on": True, "true": True, "yes": True, "1": True}
_FLAGS |= {"": False, "off": False, "false": False, "no": False, "0": False}
_READERS: dict[Kind, Callable[[str], Any]] = {
    "number": _read_number,
    "integer": _read_number,
    "flag": _read_flag,
    "list": _read_list,
    "source": _read_source,
    "json": _read_json,
}
"""The readers of strings by kind; a string of any other kind is the value itself."""
