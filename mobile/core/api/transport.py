"""HTTP by httpx: owns connections, time limits, and that every failure of the network is one `Offline`."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from mobile.core.api.late import Limits
from mobile.core.api.wire import Request, Response
from mobile.core.errors import Offline

# Servers close idle connections after 5 s and later. Ending them here first, nothing is sent into a closing one.
IDLE_S = 2.5


class HttpTransport:
    """One pool of connections to one server. Neither redirects nor proxies of the environment are followed."""

    def __init__(self, base_url: str, limits: Limits) -> None:
        self._limits = limits
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(limits.answer_s, connect=limits.connect_s),
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=limits.connections,
                keepalive_expiry=IDLE_S,
            ),
            trust_env=False,
            # Without TLS there is nothing to verify, and the list of certificates takes long to load.
            verify=base_url.startswith("https:"),
        )

    async def send(self, request: Request) -> Response:
        """The answer. Raises Offline, also when the whole of it takes too long."""
        total_s = self._limits.long_s if request.is_long else self._limits.connect_s + self._limits.answer_s
        more: dict[str, Any] = {"timeout": httpx.Timeout(self._limits.long_s)} if request.is_long else {}
        try:
            async with asyncio.timeout(total_s):
                answer = await self._http.request(
                    request.method, request.target, headers=dict(request.headers), content=request.content, **more
                )
        except TimeoutError as error:
            raise Offline("no answer in time") from error
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError, OSError) as error:
            raise Offline(f"{type(error).__name__}: {error}") from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()
