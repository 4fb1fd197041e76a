"""The clear sky from a child process: kept, asked for again after a failure, and never in the gateway's way."""

from __future__ import annotations

import asyncio
import signal
import stat
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from control.energy.site import GridSpec, PvSpec, SiteSpec, StringSpec
from edge.energy import sky as module
from edge.energy.history import History
from edge.energy.sky import LOOK_EVERY_S, SkyTable, computed_apart
from edge.energy.store import EnergyStore, EnergyStoreError

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # noon in Hainan
STRINGS = (
    StringSpec(id="south", rated_dc_kw=100.0, tilt_deg=12.0, azimuth_deg=180.0),
    StringSpec(id="flat", rated_dc_kw=50.0),
)
SITE = SiteSpec(
    grid=GridSpec(import_max_kw=1000, export_max_kw=500),
    pvs=(PvSpec(id="pv1", rated_ac_kw=80.0, strings=STRINGS), PvSpec(id="pv2", rated_ac_kw=50.0)),
)
WORDS = {
    "latitude_deg": 19.1,
    "longitude_deg": 110.6,
    "timezone": "Asia/Shanghai",
    "pvs": [
        {
            "id": "pv1",
            "rated_ac_kw": 60.0,
            "strings": [{"id": "south", "rated_dc_kw": 100.0, "tilt_deg": 12.0, "azimuth_deg": 180.0}],
        }
    ],
}


class Clock:
    """Sleeping is over at once, so often; then the one who sleeps is cancelled."""

    def __init__(self, sleeps: int = 0) -> None:
        self.at, self.sleeps = NOW, sleeps
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds()

    async def sleep(self, seconds: float) -> None:
        if len(self.slept) == self.sleeps:
            raise asyncio.CancelledError
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@asynccontextmanager
async def table(folder: Path, clock: Clock, site: SiteSpec = SITE):
    async with EnergyStore.open(folder / "energy.db") as store:
        yield SkyTable(site, store, History(store, site.timezone), clock)


def made_of(days: list[str], kw: float) -> dict[str, Any]:
    """Days as the child gives them: each quarter of an hour one more."""
    row = [kw + n for n in range(96)]
    return {day: {"total": row, "strings": {"pv1/south": row}} for day in days}


class Child:
    """In place of the process: remembers what it was asked, and fails as often as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: int = 0) -> None:
        self.asked: list[list[str]] = []
        self.failures = failures
        monkeypatch.setattr(module, "computed_apart", self)

    async def __call__(self, question: dict[str, Any]) -> dict[str, Any] | None:
        self.asked.append(question["days"])
        if len(self.asked) <= self.failures:
            return None
        return made_of(question["days"], 10.0)


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Another program in place of Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(path))


# ------------------------------------------------------------------------------------------------------- the process


# The child has the lowest priority and large libraries to load: on a busy machine that takes its time.
@pytest.mark.timeout(900)
async def test_the_child_computes_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT_S", 800.0)
    made = await computed_apart({"site": WORDS, "days": ["2026-03-20"]})
    assert made is not None
    assert list(made) == ["2026-03-20"]
    [day] = made.values()
    assert len(day["total"]) == len(day["strings"]["pv1/south"]) == 96
    assert max(day["total"]) == 60.0, "the inverter's rating"
    assert 70.0 < max(day["strings"]["pv1/south"]) < 100.0
    assert day["total"][0] == 0.0


async def test_a_child_that_dies_is_told_and_nothing_else(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "cat > /dev/null; exit 3")
    with capture_logs() as logs:
        assert await computed_apart({"site": WORDS, "days": []}) is None
    assert [(one["event"], one["status"]) for one in logs] == [("clear sky not computed", 3)]


async def test_a_child_that_dies_before_it_listens_is_no_error(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "exit 4")
    question = {"site": WORDS, "days": ["2026-03-20"] * 20_000}
    with capture_logs() as logs:
        assert await computed_apart(question) is None
    assert [one["log_level"] for one in logs] == ["warning"]


async def test_a_child_that_talks_nonsense_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "cat > /dev/null; echo 'a warning of a library'")
    with capture_logs() as logs:
        assert await computed_apart({"site": WORDS, "days": []}) is None
    assert [one["event"] for one in logs] == ["clear sky not understood"]


async def test_a_child_that_hangs_is_ended(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, "exec sleep 600")
    monkeypatch.setattr(module, "LIMIT_S", 0.5)
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def starting(*words: str, **given: Any) -> asyncio.subprocess.Process:
        started.append(await start(*words, **given))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", starting)
    with capture_logs() as logs:
        assert await computed_apart({"site": WORDS, "days": []}) is None
    assert [one["event"] for one in logs] == ["clear sky took too long"]
    assert [process.returncode for process in started] == [-signal.SIGKILL]


async def test_no_program_to_start_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with capture_logs() as logs:
        assert await computed_apart({"site": WORDS, "days": []}) is None
    assert [one["event"] for one in logs] == ["clear sky not computed"]


# --------------------------------------------------------------------------------------------------------- the table


async def test_missing_days_are_computed_kept_and_taken_up_by_the_next_run(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, clock = Child(monkeypatch), Clock(sleeps=3)
    async with table(tmp_path, clock) as sky:
        with pytest.raises(asyncio.CancelledError):
            await sky.run()
        assert child.asked == [["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"]]
        assert clock.slept[1:] == [LOOK_EVERY_S] * 2
    async with table(tmp_path, clock) as again:
        await again.load()
        assert again.strings_at(NOW) == {"pv1/south": 10.0 + 48}
        assert list(again.over(NOW, 3)) == [58.0, 59.0, 60.0]
        assert again._missing() == []
    async with table(tmp_path, clock, replace(SITE, pvs=SITE.pvs[:1])) as other:
        await other.load()
        assert other.days == {}, "another plant"


async def test_after_a_failure_it_is_asked_again_within_the_hour(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    child, clock = Child(monkeypatch, failures=2), Clock(sleeps=3)
    async with table(tmp_path, clock) as sky:
        with pytest.raises(asyncio.CancelledError):
            await sky.run()
        assert len(child.asked) == 3
        assert sky.strings_at(NOW) != {}


async def test_without_a_sky_everything_asked_for_is_unknown(tmp_path) -> None:
    async with table(tmp_path, Clock()) as sky:
        await sky.load()
        assert sky.strings_at(NOW) == {}
        assert sky.over(NOW, 4) is None


async def test_the_next_day_asks_for_one_day_and_forgets_single_strings_of_the_last(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, clock = Child(monkeypatch), Clock(sleeps=30)
    async with table(tmp_path, clock) as sky:
        await sky.store.add_mean(period_s=900, at_s=int(NOW.timestamp()) - 900, body={"good": 1.0, "kw": {"pv": 1.0}})
        await sky.history.refresh(now=NOW)
        with pytest.raises(asyncio.CancelledError):
            await sky.run()
        assert [len(days) for days in child.asked] == [5, 1]
        assert sky.days["2026-11-21"]["strings"] == {}
        assert sky.over(NOW, 2) is not None, "its total stays for the forecast"


async def test_a_file_that_cannot_be_written_leaves_the_table(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    Child(monkeypatch)
    async with table(tmp_path, Clock(sleeps=2)) as sky:

        async def full(*_: object) -> None:
            raise EnergyStoreError("the disk is full")

        monkeypatch.setattr(sky.store, "put_note", full)
        with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
            await sky.run()
        assert sky.strings_at(NOW) != {}
    assert [one["event"] for one in logs] == ["clear sky computed", "clear sky not kept"]


async def test_without_strings_nothing_is_computed(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child(monkeypatch)
    async with table(tmp_path, Clock(sleeps=9), replace(SITE, pvs=SITE.pvs[1:])) as sky:
        await sky.run()
    assert child.asked == []
