"""Version 1 of what gateway and cloud say to each other: owns the messages and their bytes.

Up: `Hello` and `Batch`. Back: `Ack`. Down, signed: `Snapshot`, `Command` and `HeadOrder` (`v1_down`),
`EnergySettingsOrder` and `EnergyTakeover` (`v1_energy_down`), offered here too.
Every message is one zstd frame around one msgpack array that begins with the schema number and the
message's name. Decoding raises ContractError on anything else; v1.schema.json describes the arrays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cloud_sync.contract.chain import HASH_BYTES, event_hash, genesis_hash
from cloud_sync.contract.frame import Fields, pack, unpack
from cloud_sync.contract.signed import KeyPair, PublicKey
from cloud_sync.contract.v1_down import (
    Command,
    HeadAction,
    HeadOrder,
    Snapshot,
    open_command,
    open_head_order,
    open_snapshot,
    seal_command,
    seal_head_order,
    seal_snapshot,
)
from cloud_sync.contract.v1_energy_down import (
    EnergySettingsOrder,
    EnergyTakeover,
    TakeoverMode,
    open_energy_settings,
    open_takeover,
    seal_energy_settings,
    seal_takeover,
)
from control.domain.errors import ContractError

__all__ = [
    "Ack",
    "AckStatus",
    "Batch",
    "ChainBroken",
    "Command",
    "EnergySettingsOrder",
    "EnergyTakeover",
    "EventRow",
    "HeadAction",
    "HeadOrder",
    "Hello",
    "KeyPair",
    "Point",
    "PublicKey",
    "Snapshot",
    "TakeoverMode",
    "batch_of",
    "decode_ack",
    "decode_up",
    "encode_ack",
    "encode_up",
    "genesis_hash",
    "open_command",
    "open_energy_settings",
    "open_head_order",
    "open_snapshot",
    "open_takeover",
    "seal_command",
    "seal_energy_settings",
    "seal_head_order",
    "seal_snapshot",
    "seal_takeover",
    "topic_ack",
    "topic_down",
    "topic_up",
]

SCHEMA = 1
BATCH_ROWS_MAX = 1000
BATCH_BODY_BYTES_MAX = 512 * 1024
BODY_BYTES_MAX = 64 * 1024
UP_RAW_BYTES_MAX = 2 * 1024 * 1024
POINTS_MAX = 128
LANES = (0, 1, 2, 3)
INT63 = 2**63 - 1

GATEWAY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class EventRow(NamedTuple):
    """One journalled fact. A NamedTuple because hundreds of thousands are made in a catch-up.

    `uuid` 16 bytes (version 7); `hlc` see `hlc`; `wall_us` microseconds since 1970; `mono_ns` since boot;
    `body` the JSON object byte for byte as journalled; `hash` the chain's head after this row.
    """

    seq: int
    uuid: bytes
    hlc: int
    wall_us: int
    mono_ns: int
    boot_id: str
    kind: str
    body: bytes
    hash: bytes


class Point(NamedTuple):
    """Head of a chain after row `seq`; points let two sides find where their streams part."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of one stream. `prev_hash` is the head before the first row."""

    gateway: str
    epoch: int
    lane: int
    prev_hash: bytes
    rows: tuple[EventRow, ...]

    @property
    def first_seq(self) -> int:
        """Number of the first row."""
        return self.rows[0].seq

    @property
    def last_seq(self) -> int:
        """Number of the last row."""
        return self.rows[-1].seq

    @property
    def head_hash(self) -> bytes:
        """Head of the chain after the last row."""
        return self.rows[-1].hash


@dataclass(frozen=True, slots=True)
class Hello:
    """First word on a stream. An epoch that the cloud does not know starts after `base_seq`."""

    gateway: str
    epoch: int
    lane: int
    base_seq: int
    head_seq: int
    points: tuple[Point, ...] = ()


class AckStatus(StrEnum):
    """What the cloud did. Only OK and RESUME move the gateway's acknowledged row forward."""

    OK = "ok"
    RESUME = "resume"  # the answer to a Hello
    GAP = "gap"  # rows are missing before the batch: send from applied_seq on
    CHAIN = "chain"  # the batch does not follow the cloud's head: say Hello
    HELLO = "hello"  # the epoch is unknown: say Hello
    CLOCK = "clock"  # the rows after applied_seq are stamped too far ahead of the cloud's clock: put the clock right
    REFUSED = "refused"  # gateway unknown or disabled: wait for a person


@dataclass(frozen=True, slots=True)
class Ack:
    """Cumulative: everything up to `applied_seq` is committed in the cloud's database.

    In a RESUME `agreed_seq` is the highest of the Hello's points that the cloud has with the same hash.
    """

    gateway: str
    epoch: int
    lane: int
    applied_seq: int
    status: AckStatus
    head_hash: bytes = b""
    agreed_seq: int = 0
    detail: str = ""


class ChainBroken(ContractError):
    """A well-formed batch whose rows do not hash to its head."""

    def __init__(self, gateway: str, epoch: int, lane: int) -> None:
        super().__init__(f"batch of {gateway}, epoch {epoch}, lane {lane} does not hash to its head")
        self.gateway, self.epoch, self.lane = gateway, epoch, lane


def topic_up(gateway: str, lane: int) -> str:
    """Where a gateway publishes one lane."""
    return f"island/v1/{gateway}/up/{lane}"


def topic_ack(gateway: str, lane: int) -> str:
    """Where the cloud answers for one lane."""
    return f"island/v1/{gateway}/ack/{lane}"


def topic_down(gateway: str, kind: str) -> str:
    """Where the cloud publishes `snapshot` and `energy` (retained), `command`, `head` and `takeover`."""
    return f"island/v1/{gateway}/down/{kind}"


def batch_of(gateway: str, epoch: int, lane: int, prev_hash: bytes, rows: Sequence[EventRow]) -> Batch:
    """A batch, checked: consecutive numbers, 1 to BATCH_ROWS_MAX rows. Raises ContractError."""
    if not 0 < len(rows) <= BATCH_ROWS_MAX:
        raise ContractError(f"a batch holds 1 to {BATCH_ROWS_MAX} rows, not {len(rows)}")
    if rows[-1].seq - rows[0].seq != len(rows) - 1:
        raise ContractError(f"rows {rows[0].seq} to {rows[-1].seq} are not consecutive")
    return Batch(gateway, epoch, lane, prev_hash, tuple(rows))


def encode_up(message: Batch | Hello) -> bytes:
    """Bytes for the up topic."""
    match message:
        case Batch():
            return pack(_batch_fields(message))
        case Hello():
            points = [[p.seq, p.hash] for p in message.points]
            head = [SCHEMA, "hello", message.gateway, message.epoch, message.lane]
            return pack([*head, message.base_seq, message.head_seq, points])


def _batch_fields(batch: Batch) -> list[object]:
    rows = batch.rows
    boots = list(dict.fromkeys([row.boot_id for row in rows]))
    kinds = list(dict.fromkeys([row.kind for row in rows]))
    boot_at = {boot: i for i, boot in enumerate(boots)}
    kind_at = {kind: i for i, kind in enumerate(kinds)}
    packed = []
    hlc = wall = mono = 0
    for row in rows:
        packed.append(
            (
                row[1],
                row[2] - hlc,
                row[3] - wall,
                row[4] - mono,
                boot_at[row[5]],
                kind_at[row[6]],
                row[7],
            )  # by position: fast
        )
        hlc, wall, mono = row[2], row[3], row[4]
    head = [SCHEMA, "batch", batch.gateway, batch.epoch, batch.lane, batch.first_seq, len(rows)]
    return [*head, batch.prev_hash, batch.head_hash, boots, kinds, packed]


def decode_up(payload: bytes) -> Batch | Hello:
    """What a gateway said. Raises ChainBroken for rows that were altered, ContractError otherwise."""
    fields = unpack(payload, raw_bytes_max=UP_RAW_BYTES_MAX)
    fields.expect_schema(SCHEMA)
    match fields.text(16):
        case "batch":
            return _read_batch(fields)
        case "hello":
            return _read_hello(fields)
        case name:
            raise ContractError(f"no message named {name!r} goes up")


def _stream(fields: Fields) -> tuple[str, int, int]:
    gateway = fields.text(63)
    if not GATEWAY_ID.fullmatch(gateway):
        raise ContractError("gateway id has characters that are not allowed")
    return gateway, fields.integer(1, INT63), fields.integer(LANES[0], LANES[-1])


def _read_hello(fields: Fields) -> Hello:
    gateway, epoch, lane = _stream(fields)
    base_seq, head_seq = fields.integer(0, INT63), fields.integer(0, INT63)
    points = tuple(
        Point(point.integer(0, INT63), point.binary(HASH_BYTES)) for point in fields.children(POINTS_MAX, width=2)
    )
    fields.end()
    return Hello(gateway, epoch, lane, base_seq, head_seq, points)


def _read_batch(fields: Fields) -> Batch:
    gateway, epoch, lane = _stream(fields)
    first_seq, count = fields.integer(1, INT63 - BATCH_ROWS_MAX), fields.integer(1, BATCH_ROWS_MAX)
    prev_hash, head_hash = fields.binary(HASH_BYTES), fields.binary(HASH_BYTES)
    boots, kinds = fields.texts(BATCH_ROWS_MAX, 64), fields.texts(BATCH_ROWS_MAX, 64)
    packed = fields.array(BATCH_ROWS_MAX)
    fields.end()
    if len(packed) != count:
        raise ContractError(f"the header counts {count} rows, the batch holds {len(packed)}")
    rows = _read_rows(packed, first_seq, prev_hash, boots, kinds)
    if rows[-1].hash != head_hash:
        raise ChainBroken(gateway, epoch, lane)
    return Batch(gateway, epoch, lane, prev_hash, rows)


def _read_rows(
    packed: Sequence[object], first_seq: int, prev_hash: bytes, boots: Sequence[str], kinds: Sequence[str]
) -> tuple[EventRow, ...]:
    boots_raw = [boot.encode() for boot in boots]
    kinds_raw = [kind.encode() for kind in kinds]
    rows = []
    hlc = wall = mono = 0
    head = prev_hash
    for seq, item in enumerate(packed, first_seq):
        uuid, hlc_step, wall_step, mono_step, boot, kind, body = _read_row(item, len(boots), len(kinds))
        hlc, wall, mono = hlc + hlc_step, wall + wall_step, mono + mono_step
        if not (0 <= hlc <= INT63 and 0 <= wall <= INT63 and 0 <= mono <= INT63):
            raise ContractError(f"a clock of row {seq} is out of range")
        head = event_hash(head, seq, uuid, hlc, wall, mono, boots_raw[boot], kinds_raw[kind], body)
        rows.append(EventRow(seq, uuid, hlc, wall, mono, boots[boot], kinds[kind], body, head))
    return tuple(rows)


_ROW_TYPES = (bytes, int, int, int, int, int, bytes)


def _read_row(item: object, boots: int, kinds: int) -> tuple[bytes, int, int, int, int, int, bytes]:
    if type(item) is not list or tuple(map(type, item)) != _ROW_TYPES:
        raise ContractError("a row of the batch is not uuid, three clocks, two indices, body")
    uuid, hlc, wall, mono, boot, kind, body = item
    if len(uuid) != 16 or len(body) > BODY_BYTES_MAX or not (0 <= boot < boots and 0 <= kind < kinds):
        raise ContractError("a row of the batch has a field out of range")
    return uuid, hlc, wall, mono, boot, kind, body


def encode_ack(ack: Ack) -> bytes:
    """Bytes for the ack topic."""
    head = [SCHEMA, "ack", ack.gateway, ack.epoch, ack.lane, ack.applied_seq]
    return pack([*head, ack.status.value, ack.head_hash, ack.agreed_seq, ack.detail[:500]])


def decode_ack(payload: bytes) -> Ack:
    """What the cloud answered. Raises ContractError."""
    fields = unpack(payload, raw_bytes_max=64 * 1024)
    fields.expect_schema(SCHEMA)
    if fields.text(16) != "ack":
        raise ContractError("only acknowledgements come on this topic")
    gateway, epoch, lane = _stream(fields)
    applied_seq = fields.integer(0, INT63)
    status = _status(fields.text(16))
    head_hash = fields.binary_up_to(HASH_BYTES)
    agreed_seq, detail = fields.integer(0, INT63), fields.text(500)
    fields.end()
    if len(head_hash) not in (0, HASH_BYTES):
        raise ContractError("a head is 32 bytes or absent")
    return Ack(gateway, epoch, lane, applied_seq, status, head_hash, agreed_seq, detail)


def _status(text: str) -> AckStatus:
    try:
        return AckStatus(text)
    except ValueError as error:
        raise ContractError(f"no acknowledgement has status {text!r}") from error
