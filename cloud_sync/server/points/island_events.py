"""What the island itself saw: owns how passages and charges become acts of the people whose vehicles they were.

Read from the same tables that ingest makes from the gateways' events. Every act's id is made from what it is about, so
that it counts once however often this runs, and everything within the claim window can be collected again.

A vehicle counts for the account that has its plate confirmed. An electric one that goes in at one gate and out at
another drove the way of the table; a fuel car that stayed away while its owner rode on the island was left parked. A
charge belongs to the person who read the code at the charger while it lasted; its energy in the office's hours counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from cloud_sync.server.people.members import points_person
from cloud_sync.server.points.events import Books, books_of, earn, state_of
from cloud_sync.server.points.parts import day_of, lock_person, midnight
from cloud_sync.server.services import Services
from cloud_sync.server.sql import as_json
from control.domain.exact import InexactNumber, exact
from control.gate.presence import THROUGH
from control.permits.application import Drive
from control.points import rules as keys
from control.points.earning_types import EarningEvent
from control.points.methodology import TRAVEL, Evidence, MissingMethodology, Scene
from control.points.off_peak import Reading, off_peak_kwh

DRIVING, PARKED, CHARGING = Scene.EV_DRIVING.value, Scene.PARKED_CAR.value, Scene.OFF_PEAK_CHARGING.value
# A code is read when the cable is plugged in, a little before the session or within it.
BEFORE_THE_SESSION = timedelta(minutes=5)
CLAIM_FORGOTTEN = timedelta(days=2)
A_ROUND = 500
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_FUEL = sorted(one.value for one in Drive if one is not Drive.PLUG_IN)

_DRIVES = """
SELECT v.owner_id, i.arrival_id, i.gate_id AS gate_in, i.passed_at AS entered_at, o.gate_id AS gate_out,
  o.passed_at AS left_at, w.metres
FROM vehicles v
JOIN users u ON u.user_id::text = v.owner_id AND u.enabled
JOIN passages i ON i.plate = v.plate AND i.direction = 'in' AND i.movement = ANY ($2::text[]) AND i.arrived_at >= $1
JOIN LATERAL (SELECT n.gate_id, n.direction, n.passed_at FROM passages n
  WHERE n.plate = v.plate AND n.movement = ANY ($2::text[]) AND n.passed_at > i.passed_at
  ORDER BY n.passed_at LIMIT 1) o ON o.direction = 'out'
JOIN LATERAL (SELECT p.metres FROM point_ways p
  WHERE p.from_place = i.gate_id AND p.to_place = o.gate_id AND p.valid_from <= (o.passed_at AT TIME ZONE $5)::date
  ORDER BY p.valid_from DESC LIMIT 1) w ON w.metres > 0
WHERE v.removed_at IS NULL AND v.confirmed_at IS NOT NULL AND v.drive = 'electric' AND i.energy = 'battery_electric'
  AND i.passed_at >= v.confirmed_at AND o.passed_at - i.passed_at <= make_interval(secs => $3)
  AND NOT EXISTS (SELECT 1 FROM point_events e WHERE e.event_id = 'drive:' || i.arrival_id)
ORDER BY i.passed_at LIMIT $4
"""
_PARKED = """
SELECT DISTINCT v.vehicle_id, v.owner_id FROM vehicles v
JOIN users u ON u.user_id::text = v.owner_id AND u.enabled
JOIN point_events t ON t.person = v.owner_id AND t.day = $1 AND t.state = 'granted' AND t.evidence = 'trip_codes'
  AND t.scene = ANY ($2::text[]) AND t.reversed_at IS NULL
WHERE v.removed_at IS NULL AND v.confirmed_at IS NOT NULL AND v.confirmed_at < $3 AND v.drive = ANY ($5::text[])
  AND NOT EXISTS (SELECT 1 FROM passages p WHERE p.plate = v.plate AND p.movement = ANY ($6::text[])
    AND p.passed_at >= $3 AND p.passed_at < $4)
  AND coalesce((SELECT p.direction FROM passages p WHERE p.plate = v.plate AND p.movement = ANY ($6::text[])
    AND p.passed_at < $3 ORDER BY p.passed_at DESC LIMIT 1), 'out') = 'out'
  AND NOT EXISTS (SELECT 1 FROM point_events e WHERE e.event_id = 'parked:' || v.vehicle_id || ':' || $7)
LIMIT $8
"""


async def collect(given: Services, *, days: int = 2) -> int:
    """Everything new of the last days; how many acts were judged."""
    books = await books_of(given.pool)
    today = day_of(given, given.clock())
    since = midnight(given, today - timedelta(days=days))
    judged = await collect_drives(given, books, since=since)
    for back in range(1, days + 1):
        judged += await collect_parked(given, books, today - timedelta(days=back))
    return judged + await collect_charges(given, books)


async def _judged(given: Services, books: Books, event: EarningEvent) -> str | None:
    """What became of the act now; None when it was kept before."""
    async with given.change() as connection:
        await lock_person(connection, event.person_id)
        if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM point_events WHERE event_id = $1)", event.event_id):
            return None
        person = await points_person(connection, event.person_id)
        return state_of(await earn(given, connection, event, person, books))


# ---------------------------------------------------------------- passages


async def collect_drives(given: Services, books: Books, *, since: datetime) -> int:
    """Ways of confirmed electric vehicles from gate to gate."""
    rules = books.rules.at(day_of(given, given.clock()))
    rows = await given.pool.fetch(
        _DRIVES, since, sorted(THROUGH), rules.value(keys.TRIP_MAX), A_ROUND, str(given.config.zone)
    )
    judged = 0
    for row in rows:
        judged += await _judged(given, books, _drive(row)) is not None
    return judged


def _drive(row: Any) -> EarningEvent:
    km = Fraction(row["metres"], 1_000)
    return EarningEvent(
        event_id=f"drive:{row['arrival_id']}",
        person_id=row["owner_id"],
        key=DRIVING,
        started_at=row["entered_at"],
        ended_at=row["left_at"],
        claimed_at=row["left_at"],
        evidence=Evidence.GATE,
        source_id=f"{row['gate_in']}>{row['gate_out']}",
        evidence_ref=row["arrival_id"],
        activity=km,
        distance_km=km,
        start_place=row["gate_in"],
        end_place=row["gate_out"],
    )


async def collect_parked(given: Services, books: Books, day: date) -> int:
    """Fuel cars that stayed away on a day that is over, while their owners rode on the island."""
    try:
        books.methods.row(PARKED, day)
    except MissingMethodology:
        return 0
    begins, ends = midnight(given, day), midnight(given, day + timedelta(days=1))
    rows = await given.pool.fetch(
        _PARKED,
        *(day, sorted(one.value for one in TRAVEL), begins, ends, _FUEL, sorted(THROUGH), day.isoformat(), A_ROUND),
    )
    last = datetime.combine(day, time.max, given.config.zone).replace(microsecond=0)
    judged = 0
    for row in rows:
        judged += await _judged(given, books, _parked(row["vehicle_id"], row["owner_id"], day, last)) is not None
    return judged


def _parked(vehicle_id: str, owner_id: str, day: date, last: datetime) -> EarningEvent:
    return EarningEvent(
        event_id=f"parked:{vehicle_id}:{day.isoformat()}",
        person_id=owner_id,
        key=PARKED,
        started_at=last,
        ended_at=last,
        claimed_at=last,
        evidence=Evidence.GATE,
        source_id=f"vehicle {vehicle_id}",
        evidence_ref=day.isoformat(),
        activity=1,
    )


# ---------------------------------------------------------------- charges


async def collect_charges(given: Services, books: Books) -> int:
    """Charges that have ended, for the people who said that they are theirs."""
    judged, after = 0, (_BEFORE_ALL, "")
    # Claims whose session still runs stay open, so that those behind them are reached page by page.
    while claims := await _open_claims(given, after):
        for claim in claims:
            session = await _session(given, claim)
            if session is None:
                await _forget(given, claim)
            elif session["ended_at"] is not None:
                judged += await _charge(given, books, claim, session)
        after = (claims[-1]["at"], claims[-1]["claim_id"])
    return judged


async def _open_claims(given: Services, after: tuple[datetime, str]) -> Any:
    """The next page of claims that are open, behind the last one of the page before."""
    return await given.pool.fetch(
        "SELECT claim_id, person, charger, at FROM point_charge_claims"
        " WHERE settled_at IS NULL AND (at, claim_id) > ($1, $2) ORDER BY at, claim_id LIMIT $3",
        *after,
        A_ROUND,
    )


async def _session(given: Services, claim: Any) -> Any:
    return await given.pool.fetchrow(
        "SELECT gateway_id, session_id, charger, started_at, ended_at FROM charging_sessions"
        " WHERE charger = $1 AND started_at <= $2 AND (ended_at IS NULL OR ended_at >= $3)"
        " ORDER BY started_at DESC LIMIT 1",
        *(claim["charger"], claim["at"] + BEFORE_THE_SESSION, claim["at"]),
    )


async def _forget(given: Services, claim: Any) -> None:
    """No session came: after a while nobody waits for it any more."""
    now = given.clock()
    if now - claim["at"] > CLAIM_FORGOTTEN:
        await given.pool.execute(
            "UPDATE point_charge_claims SET settled_at = $2 WHERE claim_id = $1", claim["claim_id"], now
        )


async def _charge(given: Services, books: Books, claim: Any, session: Any) -> bool:
    """Settles a claim; whether an act was judged. A session is the first person's who read the code."""
    kwh = await _off_peak(given, books, session)
    event_id = f"charge:{session['gateway_id']}:{session['session_id']}"
    event = EarningEvent(
        event_id=event_id,
        person_id=claim["person"],
        key=CHARGING,
        started_at=session["started_at"],
        ended_at=session["ended_at"],
        claimed_at=session["ended_at"],
        evidence=Evidence.CHARGER,
        source_id=session["charger"],
        evidence_ref=f"{session['gateway_id']}/{session['session_id']}",
        activity=kwh,
        start_place=session["charger"],
        end_place=session["charger"],
    )
    judged = await _judged(given, books, event) if kwh > 0 else None
    mine = judged is not None
    await given.pool.execute(
        "UPDATE point_charge_claims SET settled_at = $2, gateway_id = $3, session_id = $4, event_id = $5"
        " WHERE claim_id = $1",
        *(claim["claim_id"], given.clock()),
        *((session["gateway_id"], session["session_id"], event_id) if mine else (None, None, None)),
    )
    return mine


async def _off_peak(given: Services, books: Books, session: Any) -> Fraction:
    """Kilowatt-hours of the session in the office's hours, less what the vehicle fed back; whole watt-hours."""
    rows = await given.pool.fetch(
        "SELECT wall_at, body FROM events WHERE kind = 'charging_session' AND body ->> 'session_id' = $1"
        " AND gateway_id = $2 AND wall_at >= $3 ORDER BY wall_at",
        *(session["session_id"], session["gateway_id"], session["started_at"] - timedelta(days=1)),
    )
    rules = books.rules.at(day_of(given, session["ended_at"]))
    kwh = off_peak_kwh(
        _readings([as_json(row["body"]) for row in rows]),
        zone=given.config.zone,
        from_hour=rules.value(keys.OFF_PEAK_FROM),
        until_hour=rules.value(keys.OFF_PEAK_UNTIL),
    )
    return Fraction(int(kwh * 1_000), 1_000)


def _readings(bodies: Sequence[dict[str, Any]]) -> list[Reading]:
    """What the charger's meter said, and when; what cannot be read is left out."""
    made: list[Reading] = []
    for body in bodies:
        try:
            net = exact(body["energy_kwh"]) - exact(body["fed_back_kwh"])
            at = datetime.fromisoformat(body["at"])
        except (KeyError, TypeError, ValueError, InexactNumber):
            continue
        if at.tzinfo is not None:
            made.append((at, net))
    return made
