"""Services of a compose file, run without a container engine.

A service has what the engine would give it: a root file system of its own that is read-only, tmpfs,
volumes, secrets as files of another user with mode 0644, an unprivileged user without capabilities,
and no other environment. It shares the network and the programs of this machine.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.processes import PATIENCE
from tests.support.programs import skip_without

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc")
_TMPFS = "-o mode=1777,noexec,nosuid,nodev"
"""The options with which Docker mounts a tmpfs."""
USERS = {"postgres": 999, "burndown": 10001}


def require_mounts() -> None:
    """Skip the test for a user who may not mount anything."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    try:
        subprocess.run(
            ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        skip_without("unshare --mount", error)


class Service(NamedTuple):
    """A service, and what it shares with others."""

    folder: Path
    """An empty folder for its root file system."""
    compose: Mapping[str, Any]
    """Its part of the compose file."""
    secrets: Mapping[str, Path]
    volumes: Mapping[str, Path]
    """The folders of the volumes, by name."""
    programs: Sequence[Path]
    """Further folders of this machine that it can read, at the same paths."""
    files: Mapping[str, Path]
    """Further files and folders of the image, by their paths in it."""
    user: int
    environment: Mapping[str, str]
    """The environment of the image."""
    working_folder: str = "/"

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        """Start a command in a new container of the service, whose process is this one."""
        return subprocess.Popen(self._arguments(command), text=True, **options)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a new container of the service."""
        return subprocess.run(
            self._arguments(command),
            text=True,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def _arguments(self, command: Sequence[str]) -> list[str]:
        environment = {**self.environment, **self.compose.get("environment", {})}
        inside = [
            *("setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"),
            *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
            *("env", "--ignore-environment", f"--chdir={self.working_folder}"),
            *(f"{name}={value}" for name, value in environment.items()),
            *command,
        ]
        script = [
            *("set -e", "mount --make-rprivate /"),
            *self._mounts(),
            shlex.join(["exec", "chroot", str(self.folder), *inside]),
        ]
        return ["unshare", "--mount", "sh", "-c", "\n".join(script)]

    def _mounts(self) -> list[str]:
        """Return the commands that make the root file system."""
        root = self.folder
        lines = [f"mount -t tmpfs -o mode=755 none {root}"]
        for path in SYSTEM:
            if Path(path).is_symlink():
                lines.append(f"ln -s {os.readlink(path)} {root}{path}")  # noqa: PTH115
            elif Path(path).is_dir():
                lines += self._bind(Path(path), path)
        lines += [f"mkdir -p {root}/proc {root}/dev/shm"]
        lines += [f"mount -t proc none {root}/proc"]
        for device in ("null", "urandom", "zero"):
            lines += [f": > {root}/dev/{device}", f"mount --bind /dev/{device} {root}/dev/{device}"]
        for path in ("/dev/shm", *self.compose["tmpfs"]):
            lines += [f"mkdir -p {root}{path}", f"mount -t tmpfs {_TMPFS} none {root}{path}"]
        for folder in self.programs:
            lines += self._bind(folder, str(folder))
        for target, source in self.files.items():
            lines += self._bind(source, target)
        for mount in self.compose.get("volumes", ()):
            name, target = mount.split(":")[:2]
            if name in self.volumes:
                lines += self._bind(self.volumes[name], target, "rw")
        lines += [f"mkdir -p {root}/run/secrets"]
        for name in self.compose.get("secrets", ()):
            lines += self._bind(self.secrets[name], f"/run/secrets/{name}")
        if self.compose["read_only"]:
            lines += [f"mount -o remount,ro {root}"]
        return lines

    def _bind(self, source: Path, target: str, mode: str = "ro") -> list[str]:
        inside = f"{self.folder}{target}"
        make = f"mkdir -p {inside}"
        if source.is_file():
            make = f"mkdir -p {Path(inside).parent} && [ -e {inside} ] || : > {inside}"
        return [
            make,
            f"mount --bind {shlex.quote(str(source))} {inside}",
            f"mount -o remount,{mode},bind {inside}",
        ]


def system_files(folder: Path) -> dict[str, Path]:
    """Write the files of an image that name its users, and the host of the database."""
    lines = [f"{name}:x:{id}:{id}::/:/bin/sh" for name, id in USERS.items()]  # noqa: A001
    (folder / "passwd").write_text("\n".join(["root:x:0:0::/:/bin/sh", *lines, ""]))
    (folder / "hosts").write_text("127.0.0.1 localhost db\n")
    for name in ("passwd", "hosts"):
        (folder / name).chmod(0o644)
    return {f"/etc/{name}": folder / name for name in ("passwd", "hosts")}


def interpreter_folders(environment: Path) -> list[Path]:
    """Return the folders of a virtual environment, and of the interpreter that it was made with."""
    base = Path(sys.base_prefix)
    return [environment, *([] if base.is_relative_to("/usr") else [base])]


def folder_of(user: int, path: Path) -> Path:
    """Create a private folder of a user, as the engine does for a new volume."""
    path.mkdir(mode=0o700)
    shutil.chown(path, user, user)
    return path
