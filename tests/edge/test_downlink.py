"""What comes down: believed when signed, for us, newer, in time, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_sync.contract.v1 import (
    Command,
    HeadAction,
    HeadOrder,
    KeyPair,
    Snapshot,
    seal_command,
    seal_head_order,
    seal_snapshot,
)
from control.domain.permits import PermitSnapshot
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.sqlite_journal import SqliteJournal
from edge.downlink import COMMANDS_WAITING_MAX, HEAD_ORDERS_WAITING_MAX, Downlink, SnapshotFile

KEY = KeyPair.generate()
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
COMMAND = Command("c-1", "gw-1", "a-1", "l", "admit", "known", "li", NOW, NOW + timedelta(seconds=20))


class StillClock:
    """Stands at NOW unless moved."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def still() -> StillClock:
    return StillClock()


@pytest.fixture
async def journal(tmp_path: Path, still: StillClock) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal.open(
        tmp_path / "j.db", gateway_id="gw-1", boot_id="b", clock=still, settings=JournalSettings(ballast_bytes=0)
    )
    async with opened as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> SnapshotFile:
    return SnapshotFile(tmp_path / "snapshot", KEY.public)


@pytest.fixture
def downlink(journal: SqliteJournal, file: SnapshotFile, still: StillClock) -> Downlink:
    return Downlink(gateway="gw-1", key=KEY.public, file=file, journal=journal, clock=still)


def snapshot(version: int, gateway: str = "gw-1") -> bytes:
    return seal_snapshot(Snapshot(gateway, PermitSnapshot(version, NOW)), KEY)


def version_of(downlink: Downlink) -> int | None:
    return None if downlink.snapshot is None else downlink.snapshot.version


async def test_newer_snapshot_counts_is_told_and_stored(downlink: Downlink, file: SnapshotFile) -> None:
    told: list[int] = []
    downlink.on_snapshot(lambda taken: told.append(taken.version))
    for version in (5, 5, 3, 6):
        await downlink.receive("snapshot", snapshot(version))
    assert told == [5, 6]
    stored = file.load()
    assert stored is not None
    assert stored.version == 6


async def test_stored_snapshot_is_there_after_a_start(
    downlink: Downlink, file: SnapshotFile, journal: SqliteJournal, still: StillClock
) -> None:
    await downlink.receive("snapshot", snapshot(7))
    again = Downlink(gateway="gw-1", key=KEY.public, file=file, journal=journal, clock=still)
    await again.load()
    await again.receive("snapshot", snapshot(6))
    assert version_of(again) == 7


@pytest.mark.parametrize(
    "payload",
    [
        b"garbage",
        snapshot(9, gateway="gw-2"),
        seal_snapshot(Snapshot("gw-1", PermitSnapshot(9, NOW)), KeyPair.generate()),
        seal_command(COMMAND, KEY),
    ],
    ids=["garbage", "another gateway's", "another key", "a command"],
)
async def test_snapshot_that_does_not_hold_is_dropped(downlink: Downlink, payload: bytes) -> None:
    await downlink.receive("snapshot", snapshot(2))
    await downlink.receive("snapshot", payload)
    assert version_of(downlink) == 2


async def test_altered_file_is_not_believed(downlink: Downlink, file: SnapshotFile, tmp_path: Path) -> None:
    await downlink.receive("snapshot", snapshot(2))
    stored = tmp_path / "snapshot"
    alter(stored)
    assert file.load() is None


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


async def test_snapshot_counts_even_when_it_cannot_be_stored(
    journal: SqliteJournal, still: StillClock, tmp_path: Path
) -> None:
    (tmp_path / "no folder").touch()
    file = SnapshotFile(tmp_path / "no folder" / "snapshot", KEY.public)
    downlink = Downlink(gateway="gw-1", key=KEY.public, file=file, journal=journal, clock=still)
    await downlink.receive("snapshot", snapshot(4))
    assert version_of(downlink) == 4


async def test_command_is_handed_on_once(downlink: Downlink, journal: SqliteJournal) -> None:
    for _ in range(3):
        await downlink.receive("command", seal_command(COMMAND, KEY))
    await downlink.receive("command", seal_command(replace(COMMAND, command_id="c-2"), KEY))
    assert (await downlink.next_command()) == COMMAND
    assert (await downlink.next_command()).command_id == "c-2"
    assert await journal.recent(["command_result"], 9) == ()


@pytest.mark.parametrize(
    ("moved", "outcome"),
    [(timedelta(seconds=20), "expired"), (timedelta(days=3), "expired"), (timedelta(days=-3), "refused")],
)
async def test_command_out_of_time_is_answered_and_not_handed_on(
    downlink: Downlink, journal: SqliteJournal, still: StillClock, moved: timedelta, outcome: str
) -> None:
    still.at += moved
    await downlink.receive("command", seal_command(COMMAND, KEY))
    [found] = await journal.recent(["command_result"], 9)
    assert (found.body["command_id"], found.body["outcome"]) == ("c-1", outcome)
    assert downlink._commands.empty()


async def test_command_for_another_gateway_is_dropped(downlink: Downlink, journal: SqliteJournal) -> None:
    await downlink.receive("command", seal_command(replace(COMMAND, gateway="gw-2"), KEY))
    assert downlink._commands.empty()
    assert await journal.recent(["command_result"], 9) == ()


async def test_more_commands_than_can_wait_are_refused(downlink: Downlink, journal: SqliteJournal) -> None:
    for number in range(COMMANDS_WAITING_MAX + 2):
        await downlink.receive("command", seal_command(replace(COMMAND, command_id=f"c-{number}"), KEY))
    found = await journal.recent(["command_result"], 9)
    assert [one.body["outcome"] for one in found] == ["refused", "refused"]


# ------------------------------------------------------------------------------------------------------- head orders

HEAD_ORDER = HeadOrder("h-1", "gw-1", HeadAction.ADAPT, "li", NOW, NOW + timedelta(minutes=5))


async def test_a_head_order_counts_once_and_beside_the_commands(downlink: Downlink) -> None:
    for _ in range(3):
        await downlink.receive("head", seal_head_order(HEAD_ORDER, KEY))
    await downlink.receive("command", seal_command(COMMAND, KEY))
    assert await downlink.next_head_order() == HEAD_ORDER
    assert await downlink.next_command() == COMMAND
    assert downlink._head_orders.empty()


async def test_a_late_order_and_one_too_many_are_answered(downlink: Downlink, journal: SqliteJournal) -> None:
    await downlink.receive("head", seal_head_order(replace(HEAD_ORDER, command_id="late", expires_at=NOW), KEY))
    for number in range(HEAD_ORDERS_WAITING_MAX + 1):
        await downlink.receive("head", seal_head_order(replace(HEAD_ORDER, command_id=f"h{number}"), KEY))
    answers = {row.body["command_id"]: row.body["outcome"] for row in await journal.recent(["command_result"], 10)}
    assert answers == {"late": "expired", f"h{HEAD_ORDERS_WAITING_MAX}": "refused"}


async def test_a_head_order_by_another_key_or_for_another_gateway_does_nothing(downlink: Downlink) -> None:
    await downlink.receive("head", seal_head_order(HEAD_ORDER, KeyPair.generate()))
    await downlink.receive("head", seal_head_order(replace(HEAD_ORDER, gateway="gw-2"), KEY))
    assert downlink._head_orders.empty()
