"""Frames of a few issues, so that small responses have many."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from burndown.models import compression, issue_frames


@contextmanager
def frames_of_size(size: int, from_issues: int = 0) -> Iterator[None]:
    """Compress responses in frames of few bytes meanwhile.

    Args:
        size: bytes of JSON from which on a frame takes no more issues.
        from_issues: issues from which on a response is compressed in frames.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(issue_frames, "FRAME_SIZE", size)
        patched.setattr(compression, "MANY_ISSUES", from_issues)
        yield
