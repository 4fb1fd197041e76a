"""What the books say against a row, in Chinese: one sentence for each kind of refusal, and none left in English."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cloud_sync.server import rule_books
from cloud_sync.server.rule_books import BookName
from cloud_sync.server.rule_refusals import in_chinese
from control.domain.errors import ConfigurationError

TODAY = date(2026, 11, 21)
KEY = "review.term"
Rows = list[dict[str, Any]]


def row_of(rows: Rows) -> dict[str, Any]:
    return next(row for row in rows if row["key"] == KEY)


def changed(**values: Any) -> Callable[[Rows], None]:
    return lambda rows: row_of(rows).update(values)


def followed(ends: str, begins: str) -> Callable[[Rows], None]:
    """The row ends, and another one begins."""

    def change(rows: Rows) -> None:
        row = row_of(rows)
        rows.append(dict(row) | {"id": "next", "valid_from": begins})
        row["valid_until"] = ends

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed(reason="another"), "已有的行不能改动"),
        (lambda rows: rows.append(dict(row_of(rows)) | {"key": "review.fix", "id": "x"}), "没有这个键"),
        (changed(id="another"), "已有的行不能删除"),
        (followed("2026-12-01", "2026-12-05"), "空档"),
        (followed("2026-12-09", "2026-12-05"), "重叠"),
        (changed(valid_until="2026-11-20"), "结束"),
        (changed(reason=""), "缺少“reason”，须填写文字"),
        (changed(valid_from="soon"), "“valid_from”须是日期"),
        (changed(value="many"), "须是数字，不能是 'many'"),
        (changed(value="4000"), "“value”为 4000，超出范围"),
    ],
)
def test_each_kind_of_refusal_has_its_chinese_sentence(change: Callable[[Rows], None], said: str) -> None:
    book = rule_books.delivered(BookName.PERMITS)
    mapping = rule_books.as_mapping(BookName.PERMITS, book)
    change(next(value for value in mapping.values() if isinstance(value, list)))
    with pytest.raises(ConfigurationError) as refused:
        rule_books.check(BookName.PERMITS, book, mapping, today=TODAY)
    sentence = in_chinese(str(refused.value))
    assert said in sentence, refused.value
    assert "原文" not in sentence


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("review.term: the new value is missing.", "缺少新值。"),
        ("review.term: a row without a source is refused.", "缺少来源：每一行都要写明来源。"),
        (
            "review.term: the last row x holds from 2026-01-01 to further notice; a new row begins after that.",
            "现有一行自 2026-01-01 起有效；新的一行须在其后开始。",
        ),
        ("review.term: there is no field 'unit' to change.", "没有可改的字段“unit”。"),
        ("cap.day: `value` is a whole number, not 'many'.", "“value”须是整数，不能是 'many'。"),
        ("Nobody has said this before.", "规则书不接受这一行，原文为：Nobody has said this before."),
    ],
)
def test_what_the_editor_itself_refuses_and_what_nobody_knows(detail: str, said: str) -> None:
    assert in_chinese(detail) == said
