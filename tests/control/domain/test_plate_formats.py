"""Formats, kinds and colours of plates: a table of samples, and what must be refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.plates import (
    ALPHABET,
    BATTERY_LETTERS,
    FORMATS,
    OTHER_NEV_LETTERS,
    EnergyClass,
    PlateColour,
    PlateKind,
    Verdict,
    formats_of,
    identify,
    mask,
    normalise,
)

BEV, PHEV = EnergyClass.BATTERY_ELECTRIC, EnergyClass.PLUG_IN_OR_FUEL_CELL
FUEL, NONE, UNKNOWN = EnergyClass.FUEL, EnergyClass.NO_ENGINE, EnergyClass.UNKNOWN

SAMPLES = [
    ("琼C12345", "blue", PlateKind.SMALL, FUEL, Verdict.FUEL),
    ("琼C1A2B5", "blue", PlateKind.SMALL, FUEL, Verdict.FUEL),
    ("京AZZ999", "blue", PlateKind.SMALL, FUEL, Verdict.FUEL),
    ("琼C12345", "yellow", PlateKind.LARGE, FUEL, Verdict.FUEL),
    ("琼C12345", "black", PlateKind.SMALL, FUEL, Verdict.FUEL),
    ("琼C1234挂", "yellow", PlateKind.TRAILER, NONE, Verdict.SPECIAL),
    ("琼CD12345", "green", PlateKind.NEV_SMALL, BEV, Verdict.NEW_ENERGY),
    ("琼AF12345", "green", PlateKind.NEV_SMALL, PHEV, Verdict.NEW_ENERGY),
    ("琼CDF1234", "green", PlateKind.NEV_SMALL, BEV, Verdict.NEW_ENERGY),
    ("沪KB00001", "green", PlateKind.NEV_SMALL, BEV, Verdict.NEW_ENERGY),
    ("琼A12345D", "yellow_green", PlateKind.NEV_LARGE, BEV, Verdict.NEW_ENERGY),
    ("琼A12345F", "yellow_green", PlateKind.NEV_LARGE, PHEV, Verdict.NEW_ENERGY),
    ("琼C1234警", "white", PlateKind.POLICE, UNKNOWN, Verdict.SPECIAL),
    ("琼CA234警", "white", PlateKind.POLICE, UNKNOWN, Verdict.SPECIAL),
    ("琼B1234学", "yellow", PlateKind.COACH, UNKNOWN, Verdict.SPECIAL),
    ("粤Z1234港", "black", PlateKind.HONG_KONG, UNKNOWN, Verdict.SPECIAL),
    ("粤ZAB12澳", "black", PlateKind.MACAU, UNKNOWN, Verdict.SPECIAL),
    ("224001使", "black", PlateKind.EMBASSY, UNKNOWN, Verdict.SPECIAL),
    ("使224001", "black", PlateKind.EMBASSY, UNKNOWN, Verdict.SPECIAL),
    ("沪A0023领", "black", PlateKind.CONSULATE, UNKNOWN, Verdict.SPECIAL),
    ("琼X1234应急", "white", PlateKind.EMERGENCY, UNKNOWN, Verdict.SPECIAL),
    ("琼S1234应急", "white", PlateKind.EMERGENCY, UNKNOWN, Verdict.SPECIAL),
    ("京12345应急", "white", PlateKind.EMERGENCY, UNKNOWN, Verdict.SPECIAL),
    ("应急琼123X", "white", PlateKind.EMERGENCY, UNKNOWN, Verdict.SPECIAL),
    ("WJ琼1234X", "white", PlateKind.ARMED_POLICE, UNKNOWN, Verdict.SPECIAL),
    ("WJ12345", "white", PlateKind.ARMED_POLICE, UNKNOWN, Verdict.SPECIAL),
    ("VA12345", "white", PlateKind.MILITARY, UNKNOWN, Verdict.SPECIAL),
    ("民航A1234", "farm_green", PlateKind.AVIATION, UNKNOWN, Verdict.SPECIAL),
    ("民航A1234", "green", PlateKind.AVIATION, UNKNOWN, Verdict.SPECIAL),
    ("琼9012345", "farm_green", PlateKind.TRACTOR, FUEL, Verdict.FUEL),
]


@pytest.mark.parametrize(("text", "colour", "kind", "energy", "verdict"), SAMPLES, ids=lambda value: str(value))
def test_every_kind_is_recognised(
    text: str, colour: str, kind: PlateKind, energy: EnergyClass, verdict: Verdict
) -> None:
    found = identify(text, PlateColour(colour))
    assert (found.kind, found.energy, found.verdict, found.doubts) == (kind, energy, verdict, ())


def test_the_samples_reach_every_kind_but_paper() -> None:
    assert {kind for _, _, kind, _, _ in SAMPLES} == set(PlateKind) - {PlateKind.TEMPORARY, PlateKind.UNKNOWN}


@pytest.mark.parametrize(
    "text",
    [
        "琼CI1234",
        "琼A1234O",
        "琼O12345",
        "台A12345",
        "琼C1234",
        "琼C1234567",
        "琼CL12345",
        "琼C12345L",
        "琼CA1B2C",  # three letters: GA 36 issues no such serial
        "琼CABCDE",
        "琼C١٢٣٤٥",  # digits of another script
        "",
        "琼",
        "12345",
    ],
)
@pytest.mark.parametrize("colour", [one for one in PlateColour if one is not PlateColour.PAPER])
def test_what_is_no_plate_is_refused_in_every_colour(text: str, colour: PlateColour) -> None:
    found = identify(text, colour)
    assert (found.kind, found.verdict, found.doubts) == (PlateKind.UNKNOWN, Verdict.UNSURE, ("format_unknown",))


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("琼CD1234", "green"),  # a new-energy plate that lost a character
        ("琼CD12345", "blue"),
        ("琼C12345", "green"),  # a blue plate taken for a green one
        ("琼C12345", "yellow_green"),
        ("琼A12345D", "green"),
        ("琼9012345", "green"),  # a tractor's plate is not a new-energy plate
        ("琼C1234警", "blue"),
        ("琼X1234应急", "yellow"),
        ("琼C12345", "unknown"),
    ],
)
def test_colour_and_format_must_agree(text: str, colour: str) -> None:
    found = identify(text, PlateColour(colour))
    assert (found.verdict, found.energy) == (Verdict.UNSURE, EnergyClass.UNKNOWN)
    assert found.doubts == ("colour_contradicts_format",)


def test_a_paper_plate_is_temporary_whatever_it_says() -> None:
    for text in ("琼CD12345", "临123", ""):
        found = identify(text, PlateColour.PAPER)
        assert (found.kind, found.verdict, found.doubts) == (
            PlateKind.TEMPORARY,
            Verdict.UNSURE,
            ("temporary_plate",),
        )


def test_ga_36_splits_the_ten_letters_in_two() -> None:
    assert BATTERY_LETTERS.isdisjoint(OTHER_NEV_LETTERS)
    for letter in sorted(BATTERY_LETTERS | OTHER_NEV_LETTERS):
        wanted = BEV if letter in BATTERY_LETTERS else PHEV
        assert identify(f"琼C{letter}12345", PlateColour.GREEN).energy is wanted
        assert identify(f"琼C12345{letter}", PlateColour.YELLOW_GREEN).energy is wanted


def test_only_the_civil_plates_share_a_text() -> None:
    assert {row.kind for row in formats_of("琼C12345")} == {PlateKind.SMALL, PlateKind.LARGE}
    for text, _, kind, _, _ in SAMPLES:
        if kind not in (PlateKind.SMALL, PlateKind.LARGE, PlateKind.ARMED_POLICE):
            assert {row.kind for row in formats_of(text)} == {kind}


@pytest.mark.parametrize(
    ("written", "plain"),
    [("琼c·d12345", "琼CD12345"), (" 琼C 12345 ", "琼C12345"), ("琼Ｃ１２３４５", "琼C12345"), ("琼C-1.2•3", "琼C123")],
)
def test_normalise_folds_what_people_write(written: str, plain: str) -> None:
    assert normalise(written) == plain


def test_normalise_keeps_o_and_i() -> None:
    assert normalise("琼aoi10") == "琼AOI10"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("琼CD12345", "琼C·D••••5"), ("琼C12345", "琼C·1•••5"), ("琼C·12345", "琼C·1•••5"), ("琼C1", "•••"), ("", "")],
)
def test_mask(text: str, shown: str) -> None:
    assert mask(text) == shown


@given(st.text(max_size=12))
def test_mask_keeps_at_most_four_characters(text: str) -> None:
    shown = mask(text)
    assert len([c for c in shown if c not in "•·"]) <= 4
    plain = normalise(text)
    if len(plain) >= 6:
        assert plain not in shown


@given(st.text(ALPHABET + "OI ·", max_size=10) | st.text(max_size=10), st.sampled_from(PlateColour))
def test_identify_is_total_and_unsure_exactly_when_it_doubts(text: str, colour: PlateColour) -> None:
    found = identify(text, colour)
    assert (found.verdict is Verdict.UNSURE) == bool(found.doubts)
    if found.verdict is Verdict.UNSURE:
        assert found.energy is EnergyClass.UNKNOWN
    else:
        assert any(colour in row.colours and row.kind is found.kind for row in formats_of(found.text))
    assert identify(found.text, colour) == found


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.kind.value)
def test_text_generated_from_a_format_has_its_kind(row: object) -> None:
    """Every row answers to its own pattern: none is shadowed by an earlier one of the same colour."""

    @given(st.from_regex(row.pattern, fullmatch=True), st.sampled_from(sorted(row.colours)))
    def check(text: str, colour: PlateColour) -> None:
        if normalise(text) == text:
            assert row.kind in {one.kind for one in formats_of(text) if colour in one.colours}
            if row.kind is not PlateKind.MILITARY:
                assert identify(text, colour).kind is row.kind

    check()


@given(st.from_regex(r"WJ\d{5}", fullmatch=True))
def test_wj_is_armed_police_before_it_is_military(text: str) -> None:
    if normalise(text) == text and text.isascii():
        assert identify(text, PlateColour.WHITE).kind is PlateKind.ARMED_POLICE


# ------------------------------------------------------------------------------------------ one mistake of a reader


def drawn(kinds: tuple[PlateKind, ...]) -> st.SearchStrategy[tuple[str, PlateColour]]:
    """A valid text of one of the kinds with a ground that it may have."""
    rows = [row for row in FORMATS if row.kind in kinds]
    return st.sampled_from(rows).flatmap(
        lambda row: st.tuples(st.from_regex(row.pattern, fullmatch=True), st.sampled_from(sorted(row.colours)))
    )


@st.composite
def with_one_mistake(draw: st.DrawFn, kinds: tuple[PlateKind, ...]) -> tuple[str, PlateColour]:
    """What a reader may make of a plate when it goes wrong once: a character lost, added or changed, or the ground."""
    text, colour = draw(drawn(kinds))
    place, char = draw(st.integers(0, len(text) - 1)), draw(st.sampled_from(ALPHABET))
    mistakes = (
        (text[:place] + text[place + 1 :], colour),
        (text[:place] + char + text[place:], colour),
        (text + char, colour),
        (text[:place] + char + text[place + 1 :], colour),
        (text, draw(st.sampled_from(PlateColour))),
    )
    return draw(st.sampled_from(mistakes))


FUEL_KINDS = (PlateKind.SMALL, PlateKind.LARGE, PlateKind.TRACTOR)
NEW_ENERGY_KINDS = (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE)


@given(with_one_mistake(FUEL_KINDS))
def test_one_mistake_never_makes_a_fuel_plate_new_energy(seen: tuple[str, PlateColour]) -> None:
    assert identify(*seen).verdict is not Verdict.NEW_ENERGY


@given(with_one_mistake(NEW_ENERGY_KINDS))
def test_one_mistake_never_makes_a_new_energy_plate_fuel(seen: tuple[str, PlateColour]) -> None:
    assert identify(*seen).verdict is not Verdict.FUEL


@pytest.mark.parametrize(
    ("text", "colour", "doubt"),
    [
        ("苏ED5172", "green", "colour_contradicts_format"),  # 苏ED51712 lost a character: a fuel plate by its text
        ("苏D51712", "green", "colour_contradicts_format"),
        ("苏ED51712", "blue", "colour_contradicts_format"),  # eight characters on blue
        ("苏ED51712", "yellow", "colour_contradicts_format"),
        ("沪AF5868G", "green", "format_unknown"),  # the last 6 taken for G
        ("沪A58686F", "green", "colour_contradicts_format"),  # the large plate's text on the small one's ground
        ("琼9012345", "green", "colour_contradicts_format"),  # a tractor's text on a new-energy ground
        ("琼AD12345", "farm_green", "colour_contradicts_format"),  # diesel ground, new-energy text
        ("琼A12345", "white", "colour_contradicts_format"),
        ("琼AD1234警", "white", "format_unknown"),
        ("琼AD12345", "white", "colour_contradicts_format"),  # washed out by the sun: white proves nothing
        ("琼AD12345", "unknown", "colour_contradicts_format"),
        ("粤Z1234港", "green", "colour_contradicts_format"),
        ("皖AXA21H", "blue", "format_unknown"),
    ],
)
def test_what_readers_made_of_plates_is_not_believed(text: str, colour: str, doubt: str) -> None:
    found = identify(text, PlateColour(colour))
    assert (found.verdict, found.energy, found.doubts) == (Verdict.UNSURE, UNKNOWN, (doubt,))
