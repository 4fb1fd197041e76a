"""The pass that a driver shows: owns its signed bytes, its text for a QR code, and reading it without a connection.

Text: `IP:` and base45 of 64 bytes of signature (Ed25519) followed by the body, one msgpack array. The signature covers
a kind of its own, so that no other signed body can be shown as a pass. Whether a pass opens a gate is for
`control.gate.permit_check`; a pass is no proof that nobody else shows the same one, which is why it names the plate.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from cloud_sync.contract import base45
from cloud_sync.contract.frame import Fields
from cloud_sync.contract.signed import KeyPair, PublicKey, preimage
from control.domain.errors import ContractError
from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit, PermitClass
from control.domain.plates import normalise

PREFIX = "IP:"
VERSION = 1
KIND = "pass"
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 8
TEXT_MAX = 700
ID_MAX = 64
PLATE_MAX = 16
GATE_MAX = 32
GATES_MAX = 16
ENTRIES_MAX = 1_000_000
QR_VERSION_MAX = 10
_SECONDS_MAX = 253_402_300_799  # the last second of the year 9999, as far as datetime goes

# A pass states its class as a number; a number is never given to another class.
_CLASS_NUMBERS = {PermitClass.EMERGENCY: 0, PermitClass.SPECIAL: 1, PermitClass.STANDING: 2}
_CLASSES = {number: kind for kind, number in _CLASS_NUMBERS.items()}

# ISO/IEC 18004 table 7: alphanumeric characters that a QR code of versions 1 to 20 holds at level M.
_QR_CAPACITY_M = (
    *(20, 38, 61, 90, 122, 154, 178, 221, 262, 311),
    *(366, 419, 483, 528, 600, 656, 734, 816, 909, 970),
)


def issue(permit: Permit, *, issued_at: datetime, key: KeyPair) -> str:
    """The pass of a permit as text. Raises ContractError when the permit does not fit into a code that reads easily."""
    body = msgspec.msgpack.encode(_fields(permit, issued_at, key.public))
    try:
        _read(body)
    except (ContractError, ValueError) as error:
        raise ContractError(f"permit {permit.permit_id} does not fit into a pass: {error}") from error
    text = PREFIX + base45.encode(key.sign(preimage(KIND, body)) + body)
    if qr_version(text) > QR_VERSION_MAX:
        raise ContractError(f"permit {permit.permit_id} names too many gates for a pass: {len(text)} characters")
    return text


def qr_version(text: str) -> int:
    """The smallest QR version that holds the text in alphanumeric mode at level M. Raises ContractError above 20."""
    fitting = (version for version, most in enumerate(_QR_CAPACITY_M, 1) if len(text) <= most)
    version = next(fitting, None)
    if version is None:
        raise ContractError(f"{len(text)} characters are too many for a QR code that a camera reads easily")
    return version


def read_pass(text: str, keys: Iterable[PublicKey]) -> PermitPass | PassProblem:
    """What a pass says, once one of the keys has signed it; otherwise why it is not believed. Never raises."""
    raw = _raw(text)
    if raw is None:
        return PassProblem.MALFORMED
    signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    head = _head(body)
    if isinstance(head, PassProblem):
        return head
    key = next((one for one in keys if one.key_id == head), None)
    if key is None:
        return PassProblem.WRONG_KEY
    if not key.verifies(signature, preimage(KIND, body)):
        return PassProblem.FORGED
    try:
        return _read(body)
    except (ContractError, ValueError):
        return PassProblem.MALFORMED


def _raw(text: str) -> bytes | None:
    """Scanners add line ends; a space is a character of base45 and stays."""
    text = text.strip("\r\n\t\0")
    if len(text) > TEXT_MAX or not text.startswith(PREFIX):
        return None
    try:
        raw = base45.decode(text.removeprefix(PREFIX))
    except ContractError:
        return None
    return raw if len(raw) > SIGNATURE_BYTES else None


def _fields(permit: Permit, issued_at: datetime, key: PublicKey) -> list[object]:
    from_s = _seconds(permit.valid_from)
    return [
        VERSION,
        key.key_id,
        int(issued_at.timestamp() * 1000),
        _packed_id(permit.permit_id),
        normalise(permit.plate),
        _CLASS_NUMBERS[permit.permit_class],
        sorted(permit.gates),
        from_s,
        # A window's end is never stated later than it is.
        int(permit.valid_until.timestamp()) - from_s,
        permit.entries_left,
    ]


def _seconds(at: datetime) -> int:
    """Rounded up, so that nothing begins earlier than it does."""
    return -int(-at.timestamp() // 1)


def _packed_id(permit_id: str) -> str | bytes:
    """A UUID in its usual form takes 16 bytes and not 36."""
    try:
        packed = UUID(permit_id)
    except ValueError:
        return permit_id
    return packed.bytes if str(packed) == permit_id else permit_id


def _decoded(body: bytes) -> list[object] | None:
    try:
        value = msgspec.msgpack.decode(body)
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError, OverflowError):
        return None
    return value if isinstance(value, list) else None


def _head(body: bytes) -> bytes | PassProblem:
    """The key id, read before the signature is checked: which key and which version the rest is in."""
    values = _decoded(body)
    if values is None or len(values) < 2:
        return PassProblem.MALFORMED
    version, key_id = values[0], values[1]
    if type(version) is not int or type(key_id) is not bytes or len(key_id) != KEY_ID_BYTES:
        return PassProblem.MALFORMED
    if version != VERSION:
        return PassProblem.VERSION_TOO_OLD if version < VERSION else PassProblem.VERSION_TOO_NEW
    return key_id


def _read(body: bytes) -> PermitPass:
    """Raises ContractError or ValueError when a field is not what it should be."""
    values = _decoded(body)
    if values is None:
        raise ContractError("the body is no array")
    permit_id = values[3] if len(values) > 3 else None
    if type(permit_id) is bytes:
        values[3] = str(UUID(bytes=permit_id))
    entries = values[9] if len(values) > 9 else None
    fields = Fields(values[:-1] if entries is None else values)
    fields.expect_schema(VERSION)
    key_id = fields.binary(KEY_ID_BYTES)
    issued_ms = fields.integer(0, _SECONDS_MAX * 1000)
    permit_id, plate = fields.text(ID_MAX), fields.text(PLATE_MAX)
    permit_class = _CLASSES[fields.integer(0, len(_CLASSES) - 1)]
    gates = frozenset(fields.texts(GATES_MAX, GATE_MAX))
    from_s = fields.integer(0, _SECONDS_MAX)
    until_s = from_s + fields.integer(1, _SECONDS_MAX - from_s)
    entries_left = None if entries is None else fields.integer(0, ENTRIES_MAX)
    fields.end()
    if not gates or not plate or not permit_id or plate != normalise(plate):
        raise ContractError("plate, gates or permit id are missing or not in their usual form")
    permit = Permit(permit_id, plate, permit_class, _at(from_s), _at(until_s), gates, entries_left)
    return PermitPass(permit, _at(issued_ms / 1000), key_id)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
