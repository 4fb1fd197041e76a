from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.server import form_values
from cloud_sync.server.problems import Problem

ZONE = ZoneInfo("Asia/Shanghai")
amounts = st.decimals(-(10**9), 10**9, places=3)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        *(("1,000", 1000), ("1 000", 1000), ("12,345.6", Decimal("12345.6")), ("1,000,000", 1_000_000)),
        *(("38,5", Decimal("38.5")), ("0,125", Decimal("0.125")), (" 7. ", 7), (".5", Decimal("0.5"))),
        *(("−3", -3), ("+4", 4), ("１２．５", Decimal("12.5")), ("1\u00a0000", 1000), ("１，０００", 1000), ("007", 7)),
    ],
)
def test_numbers_as_people_type_them(text: str, read: Decimal) -> None:
    assert form_values.number(text, "kwh") == read


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "x", "nan", "inf", "1e3", "1_000", "1,00,0", "1,0000", "1.2.3", "1,000,5", "--1", "٣", "9" * 13],
)
def test_what_is_no_number_names_its_field(text: str) -> None:
    with pytest.raises(Problem, match="kwh") as told:
        form_values.number(text, "kwh")
    assert told.value.code == "invalid"


@given(amounts)
def test_a_number_is_read_as_it_is_shown(amount: Decimal) -> None:
    for text in (f"{amount:f}", f"{amount:,f}", f"{amount:,f}".replace("-", "−")):
        assert form_values.read_number(text) == amount


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    found = form_values.read_number(text)
    assert found is None or abs(found) < form_values.NUMBER_MAX


def test_a_whole_number_is_not_cut_from_another() -> None:
    assert form_values.whole("12,000", "stock") == 12_000
    for text in ("1.5", "-1", "5,5"):
        with pytest.raises(Problem, match="stock"):
            form_values.whole(text, "stock")


def test_yuan_are_fen() -> None:
    assert [form_values.fen(one, most=10**8) for one in ("20.5", "1,050.00", "-3")] == [2_050, 105_000, -300]
    for text in ("0.001", "1000000.01"):
        with pytest.raises(Problem, match="amount"):
            form_values.fen(text, most=10**8)


def test_days_and_times_are_those_of_the_island() -> None:
    assert form_values.day(" 2026-11-21 ", "since") == date(2026, 11, 21)
    assert form_values.local_time("2026-11-21T10:43", ZONE, "until") == datetime(2026, 11, 21, 10, 43, tzinfo=ZONE)
    assert form_values.local_time(" ", ZONE, "until") is None
    with pytest.raises(Problem, match="since"):
        form_values.day("", "since")
    with pytest.raises(Problem, match="until"):
        form_values.local_time("tomorrow", ZONE, "until")
