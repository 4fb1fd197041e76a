"""Zero-carbon vouchers (零碳券): owns schemes with a second approver, issuing, spending at the till, taking back.

Fen, never points. Spends are append-only; what is left of a voucher is what its spends say. The code of a voucher is
derived like that of a redemption: its holder reads it here at any time, and only its hash is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.people.members import OrganisationKind, organisation
from cloud_sync.server.points.parts import code_book, grouped_code, qr_svg, refusal, text_of
from cloud_sync.server.points.voucher_records import SchemeRecord, SpendRecord, VoucherCode, VoucherRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.domain.errors import ConfigurationError
from control.points import vouchers as domain
from control.points.redemption import RedemptionRefused
from control.points.vouchers import HolderKind, RewardScheme, Spend, Voucher, VoucherRefused
from control.points.words import REDEMPTIONS, VOUCHERS

PURPOSE = "voucher"
FEN_MAX = 10**12
_PROPOSED_BY = "somebody else"

_VOUCHER = """
SELECT v.*, s.name_zh, s.name_en, o.name AS org_name,
  v.amount_fen - coalesce((SELECT sum(amount_fen) FROM voucher_spends p WHERE p.voucher_id = v.voucher_id), 0)
    AS left_fen
FROM vouchers v JOIN voucher_schemes s USING (scheme_id)
LEFT JOIN organisations o ON v.holder_kind = 'organisation' AND o.org_id = v.holder_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeWish:
    """A scheme to propose. `merchants` are organisations of kind merchant."""

    name_zh: str
    name_en: str
    amounts_fen: tuple[int, ...]
    budget_fen: int
    validity_days: int
    valid_from: datetime
    merchants: tuple[str, ...]
    source: str
    reason: str
    valid_until: datetime | None = None
    in_parts: bool = False
    holders: tuple[HolderKind, ...] = (HolderKind.ORGANISATION,)


# ---------------------------------------------------------------- schemes


async def propose(given: Services, actor: Actor, wish: SchemeWish) -> str:
    """Writes a scheme that waits for its second person; its id. Raises Problem."""
    now, scheme_id = given.clock(), str(uuid_utils.uuid7())
    scheme = RewardScheme(
        scheme_id=scheme_id,
        name_zh=text_of(wish.name_zh),
        name_en=text_of(wish.name_en),
        amounts_fen=frozenset(wish.amounts_fen),
        budget_fen=wish.budget_fen,
        validity_days=wish.validity_days,
        valid_from=wish.valid_from,
        valid_until=wish.valid_until,
        merchants=frozenset(wish.merchants),
        holders=frozenset(wish.holders),
        in_parts=wish.in_parts,
        source=text_of(wish.source),
        author=actor.username,
        approved_by=_PROPOSED_BY,
        reason=text_of(wish.reason),
    )
    try:
        domain.check_scheme(scheme)
    except ConfigurationError as error:
        raise Problem("invalid", detail=str(error)) from error
    async with given.change() as connection:
        for merchant in wish.merchants:
            found = await organisation(connection, merchant)
            if found is None or found.kind != OrganisationKind.MERCHANT.value:
                raise Problem("invalid", detail=f"there is no merchant {merchant}")
        await connection.execute(
            "INSERT INTO voucher_schemes (scheme_id, name_zh, name_en, amounts_fen, budget_fen, validity_days,"
            " valid_from, valid_until, merchants, holders, in_parts, source, reason, author, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            *(scheme_id, scheme.name_zh, scheme.name_en, sorted(scheme.amounts_fen), scheme.budget_fen),
            *(scheme.validity_days, scheme.valid_from, scheme.valid_until, sorted(scheme.merchants)),
            *(sorted(one.value for one in scheme.holders), scheme.in_parts, scheme.source, scheme.reason),
            *(actor.username, now),
        )
        after = {"budget_fen": scheme.budget_fen, "amounts_fen": sorted(scheme.amounts_fen)}
        await _audit(connection, actor, "scheme_proposed", ("voucher_scheme", scheme_id), after, wish.reason, now)
    return scheme_id


async def approve(given: Services, actor: Actor, scheme_id: str) -> None:
    """The second person's word. Raises Problem `same_person` for its author."""
    now = given.clock()
    async with given.change() as connection:
        row = await _scheme_row(connection, scheme_id)
        if row["author"] == actor.username:
            raise Problem("same_person")
        if row["approved_by"] is not None:
            raise Problem("step_refused", why="approved", state="approved")
        await connection.execute(
            "UPDATE voucher_schemes SET approved_by = $2, approved_at = $3 WHERE scheme_id = $1",
            *(scheme_id, actor.username, now),
        )
        await _audit(connection, actor, "scheme_approved", ("voucher_scheme", scheme_id), {}, "", now)


async def end_scheme(given: Services, actor: Actor, scheme_id: str, *, why: str) -> None:
    """Nothing more is issued under it from now on; vouchers that are out keep their time. Raises Problem."""
    reason, now = text_of(why), given.clock()
    async with given.change() as connection:
        row = await _scheme_row(connection, scheme_id)
        if row["valid_until"] is not None and row["valid_until"] <= now:
            raise Problem("step_refused", why="ended", state="ended")
        await connection.execute("UPDATE voucher_schemes SET valid_until = $2 WHERE scheme_id = $1", scheme_id, now)
        await _audit(connection, actor, "scheme_ended", ("voucher_scheme", scheme_id), {}, reason, now)


async def _scheme_row(connection: Any, scheme_id: str) -> Any:
    row = await connection.fetchrow("SELECT * FROM voucher_schemes WHERE scheme_id = $1 FOR UPDATE", scheme_id)
    if row is None:
        raise Problem("not_found")
    return row


async def schemes(db: Reader, now: datetime) -> tuple[SchemeRecord, ...]:
    """Every scheme, the newest first."""
    rows = await db.fetch(
        "SELECT s.*, coalesce(p.spent, 0) AS spent FROM voucher_schemes s LEFT JOIN"
        " (SELECT v.scheme_id, sum(p.amount_fen) AS spent FROM voucher_spends p JOIN vouchers v USING (voucher_id)"
        "   GROUP BY v.scheme_id) p USING (scheme_id) ORDER BY s.created_at DESC, s.scheme_id DESC"
    )
    return tuple(_scheme_record(row, now) for row in rows)


def _scheme_record(row: Any, now: datetime) -> SchemeRecord:
    names = ("scheme_id", "name_zh", "name_en", "budget_fen", "issued_fen", "validity_days", "valid_from")
    more = ("valid_until", "in_parts", "source", "reason", "author", "approved_by", "approved_at")
    return SchemeRecord(
        **{name: row[name] for name in (*names, *more)},
        amounts_fen=tuple(row["amounts_fen"]),
        merchants=tuple(row["merchants"]),
        holders=tuple(row["holders"]),
        spent_fen=int(row["spent"]),
        state=_scheme_state(row, now),
    )


def _scheme_state(row: Any, now: datetime) -> str:
    if row["valid_until"] is not None and row["valid_until"] <= now:
        return "ended"
    if row["approved_by"] is None:
        return "proposed"
    return "coming" if now < row["valid_from"] else "in_force"


def _scheme(row: Any) -> RewardScheme:
    names = ("scheme_id", "name_zh", "name_en", "budget_fen", "validity_days", "valid_from", "valid_until", "in_parts")
    return RewardScheme(
        **{name: row[name] for name in (*names, "source", "author", "reason", "approved_by")},
        amounts_fen=frozenset(row["amounts_fen"]),
        merchants=frozenset(row["merchants"]),
        holders=frozenset(HolderKind(one) for one in row["holders"]),
    )


# ---------------------------------------------------------------- issuing


async def issue(
    given: Services,
    connection: Any,
    actor: Actor,
    user: CurrentUser,
    scheme_id: str,
    *,
    holder_kind: HolderKind,
    holder_id: str,
    amount_fen: int,
) -> VoucherRecord:
    """A new voucher under the lock of its scheme, so that no budget is exceeded. Raises Problem."""
    now = given.clock()
    row = await _scheme_row(connection, scheme_id)
    if row["approved_by"] is None:
        raise refusal(VOUCHERS, VoucherRefused.NOT_IN_FORCE)
    await _check_holder(connection, holder_kind, holder_id)
    issuer = user.org_id if holder_kind is HolderKind.ORGANISATION else user.user_id
    made = domain.issue_voucher(
        _scheme(row),
        voucher_id=str(uuid_utils.uuid7()),
        holder_kind=holder_kind,
        holder_id=holder_id,
        amount_fen=amount_fen,
        issued_by=issuer or user.user_id,
        issued_fen=row["issued_fen"],
        at=now,
    )
    if isinstance(made, VoucherRefused):
        raise refusal(VOUCHERS, made)
    codes = code_book(given, PURPOSE)
    await connection.execute(
        "INSERT INTO vouchers (voucher_id, scheme_id, holder_kind, holder_id, amount_fen, issued_at, valid_until,"
        " issued_by, code_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *(made.voucher_id, scheme_id, holder_kind.value, holder_id, amount_fen, now, made.valid_until),
        *(actor.username, codes.hashed(codes.code(made.voucher_id))),
    )
    await connection.execute(
        "UPDATE voucher_schemes SET issued_fen = issued_fen + $2 WHERE scheme_id = $1", scheme_id, amount_fen
    )
    after = {"scheme": scheme_id, "holder": holder_id, "amount_fen": amount_fen}
    await _audit(connection, actor, "voucher_issued", ("voucher", made.voucher_id), after, "", now)
    row = await connection.fetchrow(f"{_VOUCHER} WHERE v.voucher_id = $1", made.voucher_id)
    return _record(row, now)


async def _check_holder(connection: Any, kind: HolderKind, holder_id: str) -> None:
    if kind is HolderKind.ORGANISATION:
        found = await organisation(connection, holder_id)
        known = found is not None and found.enabled and found.kind == OrganisationKind.APPLICANT.value
    else:
        known = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM users WHERE user_id::text = $1 AND enabled)", holder_id
        )
    if not known:
        raise Problem("invalid", detail="holder_id must name a holder of that kind")


async def _is_on(connection: Any, kind: HolderKind, holder_id: str) -> bool:
    table = "organisations WHERE org_id" if kind is HolderKind.ORGANISATION else "users WHERE user_id::text"
    return bool(await connection.fetchval(f"SELECT enabled FROM {table} = $1", holder_id))


async def vouchers(
    db: Reader,
    now: datetime,
    *,
    scheme_id: str = "",
    holder_id: str = "",
    before: str | None = None,
    limit: int = 100,
) -> tuple[VoucherRecord, ...]:
    """Vouchers, the newest first; `before` is the last id of the page before."""
    rows = await db.fetch(
        f"{_VOUCHER} WHERE ($1 = '' OR v.scheme_id = $1) AND ($2 = '' OR v.holder_id = $2)"
        " AND ($3::text IS NULL OR v.voucher_id < $3) ORDER BY v.voucher_id DESC LIMIT $4",
        *(scheme_id, holder_id, before, limit),
    )
    return tuple(_record(row, now) for row in rows)


def _record(row: Any, now: datetime) -> VoucherRecord:
    left = int(row["left_fen"])
    state = "spent" if left == 0 else "ended" if row["valid_until"] <= now else "valid"
    names = ("voucher_id", "scheme_id", "holder_kind", "holder_id", "amount_fen", "issued_at", "valid_until")
    return VoucherRecord(
        **{name: row[name] for name in names},
        scheme_name_zh=row["name_zh"],
        scheme_name_en=row["name_en"],
        holder_name=row["org_name"] or "",
        left_fen=left,
        state=state,
    )


async def mine(given: Services, user: CurrentUser, *, limit: int = 100) -> tuple[VoucherCode, ...]:
    """What the person or their organisation holds, with the codes to show at a till."""
    rows = await given.pool.fetch(
        f"{_VOUCHER} WHERE (v.holder_kind = 'organisation' AND v.holder_id = $1)"
        " OR (v.holder_kind = 'person' AND v.holder_id = $2) ORDER BY v.voucher_id DESC LIMIT $3",
        *(user.org_id or "", user.user_id, limit),
    )
    codes, now = code_book(given, PURPOSE), given.clock()
    made = ((_record(row, now), codes.code(row["voucher_id"])) for row in rows)
    return tuple(VoucherCode(record, code, grouped_code(code), qr_svg(code)) for record, code in made)


# ---------------------------------------------------------------- the till


async def check(given: Services, code: str) -> VoucherRecord:
    """The voucher of a code, for a till. Raises Problem `points_refused` for a wrong one."""
    row = await given.pool.fetchrow(f"{_VOUCHER} WHERE v.code_hash = $1", code_book(given, PURPOSE).hashed(code))
    if row is None:
        raise refusal(REDEMPTIONS, RedemptionRefused.WRONG_CODE)
    return _record(row, given.clock())


async def spend(
    given: Services, actor: Actor, merchant: str, user: CurrentUser, code: str, amount_fen: int, request_id: str
) -> SpendRecord:
    """Spends fen of a voucher. A merchant's request that is there already gives what was stored. Raises Problem."""
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "SELECT * FROM vouchers WHERE code_hash = $1 FOR UPDATE", code_book(given, PURPOSE).hashed(code)
        )
        if row is None:
            raise refusal(REDEMPTIONS, RedemptionRefused.WRONG_CODE)
        elsewhere = await connection.fetchval(
            "SELECT voucher_id FROM voucher_spends WHERE merchant = $1 AND request_id = $2 AND reverses IS NULL",
            *(merchant, request_id),
        )
        if elsewhere is not None and elsewhere != row["voucher_id"]:
            raise Problem("key_reused")
        scheme = await connection.fetchrow("SELECT * FROM voucher_schemes WHERE scheme_id = $1", row["scheme_id"])
        there = await _spends(connection, row["voucher_id"])
        asked = Spend(
            spend_id=str(uuid_utils.uuid7()),
            voucher_id=row["voucher_id"],
            merchant_id=merchant,
            request_id=request_id,
            amount_fen=amount_fen,
            at=now,
        )
        done = domain.spend(_voucher(row), _scheme(scheme), there, asked)
        if isinstance(done, VoucherRefused):
            raise refusal(VOUCHERS, done)
        if done is asked:
            if not await _is_on(connection, HolderKind(row["holder_kind"]), row["holder_id"]):
                raise refusal(VOUCHERS, VoucherRefused.HOLDER_OFF)
            there = (*there, done)
            await _keep(connection, actor, user, done, "voucher_spent", "")
        return _spend_record(done, domain.left_fen(_voucher(row), there))


async def take_back(
    given: Services, actor: Actor, user: CurrentUser, spend_id: str, *, merchant: str | None, why: str
) -> SpendRecord:
    """Takes a spend back, once; `merchant` None is the office. Asked again, it is the one that is there."""
    reason, now = text_of(why), given.clock()
    async with given.change() as connection:
        voucher_id = await connection.fetchval(
            "SELECT voucher_id FROM voucher_spends WHERE spend_id = $1 AND ($2::text IS NULL OR merchant = $2)",
            *(spend_id, merchant),
        )
        row = await connection.fetchrow("SELECT * FROM vouchers WHERE voucher_id = $1 FOR UPDATE", voucher_id)
        if row is None:
            raise Problem("not_found")
        there = await _spends(connection, row["voucher_id"])
        back = domain.take_back(there, spend_id, reversal_id=f"{spend_id}-back", at=now)
        if isinstance(back, VoucherRefused):
            raise refusal(VOUCHERS, back)
        if back not in there:
            there = (*there, back)
            await _keep(connection, actor, user, back, "voucher_taken_back", reason)
        return _spend_record(back, domain.left_fen(_voucher(row), there))


async def _spends(connection: Any, voucher_id: str) -> tuple[Spend, ...]:
    rows = await connection.fetch(
        "SELECT spend_id, voucher_id, merchant AS merchant_id, request_id, amount_fen, at, reverses"
        " FROM voucher_spends WHERE voucher_id = $1 ORDER BY at, spend_id",
        voucher_id,
    )
    return tuple(Spend(**row) for row in rows)


async def _keep(connection: Any, actor: Actor, user: CurrentUser, one: Spend, action: str, why: str) -> None:
    await connection.execute(
        "INSERT INTO voucher_spends (spend_id, voucher_id, merchant, request_id, amount_fen, at, staff, reverses)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(one.spend_id, one.voucher_id, one.merchant_id, one.request_id, one.amount_fen, one.at, user.user_id),
        one.reverses,
    )
    after = {"merchant": one.merchant_id, "amount_fen": one.amount_fen, "spend": one.spend_id}
    await _audit(connection, actor, action, ("voucher", one.voucher_id), after, why, one.at)


def _voucher(row: Any) -> Voucher:
    names = ("voucher_id", "scheme_id", "holder_id", "amount_fen", "issued_at", "valid_until", "issued_by")
    return Voucher(**{name: row[name] for name in names}, holder_kind=HolderKind(row["holder_kind"]))


def _spend_record(one: Spend, left_fen: int) -> SpendRecord:
    return SpendRecord(
        spend_id=one.spend_id,
        voucher_id=one.voucher_id,
        merchant=one.merchant_id,
        request_id=one.request_id,
        amount_fen=one.amount_fen,
        left_fen=left_fen,
        at=one.at,
        reverses=one.reverses,
    )


async def _audit(
    connection: Any,
    actor: Actor,
    action: str,
    subject: tuple[str, str],
    after: dict[str, Any],
    why: str,
    now: datetime,
) -> None:
    await write_audit(connection, at=now, actor=actor, action=action, subject=subject, after=after, why=why)
