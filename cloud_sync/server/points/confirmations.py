"""What somebody confirms: owns the person's one-time code, what a merchant may confirm, and the confirmation.

The person shows a code that lives for some minutes and is used once; a merchant who is signed in takes it and says what
was done. The same request again has the same answer. The office confirms as organiser in the same way.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import uuid_utils

from cloud_sync.server import rule_books
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.people.members import OrganisationKind, organisation, points_person
from cloud_sync.server.points import told
from cloud_sync.server.points.events import Books, books_of, earn, state_of
from cloud_sync.server.points.market_records import (
    ConfirmationRecord,
    ConfirmedAct,
    MerchantMethod,
    PersonCode,
)
from cloud_sync.server.points.parts import code_book, day_of, grouped_code, lock_person, qr_svg, refusal, rules_now
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.points import rules as keys
from control.points.award import award
from control.points.crockford import BITS, encode
from control.points.earning_types import EarningEvent, Granted, Held, Judgement, Person
from control.points.methodology import BY_PEOPLE, Evidence, MissingMethodology
from control.points.redemption import RedemptionRefused
from control.points.words import REDEMPTIONS

OFFICE = "office"
CODE_CHARS = 8
ACTS_MAX = 5
CODE_PREFIX = "P"


@dataclass(frozen=True, slots=True)
class ActWish:
    """One act that a merchant confirms; `amount` in the methodology's unit."""

    key: str
    amount: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Confirmer:
    """Who confirms: the place, the account, and which methodologies the place may confirm (None: as organiser)."""

    place: str
    user_id: str
    keys: frozenset[str] | None


async def person_code(given: Services, user: CurrentUser) -> PersonCode:
    """A fresh code for the person; earlier ones that were not used end now."""
    now = given.clock()
    rules = await rules_now(given, given.pool)
    code = CODE_PREFIX + encode(secrets.randbits(BITS * CODE_CHARS), CODE_CHARS)
    ends_at = now + timedelta(minutes=rules.value(keys.PERSON_CODE))
    async with given.change() as connection:
        await connection.execute(
            "UPDATE point_person_codes SET ends_at = $2 WHERE person = $1 AND used_at IS NULL AND ends_at > $2",
            *(user.user_id, now),
        )
        await connection.execute(
            "INSERT INTO point_person_codes (code_hash, confirmation_id, person, made_at, ends_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            *(code_book(given, "person").hashed(code), str(uuid_utils.uuid7()), user.user_id, now, ends_at),
        )
    return PersonCode(code, grouped_code(code), qr_svg(code), ends_at)


async def merchant_of(db: Reader, user: CurrentUser) -> str:
    """The organisation that a merchant's account serves at. Raises Problem `no_merchant`."""
    found = await organisation(db, user.org_id) if user.org_id else None
    if found is None or not found.enabled or found.kind != OrganisationKind.MERCHANT.value:
        raise Problem("no_merchant")
    return found.org_id


async def merchant_confirmer(db: Reader, user: CurrentUser) -> Confirmer:
    """A merchant's account, with what the office lets the merchant confirm."""
    org_id = await merchant_of(db, user)
    allowed = await db.fetchval("SELECT keys FROM point_merchants WHERE org_id = $1", org_id)
    return Confirmer(org_id, user.user_id, frozenset(allowed or ()))


async def merchant_methods(given: Services, org_id: str) -> tuple[MerchantMethod, ...]:
    """What a merchant may confirm today, with the points of one act or unit."""
    today = day_of(given, given.clock())
    books = await books_of(given.pool)
    allowed = await given.pool.fetchval("SELECT keys FROM point_merchants WHERE org_id = $1", org_id) or ()
    rows = books.methods.at(today)
    return tuple(
        MerchantMethod(
            key=key,
            name_zh=rows[key].name_zh,
            name_en=rows[key].name_en,
            unit=rows[key].unit.value,
            points_one=award(rows[key], told.ONE, books.rules.at(today)).points,
        )
        for key in allowed
        if key in rows
    )


async def set_merchant(given: Services, actor: Actor, org_id: str, allowed: Sequence[str]) -> None:
    """Says what a merchant may confirm. Raises Problem."""
    now = given.clock()
    methods = (await rule_books.methodologies(given.pool)).at(day_of(given, now))
    bad = [key for key in allowed if key not in methods or not methods[key].evidence & BY_PEOPLE]
    if bad:
        raise Problem("invalid", detail=f"{bad[0]} is not confirmed by people")
    async with given.change() as connection:
        found = await organisation(connection, org_id)
        if found is None or found.kind != OrganisationKind.MERCHANT.value:
            raise Problem("not_found")
        before = await connection.fetchval("SELECT keys FROM point_merchants WHERE org_id = $1", org_id)
        await connection.execute(
            "INSERT INTO point_merchants (org_id, keys, updated_at, updated_by) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (org_id) DO UPDATE SET keys = excluded.keys, updated_at = excluded.updated_at,"
            " updated_by = excluded.updated_by",
            *(org_id, sorted(set(allowed)), now, actor.username),
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="merchant_methods_set",
            subject=("organisation", org_id),
            before=None if before is None else {"keys": before},
            after={"keys": sorted(set(allowed))},
        )


async def confirm(
    given: Services, connection: Any, by: Confirmer, code: str, acts: Sequence[ActWish], *, request_id: str
) -> ConfirmationRecord:
    """Takes a person's code and judges what was confirmed. Raises Problem when the code or an act is not taken."""
    now, books = given.clock(), await books_of(connection)
    if not 0 < len(acts) <= ACTS_MAX:
        raise Problem("invalid", detail=f"confirm 1 to {ACTS_MAX} acts")
    evidence = [_evidence(given, books, by, act, now) for act in acts]
    row = await _taken(connection, code_book(given, "person").hashed(code), now)
    await lock_person(connection, row["person"])
    person = await points_person(connection, row["person"])
    done: list[ConfirmedAct] = []
    for place, (act, kind) in enumerate(zip(acts, evidence, strict=True), 1):
        event = _event(f"{row['confirmation_id']}.{place}", act, kind, by, person, now)
        done.append(_told(act.key, await earn(given, connection, event, person, books, by=by.place)))
    await connection.execute(
        "INSERT INTO merchant_confirmations (confirmation_id, org_id, staff, person, request_id, at, acts)"
        " VALUES ($1, $2, $3, $4, $5, $6, to_jsonb($7::text[]))",
        *(row["confirmation_id"], by.place, by.user_id, row["person"], request_id, now, [act.key for act in acts]),
    )
    return ConfirmationRecord(row["confirmation_id"], now, tuple(done))


async def _taken(connection: Any, hashed: bytes, now: datetime) -> Any:
    """The person behind a code, which is used up with it. Raises Problem `points_refused`."""
    row = await connection.fetchrow("SELECT * FROM point_person_codes WHERE code_hash = $1 FOR UPDATE", hashed)
    if row is None:
        raise refusal(REDEMPTIONS, RedemptionRefused.WRONG_CODE)
    if row["used_at"] is not None:
        raise refusal(REDEMPTIONS, RedemptionRefused.USED_ALREADY)
    if now >= row["ends_at"]:
        raise refusal(REDEMPTIONS, RedemptionRefused.TOO_LATE)
    await connection.execute("UPDATE point_person_codes SET used_at = $2 WHERE code_hash = $1", hashed, now)
    return row


def _evidence(given: Services, books: Books, by: Confirmer, act: ActWish, now: datetime) -> Evidence:
    """By whose word the act counts. Raises Problem where the place may not confirm it."""
    if by.keys is not None and act.key not in by.keys:
        raise Problem("forbidden", detail=f"{act.key} is not confirmed here")
    try:
        method = books.methods.row(act.key, day_of(given, now))
    except MissingMethodology as error:
        raise Problem("invalid", detail=str(error)) from error
    wanted = Evidence.ORGANISER if by.keys is None else Evidence.MERCHANT
    found = wanted if wanted in method.evidence else next(iter(sorted(method.evidence & BY_PEOPLE)), None)
    if found is None:
        raise Problem("invalid", detail=f"{act.key} is not confirmed by people")
    return found


def _event(
    reference: str, act: ActWish, evidence: Evidence, by: Confirmer, person: Person, now: datetime
) -> EarningEvent:
    return EarningEvent(
        event_id=str(uuid_utils.uuid7()),
        person_id=person.person_id,
        key=act.key,
        started_at=now,
        ended_at=now,
        claimed_at=now,
        evidence=evidence,
        source_id=by.place,
        evidence_ref=reference,
        activity=act.amount,
        confirmed_by=by.user_id,
        merchant_id=by.place,
    )


def _told(key: str, judged: Judgement) -> ConfirmedAct:
    if isinstance(judged, Granted | Held):
        points, grams = judged.award.points, judged.award.grams
        reason = told.reason(judged.reasons[0].value) if isinstance(judged, Held) else None
        return ConfirmedAct(key, state_of(judged), points, grams, reason)
    return ConfirmedAct(key, "refused", 0, 0, told.reason(judged.reasons[0].value))
