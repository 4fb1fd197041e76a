"""The running gateway: supervision, the console's orders, health, and waiting for the cloud."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import structlog

from cloud_sync.contract.v1 import Command
from control.domain.errors import DeviceError
from edge.api.app import HutServer
from edge.app import choice_of
from edge.config import HutConfig
from edge.config_reading import Secret


def order(arrival_id: str, outcome: str, *, command_id: str = "c-1", for_s: float = 60.0) -> Command:
    now = datetime.now(UTC)
    return Command(
        command_id=command_id,
        gateway="gw",
        arrival_id=arrival_id,
        lane_id="east-in-1",
        outcome=outcome,
        reason_code="manager_approved",
        issued_by="office",
        issued_at=now,
        expires_at=now + timedelta(seconds=for_s),
    )


async def test_the_console_admits_a_held_vehicle_once(hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    await hut.gateway._obey(order(arrival_id, "admit"))
    await hut.gateway._obey(order(arrival_id, "admit", command_id="c-2"))
    assert [action for action, _ in hut.bench.barrier.pulses] == ["open"]
    results = [(e["command_id"], e["outcome"]) for e in await hut.bench.events("command_result")]
    assert results == [("c-1", "done"), ("c-2", "refused")]
    (event,) = await hut.bench.events("guard_decided")
    assert (event["source"], event["by"], event["command_id"]) == ("console", "office", "c-1")


async def test_the_console_refuses(hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    await hut.gateway._obey(order(arrival_id, "refuse"))
    assert hut.bench.barrier.pulses == []
    (event,) = await hut.bench.events("guard_decided")
    assert event["outcome"] == "refuse"


async def test_an_order_that_came_too_late_does_nothing(hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    await hut.gateway._obey(order(arrival_id, "admit", for_s=-1))
    assert hut.bench.barrier.pulses == []
    (result,) = await hut.bench.events("command_result")
    assert result["outcome"] == "expired"


async def test_a_part_that_fails_is_started_again_and_the_others_go_on(hut) -> None:
    calls: list[int] = []

    async def fragile() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise DeviceError("broken")

    with structlog.testing.capture_logs() as logs:
        await asyncio.wait_for(hut.gateway._supervise("fragile", fragile), timeout=60)
    assert len(calls) == 3
    assert hut.gateway.restarts == 2
    assert [entry["part"] for entry in logs if entry["log_level"] == "error"] == ["fragile", "fragile"]


async def test_health_tells_every_lane(hut) -> None:
    await hut.until(lambda: hut.bench.lane.state is not None)
    health = hut.gateway.health()
    (lane,) = health.lanes
    assert (lane["lane_id"], lane["barrier"], lane["loop_a"], lane["phase"]) == ("east-in-1", "closed", "free", "idle")
    assert 0 < health.disk_free_frac <= 1
    hut.bench.lane.camera.lost = "camera_frozen"
    await hut.until(lambda: hut.gateway.health().lanes[0]["camera"] == "camera_frozen")


async def test_health_and_metrics_tell_how_the_pictures_of_a_lane_fare(hut) -> None:
    (lane,) = hut.gateway.health().lanes
    assert (lane["reader"], lane["pictures_read"], lane["pictures_dropped"], lane["queue_age_s"]) == ("ok", 7, 2, 0.25)
    async with httpx.AsyncClient(base_url=hut.url, trust_env=False, timeout=60) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    for line in (
        'island_reader_pictures_total{lane="east-in-1",outcome="dropped"} 2.0',
        'island_reader_queue_age_seconds{lane="east-in-1"} 0.25',
        'island_reader_wait_seconds_max{lane="east-in-1"} 0.4',
    ):
        assert line in answer.text.splitlines()


async def test_waiting_for_the_cloud_has_an_end(hut, unsure) -> None:
    await hut.hold(unsure)
    assert not await hut.gateway.drained(0.2)
    for head in hut.bench.journal.heads():
        await hut.bench.journal.acknowledge(head.lane, head.head_seq)
    assert await hut.gateway.drained(5.0)


async def test_only_pictures_that_the_cloud_has_are_pruned(hut, unsure) -> None:
    await hut.hold(unsure)
    async with asyncio.timeout(60):
        while not (waiting := await hut.bench.journal.media_pending(10)):
            await asyncio.sleep(0.02)
    assert await hut.gateway.prune_once() == []
    hut.gateway.parts = replace(hut.gateway.parts, size_mb_max=0, pending_media=hut.bench.journal.media_pending)
    assert await hut.gateway.prune_once() == []
    await hut.bench.journal.media_done(waiting[0].sha256)
    assert await hut.gateway.prune_once() == [waiting[0].sha256]


async def test_a_taken_port_stops_the_page_and_not_the_gateway(hut) -> None:
    _, _, port = hut.url.rpartition(":")
    second = HutServer(HutConfig(port=int(port), pin=Secret("402917", "test")), clock=hut.gateway.parts.clock)
    second.serve(hut.gateway)
    with pytest.raises(OSError, match="Address already in use"):
        await second.run()


async def test_an_order_for_a_lane_that_is_not_here_is_refused(hut) -> None:
    await hut.gateway._obey(replace(order("x", "admit"), lane_id="nowhere"))
    (result,) = await hut.bench.events("command_result")
    assert (result["outcome"], result["detail"]) == ("refused", "gone")


@pytest.mark.parametrize("outcome", ["admit", "admit_under_permit", "refuse"])
def test_orders_keep_their_meaning(outcome: str) -> None:
    choice = choice_of(order("x", outcome))
    assert choice.action.value == ("refuse" if outcome == "refuse" else "admit")
