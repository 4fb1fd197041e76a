"""What the system wrote into the book is read in the reader's language, what a person wrote as it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server.carbon.records import EntryRow
from cloud_sync.server.console import ledger_views as views
from cloud_sync.server.console.words import Words, load_catalogue

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def words(language: str) -> Words:
    return Words(language, load_catalogue(language), ZoneInfo("Asia/Shanghai"), lambda: NOW)


def entry(kind: str, reason: str) -> EntryRow:
    return EntryRow(
        seq=1,
        entry_id="e",
        kind=kind,
        at=NOW,
        author="system",
        reason=reason,
        reverses=None,
        visit_id=None,
        grams=1,
        postings=(),
        details={},
        hash="",
    )


@pytest.mark.parametrize(
    ("kind", "reason", "chinese"),
    [
        ("visit_debit", "the visit is over", "进场结束"),
        ("visit_debit", "evidence was declared", "申报了证据"),
        ("settlement", "first in, first out", "先进先出"),
        ("settlement", "its own retirement", "活动自己的注销"),
        ("event_debit", "event 零碳论坛", "活动 零碳论坛"),
        ("correction", "event 零碳论坛", "event 零碳论坛"),
        ("correction", "其中一段不在示范区", "其中一段不在示范区"),
    ],
)
def test_reasons_of_the_system_are_translated(kind: str, reason: str, chinese: str) -> None:
    row = entry(kind, reason)
    assert views.reason(words("zh"), row) == chinese
    assert views.reason(words("en"), row) == reason
