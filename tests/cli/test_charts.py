"""``burndown chart``, and the trends of ``burndown show``."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import SQLiteBackend
from burndown.cli.exit_codes import ExitCode
from burndown.printing.charts import remaining, sparkline
from tests.support.command_line import Capture, in_json, on_a_terminal, printed, refused, start


def test_a_chart_has_a_column_for_each_week(capsys: Capture, workspace: Path) -> None:
    """Its height is the remaining work, whose largest value reaches the top."""
    found = in_json(capsys, "chart", "kafka", "12w", "--weeks", "12")
    values = found["values"]
    title, *rows, axis = printed(capsys, "chart", "kafka", "12w", "--weeks", "12").splitlines()
    assert f"{values[-1]:g} issues remain" in title
    bars = [row.partition("|")[2].ljust(2 * len(values)) for row in rows]
    for week, value in enumerate(values):
        height = sum(bar[2 * week] != " " for bar in bars)
        assert height - 1 <= value / max(values) * len(rows) <= height + 0.1
    assert axis.split() == [found["weeks"][0], found["weeks"][-1]]


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_a_chart_fits_into_the_terminal(workspace: Path, columns: int) -> None:
    """Also if there are more weeks than columns: then it has every second one, or fewer."""
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        days = (date(2024, 1, 1) + timedelta(weeks=number) for number in range(100))
        statistics = [{"date": str(day), "created_items": 2} for day in days]
        scope = {"remaining_items": 250}
        data = {"statistics": statistics, "project_scope": scope}
        backend.save_project_data("kafka", "12w", data)
    ended = on_a_terminal("chart", "kafka", "12w", "--weeks", "100", columns=columns)
    *bars, axis = [each for each in ended.screen[1:] if each]
    assert len(bars) == 10
    assert columns - 27 < len(bars[-1]) <= columns
    assert bars[0].startswith("250 |")
    assert axis.endswith("2025-W48")
    assert all(len(each) <= columns for each in ended.screen[1:])


def test_what_remains_is_seen_however_little_it_is(capsys: Capture) -> None:
    remaining({"title": "Q", "unit": "issues", "weeks": ["2026-W01"], "values": [0.0]})
    assert printed_bars(capsys) == [""] * 10
    weeks = ["2026-W01", "2026-W02", "2026-W03"]
    remaining({"title": "Q", "unit": "issues", "weeks": weeks, "values": [1000.0, 1.0, 0.0]})
    assert printed_bars(capsys) == [*["██"] * 9, "██▁▁"]


def printed_bars(capsys: Capture) -> list[str]:
    return [each.partition("|")[2] for each in capsys.readouterr().out.splitlines()[1:-1]]


def test_a_chart_can_show_points(capsys: Capture, workspace: Path) -> None:
    found = in_json(capsys, "chart", "kafka", "12w", "--points")
    assert found["unit"] == "points"
    assert found["values"] != in_json(capsys, "chart", "kafka", "12w")["values"]


def test_a_query_without_project_data_has_no_chart(capsys: Capture, workspace: Path) -> None:
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        backend.delete_project_data("kafka", "12w")
    assert "there are no statistics" in printed(capsys, "chart", "kafka", "12w")
    refused(capsys, "chart", "kafka", "nope", code=ExitCode.NOT_FOUND)


@pytest.mark.parametrize("command", ["chart", "show"])
def test_a_terminal_without_unicode_gets_ascii(workspace: Path, command: str) -> None:
    ended = start(command, "kafka", "12w", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.returncode == 0
    assert b"#" in ended.stdout
    assert b"?" not in ended.stdout


def test_trends_have_a_character_for_each_week(capsys: Capture, workspace: Path) -> None:
    """They are the numbers of the series."""
    [trend, *_] = in_json(capsys, "show", "kafka", "12w")["trends"]
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        series = backend.get_series("kafka", "12w", trend["metric"], since=trend["weeks"][0])
    assert trend == series
    assert sparkline(trend["values"]) in printed(capsys, "show", "kafka", "12w")


@given(st.lists(st.none() | st.floats(-1e300, 1e300), max_size=30))
def test_a_sparkline_orders_the_values(values: list[float | None]) -> None:
    """A larger value never has a lower character, and no value is a blank."""
    line = sparkline(values)
    assert len(line) == len(values)
    shown = list(zip(values, line, strict=True))
    known = sorted((value, character) for value, character in shown if value is not None)
    heights = ["▁▂▃▄▅▆▇█".index(character) for _, character in known]
    assert heights == sorted(heights)
    assert all(character == " " for value, character in shown if value is None)
