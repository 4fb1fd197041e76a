"""One exchange with the server: owns what counts as the network, what as a refusal, and what as an answer of ours.

A transport moves bytes and raises `Offline`. An answer that is not the island's own (a hotel's sign-in page, a proxy's
error) counts as the network too: it teaches the clock nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mobile.core.errors import ApiProblem, BadAnswer, Offline

JSON, PROBLEM = "application/json", "application/problem+json"


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out. `target` is path and query below the server's address."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport(Protocol):
    """Moves one request and its answer. Raises Offline, and nothing else, when that fails."""

    async def send(self, request: Request) -> Response:
        """The answer, whatever its status."""
        ...

    async def close(self) -> None:
        """Lets go of all connections."""
        ...


class Listens(Protocol):
    """Who wants to know how exchanges went: the clock and the network watch."""

    def heard(self, date_header: str, sent_s: float, received_s: float) -> None:
        """The island answered; its clock says `date_header`, between these monotonic moments."""
        ...

    def lost(self) -> None:
        """It did not."""
        ...


class Wire:
    """Sends requests and tells its listeners how that went."""

    def __init__(self, transport: Transport, mono: Callable[[], float], listeners: tuple[Listens, ...] = ()) -> None:
        self._transport = transport
        self._mono = mono
        self._listeners = listeners

    async def exchange(self, request: Request, media_type: str = JSON) -> Response:
        """The island's answer, of this type where it has a body. Raises ApiProblem or Offline."""
        sent_s = self._mono()
        try:
            response = _ours(await self._transport.send(request), media_type)
        except Offline:
            for one in self._listeners:
                one.lost()
            raise
        for one in self._listeners:
            one.heard(response.headers.get("date", ""), sent_s, self._mono())
        if response.status >= 400:
            raise problem_of(response)
        return response

    async def close(self) -> None:
        """Closes the transport."""
        await self._transport.close()


def _ours(response: Response, media_type: str) -> Response:
    """Raises Offline when this answer cannot come from the island's API."""
    if response.status >= 400:
        is_ours = response.media_type == PROBLEM
    else:
        is_ours = response.status == 204 or (200 <= response.status < 300 and response.media_type == media_type)
    if not is_ours:
        raise Offline(f"somebody else answered: status {response.status}, {response.media_type or 'no type'}")
    return response


def problem_of(response: Response) -> ApiProblem:
    """RFC 9457 JSON as an error. The island adds `code`, `title_zh` and, where it knows, Retry-After."""
    said = body_of(response)
    if not isinstance(said, dict) or not isinstance(said.get("code"), str):
        return BadAnswer("bad_answer", status=response.status, detail="a problem without its code")
    known = {"type", "code", "title", "title_zh", "status", "detail", "instance"}
    return ApiProblem(
        said["code"],
        zh=str(said.get("title_zh", "")),
        en=str(said.get("title", "")),
        status=response.status,
        retry_after_s=_seconds(response.headers.get("retry-after", "")),
        detail=str(said.get("detail", "")),
        more={name: value for name, value in said.items() if name not in known},
    )


def body_of(response: Response) -> Any:
    """The JSON of an answer; None without one. Raises BadAnswer."""
    if response.status == 204:
        return None
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise BadAnswer("bad_answer", status=response.status, detail="not JSON") from error


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
