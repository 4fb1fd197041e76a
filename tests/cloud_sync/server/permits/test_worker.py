"""The worker: publishes once, wakes when something happens, and makes up for what was missed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from fractions import Fraction
from typing import Any

from cloud_sync.server.permits import publishing, terms, worker
from control.permits.application import Application, Form, Status


@asynccontextmanager
async def running(given: Any) -> Any:
    task = asyncio.create_task(worker.run(given))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_two_workers_publish_one_approval_once(desk: Any) -> None:
    number = await desk.submitted()
    reviewer = await desk.person("reviewer")
    await reviewer.post(f"/applications/{number}/approve")
    before = await desk.given.pool.fetchval("SELECT max(version) FROM snapshot_versions")
    desk.clock.leap(seconds=9)
    await asyncio.gather(publishing.publish_due(desk.given), publishing.publish_due(desk.given))
    assert await desk.given.pool.fetchval("SELECT max(version) FROM snapshot_versions") == before + 1
    assert await desk.given.pool.fetchval("SELECT count(*) FROM permits") == 1


async def test_a_worker_that_died_in_publishing_leaves_nothing_half(desk: Any, monkeypatch: Any) -> None:
    number = await desk.submitted()
    reviewer = await desk.person("reviewer")
    await reviewer.post(f"/applications/{number}/approve")
    desk.clock.leap(seconds=9)

    async def dies(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "new_snapshot", dies)
        for _ in range(2):
            died = await asyncio.gather(publishing.publish_due(desk.given), return_exceptions=True)
            assert isinstance(died[0], ConnectionResetError)
    assert await desk.given.pool.fetchval("SELECT count(*) FROM permits") == 0
    await desk.turn()
    assert await desk.given.pool.fetchval("SELECT published_at FROM applications") == desk.clock()


async def test_the_running_worker_wakes_for_an_approval_and_for_an_arrival(desk: Any, make_gateway: Any) -> None:
    number = await desk.submitted()
    reviewer, gateway, pool = await desk.person("reviewer"), make_gateway(desk.given), desk.given.pool
    async with running(desk.given):
        await reviewer.post(f"/applications/{number}/approve")
        desk.clock.leap(seconds=9)
        at = desk.clock().isoformat(timespec="milliseconds")
        await gateway.send(
            gateway.decided("a1", "琼C55555", verdict="fuel", at=at),
            gateway.row("vehicle_passed", arrival_id="a1", lane_id="e1", movement="passed", at=at),
        )
        async with asyncio.timeout(60):
            while not (
                await pool.fetchval("SELECT count(*) FROM visits")
                and await pool.fetchval("SELECT count(*) FROM permits")
            ):
                await asyncio.sleep(0.05)


async def test_reminders_come_once_and_go_when_the_thing_is_done(desk: Any) -> None:
    reviewer = await desk.person("reviewer")
    number = await desk.submitted()
    await desk.turn(days=2, seconds=1)
    (reminder,) = (await reviewer.get("/reminders")).json()
    assert (reminder["kind"], reminder["term"], reminder["application_id"]) == ("term_ends_soon", "review", number)
    assert reminder["words"]["en"] == "Review: A term ends soon"
    await desk.turn(minutes=1)
    assert len((await reviewer.get("/reminders")).json()) == 1
    await desk.turn(days=1)
    (over,) = (await reviewer.get("/reminders")).json()
    assert over["kind"] == "term_is_over"
    await reviewer.post(f"/applications/{number}/refuse", {"reason": "Too late"})
    await desk.turn()
    assert (await reviewer.get("/reminders")).json() == []


async def test_a_changed_rule_is_looked_at_again(desk: Any) -> None:
    await desk.submitted()
    await desk.turn()
    before = await desk.given.pool.fetchval("SELECT rules_version FROM applications")
    await desk.change_rule("review.term", value=Fraction(5))
    await desk.turn()
    assert await desk.given.pool.fetchval("SELECT rules_version FROM applications") != before


async def test_what_time_does_next_lies_ahead(desk: Any) -> None:
    now = desk.clock()
    form = Form(window_from=now + timedelta(days=2), window_until=now + timedelta(days=9))
    live = Application(application_id="a", applicant_id="d", form=form, status=Status.APPROVED)
    rules = (await desk.rules()).at(now.date())
    assert terms.of(live, rules, now=now).next_at == now + timedelta(days=1)
    assert terms.of(live, rules, now=now + timedelta(days=7)).next_at == form.window_until
    assert terms.of(live, rules, now=now + timedelta(days=9)).next_at is None
