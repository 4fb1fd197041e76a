"""What gateways have learnt: told by health, ordered by engineers, answered, published, audited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloud_sync.contract.v1 import HeadAction
from cloud_sync.server import queries, vehicle_heads
from cloud_sync.server.problems import Problem
from cloud_sync.server.store import Actor

GATEWAY = "gw-east"
VERSION = {
    "version": "site-20261121-090000",
    "made_at": "2026-11-21T09:00:00Z",
    "by": "王工",
    "crops": 120,
    "before_version": "shipped",
    "before": 0.61,
    "before_interval": [0.52, 0.69],
    "after": 0.9,
    "after_interval": [0.83, 0.94],
    "seconds": 2.4,
}
TOLD = {
    "in_use": VERSION["version"],
    "before": "shipped",
    "problem": "",
    "corrections": {"car": 60, "truck": 60},
    "versions": [VERSION],
}


async def head(services: Any) -> vehicle_heads.GatewayHead:
    found = await vehicle_heads.gateway_heads(services.pool, now=services.clock())
    return next(one for one in found if one.gateway_id == GATEWAY)


async def order(services: Any, action: HeadAction = HeadAction.ADAPT, **more: Any) -> vehicle_heads.HeadOrderRecord:
    return await vehicle_heads.order_head(services, Actor("engineer"), GATEWAY, action=action, **more)


async def answer(
    services: Any, gateway: Any, command_id: str, outcome: str = "done", detail: str = "site-1: better"
) -> None:
    at = services.clock().isoformat()
    row = gateway.row("command_result", command_id=command_id, outcome=outcome, detail=detail, at=at)
    assert await gateway.send(row) == ()


async def test_a_gateway_that_has_told_nothing_uses_nothing_known(services: Any, gateway: Any) -> None:
    found = await head(services)
    assert (found.in_use, found.versions, found.orders, found.running) == (None, (), (), None)


async def test_health_brings_what_was_learnt(services: Any, gateway: Any) -> None:
    await gateway.send(gateway.health(at=services.clock().isoformat(), vehicle_head=TOLD))
    found = await head(services)
    assert (found.in_use, found.before, found.corrections) == (VERSION["version"], "shipped", {"car": 60, "truck": 60})
    (version,) = found.versions
    assert (version.before, version.after, version.after_interval) == (0.61, 0.9, (0.83, 0.94))


async def test_a_report_without_news_changes_nothing(services: Any, gateway: Any) -> None:
    at = services.clock().isoformat()
    await gateway.send(gateway.health(at=at, vehicle_head=TOLD), gateway.health(at=at))
    await gateway.send(gateway.health(at=at))
    assert (await head(services)).in_use == VERSION["version"]


@pytest.mark.parametrize(
    "told",
    [
        {"in_use": 7, "versions": "none", "corrections": ["car"]},
        {"versions": [7, {}, {**VERSION, "before": "much"}, {**VERSION, "after_interval": [1]}]},
        {"corrections": {"spaceship": 3, "car": True}},
    ],
)
async def test_nonsense_of_a_gateway_is_left_out(services: Any, gateway: Any, told: dict[str, Any]) -> None:
    await gateway.send(gateway.health(at=services.clock().isoformat(), vehicle_head=told))
    found = await head(services)
    assert (found.in_use, found.versions, found.corrections) == (None, (), {})


async def test_an_order_runs_until_it_is_answered(services: Any, gateway: Any) -> None:
    made = await order(services)
    assert (await head(services)).running == made
    with pytest.raises(Problem) as refused:
        await order(services)
    assert refused.value.code == "order_running"
    await answer(services, gateway, made.command_id)
    found = await head(services)
    assert found.running is None
    assert (found.orders[0].result, found.orders[0].result_detail) == ("done", "site-1: better")
    await order(services, HeadAction.ROLL_BACK)


async def test_an_order_that_nobody_answers_expires(services: Any, gateway: Any, clock: Any) -> None:
    await order(services)
    clock.leap(seconds=vehicle_heads.EXPIRY.total_seconds() + 1)
    assert (await head(services)).running is None
    again = timedelta(seconds=10)
    await order(services, HeadAction.USE, version="site-1")
    (due,) = await vehicle_heads.unanswered(services.pool, now=clock(), published_before=clock() - again)
    assert (due.gateway, due.action, due.version, due.force) == (GATEWAY, HeadAction.USE, "site-1", False)


async def test_what_is_ordered_has_to_fit(services: Any, gateway: Any) -> None:
    for action, version in ((HeadAction.USE, " "), (HeadAction.ADAPT, "site-1"), (HeadAction.USE, "x" * 65)):
        with pytest.raises(Problem) as refused:
            await order(services, action, version=version)
        assert refused.value.code == "invalid"
    with pytest.raises(Problem) as refused:
        await vehicle_heads.order_head(services, Actor("engineer"), "gw-none", action=HeadAction.ADAPT)
    assert refused.value.code == "not_found"


async def test_an_order_stands_in_the_audit_trail(services: Any, gateway: Any) -> None:
    await order(services, HeadAction.USE, version="site-1")
    (row,) = await queries.audit(services.pool, action="head_ordered")
    assert (row.by, row.subject_kind, row.subject_id) == ("engineer", "gateway", GATEWAY)
    assert row.after["version"] == "site-1"


async def test_programs_read_and_engineers_order(sign_in: Any, gateway: Any) -> None:
    guard, engineer = await sign_in("guard"), await sign_in("engineer")
    assert (await guard.get("/vision/heads")).json()[0]["gateway_id"] == GATEWAY
    assert (await guard.post(f"/vision/heads/{GATEWAY}/orders", {"action": "adapt"})).status_code == 403
    made = await engineer.post(f"/vision/heads/{GATEWAY}/orders", {"action": "adapt", "force": True})
    assert (made.status_code, made.json()["force"]) == (202, True)
    assert (await engineer.post(f"/vision/heads/{GATEWAY}/orders", {"action": "explode"})).status_code == 422


async def test_a_named_vehicle_stands_in_the_passage(services: Any, gateway: Any) -> None:
    body = {"predicted": "car", "predicted_confidence": 0.8, "head": "shipped", "corrected": "pickup"}
    more = {"arrival_id": "a-1", "lane_id": "e1", "crop_kept": True, "by": "陈海龙", "source": "hut"}
    named = gateway.row("vehicle_corrected", at=services.clock().isoformat(), **body, **more)
    assert await gateway.send(gateway.decided("a-1"), named) == ()
    detail = await queries.passage_detail(services.pool, "a-1", now=services.clock())
    assert [event.body["corrected"] for event in detail.events if event.kind == "vehicle_corrected"] == ["pickup"]
