"""Reads: search, pages, figures, and how alive a gateway is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud_sync.server import queries
from cloud_sync.server.records import Liveness, PassageFilter

NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)


def at(minutes_ago: float) -> str:
    return (NOW - timedelta(minutes=minutes_ago)).isoformat()


@pytest.fixture
async def traffic(services: Any, gateway: Any) -> None:
    await gateway.send(
        gateway.decided("a1", "琼CD12345", at=at(1)),
        gateway.decided("a2", "琼C12345", "refuse", kind="small", verdict="fuel", at=at(2), lane_id="e2"),
        gateway.decided("a3", "粤BF77777", at=at(90), gate_id="north", lane_id="n1"),
        gateway.decided("a4", None, "hold", kind=None, verdict="unsure", at=at(3)),
        gateway.decided("a5", "琼C78083", "hold", kind="large", verdict="fuel", at=at(4)),
        gateway.guard_decided("a5", "admit_under_permit"),
    )


SEARCHES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "a1 a2 a4 a5 a3"),
    ({"plate": "琼c·D1"}, "a1"),
    ({"plate": "2345"}, "a1 a2"),
    ({"plate": "琼C?8083"}, "a5"),
    ({"plate": "琼*5"}, "a1 a2"),
    ({"plate": "%"}, ""),
    ({"plate": "_"}, ""),
    ({"plate": "' OR 1=1 --"}, ""),
    ({"plate": "琼C7B083", "near": True}, "a5"),
    ({"plate": "琼C7B083"}, ""),
    ({"plate": "琼" * 400, "near": True}, ""),
    ({"outcomes": ("admit_under_permit", "refuse")}, "a2 a5"),
    ({"outcomes": ("hold",)}, "a4"),
    ({"gate_id": "north"}, "a3"),
    ({"lane_id": "e2"}, "a2"),
    ({"kinds": ("nev_small",)}, "a1 a3"),
    ({"verdicts": ("fuel",)}, "a2 a5"),
    ({"manual": True}, "a5"),
    ({"from_at": NOW - timedelta(minutes=2, seconds=1), "until_at": NOW - timedelta(minutes=1)}, "a2"),
)


@pytest.mark.usefixtures("traffic")
async def test_search(services: Any) -> None:
    for wanted, expected in SEARCHES:
        page = await queries.search(services.pool, PassageFilter(**wanted))
        assert (wanted, " ".join(one.arrival_id for one in page.items)) == (wanted, expected)
        counts = await queries.search_counts(services.pool, PassageFilter(**wanted))
        assert "outcomes" in wanted or sum(counts.values()) == len(page.items)


async def test_pages_show_every_arrival_once_while_new_ones_come(services: Any, gateway: Any) -> None:
    same = NOW.isoformat()
    await gateway.send(*(gateway.decided(f"a{n:02}", at=same) for n in range(23)))
    seen: list[str] = []
    cursor = None
    for _ in range(5):
        page = await queries.search(services.pool, PassageFilter(), cursor=cursor, limit=5)
        seen += [one.arrival_id for one in page.items]
        cursor = page.next_cursor
        await gateway.send(gateway.decided(f"new{len(seen)}", at=(NOW + timedelta(seconds=1)).isoformat()))
    assert seen == [f"a{n:02}" for n in range(22, -1, -1)]
    assert cursor is None


@pytest.mark.usefixtures("traffic")
async def test_the_last_hour_and_today(services: Any, clock: Any) -> None:
    stats = await queries.gate_stats(services.pool, now=clock(), today_from=services.today_from())
    assert len(stats.minutes) == 60
    assert stats.minutes[-1].minute == NOW.replace(second=0)
    assert stats.hour_by_outcome == {"admit": 1, "admit_under_permit": 1, "hold": 1, "refuse": 1}
    assert stats.today_count == 5
    assert stats.new_energy_share_frac == pytest.approx(2 / 4)


async def test_no_passage_is_no_share_and_not_a_hundred_percent(services: Any, clock: Any) -> None:
    stats = await queries.gate_stats(services.pool, now=clock(), today_from=services.today_from())
    assert (stats.today_count, stats.new_energy_share_frac) == (0, None)


async def test_today_begins_at_midnight_on_the_island(services: Any, clock: Any) -> None:
    assert services.today_from() == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    clock.at = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    assert services.today_from() == datetime(2026, 11, 21, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        *((None, Liveness.NEVER), (0, Liveness.LIVE), (5, Liveness.LIVE)),
        *((5.1, Liveness.STALE), (30, Liveness.STALE), (30.1, Liveness.LOST)),
    ],
)
def test_how_alive(age_s: float | None, expected: Liveness) -> None:
    assert queries.liveness(age_s) is expected


async def test_a_gateway_with_its_backlog_and_its_lanes(services: Any, gateway: Any, clock: Any) -> None:
    (silent,) = await queries.gateways(services.pool, now=clock())
    assert (silent.liveness, silent.backlog, silent.snapshot_version) == (Liveness.NEVER, {}, None)
    await gateway.send(gateway.health(), gateway.decided("a1", outcome="hold"))
    heard_at = await services.pool.fetchval("SELECT received_at FROM gateway_health")
    (shown,) = await queries.gateways(services.pool, now=heard_at + timedelta(seconds=31))
    assert (shown.liveness, shown.backlog, shown.name) == (Liveness.LOST, {"0": 3, "2": 40}, "East gate")
    assert shown.snapshot_version == shown.snapshot_version_latest == 1
    (lane,) = await queries.lanes(services.pool, now=heard_at + timedelta(seconds=4))
    assert (lane.name, lane.state["barrier"], lane.waiting_count) == ("East in 1", "closed", 1)
    assert lane.liveness is Liveness.LIVE


async def test_permits_that_look_like_the_plate_are_suggested_to_a_person(
    services: Any, gateway: Any, clock: Any
) -> None:
    await services.pool.executemany(
        "INSERT INTO permits (permit_id, plate, permit_class, valid_from, valid_until, created_at, created_by)"
        " VALUES ($1, $2, 'special', $3, $4, $3, 'office')",
        [
            ("P1", "琼C78083", NOW - timedelta(hours=2), NOW + timedelta(hours=2)),
            ("P2", "琼C99999", NOW - timedelta(hours=2), NOW + timedelta(hours=2)),
            ("P3", "琼C7B083", NOW - timedelta(days=9), NOW - timedelta(days=8)),
        ],
    )
    await gateway.send(gateway.decided("a0", "琼C7B083", at=at(600)), gateway.decided("a1", "琼C7B083", "hold"))
    detail = await queries.passage_detail(services.pool, "a1", now=clock())
    assert [one.permit_id for one in detail.possible_permits] == ["P1"]
    assert detail.possible_permits[0].state == "active"
    assert [one.arrival_id for one in detail.earlier] == ["a0"]
    assert await queries.passage_detail(services.pool, "none", now=clock()) is None
