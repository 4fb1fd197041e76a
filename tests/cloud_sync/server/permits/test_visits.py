"""Visits from what gateways sent: the same in whatever order it came, counted as totals, never for electric cars."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from cloud_sync.server import queries, store
from cloud_sync.server.permits import visit_queries, visits, worker
from cloud_sync.server.permits.visit_queries import VisitFilter
from cloud_sync.server.permits.visits import _COLUMNS
from control.domain.permits import PermitClass

ACTOR = store.Actor("approver")
PLATE = "琼C61K28"


def hlc(at: datetime) -> int:
    return int(at.timestamp() * 1000) << 16


@dataclass
class Gate:
    """What one gate says about arrivals, at minutes after `begin`; each event with the stamp of its own time."""

    gateway: Any
    begin: datetime
    gate_id: str = "east"

    def arrival(
        self, name: str, minute: float, plate: str | None = PLATE, *, movement: str = "passed", **more: Any
    ) -> Any:
        """Decided and gone through, as events in their order."""
        at = (self.begin + timedelta(minutes=minute)).isoformat(timespec="milliseconds")
        more = {"outcome": "admit_under_permit", "gate_id": self.gate_id, "at": at, "verdict": "fuel"} | more
        decided = self.gateway.decided(name, plate, **more)
        passed = self.gateway.row("vehicle_passed", arrival_id=name, lane_id="e1", movement=movement, at=at)
        return [decided, passed]


async def stamp(services: Any) -> None:
    """Events get the stamp of the time that they are about: the tests' gateway counts them only."""
    await services.pool.execute(
        "UPDATE events SET hlc = ((extract(epoch FROM (body ->> 'at')::timestamptz) * 1000)::bigint << 16) + seq"
        " WHERE hlc < 1000000 AND body ? 'at'"
    )


async def sent(services: Any, gateway: Any, *arrivals: Any) -> None:
    """Stored, stamped and taken up."""
    for rows in arrivals:
        await gateway.send(*rows)
    await stamp(services)
    await worker.turn(services)


async def rows_of(services: Any) -> list[dict[str, Any]]:
    found = await services.pool.fetch(f"SELECT {_COLUMNS} FROM visits WHERE withdrawn_at IS NULL ORDER BY visit_id")
    return [dict(row) for row in found]


@pytest.fixture
def east(services: Any, gateway: Any, clock: Any) -> Gate:
    return Gate(gateway, clock() - timedelta(hours=5))


@pytest.fixture
def west(services: Any, make_gateway: Any, clock: Any) -> Gate:
    return Gate(make_gateway(services, "gw-west"), clock() - timedelta(hours=5), "west")


async def counted_permit(services: Any, entries: int | None, plate: str = PLATE) -> str:
    now = services.clock()
    times = {"valid_from": now - timedelta(days=1), "valid_until": now + timedelta(days=1)}
    made = await store.add_permit(
        services, ACTOR, plate=plate, permit_class=PermitClass.SPECIAL, entries_left=entries, **times
    )
    return str(made.permit_id)


async def entries_left(services: Any, permit_id: str) -> int | None:
    found = await queries.permit(services.pool, permit_id, now=services.clock())
    assert found is not None
    return found.entries_left


async def test_entry_and_exit_become_one_visit_and_a_late_exit_revises_it(
    services: Any, east: Gate, west: Gate
) -> None:
    permit_id = await counted_permit(services, 2)
    await sent(services, east.gateway, east.arrival("a1", 0, permit_id=permit_id))
    (open_,) = await rows_of(services)
    assert (open_["state"], open_["is_over"], open_["permit_id"]) == ("inside", False, permit_id)
    await sent(services, west.gateway, west.arrival("b1", 60, direction="out", outcome="admit"))
    (visit,) = await rows_of(services)
    assert (visit["visit_id"], visit["state"], visit["flags"]) == ("a1", "complete", ["other_gate_out"])
    assert visit["left_at"] - visit["entered_at"] == timedelta(hours=1)
    assert await services.pool.fetchval("SELECT revision FROM visits") == 2
    await visits.rebuild(services)
    assert await services.pool.fetchval("SELECT revision FROM visits") == 2


async def test_entries_are_counted_once_and_the_next_snapshot_has_what_is_left(services: Any, east: Gate) -> None:
    permit_id = await counted_permit(services, 3)
    before = await services.pool.fetchval("SELECT max(version) FROM snapshot_versions")
    rows = east.arrival("a1", 0, permit_id=permit_id)
    await sent(services, east.gateway, rows)
    await visits.rebuild(services)
    await worker.turn(services)
    assert await entries_left(services, permit_id) == 2
    taken = await queries.permit_snapshot(services.pool, now=services.clock())
    assert [one.entries_left for one in taken.permits[PLATE]] == [2]
    assert taken.version == before + 1


async def test_only_what_went_in_under_the_permit_counts_and_never_below_nothing(services: Any, east: Gate) -> None:
    permit_id = await counted_permit(services, 1)
    by_guard = east.arrival("a3", 20, outcome="hold", permit_id=permit_id)
    by_guard.insert(1, east.gateway.guard_decided("a3", "admit"))
    await sent(
        services,
        east.gateway,
        east.arrival("a1", 0, permit_id=permit_id, movement="backed_out"),
        east.arrival("a2", 10, permit_id=permit_id, direction="out"),
        by_guard,
    )
    assert await entries_left(services, permit_id) == 1
    under = east.arrival("a4", 30, None, outcome="hold")
    under.insert(1, east.gateway.guard_decided("a4", "admit_under_permit", permit_id=permit_id))
    await sent(services, east.gateway, under, east.arrival("a5", 90, permit_id=permit_id))
    assert await entries_left(services, permit_id) == 0
    assert {row["visit_id"]: row["plate"] for row in await rows_of(services)}["a4"] == PLATE


async def test_a_permit_without_a_count_stays_without(services: Any, east: Gate) -> None:
    permit_id = await counted_permit(services, None)
    await sent(services, east.gateway, east.arrival("a1", 0, permit_id=permit_id))
    assert await entries_left(services, permit_id) is None


async def test_electric_cars_leave_no_row_whether_by_plate_or_by_the_register(services: Any, east: Gate) -> None:
    await store.set_registry(
        services, ACTOR, plate="琼C88888", energy="battery_electric", vehicle_type=None, source="register"
    )
    electric = {"outcome": "admit", "verdict": "new_energy"}
    await sent(
        services,
        east.gateway,
        east.arrival("n1", 0, "琼CD12345", **electric),
        east.arrival("n2", 5, "琼CD12345", direction="out", **electric),
        east.arrival("n3", 6, "琼C88888", outcome="admit"),
        east.arrival("n4", 9, "琼C88888", outcome="admit", direction="out"),
    )
    assert await rows_of(services) == []
    assert await services.pool.fetchval("SELECT count(*) FROM visit_passages") == 0


async def test_a_plate_named_later_moves_the_visit_and_takes_the_wrong_one_back(services: Any, east: Gate) -> None:
    await sent(
        services,
        east.gateway,
        east.arrival("a1", 0, "琼C11111"),
        east.arrival("b1", 30, PLATE, direction="out", outcome="admit"),
    )
    assert [(row["visit_id"], row["state"]) for row in await rows_of(services)] == [
        ("a1", "inside"),
        ("b1", "entry_unknown"),
    ]
    await store.correct_plate(services, ACTOR, "a1", PLATE)
    await worker.turn(services)
    (visit,) = await rows_of(services)
    assert (visit["visit_id"], visit["plate"], visit["state"]) == ("a1", PLATE, "complete")
    gone = await visit_queries.one(services.pool, "b1")
    assert gone is not None
    assert (gone.withdrawn_at, gone.revision, gone.is_over) == (services.clock(), 2, True)


async def test_what_nobody_could_read_waits_for_a_name(services: Any, east: Gate) -> None:
    await sent(services, east.gateway, east.arrival("a1", 0, None, outcome="admit"))
    assert await rows_of(services) == []
    assert [one.arrival_id for one in await visit_queries.unread(services.pool)] == ["a1"]
    await sent(
        services,
        east.gateway,
        [
            east.gateway.row(
                "plate_corrected",
                arrival_id="a1",
                raw_text="",
                corrected_text=PLATE,
                by="wang",
                source="hut",
                at=services.clock().isoformat(),
            )
        ],
    )
    assert [row["plate"] for row in await rows_of(services)] == [PLATE]
    assert await visit_queries.unread(services.pool) == ()


async def test_a_visit_without_an_exit_is_closed_after_its_term(services: Any, east: Gate, clock: Any) -> None:
    await sent(services, east.gateway, east.arrival("a1", 0))
    clock.leap(hours=66)
    await worker.turn(services)
    assert [row["state"] for row in await rows_of(services)] == ["inside"]
    clock.leap(hours=2)
    await worker.turn(services)
    assert [(row["state"], row["is_over"]) for row in await rows_of(services)] == [("exit_unknown", True)]
    await sent(services, east.gateway, east.arrival("b1", 60 * 67, direction="out", outcome="admit"))
    (visit,) = await rows_of(services)
    assert (visit["visit_id"], visit["state"]) == ("a1", "complete")


async def test_nonsense_about_one_arrival_does_not_hold_up_the_others(services: Any, east: Gate) -> None:
    await sent(
        services,
        east.gateway,
        east.arrival("bad", 0, direction="sideways"),
        east.arrival("odd", 1, vehicle={"type": 7}),
    )
    assert [(row["visit_id"], row["vehicle_type"]) for row in await rows_of(services)] == [("odd", None)]
    assert await services.pool.fetchval("SELECT count(*) FROM visit_todo") == 0


async def test_visits_are_listed_newest_first_page_by_page(services: Any, east: Gate) -> None:
    for number in range(5):
        await sent(services, east.gateway, east.arrival(f"a{number}", number, f"琼C1111{number}"))
    page = await visit_queries.listed(services.pool, VisitFilter(), limit=3)
    rest = await visit_queries.listed(services.pool, VisitFilter(), cursor=page.next_cursor, limit=3)
    assert [one.visit_id for one in (*page.items, *rest.items)] == ["a4", "a3", "a2", "a1", "a0"]
    assert rest.next_cursor is None
    wanted = VisitFilter(plate="11113", open_only=True, from_at=east.begin, until_at=services.clock())
    assert [one.visit_id for one in (await visit_queries.listed(services.pool, wanted)).items] == ["a3"]


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_arrival_gives_what_a_rebuild_gives(
    services: Any, make_gateway: Any, clock: Any, seed: int
) -> None:
    """Late, repeated, corrected and contradicting events, taken up in random portions."""
    draw = random.Random(seed)
    gates = [
        Gate(make_gateway(services, f"gw-{name}"), clock() - timedelta(hours=30), name) for name in ("east", "west")
    ]
    permits = [await counted_permit(services, 3, plate) for plate in (PLATE, "琼C22222")]
    plates = [PLATE, "琼C22222", "琼C33333", None]
    for number in range(40):
        gate, plate = draw.choice(gates), draw.choice(plates)
        permit_id = permits[plates.index(plate)] if plate in plates[:2] and draw.random() < 0.7 else None
        rows = gate.arrival(
            f"a{seed}-{number}",
            draw.uniform(0, 1700),
            plate,
            direction=draw.choice(["in", "out"]),
            movement=draw.choice(["passed", "passed", "unasked", "backed_out"]),
            permit_id=permit_id,
        )
        await gate.gateway.send(*rows)
        if draw.random() < 0.2:
            await stamp(services)
            await store.correct_plate(services, ACTOR, f"a{seed}-{number}", draw.choice(plates[:3]))
        if draw.random() < 0.3:
            await stamp(services)
            await worker.turn(services)
        clock.leap(seconds=1)
    await stamp(services)
    await visits.rebuild(services)
    taken = await rows_of(services)
    left = [await entries_left(services, one) for one in permits]
    assert taken
    await services.pool.execute("DELETE FROM visits")
    await services.pool.execute("DELETE FROM visit_passages")
    await visits.rebuild(services)
    assert await rows_of(services) == taken
    assert [await entries_left(services, one) for one in permits] == left
    assert [
        max(0, 3 - sum(row["permit_id"] == one and row["entry_arrival"] is not None for row in taken))
        for one in permits
    ] == left
