"""Forms, papers and appeals as they lie in the database: owns their JSON, both ways."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from control.domain.permits import PermitClass
from control.domain.plates import PlateColour
from control.domain.vehicles import VehicleType
from control.permits.application import Actor, Appeal, Drive, EntryKind, Form, Paper, Purpose, Role, Status


def form_json(form: Form) -> dict[str, Any]:
    """Every field; enums by value, decimals and times as text."""
    return {
        "plate": form.plate,
        "plate_colour": form.plate_colour.value,
        "permit_class": form.permit_class.value,
        "entry_kind": form.entry_kind.value,
        "entries": form.entries,
        "vehicle_type": form.vehicle_type.value,
        "emission_class": form.emission_class,
        "drive": _value(form.drive),
        "consumption_per_100km": None if form.consumption_per_100km is None else str(form.consumption_per_100km),
        "purpose": _value(form.purpose),
        "purpose_text": form.purpose_text,
        "gates": list(form.gates),
        "route": form.route,
        "window_from": _time(form.window_from),
        "window_until": _time(form.window_until),
        "holder": form.holder,
        "papers": [paper_json(paper) for paper in form.papers],
    }


def dumped(form: Form) -> str:
    """As the text of a JSON column."""
    return json.dumps(form_json(form), ensure_ascii=False)


def form_of(value: dict[str, Any]) -> Form:
    """The form that `form_json` wrote."""
    consumption = value["consumption_per_100km"]
    return Form(
        plate=value["plate"],
        plate_colour=PlateColour(value["plate_colour"]),
        permit_class=PermitClass(value["permit_class"]),
        entry_kind=EntryKind(value["entry_kind"]),
        entries=value["entries"],
        vehicle_type=VehicleType(value["vehicle_type"]),
        emission_class=value["emission_class"],
        drive=None if value["drive"] is None else Drive(value["drive"]),
        consumption_per_100km=None if consumption is None else Decimal(consumption),
        purpose=None if value["purpose"] is None else Purpose(value["purpose"]),
        purpose_text=value["purpose_text"],
        gates=tuple(value["gates"]),
        route=value["route"],
        window_from=_time_of(value["window_from"]),
        window_until=_time_of(value["window_until"]),
        holder=value["holder"],
        papers=tuple(paper_of(one) for one in value["papers"]),
    )


def paper_json(paper: Paper) -> dict[str, Any]:
    """One paper."""
    return {
        "sha256": paper.sha256,
        "kind": paper.kind,
        "media_type": paper.media_type,
        "size_bytes": paper.size_bytes,
        "name": paper.name,
        "valid_until": None if paper.valid_until is None else paper.valid_until.isoformat(),
    }


def paper_of(value: dict[str, Any]) -> Paper:
    """The paper that `paper_json` wrote."""
    until = value["valid_until"]
    return Paper(**(value | {"valid_until": None if until is None else date.fromisoformat(until)}))


def actor_json(actor: Actor) -> dict[str, str]:
    """Who acted, and as what."""
    return {"person_id": actor.person_id, "role": actor.role.value}


def actor_of(value: dict[str, str]) -> Actor:
    """The actor that `actor_json` wrote."""
    return Actor(value["person_id"], Role(value["role"]))


def appeal_json(appeal: Appeal | None) -> dict[str, Any] | None:
    """An appeal, where there is one."""
    if appeal is None:
        return None
    return {
        "at": appeal.at.isoformat(),
        "by": actor_json(appeal.by),
        "reason": appeal.reason,
        "against": appeal.against.value,
        "evidence": [paper_json(paper) for paper in appeal.evidence],
    }


def appeal_of(value: dict[str, Any] | None) -> Appeal | None:
    """The appeal that `appeal_json` wrote."""
    if value is None:
        return None
    return Appeal(
        at=datetime.fromisoformat(value["at"]),
        by=actor_of(value["by"]),
        reason=value["reason"],
        against=Status(value["against"]),
        evidence=tuple(paper_of(one) for one in value["evidence"]),
    )


def _value(member: Drive | Purpose | None) -> str | None:
    return None if member is None else member.value


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
