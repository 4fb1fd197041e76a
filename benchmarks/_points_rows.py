"""Accounts of points in bulk, by COPY and with true hashes: owns a database that looks as if people had lived in it.

Each account earns, and some redeem, in the order of time; chains, balances, open lots and acts agree with one another,
so that the check of the whole ledger holds on them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cloud_sync.proofs.points_rows import by_key, dumped_parts
from cloud_sync.server import rule_books
from cloud_sync.server.points.events import award_text
from cloud_sync.server.rule_books import BookName
from control.points import entries as made
from control.points.award import Award, award
from control.points.earning_types import EarningEvent, Granted, dedupe_key
from control.points.ledger import Entry, EntryKind, PointsAccount, SealedEntry
from control.points.methodology import Evidence, scene_of
from control.points.rules import PointRules

ZONE = ZoneInfo("Asia/Shanghai")
CHUNK = 2_000
SPAN = timedelta(days=300)
# Whole days apart, so that an account's acts keep their order and no cap is met.
_SCENES = (("waste_sorting", Evidence.DEVICE_CODE), ("reusable_cup", Evidence.MERCHANT))
_EVENT = (
    *("event_id", "person", "key", "scene", "state", "day", "started_at", "ended_at", "claimed_at", "evidence"),
    *("source_id", "evidence_ref", "activity", "dedupe_key", "points", "grams", "reasons", "judgement"),
    *("decided_at", "decided_by", "entry_id"),
)
_ENTRY = (
    *("person", "seq", "entry_id", "kind", "at", "points", "author", "reason", "about", "valid_until", "details"),
    *("prev_hash", "hash", "spent"),
)
TABLES: dict[str, tuple[str, ...]] = {
    "users": ("user_id", "username", "name", "role", "password_hash", "created_at"),
    "point_events": _EVENT,
    "point_entries": _ENTRY,
    "point_balances": ("person", "balance", "debt", "length", "head", "last_at"),
    "point_lots": ("person", "valid_until", "seq", "entry_id", "points_left"),
}


@dataclass
class _Rows:
    """Rows for COPY, by table."""

    tables: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in TABLES})

    def add(self, table: str, *values: Any) -> None:
        self.tables[table].append(values)


@dataclass(frozen=True)
class _World:
    """What every account is made with."""

    now: datetime
    rules: PointRules
    awards: dict[str, Award]
    judgements: dict[str, str]


async def fill(connection: Any, *, accounts: int, entries: int, last: datetime) -> list[str]:
    """Adds visitors with `entries` in all, until `last`; their ids. The tables of points must be empty."""
    return await fill_accounts(connection, range(accounts), entries_each=entries // accounts, last=last)


async def fill_accounts(connection: Any, numbers: range, *, entries_each: int, last: datetime) -> list[str]:
    """Adds the visitors of these numbers, which nobody else adds; their ids."""
    world, ids = _world(last), []
    for first in range(0, len(numbers), CHUNK):
        rows = _Rows()
        ids += [_account(rows, world, number, entries_each) for number in numbers[first : first + CHUNK]]
        async with connection.transaction():
            for table, columns in TABLES.items():
                await connection.copy_records_to_table(table, records=rows.tables[table], columns=columns)
    return ids


def _world(now: datetime) -> _World:
    today = now.astimezone(ZONE).date()
    rules: PointRules = rule_books.delivered(BookName.POINTS).at(today)
    methods = dict(rule_books.delivered(BookName.METHODOLOGIES).at(today))
    awards = {key: award(methods[key], Fraction(1), rules) for key, _ in _SCENES}
    return _World(now, rules, awards, {key: award_text(one) for key, one in awards.items()})


def _account(rows: _Rows, world: _World, number: int, entries_each: int) -> str:
    draw = random.Random(number)
    person = str(UUID(int=draw.getrandbits(128), version=4))
    began = world.now - SPAN
    rows.add("users", UUID(person), f"visitor-{number}", f"Visitor {number}", "visitor", "", began - timedelta(days=9))
    account = PointsAccount(person)
    for turn, at in enumerate(_times(began, entries_each, draw)):
        entry = _redeemed(account, at, draw) or _earned(rows, world, person, f"{number}.{turn}", at, draw)
        sealed = account.append(entry)
        assert isinstance(sealed, SealedEntry)
        rows.add("point_entries", *_entry_row(account, sealed))
    rows.add("point_balances", person, account.balance, account.debt, len(account), account.head, account.last_at)
    for (valid_until, seq, entry_id), lot in by_key(account.lots()).items():
        rows.add("point_lots", person, valid_until, seq, entry_id, lot.left)
    return person


def _times(began: datetime, count: int, draw: random.Random) -> Iterator[datetime]:
    step = SPAN / count
    return (began + step * (turn + draw.random() * 0.9) for turn in range(count))


def _redeemed(account: PointsAccount, at: datetime, draw: random.Random) -> Entry | None:
    """One in twelve, where there is something to spend."""
    if draw.random() > 1 / 12 or account.available(at) < 20:
        return None
    redemption = f"{draw.getrandbits(96):024x}"
    return Entry(
        entry_id=f"redeem:{redemption}",
        account_id=account.account_id,
        kind=EntryKind.REDEEM,
        at=at,
        points=-20,
        author=account.account_id,
        reason="redeemed coffee",
        details={"redemption": redemption, "item": "coffee"},
    )


def _earned(rows: _Rows, world: _World, person: str, mark: str, at: datetime, draw: random.Random) -> Entry:
    key, evidence = draw.choice(_SCENES)
    event = EarningEvent(
        event_id=f"bulk-{mark}",
        person_id=person,
        key=key,
        started_at=at,
        ended_at=at,
        claimed_at=at,
        evidence=evidence,
        source_id=f"place-{draw.randrange(40)}",
        evidence_ref=mark,
        activity=1,
    )
    given = world.awards[key]
    granted = Granted(given, dedupe_key(event))
    stamp = made.Stamp(at, "cloud", f"{key} v{given.methodology_version}")
    entry = made.earned(event, granted, stamp, world.rules, ZONE)
    day = at.astimezone(ZONE).date()
    rows.add(
        "point_events",
        *(event.event_id, person, key, scene_of(key).value, "granted", day, at, at, at, evidence.value),
        *(event.source_id, mark, "1", granted.dedupe_key, given.points, given.grams, [], world.judgements[key]),
        *(at, "cloud", entry.entry_id),
    )
    return entry


def _entry_row(account: PointsAccount, sealed: SealedEntry) -> tuple[Any, ...]:
    entry, parts = sealed.entry, account.parts_of(sealed.entry.entry_id)
    return (
        *(entry.account_id, sealed.seq, entry.entry_id, entry.kind.value, entry.at, entry.points, entry.author),
        *(entry.reason, entry.about, entry.valid_until, json.dumps(dict(entry.details)), sealed.prev_hash),
        *(sealed.hash, dumped_parts(parts) if parts else None),
    )
