"""People who apply and judge, gates that exist, and a form that has no problem."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from cloud_sync.server import rule_books
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.permits import worker
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor
from control.permits.rules import PermitRuleSet, to_mapping

PLATE = "琼C61K28"


def png(shade: int = 0, side: int = 240) -> bytes:
    """A grey picture of its own content."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([shade]) * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def upload(person: Any, content: bytes) -> dict[str, Any]:
    """The record of an uploaded paper."""
    headers = {"X-CSRF-Token": person.csrf_token, "Content-Type": "image/png"}
    answer = await person.http.post("/api/v1/documents", content=content, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


class Desk:
    """Signed-in people and the steps that many tests begin with. Workers do not run: `turn` does their work once."""

    def __init__(self, app: FastAPI, sign_in: Any, clock: Any) -> None:
        self._app, self._sign_in, self.clock = app, sign_in, clock
        self._people: dict[str, Any] = {}

    @property
    def given(self) -> Services:
        """What handlers are given."""
        found: Services = self._app.state.services
        return found

    def owes(self, overdue_for: Any) -> None:
        """Another answer to who has overdue offsets."""
        self._app.state.services = replace(self.given, permits=replace(self.given.permits, overdue_for=overdue_for))

    async def person(self, role: str) -> Any:
        """Signed in once a test."""
        if role not in self._people:
            self._people[role] = await self._sign_in(role)
        return self._people[role]

    async def turn(self, **later: float) -> None:
        """Some time passes, and the worker does what is due then."""
        self.clock.leap(**later)
        forever = "UPDATE sessions SET expires_at = $1::timestamptz + interval '1 day', last_seen_at = $1"
        await self.given.pool.execute(forever, self.clock())  # nobody is signed out by the leap
        await worker.turn(self.given)

    @staticmethod
    def delta(**amount: float) -> timedelta:
        """A stretch of time."""
        return timedelta(**amount)

    async def upload(self, person: Any, shade: int = 0) -> str:
        """The hash of a picture that this person uploaded."""
        return str((await upload(person, png(shade)))["sha256"])

    async def id_of(self, role: str) -> str:
        """The account's id."""
        return str(await self.given.pool.fetchval("SELECT user_id FROM users WHERE username = $1", role))

    async def user(self, role: str) -> CurrentUser:
        """The account as handlers see it."""
        return CurrentUser(await self.id_of(role), role, role.title(), Role(role), "")

    async def rules(self) -> PermitRuleSet:
        """The book of rules."""
        return await rule_books.permit_rules(self.given.pool)

    async def change_rule(self, key: str, *, value: Any) -> None:
        """From tomorrow on."""
        book, today = await rule_books.permit_rules(self.given.pool), self.clock().date()
        old = book.at(today).rows[key]
        row = replace(old, rule_id=f"{old.rule_id}b", value=value, valid_from=today + timedelta(days=1), reason="test")
        changed = to_mapping(book.replaced(row, version="2026.2"))
        async with self.given.pool.acquire() as connection, connection.transaction():
            await rule_books.write(
                connection,
                Actor("approver"),
                rule_books.BookName.PERMITS,
                changed,
                reason="test",
                at=self.clock(),
                today=today,
            )

    async def gates(self) -> None:
        """East and west exist."""
        await self.given.pool.executemany(
            "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ('gw-east', $1, $2, $3)",
            [("e1", "east", "in"), ("e2", "east", "out"), ("w1", "west", "in"), ("w2", "west", "out")],
        )

    async def form(self, person: Any, **more: Any) -> dict[str, Any]:
        """A special permit for a crane, two entries, from the day after tomorrow, with its papers uploaded."""
        paper = await upload(person, png())
        begins = self.clock() + timedelta(days=2)
        return {
            "plate": PLATE,
            "plate_colour": "yellow",
            "entry_kind": "counted",
            "entries": 2,
            "vehicle_type": "crane",
            "emission_class": "crane",
            "drive": "diesel",
            "consumption_per_100km": "38",
            "purpose": "lifting",
            "gates": ["east"],
            "window_from": begins.isoformat(),
            "window_until": (begins + timedelta(hours=12)).isoformat(),
            "holder": "Hongda Lifting",
            "papers": [{"sha256": paper["sha256"], "kind": "vehicle_licence"}],
        } | more

    async def draft(self, person: Any = None, **more: Any) -> dict[str, Any]:
        """A draft of the driver."""
        person = person or await self.person("driver")
        answer = await person.post("/applications", await self.form(person, **more))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def submitted(self, person: Any = None, **more: Any) -> str:
        """The number of an application that waits for review."""
        person = person or await self.person("driver")
        number = (await self.draft(person, **more))["row"]["application_id"]
        answer = await person.post(f"/applications/{number}/submit")
        assert answer.status_code == 200, answer.text
        return str(number)

    async def approved(self, **more: Any) -> str:
        """One that a reviewer approved and the worker published."""
        number = await self.submitted(**more)
        reviewer = await self.person("reviewer")
        answer = await reviewer.post(f"/applications/{number}/approve")
        assert answer.status_code == 200, answer.text
        await self.turn(seconds=9)
        return number

    async def status(self, number: str) -> str:
        """As it stands in the database."""
        return str(await self.given.pool.fetchval("SELECT status FROM applications WHERE application_id = $1", number))


@pytest.fixture
async def desk(app: FastAPI, sign_in: Any, clock: Any) -> Desk:
    made = Desk(app, sign_in, clock)
    await made.gates()
    return made


@pytest.fixture
def send_paper() -> Callable[[Any, bytes], Awaitable[dict[str, Any]]]:
    return upload


@pytest.fixture
def picture() -> Callable[..., bytes]:
    return png


@pytest.fixture
def settings() -> Callable[..., None]:
    """Other numbers in `[limits]`."""

    def set_limits(desk: Desk, **numbers: int) -> None:
        config = desk.given.config
        desk._app.state.services = replace(desk.given, config=replace(config, limits=replace(config.limits, **numbers)))

    return set_limits
