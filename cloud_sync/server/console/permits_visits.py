"""Visits in words: owns one line of the list, from the visit's record and from what the carbon book says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from cloud_sync.contract.look import plates
from cloud_sync.server.console import permits_views as views
from cloud_sync.server.console.permits_labels import gate_name, said, said_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.permits.desk import VisitBeside
from cloud_sync.server.permits.records import VisitRecord
from control.carbon.words import TIERS
from control.permits import words as permit_words

_TONES = {"inside": ("permit", "log-in"), "complete": ("admit", "check")}


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One visit. `arrival_id` leads to its first passage, `other_arrival` to its exit where both are known."""

    chip: Markup
    spoken: str
    state: str
    tone: str
    icon: str
    entered: str
    left: str
    stay: str
    application_id: str | None
    permit: str | None
    flags: tuple[str, ...]
    emission: str
    tier: str
    emission_missing: str
    arrival_id: str
    has_entry: bool
    other_arrival: str | None


def visit_line(words: Words, visit: VisitRecord, beside: VisitBeside) -> VisitLine:
    """One line of the list."""
    tone, icon = _TONES.get(visit.state, ("hold", "triangle-alert"))
    carbon = None if beside.carbon is None or beside.carbon.problem else beside.carbon
    return VisitLine(
        chip=views.plate_chip(words, visit.plate, "", "ps"),
        spoken=plates.spoken(visit.plate),
        state=said_of(words, permit_words.VISIT_STATES, visit.state),
        tone=tone,
        icon=icon,
        entered=_place(words, visit.entered_at, visit.gate_in),
        left=_place(words, visit.left_at, visit.gate_out),
        stay=words.duration(stay_s(visit)),
        application_id=visit.application_id,
        permit=visit.permit_id,
        flags=tuple(said_of(words, permit_words.VISIT_FLAGS, flag) for flag in visit.flags),
        emission="" if carbon is None else f"{carbon.owed_g / 1000:,.2f}",
        tier=said(words, TIERS[carbon.tier]) if carbon is not None and carbon.tier in TIERS else "",
        emission_missing=missing(words, visit),
        arrival_id=visit.visit_id,
        has_entry=visit.entered_at is not None,
        other_arrival=beside.exit_arrival if visit.entered_at is not None else None,
    )


def _place(words: Words, at: datetime | None, gate: str | None) -> str:
    if at is None:
        return "—"
    return " · ".join(part for part in (words.time(at, seconds=False), gate_name(words, gate or "")) if part)


def stay_s(visit: VisitRecord) -> float | None:
    """Seconds from entry to exit; None where one is unknown or the clocks contradict."""
    if visit.entered_at is None or visit.left_at is None or visit.left_at <= visit.entered_at:
        return None
    return (visit.left_at - visit.entered_at).total_seconds()


def missing(words: Words, visit: VisitRecord) -> str:
    """Why there is no figure yet."""
    return words.gettext("Not computed yet") if visit.is_over else words.gettext("Still on the island")
