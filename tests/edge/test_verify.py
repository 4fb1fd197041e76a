"""`verify` finds every altered field of every row, in the journal; the cloud's side is with the cloud's tests."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from control.domain.events import DeviceLost, VehiclePassed
from edge import verify
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.sqlite_journal import SqliteJournal


class StillClock:
    """Stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Twenty rows of lane 0, the last fifteen in a second epoch; one row of lane 1."""
    found = tmp_path / "journal.db"
    opened = SqliteJournal.open(
        found, gateway_id="gw-1", boot_id="b", clock=StillClock(), settings=JournalSettings(ballast_bytes=0)
    )
    async with opened as journal:
        await journal.append_many([VehiclePassed(f"a-{i}", "l", "passed", "") for i in range(15)])
        await journal.rewind(0, agreed_seq=5, why="a test")
        await journal.append_many([VehiclePassed(f"b-{i}", "l", "passed", "") for i in range(5)])
        await journal.append(DeviceLost("camera", None, "w", ""))
    return found


def alter(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute(statement).rowcount > 0
        db.commit()


def test_sound_journal_is_proven(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main(["--journal", str(path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("ok ")
    assert "lane 0" in told[0]
    assert "20 rows, 1 to 20" in told[0]


ALTERATIONS = [
    ("body", "CAST(replace(body, 'passed', 'backed') AS BLOB)"),
    ("kind", "'vehicle_backed'"),
    ("wall_us", "wall_us + 1"),
    ("mono_ns", "mono_ns + 1"),
    ("hlc", "hlc - 1"),
    ("uuid", "randomblob(16)"),
    ("hash", "randomblob(32)"),
]


@pytest.mark.parametrize("seq", [1, 5, 6, 13, 20])
@pytest.mark.parametrize(("column", "value"), ALTERATIONS)
def test_any_altered_field_is_found_with_lane_and_row(
    path: Path, capsys: pytest.CaptureFixture[str], seq: int, column: str, value: str
) -> None:
    alter(path, f"UPDATE lane_0 SET {column} = {value} WHERE seq = {seq}")
    assert verify.main(["--journal", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert [(one["lane"], one["broken_seq"]) for one in told["streams"] if one["broken_seq"]] == [(0, seq)]


@pytest.mark.parametrize("seq", [1, 6, 13])
def test_deleted_row_is_missed(path: Path, seq: int) -> None:
    alter(path, f"DELETE FROM lane_0 WHERE seq = {seq}")
    assert verify.verify_journal(path)[0].broken_seq == seq


def test_unreadable_file_is_told_apart_from_a_broken_chain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.db").write_bytes(b"nothing of the kind" * 100)
    assert verify.main(["--journal", str(tmp_path / "no.db")]) == 2
    assert "could not be read" in capsys.readouterr().err


def test_it_asks_what_to_verify(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        verify.main([])
    assert "--journal" in capsys.readouterr().err
