"""A raw reading as people see it: owns which characters are unsure, and the question a guard is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cloud_sync.server.console.rules import shipped_rules
from cloud_sync.server.records import CharacterRecord, PassageRecord, PermitRecord
from control.domain.plates import normalise
from control.gate.rules import CHARACTER_MIN

ALTERNATIVE_FRAC_MIN = 0.005


@dataclass(frozen=True, slots=True)
class CharacterView:
    """One character with its bar. `runner_up` is "" where nothing else was likely."""

    char: str
    chinese: bool
    percent: str
    width: float
    unsure: bool
    runner_up: str


@dataclass(frozen=True, slots=True)
class Option:
    """One possible reading. `corrected` is "" when it is what the camera read; `permit_id` "" without a permit."""

    char: str
    percent: str
    plate: str
    corrected: str
    permit_id: str


@dataclass(frozen=True, slots=True)
class Question:
    """Which of two characters stands at `position` (from 1). The options are equals."""

    position: int
    options: tuple[Option, ...]


def character_line_frac() -> float:
    """Below it a character is shown as unsure. The gate that decided had its own line, from its rules."""
    return next(float(row.value) for row in reversed(shipped_rules().rows) if row.key == CHARACTER_MIN)


def percent(share: float) -> str:
    """Whole below 90 %, one decimal above, and never 100.0 for what is not certain."""
    if share < 0.9:
        return f"{share * 100:.0f}%"
    return f"{min(share, 0.999) * 100:.1f}%"


def unsure_at(record: PassageRecord) -> tuple[int, ...]:
    """Indices of the unsure characters; none once a person has read the plate."""
    if record.corrected:
        return ()
    return tuple(at for at, one in enumerate(record.characters) if one.probability < character_line_frac())


def characters(record: PassageRecord) -> tuple[CharacterView, ...]:
    """Every character of the raw reading with its probability."""
    return tuple(_character(one) for one in record.characters)


def _character(one: CharacterRecord) -> CharacterView:
    unsure = one.probability < character_line_frac()
    runner_up = next((f"{char} · {percent(p)}" for char, p in one.alternatives if p >= ALTERNATIVE_FRAC_MIN), "")
    return CharacterView(
        one.char,
        bool(one.char) and ord(one.char[0]) > 0x2E80,
        percent(one.probability),
        round(one.probability * 100, 1),
        unsure,
        runner_up if unsure else "",
    )


def question(record: PassageRecord, permits: Sequence[PermitRecord]) -> Question | None:
    """Two readings as equals, when exactly one character is in doubt. The order is the alphabet's, not the score's."""
    doubtful = unsure_at(record)
    if not record.waiting or len(doubtful) != 1 or not record.raw_plate:
        return None
    at = doubtful[0]
    if at >= len(record.raw_plate):
        return None
    shares = _shares(record, at, permits)
    if len(shares) < 2:
        return None
    chosen = sorted(sorted(shares, key=lambda char: -shares[char])[:2])
    return Question(at + 1, tuple(_option(record.raw_plate, at, char, shares[char], permits) for char in chosen))


def _shares(record: PassageRecord, at: int, permits: Sequence[PermitRecord]) -> dict[str, float]:
    """Candidates for one place: what was read, its runners-up, and what a look-alike permit has there."""
    read = record.characters[at]
    shares = {read.char: read.probability}
    shares.update({char: p for char, p in read.alternatives if p >= ALTERNATIVE_FRAC_MIN})
    text = record.raw_plate or ""
    for other in [*record.suggestions, *(one.plate for one in permits)]:
        if len(other) == len(text) and other[:at] == text[:at] and other[at + 1 :] == text[at + 1 :]:
            shares.setdefault(other[at], 0.0)
    return shares


def _option(text: str, at: int, char: str, share: float, permits: Sequence[PermitRecord]) -> Option:
    plate = text[:at] + char + text[at + 1 :]
    found = next((one.permit_id for one in permits if one.plate == plate and one.state == "active"), "")
    return Option(char, percent(share) if share else "", plate, "" if plate == text else plate, found)


def fitting_permit(
    record: PassageRecord, permits: Sequence[PermitRecord], asked: Question | None
) -> PermitRecord | None:
    """The valid permit that the plate, or one of the two readings, has."""
    plates = {option.plate for option in asked.options} if asked else {record.plate}
    return next((one for one in permits if one.state == "active" and one.plate in plates), None)


def likely_readings(record: PassageRecord, asked: Question | None) -> tuple[str, ...]:
    """What a correction may start from: the two readings and the plates of look-alike permits."""
    options = [option.plate for option in asked.options] if asked else []
    found = [*options, *(normalise(one) for one in record.suggestions)]
    return tuple(dict.fromkeys(one for one in found if one and one != record.plate))[:4]


def quad_of(reading: dict[str, Any] | None) -> str:
    """The plate's corners as JSON for the picture's overlay, or ""."""
    quad = (reading or {}).get("quad")
    if not isinstance(quad, list) or len(quad) != 4:
        return ""
    return json.dumps(quad, separators=(",", ":"))


def quad_of_record(record: PassageRecord) -> str:
    """The same for a row of a list."""
    return json.dumps(record.quad, separators=(",", ":")) if record.quad else ""
