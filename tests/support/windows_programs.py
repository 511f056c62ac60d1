"""What a program does with stores, run as on Windows by ``tests/test_windows.py``.

``python -m tests.support.windows_programs NAME ARGUMENT…`` runs one of the functions.
"""

import shutil
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from tests.support.windows import imitate_windows


def use_store(location: str) -> None:
    """Save, read, back up, restore, export, import and copy."""
    from burndown import open_backend
    from burndown.copying import copy_store
    from burndown.import_export import export_profile, import_profile
    from burndown.tables import write_tables

    with open_backend(location) as backend:
        with backend.transaction():
            backend.save_profile({"id": "p", "name": "Größe ✓"})
            backend.save_query("p", {"id": "q", "jql": "project = P"})
        backend.save_jira_cache("p", "q", "k", {"issues": []}, timedelta(hours=1))
        backend.patch_profile("p", {"show_points": True})
        with backend.task("fetch") as task:
            task.progress(50)
        with suppress(KeyError), backend.transaction():
            backend.delete_profile("p")
            raise KeyError
        assert backend.get_jira_cache("p", "q", "k") == {"issues": []}
        for target in ("exported", "exported.zip"):
            for _ in range(2):
                export_profile("p", Path(target), backend=backend)
            import_profile(Path(target), profile_name=f"From {target}", backend=backend)
        for _ in range(2):
            write_tables("tables.db", backend=backend)
            write_tables("tables.csv", backend=backend)
        with open_backend("copy.db") as other:
            copy_store(backend, other)
            assert len(other.list_profiles()) == 3
        if location != "memory:":
            kept = backend.backup(Path("kept"))
            for _ in range(2):
                backend.delete_profile("p")
                backend.restore(kept)
        profile = backend.get_profile("p")
        assert profile is not None
        assert profile["name"] == "Größe ✓"
        assert backend.check_integrity() == (True, [])
        backend.delete_profile("p")


def migrate_workspace() -> None:
    """Move the files of the old dashboard into a database, and write them again."""
    from burndown import open_backend
    from burndown.demo import write_demo_workspace
    from burndown.import_export import export_workspace
    from burndown.migration import run_migration_if_needed

    write_demo_workspace(Path(), issues=5)
    run_migration_if_needed(Path("profiles"))
    with open_backend("profiles/burndown.db") as backend:
        profiles = {each["name"] for each in backend.list_profiles()}
        export_workspace(Path("old"), backend=backend)
    with open_backend("json:old/profiles") as backend:
        assert {each["name"] for each in backend.list_profiles()} == profiles != set()


def migrate_published(source: str = "") -> None:
    """Move the database of the published dashboard, from a copy or in its place."""
    from burndown import open_backend
    from burndown.migration import run_migration_if_needed

    run_migration_if_needed(Path("profiles"), published=source or None)
    with open_backend("profiles/burndown.db") as backend:
        assert backend.list_profiles()


def upgrade(path: str) -> None:
    """Upgrade a database of an earlier release, and keep a copy of it."""
    from burndown import open_backend

    with open_backend(path) as backend:
        backend.set_app_state("key", "value")
        assert backend.check_integrity() == (True, [])


def save_while_read() -> None:
    """Replace files while another program, such as an editor, reads them."""
    from burndown import PersistenceError, StorageError, open_backend
    from burndown.import_export import export_profile

    with open_backend("json:files") as backend:
        backend.save_profile({"id": "p", "name": "Before"})
        [path] = Path("files").rglob("profile.json")
        before = path.read_bytes()
        message = ""
        with path.open("rb"):
            try:
                backend.patch_profile("p", {"name": "After"})
            except StorageError as error:
                message = str(error)
        assert str(path.resolve()) in message
        assert path.read_bytes() == before
        backend.patch_profile("p", {"name": "After"})
        profile = backend.get_profile("p")
        assert profile is not None
        assert profile["name"] == "After"
        for target in (Path("exported.zip"), Path("exported")):
            export_profile("p", target, backend=backend)
            used = target / "profile.json" if target.is_dir() else target
            content, message = used.read_bytes(), ""
            with used.open("rb"):
                try:
                    export_profile("p", target, backend=backend)
                except PersistenceError as error:
                    message = str(error)
            assert target.name in message
            assert used.read_bytes() == content


def run_commands() -> None:
    """Run the program."""
    from burndown.__main__ import main

    for command in (
        "init",
        "health",
        "show",
        "backup kept.db",
        "backup kept --keep 2",
        "backup --drill",
        "restore kept.db",
        "check",
        "secrets status",
        "demo new --issues 3",
    ):
        sys.argv[1:] = command.split()
        code = None
        try:
            main()
        except SystemExit as end:
            code = end.code
        assert not code, command


def remove_leftovers() -> None:
    """Remove the unfinished files of a process that was killed, and none of one that runs."""
    from burndown.files.working_folder import working_folder

    left = Path(shutil.copytree("left", ".burndown-00000000.unfinished"))
    with working_folder(Path()) as used:
        (used / "a").write_bytes(b"a")
        assert not left.exists()
        with working_folder(Path()) as other:
            assert other != used
            assert (used / "a").read_bytes() == b"a"


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    imitate_windows()
    globals()[name](*arguments)
