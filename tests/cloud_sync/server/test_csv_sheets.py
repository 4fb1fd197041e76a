from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from cloud_sync.server import csv_sheets


def _read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_text_becomes_a_formula(start: str) -> None:
    assert _read(csv_sheets.lines([[f"{start}1+1"]])) == [[f"'{start}1+1"]]


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    row = [-3, -0.5, Decimal("-12.30"), Decimal("1E+3"), None, "", "琼C·78083"]
    assert _read(csv_sheets.lines([row])) == [["-3", "-0.5", "-12.30", "1000", "", "", "琼C·78083"]]


def test_a_file_opens_as_utf8_and_is_kept_nowhere_on_the_way() -> None:
    made = csv_sheets.answer([["车牌"], ["琼C·78083"]], "plates.csv")
    assert bytes(made.body).decode("utf-8-sig") == "车牌\r\n琼C·78083\r\n"
    assert bytes(made.body).startswith(b"\xef\xbb\xbf")
    assert made.headers["content-disposition"] == 'attachment; filename="plates.csv"'
    assert (made.headers["cache-control"], made.headers["content-type"]) == ("no-store", "text/csv; charset=utf-8")
