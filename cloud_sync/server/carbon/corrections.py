"""What people change of visits: owns declaring evidence, and putting an amount right with a reason.

Nothing is changed in place: evidence is added, amounts are corrected by further entries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import uuid_utils

from cloud_sync.server import rule_books
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.carbon import book, evidence, settling, visits
from cloud_sync.server.carbon.settling import DaySums
from cloud_sync.server.permits import access, documents
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit
from control.carbon import factor_keys as keys
from control.carbon.factors import FactorSet, MissingFactor
from control.carbon.postings import Stamp, visit_correction

NOTE_CHARS_MAX = 500
PAPERS_MAX = 6
CORRECTION_G_MAX = 10_000_000_000


async def declare(
    given: Services,
    connection: Any,
    user: CurrentUser,
    visit_id: str,
    declared: Mapping[str, str | None],
    *,
    papers: tuple[str, ...] = (),
    note: str = "",
    remote: str = "",
) -> str:
    """Adds what somebody knows of a visit, inside the caller's transaction; the id of the declaration.

    The visit's figure follows at once. The applicant may do so until the term is over and with a paper that shows it,
    the office always; a note is the office's alone, as the row stays for ever. Raises Problem.
    """
    if not declared and not papers:
        raise Problem("invalid", detail="declared")
    now, actor = given.clock(), Actor.of(user, remote)
    await book.lock(connection)
    visit = await readable(connection, user, visit_id)
    office = user.may(Can.KEEP_LEDGER)
    # Evidence and book are never changed: of the public only the bare id stands there, which names nobody.
    author = user.username if office else user.user_id
    await _check_term(given, connection, user, visit)
    if not office:
        _check_applicant(declared, papers, note)
    await _use_papers(connection, user, visit_id, papers, now)
    evidence_id = str(uuid_utils.uuid7())
    await connection.execute(
        "INSERT INTO visit_evidence (evidence_id, visit_id, by, by_role, at, declared, papers, note)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)",
        *(evidence_id, visit_id, author, "office" if office else "applicant", now),
        json.dumps(dict(declared), ensure_ascii=False),
        list(papers),
        note.strip()[:NOTE_CHARS_MAX],
    )
    await write_audit(
        connection,
        at=now,
        actor=actor,
        action="evidence_declared",
        subject=("visit", visit_id),
        after={**declared, "papers": list(papers)},
        why=note,
    )
    if visit["is_over"]:
        reason = (note.strip() if office else "") or "evidence was declared"
        await visits.recompute(given, connection, [visit_id], author=author, reason=reason)
        await settling.settle(connection, at=now)
    return evidence_id


def _check_applicant(declared: Mapping[str, str | None], papers: tuple[str, ...], note: str) -> None:
    if note.strip():
        raise Problem("invalid", detail="note")
    # What lowers a debt has to be shown; what an applicant withdraws of their own needs no proof.
    if not papers and any(value is not None for value in declared.values()):
        raise Problem("paper_missing")


async def _check_term(given: Services, connection: Any, user: CurrentUser, visit: Any) -> None:
    if user.may(Can.KEEP_LEDGER):
        return
    if visit["applicant_id"] not in access.owners_of(user):
        raise Problem("forbidden")
    until = evidence_until(visit, await rule_books.factors(connection), given)
    if until is not None and given.clock().astimezone(given.config.zone).date() > until:
        raise Problem("evidence_late", until=until.isoformat())


async def readable(db: Any, user: CurrentUser, visit_id: str) -> Any:
    """The visit's row for its applicant and for whoever reads the ledger. Raises Problem not_found for others."""
    row = await db.fetchrow(
        "SELECT v.*, f.applicant_id FROM visits v LEFT JOIN applications f USING (application_id)"
        " WHERE v.visit_id = $1",
        visit_id,
    )
    if row is None or not (user.may(Can.READ_LEDGER) or row["applicant_id"] in access.owners_of(user)):
        raise Problem("not_found")
    return row


def evidence_until(visit: Mapping[str, Any], factors: FactorSet, given: Services) -> date | None:
    """The last day on which the applicant may add evidence; None while the visit lasts or no rule says so."""
    at = evidence.exit_of(visit)
    if at is None or not visit["is_over"]:
        return None
    day = at.astimezone(given.config.zone).date()
    try:
        return day + timedelta(days=int(factors.at(day).number(keys.EVIDENCE_TERM)))
    except MissingFactor:
        return None


async def _use_papers(
    connection: Any, user: CurrentUser, visit_id: str, papers: tuple[str, ...], now: datetime
) -> None:
    if len(papers) > PAPERS_MAX:
        raise Problem("invalid", detail=f"at most {PAPERS_MAX} papers")
    if papers:
        await documents.use(connection, user, papers, kind="visit", subject_id=visit_id, at=now)


async def correct(given: Services, actor: Actor, visit_id: str, *, added_g: int, why: str) -> str:
    """A visit owes more or less than was posted, where no evidence would say so; the entry's id. Raises Problem."""
    if not why.strip():
        raise Problem("reason_missing")
    if added_g == 0 or abs(added_g) > CORRECTION_G_MAX:
        raise Problem("invalid", detail="added_g")
    now = given.clock()
    async with given.change() as connection:
        await book.lock(connection)
        row = await connection.fetchrow("SELECT * FROM visit_accounts WHERE visit_id = $1", visit_id)
        if row is None or row["entry_id"] is None:
            raise Problem("not_found")
        if row["owed_g"] + added_g < 0:
            raise Problem("entry_refused", why="overdrawn")
        await settling.release(connection, visit_id, at=now, author=actor.username, reason=why.strip())
        number = 1 + await connection.fetchval(
            "SELECT count(*) FROM ledger_entries e JOIN ledger_postings p USING (seq)"
            " WHERE p.account = $1 AND e.kind = 'correction'",
            f"visit:{visit_id}",
        )
        stamp = Stamp(entry_id=f"correct:{visit_id}:{number}", at=now, author=actor.username, reason=why.strip())
        await book.post(connection, visit_correction(stamp, visit_id, added_g))
        await _note(connection, row, added_g)
        await settling.settle(connection, at=now)
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="visit_corrected",
            subject=("visit", visit_id),
            before={"owed_g": row["owed_g"]},
            after={"owed_g": row["owed_g"] + added_g},
            why=why,
        )
    return stamp.entry_id


async def _note(connection: Any, row: Any, added_g: int) -> None:
    owed_g = row["owed_g"] + added_g
    await connection.execute("UPDATE visit_accounts SET owed_g = $2 WHERE visit_id = $1", row["visit_id"], owed_g)
    change = int(owed_g > 0) - int(row["owed_g"] > 0)
    await settling.add_to_days(connection, {row["day"]: DaySums(visits=change, owed_g=added_g, open_visits=change)})
