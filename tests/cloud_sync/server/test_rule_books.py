"""Rule books: every change is a version, the past stays, and what ships holds until somebody writes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cloud_sync.server import rule_books
from cloud_sync.server.rule_books import BookName
from cloud_sync.server.store import Actor
from control.domain.errors import ConfigurationError

TODAY = date(2026, 11, 21)
FROM = date(2026, 12, 1)


@pytest.mark.parametrize("name", list(BookName))
async def test_a_book_survives_being_written_and_read(services: Any, name: BookName) -> None:
    book = rule_books.delivered(name)
    mapping = rule_books.as_mapping(name, book)
    number = await rule_books.write(
        services.pool, Actor("fu"), name, mapping, reason="first", at=services.clock(), today=TODAY
    )
    assert number == 1
    assert (await rule_books.newest(services.pool, name)).rows == book.rows
    assert [one.number for one in await rule_books.versions(services.pool, name)] == [1, 0]


async def test_a_new_row_holds_from_its_day_and_not_before(services: Any) -> None:
    mapping = rule_books.as_mapping(BookName.POINTS, await rule_books.point_rules(services.pool))
    old = next(row for row in mapping["rule"] if row["key"] == "cap.day")
    old["valid_until"] = FROM
    mapping["rule"].append(old | {"id": "cap.day-2026-12", "value": 10, "valid_from": FROM} | {"valid_until": None})
    mapping["rule"][-1].pop("valid_until")
    await rule_books.write(
        services.pool, Actor("fu"), BookName.POINTS, mapping, reason="winter", at=services.clock(), today=TODAY
    )
    held = await rule_books.point_rules(services.pool)
    assert held.at(TODAY).value("cap.day") == old["value"]
    assert held.at(FROM).value("cap.day") == 10


async def test_the_past_cannot_be_edited(services: Any) -> None:
    mapping = rule_books.as_mapping(BookName.POINTS, await rule_books.point_rules(services.pool))
    mapping["rule"][0]["value"] += 1
    with pytest.raises(ConfigurationError, match="was edited"):
        await rule_books.write(
            services.pool, Actor("fu"), BookName.POINTS, mapping, reason="x", at=services.clock(), today=TODAY
        )
    assert await services.pool.fetchval("SELECT count(*) FROM rule_books") == 0


@pytest.mark.parametrize("name", list(BookName))
async def test_a_book_from_before_a_key_existed_is_completed(services: Any, name: BookName) -> None:
    mapping = rule_books.as_mapping(name, rule_books.delivered(name))
    table = next(key for key, value in mapping.items() if isinstance(value, list))
    young = mapping[table][-1]["key"]
    older = mapping | {table: [row for row in mapping[table] if row["key"] != young]}
    await services.pool.execute(
        "INSERT INTO rule_books (book, version, body, author, reason, at) VALUES ($1, 1, $2::jsonb, 'fu', 'first', $3)",
        *(name.value, json.dumps(older, default=str), services.clock()),
    )
    held = await rule_books.newest(services.pool, name)
    assert young in {row.key for row in held.rows}
    assert {row.row_id for row in held.rows} == {row.row_id for row in rule_books.delivered(name).rows}


class Asked:
    """A reader that remembers what it was asked."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.queries: list[str] = []

    async def fetchrow(self, query: str, *args: Any) -> Any:
        self.queries.append(query)
        return await self._db.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        self.queries.append(query)
        return await self._db.fetchval(query, *args)


async def test_a_written_book_is_fetched_once_and_another_one_again(
    services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_books, "_READ", {})
    asked = Asked(services.pool)
    mapping = rule_books.as_mapping(BookName.POINTS, rule_books.delivered(BookName.POINTS))
    for version in (1, 2):
        mapping["rule"][0]["reason"] = f"version {version}"
        await services.pool.execute(
            "INSERT INTO rule_books (book, version, body, author, reason, at)"
            " VALUES ('points', $1, $2::jsonb, '', '', $3)",
            *(version, json.dumps(mapping, default=str), services.clock()),
        )
        for _ in range(2):
            assert (await rule_books.point_rules(asked)).rows[0].reason == f"version {version}"
    assert sum("body" in query for query in asked.queries) == 2
