"""A person's ways: owns the list with what still runs and what waits, and how one trip was computed, line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from mobile.core.api.parsing import Unreadable, parse, plain
from mobile.core.api.points import EarningRecord, FormulaRecord, TripRecord
from mobile.core.shown import Model

if TYPE_CHECKING:
    from mobile.core.client import Client

_TRIPS_MAX = 50


class Trips(Model[tuple[TripRecord, ...]]):
    """The newest first; one that still runs is at the head."""

    cache_key = "points/trips"
    answer = tuple[TripRecord, ...]
    fresh_s = 30.0

    async def fetch(self) -> tuple[TripRecord, ...]:
        """From the server."""
        return await self.client.api.points.trips(limit=_TRIPS_MAX)

    def running(self) -> TripRecord | None:
        """The trip that waits for its end; None where none does, or where its time is over."""
        head = next(iter(self.shown.value or ()), None)
        return head if head is not None and is_running(head, self.client.clock.now()) else None

    def ended(self) -> tuple[TripRecord, ...]:
        """Those with an end."""
        return tuple(one for one in self.shown.value or () if one.ended_at is not None)

    def trip(self, trip_id: str) -> TripRecord | None:
        """One of them."""
        return next((one for one in self.shown.value or () if one.trip_id == trip_id), None)

    async def tell(self, event: EarningRecord, text: str, *, key: str) -> None:
        """A word against a refusal; for what was counted or is being checked, the wish that a person corrects it.

        The same `key` makes one of several tries. Raises ApiProblem, Offline.
        """
        if can_appeal(event):
            await self.client.api.points.appeal(event.event_id, text, key=key)
        else:
            about = f"{event.event_id} ({event.start_place} - {event.end_place}, {event.started_at.isoformat()})"
            await self.client.api.people.ask(kind="correction", message=f"{about}: {text}", key=key)


async def remember(client: Client) -> None:
    """Asks for the trips and keeps them for every screen. Raises ApiProblem, Offline, StoreError."""
    trips = await client.api.points.trips(limit=_TRIPS_MAX)
    client.store.cache_put(Trips.cache_key, plain(trips), client.clock.now())


def remembered_running(client: Client) -> TripRecord | None:
    """The trip that waits for its end, by what the phone remembers. Raises StoreError."""
    kept = client.store.cache_get(Trips.cache_key)
    try:
        head: TripRecord | None = parse(TripRecord, kept[0][0]) if kept and kept[0] else None
    except Unreadable:
        return None  # another version of the app kept it
    return head if head is not None and is_running(head, client.clock.now()) else None


def is_running(trip: TripRecord, now: datetime) -> bool:
    """Whether an end would still count."""
    return trip.ended_at is None and (trip.ends_by is None or now < trip.ends_by)


def can_appeal(event: EarningRecord) -> bool:
    """A refusal or something that was taken back; what was granted or waits has nothing to appeal against."""
    return event.state == "refused" or event.reversed_at is not None


# A place that is named in both languages: Chinese, a space, and what has no Chinese any more.
_BOTH = re.compile(r"(?P<zh>.*[\u4e00-\u9fff])\s+(?P<en>[A-Za-z][^\u4e00-\u9fff]*)")


def place_name(name: str, language: str) -> str:
    """The part of a place's name that is in `zh` or `en`; the whole name where it is in one language."""
    both = _BOTH.fullmatch(name)
    return name if both is None else both[language]


@dataclass(frozen=True, slots=True)
class Computed:
    """How grams came about. Amounts are exact; `baseline_g` and `project_g` are of one unit, None in other formulas.

    `counted_g` is below `reduced_g` where a limit of the day took something off.
    """

    activity: Decimal | None
    unit: str
    baseline_g: Decimal | None
    project_g: Decimal | None
    unit_g: Decimal | None
    reduced_g: Decimal | None
    counted_g: int
    points: int
    version: int
    valid_from: date | None
    sources: tuple[str, ...]


def computed(event: EarningRecord) -> Computed | None:
    """The lines of the formula; None for an act that has none (refused, or judged without one)."""
    if event.formula is None:
        return None
    figures = _figures(event.formula)
    amount, _, unit = figures.get("activity", "").partition(" ")
    return Computed(
        activity=_number(amount),
        unit=unit,
        baseline_g=_number(figures.get("baseline_g", "")),
        project_g=_number(figures.get("project_g", "")),
        unit_g=_number(figures.get("grams", "")),
        reduced_g=_number(figures.get("reduced_g", "")),
        counted_g=event.grams,
        points=event.points,
        version=event.formula.version,
        valid_from=event.formula.valid_from,
        sources=event.formula.sources,
    )


def _figures(formula: FormulaRecord) -> dict[str, str]:
    return {one.name: one.value for one in formula.figures}


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
