"""Every read of the store: owns the SQL that console pages and the JSON API share. Writes are in `store`.

The office's reads live in `queries_office` and are offered here too.

`db` is an asyncpg pool or connection. `now` is the caller's clock. Lists have a limit; searches go page by page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.paging import cursor_of, place_of
from cloud_sync.server.queries_office import (
    audit,
    permit,
    permit_snapshot,
    permits,
    possible_permits,
    rule_rows,
    users,
    watch_list,
)
from cloud_sync.server.records import (
    AlarmRecord,
    CharacterRecord,
    CommandRecord,
    CorrectionRecord,
    EventRecord,
    GateStats,
    GatewayRecord,
    Hold,
    LaneRecord,
    Liveness,
    MediaRecord,
    MinuteCount,
    PassageDetail,
    PassageFilter,
    PassagePage,
    PassageRecord,
    ReasonRecord,
    RevisionRecord,
    StoredMedia,
)
from cloud_sync.server.sql import Reader, as_json, like_pattern
from control.domain.plates import normalise

__all__ = [
    "Reader",
    "alarms",
    "audit",
    "command",
    "events_applied",
    "gate_stats",
    "gateways",
    "holds",
    "holds_count",
    "lanes",
    "liveness",
    "passage",
    "passage_detail",
    "passages_recent",
    "permit",
    "permit_snapshot",
    "permits",
    "possible_permits",
    "rule_rows",
    "search",
    "search_all",
    "search_counts",
    "stored_media",
    "users",
    "watch_list",
]

LIVE_S = 5.0
LOST_S = 30.0
NEAR_EDITS_MAX = 2
_OUTCOMES = ("admit", "admit_under_permit", "hold", "refuse")
_WAITING = "p.outcome = 'hold' AND p.guard_outcome IS NULL AND p.movement IS NULL"


# ---------------------------------------------------------------- passages


async def passages_recent(db: Reader, *, lane_id: str = "", limit: int = 50) -> tuple[PassageRecord, ...]:
    """The newest arrivals, newest first; with `lane_id` of one lane alone."""
    rows = await db.fetch(
        "SELECT p.* FROM passages p WHERE $1 = '' OR p.lane_id = $1"
        " ORDER BY p.arrived_at DESC, p.arrival_id DESC LIMIT $2",
        lane_id,
        limit,
    )
    return tuple(_passage(row) for row in rows)


async def passage(db: Reader, arrival_id: str) -> PassageRecord | None:
    """One arrival as a list shows it."""
    row = await db.fetchrow("SELECT p.* FROM passages p WHERE p.arrival_id = $1", arrival_id)
    return _passage(row) if row else None


async def holds(db: Reader, *, now: datetime, limit: int = 50) -> tuple[Hold, ...]:
    """Vehicles that wait for a person, the longest wait first."""
    rows = await db.fetch(
        f"SELECT p.* FROM passages p WHERE {_WAITING} ORDER BY p.arrived_at, p.arrival_id LIMIT $1", limit
    )
    commands = await _commands(db, [row["arrival_id"] for row in rows])
    latest = {command.arrival_id: command for command in commands}
    return tuple(_hold(row, now, latest) for row in rows)


async def holds_count(db: Reader) -> int:
    """How many wait."""
    return int(await db.fetchval(f"SELECT count(*) FROM passages p WHERE {_WAITING}"))


def _hold(row: Any, now: datetime, latest: dict[str, CommandRecord]) -> Hold:
    waiting_s = max(0.0, (now - row["arrived_at"]).total_seconds())
    return Hold(_passage(row), waiting_s, latest.get(row["arrival_id"]))


async def search(db: Reader, wanted: PassageFilter, *, cursor: str | None = None, limit: int = 50) -> PassagePage:
    """One page of the arrivals that match, newest first. Raises Problem `bad_cursor`."""
    where, args = _where(wanted)
    at, arrival_id = place_of(cursor)
    if at is not None:
        args += [at, arrival_id]
        where.append(f"(p.arrived_at, p.arrival_id) < (${len(args) - 1}, ${len(args)})")
    args.append(limit + 1)
    rows = await db.fetch(_search_sql(where) + f" LIMIT ${len(args)}", *args)
    items = tuple(_passage(row) for row in rows[:limit])
    more = len(rows) > limit
    return PassagePage(items, cursor_of(items[-1].arrived_at, items[-1].arrival_id) if more else None)


async def search_counts(db: Reader, wanted: PassageFilter) -> dict[str, int]:
    """How many match by final outcome, whatever outcome is wanted."""
    where, args = _where(replace(wanted, outcomes=()))
    rows = await db.fetch(
        f"SELECT p.final_outcome, count(*) AS n FROM passages p WHERE {' AND '.join(where) or 'true'} GROUP BY 1", *args
    )
    return {one: 0 for one in _OUTCOMES} | {row["final_outcome"]: row["n"] for row in rows}


async def search_all(
    connection: Any, wanted: PassageFilter, *, rows_max: int = 1_000_000
) -> AsyncIterator[PassageRecord]:
    """Every match, newest first, through a database cursor; `connection` must be inside a transaction."""
    where, args = _where(wanted)
    args.append(rows_max)
    async for row in connection.cursor(_search_sql(where) + f" LIMIT ${len(args)}", *args, prefetch=500):
        yield _passage(row)


def _search_sql(where: Sequence[str]) -> str:
    condition = " AND ".join(where) or "true"
    return f"SELECT p.* FROM passages p WHERE {condition} ORDER BY p.arrived_at DESC, p.arrival_id DESC"


def _where(wanted: PassageFilter) -> tuple[list[str], list[Any]]:
    """Conditions and their arguments; nothing that a person typed becomes part of the SQL."""
    where: list[str] = []
    args: list[Any] = []

    def add(condition: str, value: Any) -> None:
        args.append(value)
        where.append(condition.replace("?", f"${len(args)}"))

    if wanted.plate:
        _add_plate(add, wanted)
    if wanted.from_at:
        add("p.arrived_at >= ?", wanted.from_at)
    if wanted.until_at:
        add("p.arrived_at < ?", wanted.until_at)
    for column in ("gate_id", "lane_id"):
        if getattr(wanted, column):
            add(f"p.{column} = ?", getattr(wanted, column))
    for column, values in (
        ("final_outcome", wanted.outcomes),
        ("plate_kind", wanted.kinds),
        ("verdict", wanted.verdicts),
    ):
        if values:
            add(f"p.{column} = ANY(?::text[])", list(values))
    if wanted.manual:
        where.append("p.guard_outcome IS NOT NULL")
    return where, args


def _add_plate(add: Any, wanted: PassageFilter) -> None:
    text = normalise(wanted.plate)
    if wanted.near:
        add(
            f"(levenshtein(p.plate, ?) <= {NEAR_EDITS_MAX} OR levenshtein(p.raw_plate, ?) <= {NEAR_EDITS_MAX})",
            text[:16],
        )
    else:
        add("(p.plate LIKE ? OR p.raw_plate LIKE ?)", f"%{like_pattern(text)}%")


_MADE = frozenset({"reasons", "characters", "quad", "suggestions", "waiting", "anonymised"})  # not columns as they are


def _passage(row: Any) -> PassageRecord:
    reading = as_json(row["reading"])
    names = PassageRecord.__dataclass_fields__.keys() - _MADE
    return PassageRecord(
        **{name: row[name] for name in names},
        reasons=tuple(_reason(one) for one in as_json(row["reasons"])),
        characters=_characters(reading),
        quad=_quad(reading),
        suggestions=tuple(row["suggestions"]),
        waiting=row["outcome"] == "hold" and row["guard_outcome"] is None and row["movement"] is None,
        anonymised=row["anonymised_at"] is not None,
    )


def _reason(raw: dict[str, Any]) -> ReasonRecord:
    return ReasonRecord(str(raw.get("code", "")), str(raw.get("clause", "")), str(raw.get("detail", "")))


def _characters(reading: dict[str, Any] | None) -> tuple[CharacterRecord, ...]:
    raw = (reading or {}).get("characters")
    if not isinstance(raw, list):
        return ()
    return tuple(_character(one) for one in raw if isinstance(one, dict))


def _quad(reading: dict[str, Any] | None) -> tuple[tuple[float, float], ...] | None:
    """The plate's corners in the frame's pixels, or None when there are not four."""
    raw = (reading or {}).get("quad")
    if not isinstance(raw, list) or len(raw) != 4:
        return None
    if not all(isinstance(one, list) and [type(n) in (int, float) for n in one] == [True, True] for one in raw):
        return None
    return tuple((float(x), float(y)) for x, y in raw)


def _character(raw: dict[str, Any]) -> CharacterRecord:
    alternatives = raw.get("alternatives")
    pairs = (
        [one for one in alternatives if isinstance(one, list) and len(one) == 2]
        if isinstance(alternatives, list)
        else []
    )
    return CharacterRecord(
        str(raw.get("char", "")),
        _number(raw.get("probability")),
        tuple((str(char), _number(probability)) for char, probability in pairs),
    )


def _number(value: Any) -> float:
    return float(value) if type(value) in (int, float) else 0.0


# ---------------------------------------------------------------- one passage


async def passage_detail(db: Reader, arrival_id: str, *, now: datetime) -> PassageDetail | None:
    """Everything about one arrival, or None. The caller audits that it was opened."""
    row = await db.fetchrow("SELECT p.* FROM passages p WHERE p.arrival_id = $1", arrival_id)
    if row is None:
        return None
    record = _passage(row)
    same = ("snapshot_version", "record_emission", "guard_reason", "guard_note", "guard_source")
    barrier = ("barrier_action", "barrier_cause", "barrier_at", "barrier_outcome", "barrier_detail")
    return PassageDetail(
        passage=record,
        reading=as_json(row["reading"]),
        vehicle=as_json(row["vehicle"]),
        **{name: row[name] for name in (*same, *barrier)},
        corrections=await _corrections(db, arrival_id),
        revisions=await _revisions(db, arrival_id),
        commands=await _commands(db, [arrival_id]),
        media=await _media(db, arrival_id),
        events=await _events(db, row["gateway_id"], arrival_id),
        audit=await audit(db, subject_kind="passage", subject_id=arrival_id),
        possible_permits=await possible_permits(db, record.plate, record.suggestions, now=now),
        earlier=await _earlier(db, record),
    )


async def _corrections(db: Reader, arrival_id: str) -> tuple[CorrectionRecord, ...]:
    rows = await db.fetch(
        "SELECT raw_text, corrected_text, by, source, note, at FROM corrections"
        " WHERE arrival_id = $1 ORDER BY recorded_at, correction_id",
        arrival_id,
    )
    return tuple(CorrectionRecord(**row) for row in rows)


async def _revisions(db: Reader, arrival_id: str) -> tuple[RevisionRecord, ...]:
    rows = await db.fetch(
        "SELECT outcome, reason_code, note, by, source, at FROM revisions"
        " WHERE arrival_id = $1 ORDER BY recorded_at, revision_id",
        arrival_id,
    )
    return tuple(RevisionRecord(**row) for row in rows)


_COMMAND_COLUMNS = ", ".join(CommandRecord.__dataclass_fields__)


async def _commands(db: Reader, arrival_ids: list[str]) -> tuple[CommandRecord, ...]:
    rows = await db.fetch(
        f"SELECT {_COMMAND_COLUMNS} FROM commands WHERE arrival_id = ANY($1::text[]) ORDER BY issued_at", arrival_ids
    )
    return tuple(CommandRecord(**row) for row in rows)


async def command(db: Reader, command_id: str) -> CommandRecord | None:
    """One order and what became of it."""
    row = await db.fetchrow(f"SELECT {_COMMAND_COLUMNS} FROM commands WHERE command_id = $1", command_id)
    return CommandRecord(**row) if row else None


async def _media(db: Reader, arrival_id: str) -> tuple[MediaRecord, ...]:
    rows = await db.fetch(
        "SELECT l.sha256, l.role, l.at, m.media_type, m.size_bytes,"
        " m.stored_at IS NOT NULL AND m.deleted_at IS NULL AS available"
        " FROM media_links l LEFT JOIN media m USING (sha256) WHERE l.arrival_id = $1 ORDER BY l.at, l.sha256",
        arrival_id,
    )
    return tuple(MediaRecord(**row) for row in rows)


async def events_applied(db: Reader, *, timeout_s: float) -> int:
    """How many events of all gateways were taken in."""
    return int(await db.fetchval("SELECT coalesce(sum(applied_seq), 0)::bigint FROM cursors", timeout=timeout_s))


async def stored_media(db: Reader, sha256: str) -> StoredMedia | None:
    """A picture whose bytes are here."""
    row = await db.fetchrow(
        "SELECT sha256, media_type, size_bytes FROM media"
        " WHERE sha256 = $1 AND stored_at IS NOT NULL AND deleted_at IS NULL",
        sha256,
    )
    return StoredMedia(**row) if row else None


async def _events(db: Reader, gateway_id: str, arrival_id: str) -> tuple[EventRecord, ...]:
    """What the gateway journalled about it, in journal order. The body of the decision carries the raw reading."""
    rows = await db.fetch(
        "SELECT kind, wall_at, received_at, body FROM events"
        " WHERE gateway_id = $1 AND body ? 'arrival_id' AND body ->> 'arrival_id' = $2"
        " ORDER BY epoch, hlc, lane, seq LIMIT 200",
        gateway_id,
        arrival_id,
    )
    return tuple(EventRecord(row["kind"], row["wall_at"], row["received_at"], as_json(row["body"])) for row in rows)


async def _earlier(db: Reader, record: PassageRecord) -> tuple[PassageRecord, ...]:
    if not record.plate:
        return ()
    rows = await db.fetch(
        "SELECT p.* FROM passages p WHERE p.plate = $1 AND p.arrived_at < $2 ORDER BY p.arrived_at DESC LIMIT 8",
        record.plate,
        record.arrived_at,
    )
    return tuple(_passage(row) for row in rows)


# ---------------------------------------------------------------- figures


async def gate_stats(db: Reader, *, now: datetime, today_from: datetime) -> GateStats:
    """The last 60 minutes and today. The share of new energy counts only vehicles whose plate was sure."""
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=59)
    rows = await db.fetch(
        "SELECT date_trunc('minute', arrived_at) AS minute, final_outcome, count(*) AS n FROM passages"
        " WHERE arrived_at >= $1 AND arrived_at < $1::timestamptz + interval '60 minutes' GROUP BY 1, 2",
        start,
    )
    today = await db.fetch(
        "SELECT final_outcome, count(*) AS n, count(*) FILTER (WHERE verdict = 'new_energy') AS clean,"
        " count(*) FILTER (WHERE verdict IN ('new_energy', 'fuel', 'special')) AS sure"
        " FROM passages WHERE arrived_at >= $1 GROUP BY 1",
        today_from,
    )
    by_minute = {(row["minute"], row["final_outcome"]): row["n"] for row in rows}
    minutes = tuple(_minute(start + timedelta(minutes=i), by_minute) for i in range(60))
    sure = sum(row["sure"] for row in today)
    return GateStats(
        minutes=minutes,
        hour_by_outcome={one: sum(getattr(minute, one) for minute in minutes) for one in _OUTCOMES},
        today_count=sum(row["n"] for row in today),
        today_by_outcome={one: sum(row["n"] for row in today if row["final_outcome"] == one) for one in _OUTCOMES},
        new_energy_share_frac=sum(row["clean"] for row in today) / sure if sure else None,
    )


def _minute(minute: datetime, counts: dict[tuple[datetime, str], int]) -> MinuteCount:
    return MinuteCount(minute, **{one: counts.get((minute, one), 0) for one in _OUTCOMES})


# ---------------------------------------------------------------- gateways


def liveness(age_s: float | None) -> Liveness:
    """Live up to 5 s, stale up to 30 s, then lost."""
    if age_s is None:
        return Liveness.NEVER
    if age_s <= LIVE_S:
        return Liveness.LIVE
    return Liveness.STALE if age_s <= LOST_S else Liveness.LOST


async def lanes(db: Reader, *, now: datetime) -> tuple[LaneRecord, ...]:
    """Every lane that a gateway has told of, by gate and lane."""
    rows = await db.fetch(
        "SELECT l.*, h.received_at AS heard_at,"
        " (SELECT count(*) FROM passages p WHERE p.gateway_id = l.gateway_id AND p.lane_id = l.lane_id"
        f" AND {_WAITING}) AS waiting_count"
        " FROM lanes l LEFT JOIN gateway_health h USING (gateway_id) ORDER BY l.gate_id, l.lane_id"
    )
    return tuple(_lane(row, now) for row in rows)


def _lane(row: Any, now: datetime) -> LaneRecord:
    age_s = _age_s(row["heard_at"], now)
    return LaneRecord(
        **{name: row[name] for name in ("lane_id", "gateway_id", "gate_id", "direction", "name", "state_at")},
        state=as_json(row["state"]),
        age_s=age_s,
        liveness=liveness(age_s),
        waiting_count=row["waiting_count"],
    )


async def gateways(db: Reader, *, now: datetime) -> tuple[GatewayRecord, ...]:
    """Every gateway with its last sign of life, backlog and versions."""
    rows = await db.fetch(
        "SELECT g.gateway_id, g.name, g.enabled, h.software, h.uptime_s, h.backlog, h.snapshot_version,"
        " h.disk_free_frac, greatest(h.received_at, c.last_at) AS last_sign_at,"
        " coalesce(c.applied, 0) AS events_count,"
        " (SELECT count(*) FROM quarantine q WHERE q.gateway_id = g.gateway_id) AS quarantine_count,"
        " (SELECT count(*) FROM alarms a WHERE a.gateway_id = g.gateway_id AND a.cleared_at IS NULL) AS open_alarms,"
        " (SELECT max(version) FROM snapshot_versions) AS snapshot_version_latest"
        " FROM gateways g LEFT JOIN gateway_health h USING (gateway_id)"
        " LEFT JOIN (SELECT gateway_id, max(updated_at) AS last_at, sum(applied_seq)::bigint AS applied"
        "   FROM cursors GROUP BY 1) c USING (gateway_id) ORDER BY g.gateway_id"
    )
    return tuple(_gateway(row, now) for row in rows)


def _gateway(row: Any, now: datetime) -> GatewayRecord:
    age_s = _age_s(row["last_sign_at"], now)
    values = dict(row)
    values["backlog"] = as_json(row["backlog"]) or {}
    return GatewayRecord(**values, age_s=age_s, liveness=liveness(age_s))


def _age_s(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())


async def alarms(db: Reader, *, open_only: bool = False, limit: int = 100) -> tuple[AlarmRecord, ...]:
    """Devices that went, open ones first, then newest first."""
    rows = await db.fetch(
        "SELECT gateway_id, device, lane_id, why, raised_at, cleared_at, after_s FROM alarms"
        " WHERE cleared_at IS NULL OR NOT $1 ORDER BY (cleared_at IS NULL) DESC, raised_at DESC LIMIT $2",
        open_only,
        limit,
    )
    return tuple(AlarmRecord(**row) for row in rows)
