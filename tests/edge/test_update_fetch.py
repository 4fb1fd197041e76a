"""Updates over HTTP: fetched once, gone on with after a break, never believed, never under their name before whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from edge.adapters import update_fetch
from edge.adapters.update_fetch import FetchError, FetchSettings, UpdateFetch
from edge.clock import SystemClock

URL = "https://cloud.test/gate.islandmodels"
DATA = bytes(range(256)) * 1000


class Breaking(httpx.AsyncByteStream):
    """Sends so many bytes and then loses the line."""

    def __init__(self, data: bytes, until: int | None) -> None:
        self._data, self._until = data, until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._data), 10_000):
            if self._until is not None and start >= self._until:
                raise httpx.ReadError("the line is gone")
            yield self._data[start : start + 10_000]


class Server:
    """One file with an ETag, which can go on in the middle."""

    def __init__(self) -> None:
        self.data, self.tag = DATA, '"one"'
        self.breaks: list[int] = []
        self.statuses: list[int] = []
        self.extra: dict[str, str] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.statuses:
            return httpx.Response(self.statuses.pop(0))
        if request.headers.get("If-None-Match") == self.tag:
            return httpx.Response(304)
        begin = 0
        if request.headers.get("If-Range") == self.tag:
            begin = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        rest = self.data[begin:]
        headers = {"ETag": self.tag, "Content-Length": str(len(rest))}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(self.data) - 1}/{len(self.data)}"
        stream = Breaking(rest, self.breaks.pop(0) if self.breaks else None)
        return httpx.Response(206 if begin else 200, headers=headers | self.extra, stream=stream)


@pytest.fixture
def server() -> Server:
    return Server()


def fetcher(tmp_path: Path, *, token: str = "", client: httpx.AsyncClient | None = None) -> UpdateFetch:
    settings = FetchSettings(URL, period_s=3600, token=token)
    return UpdateFetch(
        settings, inbox=tmp_path / "updates", clock=SystemClock(), chance=random.Random(1), client=client
    )


def client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(server))


def arrived(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "updates").glob("*.islandmodels")]


async def test_a_new_file_is_fetched_once(server: Server, tmp_path: Path) -> None:
    async with client(server) as http:
        found = await fetcher(tmp_path).fetch(http)
        assert found is not None
        assert found.read_bytes() == DATA
        found.unlink()
        assert await fetcher(tmp_path).fetch(http) is None
        assert arrived(tmp_path) == []
        server.tag, server.data = '"two"', b"newer"
        again = await fetcher(tmp_path).fetch(http)
        assert again is not None
        assert again.read_bytes() == b"newer"


async def test_a_broken_line_is_gone_on_with_also_after_a_restart(server: Server, tmp_path: Path) -> None:
    server.breaks = [90_000, 50_000]
    async with client(server) as http:
        for _ in range(2):
            with pytest.raises(httpx.ReadError):
                await fetcher(tmp_path).fetch(http)
            assert arrived(tmp_path) == []
        found = await fetcher(tmp_path).fetch(http)
    assert found is not None
    assert found.read_bytes() == DATA
    assert [request.headers.get("Range") for request in server.asked] == [None, "bytes=90000-", "bytes=140000-"]


async def test_a_file_that_changed_meanwhile_is_begun_anew(server: Server, tmp_path: Path) -> None:
    server.breaks = [90_000]
    async with client(server) as http:
        with pytest.raises(httpx.ReadError):
            await fetcher(tmp_path).fetch(http)
        server.tag, server.data = '"two"', DATA[::-1]
        found = await fetcher(tmp_path).fetch(http)
    assert found is not None
    assert found.read_bytes() == DATA[::-1]


async def test_the_token_is_sent_where_there_is_one(server: Server, tmp_path: Path) -> None:
    async with client(server) as http:
        await fetcher(tmp_path, token="secret").fetch(http)
        await fetcher(tmp_path).fetch(http)
    assert [request.headers.get("Authorization") for request in server.asked] == ["Bearer secret", None]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"ETag": ""}, "no ETag"),
        ({"Content-Length": str(2**40)}, "at most"),
        ({"Content-Length": str(len(DATA) + 1)}, "the line broke after"),
    ],
)
async def test_answers_of_no_use_are_said(server: Server, tmp_path: Path, extra: dict[str, str], words: str) -> None:
    server.extra = extra
    async with client(server) as http:
        with pytest.raises(FetchError, match=words):
            await fetcher(tmp_path).fetch(http)
    assert arrived(tmp_path) == []


async def test_a_file_without_end_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update_fetch, "FILE_BYTES_MAX", 50_000)
    server.extra = {"Content-Length": "0"}
    async with client(server) as http:
        with pytest.raises(FetchError, match="more than 50000 bytes"):
            await fetcher(tmp_path).fetch(http)


async def test_a_server_that_goes_on_elsewhere_is_not_believed(server: Server, tmp_path: Path) -> None:
    server.breaks = [90_000]
    async with client(server) as http:
        with pytest.raises(httpx.ReadError):
            await fetcher(tmp_path).fetch(http)
        server.extra = {"Content-Range": "bytes 5-9/10"}
        with pytest.raises(FetchError, match="another place"):
            await fetcher(tmp_path).fetch(http)
        server.extra, server.statuses = {}, [416]
        with pytest.raises(FetchError, match="another file"):
            await fetcher(tmp_path).fetch(http)
        assert await fetcher(tmp_path).fetch(http) is not None


async def test_no_file_there_is_no_error(server: Server, tmp_path: Path) -> None:
    server.statuses = [404]
    async with client(server) as http:
        assert await fetcher(tmp_path).fetch(http) is None


async def test_it_tries_again_soon_after_a_failure_and_rests_after_a_success(server: Server, tmp_path: Path) -> None:
    server.statuses = [500]
    async with client(server) as http:
        fetch = fetcher(tmp_path)
        assert await fetch._turn(http) <= 5.0
        assert await fetch._turn(http) == 3600


async def test_the_service_fetches_by_itself(server: Server, tmp_path: Path) -> None:
    running = asyncio.create_task(fetcher(tmp_path, client=client(server)).run())
    async with asyncio.timeout(60):
        while not arrived(tmp_path):
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
