"""Projections: what events become, that poison is told and not fatal, and that a rebuild gives the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloud_sync.server import projections, queries, store
from control.domain.passages import Outcome

ACTOR = store.Actor("chen")
LATER = "2026-11-21T02:43:00.000+00:00"
HUT = {"by": "wang", "source": "hut", "at": LATER}
JPEG = {"media_type": "image/jpeg", "size_bytes": 9}


async def test_a_passage_is_what_was_decided_about_it(services: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1"))
    found = await queries.passage(services.pool, "a1")
    assert (found.plate, found.raw_plate, found.final_outcome) == ("琼CD12345", "琼CD12345", "admit")
    assert found.reasons[0].clause == "art. 25"
    assert (found.characters[2].char, found.characters[2].alternatives) == ("D", (("8", 0.01),))
    assert not found.waiting


async def test_a_second_decision_of_the_same_arrival_replaces_the_first_and_keeps_the_time_of_arrival(
    services: Any, gateway: Any
) -> None:
    await gateway.send(gateway.decided("a1", "琼C12345", "hold"))
    await gateway.send(gateway.decided("a1", "琼CD12345", "admit", at=LATER))
    found = await queries.passage(services.pool, "a1")
    assert (found.plate, found.outcome) == ("琼CD12345", "admit")
    assert found.decided_at - found.arrived_at == timedelta(seconds=29)


async def test_a_held_vehicle_waits_until_a_guard_decides_and_the_first_decision_counts(
    services: Any, gateway: Any, clock: Any
) -> None:
    await gateway.send(gateway.decided("a1", outcome="hold"))
    clock.leap(seconds=38)
    (waiting,) = await queries.holds(services.pool, now=clock())
    assert waiting.waiting_s == pytest.approx(38)
    await gateway.send(gateway.guard_decided("a1", "refuse"), gateway.guard_decided("a1", "admit", by="li"))
    found = await queries.passage(services.pool, "a1")
    assert (found.final_outcome, found.guard_by, found.waiting) == ("refuse", "wang", False)
    assert await queries.holds(services.pool, now=clock()) == ()


async def test_a_guards_correction_keeps_the_raw_reading(services: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1", "琼C7B083", "hold"))
    await gateway.send(gateway.guard_decided("a1", corrected_plate="琼C·78083"))
    await gateway.send(gateway.decided("a1", "琼C7B083", "hold", at=LATER))
    found = await queries.passage(services.pool, "a1")
    assert (found.raw_plate, found.plate, found.corrected) == ("琼C7B083", "琼C78083", True)


async def test_the_same_correction_twice_is_one(services: Any, gateway: Any, clock: Any) -> None:
    said = {"arrival_id": "a1", "raw_text": "琼C7B083", "corrected_text": "琼C78083"}
    await gateway.send(gateway.decided("a1", "琼C7B083", "hold"))
    await gateway.send(
        gateway.guard_decided("a1", corrected_plate="琼C78083"), gateway.row("plate_corrected", **said, **HUT)
    )
    detail = await queries.passage_detail(services.pool, "a1", now=clock())
    assert [one.corrected_text for one in detail.corrections] == ["琼C78083"]


async def test_one_gateway_cannot_change_what_another_saw(services: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1", outcome="hold"))
    other = type(gateway)(services, "gw-west")
    await other.send(
        other.decided("a1", "粤BF12345", "refuse"),
        other.guard_decided("a1", "admit"),
        other.row(
            "plate_corrected", arrival_id="a1", raw_text="", corrected_text="京A11111", by="x", source="hut", at=LATER
        ),
        other.row("vehicle_passed", arrival_id="a1", lane_id="w1", movement="passed", at=LATER),
    )
    found = await queries.passage(services.pool, "a1")
    assert (found.plate, found.final_outcome, found.waiting) == ("琼CD12345", "hold", True)


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"command_id": "c", "outcome": "done", "detail": "", "at": "yesterday"}',
        b'{"command_id": "c", "outcome": "done", "detail": "", "at": "2026-11-21T02:43:00"}',
        b'{"command_id": 7, "outcome": "done", "detail": "", "at": "2026-11-21T02:43:00Z"}',
        b'{"command_id": "c\\u0000", "outcome": "done", "detail": "", "at": "2026-11-21T02:43:00Z"}',
        b"[" * 100_000,
    ],
)
async def test_a_body_that_cannot_be_used_is_named_and_its_neighbours_are_projected(
    services: Any, gateway: Any, raw: bytes
) -> None:
    bad = gateway.row("command_result", raw)
    rejected = await gateway.send(gateway.decided("a1"), bad, gateway.decided("a2"))
    assert [one.seq for one in rejected] == [bad.seq]
    assert rejected[0].reason
    assert await queries.passage(services.pool, "a2")


async def test_an_unknown_kind_is_left_alone(gateway: Any) -> None:
    assert await gateway.send(gateway.row("battery_temperature", celsius=31)) == ()


async def test_a_device_that_went_and_came_back(services: Any, gateway: Any) -> None:
    lost = gateway.row("device_lost", device="camera", lane_id="e1", why="camera_frozen", at="2026-11-21T02:00:00Z")
    await gateway.send(lost)
    (alarm,) = await queries.alarms(services.pool, open_only=True)
    assert alarm.why == "camera_frozen"
    back = gateway.row("device_back", device="camera", lane_id="e1", after_s=48.0, at="2026-11-21T02:00:48Z")
    await gateway.send(back)
    assert await queries.alarms(services.pool, open_only=True) == ()
    assert (await queries.alarms(services.pool))[0].after_s == 48.0


async def test_the_barrier_of_a_passage(services: Any, gateway: Any, clock: Any) -> None:
    times = {"at": LATER, "expires_at": LATER}
    await gateway.send(
        gateway.decided("a1"),
        gateway.row(
            "barrier_commanded", command_id="b1", arrival_id="a1", lane_id="e1", action="open", cause="admit", **times
        ),
        gateway.row("barrier_result", command_id="b1", lane_id="e1", outcome="done", detail="", at=LATER),
        gateway.row(
            "barrier_commanded", command_id="b2", arrival_id="a1", lane_id="e1", action="close", cause="clear", **times
        ),
        gateway.row("vehicle_passed", arrival_id="a1", lane_id="e1", movement="passed", at=LATER),
    )
    found = await queries.passage_detail(services.pool, "a1", now=clock())
    assert (found.barrier_action, found.barrier_outcome, found.passage.movement) == ("open", "done", "passed")
    assert [one.kind for one in found.events][:2] == ["passage_decided", "barrier_commanded"]


async def test_a_rebuild_gives_the_same_as_what_grew(services: Any, gateway: Any) -> None:
    await gateway.send(
        gateway.decided("a1", "琼C7B083", "hold"),
        gateway.decided("a2", None, "hold", vehicle=None, unavailable="camera_frozen"),
        gateway.health(),
    )
    await gateway.send(gateway.guard_decided("a1", corrected_plate="琼C78083"), gateway.decided("a3"))
    await gateway.send(
        gateway.row(
            "media_stored",
            sha256="b" * 64,
            media_type="image/jpeg",
            size_bytes=9,
            arrival_id="a1",
            role="crop",
            at=LATER,
        ),
        gateway.row("device_lost", device="camera", lane_id="e1", why="silent", at=LATER),
        gateway.row(
            "decision_revised",
            arrival_id="a3",
            outcome="refuse",
            reason_code="r",
            note="",
            by="w",
            source="hut",
            at=LATER,
        ),
    )
    await store.correct_plate(services, ACTOR, "a3", "琼CD12346")
    await store.revise(services, ACTOR, "a1", outcome=Outcome.REFUSE, reason_code="wrong_vehicle")
    before = await _everything(services)
    async with services.pool.acquire() as connection:
        assert await projections.rebuild(connection) == 8
    assert await _everything(services) == before
    assert {row["plate"] for row in before["passages"]} == {"琼C78083", None, "琼CD12346"}


async def _everything(services: Any) -> dict[str, list[dict[str, Any]]]:
    hidden = {"correction_id", "revision_id"}
    tables = ("passages", "lanes", "gateway_health", "alarms", "media_links", "corrections", "revisions")
    return {
        table: sorted(
            ({k: v for k, v in row.items() if k not in hidden} for row in await services.pool.fetch(f"TABLE {table}")),
            key=repr,
        )
        for table in tables
    }
