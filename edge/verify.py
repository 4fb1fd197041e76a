"""`python -m edge.verify`: owns the proof that no stored row was altered, in journal, cloud and the cloud's ledgers.

Every hash is computed again from the stored fields and the stored bytes of the body. It needs neither gateway
nor server running, and changes nothing. Exit status 1 when a chain is broken, naming lane and row.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from cloud_sync.contract.chain import event_hash, genesis_hash
from cloud_sync.contract.v1 import LANES
from cloud_sync.proofs import carbon, points
from cloud_sync.proofs.proof import Looked, Proof, unheard
from edge.verify_progress import Progress

EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """One stream. `broken_seq` is the first row that cannot be proven, `why` says what is wrong with it."""

    where: str
    gateway: str
    lane: int
    epoch: int
    rows: int
    first_seq: int
    last_seq: int
    head_hash: str
    quarantined: int = 0
    redacted: int = 0
    broken_seq: int | None = None
    why: str = ""

    def line(self) -> str:
        """For people."""
        stream = f"{self.where}: {self.gateway}, lane {self.lane}, epoch {self.epoch}"
        if self.broken_seq is not None:
            return f"BROKEN  {stream}: row {self.broken_seq}: {self.why}"
        if not self.rows:
            return f"ok      {stream}: no rows"
        kept = f", {self.quarantined} in quarantine" if self.quarantined else ""
        kept += f", {self.redacted} made anonymous by retention" if self.redacted else ""
        return (
            f"ok      {stream}: {self.rows} rows, {self.first_seq} to {self.last_seq}{kept}, head {self.head_hash[:16]}"
        )


class Chain:
    """Follows one stream row by row, and remembers the first break."""

    def __init__(self, where: str, gateway: str, lane: int, epoch: int, *, start_seq: int, start_hash: bytes) -> None:
        self.where, self.gateway, self.lane, self.epoch = where, gateway, lane, epoch
        self.head, self.seq = start_hash, start_seq
        self.first_seq, self.rows, self.quarantined, self.redacted = start_seq + 1, 0, 0, 0
        self.broken: tuple[int, str] | None = None

    def turn(self, epoch: int, genesis: bytes) -> None:
        """An epoch begins after the row that was last."""
        self.epoch, self.head = epoch, genesis

    def follow(self, fields: tuple[Any, ...], stated: bytes) -> None:
        """One row: seq, uuid, hlc, wall_us, mono_ns, boot_id, kind, body (bytes), and the hash that it states."""
        seq, uuid, hlc, wall_us, mono_ns, boot_id, kind, body = fields
        found = event_hash(self.head, seq, uuid, hlc, wall_us, mono_ns, boot_id.encode(), kind.encode(), body)
        self._step(seq, stated, "" if found == stated else "it was altered, or the one before it")

    def pass_by(self, seq: int, stated: bytes) -> None:
        """A row in quarantine: its fields were not kept, its hash was."""
        self.quarantined += 1
        self._step(seq, stated, "")

    def pass_redacted(self, seq: int, stated: bytes) -> None:
        """A row that retention made anonymous: its bytes are gone by rule, its hash still links its neighbours."""
        self.redacted += 1
        self._step(seq, stated, "")

    def _step(self, seq: int, stated: bytes, why: str) -> None:
        if seq != self.seq + 1:
            self.fail(self.seq + 1, "it is missing")
        if why:
            self.fail(seq, why)
        self.seq, self.head, self.rows = seq, stated, self.rows + 1

    def fail(self, seq: int, why: str) -> None:
        """Remember the first break."""
        self.broken = self.broken or (seq, why)

    def checked(self) -> Checked:
        """The result."""
        broken_seq, why = self.broken or (None, "")
        stream = (self.where, self.gateway, self.lane, self.epoch)
        span = (self.rows, self.first_seq, self.seq)
        return Checked(*stream, *span, self.head.hex(), self.quarantined, self.redacted, broken_seq, why)


def verify_journal(path: Path, looked: Looked = unheard) -> list[Checked]:
    """Every lane of a journal. Raises sqlite3.Error when the file cannot be read at all."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        [(gateway,)] = db.execute("SELECT gateway_id FROM identity").fetchall()
        return [_journal_lane(db, gateway, lane, looked) for lane in LANES]


def _journal_lane(db: sqlite3.Connection, gateway: str, lane: int, looked: Looked) -> Checked:
    pruned_seq, pruned_hash = db.execute("SELECT pruned_seq, pruned_hash FROM lanes WHERE lane = ?", (lane,)).fetchone()
    found = db.execute("SELECT base_seq, epoch FROM epochs WHERE lane = ? ORDER BY base_seq, epoch", (lane,)).fetchall()
    epochs = dict(found)
    first_epoch = max((item for item in epochs.items() if item[0] <= pruned_seq), default=found[0])[1]
    chain = Chain("journal", gateway, lane, first_epoch, start_seq=pruned_seq, start_hash=pruned_hash)
    try:
        for *fields, stated in _journal_rows(db, lane, pruned_seq):
            _turn_at(chain, epochs, gateway, lane, fields[0] - 1)
            chain.follow(tuple(fields), stated)
            looked(1)
        _turn_at(chain, epochs, gateway, lane, chain.seq)
    except sqlite3.DatabaseError as error:
        chain.fail(chain.seq + 1, f"the file cannot be read: {error}")
    return chain.checked()


def _journal_rows(db: sqlite3.Connection, lane: int, after: int) -> Iterable[tuple[Any, ...]]:
    return db.execute(
        "SELECT seq, uuid, hlc, wall_us, mono_ns, boot_id, kind, body, hash"
        f" FROM lane_{lane} LEFT JOIN boots USING (boot) WHERE seq > ? ORDER BY seq",
        (after,),
    )


def _turn_at(chain: Chain, epochs: dict[int, int], gateway: str, lane: int, seq: int) -> None:
    if seq in epochs and chain.seq == seq:
        chain.turn(epochs[seq], genesis_hash(gateway, epochs[seq], lane, seq))


async def verify_cloud(database_url: str, looked: Looked = unheard) -> list[Checked]:
    """Every stream of the cloud's `events`, and whether `body` still says what the kept bytes say."""
    connection = await asyncpg.connect(database_url, timeout=10.0)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            cursors = await connection.fetch("SELECT * FROM cursors ORDER BY gateway_id, lane, updated_at")
            return [await _cloud_stream(connection, cursor, looked) for cursor in cursors]
    finally:
        await connection.close(timeout=5.0)


_CLOUD_ROWS = """
SELECT seq, uuid, hlc, wall_at, mono_ns, boot_id, kind, raw, hash, redacted_at IS NOT NULL AS redacted,
       CASE WHEN redacted_at IS NULL THEN body = convert_from(raw, 'UTF8')::jsonb END AS same
  FROM events WHERE gateway_id = $1 AND epoch = $2 AND lane = $3
UNION ALL
SELECT seq, NULL, NULL, NULL, NULL, NULL, NULL, NULL, hash, false, true
  FROM quarantine q WHERE gateway_id = $1 AND epoch = $2 AND lane = $3
   AND NOT EXISTS (SELECT 1 FROM events e WHERE (e.gateway_id, e.epoch, e.lane, e.seq) = ($1, $2, $3, q.seq))
ORDER BY seq
"""


async def _cloud_stream(connection: Any, cursor: Any, looked: Looked) -> Checked:
    gateway, epoch, lane = cursor["gateway_id"], cursor["epoch"], cursor["lane"]
    chain: Chain | None = None
    async for row in _cloud_rows(connection, gateway, epoch, lane):
        if chain is None:
            base = row["seq"] - 1
            genesis = genesis_hash(gateway, epoch, lane, base)
            chain = Chain("cloud", gateway, lane, epoch, start_seq=base, start_hash=genesis)
        _follow_cloud(chain, row)
        looked(1)
    if chain is None:
        head, base = bytes(cursor["head_hash"]), cursor["applied_seq"]
        chain = Chain("cloud", gateway, lane, epoch, start_seq=base, start_hash=head)
        if head != genesis_hash(gateway, epoch, lane, base):
            chain.fail(base, "all rows are missing")
    if (chain.seq, chain.head) != (cursor["applied_seq"], bytes(cursor["head_hash"])):
        chain.fail(chain.seq + 1, f"it is missing: the cursor stands at {cursor['applied_seq']}")
    return chain.checked()


async def _cloud_rows(connection: Any, gateway: str, epoch: int, lane: int) -> AsyncIterator[Any]:
    async for row in connection.cursor(_CLOUD_ROWS, gateway, epoch, lane, prefetch=1000, timeout=60.0):
        yield row


def _follow_cloud(chain: Chain, row: Any) -> None:
    if row["raw"] is None:
        chain.pass_by(row["seq"], bytes(row["hash"]))
        return
    if row["redacted"]:
        chain.pass_redacted(row["seq"], bytes(row["hash"]))
        return
    wall_us = (row["wall_at"] - EPOCH_START) // MICROSECOND
    fields = (row["seq"], row["uuid"].bytes, row["hlc"], wall_us, row["mono_ns"], row["boot_id"], row["kind"])
    chain.follow((*fields, bytes(row["raw"])), bytes(row["hash"]))
    if not row["same"]:
        chain.fail(row["seq"], "its body no longer says what the kept bytes say")


# Each ledger with the table that tells whether this database has it.
_LEDGERS = (("ledger_entries", carbon), ("point_entries", points))


async def verify_ledgers(database_url: str, progress: Progress) -> list[Proof]:
    """Every ledger of the cloud: chain, postings, balances, and what lies beside them."""
    connection = await asyncpg.connect(database_url, timeout=10.0)
    found: list[Proof] = []
    try:
        for table, book in _LEDGERS:
            if await connection.fetchval("SELECT to_regclass($1)", table) is not None:
                progress.begin(f"ledger, {book.BOOK_ID}", await book.expected(connection))
                found.append(await book.verify(connection, progress.add))
        return found
    finally:
        await connection.close(timeout=5.0)


def ledger_line(proof: Proof) -> str:
    """For people."""
    if proof.ok:
        return f"ok      ledger: {proof.book}: {proof.rows} entries, head {proof.head_hash[:16]}"
    where = f"entry {proof.broken_seq}" if proof.broken_seq else "beside the chain"
    return f"BROKEN  ledger: {proof.book}: {where}: {proof.why}"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="island verify", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--journal", type=Path, action="append", default=[], help="a gateway's journal file")
    parser.add_argument("--database-url", help="the cloud's PostgreSQL")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    arguments = parser.parse_args(argv)
    if not arguments.journal and not arguments.database_url:
        parser.error("name a journal with --journal, the cloud's database with --database-url, or both")
    return arguments


def _results(arguments: argparse.Namespace, progress: Progress) -> Iterator[Checked]:
    for path in arguments.journal:
        progress.begin(f"journal {path}")
        yield from verify_journal(path, progress.add)
    if arguments.database_url:
        progress.begin("cloud")
        yield from asyncio.run(verify_cloud(arguments.database_url, progress.add))


def main(argv: Sequence[str] | None = None) -> int:
    """0 when everything is proven, 1 at a break, 2 when something could not be read."""
    arguments = _arguments(argv)
    try:
        with Progress() as progress:
            results = list(_results(arguments, progress))
            ledgers = asyncio.run(verify_ledgers(url, progress)) if (url := arguments.database_url) else []
    except (sqlite3.Error, OSError, asyncpg.PostgresError, TimeoutError) as error:
        print(f"could not be read: {error}", file=sys.stderr)
        return 2
    ok = all(one.broken_seq is None for one in (*results, *ledgers))
    if arguments.json:
        told = {"ok": ok, "rows": sum(one.rows for one in results), "streams": [asdict(one) for one in results]}
        print(json.dumps(told | {"ledgers": [asdict(one) for one in ledgers]}))
    else:
        print("\n".join([*(one.line() for one in results), *map(ledger_line, ledgers)]))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
