"""The real microgrid gateway against the simulated one, over the real protocols, on a clock that both share.

Sockets are real, time is not: a second passes when the test says so, and the simulator's own books are the judge.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from control.domain.energy import GridMode
from control.energy.settings import EnergySettings, settings_json
from edge.adapters.sqlite_journal import SqliteJournal
from edge.changes import Changes
from edge.config import load as load_gateway
from edge.energy.build import energy_built
from edge.energy.part import EnergyPart
from edge.policy import LivePolicy
from edge.rules_file import delivered_rules
from edge.shared import Shared
from hw_sim.microgrid.config import load as load_sim
from hw_sim.microgrid.service import SimulatedMicrogrid

_spec = importlib.util.spec_from_file_location("energy_site", Path(__file__).with_name("energy_site.py"))
energy_site = importlib.util.module_from_spec(_spec)
sys.modules["energy_site"] = energy_site
_spec.loader.exec_module(energy_site)

STEP_S = 0.2
# Sockets take real time, and on a busy machine more of it: only a device that is silent may be missed.
READ_TIMEOUT_S = 1.0
NOON = datetime(2026, 3, 24, 4, 0, tzinfo=UTC)


class SharedClock:
    """Time for the gateway and for the world."""

    def __init__(self) -> None:
        self.elapsed_s = 1000.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"asked to sleep {seconds} s on virtual time")


@dataclass
class Island:
    """Both sides."""

    clock: SharedClock
    sim: SimulatedMicrogrid
    part: EnergyPart
    journal: SqliteJournal

    async def run(self, seconds: int, *, each: Callable[[], Any] = lambda: None) -> list[Any]:
        """So many cycles, the world moving between them; what `each` gave after each."""
        seen = []
        for _ in range(seconds):
            for _ in range(round(1 / STEP_S)):
                self.clock.elapsed_s += STEP_S
                self.sim.advance()
            await self.part.cycle.turn()
            await self.part.telemetry.settle()
            seen.append(each())
        return seen

    async def until(self, condition: Callable[[], Any]) -> None:
        """Cycle after cycle until it is so. A device that is lost is asked in real time, which must pass meanwhile."""
        async with asyncio.timeout(90):
            while not condition():
                await self.run(1)
                await asyncio.sleep(0.1)

    def violations(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self.sim.truth()["violations"]["episodes"] if row["kind"] == kind]

    async def told(self, *kinds: str) -> list[dict[str, Any]]:
        return [row.body | {"kind": row.kind} for row in reversed(await self.journal.recent(kinds, 5000))]


@asynccontextmanager
async def joined(
    folder: Path, settings: EnergySettings, *, soc_frac: float = 0.6, load_frac: float = 1.0
) -> AsyncIterator[Island]:
    site = energy_site.write_site(folder)
    (folder / "settings.json").write_text(json.dumps(settings_json(settings)))
    config = load_sim(site.sim_toml)
    config = replace(
        config,
        # A dead island starts on order only, never by itself.
        site=replace(config.site, black_start_after_s=0.0),
        load=tuple(replace(one, rated_kw=load_frac * one.rated_kw) for one in config.load),
        grid=replace(config.grid, import_max_kw=settings.import_max_kw, export_max_kw=settings.export_max_kw),
        storage=tuple(replace(one, soc_frac=soc_frac) for one in config.storage),
        ocpp=replace(config.ocpp, url=""),
        load_bus=replace(config.load_bus, embedded=False, port=0),
        vehicles=replace(config.vehicles, at_start=0, arrivals_per_day=0.0),
    )
    gateway = load_gateway(site.gateway_toml, {})
    energy = replace(
        gateway.energy,
        settings_file=folder / "settings.json",
        read_timeout_s=READ_TIMEOUT_S,
        ocpp=None,
        charger=(),
        load_bus=None,
        load=(),
    )
    gateway = replace(gateway, energy=energy)
    clock = SharedClock()
    sim = SimulatedMicrogrid(config, now=clock.now, monotonic=clock.monotonic)
    site.data_dir.mkdir()
    opened = SqliteJournal.open(site.data_dir / "journal.db", gateway_id="gw-energy", boot_id="boot", clock=clock)
    async with sim.running(), opened as journal:
        shared = Shared(gateway, clock, random.Random(1), journal, Changes(), LivePolicy(delivered_rules()))
        async with energy_built(shared, energy) as part:
            yield Island(clock, sim, part, journal)


SETTINGS = EnergySettings(export_max_kw=200.0, import_max_kw=4000.0, import_target_kw=4000.0)


async def test_too_much_export_after_a_cloud_ends_within_two_seconds(tmp_path: Path) -> None:
    async with joined(tmp_path, SETTINGS, soc_frac=0.975) as island:
        await island.run(40)
        before = len(island.violations("export_kw"))
        for _ in range(3):
            island.sim.world.weather.ask_for_cloud(island.sim.world.at, takes_frac=0.8, seconds=8.0)
            await island.run(20)
        found = island.violations("export_kw")
        curtailed = island.sim.truth()["energies"]["curtailed_kwh"]
    assert curtailed > 1.0, "the sun gave more than could be used, or nothing was tried"
    assert all(row["ended"] and row["duration_s"] <= 2.0 for row in found[before:]), found


async def test_an_outage_is_survived_as_an_island_and_the_grid_is_joined_again(tmp_path: Path) -> None:
    async with joined(tmp_path, SETTINGS) as island:
        await island.run(10)
        island.sim.world.grid.ask_for_outage(island.sim.world.world_s, 20.0)
        away = await island.run(15, each=lambda: (island.part.cycle.mode, island.sim.world.bus.live))
        assert away[-1] == (GridMode.ISLANDED, True)
        await island.run(60)
        modes = [row["after"] for row in await island.told("energy_mode_changed")]
        ones = [row for row in await island.told("energy_sample") if row["period_s"] == 1]
        truth = island.sim.truth()
    assert modes == ["islanding", "islanded", "resynchronising", "grid_tied"]
    assert truth["blackouts"] == 0
    assert {row["mode"] for row in ones} >= {"islanded", "grid_tied"}


async def test_a_dead_island_is_started_from_its_storage(tmp_path: Path) -> None:
    async with joined(tmp_path, SETTINGS, load_frac=0.2) as island:
        await island.run(5)
        island.sim.faults.set("lfp", "trip", True)
        island.sim.world.grid.ask_for_outage(island.sim.world.world_s, 600.0)
        await island.run(8)
        assert not island.sim.world.bus.live
        assert island.part.cycle.mode is GridMode.BLACK_START
        island.sim.faults.set("lfp", "trip", False)
        await island.until(lambda: island.part.cycle.mode is GridMode.ISLANDED)
        assert island.sim.world.bus.live
        assert island.sim.truth()["blackouts"] == 1
        modes = [row["after"] for row in await island.told("energy_mode_changed")]
    assert modes == ["islanding", "black_start", "islanded"]


async def test_without_the_meter_everything_is_at_rest_within_three_cycles_and_back_after(tmp_path: Path) -> None:
    async with joined(tmp_path, SETTINGS) as island:
        await island.run(10)
        island.sim.faults.set("meter", "silent", True)

        def rest() -> tuple[GridMode, bool]:
            commands = island.part.cycle.published.dispatched.commands
            still = all(abs(kw) < 1.0 for kw in commands.storage_kw.values())
            limited = all(kw is not None for kw in commands.pv_limit_kw.values())
            return island.part.cycle.mode, still and limited

        seen = await island.run(4, each=rest)
        assert seen[2] == (GridMode.HOLD, True), seen
        island.sim.faults.set("meter", "silent", False)
        await island.until(lambda: island.part.cycle.mode is GridMode.GRID_TIED)
        told = await island.told("device_lost", "device_back")
        modes = [row["after"] for row in await island.told("energy_mode_changed")]
    assert [(row["kind"], row["device"]) for row in told] == [("device_lost", "meter"), ("device_back", "meter")]
    assert modes == ["hold", "grid_tied"]


async def test_a_rejected_write_and_a_silent_inverter_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with joined(tmp_path, SETTINGS) as island:
        await island.run(5)
        island.sim.faults.set("lfp", "reject_writes", True)
        island.sim.faults.set("pv-2", "silent", True)
        await island.run(10)
        raised = await island.told("energy_alarm_raised")
        lost = await island.told("device_lost")
    assert ("write_not_taken", "lfp") in [(row["code"], row["device"]) for row in raised]
    assert [row["device"] for row in lost] == ["pv-2"]


async def test_the_books_of_gateway_and_world_agree(tmp_path: Path) -> None:
    async with joined(tmp_path, SETTINGS) as island:
        await island.run(2)
        before = island.sim.truth()["energies"]
        begins = island.clock.now()
        await island.run(60)
        after = island.sim.truth()["energies"]
        rows = await island.part.telemetry.store.samples(from_s=begins.timestamp() + 0.5)
    measured = sum(body["kw"]["pv"] * body["dt"] / 3600 for _, body in rows)
    assert measured == pytest.approx(after["pv_kwh"] - before["pv_kwh"], rel=0.01)
