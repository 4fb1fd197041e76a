"""Evidence goes up until the cloud has it; answers of every sort, from a server that counts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from control.domain.events import MediaStored
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.media_upload import MediaSettings, MediaUpload
from edge.adapters.sqlite_journal import SqliteJournal

SETTINGS = MediaSettings("http://cloud.test/", "a token", retry_base_s=0.0, retry_cap_s=0.0)


class StillClock:
    """Stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


class Cloud:
    """Answers with the given statuses in turn, then 201; 0 is a connection that fails."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.taken: dict[str, bytes] = {}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status = self.statuses.pop(0) if self.statuses else 201
        if status == 0:
            raise httpx.ConnectError("no route")
        if status in (200, 201):
            self.taken[request.url.path.rsplit("/", 1)[1]] = request.content
        return httpx.Response(status)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal.open(
        tmp_path / "j.db", gateway_id="gw", boot_id="b", clock=StillClock(), settings=JournalSettings(ballast_bytes=0)
    )
    async with opened as made:
        yield made


@asynccontextmanager
async def uploading(cloud: Cloud, journal: SqliteJournal, folder: Path) -> AsyncIterator[None]:
    client = httpx.AsyncClient(transport=httpx.MockTransport(cloud))
    upload = MediaUpload(settings=SETTINGS, journal=journal, path_of=folder.joinpath, random=lambda: 0.5, client=client)
    task = asyncio.create_task(upload.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def stored(journal: SqliteJournal, folder: Path, *contents: bytes) -> list[str]:
    names = []
    for content in contents:
        names.append(hashlib.sha256(content).hexdigest())
        await asyncio.to_thread((folder / names[-1]).write_bytes, content)
        await journal.append(MediaStored(names[-1], "image/jpeg", len(content), "a", "frame", ""))
    return names


async def emptied(journal: SqliteJournal) -> None:
    async with asyncio.timeout(60):
        while await journal.media_waiting():
            await asyncio.sleep(0.005)


async def test_every_file_goes_up_with_the_token(journal: SqliteJournal, tmp_path: Path) -> None:
    cloud = Cloud()
    async with uploading(cloud, journal, tmp_path):
        names = await stored(journal, tmp_path, *(bytes([number]) * 50 for number in range(9)))
        await emptied(journal)
    assert cloud.taken == {name: (tmp_path / name).read_bytes() for name in names}
    first = cloud.requests[0]
    assert first.headers["Authorization"] == "Bearer a token"
    assert first.headers["Content-Type"] == "image/jpeg"
    assert first.url.path.startswith("/api/v1/media/")


@pytest.mark.parametrize("status", [0, 401, 403, 404, 408, 429, 500, 503, 507])
async def test_trouble_is_tried_again_until_it_works(journal: SqliteJournal, tmp_path: Path, status: int) -> None:
    cloud = Cloud(status, status, status)
    [name] = await stored(journal, tmp_path, b"picture")
    async with uploading(cloud, journal, tmp_path):
        await emptied(journal)
    assert cloud.taken == {name: b"picture"}
    assert len(cloud.requests) == 4


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_refused_for_good_is_not_tried_again(journal: SqliteJournal, tmp_path: Path, status: int) -> None:
    cloud = Cloud(status)
    await stored(journal, tmp_path, b"picture")
    async with uploading(cloud, journal, tmp_path):
        await emptied(journal)
    assert len(cloud.requests) == 1
    assert cloud.taken == {}


async def test_missing_file_does_not_block_the_others(journal: SqliteJournal, tmp_path: Path) -> None:
    cloud = Cloud()
    gone, kept = await stored(journal, tmp_path, b"gone", b"kept")
    (tmp_path / gone).unlink()
    async with uploading(cloud, journal, tmp_path):
        await emptied(journal)
    assert list(cloud.taken) == [kept]
