"""A real PgBouncer in front of the PostgreSQL server of the tests."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from tests.support.postgres import PostgresServer
from tests.support.programs import skip_without

PORT = 6432
"""Part of the name of a socket in a folder of its own; the network is not used."""
START_SECONDS = 30

CONNECTIONS = {"session": 20, "transaction": 2}
"""Connections to the server by mode: fewer than clients, where clients can share them."""

_CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = {listen_port}
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {connections}
logfile = {folder}/log
"""


class PgBouncer:
    """A running pooler.

    Args:
        folder: where its socket is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url_of(self, database_url: str) -> str:
        """Return the URL by which the same database is reached through the pooler."""
        url = make_url(database_url)
        through = URL.create(
            "postgresql+psycopg",
            username=url.username,
            database=url.database,
            query={"host": str(self.folder), "port": str(PORT)},
        )
        return through.render_as_string(hide_password=False)


@contextmanager
def running_pgbouncer(server: PostgresServer, mode: str) -> Iterator[PgBouncer]:
    """Run a pooler in one of the modes; a machine without the program skips the test."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        skip_without("PgBouncer", "it is not installed; on Debian: apt-get install pgbouncer")
    with tempfile.TemporaryDirectory(prefix="pgb") as name:
        folder = Path(name)
        (folder / "ini").write_text(_configured(server, folder, mode))
        (folder / "users").write_text(
            f'"{server.admin.username}" "{server.admin.password or ""}"\n'
        )
        command: list[str | Path] = [program, "-q", folder / "ini"]
        if server.account is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, server.account)
        process = subprocess.Popen(command, user=server.account)  # it refuses to run as root
        try:
            _wait_for(process, folder, server)
            yield PgBouncer(folder)
        finally:
            process.terminate()
            process.wait()


def _configured(server: PostgresServer, folder: Path, mode: str) -> str:
    admin = server.admin
    return _CONFIGURATION.format(
        host=admin.query.get("host") or admin.host or "127.0.0.1",
        port=admin.query.get("port") or admin.port or 5432,
        folder=folder,
        listen_port=PORT,
        mode=mode,
        connections=CONNECTIONS[mode],
    )


def _wait_for(process: subprocess.Popen[bytes], folder: Path, server: PostgresServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    user, database = server.admin.username, server.admin.database
    while True:
        try:
            psycopg.connect(host=str(folder), port=PORT, user=user, dbname=database).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
