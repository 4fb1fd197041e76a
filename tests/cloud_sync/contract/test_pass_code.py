"""The pass: what it carries, that only its own key's bytes are believed, and that its QR code stays small."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.contract import base45, pass_code
from cloud_sync.contract.pass_code import KIND, PREFIX, QR_VERSION_MAX, issue, qr_version, read_pass
from cloud_sync.contract.signed import KeyPair, preimage
from control.domain.errors import ContractError
from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit, PermitClass

KEY = KeyPair(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = KeyPair(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
ISSUED = AT + timedelta(milliseconds=123)
PERMIT = Permit(
    permit_id="01932f6e-7c11-7abc-8def-0123456789ab",
    plate="琼X1234应急",
    permit_class=PermitClass.SPECIAL,
    valid_from=AT + timedelta(days=1),
    valid_until=AT + timedelta(days=8),
    gates=frozenset({"east", "west"}),
    entries_left=12,
)
TEXT = issue(PERMIT, issued_at=ISSUED, key=KEY)
KEYS = (OTHER.public, KEY.public)


def signed(fields: list[Any], key: KeyPair = KEY, kind: str = KIND) -> str:
    body = msgspec.msgpack.encode(fields)
    return PREFIX + base45.encode(key.sign(preimage(kind, body)) + body)


def fields_of(text: str) -> list[Any]:
    raw = base45.decode(text.removeprefix(PREFIX))
    return list(msgspec.msgpack.decode(raw[pass_code.SIGNATURE_BYTES :]))


def test_a_pass_says_what_the_permit_says() -> None:
    assert read_pass(TEXT, KEYS) == PermitPass(PERMIT, ISSUED, KEY.public.key_id)
    assert read_pass(TEXT + "\r\n", KEYS) == PermitPass(PERMIT, ISSUED, KEY.public.key_id)
    standing = replace(PERMIT, permit_id="office-17", permit_class=PermitClass.STANDING, entries_left=None)
    found = read_pass(issue(standing, issued_at=AT, key=KEY), KEYS)
    assert isinstance(found, PermitPass)
    assert found.permit == standing


def test_the_code_is_small() -> None:
    assert qr_version(TEXT) <= 9
    one_gate = replace(PERMIT, gates=frozenset({"east"}))
    assert qr_version(issue(one_gate, issued_at=AT, key=KEY)) <= 8
    many = replace(PERMIT, gates=frozenset(f"gate-{number:02d}" for number in range(8)))
    assert qr_version(issue(many, issued_at=AT, key=KEY)) <= QR_VERSION_MAX
    assert set(TEXT) <= set(base45.ALPHABET)


@pytest.mark.parametrize(("characters", "version"), [(20, 1), (21, 2), (221, 8), (222, 9), (311, 10), (970, 20)])
def test_the_versions_of_the_standard(characters: int, version: int) -> None:
    assert qr_version("A" * characters) == version


def test_too_long_for_any_version() -> None:
    with pytest.raises(ContractError):
        qr_version("A" * 971)


@pytest.mark.parametrize(
    "changes",
    [
        {"gates": frozenset()},
        {"gates": frozenset(f"gate-{number}" for number in range(17))},
        {"gates": frozenset(f"a-gate-with-a-long-name-{number}" for number in range(8))},
        {"plate": ""},
        {"permit_id": "x" * 65},
        {"valid_until": PERMIT.valid_from},
        {"entries_left": -1},
    ],
)
def test_what_does_not_fit_is_not_issued(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="permit"):
        issue(replace(PERMIT, **changes), issued_at=AT, key=KEY)


def test_a_window_is_never_longer_than_it_is() -> None:
    odd = timedelta(milliseconds=400)
    permit = replace(PERMIT, valid_from=PERMIT.valid_from + odd, valid_until=PERMIT.valid_until + odd)
    found = read_pass(issue(permit, issued_at=AT, key=KEY), KEYS)
    assert isinstance(found, PermitPass)
    assert found.permit.valid_from >= permit.valid_from
    assert found.permit.valid_until <= permit.valid_until


def changed(at: int, value: Any) -> list[Any]:
    fields = fields_of(TEXT)
    fields[at] = value
    return fields


def without_signature_of(key: KeyPair) -> str:
    """Another key's pass that claims to be ours."""
    return signed(changed(1, KEY.public.key_id), key)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", PassProblem.MALFORMED),
        ("HC1:6BF", PassProblem.MALFORMED),
        (TEXT.removeprefix(PREFIX), PassProblem.MALFORMED),
        (TEXT[:60], PassProblem.MALFORMED),
        (TEXT.lower(), PassProblem.MALFORMED),
        (PREFIX + "0" * 800, PassProblem.MALFORMED),
        (signed([]), PassProblem.MALFORMED),
        (signed(changed(0, "1")), PassProblem.MALFORMED),
        (signed(changed(0, True)), PassProblem.MALFORMED),
        (signed(changed(1, b"short")), PassProblem.MALFORMED),
        (signed(changed(0, 0)), PassProblem.VERSION_TOO_OLD),
        (signed(changed(0, 2)), PassProblem.VERSION_TOO_NEW),
        (issue(PERMIT, issued_at=AT, key=KeyPair.generate()), PassProblem.WRONG_KEY),
        (without_signature_of(OTHER), PassProblem.FORGED),
        (signed(fields_of(TEXT), kind="command"), PassProblem.FORGED),
        (signed(changed(3, b"not sixteen")), PassProblem.MALFORMED),
        (signed(changed(4, "琼 x1234")), PassProblem.MALFORMED),
        (signed(changed(5, 3)), PassProblem.MALFORMED),
        (signed(changed(6, [])), PassProblem.MALFORMED),
        (signed(changed(7, 2**60)), PassProblem.MALFORMED),
        (signed(changed(8, 0)), PassProblem.MALFORMED),
        (signed(changed(9, -1)), PassProblem.MALFORMED),
        (signed(fields_of(TEXT)[:-1]), PassProblem.MALFORMED),
        (signed([*fields_of(TEXT), 1]), PassProblem.MALFORMED),
    ],
)
def test_why_a_pass_is_not_believed(text: str, problem: PassProblem) -> None:
    assert read_pass(text, KEYS) is problem


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_changed_bit_is_believed(at: int, bit: int) -> None:
    raw = bytearray(base45.decode(TEXT.removeprefix(PREFIX)))
    raw[at % len(raw)] ^= 1 << bit
    assert isinstance(read_pass(PREFIX + base45.encode(bytes(raw)), KEYS), PassProblem)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: PREFIX + base45.encode(raw)))
def test_no_text_raises(text: str) -> None:
    assert isinstance(read_pass(text, KEYS), PassProblem)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(at=st.integers(0, 9), value=VALUES)
def test_no_signed_nonsense_raises(at: int, value: Any) -> None:
    assert isinstance(read_pass(signed(changed(at, value)), KEYS), PermitPass | PassProblem)


PERMITS = st.builds(
    Permit,
    permit_id=st.uuids().map(str) | st.text(min_size=1, max_size=20),
    plate=st.sampled_from(["琼C12345", "琼AF12345", "WJ琼1234X", "VA12345"]),
    permit_class=st.sampled_from(PermitClass),
    valid_from=st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    valid_until=st.integers(2**32 + 1, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    gates=st.frozensets(st.sampled_from(["east", "west", "north", "south"]), min_size=1),
    entries_left=st.none() | st.integers(0, 1000),
)


@given(permit=PERMITS, issued_ms=st.integers(0, 2**42))
def test_there_and_back(permit: Permit, issued_ms: int) -> None:
    issued_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=issued_ms)
    found = read_pass(issue(permit, issued_at=issued_at, key=KEY), KEYS)
    assert isinstance(found, PermitPass)
    assert found.permit == permit
    assert abs(found.issued_at - issued_at) <= timedelta(milliseconds=1)
