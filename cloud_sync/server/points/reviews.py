"""A person's look at points: owns releasing and refusing what is held, reversals, and appeals.

Nobody decides on their own points, nor on those of somebody whose guardian or ward they are or ever were. An appeal is
decided by somebody else than who refused.
"""

from __future__ import annotations

from typing import Any

import uuid_utils

from cloud_sync.server import rule_books
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.live import Change, announce
from cloud_sync.server.people.members import points_person
from cloud_sync.server.points import book, told
from cloud_sync.server.points.events import books_of, event_of, held_of, pay, settle
from cloud_sync.server.points.parts import day_of, lock_person, refusal, text_of
from cloud_sync.server.points.records import EarningRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.points import entries
from control.points import rules as keys
from control.points.earning import appeal_until, released_by_time, review
from control.points.earning_types import Granted, Refused
from control.points.words import REFUSED

RELEASES_A_ROUND = 500


async def decide(
    given: Services, actor: Actor, user: CurrentUser, event_id: str, *, release: bool, why: str = ""
) -> EarningRecord:
    """Releases or refuses a held act. A refusal needs a reason. Raises Problem."""
    reason, now = text_of(why, needed=not release), given.clock()
    async with given.change() as connection:
        row = await _locked(connection, event_id)
        if row["state"] != "held":
            raise Problem("step_refused", why=f"state {row['state']}", state=row["state"])
        person = await points_person(connection, row["person"])
        judged = review(held_of(row), person, reviewer_id=user.user_id, release=release)
        if not isinstance(judged, Granted) and Refused.OWN_AWARD in judged.reasons:
            raise refusal(REFUSED, Refused.OWN_AWARD)
        entry_id = None
        if isinstance(judged, Granted):
            books = await books_of(connection)
            entry_id = await pay(given, connection, event_of(row), judged, books, by=actor.username)
        await settle(connection, event_id, judged, at=now, by=actor.username, entry_id=entry_id)
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="points_released" if release else "points_refused",
            subject=("point_event", event_id),
            before={"state": "held", "reasons": row["reasons"]},
            after={"points": row["points"] if release else 0},
            why=reason,
        )
        await announce(connection, [Change("points_held", event_id)])
        return await _told(connection, event_id)


async def _locked(connection: Any, event_id: str) -> Any:
    """The act, with the lock on its person. Raises Problem `not_found`."""
    person = await connection.fetchval("SELECT person FROM point_events WHERE event_id = $1", event_id)
    if person is None:
        raise Problem("not_found")
    await lock_person(connection, person)
    return await connection.fetchrow("SELECT * FROM point_events WHERE event_id = $1", event_id)


async def _told(db: Reader, event_id: str) -> EarningRecord:
    row = await db.fetchrow("SELECT * FROM point_events WHERE event_id = $1", event_id)
    return told.earning(row, await rule_books.methodologies(db))


async def release_due(given: Services) -> int:
    """Releases what only waited for an account to grow older; how many."""
    now = given.clock()
    due = await given.pool.fetch(
        "SELECT event_id FROM point_events WHERE state = 'held' AND release_at <= $1 ORDER BY release_at LIMIT $2",
        *(now, RELEASES_A_ROUND),
    )
    for one in due:
        async with given.change() as connection:
            row = await _locked(connection, one["event_id"])
            if row["state"] != "held":
                continue
            judged = released_by_time(held_of(row), now)
            if isinstance(judged, Granted):
                books = await books_of(connection)
                entry_id = await pay(given, connection, event_of(row), judged, books, by="cloud")
                await settle(connection, row["event_id"], judged, at=now, by="cloud", entry_id=entry_id)
    return len(due)


# ---------------------------------------------------------------- reversals


async def reverse(given: Services, actor: Actor, user: CurrentUser, person: str, entry_id: str, *, why: str) -> int:
    """Takes an earning or an adjustment back, as a new entry; the points that it took. Raises Problem."""
    reason, now = text_of(why), given.clock()
    async with given.change() as connection:
        await lock_person(connection, person)
        await _not_own(connection, user, person)
        sealed = await book.post(
            connection,
            person,
            now,
            lambda account, at: entries.reversed_(account, entry_id, entries.Stamp(at, actor.username, reason)),
            ids=(f"reverse:{entry_id}", entry_id),
        )
        await connection.execute(
            "UPDATE point_events SET reversed_at = $3, reversed_by = $4 WHERE person = $1 AND entry_id = $2",
            *(person, entry_id, now, actor.username),
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="points_reversed",
            subject=("point_entry", entry_id),
            after={"person": person, "points": sealed.entry.points},
            why=reason,
        )
    return sealed.entry.points


async def _not_own(connection: Any, user: CurrentUser, person: str) -> None:
    found = await points_person(connection, person)
    if found.is_close_to(user.user_id):
        raise refusal(REFUSED, Refused.OWN_AWARD)


# ---------------------------------------------------------------- appeals


async def appeal(given: Services, connection: Any, person: str, event_id: str, text: str) -> str:
    """A person's word against the refusal of their own act; the appeal's id. The caller holds the lock."""
    reason, now = text_of(text), given.clock()
    row = await connection.fetchrow("SELECT * FROM point_events WHERE event_id = $1 AND person = $2", event_id, person)
    if row is None:
        raise Problem("not_found")
    if row["state"] != "refused" and row["reversed_at"] is None:
        raise Problem("step_refused", why=f"state {row['state']}", state=row["state"])
    decided_at = row["reversed_at"] or row["decided_at"]
    rules = (await books_of(connection)).rules.at(day_of(given, decided_at))
    if now > appeal_until(decided_at, rules):
        raise refusal(REFUSED, Refused.TOO_LATE)
    if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM point_appeals WHERE event_id = $1)", event_id):
        raise refusal(REFUSED, Refused.DUPLICATE)
    appeal_id = str(uuid_utils.uuid7())
    await connection.execute(
        "INSERT INTO point_appeals (appeal_id, person, event_id, text, at) VALUES ($1, $2, $3, $4, $5)",
        *(appeal_id, person, event_id, reason, now),
    )
    await announce(connection, [Change("points_appeal", appeal_id)])
    return appeal_id


async def decide_appeal(
    given: Services, actor: Actor, user: CurrentUser, appeal_id: str, *, points: int, answer: str
) -> int:
    """Answers an appeal; `points` above 0 are given as an adjustment, 0 refuses it. Raises Problem."""
    text, now = text_of(answer), given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "SELECT a.*, coalesce(e.reversed_by, e.decided_by) AS refused_by"
            " FROM point_appeals a JOIN point_events e USING (event_id)"
            " WHERE appeal_id = $1",
            appeal_id,
        )
        if row is None:
            raise Problem("not_found")
        await lock_person(connection, row["person"])
        await _not_own(connection, user, row["person"])
        if row["refused_by"] == actor.username:
            raise Problem("same_person")
        rules = (await books_of(connection)).rules.at(day_of(given, now))
        if not 0 <= points <= rules.value(keys.CAP_DAY):
            raise Problem("invalid", detail=f"points must lie between 0 and {rules.value(keys.CAP_DAY)}")
        done = await connection.fetchval(
            "UPDATE point_appeals SET state = $2, points = $3, answer = $4, decided_at = $5, decided_by = $6"
            " WHERE appeal_id = $1 AND state = 'open' RETURNING true",
            *(appeal_id, "granted" if points else "refused", points, text, now, actor.username),
        )
        if not done:
            raise Problem("step_refused", why="decided", state=row["state"])
        if points:
            await _adjust(given, connection, actor, appeal_id, row["person"], points, text)
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="appeal_decided",
            subject=("point_appeal", appeal_id),
            after={"points": points},
            why=text,
        )
        await announce(connection, [Change("points_appeal", appeal_id)])
    return points


async def _adjust(
    given: Services, connection: Any, actor: Actor, appeal_id: str, person: str, points: int, reason: str
) -> None:
    rules, zone = (await books_of(connection)).rules, given.config.zone

    def make(_: Any, at: Any) -> Any:
        stamp = entries.Stamp(at, actor.username, reason)
        return entries.adjusted(appeal_id, person, points, stamp, rules.at(day_of(given, at)), zone)

    await book.post(connection, person, given.clock(), make, ids=(f"adjust:{appeal_id}",))
