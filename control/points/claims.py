"""From codes to earning events: owns how an accepted code or a trip is claimed, alike by every caller."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from control.points.earning_types import EarningEvent
from control.points.methodology import Evidence
from control.points.rotating_code import AMOUNT_PER_UNIT, CodeAccepted, Device, Scan
from control.points.trips import Trip


def act_event(event_id: str, accepted: CodeAccepted, device: Device, scan: Scan) -> EarningEvent:
    """One act at a device: what the machine measured, or one where the code is a board's."""
    amount = Fraction(accepted.content.amount, AMOUNT_PER_UNIT)
    return EarningEvent(
        event_id=event_id,
        person_id=scan.person_id,
        key=accepted.key,
        started_at=accepted.at,
        ended_at=accepted.at,
        claimed_at=scan.received_at,
        evidence=Evidence.DEVICE_CODE,
        source_id=device.device_id,
        evidence_ref=accepted.evidence_ref,
        activity=amount if device.makes_acts else 1,
        start_place=device.place,
        end_place=device.place,
        merchant_id=device.merchant_id,
        clock_doubt=accepted.clock_doubt,
    )


def trip_event(
    event_id: str, trip: Trip, *, person_id: str, claimed_at: datetime, clock_doubt: bool = False
) -> EarningEvent:
    """A trip between two codes, over the way of the table. `claimed_at` is when the later code was received."""
    return EarningEvent(
        event_id=event_id,
        person_id=person_id,
        key=trip.key,
        started_at=trip.start.at,
        ended_at=trip.end.at,
        claimed_at=claimed_at,
        evidence=Evidence.TRIP_CODES,
        source_id=f"{trip.start.place}>{trip.end.place}",
        evidence_ref=trip.trip_id,
        activity=trip.km,
        trip_id=trip.trip_id,
        distance_km=trip.km,
        start_place=trip.start.place,
        end_place=trip.end.place,
        clock_doubt=clock_doubt,
    )
