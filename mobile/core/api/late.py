"""The transport of the app: owns that nothing of HTTP is loaded before the first request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from mobile.core.api.wire import Request, Response, Transport


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait. `long_s` is for papers and pictures."""

    connect_s: float = 8.0
    answer_s: float = 15.0
    long_s: float = 90.0
    connections: int = 4


class LateTransport:
    """Opens HTTP with the first request, in a thread: httpx and the certificates take a good part of a second."""

    def __init__(self, base_url: str, limits: Limits) -> None:
        self._base_url = base_url
        self._limits = limits
        self._opened: Transport | None = None
        self._opening = asyncio.Lock()

    async def send(self, request: Request) -> Response:
        """The answer. Raises Offline."""
        return await (await self._transport()).send(request)

    async def _transport(self) -> Transport:
        if self._opened is None:
            async with self._opening:
                if self._opened is None:
                    self._opened = await asyncio.to_thread(_open, self._base_url, self._limits)
        return self._opened

    async def close(self) -> None:
        """Closes what was opened."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()


def _open(base_url: str, limits: Limits) -> Transport:
    # Imported here and not above: the first frame must not wait for it.
    from mobile.core.api.transport import HttpTransport

    return HttpTransport(base_url, limits)
