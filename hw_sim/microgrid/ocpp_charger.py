"""A charger's connection to its central system: owns calling, silence, and turning what happens into messages.

The two versions of OCPP differ only in how they say it; each is in its own module and built on `ChargePointWords`.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from hw_sim.microgrid.chargers import Charger, Session
from hw_sim.microgrid.charging_profiles import ProfileRefused, ProfileShelf, read_profile
from hw_sim.microgrid.device_faults import DeviceFaults
from hw_sim.microgrid.vehicles import Vehicle

TICK_S = 0.25
RETRY_FIRST_S, RETRY_LAST_S = 0.5, 10.0
ANSWER_WITHIN_S = 10.0
OPEN_WITHIN_S = 5.0
HEARTBEAT_S = 30.0

log = logging.getLogger("microgrid.ocpp")
wire_log = logging.getLogger("microgrid.ocpp.wire")


@dataclass(frozen=True, slots=True)
class CentralSystem:
    """Where the chargers call."""

    url: str
    password: str | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a charger's meter shows: power and counters of both directions, and the vehicle's charge."""

    import_w: float
    export_w: float
    import_wh: int
    export_wh: int
    soc_percent: float | None


class Quiet:
    """The connection as a charger sees it: with the fault `silent` it drops everything in both directions."""

    def __init__(self, connection: ClientConnection, faults: DeviceFaults) -> None:
        self._connection, self._faults = connection, faults

    async def recv(self) -> str | bytes:
        """The next message that is heard."""
        while True:
            message = await self._connection.recv()
            if not self._faults.silent:
                return message

    async def send(self, message: str) -> None:
        """One message."""
        if not self._faults.silent:
            await self._connection.send(message)


class ChargerBrain:
    """What a charger knows beside its power electronics: profiles, intervals, and what it has told."""

    def __init__(
        self,
        charger: Charger,
        faults: DeviceFaults,
        *,
        now: Callable[[], datetime],
        leaves_in_s: Callable[[Vehicle], float],
        meter_interval_s: float,
    ) -> None:
        self.charger, self.faults, self._now = charger, faults, now
        self.leaves_in_s = leaves_in_s
        self.meter_interval_s = meter_interval_s
        self.asked: set[str] = set()  # what a trigger asked for: meter, status or beat
        self.shelf = ProfileShelf(least_kw=-charger.config.v2g_kw, most_kw=charger.config.max_kw)
        self.session_began: datetime | None = None
        self._session: Session | None = None
        self.refused = 0

    def follow(self) -> None:
        """Begin or end a session where a vehicle came or went, and apply the profile that holds now."""
        session = self.charger.session
        if session is not self._session:
            self._session = session
            self.session_began = self._now() if session else None
            self.shelf.end_session()
        self.charger.limit_kw = self.shelf.limit_kw(self._now(), self.session_began)

    def take_profile(self, value: dict[str, Any]) -> bool:
        """Whether a profile is accepted."""
        if self.faults.reject_writes:
            return False
        self.follow()
        try:
            profile = read_profile(value, self._now())
            probe = ProfileShelf(least_kw=-self.charger.config.v2g_kw, most_kw=self.charger.config.max_kw)
            probe.install(profile, in_session=self.charger.session is not None)
        except (ProfileRefused, KeyError, TypeError, ValueError) as error:
            self.refused += 1
            log.info("%s refuses a charging profile: %s", self.charger.config.id, error)
            return False
        self._later(lambda: self.shelf.install(profile, in_session=True))
        return True

    def clear_profile(self, *, profile_id: int | None, purpose: str | None, stack_level: int | None) -> bool:
        """Whether anything was there to clear."""
        if self.faults.reject_writes:
            return False
        if self.faults.ignore_writes:
            return True
        cleared = self.shelf.clear(profile_id=profile_id, purpose=purpose, stack_level=stack_level)
        self.follow()
        return cleared

    def stop_session(self) -> None:
        """No more power for this vehicle."""
        if self.charger.session is not None:
            self.charger.session.stopped = True

    def composite_w(self) -> float:
        """What it holds itself to now."""
        return round(self.shelf.composite_kw(self._now(), self.session_began) * 1000.0, 1)

    def measured(self) -> Measured:
        """What its meter shows."""
        charger, shown = self.charger, self.faults.shown
        session = charger.session
        power_w = shown("power", charger.power_kw * 1000.0)
        soc = session.vehicle.soc_frac * 100.0 if session else None
        return Measured(
            import_w=round(max(0.0, power_w), 1),
            export_w=round(max(0.0, -power_w), 1),
            import_wh=round(shown("energy", charger.energy_kwh * 1000.0)),
            export_wh=round(charger.fed_back_kwh * 1000.0),
            soc_percent=None if soc is None else round(shown("soc", soc), 1),
        )

    def _later(self, do: Callable[[], None]) -> None:
        if self.faults.ignore_writes:
            return

        def act() -> None:
            do()
            self.follow()

        if self.faults.write_delay_s > 0:
            asyncio.get_running_loop().call_later(self.faults.write_delay_s, act)
        else:
            act()

    def stamp(self, later: timedelta = timedelta(0)) -> str:
        """Now (or later), as OCPP writes it."""
        at = (self._now() + later).astimezone(UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ChargePointWords(ABC):
    """What a charger says in its version of OCPP."""

    subprotocol: str

    def __init__(self, brain: ChargerBrain) -> None:
        self.brain = brain

    @abstractmethod
    def listen(self, connection: Quiet) -> None:
        """Hear and speak through this connection from now on."""

    @abstractmethod
    async def hear(self) -> None:
        """Answer the central system until the connection ends."""

    @abstractmethod
    async def boot(self) -> float | None:
        """Say who we are; the heartbeat's interval, or None where we are not accepted yet."""

    @abstractmethod
    async def beat(self) -> None:
        """Say that we are there."""

    @abstractmethod
    async def tell_status(self, status: str) -> None:
        """One of available, preparing, charging, suspended_ev, suspended_evse, faulted."""

    @abstractmethod
    async def begin(self, session: Session) -> None:
        """A vehicle is plugged in and charging may begin."""

    @abstractmethod
    async def tell_meter(self) -> None:
        """What the meter shows."""

    @abstractmethod
    async def end(self) -> None:
        """The vehicle has gone."""


class ChargerClient:
    """One charger for ever: connects, speaks, and connects again."""

    def __init__(self, words: ChargePointWords, central: CentralSystem, *, seed: int) -> None:
        self._words, self._central = words, central
        self._brain = words.brain
        self._chance = random.Random(seed)
        self._told_status = ""
        self._told_session: Session | None = None
        self.connected = False

    async def run(self) -> None:
        """Returns never."""
        wait_s = RETRY_FIRST_S
        while True:
            self._brain.follow()
            try:
                async with asyncio.timeout(OPEN_WITHIN_S):
                    connection = await connect(
                        f"{self._central.url.rstrip('/')}/{self._brain.charger.config.id}",
                        subprotocols=[self._words.subprotocol],  # type: ignore[list-item]
                        additional_headers=self._headers(),
                    )
                wait_s = RETRY_FIRST_S
                try:
                    await self._converse(Quiet(connection, self._brain.faults))
                finally:
                    await connection.close()
            except (OSError, TimeoutError, WebSocketException) as error:
                log.debug("%s: %s", self._brain.charger.config.id, error)
            self.connected = False
            await self._idle(wait_s * self._chance.uniform(0.5, 1.0))
            wait_s = min(RETRY_LAST_S, 2 * wait_s)

    def _headers(self) -> dict[str, str]:
        if self._central.password is None:
            return {}
        pair = f"{self._brain.charger.config.id}:{self._central.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    async def _idle(self, seconds: float) -> None:
        """Profiles run out while nobody is connected, too."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + seconds
        while loop.time() < until_s:
            self._brain.follow()
            await asyncio.sleep(min(TICK_S, max(0.01, until_s - loop.time())))

    async def _converse(self, connection: Quiet) -> None:
        self._words.listen(connection)
        hearing = asyncio.create_task(self._words.hear(), name="ocpp hearing")
        speaking = asyncio.create_task(self._speak(), name="ocpp speaking")
        try:
            done, _ = await asyncio.wait((hearing, speaking), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (hearing, speaking):
                task.cancel()
            await asyncio.gather(hearing, speaking, return_exceptions=True)

    async def _speak(self) -> None:
        brain, words = self._brain, self._words
        beat_s = await words.boot()
        if beat_s is None:
            raise TimeoutError("the central system does not accept this charger yet")
        self.connected = True
        self._told_status = ""
        loop = asyncio.get_running_loop()
        beaten_s = metered_s = loop.time()
        while True:
            brain.follow()
            if not brain.faults.silent:
                await self._look()
                asked, brain.asked = brain.asked, set()
                due = loop.time() - metered_s >= brain.meter_interval_s
                if "meter" in asked or (due and brain.charger.session is not None):
                    await words.tell_meter()
                    metered_s = loop.time()
                if "beat" in asked or loop.time() - beaten_s >= min(beat_s, HEARTBEAT_S):
                    await words.beat()
                    beaten_s = loop.time()
            await asyncio.sleep(TICK_S)

    async def _look(self) -> None:
        """Tell a vehicle that came or went, and a status that changed; what could not be told is told again."""
        words, session = self._words, self._brain.charger.session
        if session is not self._told_session:
            if self._told_session is not None:
                await words.end()
                self._told_session = None
            if session is not None:
                await self._tell("preparing")
                await words.begin(session)
                self._told_session = session
        if "status" in self._brain.asked:
            self._told_status = ""
        await self._tell(self._status())

    async def _tell(self, status: str) -> None:
        if status != self._told_status:
            self._told_status = status
            await self._words.tell_status(status)

    def _status(self) -> str:
        charger = self._brain.charger
        session = charger.session
        if charger.tripped:
            return "faulted"
        if session is None:
            return "available"
        if abs(charger.power_kw) > 0.05:
            return "charging"
        return "suspended_ev" if session.vehicle.takes_kw < 0.05 else "suspended_evse"
