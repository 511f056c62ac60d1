"""Keys are taken from the environment, a private file or the keyring of the system."""

import os
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.errors import KeyringLocked, NoKeyringError

from burndown import PersistenceBackend, SQLiteBackend, StorageError, open_backend
from burndown.sealing import secrets_status
from burndown.secrets import current_keys, sources
from tests.support.secret_keys import CANARY, FILE_VARIABLE, KEY, OTHER_KEY, VARIABLE, files_with

MATERIAL = bytes(range(200, 232))


@pytest.fixture(autouse=True)
def in_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[str, str], str]]:
    """Replace the keyring of the system by an empty one."""
    entries: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(keyring, "get_password", lambda *key: entries.get(key))
    forget_keys()
    yield entries
    forget_keys()


def forget_keys() -> None:
    """Forget the keys that were found, as a new process has."""
    sources._of_keyring.cache_clear()
    sources._found = None


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the variable to a private file outside of the workspace."""
    monkeypatch.setattr(sources, "_stores", set())  # earlier tests had stores at the same paths
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(0o600)
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


def ids() -> list[str]:
    found = current_keys()
    return [] if found is None else found.ids


def refusal() -> str:
    with pytest.raises(StorageError) as caught:
        current_keys()
    return str(caught.value)


def test_there_are_none_by_default() -> None:
    assert current_keys() is None


@pytest.mark.parametrize(
    "text",
    [
        b64encode(MATERIAL).decode(),
        urlsafe_b64encode(MATERIAL).decode().rstrip("="),
        MATERIAL.hex(),
        MATERIAL.hex().upper(),
        f" {b64encode(MATERIAL).decode()}\n",
    ],
)
def test_a_key_has_several_spellings(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, b64encode(MATERIAL).decode())
    expected = ids()
    monkeypatch.setenv(VARIABLE, text)
    assert ids() == expected


@pytest.mark.parametrize("text", ["passw0rd", "a" * 42, "a" * 44, "g" * 64, "%" * 43, f"{KEY},x"])
def test_what_is_no_key_is_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    message = refusal()
    assert "openssl rand -base64 32" in message
    assert text not in message


def test_the_environment_is_asked_before_the_file_and_that_before_the_keyring(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, in_keyring: dict[tuple[str, str], str]
) -> None:
    in_keyring["burndown", "secret-key"] = b64encode(MATERIAL).decode()
    monkeypatch.setenv(VARIABLE, OTHER_KEY)
    of_environment = ids()
    monkeypatch.delenv(VARIABLE)
    of_file = ids()
    monkeypatch.delenv(FILE_VARIABLE)
    of_keyring = ids()
    assert len({*of_environment, *of_file, *of_keyring}) == 3


def test_several_keys_keep_their_order(monkeypatch: pytest.MonkeyPatch, key_file: Path) -> None:
    key_file.write_text(f"{OTHER_KEY}\n{KEY}\n")
    of_file = ids()
    monkeypatch.setenv(VARIABLE, f"{OTHER_KEY}, {KEY}")
    assert ids() == of_file
    assert len(of_file) == 2


def test_a_changed_file_is_read_again(key_file: Path) -> None:
    before = ids()
    key_file.write_text(f"{OTHER_KEY} {KEY}")
    assert ids()[1:] == before


@pytest.mark.skipif(os.name != "posix", reason="this system has other permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    assert f"chmod 600 {key_file}" in refusal()


@pytest.mark.skipif(os.name != "posix", reason="this system has other permissions")
def test_a_mounted_secret_may_be_read_by_others(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, tmp_path: Path
) -> None:
    """Engines of containers mount it so; also behind a link, as Kubernetes has it."""
    mounted = tmp_path / "run/secrets"
    (mounted / "..data").mkdir(parents=True)
    inside = key_file.rename(mounted / "..data/key")
    (mounted / "key").symlink_to("..data/key")
    monkeypatch.setattr(sources, "_MOUNTED", mounted)
    monkeypatch.setenv(FILE_VARIABLE, str(mounted / "key"))
    for mode in (0o444, 0o440, 0o644):
        inside.chmod(mode)
        assert len(ids()) == 1
    for mode in (0o664, 0o646):
        inside.chmod(mode)
        assert "can be changed by others" in refusal()


def test_a_file_in_the_workspace_is_refused(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, tmp_path: Path
) -> None:
    """Also if a link leads into it."""
    inside = tmp_path / "profiles/keys/key"
    inside.parent.mkdir(parents=True)
    key_file.rename(inside)
    key_file.symlink_to(inside)
    for path in (inside, key_file):
        monkeypatch.setenv(FILE_VARIABLE, str(path))
        assert "move it out of there" in refusal()


@pytest.mark.parametrize(
    "opened",
    [
        lambda folder: open_backend("my.db"),
        lambda folder: open_backend(f"{folder}/my.db"),
        lambda folder: open_backend(f"sqlite:///{folder}/my.db"),
        lambda folder: open_backend(f"json:{folder}"),
        lambda folder: open_backend(f"json:{folder}/files"),
        lambda folder: SQLiteBackend(folder / "my.db"),
    ],
)
def test_a_file_next_to_an_opened_store_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    key_file: Path,
    tmp_path: Path,
    opened: Callable[[Path], PersistenceBackend],
) -> None:
    """However it was opened, and though the keys were used before; other values are saved."""
    assert ids()
    with opened(tmp_path) as backend:
        assert "move it out of there" in refusal()
        backend.save_profile({"id": "kafka"})
        with pytest.raises(StorageError, match="move it out of there"):
            backend.patch_profile("kafka", {"jira_config": {"token": CANARY}})
        assert secrets_status(backend)["secrets"] == []
    assert not files_with(tmp_path)


def test_a_file_next_to_the_store_of_the_settings_is_refused(
    monkeypatch: pytest.MonkeyPatch, key_file: Path
) -> None:
    """Also for the state of its secrets."""
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "my.db")
    assert "move it out of there" in str(secrets_status()["problem"])


def test_a_file_above_the_folder_of_a_store_is_used(key_file: Path, tmp_path: Path) -> None:
    with open_backend(tmp_path / "data/my.db") as backend:
        backend.save_profile({"id": "kafka", "jira_config": {"token": CANARY}})
    assert not files_with(tmp_path)


@pytest.mark.parametrize("name", ["a\0b.db", "\ud800.db", "loop.db"])
def test_a_store_that_cannot_be_opened_does_not_matter(
    key_file: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "loop.db").symlink_to("loop.db")
    with open_backend(folder / name) as backend, pytest.raises(StorageError):
        backend.list_profiles()
    assert current_keys() is not None


@pytest.mark.parametrize("content", [b"", b"\xff" * 32, b"no key"])
def test_a_file_without_a_key_is_refused(key_file: Path, content: bytes) -> None:
    key_file.write_bytes(content)
    assert "openssl rand -base64 32" in refusal()


def test_a_missing_file_is_named(key_file: Path) -> None:
    key_file.unlink()
    assert f"{key_file} cannot be read" in refusal()


@pytest.mark.parametrize("error", [KeyringLocked, RuntimeError])
def test_a_keyring_that_fails_stores_no_secret_in_plain_text(
    monkeypatch: pytest.MonkeyPatch,
    in_keyring: dict[tuple[str, str], str],
    backend: SQLiteBackend,
    tmp_path: Path,
    error: type[Exception],
) -> None:
    """Profiles are read and saved without their tokens, which stay sealed; it is asked once."""
    in_keyring["burndown", "secret-key"] = KEY
    backend.save_profile({"id": "kafka", "jira_config": {"token": CANARY}})
    asked: list[tuple[str, ...]] = []

    def refuse(*key: str) -> str:
        asked.append(key)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(keyring, "get_password", refuse)
        forget_keys()
        profile = backend.get_profile("kafka")
        assert profile is not None
        assert profile["jira_config"] == {"sealed_token": {"is_set": True}}
        backend.save_profile({**profile, "name": "Renamed"})
        for profile_id in ("kafka", "another"):
            document = {"id": profile_id, "jira_config": {"token": f"{CANARY}-new"}}
            with pytest.raises(StorageError, match=f"{error.__name__}.*unlock"):
                backend.save_profile(document)
        assert "unlock" in str(secrets_status(backend)["problem"])
        assert len(asked) == 1
    forget_keys()
    profile = backend.get_profile("kafka")
    assert profile is not None
    assert profile["jira_config"]["token"] == CANARY
    assert backend.get_profile("another") is None
    assert not files_with(tmp_path)


def test_a_system_without_a_keyring_has_no_key(
    monkeypatch: pytest.MonkeyPatch, backend: SQLiteBackend
) -> None:
    """Secrets are stored in plain text, as without the package for keyrings."""

    def refuse(*_: str) -> str:
        raise NoKeyringError

    monkeypatch.setattr(keyring, "get_password", refuse)
    backend.save_profile({"id": "kafka", "jira_config": {"token": CANARY}})
    assert [each["state"] for each in secrets_status(backend)["secrets"]] == ["in plain text"]
