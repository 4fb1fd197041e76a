"""What each gateway has learnt of its vehicles: owns its records, its questions, and the orders about it.

A gateway tells its versions with every health report; an order goes down signed and is answered like a command.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import uuid_utils

from cloud_sync.contract.v1 import HeadAction, HeadOrder
from cloud_sync.server.live import Change, announce
from cloud_sync.server.problems import Problem
from cloud_sync.server.queries import liveness
from cloud_sync.server.records import Liveness
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import DOWNLINK_CHANNEL, Actor, write_audit
from control.domain.vehicles import VehicleType

EXPIRY = timedelta(minutes=5)
ORDERS_SHOWN = 5
VERSION_CHARS_MAX = 64
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class HeadVersion:
    """One version that a gateway learnt. Accuracies are shares by cross-validation on the same crops."""

    version: str
    made_at: str
    by: str
    crops: int
    before_version: str
    before: float
    before_interval: tuple[float, float]
    after: float
    after_interval: tuple[float, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class HeadOrderRecord:
    """An order and what became of it; `result` is None until the gateway has answered."""

    command_id: str
    action: str
    version: str
    force: bool
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    result: str | None
    result_detail: str | None
    result_at: datetime | None


@dataclass(frozen=True, slots=True)
class GatewayHead:
    """The head of one gateway. `in_use` is None while the gateway has told nothing; a step back leads to `before`.

    `corrections` counts the labelled crops that it could learn from, by type. `running` is the order without an answer.
    """

    gateway_id: str
    name: str
    liveness: Liveness
    in_use: str | None
    before: str | None
    problem: str
    corrections: dict[str, int]
    versions: tuple[HeadVersion, ...]
    orders: tuple[HeadOrderRecord, ...]
    running: HeadOrderRecord | None


async def gateway_heads(db: Reader, *, now: datetime) -> tuple[GatewayHead, ...]:
    """Every gateway with what it has learnt, by id."""
    rows = await db.fetch(
        "SELECT g.gateway_id, g.name, h.vehicle_head, h.received_at FROM gateways g"
        " LEFT JOIN gateway_health h USING (gateway_id) WHERE g.enabled ORDER BY g.gateway_id"
    )
    orders = await db.fetch(
        "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY gateway_id ORDER BY issued_at DESC) AS place"
        " FROM head_orders) newest WHERE place <= $1 ORDER BY gateway_id, issued_at DESC",
        ORDERS_SHOWN,
    )
    of_gateway: dict[str, list[HeadOrderRecord]] = {}
    for row in orders:
        of_gateway.setdefault(row["gateway_id"], []).append(_order(row))
    return tuple(_head(row, of_gateway.get(row["gateway_id"], []), now) for row in rows)


def _order(row: Any) -> HeadOrderRecord:
    return HeadOrderRecord(**{name: row[name] for name in HeadOrderRecord.__dataclass_fields__})


def _head(row: Any, orders: list[HeadOrderRecord], now: datetime) -> GatewayHead:
    told = as_json(row["vehicle_head"]) or {}
    age_s = None if row["received_at"] is None else max(0.0, (now - row["received_at"]).total_seconds())
    running = next((one for one in orders if one.result is None and one.expires_at > now), None)
    return GatewayHead(
        gateway_id=row["gateway_id"],
        name=row["name"],
        liveness=liveness(age_s),
        in_use=_text(told.get("in_use")) or None,
        before=_text(told.get("before")) or None,
        problem=_text(told.get("problem")),
        corrections=_counts(told.get("corrections")),
        versions=_versions(told.get("versions")),
        orders=tuple(orders),
        running=running,
    )


# A gateway's word is looked at before it is shown: another program version may say it otherwise.


def _text(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""


def _counts(value: object) -> dict[str, int]:
    counts = value if isinstance(value, dict) else {}
    return {kind: count for kind, count in counts.items() if kind in set(VehicleType) and type(count) is int}


def _versions(value: object) -> tuple[HeadVersion, ...]:
    found = [_version(one) for one in value] if isinstance(value, list) else []
    return tuple(one for one in found if one is not None)


def _version(value: object) -> HeadVersion | None:
    if not isinstance(value, dict):
        return None
    try:
        return HeadVersion(
            **{name: _text(value[name]) for name in ("version", "made_at", "by", "before_version")},
            **{name: float(value[name]) for name in ("before", "after", "seconds")},
            **{name: _pair(value[name]) for name in ("before_interval", "after_interval")},
            crops=int(value["crops"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _pair(value: Any) -> tuple[float, float]:
    low, high = value
    return float(low), float(high)


# ---------------------------------------------------------------- ordering


async def order_head(
    given: Services, actor: Actor, gateway_id: str, *, action: HeadAction, version: str = "", force: bool = False
) -> HeadOrderRecord:
    """Orders a gateway to learn, to use a version, or to step back; one order at a time. Raises Problem."""
    version = version.strip()
    if (action is HeadAction.USE) is not bool(version) or len(version) > VERSION_CHARS_MAX:
        raise Problem("invalid", detail="version")
    now = given.clock()
    async with given.change() as connection:
        if await connection.fetchrow("SELECT 1 FROM gateways WHERE gateway_id = $1 FOR UPDATE", gateway_id) is None:
            raise Problem("not_found")
        running = "SELECT 1 FROM head_orders WHERE gateway_id = $1 AND result IS NULL AND expires_at > $2"
        if await connection.fetchval(running, gateway_id, now):
            raise Problem("order_running")
        row = await connection.fetchrow(
            "INSERT INTO head_orders (command_id, gateway_id, action, version, force, issued_by, issued_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *",
            *(str(uuid_utils.uuid7()), gateway_id, action.value, version, force),
            *(actor.username, now, now + EXPIRY),
        )
        after = {"action": action.value, "version": version or None, "force": force or None}
        await write_audit(
            connection, at=now, actor=actor, action="head_ordered", subject=("gateway", gateway_id), after=after
        )
        await announce(connection, [Change("gateway", gateway_id, gateway_id)])
        await connection.execute("SELECT pg_notify($1, $2)", DOWNLINK_CHANNEL, f"head {row['command_id']}")
    return _order(row)


async def unanswered(db: Reader, *, now: datetime, published_before: datetime) -> tuple[HeadOrder, ...]:
    """Orders to publish (again): not answered, not expired."""
    rows = await db.fetch(
        "SELECT * FROM head_orders WHERE result IS NULL AND expires_at > $1"
        " AND (published_at IS NULL OR published_at < $2) ORDER BY issued_at LIMIT 100",
        now,
        published_before,
    )
    return tuple(
        HeadOrder(
            command_id=row["command_id"],
            gateway=row["gateway_id"],
            action=HeadAction(row["action"]),
            issued_by=row["issued_by"],
            issued_at=row["issued_at"],
            expires_at=row["expires_at"],
            version=row["version"],
            force=row["force"],
        )
        for row in rows
    )
