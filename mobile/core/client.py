"""The app's services: the composition root of everything without a window. Its start asks nothing of the network."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mobile.core.api.island import Api
from mobile.core.api.late import LateTransport, Limits
from mobile.core.api.wire import Transport, Wire
from mobile.core.clock import UNKNOWN_S, ServerClock
from mobile.core.database import opened_or_mended
from mobile.core.errors import StoreError
from mobile.core.files import Files
from mobile.core.network import Asking, Network
from mobile.core.outbox import Backoff, Outbox
from mobile.core.secrets_file import SecretsFile
from mobile.core.session import NEEDS, Session
from mobile.core.settings import Settings
from mobile.core.store import Store
from mobile.core.words import Words

log = logging.getLogger("mobile")
KEEP_DAYS = 180  # what was last seen longer ago is forgotten
RESTART_S = 5.0


@dataclass(frozen=True, slots=True)
class Tuning:
    """Waits and limits of the app."""

    limits: Limits = field(default_factory=Limits)
    backoff: Backoff = field(default_factory=Backoff)
    asking: Asking = field(default_factory=Asking)


class Client:
    """Everything that view models need. `mended_from` is where a damaged file was put, None when there was none."""

    def __init__(
        self,
        data_dir: Path,
        base_url: str,
        role: str,
        *,
        transport: Transport,
        tuning: Tuning,
        wall: Callable[[], datetime],
        mono: Callable[[], float],
        draw: Callable[[], float],
        language: str | None,
        phone_language: str | None,
        theme: str | None,
        text_scale: float | None,
    ) -> None:
        self.data_dir, self.base_url, self.role = data_dir, base_url, role
        database, self.mended_from = opened_or_mended(data_dir / "island.db")
        self.store = Store(database)
        self.files = Files(data_dir / "files", self.store)
        self.settings = Settings(
            self.store, language=language, phone_language=phone_language, theme=theme, text_scale=text_scale
        )
        self.clock = ServerClock(self.store, wall, mono)
        self.words = Words(self.settings.language, self.clock.now)
        self.network = Network(tuning.asking, draw)
        secrets = SecretsFile(data_dir / f"secrets-{role}.json", base_url)
        self.api = Api(Wire(transport, mono, (self.clock, self.network)), secrets)
        self.session = Session(self.api, secrets, self.store, self.files, base_url=base_url, role=role)
        self.outbox = Outbox(self.store, now=self.clock.now, mono=mono, draw=draw, backoff=tuning.backoff)
        self.session.leaving.append(self.outbox.rest)
        self._tasks: list[asyncio.Task[None]] = []
        self._stops = [
            self.settings.changed.connect(self._speak),
            self.network.changed.connect(self._network_changed),
            self.session.changed.connect(self._session_changed),
        ]
        self._session_changed()

    @property
    def papers_dir(self) -> Path:
        """Where papers and copies that the person asked for lie; they leave the phone with the account."""
        return self.files.papers_dir

    def _speak(self) -> None:
        self.words.language = self.settings.language

    def _network_changed(self) -> None:
        if self.network.online:
            self.outbox.retry_now()

    def _session_changed(self) -> None:
        if self.session.is_signed_in:
            self.outbox.resume()
        else:
            self.outbox.pause()

    async def start(self) -> None:
        """Starts what goes on beside the screens."""
        for name, work in (("outbox", self.outbox.run), ("network watch", self._watch)):
            self._tasks.append(asyncio.create_task(_for_ever(name, work), name=name))

        self._tasks.append(asyncio.create_task(self._tidy_once(), name="tidying"))

    async def _tidy_once(self) -> None:
        """When the island's time is known: by a wrong clock, what is new would be forgotten."""
        heard = asyncio.Event()
        stop = self.network.changed.connect(heard.set)
        try:
            while self.clock.stamp().doubt_s >= UNKNOWN_S:
                heard.clear()
                await heard.wait()
        finally:
            stop()
        await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        try:
            self.store.tidy(self.clock.now() - timedelta(days=KEEP_DAYS))
        except StoreError as error:
            log.warning("tidying the store failed: %s", error)

    async def _watch(self) -> None:
        await self.network.watch(self.api.public.health)

    async def stop(self) -> None:
        """Ends the tasks, the connections and the file; what waits is sent next time."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for stop in self._stops:
            stop()
        await self.api.close()
        self.store.close()


async def _for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """The outermost loop of a task: a mistake of ours is logged, and the task begins again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("%s failed and starts again", name)
            await asyncio.sleep(RESTART_S)


def device_wall() -> datetime:
    """The device's clock."""
    return datetime.now(UTC)


def device_mono() -> float:
    """Seconds since the device started, also of its sleep where the system counts that."""
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_clock is None else time.clock_gettime(boot_clock)


def build_client(
    data_dir: Path,
    base_url: str,
    role: str,
    *,
    language: str | None = None,
    phone_language: str | None = None,
    theme: str | None = None,
    text_scale: float | None = None,
    transport: Transport | None = None,
    tuning: Tuning | None = None,
    wall: Callable[[], datetime] = device_wall,
    mono: Callable[[], float] = device_mono,
    draw: Callable[[], float] = random.random,
) -> Client:
    """The services of one app on one phone; `role` is visitor or driver. Raises StoreError."""
    assert role in NEEDS, f"there is no app for {role}"
    tuning = tuning or Tuning()
    return Client(
        data_dir,
        base_url.rstrip("/"),
        role,
        transport=transport or LateTransport(base_url.rstrip("/"), tuning.limits),
        tuning=tuning,
        wall=wall,
        mono=mono,
        draw=draw,
        language=language,
        phone_language=phone_language,
        theme=theme,
        text_scale=text_scale,
    )
