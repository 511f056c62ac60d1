"""Old files are backed up completely or not at all."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy.backup import back_up as back_up_all_but
from tests.support.full_disk import files_no_larger_than

NOW = datetime(2025, 12, 23, 10, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Create a folder of profiles, with files from before profiles next to it."""
    profiles = tmp_path / "root" / "profiles"
    query = profiles / "kafka" / "queries" / "12w"
    query.mkdir(parents=True)
    (profiles / "empty").mkdir()
    (profiles / "profiles.json").write_text("{}")
    (profiles / "kafka" / "profile.json").write_bytes(b"\xff not even JSON")
    (query / ".hidden").write_text("")
    (query / "jira_cache.json").write_text("[" * 1000)
    for name in ("app_settings.json", "project_data.json", "unrelated.json", "app.py"):
        (profiles.parent / name).write_text(name)
    for path in profiles.parent.rglob("*"):
        os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    return profiles


def back_up(profiles: Path, now: datetime, database: str = "burndown.db") -> Path:
    """Back up a workspace with a database in its folder."""
    return back_up_all_but(profiles, now, SQLiteFiles((profiles / database,)))


def tree(folder: Path) -> dict[str, object]:
    """Return everything below a folder: the bytes of files, the targets of links, and folders."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_file():
            found[name] = (path.read_bytes(), path.stat().st_mtime_ns)
        else:
            found[name] = "folder" if path.is_dir() else "neither"
    return found


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)


def test_a_backup_has_every_file_with_its_time(workspace: Path) -> None:
    before = tree(workspace.parent)
    backup = back_up(workspace, NOW)
    assert backup.parent == workspace.parent / "backups"
    assert tree(backup) == {
        name: content
        for name, content in before.items()
        if name.startswith("profiles") or name in ("app_settings.json", "project_data.json")
    }
    shutil.rmtree(backup.parent)
    assert tree(workspace.parent) == before


def test_only_the_owner_can_read_the_backups(workspace: Path) -> None:
    """They contain the token."""
    backup = back_up(workspace, NOW)
    assert backup.stat().st_mode & 0o77 == backup.parent.stat().st_mode & 0o77 == 0


def test_without_profiles_the_files_next_to_them_are_backed_up(workspace: Path) -> None:
    shutil.rmtree(workspace)
    assert set(tree(back_up(workspace, NOW))) == {"app_settings.json", "project_data.json"}
    assert not workspace.exists()


@pytest.mark.parametrize("name", ["profiles", "workspace", "profiles.old"])
def test_the_latest_backup_is_reused_while_the_files_are_equal(workspace: Path, name: str) -> None:
    """Whatever the name of the folder of profiles is."""
    profiles = workspace.rename(workspace.with_name(name))
    backup = back_up(profiles, NOW)
    assert set(tree(backup / name)) == set(tree(profiles))
    before = tree(backup)
    assert back_up(profiles, later(1)) == backup
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]
    assert tree(backup) == before


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda profiles: (profiles / "profiles.json").write_text("{  }"),
    "as long": lambda profiles: (profiles / "profiles.json").write_text("[]"),
    "touched": lambda profiles: (profiles / "profiles.json").touch(),
    "deleted": lambda profiles: (profiles / "profiles.json").unlink(),
    "new": lambda profiles: (profiles / "new.json").touch(),
    "renamed": lambda profiles: (profiles / "kafka").rename(profiles / "other"),
    "a link": lambda profiles: (profiles / "link").symlink_to("profiles.json"),
    "a link to a folder": lambda profiles: (profiles / "link").symlink_to("kafka"),
    "a link in place of a folder": lambda profiles: (
        (profiles / "empty").rmdir(),
        (profiles / "empty").symlink_to("kafka"),
    ),
    "beside": lambda profiles: (profiles.parent / "app_settings.json").write_text("other"),
    "deleted beside": lambda profiles: (profiles.parent / "app_settings.json").unlink(),
    "new beside": lambda profiles: (profiles.parent / "jira_cache.json").touch(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_creates_a_new_backup_and_keeps_the_earlier_one(
    workspace: Path, change: Callable[[Path], object]
) -> None:
    first = back_up(workspace, NOW)
    before = tree(first)
    change(workspace)
    second = back_up(workspace, later(1))
    assert second != first
    assert tree(first) == before
    assert tree(second / "profiles") == tree(workspace)
    assert back_up(workspace, later(2)) == second


def test_foreign_files_cause_no_new_backup(workspace: Path) -> None:
    first = back_up(workspace, NOW)
    (workspace / "burndown.db").write_text("changed")
    (workspace.parent / "unrelated.json").write_text("changed")
    (first.parent / "notes.txt").write_text("mine")
    os.mkfifo(workspace / "pipe")
    assert back_up(workspace, later(1)) == first


def test_only_the_latest_backup_is_reused(workspace: Path) -> None:
    """After a change and its reversal, an earlier backup is equal to the files."""
    first = back_up(workspace, NOW)
    content, times = (workspace / "profiles.json").read_bytes(), 1_700_000_000_123_456_789
    (workspace / "profiles.json").write_text("changed")
    second = back_up(workspace, later(1))
    (workspace / "profiles.json").write_bytes(content)
    os.utime(workspace / "profiles.json", ns=(0, times))
    third = back_up(workspace, later(2))
    assert len({first, second, third}) == 3
    assert tree(third / "profiles") == tree(first / "profiles")
    assert sorted(first.parent.iterdir()) == [first, second, third]


def test_links_are_kept_as_links(workspace: Path, tmp_path: Path) -> None:
    """To a file, a folder, nothing, themselves or outside; none is followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    links = {
        "file": "profiles.json",
        "folder": "kafka",
        "up": "..",
        "gone": "nowhere",
        "loop": "loop",
        "outside": str(outside),
        "secret": str(outside / "secret"),
    }
    for name, target in links.items():
        (workspace / "kafka" / name).symlink_to(target)
    (workspace.parent / "jira_cache.json").symlink_to(outside / "secret")
    backup = back_up(workspace, NOW)
    found = tree(backup)
    assert {name: found[f"profiles/kafka/{name}"] for name in links} == {
        name: ("link", target) for name, target in links.items()
    }
    assert "jira_cache.json" not in found
    assert tree(outside) == {"secret": tree(outside)["secret"]}
    assert back_up(workspace, later(1)) == backup


def test_a_pipe_is_not_copied(workspace: Path) -> None:
    """Reading it would never end."""
    before = tree(workspace)
    os.mkfifo(workspace / "pipe")
    os.mkfifo(workspace / "kafka" / "queries" / "12w" / "query.json")
    os.mkfifo(workspace.parent / "jira_cache.json")
    backup = back_up(workspace, NOW)
    assert tree(backup / "profiles") == before
    assert "jira_cache.json" not in tree(backup)
    assert back_up(workspace, later(1)) == backup


OF_DATABASE = [
    *("", "-wal", "-shm", "-journal", ".lock", ".migrating", ".migrating-wal", ".migrating-shm"),
    *(".1.0.backup", ".1.0.2.backup", ".1.1.unfinished", ".1.1.unfinished-journal", ".published"),
]


@pytest.mark.parametrize(
    "name",
    ["burndown.db", "team.db", "x.json", "team", "kafka/team.db", "kafka/queries/12w/(a+).sqlite"],
)
def test_the_database_is_not_copied_whatever_its_name(workspace: Path, name: str) -> None:
    before = tree(workspace)
    for suffix in OF_DATABASE:
        (workspace / f"{name}{suffix}").write_text("data")
    found = back_up(workspace, NOW, name)
    os.utime(workspace / name, ns=(0, 0))
    assert set(tree(found / "profiles")) == set(before)
    assert back_up(workspace, later(1), name) == found


@pytest.mark.parametrize("other", ["team.db.json", "team.dbx", "team.db.backup.json", "xteam.db"])
def test_a_file_with_a_similar_name_is_copied(workspace: Path, other: str) -> None:
    """And so is a file with the name of the database in another folder."""
    for name in (other, "kafka/team.db"):
        (workspace / name).write_text("mine")
    found = tree(back_up(workspace, NOW, "team.db") / "profiles")
    assert found == tree(workspace)


def test_a_profile_with_the_name_of_the_database_is_backed_up(workspace: Path) -> None:
    """A migration reads its folder."""
    (workspace / "kafka").rename(workspace / "burndown.db-team")
    backup = back_up(workspace, NOW)
    assert "profiles/burndown.db-team/profile.json" in tree(backup)


def test_a_copy_that_fails_leaves_no_backup(workspace: Path) -> None:
    """And the next one starts again."""
    first = back_up(workspace, NOW)
    before = tree(first)
    (workspace / "kafka" / "queries" / "12w" / "large.json").write_text("x" * 200_000)
    for day in (1, 2):
        with files_no_larger_than(100_000), pytest.raises(OSError, match="large"):
            back_up(workspace, later(day))
        assert list(first.parent.glob("migration-*[0-9]")) == [first]
        assert tree(first) == before
    second = back_up(workspace, later(3))
    assert tree(second / "profiles") == tree(workspace)
    assert sorted(first.parent.iterdir()) == [first, second]


@pytest.mark.parametrize("left_over", ["whole", "empty", "half"])
def test_a_partial_backup_is_removed_and_never_reused(workspace: Path, left_over: str) -> None:
    unfinished = back_up(workspace, NOW)
    unfinished = unfinished.rename(unfinished.with_suffix(".unfinished"))
    if left_over == "half":
        (unfinished / "profiles" / "profiles.json").unlink()
    elif left_over == "empty":
        shutil.rmtree(unfinished)
        unfinished.mkdir()
    for timestamp in (NOW, later(1)):
        backup = back_up(workspace, timestamp)
        assert tree(backup / "profiles") == tree(workspace)
        assert list(backup.parent.iterdir()) == [backup]


def test_a_file_in_place_of_the_backup_folder_is_an_error(workspace: Path) -> None:
    (workspace.parent / "backups").write_text("mine")
    before = tree(workspace.parent)
    with pytest.raises(OSError, match="backups"):
        back_up(workspace, NOW)
    assert tree(workspace.parent) == before


@given(st.lists(st.sampled_from(["write", "delete", "touch", "back up"]), max_size=8))
def test_the_latest_backup_is_always_equal_to_the_files(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    profiles = tmp_path_factory.mktemp("root") / "profiles"
    profiles.mkdir()
    file = profiles / "profiles.json"
    for day, step in enumerate(steps):
        if step == "write":
            file.write_text(f"{day}")
        elif step == "touch":
            file.touch()
        elif step == "delete":
            file.unlink(missing_ok=True)
        else:
            assert tree(back_up(profiles, later(day)) / "profiles") == tree(profiles)
    backups = len(list(profiles.parent.glob("backups/*")))
    assert backups <= steps.count("back up")
    shutil.rmtree(profiles.parent)
