"""Model updates on a gateway: tried before use, taken over while it runs, given up when they fail."""

from __future__ import annotations

import asyncio
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloud_sync.contract.v1 import KeyPair
from control.domain.errors import ConfigurationError
from control.domain.events import DeviceBack, DeviceLost
from edge import model_install, model_updates
from edge.changes import Changes
from edge.kept_reader import KeptReader
from edge.model_install import Terms, UpdateRefusedError, install
from edge.model_shelf import SHIPPED, ModelShelf
from edge.model_updates import PROBATION_S, SETTLED_S, ModelUpdates
from edge.reader_process import ReaderFailedError, ReaderLostError, ReaderSettings
from edge.retrying import Backoff
from vision import bundle
from vision.bundle import BundleError
from vision.golden import Trial, render_golden
from vision.runtime import MODELS_DIR

KEY = KeyPair.generate()
TERMS = Terms(KEY.public, picture_ms_max=100.0)
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PICTURE = np.zeros((4, 4, 3), np.uint8)


class Clock:
    """Time moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.at_s)

    def monotonic(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds
        await asyncio.sleep(0)


class Journal:
    def __init__(self) -> None:
        self.events: list[Any] = []

    async def append(self, event: object) -> None:
        self.events.append(event)


class Site:
    """A gateway's reader, shelf and updates; `bad` versions do not load, `answers` are what pictures give."""

    def __init__(self, root: Path, *, terms: Terms | None = TERMS) -> None:
        self.clock, self.journal = Clock(), Journal()
        self.shelf, self.inbox = ModelShelf(root / "models"), root / "updates"
        self.bad: set[str] = set()
        self.loaded: list[str] = []
        self.answers: list[Exception] = []
        self.reader = KeptReader(
            ReaderSettings(), start=self._start, clock=self.clock, backoff=Backoff(random.Random(1), base_s=0.0)
        )
        self.updates = ModelUpdates(
            shelf=self.shelf,
            reader=self.reader,
            shipped=None,
            inbox=self.inbox,
            terms=terms,
            journal=self.journal,
            changes=Changes(),
            clock=self.clock,
        )

    async def _start(self, settings: ReaderSettings) -> Any:
        version = settings.models_dir.parent.name if settings.models_dir else SHIPPED
        if version in self.bad:
            raise ConfigurationError(f"{version} does not load")
        self.loaded.append(version)
        return self

    async def read(self, image: np.ndarray, **_: Any) -> Any:
        if self.answers:
            raise self.answers.pop(0)
        return "reading"

    async def aclose(self) -> None:
        pass

    def put(self, version: str) -> None:
        with self.shelf.receiving() as place:
            (place / "models").mkdir(parents=True)
            self.shelf.put(place, version)
        self.shelf.use(version, at="now")

    async def look(self) -> None:
        await self.updates._look_at_shelf()
        await self.updates._look_at_probation()
        await self.updates._look_at_inbox()

    async def fail(self, *errors: Exception) -> None:
        self.answers = list(errors)
        while self.answers:
            with pytest.raises((ReaderFailedError, ReaderLostError)):
                await self.reader.read(PICTURE)
            if self.reader._reader is None:
                await self.reader._start_again()

    def told(self) -> list[str]:
        return [event.why if isinstance(event, DeviceLost) else "back" for event in self.journal.events]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def no_trial(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """What the next trial gives instead of a process that reads golden pictures."""
    trials = [Trial(9, (), 50.0)]
    monkeypatch.setattr(model_install, "tried", lambda *_: trials[-1])
    return trials


def update(
    folder: Path,
    version: str,
    *,
    made_at: datetime = NOW,
    key: KeyPair = KEY,
) -> Path:
    models, golden = folder / f"{version}-models", folder / f"{version}-golden"
    models.mkdir(parents=True)
    golden.mkdir()
    (models / "models.toml").write_text(version)
    (golden / "expected.jsonl").write_text("")
    out = folder / f"{version}.islandmodels"
    bundle.pack(models, golden, out, version=version, made_at=made_at, key=key)
    return out


def installed(file: Path, shelf: ModelShelf, *, terms: Terms = TERMS, older: bool = False) -> str:
    return install(file, shelf, terms, ReaderSettings(), now=NOW, older=older)


# ------------------------------------------------------------------------------------------------------------- install


def test_an_update_that_passes_is_in_use(site: Site, tmp_path: Path, no_trial: list[Trial]) -> None:
    assert installed(update(tmp_path, "v2"), site.shelf) == "v2"
    assert site.shelf.read().in_use == "v2"


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        (Trial(9, ("01.png: expected 琼AD12345, read no plate",), 5.0), "not read as expected: 01.png: expected"),
        (Trial(9, tuple(f"{n}.png: x" for n in range(8)), 5.0), "and 3 more"),
        (Trial(9, (), 101.0), "A picture takes 101.0 ms, more than 100 ms"),
    ],
)
def test_an_update_that_does_not_pass_changes_nothing(
    site: Site, tmp_path: Path, no_trial: list[Trial], trial: Trial, words: str
) -> None:
    no_trial.append(trial)
    with pytest.raises(UpdateRefusedError, match=words):
        installed(update(tmp_path, "v2"), site.shelf)
    assert site.shelf.read().in_use == SHIPPED
    assert site.shelf.versions() == ()


def test_another_s_signature_is_refused(site: Site, tmp_path: Path, no_trial: list[Trial]) -> None:
    with pytest.raises(BundleError, match="signature does not hold"):
        installed(update(tmp_path, "v2", key=KeyPair.generate()), site.shelf)
    assert site.shelf.versions() == ()


def test_an_older_update_is_refused_unless_it_is_allowed(site: Site, tmp_path: Path, no_trial: list[Trial]) -> None:
    older = update(tmp_path, "v1", made_at=NOW - timedelta(days=1))
    installed(update(tmp_path, "v2"), site.shelf)
    with pytest.raises(UpdateRefusedError, match="too old"):
        installed(older, site.shelf)
    with pytest.raises(UpdateRefusedError, match="in use already"):
        installed(tmp_path / "v2.islandmodels", site.shelf, older=True)
    assert installed(older, site.shelf, older=True) == "v1"


def test_a_version_that_failed_here_is_refused(site: Site, tmp_path: Path, no_trial: list[Trial]) -> None:
    file = update(tmp_path, "v2")
    installed(file, site.shelf)
    site.shelf.back(at="now", failed="it crashed")
    with pytest.raises(UpdateRefusedError, match="has failed here: it crashed"):
        installed(file, site.shelf)


def test_models_are_tried_in_a_process_of_their_own(tmp_path: Path) -> None:
    render_golden(tmp_path / "golden")
    trial = model_install.tried(MODELS_DIR, tmp_path / "golden", ReaderSettings())
    assert trial.wrong == ()
    assert trial.pictures == 9
    with pytest.raises(UpdateRefusedError, match=r"models\.toml is missing"):
        model_install.tried(tmp_path, tmp_path / "golden", ReaderSettings())
    with pytest.raises(UpdateRefusedError, match="'abacus' is not available"):
        model_install.tried(MODELS_DIR, tmp_path / "golden", ReaderSettings(providers=("abacus",)))


def test_a_trial_that_crashes_or_hangs_is_a_refusal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for command, words in (("import os; os.abort()", "status -6"), ("import time; time.sleep(60)", "did not finish")):
        monkeypatch.setattr(model_install, "TRIAL_LIMIT_S", 1.0)
        program = tmp_path / "python"
        program.write_text(f'#!/bin/sh\nexec {shutil.which("python3")} -c "{command}"\n')
        program.chmod(0o755)
        monkeypatch.setattr(model_install.sys, "executable", str(program))
        with pytest.raises(UpdateRefusedError, match=words):
            model_install.tried(tmp_path, tmp_path, ReaderSettings())


# ---------------------------------------------------------------------------------------------------- a running gateway


async def test_a_switch_is_taken_over_while_the_gateway_runs(site: Site) -> None:
    await site.updates.begin()
    site.put("v2")
    await site.look()
    assert site.loaded == [SHIPPED, "v2"]
    assert site.updates.version == "v2"
    assert await site.reader.read(PICTURE) == "reading"
    site.shelf.back(at="now")
    await site.look()
    assert site.loaded == [SHIPPED, "v2", SHIPPED]
    assert site.told() == []


async def test_models_that_do_not_load_are_given_up_at_once_and_told_once(site: Site) -> None:
    await site.updates.begin()
    site.bad = {"v2"}
    site.put("v2")
    for _ in range(3):
        await site.look()
    assert site.updates.version == SHIPPED
    assert site.shelf.read().failed == {"v2": "v2 does not load"}
    assert site.told() == ["update_rolled_back"]
    assert site.journal.events[0].device == "models"
    site.put("v3")
    await site.look()
    assert site.told() == ["update_rolled_back", "back"]
    assert isinstance(site.journal.events[1], DeviceBack)


async def test_a_gateway_starts_with_the_version_before_when_the_one_in_use_is_broken(site: Site) -> None:
    site.put("v1")
    site.put("v2")
    site.bad = {"v2"}
    await site.updates.begin()
    assert site.updates.version == "v1"
    assert site.loaded == ["v1"]
    assert site.told() == ["update_rolled_back"]


async def test_shipped_models_that_do_not_load_stop_the_start(site: Site) -> None:
    site.bad = {SHIPPED}
    with pytest.raises(ConfigurationError, match="does not load"):
        await site.updates.begin()


@pytest.mark.parametrize(
    "errors",
    [
        [ReaderFailedError("our bug")] * 3,
        [ReaderLostError("reader_died", "ended by SIGSEGV")] * 2,
    ],
)
async def test_models_that_fail_in_their_first_minutes_are_given_up(site: Site, errors: list[Exception]) -> None:
    await site.updates.begin()
    site.put("v1")
    await site.look()
    site.put("v2")
    await site.look()
    await site.fail(*errors)
    await site.look()
    await site.look()
    assert site.updates.version == "v1"
    assert "v2" in site.shelf.read().failed
    assert site.told() == ["update_rolled_back"]
    assert await site.reader.read(PICTURE) == "reading"


async def test_models_that_have_proved_themselves_are_not_blamed_for_a_later_crash(site: Site) -> None:
    await site.updates.begin()
    site.put("v2")
    await site.look()
    await site.clock.sleep(PROBATION_S + 1)
    await site.look()
    await site.fail(*[ReaderFailedError("our bug")] * 5)
    await site.look()
    assert site.updates.version == "v2"


async def test_the_shipped_models_are_never_given_up(site: Site) -> None:
    await site.updates.begin()
    await site.fail(*[ReaderFailedError("our bug")] * 5)
    await site.look()
    assert site.updates.version == SHIPPED
    assert site.told() == []


async def test_a_pointer_that_cannot_be_read_changes_nothing(site: Site, tmp_path: Path) -> None:
    await site.updates.begin()
    site.put("v2")
    await site.look()
    (tmp_path / "models" / "current.json").write_text("{")
    await site.look()
    assert site.updates.version == "v2"


# ------------------------------------------------------------------------------------------------ the folder of updates


async def settle(site: Site) -> None:
    for _ in range(3):
        await site.look()
        await site.clock.sleep(SETTLED_S)


async def test_an_update_in_the_folder_is_installed_and_used(site: Site, tmp_path: Path, no_trial: list[Trial]) -> None:
    await site.updates.begin()
    site.inbox.mkdir()
    update(tmp_path / "made", "v2").rename(site.inbox / "v2.islandmodels")
    await site.look()
    assert site.updates.version == SHIPPED
    await settle(site)
    assert site.updates.version == "v2"
    assert list(site.inbox.iterdir()) == []
    assert site.told() == []


async def test_a_file_that_still_grows_is_left_alone(site: Site, tmp_path: Path, no_trial: list[Trial]) -> None:
    await site.updates.begin()
    site.inbox.mkdir()
    data = update(tmp_path / "made", "v2").read_bytes()
    for end in (100, 200, 300):
        (site.inbox / "v2.islandmodels").write_bytes(data[:end])
        await site.look()
        await site.clock.sleep(SETTLED_S)
    assert site.told() == []
    (site.inbox / "v2.islandmodels").write_bytes(data)
    await settle(site)
    assert site.updates.version == "v2"


async def test_a_refused_update_is_set_aside_with_its_reason_and_told_once(
    site: Site, tmp_path: Path, no_trial: list[Trial]
) -> None:
    await site.updates.begin()
    site.inbox.mkdir()
    for name in ("a", "b"):
        update(tmp_path / name, "v2", key=KeyPair.generate()).rename(site.inbox / f"{name}.islandmodels")
    await settle(site)
    assert sorted(path.name for path in site.inbox.iterdir()) == [
        "a.islandmodels.refused",
        "a.islandmodels.refused.txt",
        "b.islandmodels.refused",
        "b.islandmodels.refused.txt",
    ]
    assert "signature does not hold" in (site.inbox / "a.islandmodels.refused.txt").read_text()
    assert site.told() == ["update_refused"]
    assert site.updates.version == SHIPPED


async def test_without_a_key_nothing_is_touched(tmp_path: Path) -> None:
    site = Site(tmp_path, terms=None)
    await site.updates.begin()
    site.inbox.mkdir()
    update(tmp_path / "made", "v2").rename(site.inbox / "v2.islandmodels")
    await settle(site)
    assert [path.name for path in site.inbox.iterdir()] == ["v2.islandmodels"]
    assert site.updates.version == SHIPPED


async def test_the_service_does_all_of_it_by_itself(site: Site, tmp_path: Path, no_trial: list[Trial]) -> None:
    await site.updates.begin()
    site.inbox.mkdir()
    update(tmp_path / "made", "v2").rename(site.inbox / "v2.islandmodels")
    running = asyncio.create_task(site.updates.run())
    async with asyncio.timeout(60):
        while site.updates.version != "v2":
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert model_updates.LOOK_S <= SETTLED_S
