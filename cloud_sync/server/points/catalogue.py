"""What points are redeemed for: owns the items of the catalogue, their stock, and who may change them.

Stock is all that was ever put in; it grows, and shrinks down to what is taken. The price of what was bought stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils

from cloud_sync.server.people.members import OrganisationKind
from cloud_sync.server.points.market_records import ItemRecord
from cloud_sync.server.points.parts import text_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.points.redemption import Item

NUMBER_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWish:
    """An item to put into the catalogue."""

    name_zh: str
    name_en: str
    price_points: int
    stock: int
    person_max: int
    merchants: tuple[str, ...]
    text_zh: str = ""
    text_en: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """What may change of an item; None leaves it. `end` takes it off the catalogue now."""

    stock: int | None = None
    price_points: int | None = None
    person_max: int | None = None
    valid_until: datetime | None = None
    end: bool = False


def item_of(row: Any) -> Item:
    """A row as the domain knows it."""
    return Item(
        item_id=row["item_id"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        price_points=row["price_points"],
        stock=row["stock"],
        person_max=row["person_max"],
        merchants=frozenset(row["merchants"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )


async def items(db: Reader, now: datetime, *, everything: bool = False) -> tuple[ItemRecord, ...]:
    """The catalogue: what is offered now, or all that ever was."""
    rows = await db.fetch(
        "SELECT i.*, ARRAY(SELECT o.name FROM unnest(i.merchants) WITH ORDINALITY AS m (org_id, place)"
        " LEFT JOIN organisations o USING (org_id) ORDER BY m.place) AS merchant_names,"
        " ARRAY(SELECT coalesce(nullif(o.name_en, ''), o.name) FROM unnest(i.merchants) WITH ORDINALITY"
        " AS m (org_id, place) LEFT JOIN organisations o USING (org_id) ORDER BY m.place) AS merchant_names_en"
        " FROM catalogue_items i"
        " WHERE $2 OR (valid_from <= $1 AND (valid_until IS NULL OR valid_until > $1)) ORDER BY price_points, item_id",
        *(now, everything),
    )
    return tuple(_record(row, now) for row in rows)


def _record(row: Any, now: datetime) -> ItemRecord:
    return ItemRecord(
        item_id=row["item_id"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        text_zh=row["text_zh"],
        text_en=row["text_en"],
        price_points=row["price_points"],
        stock=row["stock"],
        left=row["stock"] - row["taken"],
        person_max=row["person_max"],
        merchants=tuple(row["merchants"]),
        merchant_names=tuple(name or "" for name in row["merchant_names"]),
        merchant_names_en=tuple(name or "" for name in row["merchant_names_en"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        state=_state(row, now),
    )


def _state(row: Any, now: datetime) -> str:
    if now < row["valid_from"]:
        return "coming"
    if row["valid_until"] is not None and row["valid_until"] <= now:
        return "ended"
    return "sold_out" if row["taken"] >= row["stock"] else "offered"


async def add_item(given: Services, actor: Actor, wish: ItemWish) -> ItemRecord:
    """A new item. Raises Problem."""
    now, item_id = given.clock(), str(uuid_utils.uuid7())
    _check_numbers({"price_points": wish.price_points, "person_max": wish.person_max, "stock": wish.stock})
    names = (text_of(wish.name_zh), text_of(wish.name_en))
    texts = (text_of(wish.text_zh, needed=False), text_of(wish.text_en, needed=False))
    begins = wish.valid_from or now
    if not wish.merchants or (wish.valid_until is not None and wish.valid_until <= begins):
        raise Problem("invalid", detail="an item needs a merchant, and ends after it begins")
    async with given.change() as connection:
        await _check_merchants(connection, wish.merchants)
        await connection.execute(
            "INSERT INTO catalogue_items (item_id, name_zh, name_en, text_zh, text_en, price_points, stock, person_max,"
            " merchants, valid_from, valid_until, created_at, created_by)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            *(item_id, *names, *texts, wish.price_points, wish.stock, wish.person_max, list(wish.merchants)),
            *(begins, wish.valid_until, now, actor.username),
        )
        after = {"name": names[0], "price_points": wish.price_points, "stock": wish.stock}
        subject = ("catalogue_item", item_id)
        await write_audit(connection, at=now, actor=actor, action="item_added", subject=subject, after=after)
        return await _one(connection, item_id, now)


async def change_item(given: Services, actor: Actor, item_id: str, wish: ItemChange, *, why: str) -> ItemRecord:
    """Another stock, price, limit or end. Raises Problem."""
    reason, now = text_of(why), given.clock()
    asked = {"stock": wish.stock, "price_points": wish.price_points, "person_max": wish.person_max}
    values: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    _check_numbers(values)
    if wish.end or wish.valid_until is not None:
        values["valid_until"] = now if wish.end else wish.valid_until
    if not values:
        raise Problem("nothing_changed")
    async with given.change() as connection:
        row = await connection.fetchrow("SELECT * FROM catalogue_items WHERE item_id = $1 FOR UPDATE", item_id)
        if row is None:
            raise Problem("not_found")
        if values.get("stock", row["stock"]) < row["taken"]:
            raise Problem("invalid", detail=f"{row['taken']} are taken already")
        columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 2))
        await connection.execute(f"UPDATE catalogue_items SET {columns} WHERE item_id = $1", item_id, *values.values())
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="item_changed",
            subject=("catalogue_item", item_id),
            before={name: row[name] for name in values},
            after=values,
            why=reason,
        )
        return await _one(connection, item_id, now)


async def _one(connection: Any, item_id: str, now: datetime) -> ItemRecord:
    return next(one for one in await items(connection, now, everything=True) if one.item_id == item_id)


def _check_numbers(values: dict[str, int]) -> None:
    for name, value in values.items():
        least = 0 if name == "stock" else 1
        if not least <= value <= NUMBER_MAX:
            raise Problem("invalid", detail=f"{name} must lie between {least} and {NUMBER_MAX}")


async def _check_merchants(connection: Any, merchants: Iterable[str]) -> None:
    known = await connection.fetch(
        "SELECT org_id FROM organisations WHERE org_id = ANY ($1::text[]) AND kind = $2 AND enabled",
        *(list(merchants), OrganisationKind.MERCHANT.value),
    )
    missing = set(merchants) - {row["org_id"] for row in known}
    if missing:
        raise Problem("invalid", detail=f"there is no merchant {min(missing)}")
