"""Rule books: owns where dated rows of the island are kept, and which version of each book holds.

A book is a whole table of dated rows. Every change keeps a new version of it with author and reason; none is edited.
The newest version holds for every day, since its rows name their days. Until somebody writes one, the book that ships
with the product holds, and a key that is younger than the written book is completed from there.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import control.carbon
import control.gate
import control.permits
import control.points
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import Actor, write_audit
from control.carbon import factors as carbon
from control.carbon.factors import FactorSet
from control.gate import rule_book as gate
from control.gate.rule_book import GateBook
from control.permits import rules as permits
from control.permits.rules import PermitRuleSet
from control.points import methodology, methodology_rows
from control.points import rules as points
from control.points.methodology import MethodologySet
from control.points.rules import PointRuleSet

_WRITING_LOCK = 7_301_010


class BookName(StrEnum):
    """The books."""

    FACTORS = "factors"
    PERMITS = "permits"
    POINTS = "points"
    METHODOLOGIES = "methodologies"
    GATE = "gate"


Book = FactorSet | PermitRuleSet | PointRuleSet | MethodologySet | GateBook

_FILES = {
    BookName.FACTORS: Path(control.carbon.__file__).with_name("factors.toml"),
    BookName.PERMITS: Path(control.permits.__file__).with_name("permits.toml"),
    BookName.POINTS: Path(control.points.__file__).with_name("rules.toml"),
    BookName.METHODOLOGIES: Path(control.points.__file__).with_name("methodologies.toml"),
    BookName.GATE: Path(control.gate.__file__).with_name("rules.toml"),
}
_PARSE = {
    BookName.FACTORS: carbon.parse_factors,
    BookName.PERMITS: permits.parse_rules,
    BookName.POINTS: points.parse_rules,
    BookName.METHODOLOGIES: methodology_rows.parse_methodologies,
    BookName.GATE: gate.parse_book,
}
_WRITE = {
    BookName.FACTORS: carbon.to_mapping,
    BookName.PERMITS: permits.to_mapping,
    BookName.POINTS: points.to_mapping,
    BookName.METHODOLOGIES: methodology_rows.to_mapping,
    BookName.GATE: gate.to_mapping,
}
_SUCCESSION = {
    BookName.FACTORS: carbon.check_succession,
    BookName.PERMITS: permits.check_succession,
    BookName.POINTS: points.check_succession,
    BookName.METHODOLOGIES: methodology.check_succession,
    BookName.GATE: gate.check_succession,
}
_READ: dict[tuple[BookName, str], Any] = {}  # books by the digest of what was written


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a book: its number (0 ships with the product), who wrote it, when and why."""

    number: int
    author: str
    reason: str
    at: datetime | None


async def factors(db: Reader) -> FactorSet:
    """The emission factors with all their days."""
    return await _newest(db, BookName.FACTORS)


async def permit_rules(db: Reader) -> PermitRuleSet:
    """The rules of permits with all their days."""
    return await _newest(db, BookName.PERMITS)


async def point_rules(db: Reader) -> PointRuleSet:
    """The rules of points with all their days."""
    return await _newest(db, BookName.POINTS)


async def methodologies(db: Reader) -> MethodologySet:
    """The methodologies of points with all their days."""
    return await _newest(db, BookName.METHODOLOGIES)


async def gate_rules(db: Reader) -> GateBook:
    """The rules of the gate with all their days."""
    return await _newest(db, BookName.GATE)


async def newest(db: Reader, name: BookName) -> Book:
    """Any book, by name."""
    return await _newest(db, name)


async def newest_number(db: Reader, name: BookName) -> int:
    """The number of the newest version; 0 while what ships with the product holds."""
    number: int = await db.fetchval("SELECT coalesce(max(version), 0) FROM rule_books WHERE book = $1", name.value)
    return number


async def _newest(db: Reader, name: BookName) -> Any:
    row = await db.fetchrow(
        "SELECT version, digest FROM rule_books WHERE book = $1 ORDER BY version DESC LIMIT 1", name.value
    )
    return await _version(db, name, row["version"], row["digest"]) if row else delivered(name)


async def _version(db: Reader, name: BookName, number: int, digest: str) -> Any:
    """A version never changes, so that each body is fetched and parsed once."""
    if (name, digest) not in _READ:
        body = await db.fetchval("SELECT body FROM rule_books WHERE book = $1 AND version = $2", name.value, number)
        _READ[name, digest] = _parsed(name, as_json(body))
    return _READ[name, digest]


@cache
def delivered(name: BookName) -> Any:
    """The book that ships with the product."""
    with _FILES[name].open("rb") as source:
        return _PARSE[name](tomllib.load(source))


def _parsed(name: BookName, mapping: dict[str, Any]) -> Any:
    """A written book. Keys that it does not know come from the delivered book."""
    shipped = as_mapping(name, delivered(name))
    table = next(key for key, value in shipped.items() if isinstance(value, list))
    known = {row["key"] for row in mapping[table]}
    mapping[table] += [row for row in shipped[table] if row["key"] not in known]
    return _PARSE[name](mapping)


async def versions(db: Reader, name: BookName) -> tuple[Version, ...]:
    """Every version, the newest first."""
    rows = await db.fetch(
        "SELECT version, author, reason, at FROM rule_books WHERE book = $1 ORDER BY version DESC", name.value
    )
    shipped = Version(0, "", "", None)
    return (*(Version(row["version"], row["author"], row["reason"], row["at"]) for row in rows), shipped)


async def lock(connection: Any) -> None:
    """Whoever writes a book next waits until this transaction is over."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _WRITING_LOCK)


def check(name: BookName, old: Any, mapping: Mapping[str, Any], *, today: date) -> Any:
    """The book of a mapping, when it keeps the history of `old`. Raises ConfigurationError naming the row."""
    made = _PARSE[name](mapping)
    _SUCCESSION[name](old, made, today=today)  # type: ignore[operator]
    return made


async def write(
    connection: Any, actor: Actor, name: BookName, mapping: Mapping[str, Any], *, reason: str, at: datetime, today: date
) -> int:
    """Keeps a new version inside the caller's transaction; its number. Raises ConfigurationError naming the row."""
    await lock(connection)
    old = await _newest(connection, name)
    made = check(name, old, mapping, today=today)
    number = 1 + await newest_number(connection, name)
    await connection.execute(
        "INSERT INTO rule_books (book, version, body, author, reason, at) VALUES ($1, $2, $3::jsonb, $4, $5, $6)",
        name.value,
        number,
        json.dumps(_WRITE[name](made), ensure_ascii=False, default=str),  # type: ignore[operator]
        actor.username,
        reason,
        at,
    )
    known = {row.row_id for row in old.rows}
    await write_audit(
        connection,
        at=at,
        actor=actor,
        action="rules_changed",
        subject=("rule_book", name.value),
        after={"version": number, "rows": sorted({row.row_id for row in made.rows} - known)},
        why=reason,
    )
    return number


def as_mapping(name: BookName, book: Book) -> dict[str, Any]:
    """A book as it is written down."""
    return _WRITE[name](book)  # type: ignore[operator]
