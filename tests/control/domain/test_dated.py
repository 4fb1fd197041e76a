"""Dated rows of any table: which holds, what is refused, and that history is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest

from control.domain import dated
from control.domain.errors import ConfigurationError


@dataclass(frozen=True)
class Speed:
    """A row of a table of its own."""

    row_id: str
    key: str
    valid_from: date
    valid_until: date | None = None


NEW_YEAR = date(2026, 1, 1)
FIRST = Speed("S1", "bridge", date(2025, 1, 1), NEW_YEAR)
SECOND = Speed("S2", "bridge", NEW_YEAR)


def test_a_row_holds_until_the_day_before_its_end() -> None:
    assert dated.on_day([FIRST, SECOND], date(2025, 12, 31)) == {"bridge": FIRST}
    assert dated.on_day([FIRST, SECOND], NEW_YEAR) == {"bridge": SECOND}
    assert dated.on_day([FIRST, SECOND], date(2024, 12, 31)) == {}


def test_a_new_row_ends_the_last_one() -> None:
    third = Speed("S3", "bridge", date(2027, 1, 1))
    rows = dated.replaced("Speed", (FIRST, SECOND), third)
    assert rows == (FIRST, replace(SECOND, valid_until=date(2027, 1, 1)), third)
    dated.check_rows("Speed", rows)
    dated.check_succession("Speed", (FIRST, SECOND), rows, today=date(2026, 6, 1))
    assert dated.replaced("Speed", (), FIRST) == (FIRST,)
    with pytest.raises(ConfigurationError, match="Speed S4 of bridge: the last row S3"):
        dated.replaced("Speed", rows, Speed("S4", "bridge", NEW_YEAR))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([FIRST, replace(SECOND, row_id="S1")], "Speed S1 of bridge: the id is used twice"),
        ([FIRST, replace(SECOND, valid_from=date(2025, 6, 1))], "Speeds S1 and S2 of bridge overlap"),
        ([FIRST, replace(SECOND, valid_from=date(2026, 6, 1))], "Speeds S1 and S2 of bridge leave a gap"),
        ([replace(FIRST, valid_until=date(2025, 1, 1))], "Speed S1 of bridge ends before it begins"),
    ],
)
def test_rows_that_do_not_follow_each_other_are_refused(rows: list[Speed], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        dated.check_rows("Speed", rows)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ([SECOND], "S1 of bridge is gone"),
        ([replace(FIRST, key="road"), SECOND], "was edited"),
        ([FIRST, replace(SECOND, valid_until=date(2026, 2, 1))], "would end on 2026-02-01"),
    ],
)
def test_history_is_kept(new: list[Speed], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        dated.check_succession("Speed", [FIRST, SECOND], new, today=date(2026, 6, 1))


@pytest.mark.parametrize("value", ["2026-01-01", NEW_YEAR])
def test_a_day_is_read(value: object) -> None:
    assert dated.read_day(value, "since", "here") == NEW_YEAR


@pytest.mark.parametrize("value", [None, 5, "x", datetime(2026, 1, 1)])  # noqa: DTZ001
def test_what_is_no_day_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="here: `since`"):
        dated.read_day(value, "since", "here")


@pytest.mark.parametrize(("value", "number"), [("0.1", "0.1"), (0.1, "0.1"), (3, "3")])
def test_a_number_is_read_as_it_is_written(value: object, number: str) -> None:
    assert dated.read_number(value, "speed", "here") == Fraction(number)


@pytest.mark.parametrize("value", [None, True, "x", "nan", float("inf")])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="here: `speed`"):
        dated.read_number(value, "speed", "here")
