"""Redeeming points: owns the purchase, the one-time code at the merchant's till, and what comes back.

A purchase reserves, pays and issues in one transaction under the locks of the person and the item. The code is derived
from the redemption's id and a secret, so that nothing readable is stored and the person's own repeated request shows
the same code. What was not used in time gives stock and points back, once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
import uuid_utils

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.points import book
from cloud_sync.server.points.catalogue import item_of
from cloud_sync.server.points.market_records import CodeRecord, RedemptionRecord, TillCheck
from cloud_sync.server.points.parts import (
    code_book,
    day_of,
    grouped_code,
    lock_person,
    qr_svg,
    refusal,
    rules_now,
    said,
)
from cloud_sync.server.problems import Problem
from cloud_sync.server.rule_books import point_rules
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.points import entries, redemption
from control.points.redemption import Redemption, RedemptionRefusal, RedemptionRefused, Shelf, State, UseRequest
from control.points.words import REDEMPTIONS, STATES

PURPOSE = "redemption"
RETURNS_A_ROUND = 500
_WITH_ITEM = "SELECT r.*, i.name_zh, i.name_en FROM redemptions r JOIN catalogue_items i USING (item_id)"

_SHELF = (
    "SELECT i.*, (SELECT count(*) FROM redemptions r WHERE r.item_id = i.item_id AND r.person = $2"
    " AND r.state <> 'returned') AS taken_by_person FROM catalogue_items i WHERE i.item_id = $1"
)
# Everybody who wants the same thing waits here for who is before them, so that it comes last.
_TAKE = (
    "WITH taken AS (UPDATE catalogue_items SET taken = taken + 1 WHERE item_id = $2 AND taken < stock"
    " RETURNING item_id)"
    " INSERT INTO redemptions (redemption_id, item_id, person, price_points, state, reserved_at, ends_at, code_hash)"
    " SELECT $1, item_id, $3, $4, $5, $6, $7, $8 FROM taken RETURNING true"
)


async def redeem(given: Services, connection: Any, person: str, item_id: str) -> str:
    """Takes one thing for a person, whose lock the caller holds; the redemption's id. Raises Problem."""
    now = given.clock()
    rules = await rules_now(given, connection)
    account = await book.account_of(connection, person)
    row = await connection.fetchrow(_SHELF, item_id, person)
    if row is None:
        raise Problem("not_found")
    reserved = redemption.reserve(
        Shelf(item_of(row), row["taken"], row["taken_by_person"]),
        redemption_id=str(uuid_utils.uuid7()),
        person_id=person,
        available_points=account.available(now),
        at=now,
        rules=rules,
    )
    if isinstance(reserved, RedemptionRefusal):
        raise refusal(REDEMPTIONS, reserved.reason)
    codes = code_book(given, PURPOSE)
    hashed = codes.hashed(codes.code(reserved.redemption_id))
    issued = redemption.issue(reserved, hashed_code=hashed, at=now, rules=rules)
    assert isinstance(issued, Redemption)
    stamp = entries.Stamp(book.moment(account, now), person, f"redeemed {item_id}")
    await book.append(connection, account, entries.redeemed(issued, stamp))
    is_taken = await connection.fetchval(
        _TAKE,
        *(issued.redemption_id, item_id, person, issued.price_points, issued.state.value),
        *(issued.reserved_at, issued.ends_at, issued.code_hash),
    )
    if not is_taken:
        raise refusal(REDEMPTIONS, RedemptionRefused.SOLD_OUT)
    return issued.redemption_id


async def with_code(given: Services, db: Reader, person: str, redemption_id: str) -> CodeRecord:
    """A redemption of this very person with its code, right after the purchase or its repetition."""
    row = await db.fetchrow(f"{_WITH_ITEM} WHERE redemption_id = $1 AND person = $2", redemption_id, person)
    if row is None:
        raise Problem("not_found")
    code = code_book(given, PURPOSE).code(redemption_id)
    return CodeRecord(_record(row), code, grouped_code(code), qr_svg(code))


async def of_person(
    db: Reader, person: str, *, before: str | None = None, limit: int = 50
) -> tuple[RedemptionRecord, ...]:
    """What a person took, the newest first; never with a code."""
    rows = await db.fetch(
        f"{_WITH_ITEM} WHERE r.person = $1 AND ($2::text IS NULL OR redemption_id < $2)"
        " ORDER BY redemption_id DESC LIMIT $3",
        *(person, before, limit),
    )
    return tuple(_record(row) for row in rows)


def _record(row: Any) -> RedemptionRecord:
    return RedemptionRecord(
        redemption_id=row["redemption_id"],
        item_id=row["item_id"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        price_points=row["price_points"],
        state=said(STATES, State(row["state"])),
        reserved_at=row["reserved_at"],
        ends_at=row["ends_at"],
        used_at=row["used_at"],
        used_by=row["used_by"],
    )


# ---------------------------------------------------------------- the till


async def check(given: Services, merchant: str, user: CurrentUser, code: str) -> TillCheck:
    """Whether a code would be taken here now; changes nothing."""
    row = await given.pool.fetchrow(f"{_WITH_ITEM} WHERE r.code_hash = $1", _hashed(given, code))
    if row is None:
        return _till(None, RedemptionRefusal(RedemptionRefused.WRONG_CODE))
    item = await given.pool.fetchrow("SELECT * FROM catalogue_items WHERE item_id = $1", row["item_id"])
    asked = _request(given, merchant, user, code, "check")
    found = redemption.use(_redemption(row), item_of(item), asked)
    return _till(row, found if isinstance(found, RedemptionRefusal) else None, merchant)


async def use(given: Services, actor: Actor, merchant: str, user: CurrentUser, code: str, request_id: str) -> TillCheck:
    """Takes a code. The same request of the same merchant has the same answer for ever. Raises Problem `key_reused`."""
    async with given.change() as connection:
        row = await connection.fetchrow(f"{_WITH_ITEM} WHERE r.code_hash = $1 FOR UPDATE OF r", _hashed(given, code))
        if row is None:
            return _till(None, RedemptionRefusal(RedemptionRefused.WRONG_CODE))
        item = await connection.fetchrow("SELECT * FROM catalogue_items WHERE item_id = $1", row["item_id"])
        before = _redemption(row)
        used = redemption.use(before, item_of(item), _request(given, merchant, user, code, request_id))
        if isinstance(used, RedemptionRefusal):
            return _till(row, used, merchant)
        if used != before:
            await _keep_use(connection, actor, user, used)
        return _till({**dict(row), "used_at": used.used_at, "used_by": used.used_by}, None, merchant)


async def _keep_use(connection: Any, actor: Actor, user: CurrentUser, used: Redemption) -> None:
    assert used.used_at is not None
    try:
        await connection.execute(
            "UPDATE redemptions SET state = 'used', used_at = $2, used_by = $3, used_request = $4, used_staff = $5"
            " WHERE redemption_id = $1",
            *(used.redemption_id, used.used_at, used.used_by, used.used_request, user.user_id),
        )
    except asyncpg.UniqueViolationError as error:
        raise Problem("key_reused") from error
    await write_audit(
        connection,
        at=used.used_at,
        actor=actor,
        action="redemption_used",
        subject=("redemption", used.redemption_id),
        after={"merchant": used.used_by},
    )


def _hashed(given: Services, code: str) -> bytes:
    return code_book(given, PURPOSE).hashed(code)


def _request(given: Services, merchant: str, user: CurrentUser, code: str, request_id: str) -> UseRequest:
    return UseRequest(
        hashed_code=_hashed(given, code),
        merchant_id=merchant,
        request_id=request_id,
        staff_id=user.user_id,
        at=given.clock(),
    )


def _redemption(row: Any) -> Redemption:
    return Redemption(
        redemption_id=row["redemption_id"],
        item_id=row["item_id"],
        person_id=row["person"],
        price_points=row["price_points"],
        state=State(row["state"]),
        reserved_at=row["reserved_at"],
        ends_at=row["ends_at"],
        code_hash=row["code_hash"] or b"",
        used_at=row["used_at"],
        used_by=row["used_by"],
        used_request=row["used_request"],
    )


def _till(row: Any, refused: RedemptionRefusal | None, merchant: str = "") -> TillCheck:
    reason = None if refused is None else said(REDEMPTIONS, refused.reason)
    if row is None or (refused is not None and refused.reason is RedemptionRefused.OTHER_MERCHANT):
        return TillCheck(False, reason, None, "", "", None, None)
    return TillCheck(
        ok=refused is None,
        reason=reason,
        redemption_id=row["redemption_id"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        ends_at=row["ends_at"],
        used_at=row["used_at"],
        used_here=bool(row["used_by"]) and row["used_by"] == merchant,
    )


# ---------------------------------------------------------------- what comes back


async def return_due(given: Services) -> int:
    """Expires what was not used in time and gives stock and points back, each in its transaction; how many."""
    due = await given.pool.fetch(
        "SELECT redemption_id, person FROM redemptions"
        " WHERE ends_at <= $1 AND state IN ('reserved', 'issued', 'expired') ORDER BY ends_at LIMIT $2",
        *(given.clock(), RETURNS_A_ROUND),
    )
    done = 0
    for one in due:
        async with given.change() as connection:
            await lock_person(connection, one["person"])
            done += await _return(given, connection, one["redemption_id"], given.clock())
    return done


async def _return(given: Services, connection: Any, redemption_id: str, now: datetime) -> bool:
    """Whether it came back now; False when a till or another worker was first."""
    found = await connection.fetchrow("SELECT item_id FROM redemptions WHERE redemption_id = $1", redemption_id)
    await connection.execute("SELECT 1 FROM catalogue_items WHERE item_id = $1 FOR UPDATE", found["item_id"])
    row = await connection.fetchrow("SELECT * FROM redemptions WHERE redemption_id = $1 FOR UPDATE", redemption_id)
    held = _redemption(row)
    if held.state is State.ISSUED:
        expired = redemption.expire(held, now)
        if isinstance(expired, RedemptionRefusal):
            return False
        held = expired
    back = redemption.give_back(held)
    if isinstance(back, RedemptionRefusal):
        return False
    rules = await point_rules(connection)

    def make(_: Any, at: datetime) -> Any:
        stamp = entries.Stamp(at, "cloud", "not used in time")
        return entries.returned(back, stamp, rules.at(day_of(given, at)))

    ids = (f"return:{redemption_id}", f"redeem:{redemption_id}")
    await book.post(connection, row["person"], now, make, ids=ids)
    await connection.execute(
        "UPDATE redemptions SET state = $2, returned_at = $3, code_hash = NULL WHERE redemption_id = $1",
        *(redemption_id, back.state.value, now),
    )
    await connection.execute("UPDATE catalogue_items SET taken = taken - 1 WHERE item_id = $1", row["item_id"])
    return True
