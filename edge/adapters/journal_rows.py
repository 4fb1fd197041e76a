"""From events to the journal's rows: owns their encoding, numbering, stamps and chain. Nothing is written here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import NamedTuple
from uuid import UUID

import msgspec
from uuid_utils import uuid7

from cloud_sync.contract import hlc
from cloud_sync.contract.chain import event_hash
from cloud_sync.contract.v1 import BODY_BYTES_MAX
from control.domain.events import EVENT_KINDS, KIND_OF
from edge.adapters import journal_file
from edge.journal import Clock, JournalError, LaneHead, Receipt, Recorded

EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_encode = msgspec.json.Encoder().encode
_SHAPES: dict[type, tuple[int, str, bytes]] = {
    shape: (int(EVENT_KINDS[kind][1]), kind, kind.encode()) for shape, kind in KIND_OF.items()
}


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event on its way in; `kind_raw` is the kind as hashed."""

    lane: int
    kind: str
    kind_raw: bytes
    body: bytes


class Job(msgspec.Struct, frozen=True):
    """Entries of one append call: all of them are kept, or none."""

    entries: tuple[Entry, ...]
    done: asyncio.Future[tuple[Receipt, ...]]

    def resolve(self, receipts: tuple[Receipt, ...]) -> None:
        """Answer, unless the caller has gone."""
        if not self.done.done():
            self.done.set_result(receipts)

    def refuse(self, why: str) -> None:
        """Nothing was kept."""
        if not self.done.done():
            self.done.set_exception(JournalError(why))


Rows = dict[int, list[tuple[object, ...]]]


class Origin(NamedTuple):
    """Where rows come from: the boot's number in this file, and its id as hashed."""

    boot: int
    boot_id: bytes


@dataclass(frozen=True, slots=True)
class ChainedGroup:
    """A group ready to be written, and what is true once it is: `ends` holds number and hash of a lane's last row."""

    rows: Rows
    ends: dict[int, tuple[int, bytes]]
    receipts: list[tuple[Receipt, ...]]
    last_hlc: int


def chain_group(
    group: Iterable[Job], heads: Mapping[int, LaneHead], origin: Origin, last_hlc: int, clock: Clock
) -> ChainedGroup:
    """Number, stamp and chain every entry after the given heads, which are left as they are."""
    wall_us = (clock.now() - EPOCH_START) // MICROSECOND
    mono_ns = int(clock.monotonic() * 1e9)
    stamp = hlc.tick(last_hlc, wall_us // 1000) - 1
    boot, boot_id = origin
    rows: Rows = {}
    at = {lane: (head.head_seq, head.head_hash) for lane, head in heads.items()}
    receipts = []
    for job in group:
        of_job = []
        for entry in job.entries:
            lane, body = entry.lane, entry.body
            seq, head = at[lane]
            seq, stamp, uuid = seq + 1, stamp + 1, uuid7().bytes
            head = event_hash(head, seq, uuid, stamp, wall_us, mono_ns, boot_id, entry.kind_raw, body)
            at[lane] = seq, head
            if lane not in rows:
                rows[lane] = []
            rows[lane].append((seq, uuid, stamp, wall_us, mono_ns, boot, entry.kind, body, head))
            of_job.append(Receipt(lane, seq, uuid, head))
        receipts.append(tuple(of_job))
    return ChainedGroup(rows, {lane: at[lane] for lane in rows}, receipts, stamp)


def entry_of(event: object) -> Entry:
    """Raises JournalError for a body that no batch could carry, TypeError for what is no event."""
    try:
        lane, kind, kind_raw = _SHAPES[type(event)]
    except KeyError:
        raise TypeError(f"{type(event).__name__} is not in control.domain.events.EVENT_KINDS") from None
    body = _encode(event)
    if len(body) > BODY_BYTES_MAX:
        raise JournalError(f"the body of a {kind} has {len(body)} bytes, more than {BODY_BYTES_MAX}")
    return Entry(lane, kind, kind_raw, body)


def epoch_number(now: datetime) -> int:
    """Different at every start, even with a clock that stands still: milliseconds and 15 random bits."""
    wall_ms = (now - EPOCH_START) // timedelta(milliseconds=1)
    return (max(wall_ms, 1) << 15) | int.from_bytes(uuid7().bytes[-2:], "big") & 0x7FFF


@lru_cache(maxsize=2048)
def _insert_sql(lane: int, count: int) -> str:
    row = f"({','.join('?' * len(journal_file.COLUMNS))})"
    return f"INSERT INTO lane_{lane} ({','.join(journal_file.COLUMNS)}) VALUES {','.join([row] * count)}"


def insert_statement(lane: int, rows: Sequence[tuple[object, ...]]) -> tuple[str, tuple[object, ...]]:
    """SQLite steps through one statement without the interpreter's lock: much faster than row by row."""
    return _insert_sql(lane, len(rows)), tuple(chain.from_iterable(rows))


def recorded(lane: int, seq: int, uuid: bytes, wall_us: int, kind: str, body: bytes) -> Recorded:
    wall_at = EPOCH_START + timedelta(microseconds=wall_us)
    return Recorded(lane, seq, str(UUID(bytes=uuid)), kind, wall_at, msgspec.json.decode(body))
