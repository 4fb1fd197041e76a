"""Everybody may read the rules of permits and points in force, with days and sources; a new one from its day on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import httpx

from cloud_sync.server import rule_books
from cloud_sync.server.rule_books import BookName
from cloud_sync.server.store import Actor


async def test_the_rules_in_force_are_published_with_day_and_source(
    data: Any, browser: httpx.AsyncClient, clock: Any
) -> None:
    answer = await browser.get("/api/v1/public/rules")
    assert answer.headers["Cache-Control"].startswith("public, max-age=")
    told = answer.json()
    rows = {one["key"]: one for one in told["permits"] + told["points"]}
    assert rows["papers.special"]["values"] == ["vehicle_licence"]
    assert rows["papers.special"]["said"]["text_zh"] == "行驶证"
    assert rows["exchange.grams_per_point"]["values"] == ["1"]
    expected = {"window.special.max", "review.term", "appeal.term", "cap.day", "points.validity", "appeal.window"}
    assert expected <= rows.keys()
    assert all(one["source"] and date.fromisoformat(one["valid_from"]) <= date(2026, 11, 21) for one in rows.values())
    assert not [one for one in rows if one.startswith(("code.", "document.")) or "teleport" in one]
    today = clock().date()
    book = await rule_books.permit_rules(data.pool)
    tomorrow, old = today + timedelta(days=1), book.at(today).rows["appeal.term"]
    fresh = replace(
        old, rule_id="P-new", value=Fraction(33), valid_from=tomorrow, source="notice 4", reason="more time"
    )
    mapping = rule_books.as_mapping(BookName.PERMITS, book.replaced(fresh, version="2"))
    async with data.pool.acquire() as connection, connection.transaction():
        await rule_books.write(
            *(connection, Actor("fu"), BookName.PERMITS, mapping), reason="longer", at=clock(), today=today
        )
    clock.leap(days=1)
    told = (await browser.get("/api/v1/public/rules")).json()
    (row,) = [one for one in told["permits"] if one["key"] == "appeal.term"]
    assert row.pop("said") == {
        "name_zh": "申诉 · 期限",
        "name_en": "Appeal, time",
        "text_zh": "33 天",
        "text_en": "33 days",
        "source_zh": "notice 4",
        "source_en": "notice 4",
    }
    assert row == {
        "key": "appeal.term",
        "values": ["33"],
        "unit": "d",
        "valid_from": tomorrow.isoformat(),
        "source": "notice 4",
    }


async def test_factors_are_named_in_both_languages(data: Any, browser: httpx.AsyncClient) -> None:
    rows = {one["key"]: one["said"] for one in (await browser.get("/api/v1/public/methods")).json()["factors"]}
    grid = rows["grid.hainan.co2"]
    assert (grid["name_zh"], grid["name_en"]) == ("海南电网用电", "Electricity of the Hainan grid")
    assert grid["text_zh"].endswith("kg/kWh")
    assert all(one["name_zh"] and one["name_en"] and one["source_zh"] and one["source_en"] for one in rows.values())
