"""What counts as the network, what as a refusal, and how strictly answers are read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile.core.api.calling import Held, TokenPair
from mobile.core.api.island import Api
from mobile.core.api.late import LateTransport, Limits
from mobile.core.api.parsing import Unreadable, parse, plain
from mobile.core.api.public import PublicNow
from mobile.core.api.wire import Request, Response, Wire
from mobile.core.errors import ApiProblem, BadAnswer, Offline, SignedOut

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
NOW = {"state": "live", "at": None, "grid_g_per_kwh": "540.2", "carbon_g_per_kwh": 120, "own_frac": 0.7, "kw": {}}
PROBLEM = {"code": "too_many_requests", "title": "Wait.", "title_zh": "稍等。", "detail": "d", "fields": [1]}


class Heard:
    """Notes how exchanges went."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def heard(self, date_header: str, sent_s: float, received_s: float) -> None:
        self.notes.append(f"heard {date_header}".strip())

    def lost(self) -> None:
        self.notes.append("lost")


class Told:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


class Keys:
    """Tokens in memory."""

    def __init__(self, access: str | None = "a1") -> None:
        self.held = None if access is None else Held(1, pair(access))
        self.end = ""

    def renewed(self, number: int, new: TokenPair) -> None:
        self.held = Held(number, new)

    def ended(self, number: int, code: str) -> None:
        self.held, self.end = None, code


def pair(access: str) -> TokenPair:
    return TokenPair(access, f"refresh-{access}", 900, AT)


def answer(body: Any, status: int = 200, media_type: str = "application/json", **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {"content-type": f"{media_type}; charset=utf-8", **headers}, content)


def problem(code: str, status: int) -> Response:
    return answer({"code": code, "title": "No", "title_zh": "不"}, status, "application/problem+json")


def made(transport: Told, keys: Keys | None = None) -> tuple[Api, Heard]:
    heard = Heard()
    return Api(Wire(transport, lambda: 0.0, (heard,)), keys or Keys()), heard


async def test_an_answer_is_read_and_new_fields_are_passed_over() -> None:
    api, heard = made(Told(answer(NOW | {"new": [1]}, date="Sat, 21 Nov 2026 02:42:31 GMT")))
    assert await api.public.now() == PublicNow("live", None, Decimal("540.2"), 120.0, 0.7, {})
    assert heard.notes == ["heard Sat, 21 Nov 2026 02:42:31 GMT"]


@pytest.mark.parametrize(
    "wrong", [{"state": 1}, {"at": "yesterday"}, {"at": "2026-11-21T02:42:31"}, {"kw": []}, {"own_frac": True}, None]
)
async def test_an_answer_that_is_not_understood_says_where(wrong: dict[str, Any] | None) -> None:
    body = NOW | wrong if wrong else {"state": "live"}
    api, _ = made(Told(answer(body)))
    with pytest.raises(BadAnswer, match="/public/now: answer"):
        await api.public.now()


async def test_a_refusal_brings_the_servers_sentences() -> None:
    said = answer(PROBLEM, 429, "application/problem+json", **{"retry-after": "17"})
    api, heard = made(Told(said))
    with pytest.raises(ApiProblem) as refused:
        await api.public.now()
    found = refused.value
    assert (found.code, found.sentence("zh"), found.sentence("en")) == ("too_many_requests", "稍等。", "Wait.")
    assert (found.status, found.retry_after_s, found.more, found.may_pass) == (429, 17.0, {"fields": [1]}, True)
    assert heard.notes == ["heard"]


@pytest.mark.parametrize(
    "foreign",
    [
        answer(b"<html>Welcome to the hotel", media_type="text/html"),
        answer(b"", 302, "text/html", location="https://hotel.test"),
        answer(b"Bad Gateway", 502, "text/html"),
        answer({"error": "not ours"}, 500),
        answer(b"%PDF", media_type="application/pdf"),
        Offline("cut"),
    ],
    ids=["portal", "redirect", "proxy", "other json", "other type", "cut"],
)
async def test_what_is_not_the_islands_is_the_network(foreign: Response | Exception) -> None:
    api, heard = made(Told(foreign))
    with pytest.raises(Offline):
        await api.public.now()
    assert heard.notes == ["lost"]


@pytest.mark.parametrize("body", [b"{half", b"[1]", b'{"title": "no code"}'])
async def test_a_broken_problem_is_a_bad_answer(body: bytes) -> None:
    api, _ = made(Told(answer(body, 400, "application/problem+json")))
    with pytest.raises(BadAnswer):
        await api.public.now()


async def test_what_goes_out() -> None:
    done = {"scan_id": "1", "state": "held", "points": 1, "grams": 2, "key": "", "reason": ""}
    transport = Told(answer(done | {"sentence_zh": "", "sentence_en": ""}), answer({"items": [], "next_cursor": None}))
    api, _ = made(transport)
    await api.points.scan("CODE", AT, key="k1")
    await api.permits.visits(plate="琼A1", from_at=AT, open_only=True)
    scan, visits = transport.asked
    assert (scan.method, scan.target, scan.headers["Idempotency-Key"]) == ("POST", "/api/v1/points/scans", "k1")
    assert scan.headers["Authorization"] == "Bearer a1"
    assert json.loads(scan.content or b"") == {"text": "CODE", "scanned_at": AT.isoformat(), "direction": None}
    assert visits.target == (
        "/api/v1/visits?plate=%E7%90%BCA1&open_only=true&from=2026-11-21T02%3A42%3A31%2B00%3A00&limit=50"
    )


async def test_names_in_a_path_are_only_names() -> None:
    transport = Told(answer(b"%PDF", media_type="application/pdf"))
    api, _ = made(transport)
    assert await api.carbon.paper_file("../me?x=1") == b"%PDF"
    assert transport.asked[0].target == "/api/v1/papers/..%2Fme%3Fx%3D1/file"
    assert transport.asked[0].is_long


async def test_without_a_sign_in_nothing_is_asked() -> None:
    transport = Told()
    api, _ = made(transport, Keys(None))
    with pytest.raises(SignedOut):
        await api.points.me()
    assert transport.asked == []


async def test_a_stale_token_is_renewed_once() -> None:
    renewed = plain(pair("a2"))
    keys = Keys()
    transport = Told(problem("not_signed_in", 401), answer(renewed), answer({"month_points": 1}, 204))
    api, _ = made(transport, keys)
    await api.points.drop_goal()
    assert [one.target for one in transport.asked] == [
        "/api/v1/points/goal",
        "/api/v1/auth/refresh",
        "/api/v1/points/goal",
    ]
    assert transport.asked[2].headers["Authorization"] == "Bearer a2"
    assert keys.held == Held(1, pair("a2"))


async def test_a_token_that_is_refused_again_is_not_renewed_for_ever() -> None:
    transport = Told(problem("not_signed_in", 401), answer(plain(pair("a2"))), problem("not_signed_in", 401))
    api, _ = made(transport)
    with pytest.raises(SignedOut, match="not_signed_in"):
        await api.points.drop_goal()


async def test_an_ended_sign_in_is_told() -> None:
    keys = Keys()
    api, _ = made(Told(problem("not_signed_in", 401), problem("token_reused", 401)), keys)
    with pytest.raises(SignedOut, match="token_reused"):
        await api.points.drop_goal()
    assert (keys.held, keys.end) == (None, "token_reused")


@pytest.mark.parametrize("trouble", [Offline("cut"), problem("database_away", 503)])
async def test_a_renewal_that_fails_by_the_way_ends_nothing(trouble: Response | Exception) -> None:
    keys = Keys()
    api, _ = made(Told(problem("not_signed_in", 401), trouble), keys)
    with pytest.raises((Offline, ApiProblem)):
        await api.points.drop_goal()
    assert keys.held is not None


async def test_leaving_a_screen_does_not_cut_a_renewal_off() -> None:
    keys, gate = Keys(), asyncio.Event()
    transport = Told(problem("not_signed_in", 401), answer(plain(pair("a2"))))
    send = transport.send

    async def slow(request: Request) -> Response:
        if request.target.endswith("refresh"):
            await gate.wait()
        return await send(request)

    transport.send = slow  # type: ignore[method-assign]
    api, _ = made(transport, keys)
    call = asyncio.create_task(api.points.drop_goal())
    while not transport.asked:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    gate.set()
    await api.close()
    assert keys.held == Held(1, pair("a2"))


# ---------------------------------------------------------------- real connections


@asynccontextmanager
async def serving(answering: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[str]:
    server = await asyncio.start_server(answering, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_every_failure_of_a_connection_is_offline() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()
        await writer.wait_closed()

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    for answering in (hang_up, garbage, half):
        async with serving(answering) as url:
            transport = LateTransport(url, Limits())
            with pytest.raises(Offline):
                await transport.send(Request("GET", "/"))
            await transport.close()


async def test_a_server_that_never_ends_its_answer_is_given_up() -> None:
    stopped = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        await writer.drain()
        await stopped.wait()
        writer.close()
        await writer.wait_closed()

    async with serving(drip) as url:
        transport = LateTransport(url, replace(Limits(), connect_s=0.2, answer_s=0.2))
        with pytest.raises(Offline):
            await transport.send(Request("GET", "/"))
        stopped.set()
        await transport.close()


# ---------------------------------------------------------------- records


class Colour(StrEnum):
    """Something that has a value."""

    GREEN = "green"


@dataclass(frozen=True)
class Inner:
    """A part."""

    amount: Decimal
    on: date


@dataclass(frozen=True)
class Outer:
    """A record with everything that records hold."""

    at: datetime
    name: str
    count: int
    part: Inner | None
    parts: tuple[Inner, ...]
    by_name: dict[str, int | None]
    given: float = 0.5


INNER = st.builds(Inner, st.decimals(allow_nan=False, allow_infinity=False, places=3), st.dates())
OUTER = st.builds(
    Outer,
    st.datetimes(timezones=st.just(UTC)),
    st.text(st.characters(exclude_categories=("Cs",))),
    st.integers(),
    st.none() | INNER,
    st.lists(INNER, max_size=3).map(tuple),
    st.dictionaries(st.text("abc"), st.none() | st.integers(), max_size=3),
    st.floats(allow_nan=False, allow_infinity=False),
)
GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["at", "name", "count", "part", "parts", "by_name", "on"]), inner)
    ),
)


@settings(max_examples=60)
@given(OUTER)
def test_a_record_comes_back_as_it_was(record: Outer) -> None:
    assert parse(Outer, json.loads(json.dumps(plain(record)))) == record


@settings(max_examples=25)
@given(GARBAGE)
def test_garbage_is_only_unreadable(value: Any) -> None:
    with pytest.raises(Unreadable):
        parse(Outer, value)


def test_what_has_no_json_form_is_our_mistake() -> None:
    assert plain({"colour": Colour.GREEN}) == {"colour": "green"}
    with pytest.raises(TypeError, match="object"):
        plain(object())
