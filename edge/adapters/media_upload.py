"""Evidence pictures to the cloud: owns the PUT by content hash and its retries.

A file leaves the journal's outbox when the cloud answered 200 or 201, or refused it for good; until then
the gateway keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import httpx
import structlog

from cloud_sync.uplink.backoff import full_jitter_s
from edge.journal import JournalError, PendingMedia, UplinkJournal

log = structlog.get_logger(__name__)

AT_ONCE = 4
IDLE_LOOK_S = 5.0
# The cloud will never take these bytes, whoever sends them and whenever.
REFUSED_FOR_GOOD = frozenset({400, 409, 410, 413, 415, 422})


class Answer(Enum):
    """What became of one file."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Where pictures go. `token` is the gateway's bearer token."""

    api_url: str
    token: str = field(repr=False)
    timeout_s: float = 20.0
    retry_base_s: float = 0.5
    retry_cap_s: float = 60.0


class MediaUpload:
    """Sends what lies in the outbox for as long as `run` runs. `path_of` finds a file by its hash."""

    def __init__(
        self,
        *,
        settings: MediaSettings,
        journal: UplinkJournal,
        path_of: Callable[[str], Path],
        random: Callable[[], float],
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._settings, self._journal, self._path_of, self._random = settings, journal, path_of, random
        self._client = client
        self._wake = asyncio.Event()
        self._told_lost = False
        journal.on_commit(self._wake.set)

    async def run(self) -> None:
        """For ever: send what waits, then wait for more."""
        async with self._client or httpx.AsyncClient(timeout=self._settings.timeout_s) as client:
            attempt = 0
            while True:
                self._wake.clear()
                sent_all = await self._turn(client)
                attempt = 0 if sent_all else attempt + 1
                await self._pause(attempt)

    async def _turn(self, client: httpx.AsyncClient) -> bool:
        """Send one handful. False when the cloud could not be had, so that there is no hurry."""
        try:
            waiting = await self._journal.media_pending(AT_ONCE)
            answers = await asyncio.gather(*(self._send(client, media) for media in waiting))
        except JournalError as error:
            log.warning("media_turn_failed", error=str(error))
            return False
        if len(waiting) == AT_ONCE and Answer.LATER not in answers:
            self._wake.set()
        return Answer.LATER not in answers

    async def _pause(self, attempt: int) -> None:
        if attempt:
            base_s, cap_s = self._settings.retry_base_s, self._settings.retry_cap_s
            await asyncio.sleep(full_jitter_s(attempt - 1, base_s=base_s, cap_s=cap_s, random=self._random))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_LOOK_S):
                await self._wake.wait()

    async def _send(self, client: httpx.AsyncClient, media: PendingMedia) -> Answer:
        try:
            data = await asyncio.to_thread(self._path_of(media.sha256).read_bytes)
        except FileNotFoundError:
            log.warning("media_missing", sha256=media.sha256)
            data = None
        answer = Answer.REFUSED if data is None else await self._put(client, media, data)
        if answer is Answer.LATER:
            await self._journal.media_failed(media.sha256)
        else:
            await self._journal.media_done(media.sha256)
        return answer

    async def _put(self, client: httpx.AsyncClient, media: PendingMedia, data: bytes) -> Answer:
        url = f"{self._settings.api_url.rstrip('/')}/api/v1/media/{media.sha256}"
        headers = {"Authorization": f"Bearer {self._settings.token}", "Content-Type": media.media_type}
        try:
            response = await client.put(url, content=data, headers=headers)
        except httpx.HTTPError as error:
            self._tell_lost(str(error) or type(error).__name__)
            return Answer.LATER
        if response.status_code in (200, 201):
            self._told_lost = False
            return Answer.TAKEN
        if response.status_code in REFUSED_FOR_GOOD:
            log.error("media_refused", sha256=media.sha256, status=response.status_code)
            return Answer.REFUSED
        self._tell_lost(f"HTTP {response.status_code}")
        return Answer.LATER

    def _tell_lost(self, why: str) -> None:
        level = log.debug if self._told_lost else log.warning
        level("media_upload_waits", url=self._settings.api_url, error=why)
        self._told_lost = True
