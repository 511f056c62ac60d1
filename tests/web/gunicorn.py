"""Gunicorn, with an application that uses a store in the folder of a test."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def running_gunicorn(app: str, folder: Path, backlog: int = 16, workers: int = 1) -> Iterator[str]:
    """Run an application on loopback, and return its address.

    It is loaded before its workers are forked. Its store is ``burndown.db`` in the folder.
    """
    with closing(socket.create_server(("127.0.0.1", 0), backlog=backlog)) as listening:
        command = [
            *(sys.executable, "-m", "gunicorn", "--preload", "--workers", str(workers)),
            *("--threads", "8", "--graceful-timeout", "1", "--log-level", "error"),
            *("--bind", f"fd://{listening.fileno()}"),
            app,
        ]
        environment = {
            **os.environ,
            "BURNDOWN_DATABASE_URL": str(folder / "burndown.db"),
            "PYTHONPATH": str(ROOT),
        }
        server = subprocess.Popen(
            command, cwd=folder, env=environment, pass_fds=[listening.fileno()]
        )
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.terminate()
            server.wait(60)
