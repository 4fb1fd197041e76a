"""The whole island on one machine: `python -m hw_sim.demo [--seconds N] [--json]`.

Owns the command line and the course of a demonstration; the programs are `island`'s. Everything listens on
loopback alone. At the end no vehicle comes any more, the lanes empty, and the programs stay until the cloud has
what the gateway journalled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from control.domain.errors import IslandError
from control.energy.settings import EnergySettings
from hw_sim.energy_show import EnergyShow, programme_for
from hw_sim.guard import ScriptedGuard
from hw_sim.island import Island
from hw_sim.narration import Narrator, narrator
from hw_sim.permit_show import PermitShow, guests_of, permits_of
from hw_sim.site_files import DemoOptions, Site, make_site
from hw_sim.summary import EnergySummary, Summary, summarise, summarise_energy
from mobile.demo_place import DemoPlace, announced

EMPTY_LANES_S = 40.0
SYNC_WAIT_S = 30.0
HURRIED_SYNC_WAIT_S = 5.0
POLL_S = 1.0
EXIT_FAILED = 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """How this demonstration is to run."""

    options: DemoOptions
    seconds: float | None
    guard: bool
    outage_at_s: float | None = None


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration; the exit status is 0 when it ran to its end."""
    parsed = _parser().parse_args(arguments)
    options = DemoOptions(
        seed=parsed.seed,
        speed=parsed.speed,
        lanes_in=parsed.entries,
        lanes_out=parsed.exits,
        interval_s=parsed.interval,
        hour=parsed.hour,
        weather=parsed.weather,
        energy=not parsed.no_energy,
    )
    wishes = Wishes(options, parsed.seconds, guard=not parsed.no_guard, outage_at_s=parsed.outage)
    voice = narrator(json_wanted=parsed.json)
    try:
        with _data_folder(parsed.data) as folder:
            summary = asyncio.run(_run(wishes, folder, voice))
    except (IslandError, httpx.HTTPError) as error:
        voice.say(f"demo: {error}")
        return EXIT_FAILED
    if summary is not None and parsed.json:
        print(json.dumps(summary.as_dict(), ensure_ascii=False), flush=True)
    return 0 if summary is not None else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="island demo", description=__doc__)
    parser.add_argument("--seconds", type=float, help="end by itself after so many seconds of traffic")
    parser.add_argument("--json", action="store_true", help="print a summary as the last line of the output")
    parser.add_argument("--seed", type=int, default=1, help="another seed brings other vehicles")
    parser.add_argument("--speed", type=float, default=1.0, help="vehicles move so many times as fast")
    parser.add_argument("--data", type=Path, help="keep all data in this folder (default: a folder that goes)")
    parser.add_argument("--entries", type=int, default=1, help="entry lanes")
    parser.add_argument("--exits", type=int, default=1, help="exit lanes")
    parser.add_argument("--interval", type=float, default=13.0, help="mean seconds between arrivals of a lane")
    parser.add_argument("--hour", type=float, help="the sun stands as at this hour (default: Hainan's clock)")
    parser.add_argument("--weather", choices=("clear", "overcast", "rain"), default="clear")
    parser.add_argument("--no-guard", action="store_true", help="leave held vehicles to you")
    parser.add_argument("--no-energy", action="store_true", help="the gate alone, without the microgrid")
    parser.add_argument(
        "--outage", type=float, metavar="SECONDS", help="the utility fails so long after the start (default: what fits)"
    )
    return parser


@contextmanager
def _data_folder(wanted: Path | None) -> Iterator[Path]:
    """The folder that the person named, or one that goes at the end."""
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="island-demo-"))
    # The embedded PostgreSQL may run as another user, who must be able to pass; secrets lie deeper, for us alone.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(wishes: Wishes, folder: Path, voice: Narrator) -> Summary | None:
    """The first signal ends the traffic, a second one everything; before the traffic the first does."""
    stop = asyncio.Event()
    site = make_site(folder, wishes.options)
    async with AsyncExitStack() as stack:
        demonstration = Demonstration(site, wishes, voice, stack)
        task = asyncio.create_task(demonstration.run(stop), name="demonstration")

        def on_signal() -> None:
            if stop.is_set() or not demonstration.open_for_traffic:
                task.cancel()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, on_signal)
        with suppress(asyncio.CancelledError):
            return await task
    return None


class Demonstration:
    """Runs an island, tells what happens, and gives the account."""

    def __init__(self, site: Site, wishes: Wishes, voice: Narrator, stack: AsyncExitStack) -> None:
        self._site, self._wishes, self._voice, self._stack = site, wishes, voice, stack
        self._island: Island
        self._guard: ScriptedGuard | None = None
        self._energy: EnergyShow | None = None
        self._permits: PermitShow | None = None
        self._over = False
        self.open_for_traffic = False

    async def run(self, stop: asyncio.Event) -> Summary:
        """From the first program to the account."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self._voice.say("近零碳岛演示 Near-zero-carbon island, demonstration")
        self._island = await self._stack.enter_async_context(Island(self._site, self._voice.step))
        guests = guests_of(self._wishes.options.seed, datetime.now(UTC))
        username, password = await self._island.start(seed=self._wishes.options.seed, more=permits_of(guests))
        self._guard = ScriptedGuard(self._site, self._island.http) if self._wishes.guard else None
        if self._site.energy is not None:
            programme = programme_for(self._wishes.seconds, self._wishes.outage_at_s)
            self._energy = EnergyShow(self._island, self._voice, programme)
        show = PermitShow(self._island, self._voice, guests, password)
        self._permits = await self._stack.enter_async_context(show)
        self._stack.enter_context(announced(DemoPlace(self._site.cloud_url, password, os.getpid())))
        self._voice.welcome(self._site, username, password, started_in_s=loop.time() - began_s)
        await self._island.sim_post("/arrivals", {"stopped": False})
        self.open_for_traffic = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wishes.seconds):
                await self._watch(stop)
        return await self._finish(hurried=stop.is_set())

    async def _watch(self, stop: asyncio.Event) -> None:
        """Tell what happens until somebody stops it."""
        while not stop.is_set():
            await self._look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_S)

    async def _look(self) -> None:
        self._island.check_alive()
        with suppress(httpx.TransportError):
            self._voice.tell(await self._island.api.passages())
            if self._guard is not None:
                await self._guard.look()
            if self._permits is not None and self.open_for_traffic and not self._over:
                await self._permits.look()
            if self._energy is not None:
                await self._energy.look()

    async def _finish(self, *, hurried: bool) -> Summary:
        """Let the lanes empty, wait until cloud equals gateways, then count. Who pressed Ctrl-C waits less."""
        self._over = True
        if self._energy is not None:
            self._energy.end()
        self._voice.say("")
        if not hurried:
            self._voice.step("不再来车，等车道清空 no more vehicles; the lanes empty")
            await self._come_to_rest()
        journalled, in_cloud = await self._island.in_step(HURRIED_SYNC_WAIT_S if hurried else SYNC_WAIT_S)
        passages = await self._island.api.all_passages(self._island.started_at - timedelta(minutes=1))
        self._voice.tell(passages)
        summary, doubtful = summarise(
            passages,
            await self._island.sim_get("/truth"),
            await self._island.sim_get("/state"),
            journalled=journalled,
            in_cloud=in_cloud,
            console=f"{self._site.cloud_url}/",
            energy=await self._energy_account(),
            permits=None if self._permits is None else await self._permits.account(),
        )
        self._voice.account(summary, doubtful)
        return summary

    async def _energy_account(self) -> EnergySummary | None:
        if self._site.energy is None:
            return None
        return summarise_energy(await self._island.energy_truth(), EnergySettings().carbon_per_kwh)

    async def _come_to_rest(self) -> None:
        """Until the lanes are empty and the microgrid is on the utility again, but not for ever."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + EMPTY_LANES_S
        while loop.time() < until_s:
            quiet = (await self._island.sim_post("/arrivals", {"stopped": True}))["quiet"]
            await self._look()
            if quiet and (self._energy is None or self._energy.at_rest):
                return
            await asyncio.sleep(POLL_S)


if __name__ == "__main__":
    sys.exit(main())
