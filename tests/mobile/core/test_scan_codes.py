"""Each kind of code is told from the others, also as people type it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.points.crockford import grouped
from control.points.redemption import one_time_code
from control.points.rotating_code import STEP_S, CodeContent, qr_text, step_of, typed_text
from mobile.core.models.scan_codes import CodeKind, as_typed, scanned, typed

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
SECRET = b"k" * 32
BOARD = CodeContent(device_number=77, step=step_of(AT))
ACT = CodeContent(device_number=78, step=step_of(AT), counter=5, amount=500)


@pytest.mark.parametrize("content", [BOARD, ACT])
def test_a_devices_code_says_when_it_was_shown(content: CodeContent) -> None:
    text = qr_text(content, SECRET)
    for given_text in (text, f" {text.lower()}\n", grouped(text)):
        found = scanned(given_text)
        assert (found.kind, found.text) == (CodeKind.DEVICE, text)
        assert found.shown_at is not None
        assert abs(found.shown_at - AT) <= timedelta(seconds=STEP_S)


@pytest.mark.parametrize("content", [BOARD, ACT])
def test_a_devices_short_code_is_typed_and_never_scanned(content: CodeContent) -> None:
    text = typed_text(content, SECRET)
    messy = grouped(text.lower().replace("0", "o").replace("1", "l"))
    found = typed(f" {messy} ")
    assert (found.kind, found.text, found.shown_at) == (CodeKind.DEVICE, text, None)
    assert scanned(text).kind is CodeKind.FOREIGN


def test_the_long_code_can_be_typed_too() -> None:
    text = qr_text(BOARD, SECRET)
    assert typed(text) == scanned(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("IP:6BF9Q$ABC", CodeKind.PASS),
        ("ip:6bf9q", CodeKind.PASS),
        (one_time_code(b"12345678"), CodeKind.TILL),
        (grouped(one_time_code(b"12345678"), 4), CodeKind.TILL),
        ("P7K3QX9F2", CodeKind.PERSON),
        ("https://pay.example/abc", CodeKind.ADDRESS),
        ("WWW.EXAMPLE.COM", CodeKind.ADDRESS),
        ("WIFI:S:island;T:WPA;P:secret;;", CodeKind.FOREIGN),
        ("6901234567892", CodeKind.FOREIGN),
        ("1234567890", CodeKind.FOREIGN),
        ("", CodeKind.FOREIGN),
        ("你好", CodeKind.FOREIGN),
        ("Z1" + "!" * 33, CodeKind.FOREIGN),
        ("Z1" + "0" * 34, CodeKind.FOREIGN),
    ],
)
def test_other_codes_are_named(text: str, kind: CodeKind) -> None:
    assert scanned(text).kind is kind
    assert scanned(text).shown_at is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("7K3", CodeKind.INCOMPLETE),
        ("7K3Q-X9F2", CodeKind.INCOMPLETE),
        ("12345678901", CodeKind.INCOMPLETE),
        ("", CodeKind.FOREIGN),
        ("a code, they say", CodeKind.FOREIGN),
        ("7K3QX9F2*0", CodeKind.FOREIGN),
        ("P7K3QX9F2", CodeKind.PERSON),
    ],
)
def test_a_part_of_a_typed_code_is_told(text: str, kind: CodeKind) -> None:
    assert typed(text).kind is kind


def test_groups_come_while_typing() -> None:
    assert as_typed("7k3qx9f2o1") == "7K3QX-9F201"
    assert as_typed("7K3QX-9F2*") == "7K3QX-9F2*"
    assert as_typed("") == ""


@given(st.text(max_size=120))
def test_no_text_raises(text: str) -> None:
    assert scanned(text).kind in CodeKind
    assert typed(text).kind in CodeKind
    as_typed(text)
