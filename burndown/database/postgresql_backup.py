"""Backups of a PostgreSQL database, by the server's own programs."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from burndown.database.database_url import ServerAddress
from burndown.errors import StorageError, is_secret
from burndown.files.atomic import complete_or_absent
from burndown.files.errors import storage_errors
from burndown.files.paths import sync

__all__ = ["back_up", "dump_command", "dump_version", "restore_command"]


def dump_command(address: ServerAddress, target: Path) -> str:
    """Return the command for a backup, for a person to run; it has no password."""
    url = address.url
    named = [url.database] if url.database else []
    return shlex.join(
        ["pg_dump", *_options(address), "--format=custom", f"--file={target}", *named]
    )


def restore_command(address: ServerAddress, backup: Path) -> str:
    """Return the command that restores a backup, for a person to run; it has no password."""
    named = [f"--dbname={address.url.database}"] if address.url.database else []
    how = ["--clean", "--if-exists", "--single-transaction"]
    return shlex.join(["pg_restore", *_options(address), *named, *how, str(backup)])


def dump_version() -> int | None:
    """Return the version of the installed ``pg_dump``, such as 18; ``None`` if there is none."""
    if shutil.which("pg_dump") is None:
        return None
    found = re.search(r"\d+", _run(["pg_dump", "--version"], {}))
    return None if found is None else int(found.group())


def back_up(address: ServerAddress, schema: str, target: Path) -> None:
    """Run ``pg_dump`` into a new file, which appears complete and checked or not at all.

    The password is given to it in its environment, which only the same user can read.

    Args:
        address: the database.
        schema: the schema of the tables, quoted if necessary.
        target: a path that does not exist.

    Raises:
        StorageError: the target exists, the disk is full, or a program fails.
    """
    parameters = {name: str(value) for name, value in address.parameters.items()}
    password = parameters.pop("password", None)
    environment = {} if password is None else {"PGPASSWORD": password}
    if any(map(is_secret, parameters)):
        raise StorageError(
            "The URL has a secret that cannot be handed to pg_dump other than on its command "
            f"line; run: {dump_command(address, target)}"
        )
    source = " ".join(f"{name}={_quoted(value)}" for name, value in parameters.items())
    with storage_errors(), complete_or_absent(target, with_checksums=True) as built:
        built.touch(mode=0o600)
        options = ["--format=custom", "--no-password", f"--schema={schema}"]
        _run(["pg_dump", f"--dbname={source}", *options, f"--file={built}"], environment, address)
        # It reads and decompresses all of it.
        _run(["pg_restore", f"--file={os.devnull}", str(built)], {}, address)
        sync(built)


def _options(address: ServerAddress) -> list[str]:
    url = address.url
    host = url.host or url.query.get("host")
    port = url.port or url.query.get("port")
    connection = {"--host": host, "--port": port, "--username": url.username}
    return [f"{name}={value}" for name, value in connection.items() if value is not None]


def _quoted(value: str) -> str:
    """Return the value as a connection string of libpq has it."""
    return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"


def _run(
    command: Sequence[str], environment: dict[str, str], address: ServerAddress | None = None
) -> str:
    """Run a program, and return its output.

    Raises:
        StorageError: it fails; the message has no secret of the address.
    """
    result = subprocess.run(  # noqa: S603 - a list of arguments, without a shell
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        message = result.stderr.strip() or f"exit code {result.returncode}"
        hidden = message if address is None else address.without_secrets(message)
        raise StorageError(f"{command[0]} failed: {hidden}")
    return result.stdout
