"""A person at the controls: owns how long a takeover lasts, and that it ends by itself.

It lies on the disk signed as it came, so that a restart neither ends nor prolongs it. It expires by the wall clock and
by the monotonic one, whichever is first, so that a clock that is set back cannot prolong it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Protocol

import structlog

from cloud_sync.contract.v1 import PublicKey
from cloud_sync.contract.v1_energy_down import EnergyTakeover, TakeoverMode, open_takeover
from control.domain.errors import ContractError
from control.domain.events import CommandResult
from edge import signed_file
from edge.energy.snapshot import Wish
from edge.facts import iso
from edge.journal import Journal, JournalError
from edge.ports import Clock

log = structlog.get_logger(__name__)

TAKEOVER_FILE = "energy-takeover.signed"
UNTOLD_MAX, RETRY_S = 100, 5.0


class TakeoverSource(Protocol):
    """Verified orders, each once."""

    async def next_takeover(self) -> tuple[EnergyTakeover, bytes]:
        """Wait for the next one, and its bytes as they came."""
        ...


class TakeoverDesk:
    """`run` takes orders; the cycle reads `wish`."""

    def __init__(self, *, folder: Path, key: PublicKey | None, journal: Journal, clock: Clock) -> None:
        self._file, self._key = folder / TAKEOVER_FILE, key
        self._journal, self._clock = journal, clock
        self._standing: EnergyTakeover | None = None
        self._until_s = 0.0
        self._untold: deque[CommandResult] = deque(maxlen=UNTOLD_MAX)

    async def load(self) -> None:
        """Take up what stood when the last run ended."""
        if self._key is None:
            return
        try:
            payload = await asyncio.to_thread(signed_file.stored, self._file)
            order = None if payload is None else open_takeover(payload, self._key)
        except (OSError, ContractError) as error:
            log.warning("takeover file refused", why=str(error))
            return
        if order is not None:
            self._stand(order)

    async def run(self, source: TakeoverSource) -> None:
        """Take order after order."""
        while True:
            try:
                async with asyncio.timeout(RETRY_S if self._untold else None):
                    order, payload = await source.next_takeover()
            except TimeoutError:
                await self._tell()
                continue
            outcome, detail = await self.take(order, payload)
            self._untold.append(CommandResult(order.command_id, outcome, detail, iso(self._clock.now())))
            await self._tell()

    async def _tell(self) -> None:
        """A broken journal keeps no order from being carried out; the answer is told later."""
        try:
            await self._journal.append_many(tuple(self._untold))
        except JournalError as error:
            log.warning("takeover not answered", why=str(error))
        else:
            self._untold.clear()

    async def take(self, order: EnergyTakeover, payload: bytes) -> tuple[str, str]:
        """The order's outcome and why."""
        if order.expires_at <= self._clock.now():
            return "expired", ""
        log.info("takeover", mode=order.mode.value, by=order.issued_by, until=order.expires_at.isoformat())
        self._stand(order)
        try:
            if order.mode is TakeoverMode.AUTO:
                await asyncio.to_thread(signed_file.forget, self._file)
            else:
                await asyncio.to_thread(signed_file.store, self._file, payload)
        except OSError as error:
            log.warning("takeover not stored", why=str(error))
        return "done", order.mode.value

    def _stand(self, order: EnergyTakeover) -> None:
        # Never longer than it was given for, whatever the clock says when it is taken up again.
        ends_in_s = (order.expires_at - self._clock.now()).total_seconds()
        left_s = min(ends_in_s, (order.expires_at - order.issued_at).total_seconds())
        self._standing = None if order.mode is TakeoverMode.AUTO or left_s <= 0 else order
        self._until_s = self._clock.monotonic() + left_s

    @property
    def standing(self) -> EnergyTakeover | None:
        """The order that holds now."""
        order = self._standing
        if order is None:
            return None
        if self._clock.monotonic() >= self._until_s or self._clock.now() >= order.expires_at:
            self._standing = None
            log.info("takeover over", mode=order.mode.value, by=order.issued_by)
            return None
        return order

    @property
    def wish(self) -> Wish:
        """What it asks of the controller."""
        order = self.standing
        if order is None:
            return Wish()
        return Wish(hold=order.mode is TakeoverMode.HOLD, storage_kw=order.storage_kw)
