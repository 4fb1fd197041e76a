"""No sentence of the app is missing in either language, and amounts and times read as people write them."""

from __future__ import annotations

import importlib.util
import string
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mobile.core.words import DOMAINS, Words

NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)


def _tools() -> ModuleType:
    name = "mobile_catalogue_tools"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("catalogue_tools.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


tools = _tools()
CATALOGUES = {domain: tools.catalogue(domain) for domain in DOMAINS}
MESSAGES = [one for catalogue in CATALOGUES.values() for one in catalogue if one.id]


def sides(message: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """English and Chinese texts of a sentence."""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    strings = (message.string,) if isinstance(message.string, str) else tuple(message.string)
    return ids, strings


def test_every_sentence_has_its_chinese_one_and_none_is_left_over() -> None:
    known = {one for domain in DOMAINS for one in tools.message_ids(domain)}
    assert sorted(tools.used_messages()) == sorted(known)


def test_a_sentence_stands_once() -> None:
    every = [one for domain in DOMAINS for one in tools.message_ids(domain)]
    assert sorted(set(every)) == sorted(every)


@pytest.mark.parametrize("domain", DOMAINS)
def test_sentences_are_in_order(domain: str) -> None:
    found = tools.message_ids(domain)
    assert found == sorted(found)


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_compiled_is_what_is_written(domain: str) -> None:
    assert (tools.CATALOGUES / f"{domain}.mo").read_bytes() == tools.compiled(domain)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_hold_the_same_placeholders() -> None:
    for message in MESSAGES:
        ids, strings = sides(message)
        wanted = {name for text in ids for name in placeholders(text)}
        for text in strings:
            assert text, message.id
            assert placeholders(text) == wanted, message.id


def test_languages_are_not_mixed_and_nobody_shouts() -> None:
    for message in MESSAGES:
        ids, strings = sides(message)
        assert not any("\u4e00" <= char <= "\u9fff" for text in ids for char in text), message.id
        assert not any(mark in text for text in (*ids, *strings) for mark in "!！"), message.id
        assert not any(text.endswith(".") for text in strings), message.id


# ---------------------------------------------------------------- how it is written


def made(language: str) -> Words:
    return Words(language, lambda: NOW)


def test_the_language_changes_while_the_app_runs() -> None:
    words, heard = made("zh"), []
    words.changed.connect(lambda: heard.append(words.language))
    assert words("today") == "今天"
    words.language = "en"
    words.language = "en"
    assert (words("today"), heard) == ("today", ["en"])


@pytest.mark.parametrize(
    ("grams", "text"),
    [
        (None, "—"),
        (0, "0 g"),
        (999, "999 g"),
        (1000, "1.00 kg"),
        (12_345, "12.3 kg"),
        (123_456, "123 kg"),
        (-1500, "−1.50 kg"),
        (1_234_567, "1.23 t"),
        (1_234_567_890, "1,235 t"),
    ],
)
def test_grams(grams: int | None, text: str) -> None:
    assert made("en").grams(grams) == text


@pytest.mark.parametrize(
    ("metres", "zh", "en"),
    [
        (None, "—", "—"),
        (0, "0 米", "0 m"),
        (849.6, "850 米", "850 m"),
        (999.4, "999 米", "999 m"),
        (999.5, "1 公里", "1 km"),
        (1240, "1.24 公里", "1.24 km"),
        (2600, "2.6 公里", "2.6 km"),
        (9_996, "10 公里", "10 km"),
        (26_400, "26.4 公里", "26.4 km"),
        (99_960, "100 公里", "100 km"),
        (1_234_567, "1,235 公里", "1,235 km"),
    ],
)
def test_distances(metres: float | None, zh: str, en: str) -> None:
    assert (made("zh").distance(metres), made("en").distance(metres)) == (zh, en)


def test_points_and_money() -> None:
    zh, en = made("zh"), made("en")
    assert [en.points(n) for n in (1, 0, 1200, None)] == ["1 point", "0 points", "1,200 points", "—"]
    assert zh.points(1200) == "1,200 积分"
    assert zh.fen(123_450) == "¥1,234.50"
    assert en.percent(0.984, 1) == "98.4%"
    assert en.trimmed(Decimal("28.500"), 3) == "28.5"


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (3, "刚刚", "just now"),
        (130, "2 分钟前", "2 min ago"),
        (7300, "2 小时前", "2 h ago"),
        (200_000, "2 天前", "2 d ago"),
        (None, "—", "—"),
    ],
)
def test_ages(seconds: float | None, zh: str, en: str) -> None:
    assert (made("zh").age(seconds), made("en").age(seconds)) == (zh, en)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (8, "8 秒", "8 s"),
        (125, "2 分钟", "2 min"),
        (8040, "2 小时 14 分钟", "2 h 14 min"),
        (7200, "2 小时", "2 h"),
        (277_200, "3 天 5 小时", "3 d 5 h"),
        (-5, "0 秒", "0 s"),
        (None, "—", "—"),
    ],
)
def test_durations(seconds: float | None, zh: str, en: str) -> None:
    assert (made("zh").duration(seconds), made("en").duration(seconds)) == (zh, en)


def test_days_and_times_are_the_islands() -> None:
    zh, en = made("zh"), made("en")
    late = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # half past midnight on the island
    assert (zh.time(late), zh.day(late), zh.when(late)) == ("00:30", "今天", "00:30")
    assert en.when(NOW - timedelta(days=1)) == "yesterday 10:42"
    assert (zh.date(NOW - timedelta(days=9)), en.date(NOW - timedelta(days=9))) == ("11月12日", "12 Nov")
    assert (zh.day(NOW.replace(year=2025)), en.day(NOW.replace(year=2025))) == ("2025年11月21日", "21 Nov 2025")
    assert zh.stamp(NOW) == "2026-11-21 10:42"
    assert (en.left(NOW + timedelta(hours=3)), en.left(NOW), en.left(None)) == ("3 h", "over", "—")


def test_numbers_are_rounded_as_people_round() -> None:
    assert [made("en").number(one, 1) for one in (0.25, 2.45, -0.04, None)] == ["0.3", "2.5", "0.0", "—"]
