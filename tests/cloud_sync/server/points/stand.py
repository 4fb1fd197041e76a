"""People, devices and merchants of points, as the store has them, and a client that is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx

from cloud_sync.proofs import points as proof
from cloud_sync.server import auth
from cloud_sync.server.points import book, catalogue, devices, ways
from cloud_sync.server.points.parts import device_master, lock_person, rules_now
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor
from control.points.entries import ends_at
from control.points.ledger import Entry, EntryKind, PointsAccount
from control.points.rotating_code import CodeContent, device_key, qr_text, step_of, typed_text

OFFICE = Actor("office")
PASSWORD = "a long enough password"
CAFE = "cafe"
OPENED_BEFORE = timedelta(days=30)


async def add_person(
    given: Services,
    username: str,
    *,
    role: Role = Role.VISITOR,
    org_id: str | None = None,
    is_new: bool = False,
    born_on: date | None = None,
    guardian_id: str | None = None,
    password_hash: str = "",
) -> str:
    """An account, old enough that its points are not held; its id."""
    opened = given.clock() - (timedelta(0) if is_new else OPENED_BEFORE)
    user_id = await auth.insert_user(
        given.pool, username=username, name=username.title(), role=role, password_hash=password_hash, at=opened
    )
    await given.pool.execute(
        "UPDATE users SET org_id = $2, born_on = $3, guardian_id = $4::text::uuid WHERE user_id::text = $1",
        *(user_id, org_id, born_on, guardian_id),
    )
    return user_id


async def add_organisation(given: Services, org_id: str, kind: str = "merchant") -> str:
    await given.pool.execute(
        "INSERT INTO organisations (org_id, kind, name, name_en, enabled, created_at)"
        " VALUES ($1, $2, $3, $1, true, $4)",
        *(org_id, kind, f"机构 {org_id}", given.clock()),
    )
    return org_id


@dataclass
class Board:
    """A device as it stands on the island: it shows codes by its own clock."""

    given: Services
    device_id: str
    number: int
    ahead_s: int = 0
    generation: int = 1

    def code(self, *, at: datetime | None = None, slot: int = 0, counter: int = 0, amount: int = 0) -> str:
        return qr_text(self._content(at, slot, counter, amount), self._secret())

    def typed(self, *, at: datetime | None = None, counter: int = 0, amount: int = 0) -> str:
        return typed_text(self._content(at, 0, counter, amount), self._secret())

    def _content(self, at: datetime | None, slot: int, counter: int, amount: int) -> CodeContent:
        step = step_of(at or self.given.clock(), self.ahead_s)
        return CodeContent(device_number=self.number, step=step, slot=slot, counter=counter, amount=amount)

    def _secret(self) -> bytes:
        return device_key(device_master(self.given), self.device_id, self.generation)


async def add_board(given: Services, place: str, *keys: str, **more: Any) -> Board:
    """A device of these methodologies; `directions` are acts unless given."""
    directions = more.pop("directions", tuple(devices.Shows.ACT for _ in keys))
    wish = devices.DeviceWish(name=place, place=place, keys=keys, directions=directions, **more)
    made = await devices.add_device(given, OFFICE, wish)
    return Board(given, made.device_id, made.number)


async def add_way(given: Services, start: str, end: str, metres: int, *, since: date = date(2026, 1, 1)) -> None:
    """A way from a day on."""
    wish = ways.WayWish(
        from_place=start, to_place=end, metres=metres, valid_from=since, source="route plan", reason="a new line"
    )
    await ways.set_way(given, OFFICE, wish)


@dataclass
class Client:
    """Somebody who is signed in."""

    http: httpx.AsyncClient
    username: str
    user_id: str
    csrf_token: str = ""

    async def sign_in(self) -> None:
        """Also again, when the clock was moved beyond the session."""
        answer = await self.http.post("/api/v1/session", json={"username": self.username, "password": PASSWORD})
        assert answer.status_code in (200, 201), answer.text
        self.csrf_token = answer.json()["csrf_token"]

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(f"/api/v1{path}", params=params)

    async def send(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf_token} | ({"Idempotency-Key": key} if key else {})
        return await self.http.request(method, f"/api/v1{path}", json=body or {}, headers=headers)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        return await self.send("POST", path, body, key=key)

    async def scan(self, text: str, at: datetime, *, key: str | None = None, **more: Any) -> dict[str, Any]:
        answer = await self.post("/points/scans", {"text": text, "scanned_at": at.isoformat(), **more}, key=key)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def give_points(given: Services, person: str, points: int, *, entry_id: str = "earn:start") -> None:
    """An earning of so many points, by the rules of today."""
    async with given.change() as connection:
        rules = await rules_now(given, connection)
        await lock_person(connection, person)

        def make(_: PointsAccount, at: datetime) -> Entry:
            until = ends_at(at, rules, given.config.zone)
            kind = EntryKind.EARN
            return Entry(
                entry_id=entry_id,
                account_id=person,
                kind=kind,
                at=at,
                points=points,
                author="cloud",
                reason="a start",
                valid_until=until,
            )

        await book.post(connection, person, given.clock(), make, ids=(entry_id,))


async def add_item(given: Services, merchant: str, **more: Any) -> str:
    """Something in the catalogue; its id."""
    values: dict[str, Any] = {"price_points": 100, "stock": 10, "person_max": 5} | more
    wish = catalogue.ItemWish(name_zh="咖啡", name_en="Coffee", merchants=(merchant,), **values)
    return (await catalogue.add_item(given, OFFICE, wish)).item_id


async def holds(given: Services) -> proof.BookCheck:
    """The check of the whole ledger."""
    async with given.pool.acquire() as connection:
        return await proof.check(connection)
