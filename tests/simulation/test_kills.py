"""Gateway, broker and cloud are killed at random under traffic: nothing lost, nothing twice, no command repeated.

Real processes, real PostgreSQL, real broker, real SQLite, real Modbus. The database is taken from the cloud's own
folder afterwards and compared with the gateway's journal row by row.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from cloud_sync.server.postgres import EmbeddedPostgres
from edge.adapters.barrier import short_id
from hw_sim.guard import ScriptedGuard
from hw_sim.island import Island
from hw_sim.programs import Program
from hw_sim.site_files import DemoOptions, Site, make_site

SEED = 7
KILLS = 6
OPTIONS = DemoOptions(seed=SEED, speed=1.5, interval_s=10.0, hour=10.0)


@pytest.mark.timeout(900)
async def test_random_kills_lose_and_double_nothing(island_folder: Path):
    site = make_site(island_folder, OPTIONS)
    async with Island(site, lambda text: None, undo_s=0) as island:
        await island.start(seed=SEED)
        await island.sim_post("/arrivals", {"stopped": False})
        guarding = asyncio.create_task(guard_for_ever(island))
        killed = await kill_at_random(island, random.Random(SEED))
        await settle(island)
        guarding.cancel()
        in_cloud = await rows_in_cloud(site)
        states = await island.sim_get("/state")
    in_journal = rows_in_journal(site)
    assert set(killed) == {"edge", "broker", "cloud"}
    assert len(in_journal[0]) > 30
    assert in_cloud == in_journal
    uuids = [uuid for rows in in_cloud.values() for _, uuid, _ in rows]
    assert len(set(uuids)) == len(uuids)
    check_commands(site, states)


async def kill_at_random(island: Island, rng: random.Random) -> Counter[str]:
    """One victim after the other, each of the three at least once."""
    victims = ["edge", "broker", "cloud", *rng.choices(("edge", "broker", "cloud"), k=KILLS - 3)]
    rng.shuffle(victims)
    for victim in victims:
        await asyncio.sleep(rng.uniform(2.0, 6.0))
        if victim == "broker":
            kill_broker(island.site)
        else:
            await kill_and_start(island, island.edge if victim == "edge" else island.cloud)
    return Counter(victims)


async def kill_and_start(island: Island, program: Program) -> None:
    await program.kill()
    await program.start()
    await (island.edge_answers() if program is island.edge else island.cloud_answers())


def kill_broker(site: Site) -> None:
    """By the number in our own data folder; the cloud starts it again."""
    number = int((site.folder / "cloud" / "broker" / "pid").read_text())
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


async def guard_for_ever(island: Island) -> None:
    """Held vehicles are decided; a gateway that is being killed does not answer. It wants a new sign-in each life."""
    guard = ScriptedGuard(island.site, island.http)
    while True:
        try:
            await guard.look()
        except (httpx.HTTPError, KeyError):
            guard = ScriptedGuard(island.site, island.http)
        await asyncio.sleep(0.5)


async def settle(island: Island) -> None:
    """No vehicle comes, lanes empty, and the cloud gets all there is; a gateway that is dead writes no more."""
    async with asyncio.timeout(120):
        while not (await island.sim_post("/arrivals", {"stopped": True}))["quiet"]:
            await asyncio.sleep(0.5)
    journalled, in_cloud = await island.in_step(120.0)
    assert journalled == in_cloud
    # Ended at once, right after both were equal: what a last breath might write would reach the cloud a life later.
    await island.edge.kill()
    journalled, in_cloud = await island.in_step(60.0)
    assert journalled == in_cloud


def rows_in_journal(site: Site) -> dict[int, list[tuple[int, bytes, bytes]]]:
    with closing(sqlite3.connect(f"file:{site.journal_file}?mode=ro", uri=True)) as connection:
        return {
            lane: connection.execute(f"SELECT seq, uuid, hash FROM lane_{lane} ORDER BY seq").fetchall()
            for lane in range(4)
        }


def events_in_journal(site: Site, kind: str) -> list[dict]:
    with closing(sqlite3.connect(f"file:{site.journal_file}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT body FROM lane_0 WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
    return [json.loads(body) for (body,) in rows]


async def rows_in_cloud(site: Site) -> dict[int, list[tuple[int, bytes, bytes]]]:
    connection = await asyncpg.connect(EmbeddedPostgres(site.folder / "cloud").url(), timeout=60)
    try:
        rows = await connection.fetch("SELECT lane, seq, uuid, hash FROM events ORDER BY lane, seq")
        quarantined = await connection.fetchval("SELECT count(*) FROM quarantine")
    finally:
        await connection.close(timeout=60)
    assert quarantined == 0
    found: dict[int, list[tuple[int, bytes, bytes]]] = {lane: [] for lane in range(4)}
    for row in rows:
        found[row["lane"]].append((row["seq"], row["uuid"].bytes, bytes(row["hash"])))
    return found


def check_commands(site: Site, states: dict) -> None:
    """What the controllers felt is no more than what the journal says was commanded, and nobody was hit."""
    commanded: dict[str, Counter[tuple[int, str]]] = {}
    for body in events_in_journal(site, "barrier_commanded"):
        commanded.setdefault(body["lane_id"], Counter())[short_id(body["command_id"]), body["action"]] += 1
    for lane_id, state in states.items():
        felt = Counter((number, action) for number, action in state["pulses"])
        assert felt, lane_id
        assert felt <= commanded[lane_id]
        assert state["violations"]["closed_on_vehicle"] == 0
        assert state["violations"]["close_started_on_vehicle"] == 0
