"""How long data stays: owns the daily run by the dated rows of `retention_rules`.

Pictures are deleted; plates are made anonymous in passages and taken out of the bodies of events. Such an event
keeps its hash and is marked `redacted_at`: its neighbours can still be verified, its own bytes no longer.
Telemetry of the microgrid is no personal data but plenty: seconds go before minutes, minutes before quarter hours.
Where several rows apply, the most special one counts: outcome and verdict before outcome before neither.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import structlog

from cloud_sync.server.papers import forgetting as papers_forgetting
from cloud_sync.server.people import tidying
from cloud_sync.server.permits import forgetting
from cloud_sync.server.points import forgetting as points_forgetting
from cloud_sync.server.services import Services

RETENTION_LOCK = 7_301_004
CHUNK = 500
EVENTS_CHUNK = 5000

log = structlog.get_logger()

# The rule that counts for each passage, at $1.
_RULE_OF_PASSAGE = """
  SELECT DISTINCT ON (p.arrival_id) p.arrival_id, r.keep_days
  FROM passages p JOIN retention_rules r ON r.applies_to = $2
    AND r.valid_from <= $1 AND (r.valid_until IS NULL OR r.valid_until > $1)
    AND (cardinality(r.outcomes) = 0 OR p.final_outcome = ANY (r.outcomes))
    AND (cardinality(r.verdicts) = 0 OR p.verdict = ANY (r.verdicts))
  WHERE {todo}
  ORDER BY p.arrival_id, (cardinality(r.outcomes) > 0)::int + (cardinality(r.verdicts) > 0)::int DESC,
    r.valid_from DESC
"""

_REDACT_EVENTS = """
  UPDATE events e SET redacted_at = $2, raw = '', body = e.body || CASE e.kind
    WHEN 'passage_decided' THEN jsonb_build_object('suggestions', '[]'::jsonb, 'pass_shown', NULL, 'plate',
      CASE jsonb_typeof(e.body -> 'plate') WHEN 'object' THEN (e.body -> 'plate') - 'text' - 'characters' END)
    WHEN 'guard_decided' THEN '{"corrected_plate": null, "note": ""}'
    ELSE '{"raw_text": "", "corrected_text": ""}' END
  FROM passages p
  WHERE p.arrival_id = ANY($1::text[]) AND e.gateway_id = p.gateway_id AND e.redacted_at IS NULL
    AND e.body ? 'arrival_id' AND e.body ->> 'arrival_id' = p.arrival_id
    AND e.kind IN ('passage_decided', 'guard_decided', 'plate_corrected')
"""

# By rule: rows of a table, and the events that they came from.
_ENERGY: dict[str, tuple[str, str]] = {
    "energy_seconds": (
        "DELETE FROM energy_samples WHERE period_s < 60 AND at < $1",
        "kind = 'energy_sample' AND (body ->> 'period_s')::numeric < 60",
    ),
    "energy_minutes": (
        "DELETE FROM energy_samples WHERE period_s >= 60 AND period_s < 900 AND at < $1",
        "kind = 'energy_sample' AND (body ->> 'period_s')::numeric BETWEEN 60 AND 899",
    ),
    "energy_quarters": (
        "DELETE FROM energy_samples WHERE period_s >= 900 AND at < $1",
        "kind = 'energy_sample' AND (body ->> 'period_s')::numeric >= 900",
    ),
    "energy_plans": ("DELETE FROM energy_plans WHERE at < $1", "kind = 'energy_planned'"),
}


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """How much one run took away."""

    media_deleted: int
    plates_anonymised: int
    rows_deleted: int


async def run_once(given: Services) -> RetentionResult:
    """One run, at the clock's time. Two at once do no harm; safe to repeat after a crash."""
    now = given.clock()
    media = await _delete_media(given, now)
    plates = await _anonymise(given, now)
    rows = await _delete_rows(given, now)
    result = RetentionResult(media, plates, rows)
    log.info("retention_done", media=media, plates=plates, rows=rows)
    return result


async def _delete_media(given: Services, now: datetime) -> int:
    """A picture goes when every passage that it belongs to lets it go. Files first: a crash repeats the deletion."""
    todo = (
        "EXISTS (SELECT 1 FROM media_links l JOIN media m USING (sha256) WHERE l.arrival_id = p.arrival_id"
        " AND m.stored_at IS NOT NULL AND m.deleted_at IS NULL)"
    )
    rows = await given.pool.fetch(
        f"WITH ruled AS ({_RULE_OF_PASSAGE.format(todo=todo)})"
        " SELECT l.sha256 FROM media_links l JOIN media m USING (sha256)"
        " LEFT JOIN ruled r USING (arrival_id) LEFT JOIN passages p USING (arrival_id)"
        " WHERE m.stored_at IS NOT NULL AND m.deleted_at IS NULL GROUP BY l.sha256"
        " HAVING bool_and(r.keep_days IS NOT NULL"
        "   AND p.arrived_at < $1::timestamptz - r.keep_days * interval '1 day')",
        now,
        "passage_media",
        timeout=300.0,
    )
    for start in range(0, len(rows), CHUNK):
        chunk = [row["sha256"] for row in rows[start : start + CHUNK]]
        for sha256 in chunk:
            await given.media.remove(sha256)
        await given.pool.execute("UPDATE media SET deleted_at = $2 WHERE sha256 = ANY($1::text[])", chunk, now)
    return len(rows)


async def _anonymise(given: Services, now: datetime) -> int:
    """Text, reading and corrections of a plate go; what counts for figures (kind, energy, outcome) stays."""
    async with given.pool.acquire() as connection, connection.transaction():
        gone = await connection.fetch(
            f"WITH ruled AS ({_RULE_OF_PASSAGE.format(todo='p.anonymised_at IS NULL')})"
            " UPDATE passages SET plate = NULL, raw_plate = NULL, reading = NULL, suggestions = '{}',"
            " anonymised_at = $1 FROM ruled r WHERE r.arrival_id = passages.arrival_id"
            " AND passages.arrived_at < $1::timestamptz - r.keep_days * interval '1 day'"
            " RETURNING passages.arrival_id",
            now,
            "passage_plate",
            timeout=300.0,
        )
        ids = [row["arrival_id"] for row in gone]
        await connection.execute(_REDACT_EVENTS, ids, now, timeout=300.0)
        await connection.execute("DELETE FROM corrections WHERE arrival_id = ANY($1::text[])", ids)
        await connection.execute(
            "UPDATE audit SET before = NULL, after = NULL"
            " WHERE subject_kind = 'passage' AND subject_id = ANY($1::text[]) AND action = 'plate_corrected'",
            ids,
        )
    return len(ids)


async def _delete_rows(given: Services, now: datetime) -> int:
    """Sign-in attempts, sessions and tokens that are over, messages of the live stream, the microgrid's telemetry."""
    days = {row["applies_to"]: row["keep_days"] for row in await _plain_rules(given.pool, now)}
    count = 0
    for table, what in (("sign_in_attempts", "sign_ins"), ("live_events", "live")):
        if what in days:
            count += await _done(given, f"DELETE FROM {table} WHERE at < $1", now - timedelta(days=days[what]))
    for what in _ENERGY.keys() & days.keys():
        count += await _delete_telemetry(given, what, now - timedelta(days=days[what]), now)
    count += await forgetting.forget(given, now, days)
    count += await papers_forgetting.forget(given, now, days)
    count += await points_forgetting.forget(given, now, days)
    count += await tidying.tidy(
        given, now, request_keys_days=days.get("request_keys"), data_requests_days=days.get("data_requests")
    )
    return count + await _done(given, "DELETE FROM sessions WHERE expires_at < $1", now)


async def _delete_telemetry(given: Services, what: str, before: datetime, now: datetime) -> int:
    """Rows, then the bodies of their events; these keep their hashes, so that the chain can still be verified."""
    delete, of_kind = _ENERGY[what]
    count = await _done(given, delete, before)
    redact = (
        "UPDATE events SET redacted_at = $2, raw = '', body = '{}' WHERE ctid = ANY (ARRAY("
        f"SELECT ctid FROM events WHERE {of_kind} AND redacted_at IS NULL AND wall_at < $1 LIMIT {EVENTS_CHUNK}))"
    )
    while await _done(given, redact, before, now) == EVENTS_CHUNK:
        pass
    return count


async def _done(given: Services, statement: str, *values: datetime) -> int:
    done = await given.pool.execute(statement, *values, timeout=300.0)
    return int(done.split()[-1])


async def _plain_rules(pool: Any, now: datetime) -> list[Any]:
    rows: list[Any] = await pool.fetch(
        "SELECT applies_to, keep_days FROM retention_rules WHERE applies_to NOT LIKE 'passage%'"
        " AND valid_from <= $1 AND (valid_until IS NULL OR valid_until > $1) ORDER BY valid_from",
        now,
    )
    return rows


def next_run(now: datetime, *, hour: int, zone: Any) -> datetime:
    """The next local `hour` o'clock after `now`."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), time(hour), zone)
    return today if today > local else datetime.combine(local.date() + timedelta(days=1), time(hour), zone)


async def run_daily(given: Services) -> None:
    """Runs at the configured hour, for ever; one worker does it, the others see the lock taken."""
    config = given.config
    while True:
        due = next_run(given.clock(), hour=config.retention.hour, zone=config.zone)
        await asyncio.sleep(max(1.0, (due - given.clock()).total_seconds()))
        async with given.pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RETENTION_LOCK):
                continue
            try:
                await run_once(given)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", RETENTION_LOCK)
