"""Codes that people read: owns the way from the text of a code to an act, a trip, a charge, or a refusal.

All in one transaction under the person's lock. A code's own step gives the time, also when the phone was offline and
the scan comes hours later. Wrong codes are counted by person and by address, and too many of them stop the answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import uuid_utils

from cloud_sync.server.people.members import points_person
from cloud_sync.server.points.devices import Board, OneDevice, Shows, board_of, learn_clock
from cloud_sync.server.points.events import Books, books_of, earn, state_of
from cloud_sync.server.points.parts import day_of, remote_key, said
from cloud_sync.server.points.records import ScanResult, Sentence
from cloud_sync.server.points.ways import metres_between
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from control.points import rules as keys
from control.points.claims import act_event, trip_event
from control.points.earning_types import Granted, Held, Judgement
from control.points.rotating_code import CodeAccepted, CodeRefusal, CodeRefused, Scan, device_number, verify
from control.points.rules import PointRules
from control.points.trips import Direction, NoTrip, Trip, TripScan, pair_scans
from control.points.words import ANOMALIES, CODES, REFUSED, TRIPS

# What guessing looks like; a genuine code that is early, late or used is none.
FAILURES = frozenset({CodeRefused.UNREADABLE, CodeRefused.UNKNOWN_DEVICE, CodeRefused.FORGED})
FAILED, TAKEN, NOT_TAKEN = "failed", "taken", "refused"
TEXT_CHARS_MAX = 100

_GRANTED = ("获得 {points} 积分", "{points} points earned")
_HELD = ("{points} 积分待核：{why_zh}", "{points} points wait: {why_en}")
_STARTED = ("行程已开始，下车时再扫一次", "The trip has begun; read the code again where you get off")
_CHARGING = ("已登记，充电结束后计算积分", "Noted; points come when the charge has ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanWish:
    """What an app sends. `direction` helps where one board serves both ends of a trip."""

    text: str
    scanned_at: datetime
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """One accepted code with what it stands for."""

    scan_id: str
    scan: Scan
    code: CodeAccepted
    board: Board
    shows: Shows


async def take_scan(given: Services, connection: Any, person_id: str, wish: ScanWish, *, remote: str) -> ScanResult:
    """Takes a code for a person, whose lock the caller holds. Raises Problem `too_many_attempts`.

    A refusal is an answer and is kept; only too many wrong codes are a problem.
    """
    now, books = given.clock(), await books_of(connection)
    rules = books.rules.at(day_of(given, now))
    await _check_failures(connection, person_id, remote, rules, now)
    scan = Scan(text=wish.text[:TEXT_CHARS_MAX], person_id=person_id, scanned_at=wish.scanned_at, received_at=now)
    board = await board_of(given, connection, device_number(scan.text), now)
    scan_id = str(uuid_utils.uuid7())
    found = verify(scan, OneDevice(board.device if board else None), rules)
    if isinstance(found, CodeRefusal):
        return await _refuse(connection, scan_id, scan, remote, found)
    assert board is not None
    shows = board.directions[found.content.slot]
    if shows is Shows.EITHER:
        shows = await _direction(connection, person_id, found, board, wish, rules)
    reading = _Reading(scan_id, scan, found, board, shows)
    if not await _keep(connection, reading, remote):
        replayed = CodeRefusal(CodeRefused.REPLAYED, board.device.device_id)
        return await _refuse(connection, scan_id, scan, remote, replayed)
    await learn_clock(connection, board.device, found.clock, now)
    match shows:
        case Shows.ACT:
            return await _act(given, connection, reading, books)
        case Shows.CHARGER:
            return await _charge(connection, reading)
        case _:
            return await _trip(given, connection, reading, books, rules)


# ---------------------------------------------------------------- guessing


async def _check_failures(connection: Any, person_id: str, remote: str, rules: PointRules, now: datetime) -> None:
    window = timedelta(minutes=rules.value(keys.FAILED_CODES_WINDOW))
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM point_scans WHERE person = $1 AND state = 'failed' AND received_at > $3) AS own,"
        " (SELECT count(*) FROM point_scans WHERE remote = $2 AND state = 'failed' AND received_at > $3) AS there",
        *(person_id, remote_key(remote), now - window),
    )
    too_many = row["own"] >= rules.value(keys.FAILED_CODES_PERSON)
    if too_many or row["there"] >= rules.value(keys.FAILED_CODES_PLACE):
        raise Problem("too_many_attempts", retry_after_s=int(window.total_seconds()))


async def _refuse(connection: Any, scan_id: str, scan: Scan, remote: str, found: CodeRefusal) -> ScanResult:
    state = FAILED if found.reason in FAILURES else NOT_TAKEN
    await connection.execute(
        "INSERT INTO point_scans (scan_id, person, received_at, scanned_at, remote, state, reason, device_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(scan_id, scan.person_id, scan.received_at, scan.scanned_at, remote_key(remote)),
        *(state, found.reason.value, found.device_id),
    )
    word = said(CODES, found.reason)
    return ScanResult(scan_id, "refused", 0, 0, "", word.code, word.zh, word.en)


async def _keep(connection: Any, reading: _Reading, remote: str) -> bool:
    """Keeps the use of a code; False when it was used before, also by a scan that goes on at this moment."""
    scan, code, device = reading.scan, reading.code, reading.board.device
    return bool(
        await connection.fetchval(
            "INSERT INTO point_scans (scan_id, person, received_at, scanned_at, remote, state, device_id, key, place,"
            " direction, use_key, code_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            " ON CONFLICT (use_key) DO NOTHING RETURNING true",
            *(reading.scan_id, scan.person_id, scan.received_at, scan.scanned_at, remote_key(remote), TAKEN),
            *(device.device_id, code.key, device.place, reading.shows.value, code.use_key, code.at),
        )
    )


# ---------------------------------------------------------------- acts


async def _act(given: Services, connection: Any, reading: _Reading, books: Books) -> ScanResult:
    event = act_event(str(uuid_utils.uuid7()), reading.code, reading.board.device, reading.scan)
    person = await points_person(connection, reading.scan.person_id)
    judged = await earn(given, connection, event, person, books)
    await _settle_scans(connection, [reading.scan_id], event.event_id, judged)
    return answer_of(reading.scan_id, event.key, judged, event.event_id)


async def _settle_scans(connection: Any, scan_ids: list[str], event_id: str, judged: Judgement) -> None:
    reason = "" if isinstance(judged, Granted | Held) else judged.reasons[0].value
    await connection.execute(
        "UPDATE point_scans SET event_id = $2, reason = $3 WHERE scan_id = ANY ($1::text[])",
        *(scan_ids, event_id, reason),
    )


def answer_of(scan_id: str, key: str, judged: Judgement, event_id: str, *, state: str = "") -> ScanResult:
    """What a judgement says to the person who asked."""
    state = state or state_of(judged)
    match judged:
        case Granted(award):
            chinese, english = (text.format(points=award.points) for text in _GRANTED)
            return ScanResult(scan_id, state, award.points, award.grams, key, "", chinese, english, event_id)
        case Held(award, _, reasons):
            words = tuple(said(ANOMALIES, one) for one in reasons)
            why = {"why_zh": "、".join(one.zh for one in words), "why_en": "; ".join(one.en for one in words)}
            chinese, english = (text.format(points=award.points, **why) for text in _HELD)
            return ScanResult(
                scan_id, "held", award.points, award.grams, key, words[0].code, chinese, english, event_id
            )
        case _:
            word = said(REFUSED, judged.reasons[0])
            return ScanResult(scan_id, "refused", 0, 0, key, word.code, word.zh, word.en, event_id)


async def _charge(connection: Any, reading: _Reading) -> ScanResult:
    """Says who is at the charger; the charge itself is the charger's word, when it has ended."""
    await connection.execute(
        "INSERT INTO point_charge_claims (claim_id, person, charger, at) VALUES ($1, $2, $3, $4)",
        *(reading.scan_id, reading.scan.person_id, reading.board.device.place, reading.code.at),
    )
    return ScanResult(reading.scan_id, "charge_noted", 0, 0, reading.code.key, "", *_CHARGING)


# ---------------------------------------------------------------- trips


async def _direction(
    connection: Any, person_id: str, code: CodeAccepted, board: Board, wish: ScanWish, rules: PointRules
) -> Shows:
    """Which end of a trip a board is that serves both: what the person says, else the end of an open start."""
    if wish.direction is not None:
        return Shows(wish.direction.value)
    last = await connection.fetchrow(
        "SELECT place, direction FROM point_scans WHERE person = $1 AND direction IN ('start', 'end') AND key = $2"
        " AND code_at <= $3 AND code_at > $4 ORDER BY code_at DESC LIMIT 1",
        *(person_id, code.key, code.at, code.at - timedelta(seconds=rules.value(keys.TRIP_MAX))),
    )
    begun = last is not None and last["direction"] == Shows.START.value and last["place"] != board.device.place
    return Shows.END if begun else Shows.START


async def _trip(given: Services, connection: Any, reading: _Reading, books: Books, rules: PointRules) -> ScanResult:
    """Pairs the scans around this one that are in no trip yet. A trip that was made stays, whatever comes later."""
    person_id, key = reading.scan.person_id, reading.code.key
    scans = await _open_scans(connection, reading, rules)
    # The day on which the trip of this code ends: of the next end, where the code is a start.
    ends = (one.at for one in scans if one.direction is Direction.END and one.at >= reading.code.at)
    day = day_of(given, min(ends, default=reading.code.at))
    ways = await metres_between(connection, [one.place for one in scans], day)
    paired = pair_scans(scans, ways, rules, now=reading.scan.received_at)
    mine = next((one for one in paired.trips if reading.scan_id in (one.start.scan_id, one.end.scan_id)), None)
    if mine is not None:
        return await _made(given, connection, reading, mine, books)
    why = _why_none(paired.refused, reading.scan_id)
    if why is None or reading.shows is Shows.START:
        return ScanResult(reading.scan_id, "trip_started", 0, 0, key, "", *_STARTED)
    await connection.execute(
        "UPDATE point_scans SET reason = $3 WHERE scan_id = $1 AND person = $2", reading.scan_id, person_id, why.code
    )
    return ScanResult(reading.scan_id, "refused", 0, 0, key, why.code, why.zh, why.en)


async def _open_scans(connection: Any, reading: _Reading, rules: PointRules) -> tuple[TripScan, ...]:
    """Those in no trip, refused ends too: their start may come later, from a phone that was offline."""
    longest = timedelta(seconds=rules.value(keys.TRIP_MAX))
    rows = await connection.fetch(
        "SELECT s.scan_id, s.key, s.place, s.direction, s.code_at AS at FROM point_scans s"
        " WHERE s.person = $1 AND s.direction IN ('start', 'end') AND s.code_at BETWEEN $2 AND $3"
        " AND NOT EXISTS (SELECT 1 FROM point_trips t WHERE t.start_scan = s.scan_id OR t.end_scan = s.scan_id)",
        *(reading.scan.person_id, reading.code.at - longest, reading.code.at + longest),
    )
    return tuple(TripScan(**{**dict(row), "direction": Direction(row["direction"])}) for row in rows)


def _why_none(refused: tuple[NoTrip, ...], scan_id: str) -> Sentence | None:
    for one in refused:
        if scan_id in (scan.scan_id for scan in one.scans):
            return said(TRIPS, one.reason)
    return None


async def _made(given: Services, connection: Any, reading: _Reading, trip: Trip, books: Books) -> ScanResult:
    person_id, event_id = reading.scan.person_id, str(uuid_utils.uuid7())
    event = trip_event(
        event_id,
        trip,
        person_id=person_id,
        claimed_at=reading.scan.received_at,
        clock_doubt=reading.code.clock_doubt,
    )
    event = replace(event, merchant_id=reading.board.device.merchant_id)
    person = await points_person(connection, person_id)
    judged = await earn(given, connection, event, person, books)
    await connection.execute(
        "INSERT INTO point_trips (trip_id, person, key, start_scan, end_scan, start_place, end_place, metres,"
        " started_at, ended_at, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        *(trip.trip_id, person_id, trip.key, trip.start.scan_id, trip.end.scan_id, trip.start.place, trip.end.place),
        *(trip.metres, trip.start.at, trip.end.at, event_id),
    )
    await _settle_scans(connection, [trip.start.scan_id, trip.end.scan_id], event_id, judged)
    state = "trip_ended" if isinstance(judged, Granted) else ""
    return answer_of(reading.scan_id, event.key, judged, event_id, state=state)
