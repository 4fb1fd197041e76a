"""`./island verify` over both ledgers with 1,000,000 entries each: entries a second and memory, beside a peer.

The peer, in the same run, reads the same rows of the chain and hashes each as plain JSON with hashlib over the hash
before it. What verification takes more is the meaning: rules, balances, lots, covers and figures of every entry.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks._filled import KEEP_HELP, Size, filled, kept_or_made
from cloud_sync.proofs import carbon, points
from edge.verify_progress import Progress

AT_ONCE = 2_000
# Each book with its module, and with what the peer reads of it.
BOOKS = (
    (carbon, ("SELECT * FROM ledger_entries ORDER BY seq", "SELECT * FROM ledger_postings ORDER BY seq, place")),
    (points, ("SELECT * FROM point_entries ORDER BY person, seq",)),
)


async def read_and_hashed(connection: Any, queries: tuple[str, ...]) -> str:
    """Every row as JSON under one chain of hashes; the last one."""
    head = b""
    async with connection.transaction(readonly=True):
        for query in queries:
            cursor = await connection.cursor(query)
            while rows := await cursor.fetch(AT_ONCE):
                for row in rows:
                    head = hashlib.sha256(head + json.dumps(list(row), default=str).encode()).digest()
    return head.hex()


async def measured(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """One run over both books."""
    size = Size.of(arguments.entries, arguments.accounts)
    found: dict[str, Any] = {"benchmark": "verify", "entries": arguments.entries, "accounts": arguments.accounts}
    async with filled(folder, size, last=datetime.now(UTC), settings={}) as url:
        connection = await asyncpg.connect(url, command_timeout=3600)
        try:
            with Progress() as progress:
                for book, queries in BOOKS:
                    found |= await _of_book(connection, book, queries, progress)
        finally:
            await connection.close()
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found | {"memory_mb": memory_mb, "holds": all(found[f"{book.BOOK_ID}_holds"] for book, _ in BOOKS)}


async def _of_book(connection: Any, book: Any, queries: tuple[str, ...], progress: Progress) -> dict[str, Any]:
    progress.begin(f"ledger {book.BOOK_ID}", await book.expected(connection))
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    proof = await book.verify(connection, progress.add)
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    progress.begin(f"peer, {book.BOOK_ID}")
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    await read_and_hashed(connection, queries)
    peer_s, peer_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    figures = {
        "rows": proof.rows,
        "holds": proof.ok,
        "s": round(took_s, 2),
        "rows_per_s": round(proof.rows / took_s),
        "peer_rows_per_s": round(proof.rows / peer_s),
        "ratio_to_peer": round(took_s / peer_s, 2),
        "ratio_to_peer_cpu": round(cpu_s / peer_cpu_s, 2),
    }
    return {f"{book.BOOK_ID}_{name}": value for name, value in figures.items()}


def main(arguments: list[str]) -> int:
    """Fills, verifies, measures; 0 where both ledgers hold."""
    parser = argparse.ArgumentParser(prog="island bench verify", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entries", type=int, default=1_000_000, help="entries of each ledger")
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help=KEEP_HELP)
    chosen = parser.parse_args(arguments)
    with kept_or_made(chosen.keep, "island-bench-verify-") as folder:
        found = asyncio.run(measured(folder, chosen))
    print(json.dumps(found) if chosen.json else "\n".join(f"{key}: {value}" for key, value in found.items()))
    return 0 if found["holds"] else 1
