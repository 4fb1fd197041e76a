"""An application as it is typed into the office's form: owns reading the posted fields, and filling the form again.

What was typed is never lost: `Typed` keeps the texts as they came, beside the form that could be read from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from cloud_sync.server.console.permits_views import size_text
from cloud_sync.server.form_values import read_number
from control.domain.permits import PermitClass
from control.domain.plates import PlateColour, normalise
from control.domain.vehicles import VehicleType
from control.permits.application import Drive, EntryKind, Form, Paper, Purpose
from control.permits.form_check import Problem, ProblemCode

TEXTS = (
    "plate", "plate_colour", "permit_class", "entry_kind", "entries", "vehicle_type", "emission_class", "drive",
    "consumption_per_100km", "purpose", "purpose_text", "route", "window_from", "window_until", "holder", "applicant",
)  # fmt: skip
_TEXT_MAX = 600
_PAPERS_MAX = 100
_SHA256_CHARS = 64
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class TypedPaper:
    """One line of the list of papers; `token` carries its hash, type, size and name through the form."""

    token: str
    kind: str
    name: str
    size: str
    until: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What came in: the texts, the form, and what could not be read."""

    values: Mapping[str, str]
    form: Form
    problems: tuple[Problem, ...]


def read(data: FormData, zone: ZoneInfo) -> Typed:
    """The posted fields. Unreadable ones become problems beside their fields, and are left out of the form."""
    values = {name: _text(data, name) for name in TEXTS}
    problems: list[Problem] = []
    form = Form(
        plate=normalise(values["plate"])[:20],
        plate_colour=_one_of(PlateColour, values["plate_colour"]) or PlateColour.UNKNOWN,
        permit_class=_one_of(PermitClass, values["permit_class"]) or PermitClass.SPECIAL,
        entry_kind=_one_of(EntryKind, values["entry_kind"]) or EntryKind.SINGLE,
        entries=_whole(values["entries"], problems),
        vehicle_type=_one_of(VehicleType, values["vehicle_type"]) or VehicleType.UNKNOWN,
        emission_class=values["emission_class"],
        drive=_one_of(Drive, values["drive"]),
        consumption_per_100km=_decimal(values["consumption_per_100km"], problems),
        purpose=_one_of(Purpose, values["purpose"]),
        purpose_text=values["purpose_text"],
        gates=tuple(str(one)[:64] for one in data.getlist("gates")[:32]),
        route=values["route"],
        window_from=_time(values["window_from"], "window_from", zone, problems),
        window_until=_time(values["window_until"], "window_until", zone, problems),
        holder=values["holder"],
        papers=_papers(data),
    )
    return Typed(values, form, tuple(problems))


def _text(data: FormData, name: str) -> str:
    found = data.get(name, "")
    return found.strip()[:_TEXT_MAX] if isinstance(found, str) else ""


def _one_of(kind: type[E], text: str) -> E | None:
    return kind(text) if text in set(kind) else None


def _whole(text: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    found = read_number(text)
    if found is not None and 0 <= found < 100_000 and found == found.to_integral_value():
        return int(found)
    problems.append(Problem(ProblemCode.ENTRIES_RANGE, "entries", "10000"))
    return None


def _decimal(text: str, problems: list[Problem]) -> Decimal | None:
    if not text:
        return None
    found = read_number(text)
    if found is None:
        problems.append(Problem(ProblemCode.CONSUMPTION_NOT_POSITIVE, "consumption_per_100km"))
    return found


def _time(text: str, name: str, zone: ZoneInfo, problems: list[Problem]) -> datetime | None:
    """A picker's time at the island."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        problems.append(Problem(ProblemCode.MISSING, name))
        return None


def _papers(data: FormData) -> tuple[Paper, ...]:
    names = ("paper", "paper_kind", "paper_until")
    tokens, kinds, untils = ([str(one) for one in data.getlist(name)[:_PAPERS_MAX]] for name in names)
    found = (_paper(*one) for one in zip(tokens, kinds, untils, strict=False))
    return tuple(one for one in found if one is not None)


def evidence_of(data: FormData) -> tuple[str, ...]:
    """The hashes of the papers that go with an appeal; how many there may be is the rules' to say."""
    return tuple(str(token).partition("|")[0][:_SHA256_CHARS] for token in data.getlist("paper")[:_PAPERS_MAX])


def _paper(token: str, kind: str, until: str) -> Paper | None:
    parts = token.split("|", 3)
    if len(parts) != len(("sha256", "media_type", "size_bytes", "name")) or len(parts[0]) != _SHA256_CHARS:
        return None
    size = int(parts[2]) if parts[2].isdecimal() else 0
    return Paper(parts[0], kind[:64], parts[1][:64], size, parts[3][:200], _day(until))


def _day(text: str) -> date | None:
    """A picker's day; None for what is none, as the picker sends it while it is not filled."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def typed_papers(papers: tuple[Paper, ...]) -> tuple[TypedPaper, ...]:
    """The list of papers as the form carries it."""
    return tuple(
        TypedPaper(
            f"{one.sha256}|{one.media_type}|{one.size_bytes}|{one.name.replace('|', ' ')}",
            one.kind,
            one.name or one.kind,
            size_text(one.size_bytes),
            one.valid_until.isoformat() if one.valid_until else "",
        )
        for one in papers
    )


def texts_of(form: Form, zone: ZoneInfo) -> dict[str, str]:
    """The form's fields as the inputs want them."""
    return {
        "plate": form.plate,
        "plate_colour": form.plate_colour.value,
        "permit_class": form.permit_class.value,
        "entry_kind": form.entry_kind.value,
        "entries": "" if form.entries is None else str(form.entries),
        "vehicle_type": form.vehicle_type.value,
        "emission_class": form.emission_class,
        "drive": "" if form.drive is None else form.drive.value,
        "consumption_per_100km": "" if form.consumption_per_100km is None else f"{form.consumption_per_100km:f}",
        "purpose": "" if form.purpose is None else form.purpose.value,
        "purpose_text": form.purpose_text,
        "route": form.route,
        "window_from": _picker(form.window_from, zone),
        "window_until": _picker(form.window_until, zone),
        "holder": form.holder,
    }


def _picker(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"
