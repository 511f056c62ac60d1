"""Faults of bytes, of JSON, and of the files of a folder.

Each function takes the random numbers of a case, and returns the damaged input and a description of
the fault. The value of a secret is never moved to another key, where it could not be recognized.
"""

import hashlib
import json
import random
import string
from collections.abc import Callable
from typing import Any

from burndown.errors import is_secret
from tests.fuzz.trees import Special, Tree

HOSTILE_TEXTS = (
    "",
    " ",
    ".",
    "..",
    "../outside/evil",
    "../../outside/evil.json",
    "..\\outside\\evil",
    "/",
    "a/b",
    "%2e%2e%2f",
    "con",
    "%con%",
    "nul.json",
    "C:\\evil",
    "profiles.json",
    "burndown.db",
    "burndown.json",
    ".burndown-work",
    "-rf",
    "~",
    "a" * 200,
    "ä" * 150,
    "a" * 300,
    "\r\n",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\x7f",
    "😀" * 60,
    "١٢",
    "nan",
    "1e400",
    "2025-W53",
    "2025-W00",
    "0000-W01",
    "9999-W53",
    "2025-13",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59",
    "0001-01-01",
    "2025-02-30",
    "2025-01-01T00:00:00+99:99",
    "20250101",
    "javascript:alert(1)",
    "http://[::1",
    "https://user:secret@jira.example.com",
    "{0}",
    "%s%n",
    "'; DROP TABLE profiles; --",
)
_RAW_VALUES = (
    "9" * 5000,
    "-" + "9" * 4299,
    "9" * 4300,
    "1" * 400 + ".5",
    "1e400",
    "-1e400",
    "1e308",
    "1e-400",
    "-0.0",
    "NaN",
    "Infinity",
    "-Infinity",
    "9223372036854775807",
    "9223372036854775808",
    "-18446744073709551617",
    "[" * 5000 + "]" * 5000,
    '{"a":' * 5000 + "1" + "}" * 5000,
    *("[" * depth + "]" * depth for depth in (150, 190, 195, 199, 200, 201, 208)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (190, 197, 200, 203)),
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud83d\\ude80"',
    '"' + "x" * 100_000 + '"',
    '"' + "\\ud83d\\ude80" * 8_000 + '"',
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "100000000000",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    '{"": null}',
    '{"\\ud800": 1}',
    '{"\\u0000": 1}',
    '{"a": 1, "a": 2}',
    "undefined",
    "'text'",
    "01",
    "1_000",
    "+1",
    "",
)
_KEYS = (
    "",
    "__proto__",
    "__class__",
    "__init__",
    "self",
    "cls",
    "id",
    "name",
    "profile_id",
    "query_id",
    "cache_key",
    "issue_key",
    "snapshot_date",
    "metric_type",
    "created_at",
    "expires_at",
    "updated_at",
    "metrics",
    "response",
    "issues",
    "extra",
    "unknown",
    "data",
    "metadata",
    "model_config",
    "model_fields",
    "registry",
    "_sa_instance_state",
    "_burndown",
    "legacy_id",
    "legacy_name",
    "jql_query",
    "queries",
    "profiles",
    "key",
    "a" * 300,
    "a.b[0]",
    "../x",
    "\u0000",
    "\ud800",
)
_OF_BYTES = (
    *("flip", "flip", "flips", "cut", "insert", "double", "delete", "zeros", "garbage"),
    *("empty", "bom", "utf-16", "latin-1", "random", "append", "json"),
)
_PLACEHOLDER = "@raw-{}@"


def random_bytes(rng: random.Random) -> bytes:
    """Return random bytes, or nearly text."""
    size = rng.choice((0, 1, 2, 3, 16, 300, 5000))
    if rng.random() < 0.5:
        return rng.randbytes(size)
    return "".join(
        rng.choices('{}[]",:0123456789.eE+-ntf\\u \n' + string.printable, k=size)
    ).encode()


def random_json(rng: random.Random, depth: int = 0) -> Any:
    """Return a small value of any shape."""
    kind = rng.randrange(5 if depth > 3 else 8)
    if kind == 0:
        return rng.choice((None, True, False, 0, -1, 2**70, 1.5, -0.0, 1e300))
    if kind <= 2:
        return rng.choice(HOSTILE_TEXTS)
    if kind <= 4:
        return rng.randrange(-5, 500)
    if kind == 5:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(5))]
    return {rng.choice(_KEYS): random_json(rng, depth + 1) for _ in range(rng.randrange(6))}


def damaged_bytes(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    """Flip, cut, double or otherwise change the bytes."""
    at = rng.randrange(len(data) + 1)
    to = min(len(data), at + rng.choice((1, 2, 8, 100, 5000)))
    kind = rng.choice(_OF_BYTES)
    if kind in ("flip", "flips"):
        changed = bytearray(data)
        for _ in range(1 if kind == "flip" else rng.randrange(2, 40)):
            if changed:
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed), f"{kind} of bits"
    if kind == "utf-16":
        return data.decode(errors="replace").encode(
            rng.choice(("utf-16", "utf-16-le", "utf-32"))
        ), kind
    if kind == "latin-1":
        return data.decode(errors="replace").encode("latin-1", "replace"), kind
    changes: dict[str, Callable[[], bytes]] = {
        "cut": lambda: data[:at],
        "insert": lambda: data[:at] + random_bytes(rng) + data[at:],
        "double": lambda: data[:to] + data[at:to] * rng.choice((1, 2, 10)) + data[to:],
        "delete": lambda: data[:at] + data[to:],
        "zeros": lambda: data[:at] + bytes(to - at) + data[to:],
        "garbage": lambda: data[:at] + rng.randbytes(to - at) + data[to:],
        "empty": lambda: rng.choice((b"", b" ", b"\n")),
        "bom": lambda: b"\xef\xbb\xbf" + data,
        "random": lambda: random_bytes(rng),
        "append": lambda: data + rng.choice((b"}", b"{}", b"\0", b" \n", data[:50])),
        "json": lambda: json.dumps(random_json(rng)).encode(),
    }
    return changes[kind](), f"{kind} at {at}"


def damaged_json(rng: random.Random, data: bytes, times: int) -> tuple[bytes, str]:
    """Change values, keys and shapes; bytes that are not JSON are damaged as bytes."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return damaged_bytes(rng, data)
    holder = [value]
    raw: list[str] = []
    told = [_damage_value(rng, holder, raw) for _ in range(times)]
    text = json.dumps(holder[0], ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 2)))
    for number, each in enumerate(raw):
        text = text.replace(f'"{_PLACEHOLDER.format(number)}"', each)
    return text.encode("utf-8", "surrogatepass"), ", ".join(told)


def _damage_value(rng: random.Random, holder: list[Any], raw: list[str]) -> str:
    """Change one place in the value of the holder; what JSON cannot represent is written raw."""
    container, key, path = _place(rng, holder)
    kinds = ["replace"] * 6 + ["text"] * 2 + ["random", "wrap", "key", "key"]
    if container is not holder:
        kinds += ["remove", "remove", "double", "rename", "swap", "turn"]
    kind = rng.choice(kinds)
    at = f"{kind} at {path}"
    if kind == "replace":
        container[key] = _raw(raw, rng.choice(_RAW_VALUES))
    elif kind == "text":
        container[key] = rng.choice(HOSTILE_TEXTS)
    elif kind == "random":
        container[key] = random_json(rng)
    elif kind == "wrap":
        container[key] = [container[key]] if rng.random() < 0.5 else {"a": container[key]}
    elif kind == "key":
        target = container[key]
        if isinstance(target, dict):
            target[rng.choice(_KEYS)] = random_json(rng)
        elif isinstance(target, list):
            target.insert(rng.randrange(len(target) + 1), random_json(rng))
    elif kind == "remove":
        del container[key]
    elif kind == "turn":
        container[key] = _turned(container[key])
    elif kind == "double":
        _double(rng, container, key, raw)
    elif isinstance(container, dict) and not is_secret(key):
        other = rng.choice(list(container))
        if kind == "swap" and not is_secret(other):
            container[key], container[other] = container[other], container[key]
        elif kind == "rename":
            container[rng.choice((*_KEYS, other.upper(), f" {key}"))] = container.pop(key)
    return at


def _place(rng: random.Random, holder: list[Any]) -> tuple[Any, Any, str]:
    """Return a container, a key of it, and the path to that."""
    container: Any = holder
    key: Any = 0
    path = ""
    while rng.random() < 0.93:
        inner = container[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        container = inner
        key = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
        path += f".{key}"[:40]
    return container, key, path or "the top"


def _raw(raw: list[str], text: str) -> str:
    raw.append(text)
    return _PLACEHOLDER.format(len(raw) - 1)


def _turned(value: Any) -> Any:
    if isinstance(value, str):
        return list(value[:5])
    if isinstance(value, list):
        return {str(number): item for number, item in enumerate(value)}
    if isinstance(value, dict):
        return list(value.values())
    return str(value)


def _double(rng: random.Random, container: Any, key: Any, raw: list[str]) -> None:
    if isinstance(container, list):
        container.extend([container[key]] * rng.choice((1, 3, 300)))
        return
    first = json.dumps(container[key])
    second = rng.choice((first, *_RAW_VALUES[:20]))
    container[key] = _raw(raw, f"{first}, {json.dumps(key)}: {second}")


def damaged_tree(
    rng: random.Random, tree: Tree, names: tuple[str, ...], links: tuple[str, ...]
) -> list[str]:
    """Damage a few files of the tree.

    Args:
        rng: the random numbers of the case.
        tree: the files, changed in place.
        names: where more files can be put.
        links: targets of links.

    Returns:
        A description of the faults.
    """
    return [
        _damage_file(rng, tree, names, links) for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 6)))
    ]


def _damage_file(
    rng: random.Random, tree: Tree, names: tuple[str, ...], links: tuple[str, ...]
) -> str:
    name = rng.choice(sorted(tree))
    entry = tree[name]
    if isinstance(entry, bytes) and rng.random() < 0.8:
        if rng.random() < 0.7:
            tree[name], told = damaged_json(rng, entry, rng.choice((1, 1, 1, 2, 4)))
        else:
            tree[name], told = damaged_bytes(rng, entry)
        return f"{name}: {told}"
    other = rng.choice(sorted(tree))
    kind = rng.choice(("remove", "swap", "copy", "add", "link", "pipe", "folder", "up", "twin"))
    if kind == "remove" and len(tree) > 1:
        del tree[name]
    elif kind == "swap":
        tree[name], tree[other] = tree[other], entry
    elif kind == "copy":
        tree[other] = entry
    elif kind == "twin":
        folder, _, file = name.rpartition("/")
        other = f"{folder}/{rng.choice((file.upper(), f'{file}.tmp', f'x-{file}', f'.{file}'))}"
        tree[other.lstrip("/")] = entry
    elif kind == "add":
        other = rng.choice(names)
        tree[other] = rng.choice((entry, random_bytes(rng), json.dumps(random_json(rng)).encode()))
    elif kind == "up":
        _replace_folder(tree, name, Special("link", rng.choice(links)))
    else:
        tree[name] = Special(kind, rng.choice(links) if kind == "link" else "")
    return f"{kind} {name} {other}"


def _replace_folder(tree: Tree, name: str, odd: Special) -> None:
    folder = name.rpartition("/")[0]
    if folder not in ("", "profiles"):
        for each in [each for each in tree if each.startswith(f"{folder}/")]:
            del tree[each]
        tree[folder] = odd


def with_right_digests(tree: Tree) -> None:
    """Update the digests in the manifest of an export, if it can still be read."""
    manifest = tree.get("manifest.json")
    if not isinstance(manifest, bytes):
        return
    try:
        content = json.loads(manifest)
        for name, entry in content["files"].items():
            data = tree.get(name)
            if isinstance(data, bytes):
                entry.update(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        tree["manifest.json"] = json.dumps(content).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
