"""Values are opened by the keys and in the places in which they were sealed, and only there."""

from hypothesis import given
from hypothesis import strategies as st

from burndown.secrets import is_envelope
from burndown.secrets.keys import Keys, SecretKey

materials = st.binary(min_size=32, max_size=32)
keys = st.lists(materials, min_size=1, max_size=3, unique=True)


def made(found: list[bytes]) -> Keys:
    return Keys([SecretKey(each) for each in found])


@given(st.binary(), st.binary(), keys)
def test_a_sealed_value_is_opened(value: bytes, place: bytes, found: list[bytes]) -> None:
    envelope = made(found).seal(value, place)
    assert is_envelope(envelope)
    assert made(found[::-1]).open(envelope, place) == value


@given(st.binary(), st.binary(), st.binary(), materials)
def test_it_is_not_opened_in_another_place(
    value: bytes, place: bytes, other: bytes, material: bytes
) -> None:
    opened = made([material]).open(made([material]).seal(value, place), other)
    assert opened == (value if place == other else None)


@given(st.binary(), st.binary(), keys)
def test_it_is_not_opened_by_another_key(value: bytes, place: bytes, found: list[bytes]) -> None:
    first, *others = found
    envelope = made([first]).seal(value, place)
    if others:
        assert made(others).open(envelope, place) is None


@given(st.binary(), st.binary(), materials, st.data())
def test_a_damaged_envelope_is_not_opened(
    value: bytes, place: bytes, material: bytes, data: st.DataObject
) -> None:
    """Whichever bit of it is flipped."""
    found = made([material])
    envelope = bytearray(found.seal(value, place).encode())
    position = data.draw(st.integers(0, len(envelope) - 1))
    envelope[position] ^= 1 << data.draw(st.integers(0, 6))
    damaged = envelope.decode()
    # Base64 has spellings of the same bytes, and characters that mean nothing.
    assert found.open(damaged, place) in (None, value)


@given(st.binary(), st.binary(), st.binary(), st.binary(), materials)
def test_only_an_equal_value_in_an_equal_place_has_an_equal_envelope(
    value: bytes, place: bytes, other: bytes, elsewhere: bytes, material: bytes
) -> None:
    """So saving it again is no change, and two envelopes tell nothing about their values."""
    found = made([material])
    is_equal = (value, place) == (other, elsewhere)
    assert (found.seal(value, place) == found.seal(other, elsewhere)) == is_equal


@given(st.text())
def test_what_is_no_envelope_is_not_opened(text: str) -> None:
    assert made([bytes(32)]).open(f"burndown:sealed:{text}", b"") is None


def test_a_key_is_not_printed() -> None:
    material = b"k3y" * 10 + b"k3"
    assert "k3y" not in repr(SecretKey(material))
