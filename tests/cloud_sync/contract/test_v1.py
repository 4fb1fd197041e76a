"""Laws of the contract: what is encoded comes back, what is altered is found, garbage raises ContractError alone."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.contract import v1
from cloud_sync.contract.chain import event_hash, genesis_hash
from cloud_sync.contract.v1 import Ack, AckStatus, Batch, ChainBroken, EventRow, Hello, Point
from control.domain.errors import ContractError

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = json.loads((Path(v1.__file__).parent / "v1.schema.json").read_text(encoding="utf-8"))

gateways = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
numbers = st.integers(0, v1.INT63)
digests = st.binary(min_size=32, max_size=32)
words = st.text(st.characters(codec="utf-8"), max_size=20)


def chained(gateway: str, epoch: int, lane: int, first: int, facts: list[tuple[Any, ...]]) -> Batch:
    head = prev = genesis_hash(gateway, epoch, lane, first - 1)
    rows = []
    for seq, (uuid, hlc, wall, mono, boot, kind, body) in enumerate(facts, first):
        head = event_hash(head, seq, uuid, hlc, wall, mono, boot.encode(), kind.encode(), body)
        rows.append(EventRow(seq, uuid, hlc, wall, mono, boot, kind, body, head))
    return v1.batch_of(gateway, epoch, lane, prev, rows)


facts = st.tuples(st.binary(min_size=16, max_size=16), numbers, numbers, numbers, words, words, st.binary(max_size=60))
batches = st.builds(
    chained,
    gateways,
    st.integers(1, v1.INT63),
    st.sampled_from(v1.LANES),
    st.integers(1, 2**60),
    st.lists(facts, min_size=1, max_size=8),
)
hellos = st.builds(
    Hello,
    gateways,
    st.integers(1, v1.INT63),
    st.sampled_from(v1.LANES),
    numbers,
    numbers,
    st.lists(st.builds(Point, numbers, digests), max_size=5).map(tuple),
)
acks = st.builds(
    Ack,
    gateways,
    st.integers(1, v1.INT63),
    st.sampled_from(v1.LANES),
    numbers,
    st.sampled_from(AckStatus),
    st.one_of(st.just(b""), digests),
    numbers,
    words,
)


@given(st.one_of(batches, hellos))
def test_what_goes_up_comes_back(message: Batch | Hello) -> None:
    assert v1.decode_up(v1.encode_up(message)) == message


@given(acks)
def test_acknowledgements_come_back(ack: Ack) -> None:
    assert v1.decode_ack(v1.encode_ack(ack)) == ack


@given(st.binary(max_size=200))
def test_garbage_raises_contract_errors_alone(garbage: bytes) -> None:
    for decode in (v1.decode_up, v1.decode_ack):
        with pytest.raises(ContractError):
            decode(garbage)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), words, st.binary(max_size=40)),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(words, inner, max_size=3)),
    max_leaves=20,
)


@given(st.lists(values, max_size=14), st.sampled_from(["batch", "hello", "ack", "other"]))
def test_well_packed_nonsense_raises_contract_errors_alone(fields: list[Any], name: str) -> None:
    payload = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode([1, name, *fields]))
    for decode in (v1.decode_up, v1.decode_ack):
        with pytest.raises(ContractError):
            decode(payload)


@given(batches, st.data())
def test_any_altered_byte_of_any_row_breaks_the_chain(batch: Batch, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(batch.rows) - 1))
    row = batch.rows[at]
    name = data.draw(st.sampled_from(["uuid", "hlc", "wall_us", "mono_ns", "boot_id", "kind", "body"]))
    old = getattr(row, name)
    new = _altered(old, data)
    rows = [*batch.rows[:at], row._replace(**{name: new}), *batch.rows[at + 1 :]]
    with pytest.raises(ChainBroken):
        v1.decode_up(v1.encode_up(replace(batch, rows=tuple(rows))))


def _altered(old: Any, data: st.DataObject) -> Any:
    if isinstance(old, int):
        return old ^ (1 << data.draw(st.integers(0, 62)))
    if isinstance(old, str):
        return old + "x"
    if not old:
        return b"x"
    at = data.draw(st.integers(0, len(old) - 1))
    return old[:at] + bytes([old[at] ^ data.draw(st.integers(1, 255))]) + old[at + 1 :]


@given(batches, st.data())
def test_a_flipped_bit_on_the_wire_is_never_taken_for_something_else(batch: Batch, data: st.DataObject) -> None:
    wire = bytearray(v1.encode_up(batch))
    wire[data.draw(st.integers(0, len(wire) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = v1.decode_up(bytes(wire))
    except ContractError:
        return
    assert isinstance(found, Batch)
    assert found.rows == batch.rows  # the flip hit what the rows do not depend on: gateway, epoch or lane


def test_one_stream_cannot_stand_in_for_another() -> None:
    heads = {
        genesis_hash(*key) for key in [("a", 1, 0, 0), ("b", 1, 0, 0), ("a", 2, 0, 0), ("a", 1, 1, 0), ("a", 1, 0, 1)]
    }
    assert len(heads) == 5


def test_bomb_is_refused_unread() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(200_000_000))
    assert len(bomb) < 30_000
    with pytest.raises(ContractError, match="must state a size"):
        v1.decode_up(bomb)


def test_frame_that_hides_its_size_is_refused() -> None:
    hidden = zstandard.ZstdCompressor(write_content_size=False).compress(b"\x91\x01")
    with pytest.raises(ContractError):
        v1.decode_up(hidden)


def test_frame_that_lies_about_its_size_is_refused() -> None:
    frame = bytearray(zstandard.ZstdCompressor().compress(bytes(1000)))
    at = bytes(frame).index(struct.pack("<H", 1000 - 256))
    frame[at : at + 2] = struct.pack("<H", 100)
    with pytest.raises(ContractError):
        v1.decode_up(bytes(frame))


def test_deep_nesting_is_refused() -> None:
    deep = b"\x91" * 100_000 + b"\xc0"
    with pytest.raises(ContractError):
        v1.decode_up(zstandard.ZstdCompressor().compress(deep))


@pytest.mark.parametrize("count", [0, 1001])
def test_batch_holds_1_to_1000_rows(count: int) -> None:
    rows = [EventRow(seq, b"", 0, 0, 0, "", "", b"", b"") for seq in range(1, count + 1)]
    with pytest.raises(ContractError):
        v1.batch_of("gw", 1, 0, b"", rows)


def test_batch_has_no_holes() -> None:
    rows = [EventRow(seq, b"", 0, 0, 0, "", "", b"", b"") for seq in (1, 3)]
    with pytest.raises(ContractError, match="not consecutive"):
        v1.batch_of("gw", 1, 0, b"", rows)


def golden_messages() -> dict[str, Batch | Hello | Ack]:
    """One of each, with every field set. Their bytes in `golden/` must be read by every later version 1."""
    body = '{"device":"camera","lane_id":"东1","why":"silent","at":"2026-11-21T02:42:31.000Z"}'.encode()
    row = (bytes(range(16)), 115_000_000_000_000_000, 1_700_000_000_123_456, 99, "boot-1", "device_lost", body)
    batch = chained("gw-east", 42, 1, 7, [row, (*row[:6], b"{}")])
    return {
        "batch": batch,
        "hello": Hello("gw-east", 42, 1, 6, 8, (Point(8, batch.head_hash),)),
        "ack": Ack("gw-east", 42, 1, 8, AckStatus.RESUME, batch.head_hash, 6, "as asked"),
    }


@pytest.mark.parametrize("name", ["batch", "hello", "ack"])
def test_golden_bytes_are_read_as_ever(name: str) -> None:
    payload = (GOLDEN / f"v1_{name}.bin").read_bytes()
    decode = v1.decode_ack if name == "ack" else v1.decode_up
    assert decode(payload) == golden_messages()[name]


@pytest.mark.parametrize("name", ["batch", "hello", "ack"])
def test_golden_messages_follow_the_schema(name: str) -> None:
    raw = zstandard.ZstdDecompressor().decompress((GOLDEN / f"v1_{name}.bin").read_bytes())
    jsonschema.validate(_plain(msgspec.msgpack.decode(raw)), SCHEMA)


def _plain(value: Any) -> Any:
    """Binary as hexadecimal text, as the schema describes it."""
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(item) for item in value] if isinstance(value, list) else value
