"""Model updates over HTTP: owns asking an address for a newer file, fetching it in pieces, and going on after a break.

The address is any web server's, the cloud's own among them. Nothing that comes from it is believed: the file lands in
the folder of updates, where its signature decides. It has its final name only when it is whole.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog

from control.domain.errors import DeviceError
from edge.ports import Clock
from edge.retrying import Backoff
from vision.bundle import SUFFIX, TOTAL_BYTES_MAX

log = structlog.get_logger(__name__)

TIMEOUT_S = 30.0
RETRY_CAP_S = 300.0
# The archive's own lists come on top of what it holds.
FILE_BYTES_MAX = TOTAL_BYTES_MAX + 1024 * 1024
FETCHED = "fetched"


class FetchError(DeviceError):
    """The server is silent, refuses, or sends what cannot be an update."""


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Where updates are looked for, and how often. `token` is sent where there is one."""

    url: str
    period_s: float
    token: str = ""


class UpdateFetch:
    """One per gateway. `run` looks at the address for ever."""

    def __init__(
        self,
        settings: FetchSettings,
        *,
        inbox: Path,
        clock: Clock,
        chance: random.Random,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._settings, self._inbox, self._clock = settings, inbox, clock
        self._backoff = Backoff(chance, base_s=5.0, cap_s=RETRY_CAP_S)
        self._client = client
        self._told = False

    async def run(self) -> None:
        """Look, fetch what is new, wait."""
        async with self._client or httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True) as client:
            while True:
                await self._clock.sleep(await self._turn(client))

    async def _turn(self, client: httpx.AsyncClient) -> float:
        """Seconds until the next look."""
        try:
            fresh = await self.fetch(client)
        except (FetchError, httpx.HTTPError, OSError) as error:
            level = log.debug if self._told else log.warning
            level("model updates cannot be fetched", url=self._settings.url, why=str(error) or type(error).__name__)
            self._told = True
            return self._backoff.next_s()
        if fresh is not None:
            log.info("model update fetched", file=fresh.name)
        self._told = False
        self._backoff.succeeded()
        return self._settings.period_s

    async def fetch(self, client: httpx.AsyncClient) -> Path | None:
        """The new update in the inbox, or None where there is none; raises FetchError, HTTPError or OSError.

        What had come before a break is kept, and the server is asked for the rest (RFC 9110, Range and If-Range).
        """
        await asyncio.to_thread(self._inbox.mkdir, parents=True, exist_ok=True)
        part, tag_of_part = self._inbox / "part", self._tag("part")
        have = part.stat().st_size if tag_of_part and part.exists() else 0
        async with client.stream("GET", self._settings.url, headers=self._headers(have, tag_of_part)) as response:
            match response.status_code:
                case 304 | 404:
                    return None
                case 200 | 206:
                    tag = _tag_of(response)
                    await self._take(response, part, tag, have=_kept(response, have))
                case 416:
                    await asyncio.to_thread(part.unlink, missing_ok=True)
                    raise FetchError("the server has another file than the one that was begun")
                case status:
                    raise FetchError(f"HTTP {status}")
        return await asyncio.to_thread(self._arrived, part, tag)

    def _headers(self, have: int, tag_of_part: str) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self._settings.token:
            headers["Authorization"] = f"Bearer {self._settings.token}"
        if tag := self._tag(FETCHED):
            headers["If-None-Match"] = tag
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": tag_of_part}
        return headers

    async def _take(self, response: httpx.Response, part: Path, tag: str, *, have: int) -> None:
        size = have + int(response.headers.get("Content-Length", "0"))
        if size > FILE_BYTES_MAX:
            raise FetchError(f"the file has {size} bytes; an update has {FILE_BYTES_MAX} at most")
        await asyncio.to_thread(self._note, "part", tag)
        with part.open("ab" if have else "wb") as file:
            async for piece in response.aiter_raw():
                have += len(piece)
                if have > FILE_BYTES_MAX:
                    raise FetchError(f"the file has more than {FILE_BYTES_MAX} bytes")
                file.write(piece)
        if have < size:
            raise FetchError(f"the line broke after {have} of {size} bytes")

    def _arrived(self, part: Path, tag: str) -> Path:
        self._note(FETCHED, tag)
        whole = self._inbox / f"fetched{SUFFIX}"
        part.replace(whole)
        return whole

    def _tag(self, of: str) -> str:
        """The server's name for the file that was begun, or for the last one that was fetched from this address."""
        try:
            noted = json.loads(self._notes(of).read_text(encoding="utf-8"))
            return str(noted["tag"]) if noted["url"] == self._settings.url else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _note(self, of: str, tag: str) -> None:
        self._notes(of).write_text(json.dumps({"url": self._settings.url, "tag": tag}), encoding="utf-8")

    def _notes(self, of: str) -> Path:
        return self._inbox / f".{of}.json"


def _tag_of(response: httpx.Response) -> str:
    """The server's name for this version of the file (RFC 9110, ETag)."""
    tag: str = response.headers.get("ETag", "")
    if not tag:
        raise FetchError("the server gives no ETag, so that nobody can tell a new file from an old one")
    return tag


def _kept(response: httpx.Response, have: int) -> int:
    """How many bytes of what had come before belong to this answer."""
    if response.status_code == 200:
        return 0
    if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise FetchError("the server goes on at another place than was asked for")
    return have
