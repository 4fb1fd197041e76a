"""Plates that a reading may have meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.plates import ALPHABET, PlateColour
from control.domain.readings import CharacterReading, PlateReading
from control.gate.near import SUGGESTIONS_MAX, fold, near_plates, one_apart, support

QUAD = ((0.0, 0.0), (90.0, 0.0), (90.0, 30.0), (0.0, 30.0))
plates = st.text(ALPHABET, max_size=8)


def reading(text: str, *, at: int | None = None, other: str = "8") -> PlateReading:
    """A reading whose character at `at` (from 0) is unsure, with `other` as its runner-up."""
    characters = tuple(
        CharacterReading(c, 0.5, ((other, 0.45),)) if i == at else CharacterReading(c, 0.99) for i, c in enumerate(text)
    )
    return PlateReading(characters, PlateColour.BLUE, 0.9, 0.5, QUAD)


@pytest.mark.parametrize(
    ("first", "second", "near"),
    [
        ("琼C12345", "琼C12345", True),
        ("琼C12345", "琼C12346", True),
        ("琼CD1234", "琼CD12345", True),
        ("琼CD12345", "琼C12345", True),
        ("琼C12345", "琼C12354", False),
        ("琼C12345", "琼C123", False),
        ("", "琼", True),
        ("", "", True),
    ],
)
def test_one_apart(first: str, second: str, near: bool) -> None:
    assert one_apart(first, second) is near
    assert one_apart(second, first) is near


@given(plates, st.data())
def test_one_edit_is_one_apart(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    char = data.draw(st.sampled_from(ALPHABET))
    assert one_apart(text, text[:place] + char + text[place:])
    assert one_apart(text, text[:place] + char + text[place + 1 :])


@given(plates, plates)
def test_one_apart_is_what_brute_force_says(first: str, second: str) -> None:
    edits = {first}
    for place in range(len(first) + 1):
        for char in set(second):
            edits.add(first[:place] + char + first[place:])
            edits.add(first[:place] + char + first[place + 1 :])
        edits.add(first[:place] + first[place + 1 :])
    assert one_apart(first, second) == (second in edits)


def test_print_that_looks_alike_is_folded() -> None:
    assert fold("琼COI10Q") == "琼C01100"
    assert near_plates(reading("琼C1O345"), ["琼C10345"]) == ("琼C10345",)


def test_the_likeliest_comes_first() -> None:
    seen = reading("琼C1B345", at=3, other="8")
    assert near_plates(seen, ["琼C1D345", "琼C18345", "琼C99999"]) == ("琼C18345", "琼C1D345")


def test_at_most_three_are_shown_in_a_fixed_order() -> None:
    choices = [f"琼C1234{n}" for n in range(1, 9)]
    shown = near_plates(reading("琼C12340"), choices)
    assert len(shown) == SUGGESTIONS_MAX
    assert shown == near_plates(reading("琼C12340"), list(reversed(choices)))


def test_support_needs_the_same_length() -> None:
    assert support(reading("琼C1234"), "琼C12345") == 0.0
    assert support(reading("琼C12345"), "琼C12345") == pytest.approx(0.99**7)
