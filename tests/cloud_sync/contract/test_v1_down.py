"""Signed messages: what is sealed opens with the right key, and with nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_sync.contract import signed, v1, v1_down
from cloud_sync.contract.frame import pack
from cloud_sync.contract.v1 import Command, HeadAction, HeadOrder, KeyPair, PublicKey, Snapshot
from control.domain.errors import ContractError
from control.domain.permits import Permit, PermitClass, PermitSnapshot, RegistryEntry, WatchEffect, WatchEntry
from control.domain.plates import normalise

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
KEY = KeyPair.generate()
SCHEMA = json.loads((Path(v1.__file__).parent / "v1.schema.json").read_text(encoding="utf-8"))
DOWN = {"$ref": "#/$defs/snapshot_body", "$defs": SCHEMA["$defs"]}

instants = st.integers(946_684_800_000, 4_102_444_800_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
words = st.text(st.characters(codec="utf-8"), max_size=12)
plates = words.map(normalise)
permits = st.builds(
    Permit,
    permit_id=words,
    plate=plates,
    permit_class=st.sampled_from(PermitClass),
    valid_from=instants,
    valid_until=instants,
    gates=st.frozensets(words, max_size=3),
    entries_left=st.none() | st.integers(0, 99),
    vehicle_type=st.none() | words,
    holder=words,
)
watched = st.builds(WatchEntry, plates, st.sampled_from(WatchEffect), words, instants, st.none() | instants)
registered = st.builds(RegistryEntry, plates, words, st.none() | words)


def by_plate(rows: list[Any]) -> dict[str, tuple[Any, ...]]:
    return {plate: tuple(row for row in rows if row.plate == plate) for plate in {row.plate for row in rows}}


def snapshot_of(version: int, taken_at: datetime, *parts: list[Any]) -> Snapshot:
    permit_rows, watch_rows, registry_rows = parts
    registry = {row.plate: row for row in registry_rows}
    revoked = frozenset(f"gone {row.permit_id}" for row in permit_rows)
    taken = PermitSnapshot(version, taken_at, by_plate(permit_rows), by_plate(watch_rows), registry, revoked)
    return Snapshot("gw-east", taken, ({"version": "2026.1", "rule": []},))


snapshots = st.builds(
    snapshot_of,
    st.integers(0, 2**62),
    instants,
    st.lists(permits, max_size=4),
    st.lists(watched, max_size=4),
    st.lists(registered, max_size=4),
)
COMMAND = Command(
    command_id="c-1",
    gateway="gw-east",
    arrival_id="a-1",
    lane_id="east-in",
    outcome="admit",
    reason_code="guard_knows",
    issued_by="li",
    issued_at=AT,
    expires_at=AT + timedelta(seconds=20),
    note="送货",
    permit_id="p-1",
    corrected_plate="琼A12345",
)


@given(snapshots)
def test_snapshot_opens_as_it_was_sealed(snapshot: Snapshot) -> None:
    assert v1.open_snapshot(v1.seal_snapshot(snapshot, KEY), KEY.public) == snapshot


@settings(max_examples=15)
@given(snapshots)
def test_snapshot_follows_the_schema(snapshot: Snapshot) -> None:
    jsonschema.validate(v1_down._snapshot_json(snapshot), DOWN)


def test_command_opens_as_it_was_sealed() -> None:
    assert v1.open_command(v1.seal_command(COMMAND, KEY), KEY.public) == COMMAND


HEAD_ORDER = HeadOrder(
    command_id="c-2",
    gateway="gw-east",
    action=HeadAction.USE,
    issued_by="li",
    issued_at=AT,
    expires_at=AT + timedelta(minutes=5),
    version="site-20261121-090000",
    force=True,
)


def test_head_order_opens_as_it_was_sealed_and_follows_the_schema() -> None:
    assert v1.open_head_order(v1.seal_head_order(HEAD_ORDER, KEY), KEY.public) == HEAD_ORDER
    schema = {"$ref": "#/$defs/head_body", "$defs": SCHEMA["$defs"]}
    jsonschema.validate(v1_down._head_order_json(HEAD_ORDER), schema)


@given(st.sampled_from(list(v1_down._head_order_json(HEAD_ORDER))), st.none() | st.integers() | words)
def test_a_well_signed_nonsense_order_raises_contract_errors_alone(field: str, value: Any) -> None:
    body = json.dumps({**v1_down._head_order_json(HEAD_ORDER), field: value}).encode()
    payload = pack([1, "signed", "head", KEY.public.key_id, body, KEY.sign(signed.preimage("head", body))])
    try:
        v1.open_head_order(payload, KEY.public)
    except ContractError:
        return
    assert isinstance(value, str)


def test_a_command_is_no_head_order() -> None:
    with pytest.raises(ContractError, match="no signed head"):
        v1.open_head_order(v1.seal_command(COMMAND, KEY), KEY.public)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(ContractError, match="another key"):
        v1.open_command(v1.seal_command(COMMAND, KEY), KeyPair.generate().public)


def test_a_command_is_no_snapshot() -> None:
    with pytest.raises(ContractError, match="no signed snapshot"):
        v1.open_snapshot(v1.seal_command(COMMAND, KEY), KEY.public)


def test_signature_of_one_kind_does_not_serve_the_other() -> None:
    body = b"{}"
    signature = KEY.sign(signed.preimage("command", body))
    forged = pack([1, "signed", "snapshot", KEY.public.key_id, body, signature])
    with pytest.raises(ContractError, match="does not hold"):
        v1.open_snapshot(forged, KEY.public)


@given(st.data())
def test_altered_body_does_not_open(data: st.DataObject) -> None:
    body = json.dumps(v1_down._command_json(COMMAND)).encode()
    signature = KEY.sign(signed.preimage("command", body))
    at = data.draw(st.integers(0, len(body) - 1))
    altered = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
    with pytest.raises(ContractError, match="does not hold"):
        v1.open_command(pack([1, "signed", "command", KEY.public.key_id, altered, signature]), KEY.public)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=3)),
    max_leaves=8,
)
FIELDS = list(v1_down._command_json(COMMAND))


@given(st.sampled_from(FIELDS), values)
def test_well_signed_nonsense_raises_contract_errors_alone(field: str, value: Any) -> None:
    body = json.dumps({**v1_down._command_json(COMMAND), field: value}).encode()
    payload = pack([1, "signed", "command", KEY.public.key_id, body, KEY.sign(signed.preimage("command", body))])
    try:
        v1.open_command(payload, KEY.public)
    except ContractError:
        return
    assert isinstance(value, str | None)


@given(st.binary(max_size=100))
def test_garbage_raises_contract_errors_alone(garbage: bytes) -> None:
    for opened in (v1.open_snapshot, v1.open_command, v1.open_head_order):
        with pytest.raises(ContractError):
            opened(garbage, KEY.public)


def test_keys_survive_their_files() -> None:
    again = KeyPair.from_pem(KEY.pem())
    assert PublicKey.from_text(again.public.text() + "\n").key_id == KEY.public.key_id


@pytest.mark.parametrize("text", ["", "ed25519:", "ed25519:AAAA", "nonsense", "ed25519:é"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        PublicKey.from_text(text)
