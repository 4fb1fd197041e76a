"""A zone with a day behind it: electricity, vehicles and points, around a clock that stands still."""

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
from cloud_sync.server.services import Services

QUICK_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "a long enough password"
ZONE_NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)  # 10:42:31 on the island
SUN = (0, 0, 0, 0, 0, 0, 0.02, 0.16, 0.4, 0.66, 0.82, 0.9, 1.0, 0.94, 0.8, 0.55, 0.3, 0.08, 0, 0, 0, 0, 0, 0)
on_one_loop = partial(pytest_asyncio.fixture, loop_scope="session")


@dataclass
class Zone:
    """Feeds a store as gateways do."""

    given: Services
    gateway: Any
    now: datetime = ZONE_NOW

    async def send(self, *rows: Any) -> None:
        assert await self.gateway.send(*rows) == ()

    def energy_row(self, at: datetime, *, period_s: int) -> Any:
        """A sample of the microgrid: a sunny day with a storage that gives back in the evening."""
        kw = powers((at + timedelta(hours=8)).hour + at.minute / 60)
        hours = period_s / 3600
        kwh = {"pv": kw["pv"] * hours, "load": kw["load"] * hours, "ev": kw["ev"] * hours}
        kwh |= {"imported": max(kw["grid"], 0.0) * hours, "exported": max(-kw["grid"], 0.0) * hours}
        kwh |= {"discharged": max(kw["storage"], 0.0) * hours, "charged": max(-kw["storage"], 0.0) * hours}
        return self.gateway.row(
            "energy_sample",
            at=at.isoformat(timespec="milliseconds"),
            period_s=period_s,
            mode="grid_tied",
            kw=kw,
            kwh=kwh,
            soc_frac=0.64,
            peak_import_kw=max(kw["grid"], 0.0),
            frequency_hz=50.0,
            good_frac=1.0,
            binding="value_curve",
            settings_version=0,
            devices={},
        )

    async def electricity(self, *, days: int = 1, without: range = range(0)) -> None:
        """Quarter hours from midnight `days` - 1 days ago to now, less those of today that are gone, and a plan."""
        midnight = self.now.replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=1)
        at, rows = midnight - timedelta(days=days - 1), []
        while at < self.now - timedelta(minutes=15):
            if at < midnight or int((at - midnight).total_seconds() // 900) not in without:
                rows.append(self.energy_row(at, period_s=900))
            at += timedelta(minutes=15)
        rows.append(self.energy_row(self.now - timedelta(seconds=11), period_s=10))
        rows.append(self.gateway.row("energy_planned", **self.plan()))
        await self.send(*rows)

    def plan(self) -> dict[str, Any]:
        """The rest of the day as the gateway expects it."""
        start = self.now.replace(minute=30, second=0, microsecond=0)
        times = [start + timedelta(minutes=15 * one) for one in range(96)]
        expected = [powers((at + timedelta(hours=8)).hour + at.minute / 60) for at in times]
        series = {name: [one[name] for one in expected] for name in ("storage", "grid", "ev")}
        series |= {f"pv_{edge}": [one["pv"] for one in expected] for edge in ("low", "mid", "high")}
        series |= {f"load_{edge}": [one["load"] for one in expected] for edge in ("low", "mid", "high")}
        series |= {"soc_frac": [0.6] * 96, "carbon_per_kwh": [0.3648] * 96}
        told = {"at": start.isoformat(), "starts_at": start.isoformat(), "slot_s": 900, "rung": "exact"}
        told |= {"settings_version": 0, "made_ms": 84.0, "series": series, "because": [], "violations": []}
        return told | {"ride_through_h": 4.6}

    async def vehicles(self) -> None:
        """Six that were let in and one that was not; the gate has told a sign of life."""
        at = (self.now - timedelta(minutes=5)).isoformat(timespec="milliseconds")
        rows = [self.gateway.decided(f"z-{one}", f"琼AD3190{one}", at=at) for one in range(5)]
        under = {"verdict": "fuel", "kind": "large", "outcome": "admit_under_permit", "permit_id": "XK-2026-000001"}
        rows.append(self.gateway.decided("z-5", "琼C40R16", at=at, **under))
        rows.append(self.gateway.decided("z-6", "琼C12345", at=at, verdict="fuel", kind="small", outcome="refuse"))
        await self.send(*rows, self.gateway.health(at=at))
        await self.given.pool.execute("UPDATE gateway_health SET received_at = $1", self.now - timedelta(minutes=5))

    async def account(self, role: str) -> None:
        """An account called as its role."""
        await auth.insert_user(
            self.given.pool,
            username=role,
            name=role.title(),
            role=auth.Role(role),
            password_hash=await self.given.passwords.hash(PASSWORD),
            at=self.now,
        )


def powers(hour: float) -> dict[str, float]:
    """What flows at an hour of a sunny day, kW."""
    low = int(hour)
    sun = SUN[low] + (SUN[(low + 1) % 24] - SUN[low]) * (hour - low)
    evening, day = max(0.0, 1 - abs(hour - 19.5) / 4), min(1.0, max(0.0, hour - 6) / 5)
    pv, load = 2950.0 * sun, 1100.0 + 420.0 * evening + 500.0 * day
    storage = -462.0 if 9 <= hour < 15 else 700.0 if 17.5 <= hour < 22 else 0.0
    return {"pv": pv, "load": load, "ev": 100.0, "storage": storage, "grid": load + 100.0 - pv - storage}


@on_one_loop()
async def site(config: CloudConfig, serve: Callable[..., Any]) -> AsyncIterator[Any]:
    """The real application on a free port, whose clock stands still."""
    app = build.create_app(config, clock=lambda: ZONE_NOW, hasher=QUICK_HASHER, workers=False)
    async with serve(app) as served:
        yield served


@on_one_loop()
async def zone(site: Any, make_gateway: Any) -> Zone:
    """Nothing told yet."""
    return Zone(site.given, make_gateway(site.given))


@on_one_loop()
async def people(zone: Zone) -> None:
    """One account for each role that works with reports."""
    for role in ("reviewer", "approver", "engineer"):
        await zone.account(role)
