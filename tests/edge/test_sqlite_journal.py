"""The journal on a real SQLite: what it answered for is there, after kills, damage, full disks and leaping clocks."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_sync.contract import hlc
from cloud_sync.contract.chain import genesis_hash
from cloud_sync.contract.v1 import batch_of, decode_up, encode_up
from control.domain.events import (
    DeviceLost,
    GatewayHealth,
    GuardDecided,
    JournalRebuilt,
    MediaStored,
    TelemetryDropped,
    VehiclePassed,
)
from edge.adapters.journal_disk import Room, Usage, room_for
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.sqlite_journal import SqliteJournal
from edge.journal import Journal, JournalError, Recorded, UplinkJournal
from edge.verify import verify_journal

AT = "2026-11-21T02:42:31.000Z"
SMALL = JournalSettings(ballast_bytes=0, upkeep_every_s=0.02)


@dataclass
class LeapingClock:
    """Wall time that a test moves; monotonic time that runs on."""

    at: datetime = field(default=datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()


Open = Callable[..., AbstractAsyncContextManager[SqliteJournal]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
def open_journal(path: Path, clock: LeapingClock) -> Open:
    @asynccontextmanager
    async def opened(**changes: Any) -> AsyncIterator[SqliteJournal]:
        given: dict[str, Any] = {"gateway_id": "gw-1", "boot_id": "boot", "clock": clock, "settings": SMALL, **changes}
        async with SqliteJournal.open(given.pop("path", path), **given) as journal:
            yield journal

    return opened


@pytest.fixture
async def journal(open_journal: Open) -> AsyncIterator[SqliteJournal]:
    async with open_journal() as made:
        yield made


def passed(number: int = 1) -> VehiclePassed:
    return VehiclePassed(f"a-{number}", "lane", "passed", AT)


def health() -> GatewayHealth:
    return GatewayHealth(AT, "0.1", 1.0, {}, 1, 0.5)


async def upkeep_until(holds: Callable[[], bool]) -> None:
    """Upkeep runs by itself, every 20 ms here."""
    async with asyncio.timeout(60):
        for _ in iter(holds, True):
            await asyncio.sleep(0.01)


def broken(path: Path) -> list[tuple[int, int]]:
    return [(one.lane, one.broken_seq) for one in verify_journal(path) if one.broken_seq is not None]


def test_it_is_what_the_ports_ask_for(journal: SqliteJournal) -> None:
    port: Journal = journal
    uplink: UplinkJournal = journal
    assert port is uplink


async def test_receipts_number_each_lane_by_itself(journal: SqliteJournal) -> None:
    receipts = await journal.append_many([passed(1), passed(2), health(), DeviceLost("camera", None, "w", AT)])
    assert [(receipt.lane, receipt.seq) for receipt in receipts] == [(0, 1), (0, 2), (2, 1), (1, 1)]
    assert (await journal.append(passed(3))).seq == 3
    assert journal.backlog() == {"0": 3, "1": 1, "2": 1, "3": 0}
    assert receipts[0].uuid[14] == "7"


async def test_rows_read_back_as_they_were_written(journal: SqliteJournal) -> None:
    note = "叉车 \" \\ \u2028 'x'"
    event = GuardDecided("a", "l", "admit", "known", note, "li", "hut", None, None, None, AT)
    receipt = await journal.append(event)
    [found] = await journal.recent(["guard_decided"], 5)
    assert (found.uuid, found.body["note"]) == (receipt.uuid, note)
    [row] = await journal.pending(0, after=0, limit=10)
    assert (row.seq, row.hash, row.boot_id) == (1, receipt.hash, "boot")


async def test_pending_rows_make_a_batch_that_the_contract_takes(journal: SqliteJournal) -> None:
    await journal.append_many([passed(i) for i in range(40)])
    head = journal.heads()[0]
    rows = await journal.pending(0, after=10, limit=20)
    before = await journal.hash_at(0, 10)
    assert before is not None
    batch = batch_of("gw-1", head.epoch, 0, before, rows)
    assert decode_up(encode_up(batch)) == batch
    assert (batch.first_seq, batch.last_seq) == (11, 30)
    assert await journal.hash_at(0, 0) == genesis_hash("gw-1", head.epoch, 0, 0)


async def test_pending_stops_at_the_bytes_of_a_batch(journal: SqliteJournal) -> None:
    long = [DeviceLost("camera", None, "x" * 60_000, AT) for _ in range(20)]
    await journal.append_many(long)
    assert len(await journal.pending(1, after=0, limit=1000)) == 8


async def test_many_producers_share_commits_and_get_distinct_numbers(journal: SqliteJournal) -> None:
    receipts = await asyncio.gather(*(journal.append(passed(i)) for i in range(2500)))
    assert sorted(receipt.seq for receipt in receipts) == list(range(1, 2501))
    assert len({receipt.uuid for receipt in receipts}) == 2500


async def test_reopening_goes_on_where_it_ended(open_journal: Open, path: Path) -> None:
    async with open_journal() as journal:
        first = await journal.append(passed())
        epoch = journal.heads()[0].epoch
        await journal.acknowledge(0, 1)
    async with open_journal(boot_id="later boot") as journal:
        assert journal.backlog()["0"] == 0
        assert journal.heads()[0].epoch == epoch
        assert (await journal.append(passed())).seq == first.seq + 1
    assert broken(path) == []


async def test_a_second_process_is_refused(open_journal: Open) -> None:
    async with open_journal():
        with pytest.raises(JournalError, match="another process"):
            async with open_journal():
                raise AssertionError("opened twice")


async def test_another_gateways_journal_is_refused(open_journal: Open) -> None:
    async with open_journal():
        pass
    with pytest.raises(JournalError, match="belongs to gateway gw-1"):
        async with open_journal(gateway_id="gw-2"):
            raise AssertionError("opened")


async def test_body_that_no_batch_carries_is_refused_and_harms_nothing(journal: SqliteJournal) -> None:
    with pytest.raises(JournalError, match="more than"):
        await journal.append(DeviceLost("camera", None, "x" * 70_000, AT))
    with pytest.raises(TypeError, match="EVENT_KINDS"):
        await journal.append(object())
    assert (await journal.append(passed())).seq == 1


async def test_append_after_the_end_is_refused(open_journal: Open) -> None:
    async with open_journal() as journal:
        pass
    with pytest.raises(JournalError, match="closed"):
        await journal.append(passed())


async def test_cancelled_append_does_not_disturb_the_others(journal: SqliteJournal) -> None:
    tasks = [asyncio.create_task(journal.append(passed(i))) for i in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(one, asyncio.CancelledError) for one in done) == 1
    assert (await journal.append(passed())).seq == 11


async def test_acknowledgement_during_a_commit_is_kept(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    await journal.append(passed(1))
    insert = journal._insert

    async def acknowledged_meanwhile(rows: Any) -> None:
        await insert(rows)
        await journal.acknowledge(0, 1)

    monkeypatch.setattr(journal, "_insert", acknowledged_meanwhile)
    await journal.append(passed(2))
    assert journal.backlog()["0"] == 1


async def test_claim_is_true_once_and_over_a_restart(open_journal: Open, clock: LeapingClock) -> None:
    expires_at = clock.now() + timedelta(seconds=20)
    async with open_journal() as journal:
        assert await journal.claim("c-1", expires_at=expires_at)
        assert not await journal.claim("c-1", expires_at=expires_at)
    async with open_journal() as journal:
        assert not await journal.claim("c-1", expires_at=expires_at)
        assert await journal.claim("c-2", expires_at=expires_at)


async def test_evidence_waits_until_the_cloud_has_it(journal: SqliteJournal) -> None:
    await journal.append_many([MediaStored(name * 64, "image/jpeg", 9, "a", "frame", AT) for name in "abc"])
    await journal.append(MediaStored("a" * 64, "image/jpeg", 9, "b", "frame", AT))
    await journal.media_failed("a" * 64)
    assert [media.sha256[0] for media in await journal.media_pending(9)] == ["b", "c", "a"]
    await journal.media_done("b" * 64)
    assert await journal.media_waiting() == {"a" * 64, "c" * 64}


@pytest.mark.parametrize("leap", [timedelta(days=-3), timedelta(days=3652), timedelta(days=-30_000)])
async def test_order_holds_when_the_clock_leaps(open_journal: Open, clock: LeapingClock, leap: timedelta) -> None:
    async with open_journal() as journal:
        await journal.append(passed(1))
    clock.at += leap
    async with open_journal() as journal:
        await journal.append(passed(2))
        clock.at -= leap
        await journal.append(passed(3))
        rows = await journal.pending(0, after=0, limit=9)
        assert [row.hlc for row in rows] == sorted({row.hlc for row in rows})
        found = await journal.recent(["vehicle_passed"], 9)
        assert [one.body["arrival_id"] for one in found] == ["a-3", "a-2", "a-1"]


async def test_refused_stamps_are_made_anew_once_the_clock_is_right(
    open_journal: Open, clock: LeapingClock, path: Path
) -> None:
    async with open_journal() as journal:
        await journal.append_many([passed(1), passed(2)])
        clock.at += timedelta(days=3652)
        await journal.append_many([passed(3), DeviceLost("camera", None, "gone", AT)])
        epoch = journal.heads()[0].epoch
        assert await journal.restamp(0, agreed_seq=2) is None
        assert journal.heads()[0].epoch == epoch
        clock.at -= timedelta(days=3652)
        await journal.append(passed(4))
        head = await journal.restamp(0, agreed_seq=2)
        assert head is not None
        assert (head.base_seq, head.head_seq, head.acked_seq) == (2, 4, 2)
        await journal.append(passed(5))
        rows = await journal.pending(0, after=0, limit=9)
        assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
        assert [row.hlc for row in rows] == sorted({row.hlc for row in rows})
        limit = hlc.first_too_far(int(clock.at.timestamp() * 1000))
        assert all(row.hlc < limit for row in rows)
        assert rows[2].wall_us > rows[3].wall_us, "the wall time that was read stays on record"
        assert await journal.restamp(1, agreed_seq=0) is not None
        assert await journal.restamp(0, agreed_seq=2) is None
    assert broken(path) == []


async def test_new_epoch_chains_the_later_rows_anew(open_journal: Open, path: Path) -> None:
    async with open_journal() as journal:
        await journal.append_many([passed(i) for i in range(9)])
        before = journal.heads()[0]
        await journal.acknowledge(0, 6)
        head = await journal.rewind(0, agreed_seq=4, why="a test")
        assert head.epoch > before.epoch
        assert (head.base_seq, head.head_seq, head.acked_seq) == (4, 9, 4)
        rows = await journal.pending(0, after=4, limit=99)
        batch = batch_of("gw-1", head.epoch, 0, genesis_hash("gw-1", head.epoch, 0, 4), rows)
        assert decode_up(encode_up(batch)) == batch
        await journal.append(passed(10))
    assert broken(path) == []
    async with open_journal() as journal:
        assert journal.heads()[0].epoch == head.epoch
        assert journal.backlog()["0"] == 6


async def test_acknowledged_rows_are_pruned_by_rule_and_the_chain_still_proven(open_journal: Open, path: Path) -> None:
    async with open_journal(settings=JournalSettings(ballast_bytes=0, keep_rows=100, upkeep_every_s=0.01)) as journal:
        await journal.append_many([passed(i) for i in range(3000)])
        await journal.acknowledge(0, 2500)
        await upkeep_until(lambda: journal._pruned[0] >= 2400)
        assert await journal.pending(0, after=2500, limit=1000)
        assert (await journal.append(passed())).seq == 3001
    [lane, *_] = verify_journal(path)
    assert (lane.broken_seq, lane.last_seq) == (None, 3001)
    assert 2400 < lane.first_seq <= 2501
    async with open_journal() as journal:
        assert (await journal.append(passed())).seq == 3002


async def test_unacknowledged_rows_are_never_pruned(open_journal: Open) -> None:
    async with open_journal(settings=JournalSettings(ballast_bytes=0, keep_rows=0, upkeep_every_s=0.01)) as journal:
        await journal.append_many([passed(i) for i in range(900)])
        await journal.acknowledge(0, 600)
        await upkeep_until(lambda: journal._pruned[0] == 599)
        assert [row.seq for row in await journal.pending(0, after=600, limit=999)] == list(range(601, 901))


# ---------------------------------------------------------------- kills

WRITER = """
import asyncio, sys, time
from datetime import UTC, datetime
from pathlib import Path
from control.domain.events import VehiclePassed
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.sqlite_journal import SqliteJournal

class Clock:
    def now(self): return datetime.now(UTC)
    def monotonic(self): return time.monotonic()

async def produce(journal):
    while True:
        receipt = await journal.append(VehiclePassed("a", "lane", "passed", ""))
        sys.stdout.write(f"{receipt.seq} {receipt.hash.hex()}\\n")
        sys.stdout.flush()

async def main():
    settings = JournalSettings(ballast_bytes=0, checkpoint_wal_bytes=65536, truncate_wal_bytes=200000)
    opened = SqliteJournal.open(Path(sys.argv[1]), gateway_id="gw-1", boot_id="b", clock=Clock(), settings=settings)
    async with opened as journal:
        await asyncio.gather(*(produce(journal) for _ in range(20)))

asyncio.run(main())
"""


def killed_writer(path: Path, lines: int) -> dict[int, str]:
    """Receipts that a writer told before it was killed in the middle of its appends."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        told += [line for line in process.stdout if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL
    return {int(seq): digest for seq, digest in (line.split() for line in told)}


async def test_every_answered_append_survives_sigkill(open_journal: Open, path: Path) -> None:
    told: dict[int, str] = {}
    for lines in (30, 400, 1500):
        told |= await asyncio.to_thread(killed_writer, path, lines)
        async with open_journal() as journal:
            head = journal.heads()[0].head_seq
            kept = {
                row.seq: row.hash.hex()
                for after in range(0, head, 1000)
                for row in await journal.pending(0, after=after, limit=1000)
            }
        assert {seq: kept.get(seq) for seq in told} == told
        assert sorted(kept) == list(range(1, head + 1))
    assert broken(path) == []


async def test_power_cut_at_every_write_of_the_log_loses_no_answered_row(open_journal: Open, path: Path) -> None:
    """The write-ahead log is cut at every frame and in the middle of frames, as a power cut leaves it."""
    async with open_journal() as journal:
        answered = [((await journal.append(passed(i))).seq, _wal(path).stat().st_size) for i in range(25)]
        images = _images(path)
    folder = path.parent / "cut"
    folder.mkdir()
    frame = 24 + 4096
    for size in sorted({*range(32, len(images[1]) + 1, frame), *range(32 + 700, len(images[1]), 5 * frame)}):
        cut = folder / f"{size}.db"
        cut.write_bytes(images[0])
        _wal(cut).write_bytes(images[1][:size])
        due = max((seq for seq, wal_bytes in answered if wal_bytes <= size), default=0)
        with closing(sqlite3.connect(cut)) as db:
            found = db.execute("SELECT count(*), coalesce(max(seq), 0) FROM lane_0").fetchone()
        assert found[0] == found[1] >= due


def _images(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), _wal(path).read_bytes()


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


# ---------------------------------------------------------------- damage


async def filled(open_journal: Open, count: int = 3000, acked: int = 1000) -> None:
    async with open_journal() as journal:
        await journal.append_many([passed(i) for i in range(count)])
        await journal.append(DeviceLost("camera", None, "w", AT))
        await journal.acknowledge(0, acked)


def damaged(path: Path, damage: str) -> bytes:
    data = bytearray(path.read_bytes())
    pages = len(data) // 4096
    match damage:
        case "header":
            data[:16] = b"not a database!!"
        case "zeroed page":
            data[4096 * (pages // 2) : 4096 * (pages // 2 + 1)] = bytes(4096)
        case "truncated":
            del data[4096 * (pages // 2) :]
        case "noise":
            data[4096 * 3 :] = os.urandom(len(data) - 4096 * 3)
        case "empty of sense":
            data[:] = b"x" * 5000
    path.write_bytes(data)
    return bytes(data)


def _set_aside(path: Path) -> list[Path]:
    return [one for one in path.parent.glob("*.damaged-*") if not one.name.endswith(("-wal", "-shm"))]


@pytest.mark.parametrize("damage", ["header", "zeroed page", "truncated", "noise", "empty of sense"])
async def test_damaged_file_is_set_aside_rebuilt_and_told(open_journal: Open, path: Path, damage: str) -> None:
    await filled(open_journal)
    data = damaged(path, damage)
    async with open_journal() as journal:
        [found] = await journal.recent(["journal_rebuilt"], 1)
        rebuilt = JournalRebuilt(**found.body)
        kept = journal.heads()[0].head_seq - journal.heads()[0].acked_seq
        assert rebuilt.carried["0"] == kept
        assert not rebuilt.carried_whole
        assert (await journal.append(passed())).seq == journal.heads()[0].head_seq
    assert [one.name for one in _set_aside(path)] == [rebuilt.set_aside]
    assert _set_aside(path)[0].read_bytes() == data
    assert broken(path) == []


async def test_altered_row_that_was_not_sent_yet_is_found_at_the_start(open_journal: Open, path: Path) -> None:
    await filled(open_journal)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE lane_0 SET body = CAST(replace(body, 'a-1999', 'a-1998') AS BLOB) WHERE seq = 2000")
        db.commit()
    assert broken(path) == [(0, 2000)]
    async with open_journal() as journal:
        head = journal.heads()[0]
        assert (head.acked_seq, head.head_seq) == (1000, 1999)  # what is proven goes on under its epoch
        [found] = await journal.recent(["journal_rebuilt"], 1)
        assert "row 2000" in found.body["why"]


async def test_sound_file_is_left_alone(open_journal: Open, path: Path) -> None:
    await filled(open_journal)
    async with open_journal() as journal:
        assert await journal.recent(["journal_rebuilt"], 1) == ()
    assert _set_aside(path) == []


# ---------------------------------------------------------------- room


@pytest.mark.parametrize(
    ("usage", "held", "room"),
    [
        (Usage(10, 990), True, Room.PLENTY),
        (Usage(80, 990), True, Room.THIN),
        (Usage(90, 990), True, Room.DROP),
        (Usage(10, 2), True, Room.THIN),
        (Usage(10, 1), True, Room.DROP),
        (Usage(10, 990), False, Room.RESERVE),
    ],
)
def test_room_by_usage(usage: Usage, held: bool, room: Room) -> None:
    assert room_for(usage, journal_bytes_max=100, ballast_held=held) is room


async def test_telemetry_is_thinned_and_nothing_else_is(open_journal: Open) -> None:
    async with open_journal(settings=JournalSettings(ballast_bytes=0, upkeep_every_s=1e6)) as journal:
        await journal.append(passed())
        await journal.claim("c", expires_at=datetime(2026, 11, 21, tzinfo=UTC))  # by now the first upkeep has been
        journal._upkeep.room = Room.THIN
        receipts = [await journal.append(event) for event in (health(), health(), passed(), health())]
        assert [receipt.stored for receipt in receipts] == [True, False, True, False]
        assert journal.backlog()["2"] == 1


async def test_telemetry_is_dropped_as_a_recorded_gap(open_journal: Open, path: Path) -> None:
    settings = JournalSettings(ballast_bytes=0, journal_bytes_max=400_000, upkeep_every_s=0.01)
    async with open_journal(settings=settings) as journal:
        await journal.append(passed())
        found: tuple[Recorded, ...] = ()
        async with asyncio.timeout(60):
            while not (found := await journal.recent(["telemetry_dropped"], 99)):
                await journal.append_many([health()] * 40)
        gaps = [TelemetryDropped(**one.body) for one in reversed(found)]
        assert [gap.first_seq for gap in gaps] == [1, *(gap.last_seq + 1 for gap in gaps[:-1])]
        assert gaps[-1].last_seq >= 40
        rows = await journal.pending(2, after=gaps[-1].last_seq, limit=1000)
        assert all(row.seq > gaps[-1].last_seq for row in rows)
        assert journal.backlog()["0"] == 1
    assert broken(path) == []


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        folder.rmdir()
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


async def test_gate_events_are_kept_on_a_full_disk_and_all_is_well_when_there_is_room(
    open_journal: Open, small_disk: Path
) -> None:
    path = small_disk / "journal.db"
    settings = JournalSettings(ballast_bytes=2 * 1024 * 1024, upkeep_every_s=0.02)
    async with open_journal(path=path, settings=settings) as journal:
        await journal.append(passed(0))
        _fill(small_disk / "filler")
        kept = 0
        async with asyncio.timeout(60):
            while journal._upkeep.room is not Room.RESERVE:
                kept = (await journal.append(passed(kept))).seq
        for number in range(200):
            kept = (await journal.append(passed(number))).seq
        with pytest.raises(JournalError, match="only gate events"):
            await journal.append(MediaStored("a" * 64, "image/jpeg", 9, "a", "frame", AT))
        (small_disk / "filler").unlink()
        await upkeep_until(lambda: journal._upkeep.room is Room.PLENTY)
        await journal.append(MediaStored("b" * 64, "image/jpeg", 9, "a", "frame", AT))
        assert (await journal.append(passed())).seq == kept + 1
    assert broken(path) == []


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
