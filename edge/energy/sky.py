"""The clear sky over the site, day by day: owns when it is computed, and keeping it.

It comes from `control.energy.clear_sky`, whose libraries take 100 MB: a short-lived child of low priority computes the
days that are missing, once at the start and once a day, and the table is kept in the file of samples.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from control.energy.plan import Series
from control.energy.site import PvSpec, SiteSpec, StringSpec
from edge.energy.history import SLOT_S, History
from edge.energy.store import EnergyStore, EnergyStoreError
from edge.ports import Clock

log = structlog.get_logger(__name__)

ROOT = Path(__file__).resolve().parents[2]
NICENESS = 15
LIMIT_S = 300.0
DAYS_AHEAD = 4
LOOK_EVERY_S = 3600.0
FIRST_LOOK_S = 20.0
NOTE = "clear_sky"


class Day(TypedDict):
    """One local day by quarter of an hour, kW: all inverters at the bus, and each string before its inverter."""

    total: list[float]
    strings: dict[str, list[float]]


@dataclass(slots=True)
class SkyTable:
    """`run` keeps the days that the forecast needs; `over` gives them as a series."""

    site: SiteSpec
    store: EnergyStore
    history: History
    clock: Clock
    days: dict[str, Day] = field(default_factory=dict)

    async def load(self) -> None:
        """Take up what the last run computed, if the plant is still the same. Raises EnergyStoreError."""
        kept = await self.store.note(NOTE)
        if kept is not None and kept["plant"] == self._plant():
            self.days = kept["days"]

    async def run(self) -> None:
        """Compute what is missing, now and then for ever; without PV there is nothing to do."""
        await self.clock.sleep(FIRST_LOOK_S)
        while any(pv.strings for pv in self.site.pvs):
            missing = self._missing()
            if missing:
                await self._compute(missing)
            await self.clock.sleep(LOOK_EVERY_S)

    def over(self, starts_at: datetime, slots: int) -> Series | None:
        """Mean kW of all inverters in these slots; None where a day is missing."""
        zone = ZoneInfo(self.site.timezone)
        made = np.empty(slots)
        at = 0
        while at < slots:
            local = (starts_at + timedelta(seconds=SLOT_S * at)).astimezone(zone)
            day = self.days.get(local.date().isoformat())
            if day is None:
                return None
            first = (local.hour * 3600 + local.minute * 60) // SLOT_S
            count = max(min(len(day["total"]) - first, slots - at), 1)
            made[at : at + count] = day["total"][first] if count == 1 else day["total"][first : first + count]
            at += count
        return made

    def strings_at(self, at: datetime) -> dict[str, float]:
        """What each string would give now, by `inverter/string`, kW before the inverter; empty where not known."""
        local = at.astimezone(ZoneInfo(self.site.timezone))
        day = self.days.get(local.date().isoformat())
        slot = (local.hour * 3600 + local.minute * 60) // SLOT_S
        return {} if day is None else {key: row[slot] for key, row in day["strings"].items() if slot < len(row)}

    def _missing(self) -> list[str]:
        now = self.clock.now()
        zone = ZoneInfo(self.site.timezone)
        first = self.history.past(now=now).starts_at.astimezone(zone).date()
        last = now.astimezone(zone).date() + timedelta(days=DAYS_AHEAD)
        wanted = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
        today = now.astimezone(zone).date().isoformat()
        # Of days that are over nobody asks for single strings.
        self.days = {
            day: row if day >= today else {"total": row["total"], "strings": {}}
            for day, row in self.days.items()
            if day in wanted
        }
        return [day for day in wanted if day not in self.days]

    async def _compute(self, days: list[str]) -> None:
        made = await computed_apart({"site": self._plant_words(), "days": days})
        if made is None:
            return
        self.days |= made
        log.info("clear sky computed", days=len(made))
        try:
            await self.store.put_note(NOTE, {"plant": self._plant(), "days": self.days})
        except EnergyStoreError as error:
            log.warning("clear sky not kept", why=str(error))

    def _plant_words(self) -> dict[str, Any]:
        site = self.site
        place = {"latitude_deg": site.latitude_deg, "longitude_deg": site.longitude_deg, "timezone": site.timezone}
        return place | {"pvs": [asdict(pv) for pv in site.pvs]}

    def _plant(self) -> str:
        return hashlib.sha256(json.dumps(self._plant_words(), sort_keys=True).encode()).hexdigest()


async def computed_apart(question: dict[str, Any]) -> dict[str, Day] | None:
    """The days by quarter of an hour from a child process; None where it failed, which is logged."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge.energy.sky",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    except OSError as error:
        log.warning("clear sky not computed", why=str(error))
        return None
    try:
        async with asyncio.timeout(LIMIT_S):
            output, _ = await process.communicate(json.dumps(question).encode())
    except TimeoutError:
        log.warning("clear sky took too long", limit_s=LIMIT_S)
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        log.warning("clear sky not computed", status=process.returncode)
        return None
    try:
        made: dict[str, Day] = json.loads(output)
    except ValueError as error:
        log.warning("clear sky not understood", why=str(error))
        return None
    return made


def compute(question: dict[str, Any]) -> dict[str, Day]:
    """The child's work."""
    from control.energy.clear_sky import clear_sky_day

    site = question["site"]
    pvs = [_pv(words) for words in site.pop("pvs")]
    made = [(day, clear_sky_day(pvs, **site, day=date.fromisoformat(day))) for day in question["days"]]
    keys = [f"{pv.id}/{string.id}" for pv in pvs for string in pv.strings]
    return {
        day: {
            "total": _rounded(sky.total_ac_kw),
            "strings": {key: _rounded(row) for key, row in zip(keys, sky.string_dc_kw, strict=True)},
        }
        for day, sky in made
    }


def _pv(words: dict[str, Any]) -> PvSpec:
    return PvSpec(**words | {"strings": tuple(StringSpec(**string) for string in words["strings"])})


def _rounded(series: Iterable[float]) -> list[float]:
    return [round(float(kw), 2) for kw in series]


if __name__ == "__main__":
    os.nice(NICENESS)
    json.dump(compute(json.load(sys.stdin)), sys.stdout)
