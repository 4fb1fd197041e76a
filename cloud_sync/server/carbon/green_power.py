"""Evidence of green power, and sinks: owns the rows that people add to a month; they are withdrawn, never deleted.

Green power counts with a contract or certificate alone, kept by its hash. A row is never edited: it is withdrawn with
a reason and another one is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg
import uuid_utils

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.carbon.inventory import Month
from cloud_sync.server.permits import documents
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit

KWH_MAX = Decimal(1_000_000_000)
GRAMS_MAX = 10**15
TEXT_MAX = 200


@dataclass(frozen=True, slots=True)
class GreenRow:
    """Certified green power of a month."""

    green_id: str
    year: int
    month: int
    kwh: Decimal
    reference: str
    document_sha256: str
    document_type: str
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class SinkRow:
    """What plants took up in a month, grams, by a method with its source."""

    sink_id: str
    year: int
    month: int
    grams: int
    method: str
    source: str
    added_at: datetime
    added_by: str


async def listed(db: Reader) -> tuple[GreenRow, ...]:
    """Evidence in force, the newest month first."""
    rows = await db.fetch(
        f"SELECT {', '.join(GreenRow.__dataclass_fields__)} FROM green_power WHERE withdrawn_at IS NULL"
        " ORDER BY year DESC, month DESC, green_id LIMIT 500"
    )
    return tuple(GreenRow(**row) for row in rows)


async def sinks(db: Reader) -> tuple[SinkRow, ...]:
    """Sinks in force, the newest month first."""
    rows = await db.fetch(
        f"SELECT {', '.join(SinkRow.__dataclass_fields__)} FROM carbon_sinks WHERE withdrawn_at IS NULL"
        " ORDER BY year DESC, month DESC, sink_id LIMIT 500"
    )
    return tuple(SinkRow(**row) for row in rows)


async def add(
    given: Services, user: CurrentUser, *, month: Month, kwh: Decimal, reference: str, sha256: str, remote: str = ""
) -> str:
    """Adds green power of a month, proven by a document that this person has sent; its id. Raises Problem."""
    text = reference.strip()[:TEXT_MAX]
    if not text or not 0 < kwh <= KWH_MAX:
        raise Problem("invalid", detail="reference, kwh")
    now, green_id = given.clock(), str(uuid_utils.uuid7())
    async with given.change() as connection:
        (paper,) = await documents.use(connection, user, [sha256], kind="carbon", subject_id=green_id, at=now)
        try:
            await connection.execute(
                "INSERT INTO green_power (green_id, year, month, kwh, reference, document_sha256, document_type,"
                " added_at, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                *(green_id, month.year, month.month, kwh, text, sha256, paper.media_type, now, user.username),
            )
        except asyncpg.UniqueViolationError as error:
            raise Problem("already_exists", detail=f"{text} {month}") from error
        after = {"month": str(month), "kwh": str(kwh), "reference": text, "document": sha256}
        await _noted(connection, now, Actor.of(user, remote), "green_power_added", ("green_power", green_id), after)
    return green_id


async def add_sink(
    given: Services, user: CurrentUser, *, month: Month, grams: int, method: str, source: str, remote: str = ""
) -> str:
    """Adds what plants took up in a month; its id. Raises Problem."""
    texts = method.strip()[:TEXT_MAX], source.strip()[:TEXT_MAX]
    if not all(texts) or not 0 < grams <= GRAMS_MAX:
        raise Problem("invalid", detail="method, source, grams")
    now, sink_id = given.clock(), str(uuid_utils.uuid7())
    async with given.change() as connection:
        await connection.execute(
            "INSERT INTO carbon_sinks (sink_id, year, month, grams, method, source, added_at, added_by)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            *(sink_id, month.year, month.month, grams, *texts, now, user.username),
        )
        after = {"month": str(month), "grams": grams, "method": texts[0], "source": texts[1]}
        await _noted(connection, now, Actor.of(user, remote), "sink_added", ("carbon_sink", sink_id), after)
    return sink_id


async def withdraw(given: Services, actor: Actor, green_id: str, *, why: str) -> None:
    """Evidence counts no longer. Raises Problem."""
    await _withdraw(given, actor, ("green_power", "green_power", "green_id", green_id), why)


async def withdraw_sink(given: Services, actor: Actor, sink_id: str, *, why: str) -> None:
    """A sink counts no longer. Raises Problem."""
    await _withdraw(given, actor, ("carbon_sink", "carbon_sinks", "sink_id", sink_id), why)


async def _withdraw(given: Services, actor: Actor, row: tuple[str, str, str, str], why: str) -> None:
    subject, table, key, row_id = row
    if not why.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.change() as connection:
        found = await connection.fetchval(
            f"UPDATE {table} SET withdrawn_at = $2, withdrawn_by = $3, withdrawn_why = $4"
            f" WHERE {key} = $1 AND withdrawn_at IS NULL RETURNING {key}",
            *(row_id, now, actor.username, why.strip()[:TEXT_MAX]),
        )
        if found is None:
            raise Problem("not_found")
        await _noted(connection, now, actor, "evidence_withdrawn", (subject, row_id), None, why=why)


async def _noted(
    connection: Any,
    at: datetime,
    actor: Actor,
    action: str,
    subject: tuple[str, str],
    after: dict[str, Any] | None,
    *,
    why: str = "",
) -> None:
    await write_audit(connection, at=at, actor=actor, action=action, subject=subject, after=after, why=why)
