"""Responses of many issues are compressed in frames, and read as any other."""

from datetime import timedelta
from typing import Any

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from burndown import DatabaseCorruptionError, SQLiteBackend
from burndown.models.columns import DECODING_ERRORS
from burndown.models.compression import MANY_ISSUES, compress, decompress, decompress_object
from burndown.models.issue_frames import FRAME_SIZE, FramedResponse, is_framed
from burndown.models.json_codec import encode
from burndown.testing.contract.drawn import json_objects, json_values
from burndown.testing.controlled_store import same
from tests.support.frames import frames_of_size

HOUR = timedelta(hours=1)
identified = st.builds(
    lambda issue, identity: {**issue, **identity},
    json_objects,
    st.fixed_dictionaries(
        {}, optional={"id": st.integers() | st.booleans() | st.text("12"), "key": json_values}
    ),
)
responses = st.builds(
    lambda before, issues, after: {**before, "issues": issues, **after},
    json_objects,
    st.lists(identified | json_values, max_size=6),
    json_objects.filter(lambda after: "issues" not in after),
)


@given(responses, st.integers(1, 200))
@example({"issues": []}, 1)
@example({"issues": [[], "a\nb"], "issues ": ["issues"]}, 1)
@example({"issues": [{"id": 2**70}]}, 1)
@example({"issues": [{"id": 2**64 - 1}], "total": 2**64}, 1)
def test_a_response_in_frames_is_the_same(response: dict[str, Any], size: int) -> None:
    """Its JSON is what is written for any value, in the same order."""
    with frames_of_size(size):
        stored = compress(response)
    assert is_framed(stored)
    assert decompress(stored) == encode(response)
    assert same(decompress_object(stored), response)


def test_only_responses_of_many_issues_are_in_frames() -> None:
    """So each value is, up to the size of a frame, in one."""
    issues = [{"key": f"K-{number}", "summary": "x" * 3_000} for number in range(MANY_ISSUES)]
    few, many = ({"issues": issues[begin:]} for begin in (1, 0))
    assert [is_framed(compress(each)) for each in (few, many)] == [False, True]
    assert not is_framed(compress({"issues": {}, "others": issues}))
    frames = FramedResponse.read(compress(many)).frames
    assert len(frames) == len(encode(issues)) // FRAME_SIZE + 1


def test_every_frame_can_be_decompressed_by_others() -> None:
    """They are frames of zstd with lines of JSON; the index is a frame that is skipped."""
    with frames_of_size(20):
        stored = compress({"issues": [{"key": "K-1"}, {"key": "K-2"}, {"key": "K-3"}]})
    others = zstandard.ZstdDecompressor().decompressobj(read_across_frames=True)
    assert others.decompress(stored) == b'{"key":"K-1"}\n{"key":"K-2"}{"key":"K-3"}'


def test_a_changed_bit_of_a_framed_response_is_reported_or_without_effect() -> None:
    """Each frame has a checksum; a few bits of its header have no effect on its content."""
    with frames_of_size(40):
        stored = compress({"issues": [{"key": f"K-{n}", "a": "ü"} for n in range(9)]})
    for read in (decompress, decompress_object):
        intact, reported = read(stored), 0
        for bit in range(len(stored) * 8):
            damaged = bytearray(stored)
            damaged[bit // 8] ^= 1 << bit % 8
            try:
                assert read(bytes(damaged)) == intact
            except DECODING_ERRORS:
                reported += 1
        assert reported > 0.9 * len(stored) * 8


def test_a_framed_response_that_was_truncated_is_reported() -> None:
    with frames_of_size(40):
        stored = compress({"issues": [{"key": f"K-{n}", "a": "ü"} for n in range(9)]})
    for size in range(4, len(stored)):
        with pytest.raises(DECODING_ERRORS):
            decompress_object(stored[:size])


def test_a_damaged_index_of_a_response_is_reported(backend: SQLiteBackend) -> None:
    """By reads and by merges, with the table and the column."""
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    with frames_of_size(20):
        backend.save_jira_cache("p", "q", "k", {"issues": [{"key": "K-1"}]}, HOUR)
    with backend.database.connection() as connection:
        connection.execute("UPDATE jira_cache SET response = substr(response, 1, 9)")
    with pytest.raises(DatabaseCorruptionError, match=r"jira_cache\.response"):
        backend.get_jira_cache("p", "q", "k")
    with pytest.raises(DatabaseCorruptionError, match=r"jira_cache\.response"):
        backend.merge_jira_cache("p", "q", "k", [], [], HOUR)
