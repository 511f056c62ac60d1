"""The benchmark compares equal work on all sides, and every part of it runs."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import zstandard

from benchmarks import large, measuring, operations, sample, server, views
from benchmarks.__main__ import PARTS, main
from benchmarks.issues import random_issues
from benchmarks.options import Options, read_options
from benchmarks.sides import open_sides

TINY = ["--rounds", "1", "--issues", "20", "--queries", "4", "--weeks", "14", "--responses", "10"]
TINY += ["--migrate", "20", "--sizes", "1", "3", "--workers", "2", "--seconds", "0.1"]
OPTIONS = Options(issues=20, queries=4, weeks=14, responses=10)
OWN = (
    *("created_at", "last_used", "updated_at", "expires_at", "age"),
    *("revision", "issue_count", "is_complete"),
)
"""The fields that each side formats in its own way, or that only the package counts."""


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one call in each turn and skip the cleanup in between: times do not matter here."""
    monkeypatch.setattr(measuring, "_BLOCK_SECONDS", 0)
    monkeypatch.setattr(measuring.gc, "collect", lambda: 0)  # type: ignore[attr-defined]
    monkeypatch.setattr(sample, "_HEAP_TEXT", 0)


def without_own(result: object) -> object:
    """Return a result without the fields that differ between the sides."""
    if isinstance(result, list):
        return sorted((without_own(each) for each in result), key=str)
    if isinstance(result, dict) and "issues" not in result:
        return {name: value for name, value in result.items() if name not in OWN}
    return result


def test_all_sides_return_the_same(tmp_path: Path) -> None:
    """They do the same work, so that their times can be compared."""
    results: dict[str, list[object]] = {}
    with open_sides(tmp_path, "NORMAL") as sides:
        for name, side in sides.items():
            operations.fill(side, OPTIONS)
            results[name] = []
            for operation in operations.OPERATIONS:
                turn = operation.prepare(side, OPTIONS)
                if isinstance(turn, operations.Turn):
                    turn.before()
                    turn = turn.call
                results[name].append(without_own(turn(7)))
            results[name] += [
                without_own(side.get_profile("profile-0")),
                side.get_jira_cache("profile-0", "query-0", "written"),
                without_own(side.get_metrics_snapshots("profile-0", "query-1", "flow", 12)),
                side.get_app_state("theme"),
                without_own(side.get_task_progress("fetch")),
            ]
    assert results["floor"] == results["burndown"]
    assert results["naive"] == results["burndown"]


def test_views_return_what_the_loops_do() -> None:
    for calls in views.operations(OPTIONS).values():
        assert calls["burndown"](1) == calls["floor"](1)


def test_issues_are_realistic() -> None:
    """They have the requested size, differ from each other, and compress as real responses do."""
    issues = random_issues(1000)
    text = json.dumps(issues, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(text) / 1000 == pytest.approx(3650, rel=0.05)
    assert len(zstandard.ZstdCompressor(3).compress(text)) / len(text) == pytest.approx(
        0.11, abs=0.01
    )
    assert len({issue["key"] for issue in issues}) == 1000
    assert len({str(issue["fields"]["description"]) for issue in issues}) > 900
    assert issues == random_issues(1000) != random_issues(1000, seed=1)


def test_profile_configuration_has_the_documented_size() -> None:
    """It is 1.8 KB."""
    sections = [value for value in sample.profile().values() if isinstance(value, dict)]
    assert sum(len(json.dumps(each)) for each in sections) == pytest.approx(1800, rel=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("hurry")
def test_every_part_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes the measurements as JSON, and a picture if there is something to draw."""
    picture, folder = tmp_path / "docs" / "growth.png", tmp_path / "files"
    folder.mkdir()
    can_draw = find_spec("matplotlib") is not None
    parts = [name for name, part in PARTS.items() if not part.is_optional]
    plot = ["--plot", str(picture)] if can_draw else []
    main([*TINY, "--json", "--folder", str(folder), *plot])
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"machine", "options", *parts}
    for name in parts:
        assert found[name]
        assert PARTS[name].table(found[name]).startswith("### ")
    for row in found["concurrency"]:
        assert row["burndown"]["errors"] == row["burndown"]["lost_updates"] == 0
        assert row["burndown"]["added"] > 0
    assert not list(folder.iterdir())
    assert not can_draw or picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.usefixtures("hurry")
def test_clients_of_a_server_lose_nothing(
    postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With and without a delay, on both sides, which do the same work."""
    few = ["--rounds", "1", "--clients", "3", "--schemas", "2", "--delays-ms", "0", "1"]
    main(["--only", "server", "--json", "--at", postgres_url, "--seconds", "0.3", *few])
    rows = json.loads(capsys.readouterr().out)["server"]
    clients = [row for row in rows if "clients" in row]
    assert len(rows) - len(clients) == 2 * len(server.CALLS)
    for found in [row[side] for row in clients for side in ("burndown", "floor")]:
        assert found["errors"] == found["lost_updates"] == 0
        assert found["added"] > 0
    assert server.table(rows).count("### ") == 2


@pytest.mark.slow
def test_large_stores_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each operation has a process of its own, in which its memory is measured."""
    main(["--only", "large", "--large", "11", "--json", "--folder", str(tmp_path)])
    rows = json.loads(capsys.readouterr().out)["large"]
    assert not list(tmp_path.iterdir())
    stores = {row["operation"]: row["stores"] for row in rows}
    assert all(found["seconds"] > 0 for [found] in stores.values())
    [found] = stores["backup"]
    assert found["bytes"] > 100_000
    assert min(found["memory"], found["wait"]) > 0
    for each in stores.values():
        each.append({**each[0], "responses": 110, "seconds": 100 * each[0]["seconds"]})
    assert large.table(rows).count(" 2.00 |") == len(rows)


@pytest.mark.usefixtures("hurry")
def test_a_part_runs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a table."""
    main([*TINY, "--only", "operations", "--operation", "get_profile"])
    assert "| get_profile " in capsys.readouterr().out


@pytest.mark.usefixtures("hurry")
@pytest.mark.filterwarnings("default")  # what the libraries use may be deprecated
def test_other_libraries_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    for library in ("advanced_alchemy", "diskcache", "hishel", "requests_cache"):
        pytest.importorskip(library)
    main([*TINY, "--only", "size", "--peers"])
    printed = capsys.readouterr().out
    assert "| diskcache | requests-cache | hishel | advanced-alchemy |" in printed
    assert "| set_app_state " in printed


def test_issues_of_a_recorded_response_are_measured(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.json"
    recorded.write_text(json.dumps({"issues": [{"key": "K-1"}, {"key": "K-2"}]}))
    options = read_options([*PARTS], ["--material", str(recorded)])
    assert options.issues == 2
    assert sample.response(options)["issues"] == [{"key": "K-1"}, {"key": "K-2"}]
    assert sample.response(options) is not sample.response(options)
