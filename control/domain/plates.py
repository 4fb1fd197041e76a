"""Chinese number plates: owns their formats, kinds, colours and what may be inferred about the drive.

Formats: GA 36-2018 and the kinds listed in GA 24.7 / GA/T 16.7. What a plate lets into the island is
not decided here but in `control.gate.admission`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
SUFFIXES = "警学挂港澳使领应急民航"
ALPHABET = PROVINCES + LETTERS + DIGITS + SUFFIXES


class PlateColour(StrEnum):
    """Ground of the plate as seen; `yellow_green` is the two-colour large new-energy plate."""

    BLUE = "blue"
    YELLOW = "yellow"
    GREEN = "green"
    YELLOW_GREEN = "yellow_green"
    WHITE = "white"
    BLACK = "black"
    FARM_GREEN = "farm_green"
    PAPER = "paper"
    UNKNOWN = "unknown"


class PlateKind(StrEnum):
    """Kind of plate. The number in the comment is the code of GA 24.7."""

    SMALL = "small"  # 02
    LARGE = "large"  # 01
    TRAILER = "trailer"  # 15
    NEV_SMALL = "nev_small"  # 52
    NEV_LARGE = "nev_large"  # 51
    POLICE = "police"  # 23
    COACH = "coach"  # 16
    HONG_KONG = "hong_kong"  # 26
    MACAU = "macau"  # 27
    EMBASSY = "embassy"  # 03
    CONSULATE = "consulate"  # 04
    EMERGENCY = "emergency"  # 应急救援专用
    ARMED_POLICE = "armed_police"  # 31
    MILITARY = "military"  # 32
    TRACTOR = "tractor"  # 14, 25
    AVIATION = "aviation"  # 民航, airport only
    TEMPORARY = "temporary"  # 18 to 22, paper
    UNKNOWN = "unknown"


class EnergyClass(StrEnum):
    """What the plate lets us infer about the drive; `unknown` where it proves nothing."""

    BATTERY_ELECTRIC = "battery_electric"
    PLUG_IN_OR_FUEL_CELL = "plug_in_or_fuel_cell"
    FUEL = "fuel"
    NO_ENGINE = "no_engine"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """The reading's own summary. `unsure` whenever length, colour and format disagree."""

    NEW_ENERGY = "new_energy"
    FUEL = "fuel"
    SPECIAL = "special"
    UNSURE = "unsure"


_P = f"[{PROVINCES}]"
_L = "[A-HJ-NP-Z]"
_X = "[A-HJ-NP-Z0-9]"


def _serial_pattern(places: int) -> str:
    """GA 36-2018: a serial holds no, one or two letters, anywhere. One with more has been misread."""
    rows = product((r"\d", _L), repeat=places)
    return "(?:" + "|".join("".join(row) for row in rows if row.count(_L) <= SERIAL_LETTERS_MAX) + ")"


SERIAL_LETTERS_MAX = 2
_SERIAL = _serial_pattern(5)


@dataclass(frozen=True, slots=True)
class PlateFormat:
    """One row of the table of formats: a pattern, its kind, and the grounds it may have."""

    kind: PlateKind
    pattern: re.Pattern[str]
    colours: frozenset[PlateColour]


def _row(kind: PlateKind, pattern: str, *colours: PlateColour) -> PlateFormat:
    return PlateFormat(kind, re.compile(pattern, re.ASCII), frozenset(colours))


# First match by text and colour wins; the civil formats share one text and differ by colour alone.
FORMATS: tuple[PlateFormat, ...] = (
    _row(PlateKind.NEV_SMALL, rf"{_P}{_L}[ABCDEFGHJK]{_X}\d{{4}}", PlateColour.GREEN),
    _row(PlateKind.NEV_LARGE, rf"{_P}{_L}\d{{5}}[ABCDEFGHJK]", PlateColour.YELLOW_GREEN),
    _row(PlateKind.POLICE, rf"{_P}{_L}{_X}{{4}}警", PlateColour.WHITE),
    _row(PlateKind.EMERGENCY, rf"(?:{_P}[XS]\d{{4}}应急|京\d{{5}}应急|应急{_P}\d{{3}}[XS])", PlateColour.WHITE),
    _row(PlateKind.COACH, rf"{_P}{_L}{_X}{{4}}学", PlateColour.YELLOW),
    _row(PlateKind.TRAILER, rf"{_P}{_L}{_X}{{4}}挂", PlateColour.YELLOW),
    _row(PlateKind.HONG_KONG, rf"粤Z{_X}{{4}}港", PlateColour.BLACK),
    _row(PlateKind.MACAU, rf"粤Z{_X}{{4}}澳", PlateColour.BLACK),
    _row(PlateKind.EMBASSY, r"(?:\d{6}使|使\d{6})", PlateColour.BLACK),
    _row(PlateKind.CONSULATE, rf"{_P}{_L}\d{{4}}领", PlateColour.BLACK),
    _row(PlateKind.ARMED_POLICE, rf"WJ{_P}?\d{{4}}[TDSHBXJ0-9]", PlateColour.WHITE),
    _row(PlateKind.MILITARY, r"[A-HJ-NP-Z]{2}\d{5}", PlateColour.WHITE),
    _row(PlateKind.AVIATION, rf"民航{_X}{{4,5}}", PlateColour.FARM_GREEN, PlateColour.GREEN),
    _row(PlateKind.TRACTOR, rf"{_P}\d{{7}}", PlateColour.FARM_GREEN),
    _row(PlateKind.LARGE, rf"{_P}{_L}{_SERIAL}", PlateColour.YELLOW),
    _row(PlateKind.SMALL, rf"{_P}{_L}{_SERIAL}", PlateColour.BLUE),
    # Plates of foreigners issued before 2007 keep the civil text on a black ground.
    _row(PlateKind.SMALL, rf"{_P}{_L}{_SERIAL}", PlateColour.BLACK),
)

_SEPARATORS = str.maketrans("", "", " ·•・-.")
BATTERY_LETTERS = frozenset("DABCE")
OTHER_NEV_LETTERS = frozenset("FGHJK")


@dataclass(frozen=True, slots=True)
class PlateIdentity:
    """What text and colour together say. `doubts` is empty exactly when the verdict is not `unsure`."""

    text: str
    kind: PlateKind
    colour: PlateColour
    energy: EnergyClass
    verdict: Verdict
    doubts: tuple[str, ...] = ()


def normalise(text: str) -> str:
    """Upper-case, full-width folded, separators dropped. O and I are kept: folding them is a guess."""
    plain = unicodedata.normalize("NFKC", text).upper().translate(_SEPARATORS)
    # An accent that had stood on a separator now stands on a letter: without this a second call would change the text.
    return unicodedata.normalize("NFKC", plain)


def formats_of(text: str) -> tuple[PlateFormat, ...]:
    """Every row whose pattern the whole normalised text matches, in table order."""
    return tuple(row for row in FORMATS if row.pattern.fullmatch(text))


def identify(text: str, colour: PlateColour) -> PlateIdentity:
    """Kind, energy and verdict of a plate; `unsure` when length, colour and format do not agree.

    A green plate that lost a character is a valid fuel plate by text, and a blue one read as green
    would be a free pass, so neither text nor colour alone ever decides.
    """
    text = normalise(text)
    if colour is PlateColour.PAPER:
        return _unsure(text, PlateKind.TEMPORARY, colour, "temporary_plate")
    rows = formats_of(text)
    if not rows:
        return _unsure(text, PlateKind.UNKNOWN, colour, "format_unknown")
    agreeing = [row for row in rows if colour in row.colours]
    if not agreeing:
        return _unsure(text, rows[0].kind, colour, "colour_contradicts_format")
    kind = agreeing[0].kind
    energy = energy_of(text, kind)
    return PlateIdentity(text, kind, colour, energy, _VERDICTS[kind])


def _unsure(text: str, kind: PlateKind, colour: PlateColour, doubt: str) -> PlateIdentity:
    return PlateIdentity(text, kind, colour, EnergyClass.UNKNOWN, Verdict.UNSURE, (doubt,))


def energy_of(text: str, kind: PlateKind) -> EnergyClass:
    """The drive that a plate of this kind and text stands for.

    GA 36-2018: D, A, B, C, E mark battery-electric vehicles; F, G, H, J, K every other new-energy one.
    Blue and yellow mean *probably* fuel: vehicle registry evidence overrides them in the policy.
    """
    match kind:
        case PlateKind.NEV_SMALL:
            return EnergyClass.BATTERY_ELECTRIC if text[2] in BATTERY_LETTERS else EnergyClass.PLUG_IN_OR_FUEL_CELL
        case PlateKind.NEV_LARGE:
            return EnergyClass.BATTERY_ELECTRIC if text[-1] in BATTERY_LETTERS else EnergyClass.PLUG_IN_OR_FUEL_CELL
        case PlateKind.SMALL | PlateKind.LARGE | PlateKind.TRACTOR:
            return EnergyClass.FUEL
        case PlateKind.TRAILER:
            return EnergyClass.NO_ENGINE
        case _:
            return EnergyClass.UNKNOWN


_VERDICTS: dict[PlateKind, Verdict] = {
    PlateKind.NEV_SMALL: Verdict.NEW_ENERGY,
    PlateKind.NEV_LARGE: Verdict.NEW_ENERGY,
    PlateKind.SMALL: Verdict.FUEL,
    PlateKind.LARGE: Verdict.FUEL,
    PlateKind.TRACTOR: Verdict.FUEL,
    PlateKind.TRAILER: Verdict.SPECIAL,
    PlateKind.POLICE: Verdict.SPECIAL,
    PlateKind.COACH: Verdict.SPECIAL,
    PlateKind.HONG_KONG: Verdict.SPECIAL,
    PlateKind.MACAU: Verdict.SPECIAL,
    PlateKind.EMBASSY: Verdict.SPECIAL,
    PlateKind.CONSULATE: Verdict.SPECIAL,
    PlateKind.EMERGENCY: Verdict.SPECIAL,
    PlateKind.ARMED_POLICE: Verdict.SPECIAL,
    PlateKind.MILITARY: Verdict.SPECIAL,
    PlateKind.AVIATION: Verdict.SPECIAL,
}


def mask(text: str) -> str:
    """A plate for logs and public boards: province, letter and last character only, as in 琼C·1•••5."""
    text = normalise(text)
    if len(text) < 5:
        return "•" * len(text)
    return f"{text[:2]}·{text[2]}{'•' * (len(text) - 4)}{text[-1]}"
