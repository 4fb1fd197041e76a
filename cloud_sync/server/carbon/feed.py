"""The feed for a carbon-footprint platform (管理办法 art. 20): owns its rows, its cursor, and who may read it.

Every hour becomes a row of each kind when it is over and the feed's delay has passed: passages counted without any
plate, electricity, charging, fuel of visits, shuttle rides. Its `known_frac` tells a calm hour (1) from a silent one
(0). What arrives later changes an hour: then the hour is written again as its next revision, and the newest revision
counts. Rows are numbered under a lock in the order in which they commit, so that a cursor never skips one and never
meets one twice; no row is ever changed.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import uuid_utils
from fastapi import Depends, Request

from cloud_sync.server.auth import token_hash
from cloud_sync.server.carbon import gate_hours, shuttle_rides
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import Actor, write_audit

ROWS_MAX = 1000
HOUR = timedelta(hours=1)
WRITE_EVERY_S = 300.0
NAME_MAX = 80
_FEED_LOCK = 7_301_020
_TOKEN_SEEN_EVERY = timedelta(minutes=1)
Bodies = dict[datetime, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One hour of one kind. A higher `revision` of the same kind and hour takes the place of the lower one."""

    seq: int
    kind: str
    starts_at: datetime
    ends_at: datetime
    revision: int
    written_at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Rows after a cursor, in order. `cursor` is the last row's number, or the asked one where there is none."""

    rows: tuple[FeedRow, ...]
    cursor: int
    more: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A platform that may read the feed."""

    token_id: str
    name: str
    made_at: datetime
    made_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class KindTold:
    """How complete a kind is: hours written of those asked, hours of which nothing is known, the known part of all."""

    hours: int
    hours_asked: int
    hours_silent: int
    known_frac: float
    revisions_max: int


# ---------------------------------------------------------------- writing rows


async def run(given: Services) -> None:
    """Writes rows every few minutes, for ever."""
    while True:
        await write_rows(given)
        await asyncio.sleep(WRITE_EVERY_S)


async def write_rows(given: Services) -> int:
    """Writes what is new or different since the last time; how many rows. One writer at a time."""
    now, written = given.clock(), 0
    async with given.change() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _FEED_LOCK)
        since, until = await written_span(given, connection)
        hours = [since + HOUR * one for one in range(int((until - since) / HOUR))]
        shares = await _known(connection, since, until)
        for kind, made in _KINDS.items():
            known, told = await _newest(connection, kind, since, until), await made(connection, since, until)
            bodies = {at: _EMPTY[kind] | {"known_frac": shares[kind](at)} | told.get(at, {}) for at in hours}
            fresh = [(at, body) for at, body in bodies.items() if known.get(at, (0, None))[1] != body]
            written += await _append(
                connection, kind, [(at, known.get(at, (0, None))[0] + 1, one) for at, one in fresh], now
            )
    return written


async def written_span(given: Services, db: Any) -> tuple[datetime, datetime]:
    """The hours that are written again when they change; none lies before the island told anything."""
    wanted = given.config.reports
    until = _hour(given.clock() - timedelta(seconds=wanted.feed_delay_s))
    firsts = [
        await gate_hours.first_told(db),
        await db.fetchval("SELECT min(at) FROM energy_samples WHERE period_s = 900"),
        await db.fetchval("SELECT min(arrived_at) FROM passages"),
    ]
    first = min((_hour(one) for one in firsts if one is not None), default=until)
    return min(until, max(first, until - timedelta(days=wanted.feed_recompute_days))), until


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def _known(db: Any, since: datetime, until: datetime) -> dict[str, Callable[[datetime], float]]:
    """Which part of an hour is known, by kind: of gates, of microgrids. Rides are proved here, at any time."""
    gates = {at: round(float(one), 4) for at, one in (await gate_hours.told(db, since, until)).items()}
    grids = await _grids(db)
    rows = await db.fetch(
        "SELECT date_trunc('hour', at, 'UTC') AS at, count(*) AS quarters FROM energy_samples"
        " WHERE period_s = 900 AND at >= $1 AND at < $2 GROUP BY 1",
        *(since, until),
    )
    energy = {row["at"]: _quarters_frac(row["quarters"], grids) for row in rows}
    return {
        "passages": lambda at: gates.get(at, 0.0),
        "energy": lambda at: energy.get(at, 0.0),
        "charging": lambda at: energy.get(at, 0.0),
        "visits": lambda at: gates.get(at, 0.0),
        "shuttle": lambda at: 1.0,
    }


async def _grids(db: Any) -> int:
    """How many microgrids ever told a quarter hour; 1 where none did."""
    found: int = await db.fetchval(
        "SELECT count(*) FROM gateways g WHERE EXISTS"
        " (SELECT 1 FROM energy_samples s WHERE s.gateway_id = g.gateway_id AND s.period_s = 900)"
    )
    return max(found, 1)


def _quarters_frac(quarters: int, grids: int) -> float:
    return round(min(1.0, quarters / (4 * grids)), 4)


async def _newest(db: Any, kind: str, since: datetime, until: datetime) -> dict[datetime, tuple[int, dict[str, Any]]]:
    rows = await db.fetch(
        "SELECT DISTINCT ON (starts_at) starts_at, revision, body FROM feed_rows"
        " WHERE kind = $1 AND starts_at >= $2 AND starts_at < $3 ORDER BY starts_at, revision DESC",
        *(kind, since, until),
    )
    return {row["starts_at"]: (row["revision"], as_json(row["body"])) for row in rows}


async def _append(db: Any, kind: str, rows: Sequence[tuple[datetime, int, dict[str, Any]]], now: datetime) -> int:
    first = 1 + int(await db.fetchval("SELECT coalesce(max(seq), 0) FROM feed_rows"))
    await db.executemany(
        "INSERT INTO feed_rows (seq, kind, starts_at, ends_at, revision, body, written_at)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)",
        [
            (seq, kind, at, at + HOUR, revision, json.dumps(body, ensure_ascii=False, sort_keys=True), now)
            for seq, (at, revision, body) in enumerate(rows, first)
        ],
    )
    return len(rows)


async def _passages(db: Any, since: datetime, until: datetime) -> Bodies:
    """Vehicles by gate, direction, drive and outcome; no plate, no single time."""
    rows = await db.fetch(
        "SELECT date_trunc('hour', arrived_at, 'UTC') AS at, gate_id, direction,"
        " coalesce(verdict, 'unread') AS verdict, final_outcome AS outcome, count(*) AS vehicles"
        " FROM passages WHERE arrived_at >= $1 AND arrived_at < $2"
        " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        *(since, until),
    )
    found: Bodies = {}
    for row in rows:
        body = found.setdefault(row["at"], {"counts": []})
        body["counts"].append({name: row[name] for name in ("gate_id", "direction", "verdict", "outcome", "vehicles")})
    return found


_FLOWS = ("pv", "load", "ev", "charged", "discharged", "imported", "exported")


async def _energy(db: Any, since: datetime, until: datetime) -> Bodies:
    """Electricity of the quarter hours that are known; an hour is known as far as its least known flow."""
    sums = ", ".join(f"sum({one}_kwh::float8) AS {one}, count({one}_kwh) AS {one}_known" for one in _FLOWS)
    grids = await _grids(db)
    rows = await db.fetch(
        f"SELECT date_trunc('hour', at, 'UTC') AS at, {sums} FROM energy_samples"
        " WHERE period_s = 900 AND at >= $1 AND at < $2 GROUP BY 1",
        *(since, until),
    )
    found: Bodies = {}
    for row in rows:
        known = {one: _quarters_frac(row[f"{one}_known"], grids) for one in _FLOWS}
        flows = {one: None if row[one] is None else round(row[one], 3) for one in _FLOWS}
        body = {one: {"kwh": flows[one], "known_frac": known[one]} for one in _FLOWS}
        found[row["at"]] = {**body, "known_frac": min(known.values())}
    return found


async def _charging(db: Any, since: datetime, until: datetime) -> Bodies:
    """Charging sessions by the hour in which they ended: into vehicles, and back out of them (V2G)."""
    rows = await db.fetch(
        "SELECT date_trunc('hour', ended_at, 'UTC') AS at, count(*) AS sessions, sum(energy_kwh::float8) AS charged,"
        " sum(fed_back_kwh::float8) AS fed_back FROM charging_sessions"
        " WHERE ended_at >= $1 AND ended_at < $2 GROUP BY 1",
        *(since, until),
    )
    return {
        row["at"]: {
            "sessions_ended": row["sessions"],
            "charged_kwh": round(row["charged"], 3),
            "v2g_kwh": round(row["fed_back"], 3),
        }
        for row in rows
    }


async def _visits(db: Any, since: datetime, until: datetime) -> Bodies:
    """What fuel vehicles emitted, by the hour in which their visit ended."""
    rows = await db.fetch(
        "SELECT date_trunc('hour', at, 'UTC') AS at, count(*) FILTER (WHERE problem = '') AS visits,"
        " count(*) FILTER (WHERE problem <> '') AS unknown, sum(owed_g)::bigint AS grams,"
        " sum(covered_g)::bigint AS covered_g FROM visit_accounts"
        " WHERE at >= $1 AND at < $2 AND NOT information GROUP BY 1",
        *(since, until),
    )
    return {
        row["at"]: {
            "visits": row["visits"],
            "visits_without_figure": row["unknown"],
            "emitted_g": row["grams"],
            "offset_g": row["covered_g"],
        }
        for row in rows
    }


_KINDS: dict[str, Callable[[Any, datetime, datetime], Awaitable[Bodies]]] = {
    "passages": _passages,
    "energy": _energy,
    "charging": _charging,
    "visits": _visits,
    "shuttle": shuttle_rides.by_hour,
}
KINDS = tuple(_KINDS)
# An hour in which nothing happened, or of which nothing was told: `known_frac` says which.
_EMPTY: dict[str, dict[str, Any]] = {
    "passages": {"counts": []},
    "energy": {one: {"kwh": None, "known_frac": 0.0} for one in _FLOWS},
    "charging": {"sessions_ended": 0, "charged_kwh": 0.0, "v2g_kwh": 0.0},
    "visits": {"visits": 0, "visits_without_figure": 0, "emitted_g": 0, "offset_g": 0},
    "shuttle": shuttle_rides.EMPTY,
}


# ---------------------------------------------------------------- reading


async def page_after(db: Reader, cursor: int, *, limit: int, kinds: Sequence[str] = ()) -> FeedPage:
    """The rows after `cursor`, of some kinds or of all."""
    rows = await db.fetch(
        "SELECT seq, kind, starts_at, ends_at, revision, written_at, body FROM feed_rows"
        " WHERE seq > $1 AND ($2::text[] = '{}' OR kind = ANY($2::text[])) ORDER BY seq LIMIT $3",
        *(cursor, list(kinds), min(limit, ROWS_MAX) + 1),
    )
    shown = rows[: min(limit, ROWS_MAX)]
    found = tuple(FeedRow(**{**dict(row), "body": as_json(row["body"])}) for row in shown)
    return FeedPage(found, found[-1].seq if found else cursor, len(rows) > len(shown))


async def completeness(db: Reader, since: datetime, until: datetime) -> dict[str, KindTold]:
    """How complete each kind is, by the newest revision of each hour. An hour that is not written is not known."""
    rows = await db.fetch(
        "SELECT kind, count(*) AS hours, count(*) FILTER (WHERE known = 0) AS silent, sum(known) AS known,"
        " max(revision) AS revisions FROM (SELECT DISTINCT ON (kind, starts_at) kind, revision,"
        " (body ->> 'known_frac')::float8 AS known FROM feed_rows WHERE starts_at >= $1 AND starts_at < $2"
        " ORDER BY kind, starts_at, revision DESC) newest GROUP BY kind",
        *(since, until),
    )
    asked, told = int((until - since) / HOUR), {row["kind"]: row for row in rows}
    return {kind: _kind_told(told.get(kind), asked) for kind in KINDS}


def _kind_told(row: Any, asked: int) -> KindTold:
    if row is None:
        return KindTold(0, asked, asked, 0.0, 0)
    part = round(min(1.0, row["known"] / max(asked, 1)), 4)
    return KindTold(row["hours"], asked, row["silent"] + max(0, asked - row["hours"]), part, row["revisions"])


# ---------------------------------------------------------------- who may read


async def make_token(given: Services, actor: Actor, name: str) -> tuple[str, str]:
    """A new token for a platform: its id, and the token, which is shown once and kept as a hash. Raises Problem."""
    text = name.strip()[:NAME_MAX]
    if not text:
        raise Problem("invalid", detail="name")
    now, token_id, token = given.clock(), str(uuid_utils.uuid7()), secrets.token_urlsafe(32)
    async with given.change() as connection:
        await connection.execute(
            "INSERT INTO feed_tokens (token_id, name, token_hash, made_at, made_by) VALUES ($1, $2, $3, $4, $5)",
            *(token_id, text, token_hash(token), now, actor.username),
        )
        await write_audit(
            connection, at=now, actor=actor, action="feed_token_made", subject=("feed", token_id), after={"name": text}
        )
    return token_id, token


async def revoke_token(given: Services, actor: Actor, token_id: str) -> None:
    """The platform reads no more. Raises Problem."""
    now = given.clock()
    async with given.change() as connection:
        name = await connection.fetchval(
            "UPDATE feed_tokens SET revoked_at = $2, revoked_by = $3 WHERE token_id = $1 AND revoked_at IS NULL"
            " RETURNING name",
            *(token_id, now, actor.username),
        )
        if name is None:
            raise Problem("not_found")
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="feed_token_revoked",
            subject=("feed", token_id),
            before={"name": name},
        )


async def tokens(db: Reader) -> tuple[TokenRow, ...]:
    """All tokens, the newest first."""
    rows = await db.fetch(
        f"SELECT {', '.join(TokenRow.__dataclass_fields__)} FROM feed_tokens ORDER BY made_at DESC LIMIT 100"
    )
    return tuple(TokenRow(**row) for row in rows)


async def platform(request: Request, given: Annotated[Services, Depends(services)]) -> AsyncIterator[str]:
    """FastAPI dependency: the name of the platform whose bearer token this is. Raises Problem."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem("feed_token_unknown")
    row = await given.pool.fetchrow(
        "SELECT token_id, name, last_used_at FROM feed_tokens WHERE token_hash = $1 AND revoked_at IS NULL",
        token_hash(token.strip()),
    )
    if row is None:
        raise Problem("feed_token_unknown")
    now = given.clock()
    if row["last_used_at"] is None or now - row["last_used_at"] >= _TOKEN_SEEN_EVERY:
        await given.pool.execute("UPDATE feed_tokens SET last_used_at = $2 WHERE token_id = $1", row["token_id"], now)
    yield str(row["name"])
