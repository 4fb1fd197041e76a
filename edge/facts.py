"""From what the cycles know to what the journal keeps: owns the bodies of plates, vehicles and decisions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from control.domain.passages import Decision, Reason
from control.domain.readings import PlateReading, Unavailable, VehicleReading
from edge.ports import JsonObject


def iso(at: datetime) -> str:
    """UTC with milliseconds, as every event carries it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plate_body(reading: PlateReading) -> JsonObject:
    """A plate as `PassageDecided.plate`: what it says, each character with its runners-up, and its corners."""
    identity = reading.identity
    return {
        "text": reading.text,
        "kind": identity.kind.value,
        "colour": reading.colour.value,
        "energy": identity.energy.value,
        "verdict": identity.verdict.value,
        "confidence": round(reading.confidence, 4),
        "colour_confidence": round(reading.colour_confidence, 4),
        "rows": reading.rows,
        "frames": reading.frames,
        "quad": [[round(float(x), 1), round(float(y), 1)] for x, y in reading.quad],
        "characters": [
            {
                "char": seen.char,
                "probability": round(seen.probability, 4),
                "alternatives": [[char, round(p, 4)] for char, p in seen.alternatives],
            }
            for seen in reading.characters
        ],
    }


def vehicle_body(reading: VehicleReading | Unavailable | None) -> JsonObject | None:
    """A vehicle as `PassageDecided.vehicle`."""
    if not isinstance(reading, VehicleReading):
        return None
    box = [round(float(value), 1) for value in reading.box]
    others = [[kind.value, round(p, 4)] for kind, p in reading.alternatives]
    return {"type": reading.type.value, "confidence": round(reading.confidence, 4), "box": box, "alternatives": others}


def reason_bodies(decision: Decision) -> list[dict[str, str]]:
    """The reasons, the deciding one first."""
    return [_reason_body(reason) for reason in decision.reasons]


def _reason_body(reason: Reason) -> dict[str, str]:
    body: dict[str, str] = asdict(reason)
    return {**body, "code": str(reason.code)}
