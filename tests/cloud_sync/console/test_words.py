"""No sentence is missing in either language, and numbers and times read as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.checkers import python_format
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from cloud_sync.server.console import labels, words
from cloud_sync.server.console.words import Words, load_catalogue
from control.gate import reasons
from control.gate.reasons import REASONS

CONSOLE = Path(words.__file__).parent
NOW = datetime(2026, 11, 21, 2, 42, 31, 318_000, tzinfo=UTC)
OPTIONS = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}


def used_messages() -> set[str]:
    found = extract_from_dir(
        CONSOLE,
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        keywords={"_": None, "gettext": None, "ngettext": (1, 2), "N_": None},
        options_map={"templates/**.html": OPTIONS},
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def chinese() -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted((CONSOLE / "locale/zh/LC_MESSAGES").glob("*.po")):
        with path.open("rb") as source:
            catalogue = read_po(source, locale="zh")
        of_file = {one.id if isinstance(one.id, str) else one.id[0]: one for one in catalogue if one.id}
        assert not found.keys() & of_file.keys(), path.name
        found |= of_file
    return found


def test_every_sentence_has_its_chinese_one_and_none_is_left_over() -> None:
    assert used_messages() == chinese().keys()


def test_chinese_sentences_are_there_and_keep_their_placeholders() -> None:
    for one in chinese().values():
        strings = (one.string,) if isinstance(one.string, str) else one.string
        assert all(strings), one.id
        python_format(None, one)


def test_english_sentences_are_english() -> None:
    assert [one for one in used_messages() if any("\u4e00" <= char <= "\u9fff" for char in one)] == []


def test_words_follow_the_house() -> None:
    for key, one in chinese().items():
        text = one.string if isinstance(one.string, str) else one.string[0]
        assert "!" not in text + key
        assert "！" not in text
        assert not text.endswith("."), text


def test_every_reason_of_the_gate_has_both_languages() -> None:
    assert all(zh and en and zh != en for zh, en in REASONS.values())


def made(language: str) -> Words:
    return Words(language, load_catalogue(language), ZoneInfo("Asia/Shanghai"), lambda: NOW)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (8, "8 秒", "8 s"),
        (120, "2 分", "2 min"),
        (8040, "2 小时 14 分", "2 h 14 min"),
        (200_000, "2 天 7 小时", "2 d 7 h"),
        (None, "—", "—"),
    ],
)
def test_durations(seconds: float | None, zh: str, en: str) -> None:
    assert made("zh").duration(seconds) == zh
    assert made("en").duration(seconds) == en


def test_today_needs_no_date_and_another_year_is_named() -> None:
    zh, en = made("zh"), made("en")
    assert zh.time(NOW) == "10:42:31"
    assert zh.time(NOW - timedelta(days=2)) == "11-19 10:42:31"
    assert en.time(NOW - timedelta(days=2)) == "19 Nov 10:42:31"
    assert en.day(NOW - timedelta(days=365)) == "21 Nov 2025"
    assert zh.stamp(NOW) == "2026-11-21 10:42:31.318"


def test_missing_is_never_a_number() -> None:
    assert made("zh").percent(None) == "—"
    assert made("zh").number(None) == "—"
    assert made("en").number(-1234) == "−1,234"
    assert made("en").percent(0.984, 1) == "98.4%"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert labels.label(made("zh"), "kind", "hovercraft") == "hovercraft"
    assert labels.label(made("zh"), "kind", "trailer") == "挂车"


@pytest.mark.parametrize(
    ("shown", "shared"),
    [
        (labels.ADMIT_REASON | {"other": labels.REVISE_REASON["other"]}, reasons.GUARD_ADMIT),
        (labels.PERMIT_REASON, reasons.GUARD_PERMIT),
        (labels.REFUSE_REASON | {"other": labels.REVISE_REASON["other"]}, reasons.GUARD_REFUSE),
    ],
)
def test_hut_and_console_give_the_same_reasons(shown: dict[str, str], shared: dict[str, tuple[str, str]]) -> None:
    translated = chinese()
    assert {code: (translated[english].string, english) for code, english in shown.items()} == shared
