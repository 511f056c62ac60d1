"""Damages of files: a changed bit, and a page that was lost."""

import random
from collections.abc import Callable

PAGE = 4096

Damage = Callable[[bytearray, random.Random], None]
"""Damages the content of a file at a random place."""


def changed_bit(content: bytearray, rng: random.Random) -> None:
    bit = rng.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8


def lost_page(content: bytearray, rng: random.Random) -> None:
    start = PAGE * rng.randrange(len(content) // PAGE)
    content[start : start + PAGE] = bytes(PAGE)
