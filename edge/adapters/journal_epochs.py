"""A new epoch of a lane in the journal's file: owns how its rows are chained, and if need be stamped, anew.

A new epoch follows a disagreement with the cloud, dropped telemetry, or a clock that was put right. The caller holds
the transaction and the heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import aiosqlite

from cloud_sync.contract import hlc
from cloud_sync.contract.chain import event_hash, genesis_hash


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """Rows of `lane` after `base_seq` are to belong to `epoch`; with `first_stamp` they get new stamps from there."""

    lane: int
    epoch: int
    base_seq: int
    why: str
    first_stamp: int | None = None


@dataclass(frozen=True, slots=True)
class Chained:
    """The lane's last row in the new epoch; at the base when there is none."""

    head_seq: int
    head_hash: bytes
    last_stamp: int


async def begin_epoch(db: aiosqlite.Connection, gateway_id: str, boots: Mapping[int, str], new: NewEpoch) -> Chained:
    """Write the epoch; everything up to its base counts as acknowledged."""
    genesis = genesis_hash(gateway_id, new.epoch, new.lane, new.base_seq)
    chained = await _chain_anew(db, boots, new, genesis)
    await db.execute("DELETE FROM epochs WHERE lane=? AND base_seq > ?", (new.lane, new.base_seq))
    await db.execute("INSERT INTO epochs VALUES (?, ?, ?, ?)", (new.lane, new.base_seq, new.epoch, new.why))
    update = "UPDATE lanes SET acked_seq=?1, acked_hash=?2, pruned_seq=min(pruned_seq, ?1) WHERE lane=?3"
    await db.execute(update, (new.base_seq, genesis, new.lane))
    return chained


async def _chain_anew(db: aiosqlite.Connection, boots: Mapping[int, str], new: NewEpoch, genesis: bytes) -> Chained:
    columns = "seq, uuid, hlc, wall_us, mono_ns, boot, kind, body"
    query = f"SELECT {columns} FROM lane_{new.lane} WHERE seq > ? ORDER BY seq"
    stamps = None if new.first_stamp is None else count(new.first_stamp)
    at = Chained(new.base_seq, genesis, 0)
    changes = []
    for seq, uuid, stamp, wall, mono, boot, kind, body in await db.execute_fetchall(query, (new.base_seq,)):
        stamp = stamp if stamps is None else next(stamps)
        digest = event_hash(at.head_hash, seq, uuid, stamp, wall, mono, boots[boot].encode(), kind.encode(), body)
        at = Chained(seq, digest, stamp)
        changes.append((digest, stamp, seq))
    await db.executemany(f"UPDATE lane_{new.lane} SET hash=?, hlc=? WHERE seq=?", changes)
    return at


async def first_new_stamp(db: aiosqlite.Connection, lane: int, *, base_seq: int, wall_ms: int) -> int | None:
    """Where stamps of the rows after `base_seq` begin when one of them leads `wall_ms` too far; None when none does."""
    [(highest,)] = await db.execute_fetchall(f"SELECT max(hlc) FROM lane_{lane} WHERE seq > ?", (base_seq,))
    if highest is None or highest < hlc.first_too_far(wall_ms):
        return None
    [(before,)] = await db.execute_fetchall(f"SELECT coalesce(max(hlc), 0) FROM lane_{lane} WHERE seq = ?", (base_seq,))
    return hlc.tick(int(before), wall_ms)
