"""The journal as the gateway's cycles see it: owns the Protocol, the receipt and the recorded event.

What is in the journal happened; what is not in it did not. `edge.adapters.sqlite_journal` implements
it. The uplink reads the same journal and removes a row only after the cloud reported it committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from cloud_sync.contract.v1 import EventRow, Point
from control.domain.errors import IslandError


class JournalError(IslandError):
    """The journal could not write: disk full, or closed. Nothing of the refused append was kept."""


class Clock(Protocol):
    """Time as the journal needs it."""

    def now(self) -> datetime:
        """Aware UTC wall time. May leap in either direction."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start of this boot. Never goes back."""
        ...


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Proof that one event is on the disk. `hash` is the head of its lane's chain after it.

    `seq` is 0 for telemetry that was thinned out because the disk is nearly full (see `stored`).
    A msgspec.Struct because one is made for every row, and that is the quickest to make.
    """

    lane: int
    seq: int
    uuid_bytes: bytes
    hash: bytes

    @property
    def uuid(self) -> str:
        """Version 7, in its usual form."""
        return str(UUID(bytes=self.uuid_bytes))

    @property
    def stored(self) -> bool:
        """False only for thinned telemetry."""
        return self.seq > 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event read back. `body` is the JSON object as it was written."""

    lane: int
    seq: int
    uuid: str
    kind: str
    wall_at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LaneHead:
    """Where one lane's stream stands. Rows up to `base_seq` belong to an earlier epoch."""

    lane: int
    epoch: int
    base_seq: int
    head_seq: int
    head_hash: bytes
    acked_seq: int


@dataclass(frozen=True, slots=True)
class PendingMedia:
    """One evidence file that the cloud does not have yet."""

    sha256: str
    media_type: str
    size_bytes: int
    tries: int


class Journal(Protocol):
    """What the lane cycle and the hut page use. `event` is a dataclass of `control.domain.events`."""

    async def append(self, event: object) -> Receipt:
        """Return when the event is on the disk (group commit). Raises JournalError."""
        ...

    async def append_many(self, events: Sequence[object]) -> tuple[Receipt, ...]:
        """All of them in one transaction, or none. Raises JournalError."""
        ...

    async def recent(self, kinds: Iterable[str], limit: int) -> tuple[Recorded, ...]:
        """The newest events of these kinds, newest first, order of writing (not wall time)."""
        ...

    def backlog(self) -> dict[str, int]:
        """Rows that the cloud has not committed yet, by lane number as text, as health reports it."""
        ...

    async def claim(self, command_id: str, *, expires_at: datetime) -> bool:
        """True the first time this id is seen, on the disk before it returns; False ever after."""
        ...


class UplinkJournal(Protocol):
    """What the uplink and the media upload use."""

    def heads(self) -> tuple[LaneHead, ...]:
        """Every lane's position, from memory."""
        ...

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` on the loop after each commit that added rows."""
        ...

    async def pending(self, lane: int, *, after: int, limit: int) -> tuple[EventRow, ...]:
        """Rows with `seq > after` in order, at most `limit`, never beyond a change of epoch."""
        ...

    async def hash_at(self, lane: int, seq: int) -> bytes | None:
        """Head of the chain after row `seq`; None where it is pruned or never was."""
        ...

    async def points(self, lane: int, numbers: Iterable[int]) -> tuple[Point, ...]:
        """The chain's head after each of these rows; rows that are pruned are left out."""
        ...

    async def acknowledge(self, lane: int, seq: int) -> None:
        """The cloud committed everything up to `seq`. Older acknowledgements are ignored."""
        ...

    async def rewind(self, lane: int, *, agreed_seq: int, why: str) -> LaneHead:
        """Begin a new epoch after `agreed_seq`: later rows are chained anew and sent again."""
        ...

    async def restamp(self, lane: int, *, agreed_seq: int) -> LaneHead | None:
        """The cloud refuses the stamps after `agreed_seq`: a new epoch with stamps of our clock; None while that
        clock agrees with them."""
        ...

    async def media_pending(self, limit: int) -> tuple[PendingMedia, ...]:
        """Evidence files to send, oldest first, those tried least first."""
        ...

    async def media_waiting(self) -> frozenset[str]:
        """Every evidence file that the cloud does not have yet: not to be deleted."""
        ...

    async def media_done(self, sha256: str) -> None:
        """The cloud has the file, or refused it for good."""
        ...

    async def media_failed(self, sha256: str) -> None:
        """Count a try; the file moves behind the others."""
        ...
