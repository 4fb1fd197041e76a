"""Plates: every kind of GA 36 and beyond, and the rule that length, colour and format must agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.plates import ALPHABET, EnergyClass, PlateColour, PlateKind, Verdict, identify, mask, normalise

SAMPLES = [
    ("琼C12345", "blue", "small", "fuel", "fuel"),
    ("京A1B2C3", "blue", "small", "fuel", "fuel"),
    ("琼C12345", "yellow", "large", "fuel", "fuel"),
    ("琼C12345", "black", "small", "fuel", "fuel"),
    ("琼C1234挂", "yellow", "trailer", "no_engine", "special"),
    ("琼CD12345", "green", "nev_small", "battery_electric", "new_energy"),
    ("琼AF12345", "green", "nev_small", "plug_in_or_fuel_cell", "new_energy"),
    ("琼ADF1234", "green", "nev_small", "battery_electric", "new_energy"),
    ("琼AK12345", "green", "nev_small", "plug_in_or_fuel_cell", "new_energy"),
    ("琼A12345D", "yellow_green", "nev_large", "battery_electric", "new_energy"),
    ("琼A12345F", "yellow_green", "nev_large", "plug_in_or_fuel_cell", "new_energy"),
    ("琼C1234警", "white", "police", "unknown", "special"),
    ("琼CA123警", "white", "police", "unknown", "special"),
    ("琼B1234学", "yellow", "coach", "unknown", "special"),
    ("粤Z1234港", "black", "hong_kong", "unknown", "special"),
    ("粤ZA12B澳", "black", "macau", "unknown", "special"),
    ("224001使", "black", "embassy", "unknown", "special"),
    ("使224001", "black", "embassy", "unknown", "special"),
    ("沪A0023领", "black", "consulate", "unknown", "special"),
    ("琼X1234应急", "white", "emergency", "unknown", "special"),
    ("琼S1234应急", "white", "emergency", "unknown", "special"),
    ("京12345应急", "white", "emergency", "unknown", "special"),
    ("应急琼123X", "white", "emergency", "unknown", "special"),
    ("WJ琼1234X", "white", "armed_police", "unknown", "special"),
    ("WJ12345", "white", "armed_police", "unknown", "special"),
    ("VA12345", "white", "military", "unknown", "special"),
    ("琼9012345", "farm_green", "tractor", "fuel", "fuel"),
    ("民航A1234", "farm_green", "aviation", "unknown", "special"),
    ("民航A1234", "green", "aviation", "unknown", "special"),
]


@pytest.mark.parametrize(("text", "colour", "kind", "energy", "verdict"), SAMPLES)
def test_every_kind(text: str, colour: str, kind: str, energy: str, verdict: str) -> None:
    found = identify(text, PlateColour(colour))
    assert (found.kind, found.energy, found.verdict) == (kind, energy, verdict)
    assert found.doubts == ()


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("琼CI1234", "blue"),
        ("琼A1234O", "blue"),
        ("琼CD1234", "green"),
        ("琼CD12345", "blue"),
        ("琼C12345", "green"),
        ("琼9012345", "green"),
        ("琼C12345", "unknown"),
        ("琼A12345D", "green"),
        ("琼CD12345", "yellow_green"),
        ("琼C1234警", "blue"),
        ("琼C12345", "paper"),
        ("琼C1234", "blue"),
        ("", "blue"),
    ],
)
def test_disagreement_is_unsure(text: str, colour: str) -> None:
    found = identify(text, PlateColour(colour))
    assert found.verdict is Verdict.UNSURE
    assert found.energy is EnergyClass.UNKNOWN
    assert len(found.doubts) == 1


@pytest.mark.parametrize("text", ["琼C·12345", "琼c 12345", "琼C-12345", "琼Ｃ１２３４５", "琼C•12345"])
def test_separators_width_and_case_do_not_matter(text: str) -> None:
    assert normalise(text) == "琼C12345"


@pytest.mark.parametrize(
    ("text", "masked"), [("琼CD12345", "琼C·D••••5"), ("琼C12345", "琼C·1•••5"), ("琼C", "••"), ("", "")]
)
def test_mask(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.text(), st.sampled_from(PlateColour))
def test_total(text: str, colour: PlateColour) -> None:
    found = identify(text, colour)
    assert (found.verdict is Verdict.UNSURE) == bool(found.doubts)


@given(st.text(ALPHABET, min_size=7, max_size=8), st.sampled_from(PlateColour))
def test_new_energy_is_never_said_of_a_ground_that_is_not_green(text: str, colour: PlateColour) -> None:
    if identify(text, colour).verdict is Verdict.NEW_ENERGY:
        assert colour in (PlateColour.GREEN, PlateColour.YELLOW_GREEN)
        assert identify(text, colour).kind in (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE)


@given(st.text(ALPHABET, min_size=5, max_size=9))
def test_a_mask_hides_the_middle(text: str) -> None:
    assert text not in mask(text)
    assert len(mask(text)) == len(text) + 1
