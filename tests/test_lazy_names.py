"""Packages load their names when they are first used."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import burndown
from tests.support.processes import needs_fork

PACKAGES = ["burndown.jira", "burndown.models", "burndown.printing", "burndown.repositories"]

PACKAGE = """
import threading
from burndown.lazy_names import LazyNames

started, finish = threading.Event(), threading.Event()
_NAMES = LazyNames(__name__, {"slow": ("VALUE",)})

def __getattr__(name):
    return _NAMES.load(name)
"""
SLOW = """
import lazy

lazy.started.set()
lazy.finish.wait()
VALUE = object()
"""
THREADS = """
import threading
import lazy

found = []
threads = [threading.Thread(target=lambda: found.append(lazy.VALUE)) for _ in range(8)]
for thread in threads:
    thread.start()
lazy.started.wait()
assert not found
lazy.finish.set()
for thread in threads:
    thread.join()
assert len(found) == 8 and len(set(found)) == 1
"""
FORK = """
import os, signal, threading
import lazy

threading.Thread(target=lambda: lazy.VALUE).start()
lazy.started.wait()
os.register_at_fork(before=lazy.finish.set)  # runs before the others
child = os.fork()
if child == 0:
    signal.alarm(20)  # ends it if it waits forever
    lazy.VALUE
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""

SESSION = """
import os, signal, sys, threading, time
from burndown import jira, models, repositories
from burndown.persistence import open_backend

started, finish = threading.Event(), threading.Event()

class Slow:
    def find_spec(self, name, *_):
        if name == "burndown.database.writing_session":
            started.set()
            finish.wait()
            time.sleep(0.5)  # the fork comes meanwhile, unless it waits

for package in (jira, models, repositories):
    package._NAMES.before_fork(0)  # takes no time later
sys.meta_path.insert(0, Slow())
backend = open_backend("burndown.db")

def store(key):
    with backend.transaction():
        backend.set_app_state(key, "x")

thread = threading.Thread(target=store, args=["parent"])
thread.start()
started.wait()
os.register_at_fork(before=finish.set)  # runs before the others
child = os.fork()
if child == 0:
    signal.alarm(20)  # ends it if it waits forever
    store("child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
assert [backend.get_app_state(key) for key in ("parent", "child")] == ["x", "x"]
"""
LOCK = """
import os, threading
from burndown.forks import ForkSafeLock

lock = ForkSafeLock(delays_forks=True)
held, finish, ended = threading.Event(), threading.Event(), []

def hold():
    with lock:
        held.set()
        finish.wait()
        ended.append(True)

threading.Thread(target=hold).start()
held.wait()
os.register_at_fork(before=finish.set)  # runs before the others
child = os.fork()
assert ended
assert lock.acquire(timeout=10)
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> ModuleType:
    return import_module(request.param)


def test_every_public_name_is_loaded(package: ModuleType) -> None:
    assert {*package.__all__} <= {*dir(package)}
    for name in package.__all__:
        module = import_module(f"{package.__name__}.{package._NAMES._module_of[name]}")
        assert getattr(package, name) is getattr(module, name)


def test_an_unknown_name_is_no_attribute(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no .* 'unknown'"):
        package.unknown  # noqa: B018 - it is loaded


@pytest.mark.parametrize(
    "code", [THREADS, *(pytest.param(code, marks=needs_fork) for code in (FORK, SESSION, LOCK))]
)
def test_what_is_loaded_meanwhile_is_waited_for(code: str, tmp_path: Path) -> None:
    """By other threads, and by a fork: its process could never load the module."""
    (tmp_path / "lazy").mkdir()
    (tmp_path / "lazy" / "__init__.py").write_text(PACKAGE)
    (tmp_path / "lazy" / "slow.py").write_text(SLOW)
    root = Path(burndown.__file__).parents[1]
    path = [str(tmp_path), str(root), *sys.path]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{code}"]
    subprocess.run(command, check=True, cwd=tmp_path)
