"""Single values: JSON, weeks, dates, timestamps, ids made of names, and cache keys."""

import hashlib
import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any

import pydantic
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from burndown import jira_cache_key
from burndown.models.field_types import Identifier, Key, Line, Name, slug
from burndown.models.json_codec import MAX_DEPTH, check_storable, decode, encode
from burndown.models.time_types import (
    IsoWeek,
    OptionalDate,
    TimestampText,
    UtcDatetime,
    to_iso_week,
)
from burndown.models.timestamps import to_utc
from burndown.testing.contract.drawn import (
    aware_timestamps,
    identifiers,
    iso_weeks,
    json_values,
    keys,
    lines,
    lone_surrogates,
    long_years,
    naive_timestamps,
    names,
    nested,
    strings,
    timestamps,
    unstorable_values,
)
from burndown.testing.contract.time_zones import local_time_zone
from tests.support.strategies import hidden

WEEK: TypeAdapter[str] = TypeAdapter(IsoWeek)
DAY: TypeAdapter[Any] = TypeAdapter(OptionalDate)
TIMESTAMP: TypeAdapter[datetime] = TypeAdapter(UtcDatetime)


class Text(str):
    """A subclass of ``str``."""


class Number(int):
    """A subclass of ``int``."""


def refused(value: Any, depth: int = 0) -> tuple[str, str] | None:
    """Return the path and the expectation of the error for the value."""
    try:
        check_storable(value, depth)
    except PydanticCustomError as error:
        context = error.context or {}
        return context["path"], context["expected"]
    return None


# --- JSON ------------------------------------------------------------------------------------


@given(json_values)
def test_json_comes_back_as_it_was_encoded(value: Any) -> None:
    assert check_storable(value) is value
    assert json.dumps(decode(encode(value))) == json.dumps(value)


@given(json_values)
def test_encoded_json_can_be_read_by_other_parsers(value: Any) -> None:
    assert json.dumps(json.loads(encode(value))) == json.dumps(value)


@given(unstorable_values)
def test_values_that_json_cannot_represent_are_not_storable(value: Any) -> None:
    for around in (value, [value], {"k": value}):
        with pytest.raises(PydanticCustomError):
            check_storable(around)


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"k": inner}])
def test_nesting_is_accepted_up_to_the_limit(wrap: Any) -> None:
    value = wrap(1)
    for _ in range(MAX_DEPTH - 1):
        value = wrap(value)
    assert decode(encode(check_storable(value))) == value
    with pytest.raises(PydanticCustomError, match="nest at most"):
        check_storable(wrap(value))
    with pytest.raises(PydanticCustomError, match="nest at most"):
        check_storable(nested(MAX_DEPTH + 1))


def test_integers_are_accepted_up_to_the_limit() -> None:
    for number in (10**4298, -(10**4298), 2**64, -(2**63) - 1):
        assert decode(encode(check_storable(number))) == number
    with pytest.raises(PydanticCustomError, match="digits"):
        check_storable(10**4300)


@given(json_values | unstorable_values | hidden(unstorable_values).map(itemgetter(0)))
@example({"k": ...})
@example([math.nan])
@example([math.inf])
@example([10**4300])
@example(["\ud800"])
@example([Text("a"), Text("\ud800"), {Text("k"): Number(3)}])
@example({"\u00e9": {"\ud800": 1}})
@example({"k": 10**4298})
@example(nested(MAX_DEPTH - 1))
@example(nested(MAX_DEPTH))
def test_many_values_are_checked_as_each_of_them(value: Any) -> None:
    for around, many in (
        ([value], [value, *[None] * 100]),
        ({"k": value}, {"k": value, **dict.fromkeys(map(str, range(100)))}),
    ):
        assert refused(many) == refused(around)
        refusal = refused(around, 1)
        assert refused([many]) == (refusal and ("[0]" + refusal[0], refusal[1]))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]", "", "{", "{'a': 1}"])
def test_invalid_json_text_is_not_decoded(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - that of the JSON reader
        decode(text)


# --- weeks -----------------------------------------------------------------------------------


@given(iso_weeks)
def test_every_week_is_read_in_both_formats(week: str) -> None:
    assert WEEK.validate_python(week) == week
    assert WEEK.validate_python(week.replace("-W", "-")) == week
    assert to_iso_week(week) == week


@given(st.integers(1, 9998), st.integers(0, 99))
def test_a_week_is_valid_if_the_calendar_has_it(year: int, week: int) -> None:
    text = f"{year:04d}-W{week:02d}"
    last = date(year, 12, 28).isocalendar().week
    assert (to_iso_week(text) == text) is (1 <= week <= last)


@pytest.mark.parametrize("year", range(1990, 2060))
def test_only_long_years_have_a_week_53(year: int) -> None:
    is_long = date(year, 12, 28).isocalendar().week == 53
    assert (to_iso_week(f"{year}-W53") is not None) is is_long
    assert (year in long_years) is is_long or year < 2004 or year > 2054


@given(iso_weeks, iso_weeks)
def test_weeks_sort_as_strings_as_they_do_in_time(one: str, other: str) -> None:
    def monday(week: str) -> date:
        return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)

    assert (one < other) is (monday(one) < monday(other))


@pytest.mark.parametrize(
    "value",
    [
        *("2025-W60", "2025-W00", "2025-W53", "2025-W1", "25-W01", "2025W12", "2025-w12", ""),
        *("2025-W12\n", " 2025-W12", "\uff12\uff10\uff12\uff15-W12", "0000-W01", "2025-W12-1"),
        *(None, 202512, date(2025, 3, 17)),
    ],
)
def test_invalid_weeks_are_refused(value: Any) -> None:
    with pytest.raises(pydantic.ValidationError, match="an ISO week such as 2025-W12"):
        WEEK.validate_python(value)


# --- dates and timestamps --------------------------------------------------------------------


@given(st.dates())
def test_a_date_is_read_from_a_date_and_from_a_string(day: date) -> None:
    assert DAY.validate_python(day) == day
    assert DAY.validate_python(day.isoformat()) == day


@pytest.mark.parametrize("none", ["", None])
def test_an_empty_date_is_kept_as_written(none: Any) -> None:
    assert DAY.validate_python(none) == none
    assert type(DAY.validate_python(none)) is type(none)


@pytest.mark.parametrize(
    "value",
    [
        *("2025-02-30", "2025-2-3", "20250203", "2025-W12-1", "2025-02-03T00:00", "tomorrow"),
        *(3, 0.5, True, datetime(2025, 1, 1)),
    ],
)
def test_invalid_dates_are_refused(value: Any) -> None:
    with pytest.raises(pydantic.ValidationError, match="a date such as 2025-12-31"):
        DAY.validate_python(value)


@given(aware_timestamps)
def test_a_timestamp_with_an_offset_is_the_same_time_in_utc(timestamp: datetime) -> None:
    for given_as in (timestamp, timestamp.isoformat()):
        assert to_utc(given_as) == timestamp
        assert to_utc(given_as).tzinfo is UTC


@given(timestamps)
def test_a_timestamp_is_read_from_its_string(timestamp: datetime) -> None:
    assert to_utc(timestamp.isoformat()) == to_utc(timestamp)
    assert to_utc(to_utc(timestamp)) == to_utc(timestamp)
    assert TIMESTAMP.validate_python(timestamp) == to_utc(timestamp)


def test_the_letter_z_means_utc() -> None:
    assert to_utc("2025-12-23T10:00:00Z") == datetime(2025, 12, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("UTC0", 0, 0),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1, 2),
        ("XXX8", -8, -8),
        ("IST-5:30", 5.5, 5.5),
    ],
)
def test_a_timestamp_without_an_offset_is_local_time(
    zone: str, winter: float, summer: float
) -> None:
    with local_time_zone(zone):
        for naive, offset in ((datetime(2025, 1, 15, 12), winter), (datetime(2025, 7, 1), summer)):
            expected = (naive - timedelta(hours=offset)).replace(tzinfo=UTC)
            assert to_utc(naive) == expected
            assert to_utc(naive.isoformat()) == expected


@given(st.datetimes(timezones=st.none() | st.just(UTC)) | naive_timestamps | strings)
@example(datetime.min)
@example(datetime.max)
@example("0001-01-01T00:00:00+14:00")
@example("9999-12-31T23:59:59-14:00")
def test_a_timestamp_is_read_or_refused_as_a_value(value: datetime | str) -> None:
    try:
        assert to_utc(value).tzinfo is UTC
    except ValueError:
        with pytest.raises(pydantic.ValidationError, match=r"ISO 8601|within the years"):
            TIMESTAMP.validate_python(value)


@given(timestamps.map(datetime.isoformat))
def test_a_timestamp_is_kept_as_it_was_written(text: str) -> None:
    assert TypeAdapter(TimestampText).validate_python(text) == text


# --- strings ---------------------------------------------------------------------------------


@given(strings | names)
def test_a_slug_is_an_id_of_plain_words(name: str) -> None:
    made = slug(name, "profile")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made)
    assert len(made) <= 60
    assert slug(made, "profile") == made
    assert TypeAdapter(Identifier).validate_python(made) == made


@pytest.mark.parametrize(
    ("name", "made"),
    [("Team A", "team-a"), ("  Ärger & Co. ", "arger-co"), ("日本", "query"), ("a" * 99, "a" * 60)],
)
def test_a_slug_of_a_name(name: str, made: str) -> None:
    assert slug(name, "query") == made


@pytest.mark.parametrize(
    ("kind", "values"), [(Identifier, identifiers), (Name, names), (Key, keys), (Line, lines)]
)
@given(data=st.data())
def test_strings_are_kept_exactly(kind: Any, values: Any, data: st.DataObject) -> None:
    value = data.draw(values)
    assert TypeAdapter(kind).validate_python(value) == value


@pytest.mark.parametrize("kind", [Identifier, Name, Key, Line])
@given(lone_surrogates)
def test_lone_surrogates_are_refused(kind: Any, value: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    "value", ["", " a", "a ", ".", "..", ".git", "a/b", "a\\b", "a\tb", "a\0b", "a\x7f", "x" * 201]
)
def test_an_id_is_safe_as_a_file_name(value: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        TypeAdapter(Identifier).validate_python(value)


# --- cache keys ------------------------------------------------------------------------------

field_names = st.text("abcdefgh_0123456789", min_size=1, max_size=6)


@given(strings, st.lists(field_names, max_size=6), st.randoms())
def test_a_cache_key_ignores_order_and_duplicates(jql: str, fields: list[str], random: Any) -> None:
    key = jira_cache_key(jql, fields)
    assert re.fullmatch("[0-9a-f]{64}", key)
    shuffled = fields * 2
    random.shuffle(shuffled)
    assert jira_cache_key(jql, shuffled) == key
    assert jira_cache_key(jql, iter(shuffled)) == key
    assert jira_cache_key(jql, set(fields)) == key
    assert jira_cache_key(jql, ",".join(shuffled)) == key
    assert jira_cache_key(jql, " , ".join(shuffled)) == key


@given(strings, strings, st.sets(field_names, max_size=3), st.sets(field_names, max_size=3))
def test_cache_keys_differ_if_the_requests_do(
    jql: str, other_jql: str, fields: set[str], other_fields: set[str]
) -> None:
    same = (jql, fields) == (other_jql, other_fields)
    assert (jira_cache_key(jql, fields) == jira_cache_key(other_jql, other_fields)) is same


@given(strings, st.sets(field_names, max_size=4))
def test_a_cache_key_is_the_documented_digest(jql: str, fields: set[str]) -> None:
    question = {"fields": sorted(fields), "jql": jql}
    text = json.dumps(question, separators=(",", ":"), ensure_ascii=False)
    assert jira_cache_key(jql, fields) == hashlib.sha256(text.encode()).hexdigest()


@given(
    strings,
    st.sets(field_names, max_size=3),
    st.sampled_from(["https://jira.example.com", "http://jira.example.com:8080/Jira"]),
)
def test_a_cache_key_holds_the_address(jql: str, fields: set[str], base_url: str) -> None:
    """Another one for each address, however it is written, but for the case of its path."""
    question = {"base_url": base_url, "fields": sorted(fields), "jql": jql}
    text = json.dumps(question, separators=(",", ":"), ensure_ascii=False)
    key = jira_cache_key(jql, fields, base_url)
    assert key == hashlib.sha256(text.encode()).hexdigest()
    written = base_url.replace("http", "HttP").replace("jira.example", "JIRA.Example")
    assert jira_cache_key(jql, fields, f"{written}//") == key
    for other in ("", f"{base_url}/x", base_url.replace("jira", "jira2"), f"{base_url}0"):
        assert jira_cache_key(jql, fields, other) != key
    assert jira_cache_key(jql, fields, "") == jira_cache_key(jql, fields)


def test_a_cache_key_stays_the_same_between_versions() -> None:
    assert jira_cache_key("project = KAFKA", ["key", "summary"]) == (
        "0915cdf28f52a73f4baa9016b674280a9230dbbd21093aef782b9dce4d9d6846"
    )
