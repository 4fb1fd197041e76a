"""Retention: dated rows decide what goes; the most special row counts; figures stay."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server import queries, retention

JPEG = b"\xff\xd8\xff\xe0"


async def keep_picture(services: Any, gateway: Any, content: bytes, *arrivals: str) -> str:
    name = hashlib.sha256(JPEG + content).hexdigest()

    async def chunks() -> Any:
        yield JPEG + content

    await services.media.take(name, chunks())
    await services.pool.execute(
        "INSERT INTO media (sha256, media_type, size_bytes, gateway_id, stored_at)"
        " VALUES ($1, 'image/jpeg', 5, 'g', now())",
        name,
    )
    link = {"media_type": "image/jpeg", "size_bytes": 5, "role": "frame", "at": "2026-11-21T02:43:00Z"}
    await gateway.send(*(gateway.row("media_stored", sha256=name, arrival_id=one, **link) for one in arrivals))
    return name


@pytest.mark.parametrize(
    ("days", "left"),
    [(29, {"clean", "held", "permit", "both"}), (31, {"held", "permit", "both"}), (181, {"permit"}), (1096, set())],
)
async def test_pictures_stay_as_long_as_their_passages_rows_say(
    services: Any, gateway: Any, clock: Any, days: int, left: set[str]
) -> None:
    await gateway.send(
        gateway.decided("clean"),
        gateway.decided("held", outcome="hold", verdict="unsure"),
        gateway.decided("permit", outcome="admit_under_permit", verdict="fuel"),
    )
    names = {one: await keep_picture(services, gateway, one.encode(), one) for one in ("clean", "held", "permit")}
    names["both"] = await keep_picture(services, gateway, b"both", "clean", "held")
    clock.leap(days=days)
    result = await retention.run_once(services)
    assert result.media_deleted == 4 - len(left)
    here = {one for one, name in names.items() if services.media.path_of(name).exists()}
    assert here == left
    assert {one for one, name in names.items() if await queries.stored_media(services.pool, name)} == left
    assert (await retention.run_once(services)).media_deleted == 0


async def test_plates_become_anonymous_and_figures_stay(services: Any, gateway: Any, clock: Any) -> None:
    await gateway.send(gateway.decided("a1"), gateway.decided("a2", "琼C12345", "refuse", verdict="fuel"))
    clock.leap(days=181)
    assert (await retention.run_once(services)).plates_anonymised == 1
    found = await queries.passage(services.pool, "a1")
    assert (found.plate, found.raw_plate, found.characters, found.anonymised) == (None, None, (), True)
    assert (found.verdict, found.final_outcome) == ("new_energy", "admit")
    assert (await queries.passage(services.pool, "a2")).plate == "琼C12345"
    clock.leap(days=1000)
    await retention.run_once(services)
    assert await services.pool.fetchval("SELECT count(plate) + count(raw_plate) + count(reading) FROM passages") == 0


async def test_what_retention_took_out_of_events_does_not_come_back(services: Any, gateway: Any, clock: Any) -> None:
    shown = {"source": "camera", "plate": "琼CD12345", "permit_id": "p", "problem": "expired"}
    first = gateway.decided("a1", pass_shown=shown)
    await gateway.send(first, gateway.decided("a2", "琼C12345", "refuse", verdict="fuel"))
    hashes = await services.pool.fetch("SELECT seq, hash FROM events ORDER BY seq")
    clock.leap(days=181)
    await retention.run_once(services)
    rows = await services.pool.fetch("SELECT seq, body::text, raw, redacted_at, hash FROM events ORDER BY seq")
    assert "琼CD12345" not in rows[0]["body"] + rows[0]["raw"].decode()
    assert (rows[0]["redacted_at"], rows[1]["redacted_at"]) == (clock(), None)
    assert "琼C12345" in rows[1]["raw"].decode()
    assert [row["hash"] for row in rows] == [row["hash"] for row in hashes]


async def test_a_row_counts_only_between_its_dates(services: Any, gateway: Any, clock: Any) -> None:
    await gateway.send(gateway.decided("a1"))
    await services.pool.execute(
        "INSERT INTO retention_rules (rule_id, applies_to, outcomes, verdicts, keep_days, valid_from, source)"
        " VALUES ('passed_new_energy_plate', 'passage_plate', '{admit}', '{new_energy}', 7, $1, 'office')",
        clock() + timedelta(days=20),
    )
    clock.leap(days=19)
    assert (await retention.run_once(services)).plates_anonymised == 0
    clock.leap(days=2)
    assert (await retention.run_once(services)).plates_anonymised == 1


async def test_sign_ins_and_live_messages_go(services: Any, clock: Any) -> None:
    await services.pool.execute("INSERT INTO sign_in_attempts VALUES ('k', $1)", clock())
    await services.pool.execute("INSERT INTO live_events (at, kind, key) VALUES ($1, 'passage', 'a')", clock())
    clock.leap(days=1)
    assert (await retention.run_once(services)).rows_deleted == 0
    clock.leap(days=7)
    assert (await retention.run_once(services)).rows_deleted == 2


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 20, 18, 59, tzinfo=UTC), datetime(2026, 11, 20, 19, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 19, 0, tzinfo=UTC), datetime(2026, 11, 21, 19, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 23, 30, tzinfo=UTC), datetime(2026, 11, 21, 19, 0, tzinfo=UTC)),
    ],
)
def test_the_next_run_is_at_three_in_the_morning_of_the_island(now: datetime, expected: datetime) -> None:
    assert retention.next_run(now, hour=3, zone=ZoneInfo("Asia/Shanghai")) == expected
