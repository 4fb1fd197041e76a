"""Settings of the microgrid: draft, staged, in force when the gateway says so, back, scheduled; and taking over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from cloud_sync.contract.v1 import KeyPair, TakeoverMode, open_energy_settings, open_takeover
from cloud_sync.server import energy_settings, queries_energy
from cloud_sync.server.broker import BrokerSettings, EmbeddedBroker
from cloud_sync.server.downlink import DownlinkPublisher
from cloud_sync.server.ingest_worker import BrokerAccess
from cloud_sync.server.problems import Problem
from cloud_sync.server.store import Actor
from control.energy.settings import EnergySettings, read_settings

WU = Actor("wu", "10.0.0.1")
GATEWAY = "gw-east"
DEARER = energy_settings.changed(EnergySettings(), {"carbon_price_per_t": 260.0, "ride_through_h": 3.0})
KEY = KeyPair.generate()


async def answer(gateway: Any, version: int, outcome: str, at: Any, detail: str = "") -> None:
    body = {"version": version, "outcome": outcome, "detail": detail, "effective_at": at.isoformat()}
    assert await gateway.send(gateway.row("energy_settings_taken", **body, at=at.isoformat())) == ()


async def states(services: Any) -> dict[int, str]:
    desk = await energy_settings.desk(services.pool, GATEWAY)
    return {one.version: one.state for one in desk.versions}


async def test_from_draft_to_in_force_with_every_step_audited(services: Any, gateway: Any, clock: Any) -> None:
    desk = await energy_settings.desk(services.pool, GATEWAY)
    assert (desk.in_force, desk.settings) == (0, EnergySettings())
    await energy_settings.keep_draft(services, WU, GATEWAY, DEARER, based_on=0)
    assert await energy_settings.draft(services.pool, GATEWAY, "wu", desk) == DEARER
    assert await energy_settings.draft(services.pool, GATEWAY, "li", desk) == EnergySettings()
    version = await energy_settings.stage(services, WU, GATEWAY, DEARER, reason="台风前")
    assert (version, await states(services)) == (1, {1: "staged"})
    assert await energy_settings.draft(services.pool, GATEWAY, "wu", desk) == EnergySettings()
    await energy_settings.release(services, WU, GATEWAY, version)
    assert await states(services) == {1: "sent"}
    assert (await energy_settings.desk(services.pool, GATEWAY)).settings == EnergySettings()
    await answer(gateway, 1, "used", clock())
    desk = await energy_settings.desk(services.pool, GATEWAY)
    assert (desk.in_force, desk.settings) == (1, DEARER)
    rows = await services.pool.fetch("SELECT action, before, after, why, by FROM audit ORDER BY at, audit_id")
    assert [row["action"] for row in rows] == ["energy_settings_staged", "energy_settings_released"]
    assert json.loads(rows[0]["before"]) == {"version": 0, "carbon_price_per_t": 80.0, "ride_through_h": 2.0}
    assert json.loads(rows[0]["after"]) == {"version": 1, "carbon_price_per_t": 260.0, "ride_through_h": 3.0}
    assert (rows[0]["why"], rows[0]["by"]) == ("台风前", "wu")


async def test_published_prices_go_the_way_of_every_setting(services: Any, gateway: Any, clock: Any) -> None:
    day = {"day": "2026-11-22", "import_per_kwh": [0.4] * 96, "export_per_kwh": [], "source": "exchange"}
    priced = energy_settings.changed(EnergySettings(), {"day_ahead": [day]})
    version = await energy_settings.stage(services, WU, GATEWAY, priced, reason="tomorrow")
    await energy_settings.release(services, WU, GATEWAY, version)
    await answer(gateway, version, "used", clock())
    assert (await energy_settings.desk(services.pool, GATEWAY)).settings == priced
    await services.pool.execute("UPDATE energy_settings SET settings = settings - 'day_ahead'")
    assert (await energy_settings.desk(services.pool, GATEWAY)).settings == EnergySettings()


async def test_only_one_waits_and_what_is_given_up_stays_a_row(services: Any) -> None:
    version = await energy_settings.stage(services, WU, GATEWAY, DEARER, reason="r")
    with pytest.raises(Problem, match="version_staged"):
        await energy_settings.stage(services, WU, GATEWAY, DEARER, reason="r")
    await energy_settings.discard(services, WU, GATEWAY, version)
    for act in (energy_settings.discard, energy_settings.release):
        with pytest.raises(Problem, match="version_gone"):
            await act(services, WU, GATEWAY, version)
    assert await energy_settings.stage(services, WU, GATEWAY, DEARER, reason="again") == 2
    assert await states(services) == {1: "discarded", 2: "staged"}


async def test_a_scheduled_version_waits_and_can_be_cancelled(services: Any, gateway: Any, clock: Any) -> None:
    at = clock() + timedelta(hours=6)
    await energy_settings.stage(services, WU, GATEWAY, DEARER, reason="night", effective_at=at)
    await answer(gateway, 1, "waiting", clock())
    assert await states(services) == {1: "waiting"}
    made = await energy_settings.cancel_scheduled(services, WU, GATEWAY, reason="not tonight")
    await answer(gateway, made, "used", clock() + timedelta(seconds=1))
    assert await states(services) == {1: "past", 2: "in_force"}
    assert (await energy_settings.desk(services.pool, GATEWAY)).settings == EnergySettings()
    with pytest.raises(Problem, match="version_gone"):
        await energy_settings.cancel_scheduled(services, WU, GATEWAY, reason="r")


async def test_rolling_back_makes_a_new_version_of_the_old_settings(services: Any, gateway: Any, clock: Any) -> None:
    for wanted in (DEARER, energy_settings.changed(DEARER, {"wear_per_kwh": 0.4})):
        version = await energy_settings.stage(services, WU, GATEWAY, wanted, reason="r")
        await energy_settings.release(services, WU, GATEWAY, version)
        await answer(gateway, version, "used", clock())
    assert await energy_settings.roll_back(services, WU, GATEWAY, 1, reason="worse") == 3
    await answer(gateway, 3, "used", clock())
    desk = await energy_settings.desk(services.pool, GATEWAY)
    assert (desk.in_force, desk.settings, desk.versions[0].source) == (3, DEARER, "rollback to v1")
    assert await energy_settings.roll_back(services, WU, GATEWAY, 0, reason="as delivered") == 4
    with pytest.raises(Problem, match="not_found"):
        await energy_settings.roll_back(services, WU, GATEWAY, 77, reason="r")


async def test_the_gateways_refusal_is_kept_in_its_words(services: Any, gateway: Any, clock: Any) -> None:
    version = await energy_settings.stage(services, WU, GATEWAY, DEARER, reason="r")
    await energy_settings.release(services, WU, GATEWAY, version)
    await answer(gateway, version, "refused", clock(), "import_max_kw is above the transformer's 8000 kW")
    desk = await energy_settings.desk(services.pool, GATEWAY)
    assert (desk.versions[0].state, desk.in_force) == ("refused", 0)
    assert "transformer" in (desk.versions[0].outcome_detail or "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"carbon_price_per_t": -1}, "carbon_price_per_t is -1"),
        ({"soc_max_frac": "high"}, "soc_max_frac must be a number"),
        ({"warp_factor": 9}, "warp_factor is no setting"),
        ({"import_target_kw": 9000.0}, "import_target_kw is above import_max_kw"),
        ({"tariff": []}, "tariff"),
        ({"day_ahead": [{"day": "2026-11-22"}]}, r"day_ahead\[0\] needs"),
    ],
)
def test_nonsense_is_refused_with_the_key(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Problem, match=said):
        energy_settings.changed(EnergySettings(), changes)


async def test_what_is_missing_or_impossible_is_refused(services: Any, clock: Any) -> None:
    with pytest.raises(Problem, match="reason_missing"):
        await energy_settings.stage(services, WU, GATEWAY, DEARER, reason=" ")
    with pytest.raises(Problem, match="effective_at"):
        await energy_settings.stage(
            services, WU, GATEWAY, DEARER, reason="r", effective_at=clock() - timedelta(hours=1)
        )
    with pytest.raises(Problem, match="not_found"):
        await energy_settings.stage(services, WU, "gw-none", DEARER, reason="r")
    assert await states(services) == {}


# ---------------------------------------------------------------- taking over


async def test_a_takeover_holds_until_it_is_over_or_taken_back(services: Any, gateway: Any, clock: Any) -> None:
    storage = {"mode": TakeoverMode.STORAGE, "storage_kw": -800.0, "minutes": 30, "note": "maintenance"}
    made = await energy_settings.take_over(services, WU, GATEWAY, **storage)
    done = {"command_id": made.command_id, "outcome": "done", "detail": "storage", "at": clock().isoformat()}
    await gateway.send(gateway.row("command_result", **done))
    orders = await queries_energy.takeovers(services.pool, GATEWAY)
    assert (orders[0].result, orders[0].storage_kw) == ("done", -800.0)
    assert queries_energy.takeover_now(orders, now=clock()) == orders[0]
    assert queries_energy.takeover_now(orders, now=clock() + timedelta(minutes=31)) is None
    clock.leap(seconds=5)
    await energy_settings.take_over(services, WU, GATEWAY, mode=TakeoverMode.AUTO, storage_kw=None, minutes=0, note="x")
    orders = await queries_energy.takeovers(services.pool, GATEWAY)
    assert queries_energy.takeover_now(orders, now=clock()) is None
    assert await services.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'energy_taken_over'") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": TakeoverMode.STORAGE, "storage_kw": None},
        {"mode": TakeoverMode.HOLD, "storage_kw": 5.0},
        {"minutes": 0.5},
        {"minutes": 1441},
        {"minutes": float("nan")},
        {"mode": TakeoverMode.STORAGE, "storage_kw": 1e6},
        {"mode": TakeoverMode.STORAGE, "storage_kw": float("nan")},
        {"note": ""},
    ],
)
async def test_a_takeover_that_cannot_be_meant_is_refused(services: Any, wrong: dict[str, Any]) -> None:
    given = {"mode": TakeoverMode.HOLD, "storage_kw": None, "minutes": 30.0, "note": "why"} | wrong
    with pytest.raises(Problem):
        await energy_settings.take_over(services, WU, GATEWAY, **given)
    assert await services.pool.fetchval("SELECT count(*) FROM energy_takeovers") == 0


# ---------------------------------------------------------------- on the way down


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    made = EmbeddedBroker(BrokerSettings(tmp_path, "127.0.0.1", 0, "cloud", "pw", {GATEWAY: "secret"}))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def publishing(services: Any, port: int) -> AsyncIterator[None]:
    publisher = DownlinkPublisher(
        access=BrokerAccess("127.0.0.1", port, "cloud", "pw"),
        pool=services.pool,
        database_url=services.database_url,
        key=KEY,
        clock=services.clock,
    )
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def heard(port: int, kind: str) -> bytes:
    """The first message of a kind that a gateway gets which connects now: what is retained comes at once."""
    async with asyncio.timeout(60), aiomqtt.Client("127.0.0.1", port, username=GATEWAY, password="secret") as client:
        await client.subscribe(f"island/v1/{GATEWAY}/down/{kind}", qos=1)
        async for message in client.messages:
            return bytes(message.payload)
    raise AssertionError("nothing came")


async def test_settings_lie_retained_and_takeovers_come_until_answered(
    services: Any, gateway: Any, broker: EmbeddedBroker
) -> None:
    staged = await energy_settings.stage(services, WU, GATEWAY, DEARER, reason="台风前")
    async with publishing(services, broker.port):
        early = asyncio.create_task(heard(broker.port, "energy"))
        await asyncio.sleep(0.3)
        assert not early.done()
        await energy_settings.release(services, WU, GATEWAY, staged)
        first = open_energy_settings(await early, KEY.public)
        assert (first.version, read_settings(first.settings), first.reason) == (1, DEARER, "台风前")
        late = open_energy_settings(await heard(broker.port, "energy"), KEY.public)
        assert late == first
        made = await energy_settings.take_over(
            services, WU, GATEWAY, mode=TakeoverMode.HOLD, storage_kw=None, minutes=10, note="n"
        )
        # A gateway that was away when it was sent gets it again, for it has not answered.
        services.clock.leap(seconds=6)
        taken = open_takeover(await heard(broker.port, "takeover"), KEY.public)
        assert (taken.command_id, taken.mode, taken.issued_by) == (made.command_id, TakeoverMode.HOLD, "wu")
    desk = await energy_settings.desk(services.pool, GATEWAY)
    assert desk.versions[0].state == "sent"
