"""`python -m cloud_sync.proofs`: owns proving the carbon book in a process of its own, for a server that goes on.

The database's address comes by the environment, so that no list of processes shows its password; the proof goes out
as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict

import asyncpg

from cloud_sync.proofs.carbon import verify
from cloud_sync.proofs.proof import Proof

URL = "ISLAND_PROOF_DATABASE_URL"
NICE = 19  # gives way to every request


async def proven(database_url: str) -> Proof:
    """The proof over a connection of its own."""
    connection = await asyncpg.connect(database_url, timeout=10.0)
    try:
        return await verify(connection)
    finally:
        await connection.close(timeout=5.0)


if __name__ == "__main__":
    os.nice(NICE)
    print(json.dumps(asdict(asyncio.run(proven(os.environ[URL])))))
