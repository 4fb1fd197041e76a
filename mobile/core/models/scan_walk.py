"""Handing in a walk: owns what a walk may be, that it is kept before it is told, and how it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mobile.core.api.points import ScanResult
from mobile.core.clock import UNKNOWN_S, Stamp
from mobile.core.errors import Offline
from mobile.core.typed import figure_of

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.outbox import Entry

WALK = "walk"
STEPS_MAX = 1_000_000
KM_BELOW = Decimal(1_000)
_KM_STEP = Decimal("0.001")


class WalkProblem(StrEnum):
    """What does not fit in a walk."""

    NO_STEPS = "no_steps"
    NO_DISTANCE = "no_distance"
    NO_DURATION = "no_duration"
    IN_THE_FUTURE = "in_the_future"


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk as the server takes it. Kilometres to the metre."""

    started_at: datetime
    ended_at: datetime
    distance_km: Decimal
    steps: int


def walk_of(
    *, steps: str, distance_km: str, minutes: str, ended_at: datetime, now: datetime
) -> Walk | frozenset[WalkProblem]:
    """What a person typed as a walk, or everything that does not fit."""
    count, km, duration = _whole(steps), figure_of(distance_km), _whole(minutes)
    problems = {
        WalkProblem.NO_STEPS: not 0 < count <= STEPS_MAX,
        WalkProblem.NO_DISTANCE: km is None or not _KM_STEP <= km < KM_BELOW,
        WalkProblem.NO_DURATION: not 0 < duration <= 24 * 60,
        WalkProblem.IN_THE_FUTURE: ended_at > now,
    }
    found = frozenset(problem for problem, holds in problems.items() if holds)
    if found or km is None:
        return found
    return Walk(ended_at - timedelta(minutes=duration), ended_at, km.quantize(_KM_STEP), count)


def hand_in(client: Client, walk: Walk) -> int:
    """Keeps a walk, whose times are by the phone's clock of now; its entry in the outbox. Raises StoreError."""
    body = {
        "started_at": walk.started_at,
        "ended_at": walk.ended_at,
        "distance_km": f"{walk.distance_km.normalize():f}",
        "steps": walk.steps,
        "stamp": client.clock.stamp().as_json(),
    }
    return client.outbox.put(WALK, body).entry_id


def register(client: Client) -> None:
    """Tells the outbox how walks are sent; once for a client."""

    def prepared(body: dict[str, Any]) -> dict[str, Any]:
        if client.clock.stamp().doubt_s >= UNKNOWN_S:
            raise Offline("the server's time is not known yet")
        stamp = Stamp.of(body["stamp"])
        off = client.clock.settled(stamp).at - stamp.at  # what the phone's clock was wrong by
        times = {name: datetime.fromisoformat(body[name]) + off for name in ("started_at", "ended_at")}
        return body | {name: at.isoformat() for name, at in times.items()}

    async def send(entry: Entry) -> ScanResult:
        body: dict[str, Any] = entry.body
        return await client.api.points.walk(
            started_at=datetime.fromisoformat(body["started_at"]),
            ended_at=datetime.fromisoformat(body["ended_at"]),
            distance_km=body["distance_km"],
            steps=body["steps"],
            key=entry.key,
        )

    client.outbox.register(WALK, send, prepare=prepared)


def _whole(text: str) -> int:
    found = figure_of(text)
    return int(found) if found is not None and found == found.to_integral_value() else 0
