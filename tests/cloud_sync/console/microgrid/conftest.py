"""A microgrid with a day behind it and a plan ahead, told through the projections as ingest does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import argon2
import pytest_asyncio

from cloud_sync.server import auth, build
from cloud_sync.server.config import CloudConfig
from cloud_sync.server.energy_whatif import WhatIfDesk
from cloud_sync.server.services import Services
from control.energy import booking, whatif
from control.energy.kernels import Kernel

QUICK_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "a long enough password"  # as the desks of the folder above type it
on_one_loop = partial(pytest_asyncio.fixture, loop_scope="session")

GRID_NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)  # 10:42:31 on the island
LOADS = {"venue": ("会议中心", "Conference centre", 860.0), "hotels": ("酒店群", "Hotels", 742.0)}
LOADS |= {"public": ("公共设施", "Public services", 188.0)}
SUN = (0, 0, 0, 0, 0, 0, 0.02, 0.16, 0.4, 0.66, 0.82, 0.9, 1.0, 0.94, 0.8, 0.55, 0.3, 0.08, 0, 0, 0, 0, 0, 0)


@dataclass
class Island:
    """Feeds a microgrid's events through the projections, as ingest does, around a clock that stands still."""

    given: Services
    gateway: Any
    now: datetime = GRID_NOW

    async def send(self, kind: str, **body: Any) -> None:
        assert await self.gateway.send(self.gateway.row(kind, **body)) == ()

    def sample_body(self, at: datetime, *, period_s: int = 10, **kw: float) -> dict[str, Any]:
        """A sample whose energies follow from its powers."""
        hours = period_s / 3600
        grid, storage = kw.get("grid", 0.0), kw.get("storage", 0.0)
        kwh = {"pv": kw.get("pv", 0.0) * hours, "load": kw.get("load", 0.0) * hours, "ev": kw.get("ev", 0.0) * hours}
        kwh |= {"imported": max(grid, 0.0) * hours, "exported": max(-grid, 0.0) * hours}
        kwh |= {"discharged": max(storage, 0.0) * hours, "charged": max(-storage, 0.0) * hours}
        return {
            "at": at.isoformat(timespec="milliseconds"),
            "period_s": period_s,
            "mode": "grid_tied",
            "kw": kw,
            "kwh": kwh,
            "soc_frac": 0.64,
            "peak_import_kw": max(grid, 0.0),
            "frequency_hz": 50.0,
            "good_frac": 1.0,
            "binding": "value_curve",
            "settings_version": 0,
            "devices": {},
        }

    def devices(self) -> dict[str, Any]:
        """Loads, storages, chargers and inverters as a healthy sample names them, one string without power."""
        found: dict[str, Any] = {
            key: {"kind": "load", "name": zh, "name_en": en, "quality": "good", "kw": kw, "tier": 1, "on": True}
            for key, (zh, en, kw) in LOADS.items()
        }
        for key, capacity in (("vrfb", 4000.0), ("lfp", 4000.0)):
            found[key] = {"kind": "storage", "name": key, "quality": "good", "kw": -231.0, "soc_frac": 0.64}
            found[key] |= {"capacity_kwh": capacity}
        for number in range(1, 9):
            busy = number in (1, 2, 3, 7)
            found[f"cp-0{number}"] = {"kind": "charger", "name": f"{number} 号桩", "quality": "good"}
            found[f"cp-0{number}"] |= {"kw": 71.5 if busy else 0.0, "max_kw": 120.0, "v2g": number > 6}
            found[f"cp-0{number}"] |= {"state": "charging" if busy else "available"}
        for number in (1, 2):
            healthy = {"kw": 150.0, "expected_kw": 152.0, "lost_kwh": 0.0, "diagnosis": ""}
            strings = {f"s{one}": dict(healthy) for one in range(4)}
            found[f"pv-{number}"] = {"kind": "inverter", "name": f"酒店 {number}", "quality": "good", "kw": 600.0}
            found[f"pv-{number}"] |= {"expected_kw": 612.0, "lost_kwh": 0.0, "diagnosis": "", "strings": strings}
        found["pv-2"] |= {"kw": 450.0, "lost_kwh": 38.0}
        found["pv-2"]["strings"]["s3"] = {"kw": 0.0, "expected_kw": 152.0, "lost_kwh": 38.0, "diagnosis": "pv_outage"}
        return found

    async def sample(self, *, ago_s: float = 1.1, devices: bool = True, **more: Any) -> None:
        """The newest ten seconds: 2,412 kW of sun, 126 kW from the grid, the storage charging."""
        kw = more.pop("kw", {"pv": 2412.0, "grid": 126.0, "storage": -462.0, "load": 1790.0, "ev": 286.0})
        body = self.sample_body(self.now - timedelta(seconds=ago_s + 10), **kw)
        body["devices"] = self.devices() if devices else {}
        await self.send("energy_sample", **(body | more))

    async def quarters(self, *, days: int = 1) -> None:
        """Quarter hours since midnight, `days` - 1 days before it, up to now."""
        start = self.now.replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=days)
        rows, at = [], start
        while at < self.now - timedelta(minutes=15):
            rows.append(self.gateway.row("energy_sample", **self._quarter(at)))
            at += timedelta(minutes=15)
        assert await self.gateway.send(*rows) == ()

    def _quarter(self, at: datetime) -> dict[str, Any]:
        hour = (at.hour + 8) % 24 + at.minute / 60
        low = int(hour)
        sun = SUN[low] + (SUN[(low + 1) % 24] - SUN[low]) * (hour - low)
        evening, day = max(0.0, 1 - abs(hour - 19.5) / 4), min(1.0, max(0.0, hour - 6) / 5)
        pv, load = 2950.0 * sun, 1400.0 + 420.0 * evening + 500.0 * day
        storage = -462.0 if 9 <= hour < 15 else 700.0 if 17.5 <= hour < 22 else -60.0 if 5 <= hour < 7 else 0.0
        kw = {"pv": pv, "load": load, "ev": 100.0, "storage": storage, "grid": load + 100.0 - pv - storage}
        body = self.sample_body(at, period_s=900, **kw)
        return body | {"soc_frac": 0.62 if hour < 9 else 0.6 + 0.02 * (hour - 9)}

    async def plan(self) -> None:
        """36 hours ahead, with four reasons."""
        slots, start = 144, self.now.replace(minute=30, second=0, microsecond=0)
        quarters = [self._quarter(start + timedelta(minutes=15 * one))["kw"] for one in range(slots)]
        series = {name: [one[name] for one in quarters] for name in ("storage", "grid", "ev")}
        for name in ("pv", "load"):
            mid = [one[name] for one in quarters]
            low, high = (0.86, 1.14) if name == "pv" else (0.93, 1.07)
            series[f"{name}_mid"] = mid
            series |= {f"{name}_{edge}": [one * by for one in mid] for edge, by in (("low", low), ("high", high))}
        up, down = [0.64 + 0.0165 * one for one in range(slots)], [0.95 - 0.02 * (one - 29) for one in range(slots)]
        series["soc_frac"] = [min(0.95, up[one]) if one < 29 else max(0.45, down[one]) for one in range(slots)]
        series["carbon_per_kwh"] = [0.3648] * slots
        await self.send(
            "energy_planned",
            at=(self.now - timedelta(seconds=151)).isoformat(),
            starts_at=start.isoformat(),
            slot_s=900,
            rung="exact",
            settings_version=0,
            made_ms=84.0,
            series=series,
            because=self.because(),
            violations=[],
            ride_through_h=4.6,
        )

    def because(self) -> list[dict[str, Any]]:
        """Reasons of which the last one is of a code that nobody wrote a sentence for."""

        def one(hour: float, until: float, code: str, kg: float, **values: Any) -> dict[str, Any]:
            midnight = self.now.replace(hour=16, minute=0, second=0) - timedelta(days=1)
            times = {"at": midnight + timedelta(hours=hour), "until": midnight + timedelta(hours=until)}
            iso = {name: at.isoformat() for name, at in times.items()}
            return iso | {"code": code, "values": values, "cost_saved": kg * 0.4, "carbon_saved_kg": kg}

        flows = {"load_kwh": 1790.0, "pv_kwh": 2412.0, "ev_kwh": 286.0, "storage_kwh": -462.0, "grid_kwh": 126.0}
        prices = {"import_per_kwh": 1.05, "export_per_kwh": 0.36, "soc_frac": 0.7, "rung": "exact"}
        peak = {"storage_kwh": 700.0, "peak_kw": 1400.0, "demand_per_kw": 40.0}
        return [
            one(10.0, 11.0, "store_surplus", 61.0, **flows, **prices, later_per_kwh=1.05),
            one(11.0, 12.0, "store_surplus", 60.0, **flows, **prices, later_per_kwh=1.05),
            one(15.0, 17.0, "full", 0.0, **(flows | {"storage_kwh": 0.0}), **(prices | {"soc_frac": 0.95})),
            one(17.0, 18.0, "hold_peak", 318.0, **(flows | prices | peak)),
            one(19.0, 20.0, "tide_of_the_moon", -3.0, height_m=2.5),
        ]

    async def alarm(self, alarm_id: str = "al-1", **more: Any) -> None:
        body = {"alarm_id": alarm_id, "code": "pv_outage", "severity": "warning", "device": "pv-2/s3"}
        body |= {"evidence": {"expected_kw": 152.0, "measured_kw": 0.0, "for_min": 15.0}, "suggestion": "pv_outage"}
        body |= {"lost_kwh": 38.0, "at": (self.now - timedelta(minutes=15)).isoformat()}
        await self.send("energy_alarm_raised", **(body | more))

    async def session(
        self, session_id: str, charger: str, *, phase: str = "updated", ago_min: float = 3, **more: Any
    ) -> None:
        body = {"session_id": session_id, "charger": charger, "phase": phase, "energy_kwh": 18.4, "fed_back_kwh": 0.0}
        body |= {"soc_frac": 0.58, "depart_at": (self.now + timedelta(hours=6)).isoformat(), "power_kw": 71.5}
        body |= {"at": (self.now - timedelta(minutes=ago_min)).isoformat()}
        await self.send("charging_session", **(body | more))

    async def full_day(self) -> None:
        """Everything that the page can show."""
        await self.quarters(days=2)
        await self.plan()
        await self.alarm()
        for number in (1, 2, 3, 7):
            await self.session(f"s-{number}", f"cp-0{number}", phase="started", ago_min=64)
            await self.session(f"s-{number}", f"cp-0{number}")
        await self.sample()


def _warm() -> float:
    """The kernels of a replay by rules, which is quick and follows limits: pages need no better controller."""
    for module in (booking, whatif):
        for one in vars(module).values():
            if isinstance(one, Kernel):
                one.warm()
    return 0.0


@on_one_loop()
async def grid_site(config: CloudConfig, serve: Any) -> AsyncIterator[Any]:
    """The application at 10:42:31 on the island, and never a second later."""
    app = build.create_app(config, clock=lambda: GRID_NOW, hasher=QUICK_HASHER, workers=False)
    async with serve(app) as served:
        app.state.whatif.close()
        app.state.whatif = WhatIfDesk(replay=partial(whatif.what_if, controller="rules"), warm_kernels=_warm)
        for role, name in (("guard", "陈海龙"), ("operator", "吴敏"), ("engineer", "王工")):
            hashed = await served.given.passwords.hash(PASSWORD)
            kind = auth.Role(role)
            await auth.insert_user(
                served.given.pool, username=role, name=name, role=kind, password_hash=hashed, at=GRID_NOW
            )
        yield served


@on_one_loop()
async def island(grid_site: Any, make_gateway: Any) -> Island:
    """Nothing told yet."""
    return Island(grid_site.given, make_gateway(grid_site.given))


@on_one_loop()
async def make_grid_desk(grid_site: Any, chromium: Any, open_desks: Any) -> AsyncIterator[Callable[..., Any]]:
    """Windows at the microgrid's console."""
    async with open_desks(grid_site, chromium) as made:
        yield made


@on_one_loop()
async def grid_desk(make_grid_desk: Callable[..., Any]) -> AsyncIterator[Any]:
    """A window in Chinese, light; it must not complain of anything."""
    made = await make_grid_desk()
    yield made
    assert made.seen.errors == []
