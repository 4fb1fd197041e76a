"""Signed calls: owns how a call becomes a request, who signs it, and that stale tokens are renewed in one flight.

A call belongs to the sign-in that it began under: when somebody else has signed in meanwhile, it fails with `SignedOut`
and is never sent as somebody else. Nothing is tried again here, except once after a renewal.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypedDict, TypeVar, Unpack, overload
from urllib.parse import quote, urlencode

from mobile.core.api.parsing import Unreadable, parse, plain
from mobile.core.api.wire import JSON, Request, Wire, body_of
from mobile.core.errors import ApiProblem, BadAnswer, SignedOut

T = TypeVar("T")
PREFIX = "/api/v1"
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What the server gives for a sign-in. The refresh token works once."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    refresh_until: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The tokens of one sign-in on this phone; `number` tells sign-ins apart."""

    number: int
    pair: TokenPair


class Tokens(Protocol):
    """Where tokens are kept."""

    @property
    def held(self) -> Held | None:
        """Those of the present sign-in."""
        ...

    def renewed(self, number: int, pair: TokenPair) -> None:
        """Keeps the next pair of a sign-in, durably."""
        ...

    def ended(self, number: int, code: str) -> None:
        """The server ended this sign-in; `code` says why."""
        ...


class Given(TypedDict, total=False):
    """What a call may be given beside its route. `path` fills the template, `key` makes a repeated POST the same."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    key: str
    is_signed: bool
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a route. `answer` is what comes back: a type, `bytes`, or None."""

    method: str
    template: str
    answer: Any
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    key: str | None = None
    is_signed: bool = True
    media_type: str = JSON

    def request(self, access_token: str | None) -> Request:
        """As it goes out."""
        filled = {name: quote(value, safe="") for name, value in self.path.items()}
        query = urlencode(_query(self.query), doseq=True)
        headers = {"Accept": self.media_type}
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        content = self.body
        if content is not None and not isinstance(content, bytes):
            content = json.dumps(plain(content), ensure_ascii=False, separators=(",", ":")).encode()
            headers["Content-Type"] = JSON
        target = PREFIX + self.template.format(**filled) + (f"?{query}" if query else "")
        is_long = isinstance(self.body, bytes) or self.answer is bytes
        return Request(self.method, target, headers, content, is_long=is_long)


def _query(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was left open."""
    said = {name: plain(value) for name, value in given.items() if value is not None and value != "" and value != ()}
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in said.items()}


class Caller:
    """Makes calls for the present sign-in."""

    def __init__(self, wire: Wire, tokens: Tokens) -> None:
        self._wire = wire
        self._tokens = tokens
        self._flights: dict[int, asyncio.Task[Held]] = {}  # by the number of the sign-in

    @overload
    async def call(self, method: str, template: str, **given: Unpack[Given]) -> None: ...

    @overload
    async def call(self, method: str, template: str, *, answer: type[T], **given: Unpack[Given]) -> T: ...

    async def call(self, method: str, template: str, *, answer: Any = None, **given: Unpack[Given]) -> Any:
        """The answer, read as `answer`. Raises ApiProblem (SignedOut, BadAnswer among them) or Offline."""
        call = Call(method=method, template=template, answer=answer, **given)
        return await (self._signed(call) if call.is_signed else self._sent(call, None))

    async def _signed(self, call: Call) -> Any:
        held = self._tokens.held
        if held is None:
            raise _signed_out()
        try:
            return await self._sent(call, held.pair.access_token)
        except ApiProblem as problem:
            if problem.code != "not_signed_in":
                raise
        held = await self._renewed(held)
        try:
            return await self._sent(call, held.pair.access_token)
        except ApiProblem as problem:
            if problem.code != "not_signed_in":
                raise
            raise _signed_out() from problem

    async def _sent(self, call: Call, access_token: str | None) -> Any:
        response = await self._wire.exchange(call.request(access_token), call.media_type)
        if call.answer is bytes:
            return response.content
        if call.answer is None:
            return None
        try:
            return parse(call.answer, body_of(response))
        except Unreadable as error:
            raise BadAnswer("bad_answer", status=response.status, detail=f"{call.template}: {error}") from error

    async def _renewed(self, stale: Held) -> Held:
        """The sign-in's next pair. Whoever asks meanwhile waits for the same flight; leaving a screen cuts none off."""
        now = self._tokens.held
        if now is None or now.number != stale.number:
            raise _signed_out()
        if now.pair.access_token != stale.pair.access_token:
            return now
        flight = self._flights.get(stale.number)
        if flight is None:
            flight = asyncio.create_task(self._renew(stale), name="token renewal")
            self._flights[stale.number] = flight
            flight.add_done_callback(lambda landed: self._landed(stale.number, landed))
        return await asyncio.shield(flight)

    def _landed(self, number: int, flight: asyncio.Task[Held]) -> None:
        del self._flights[number]
        if not flight.cancelled():
            flight.exception()  # whoever still waits gets it; nobody else has to

    async def _renew(self, stale: Held) -> Held:
        try:
            pair = await self.call(
                "POST",
                "/auth/refresh",
                body={"refresh_token": stale.pair.refresh_token},
                answer=TokenPair,
                is_signed=False,
            )
        except ApiProblem as problem:
            if problem.status != 401:
                raise
            self._tokens.ended(stale.number, problem.code)
            raise SignedOut(problem.code, zh=problem.zh, en=problem.en, status=401) from problem
        self._tokens.renewed(stale.number, pair)
        return Held(stale.number, pair)

    async def close(self) -> None:
        """Ends with the app."""
        if self._flights:
            await asyncio.wait(self._flights.values())
        await self._wire.close()


def _signed_out() -> SignedOut:
    return SignedOut("not_signed_in", zh="先登录。", en="Sign in first.", status=401)
