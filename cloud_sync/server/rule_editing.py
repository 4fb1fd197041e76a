"""Changing a rule book: owns how the rows of a key are shown, and how one open row ends and the next begins.

A change is one new row of one key: from a day on, a value, why, and by which source. It is checked by the book itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cloud_sync.server import gate_rules, rule_books, rule_refusals
from cloud_sync.server.form_values import read_number
from cloud_sync.server.problems import Problem
from cloud_sync.server.rule_books import BookName
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import Actor
from control.domain.errors import ConfigurationError

_OWN = frozenset({"id", "key", "version", "valid_from", "valid_until", "source", "author", "reason", "unit"})
_FIXED = frozenset({"form"})  # another formula is another methodology, and needs its sources thought over


@dataclass(frozen=True, slots=True)
class Row:
    """One dated row as people read it. `fields` are what it has beside its value: all of a methodology is there."""

    row_id: str
    key: str
    value: str
    unit: str
    valid_from: date
    valid_until: date | None
    source: str
    author: str
    reason: str
    state: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyRows:
    """What a book says of one key: the row in force (or the newest), and all rows, the newest first."""

    key: str
    now: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class NewRow:
    """What somebody wants from a day on; `values` holds `value`, or the changed fields of a methodology."""

    key: str
    valid_from: date
    values: Mapping[str, str]
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: the row that ends, the one that begins, and field by field what differs."""

    version: int
    ends: Row
    begins: Row
    changes: tuple[tuple[str, str, str], ...]


async def keys_of(db: Reader, name: BookName, *, today: date) -> tuple[KeyRows, ...]:
    """Every key of a book with its rows, keys in the order of the book."""
    by_key: dict[str, list[Row]] = {}
    for raw in _rows(rule_books.as_mapping(name, await rule_books.newest(db, name))):
        by_key.setdefault(raw["key"], []).append(_row(raw, today))
    return tuple(_key_rows(key, rows) for key, rows in by_key.items())


def _key_rows(key: str, rows: list[Row]) -> KeyRows:
    newest_first = tuple(sorted(rows, key=lambda row: row.valid_from, reverse=True))
    return KeyRows(key, next((row for row in newest_first if row.state == "in_force"), newest_first[0]), newest_first)


async def preview(
    given: Services, db: Reader, actor: Actor, name: BookName, new: NewRow, *, expected: int | None = None
) -> Preview:
    """What would change, without changing it. Raises Problem as `change` does."""
    return (await _proposed(given, db, actor, name, new, expected))[1]


async def change(given: Services, actor: Actor, name: BookName, new: NewRow, *, expected: int | None = None) -> Preview:
    """Ends the key's open row and begins the new one, as a new version of the book; the gates are sent theirs.

    `expected` is the version that the person looked at. Raises Problem `rules_moved` when it is not the newest any
    more, `rules_refused` with what the book says against the row, `reason_missing`, `not_found`.
    """
    async with given.pool.acquire() as connection, connection.transaction():
        await rule_books.lock(connection)
        mapping, shown = await _proposed(given, connection, actor, name, new, expected)
        await rule_books.write(
            connection,
            actor,
            name,
            mapping,
            reason=new.reason.strip(),
            at=given.clock(),
            today=given.today_from().date(),
        )
        if name is BookName.GATE:
            reason, zone = new.reason.strip(), given.config.zone
            await gate_rules.publish(connection, actor, reason=reason, at=given.clock(), zone=zone)
    return shown


async def _proposed(
    given: Services, db: Reader, actor: Actor, name: BookName, new: NewRow, expected: int | None
) -> tuple[dict[str, Any], Preview]:
    if not new.reason.strip():
        raise Problem("reason_missing")
    number = await rule_books.newest_number(db, name)
    if expected is not None and expected != number:
        raise Problem("rules_moved", version=number)
    book = await rule_books.newest(db, name)
    mapping, today = rule_books.as_mapping(name, book), given.today_from().date()
    rows = _rows(mapping)
    last = max((row for row in rows if row["key"] == new.key), key=lambda row: row["valid_from"], default=None)
    if last is None:
        raise Problem("not_found", detail=new.key)
    begins = _begun(last, new, actor)
    ends = dict(last) | {"valid_until": new.valid_from.isoformat()}
    _check_days(last, new)
    rows[rows.index(last)] = ends
    rows.append(begins)
    mapping["version"] = f"{number + 1}"
    try:
        rule_books.check(name, book, mapping, today=today)
    except ConfigurationError as error:
        raise _refused(str(error)) from error
    shown = Preview(number, _row(ends, today), _row(begins, today), _differences(last, begins))
    if not shown.changes:
        raise Problem("nothing_changed")
    return mapping, shown


def _refused(detail: str) -> Problem:
    """What the book says stands beside the sentence in both languages."""
    return Problem("rules_refused", detail=detail, why_zh=rule_refusals.in_chinese(detail), why_en=detail)


def _check_days(last: Mapping[str, Any], new: NewRow) -> None:
    if last.get("valid_until") is not None or last["valid_from"] >= new.valid_from.isoformat():
        raise _refused(
            f"{new.key}: the last row {last['id']} holds from {last['valid_from']} to"
            f" {last.get('valid_until') or 'further notice'}; a new row begins after that."
        )


def _begun(last: Mapping[str, Any], new: NewRow, actor: Actor) -> dict[str, Any]:
    """The next row: what is not named stays as it was."""
    unknown = new.values.keys() - editable(last)
    if unknown:
        raise _refused(f"{new.key}: there is no field {min(unknown)!r} to change.")
    if "value" in last and "value" not in new.values:
        raise _refused(f"{new.key}: the new value is missing.")
    begins = {key: value for key, value in last.items() if key != "valid_until"}
    begins |= {name: _typed(new.key, name, last.get(name), text) for name, text in new.values.items()}
    begins |= {"id": f"{new.key}@{new.valid_from.isoformat()}", "valid_from": new.valid_from.isoformat()}
    begins |= {"author": actor.username, "reason": new.reason.strip()}
    begins |= {name: new.source.strip() for name in _sources(last, new)}
    if isinstance(last.get("version"), int):
        begins["version"] = last["version"] + 1
    return begins


def _sources(last: Mapping[str, Any], new: NewRow) -> list[str]:
    """Which sources the change names: the row's own, or those of the figures of a methodology that it changes."""
    if not new.source.strip():
        raise _refused(f"{new.key}: a row without a source is refused.")
    figures = {"source": "source", "baseline_g": "baseline_source", "project_g": "project_source"}
    named = [source for figure, source in figures.items() if figure in new.values or figure == "source"]
    return [source for source in named if source in last and source not in new.values]


def editable(raw: Mapping[str, Any]) -> frozenset[str]:
    """What of a row a change may name beside its source: its value, its announcement, the fields of a methodology."""
    return frozenset(raw) - _OWN - _FIXED


def _typed(key: str, name: str, before: object, text: str) -> Any:
    """The text in the type of the value before it. Raises Problem `rules_refused`."""
    text = text.strip()
    match before:
        case bool():
            if text not in ("true", "false"):
                raise _refused(f"{key}: `{name}` is true or false, not {text!r}.")
            return text == "true"
        case int():
            found = read_number(text)
            if found is None or found != found.to_integral_value():
                raise _refused(f"{key}: `{name}` is a whole number, not {text!r}.")
            return int(found)
        case list():
            return [one.strip() for one in text.replace("，", ",").split(",") if one.strip()]
        case _:
            return text


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    named = sorted((editable(before) | {"source"}) & before.keys())
    return tuple(
        (name, shown_value(before[name]), shown_value(after[name])) for name in named if before[name] != after[name]
    )


def _rows(mapping: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(value for value in mapping.values() if isinstance(value, list))
    return found


def _row(raw: Mapping[str, Any], today: date) -> Row:
    until = raw.get("valid_until")
    valid_from, valid_until = date.fromisoformat(raw["valid_from"]), date.fromisoformat(until) if until else None
    sources = [raw[name] for name in ("source", "baseline_source", "project_source") if name in raw]
    fields = {name: shown_value(raw[name]) for name in raw if name in editable(raw) - {"value"}}
    return Row(
        row_id=raw["id"],
        key=raw["key"],
        value=shown_value(raw["value"]) if "value" in raw else _formula(raw),
        unit=raw["unit"],
        valid_from=valid_from,
        valid_until=valid_until,
        source="; ".join(dict.fromkeys(sources)),
        author=raw["author"],
        reason=raw["reason"],
        state=_state(valid_from, valid_until, today),
        fields=fields,
    )


def _formula(raw: Mapping[str, Any]) -> str:
    if raw["form"] == "difference":
        return f"{raw['baseline_g']} − {raw['project_g']} g /"
    return f"{raw['grams']} g /"


def shown_value(value: Any) -> str:
    """A value as it is typed."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(str(one) for one in value)
        case _:
            return str(value)


def _state(valid_from: date, valid_until: date | None, today: date) -> str:
    if valid_from > today:
        return "coming"
    return "in_force" if valid_until is None or today < valid_until else "over"


@dataclass(frozen=True, slots=True)
class VersionRows:
    """One version of a book, with the rows that it began."""

    number: int
    author: str
    reason: str
    at: datetime | None
    begun: tuple[str, ...]


async def versions(db: Reader, name: BookName) -> tuple[VersionRows, ...]:
    """Every version with who, when, why and which rows it began, the newest first."""
    rows = await db.fetch(
        "SELECT (after ->> 'version')::integer AS number, after -> 'rows' AS rows FROM audit"
        " WHERE action = 'rules_changed' AND subject_kind = 'rule_book' AND subject_id = $1",
        name.value,
    )
    begun = {row["number"]: tuple(as_json(row["rows"])) for row in rows}
    return tuple(
        VersionRows(one.number, one.author, one.reason, one.at, begun.get(one.number, ()))
        for one in await rule_books.versions(db, name)
    )
