"""Walks that a phone counted: owns how steps and a distance become an act; what is believed of them the judge says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import uuid_utils

from cloud_sync.server.people.members import points_person
from cloud_sync.server.points.events import books_of, earn
from cloud_sync.server.points.records import ScanResult
from cloud_sync.server.points.scans import answer_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from control.points.earning_types import EarningEvent
from control.points.methodology import CLAIM_H_MAX, Evidence, Scene

SPAN_MAX = timedelta(hours=2 * CLAIM_H_MAX)


@dataclass(frozen=True, slots=True)
class WalkWish:
    """What the phone counted; `distance_km` as text of a decimal."""

    started_at: datetime
    ended_at: datetime
    distance_km: str
    steps: int


async def take_walk(given: Services, connection: Any, person_id: str, wish: WalkWish) -> ScanResult:
    """Judges a walk of a person, whose lock the caller holds. Raises Problem for times that no window reaches."""
    now, event_id, km = given.clock(), str(uuid_utils.uuid7()), Fraction(wish.distance_km)
    if any(abs(now - at) > SPAN_MAX for at in (wish.started_at, wish.ended_at)):
        raise Problem("invalid", detail=f"a walk lies within {SPAN_MAX.days} days of now")
    event = EarningEvent(
        event_id=event_id,
        person_id=person_id,
        key=Scene.WALKING.value,
        started_at=wish.started_at,
        ended_at=wish.ended_at,
        claimed_at=now,
        evidence=Evidence.PHONE,
        source_id="phone",
        evidence_ref=wish.started_at.isoformat(),
        activity=km,
        distance_km=km,
        steps=wish.steps,
    )
    person = await points_person(connection, person_id)
    judged = await earn(given, connection, event, person, await books_of(connection))
    return answer_of(event_id, event.key, judged, event_id)
