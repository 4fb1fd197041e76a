"""What ships with the rule books has its Chinese; what the office writes stays as written."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server import rule_books, seeds
from cloud_sync.server.console.rule_texts import CHINESE, rule_text
from cloud_sync.server.console.words import Words, load_catalogue
from cloud_sync.server.rule_books import BookName

SHOWN = ("reason", "source", "baseline_source", "project_source", "author", "clause")
# Names of standards and laws, which read the same in both languages.
NAMES = {"GA 36-2018", "琼海市博鳌近零碳示范区管理办法（试行） 海府办规〔2024〕9号"}


def words_in(language: str) -> Words:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return Words(language, load_catalogue(language), ZoneInfo("Asia/Shanghai"), lambda: now)


def delivered_texts() -> set[str]:
    found: set[str] = set()
    for name in BookName:
        mapping = rule_books.as_mapping(name, rule_books.delivered(name))
        rows = next(value for value in mapping.values() if isinstance(value, list))
        found |= {row[field] for row in rows for field in SHOWN if field in row}
    return found | {source for *_, source in seeds.RETENTION} | {"the shortest time that its purpose needs"}


def test_every_delivered_text_has_its_chinese_and_none_is_left_over() -> None:
    assert delivered_texts() - NAMES == CHINESE.keys()


def test_chinese_texts_are_chinese_and_end_as_the_english_ones_do() -> None:
    for english, chinese in CHINESE.items():
        if english != chinese:
            assert any("\u4e00" <= char <= "\u9fff" for char in chinese), english
            assert english.endswith(".") == chinese.endswith("。"), english


@pytest.mark.parametrize(
    ("text", "zh"),
    [
        ("policy value", "政策取值"),
        ("Office order 12/2026", "Office order 12/2026"),
        ("policy value; Wuhan program 2023, as reported in the press", "政策取值；武汉 2023 年项目，据报道"),
        ("policy value; Office order 12/2026", "政策取值；Office order 12/2026"),
    ],
)
def test_a_text_is_read_in_the_readers_language(text: str, zh: str) -> None:
    assert rule_text(words_in("zh"), text) == zh
    assert rule_text(words_in("en"), text) == text
