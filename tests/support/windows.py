"""What Python has not, or does in another way, on Windows; imitated before burndown is imported.

Files behave as if every program opened them without ``FILE_SHARE_DELETE``, as Python and SQLite do:
a file that is open in this process cannot be renamed, replaced or deleted.
"""

import importlib
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

LIBRARIES = (
    *("alembic.command", "alembic.runtime.migration", "asyncio", "concurrent.futures"),
    *("cryptography.hazmat.primitives.ciphers.aead", "filelock", "multiprocessing", "orjson"),
    *("pydantic_settings", "rich.console", "sqlmodel", "subprocess", "tempfile", "typer"),
    *("uuid", "zipfile", "zstandard", "pathlib"),
)
"""What has to be imported before, since it would look for modules of Windows."""

MISSING = {
    os: (
        *("fork", "forkpty", "register_at_fork", "getuid", "geteuid", "getgid", "getpgid"),
        *("fchmod", "fchown", "chown", "lchown", "killpg", "setsid", "mkfifo", "uname"),
        *("statvfs", "sysconf"),
        *("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "sched_getaffinity"),
    ),
    time: ("tzset",),
    signal: ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGALRM", "alarm", "setitimer", "pthread_sigmask"),
}
MISSING_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "syslog")


def imitate_windows() -> None:
    """Change this process; burndown must not be imported yet."""
    assert "burndown" not in sys.modules
    for name in LIBRARIES:
        importlib.import_module(name)
    _keep_file_locks()
    for module, names in MISSING.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MISSING_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.platform = "win32"
    os.supports_dir_fd.clear()
    os.supports_follow_symlinks.clear()
    if sys.version_info >= (3, 14):
        shutil._rmtree_impl = shutil._rmtree_unsafe
    else:
        shutil._use_fd_functions = False  # type: ignore[attr-defined]
    _change_files()


def _keep_file_locks() -> None:
    """Let filelock, which has a lock of its own for Windows, use that of this system."""
    unchanged = ModuleType("os")
    unchanged.__dict__.update(os.__dict__)
    for name, module in sys.modules.items():
        if name.startswith("filelock") and hasattr(module, "os"):
            module.__dict__["os"] = unchanged


def _change_files() -> None:
    for name in ("replace", "rename", "unlink", "remove", "rmdir"):
        setattr(os, name, _refusing_open_files(name, getattr(os, name)))
    link, open_file = os.link, os.open

    def link_without_options(source: Any, target: Any, **options: Any) -> None:
        if options:
            raise NotImplementedError("link: follow_symlinks unavailable on this platform")
        link(source, target)

    def open_no_folder(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", str(path))
        return open_file(path, flags, mode, **options)

    os.link, os.open = link_without_options, open_no_folder  # type: ignore[assignment]


def _refusing_open_files(name: str, change: Callable[..., None]) -> Callable[..., None]:
    def refuse(*paths: Any, **options: Any) -> None:
        for path in paths:
            _refuse_open(Path(path))
        if name == "rename" and os.path.lexists(paths[1]):
            raise FileExistsError(17, "the file exists already", str(paths[1]))
        if name == "replace" and Path(paths[1]).is_dir():
            raise PermissionError(13, "Access is denied", str(paths[1]))
        change(*paths, **options)

    return refuse


def _refuse_open(path: Path) -> None:
    """Raise the error of Windows for a file that is open, or a folder with such a file."""
    try:
        status = path.lstat()
    except OSError:
        return
    within = path.resolve() if stat.S_ISDIR(status.st_mode) else None
    for each in Path("/proc/self/fd").iterdir():
        try:
            is_it = os.path.samestat(each.stat(), status)
            opened = each.readlink()
        except OSError:  # the one by which this loop reads
            continue
        if is_it or (within is not None and opened.is_relative_to(within)):
            raise PermissionError(13, "the file is used by another process (32)", str(path))
