from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.server.paging import CURSOR_CHARS_MAX, cursor_of, number_of, place_of
from cloud_sync.server.problems import Problem

NOON = datetime(2026, 11, 21, 12, 0, 0, 123, UTC)
keys = st.text(st.characters(categories=("L", "N"), include_characters="-:~."), max_size=20)
moments = st.datetimes(
    NOON.replace(year=2001, tzinfo=None),
    NOON.replace(year=2199, tzinfo=None),
    timezones=st.just(timezone(timedelta(hours=8))),
)


@given(at=moments, key=keys)
def test_a_cursor_names_the_place_that_it_was_made_of(at: datetime, key: str) -> None:
    assert place_of(cursor_of(at, key)) == (at, key)


def test_a_cursor_of_a_long_key_is_taken_by_the_routes() -> None:
    assert len(cursor_of(NOON, "k" * 120)) <= CURSOR_CHARS_MAX


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_a_cursor_the_page_is_the_first(nothing: str | None) -> None:
    assert place_of(nothing) == (None, "")
    assert number_of(nothing) is None


def _made(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "foreign",
    [
        *("x", "W10=", "WzEsIDJd", "////", "琼", "2026-11-21T12:00:00+00:00~v1"),
        _made('{"2026-11-21T12:00:00+00:00": 1, "b": 2}'),
        _made('["2026-11-21T12:00:00", "no zone"]'),
        _made('["0001-01-01T00:00:00+00:00", "before every row"]'),
        _made('["2026-11-21T12:00:00+00:00", "nul\\u0000"]'),
        _made('["2026-11-21T12:00:00+00:00", "half a character \\ud800"]'),
        _made('["2026-11-21T12:00:00+00:00", 7]'),
    ],
)
def test_a_foreign_cursor_is_told(foreign: str) -> None:
    with pytest.raises(Problem, match="bad_cursor"):
        place_of(foreign)


@pytest.mark.parametrize("foreign", ["x", "-1", "1.5", "٣", "1" * 18])
def test_a_number_that_is_none_is_told(foreign: str) -> None:
    with pytest.raises(Problem, match="bad_cursor"):
        number_of(foreign)


def test_a_number_is_read() -> None:
    assert number_of("042") == 42
