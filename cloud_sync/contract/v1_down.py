"""What the cloud tells a gateway, signed: owns snapshot, command and head order, their JSON and their envelope.

A snapshot is everything a gate needs offline at one version; a command is one person's decision about one held
arrival; a head order is a person's wish about what the vehicle classifier has learnt on site. The signature (Ed25519)
covers the kind, so that one cannot be passed off as the other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_sync.contract.frame import pack, unpack
from control.domain.errors import ContractError
from control.domain.passages import Outcome
from control.domain.permits import Permit, PermitClass, PermitSnapshot, RegistryEntry, WatchEffect, WatchEntry
from control.domain.plates import normalise

SCHEMA = 1
DOWN_RAW_BYTES_MAX = 32 * 1024 * 1024
_PUBLIC_PREFIX = "ed25519:"
Row = TypeVar("Row", Permit, WatchEntry)

_JSON_ERRORS = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of everything for one gateway. `rules` are rows for `control.gate.rules`, as JSON objects."""

    gateway: str
    permits: PermitSnapshot
    rules: tuple[dict[str, Any], ...] = ()

    @property
    def version(self) -> int:
        """Grows with every change; a gateway refuses a lower one."""
        return self.permits.version


@dataclass(frozen=True, slots=True)
class Command:
    """A person's decision about a held arrival; `outcome` is an `Outcome` value. Times are aware UTC."""

    command_id: str
    gateway: str
    arrival_id: str
    lane_id: str
    outcome: str
    reason_code: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    note: str = ""
    permit_id: str | None = None
    corrected_plate: str | None = None


class HeadAction(StrEnum):
    """What can be done with the versions of a gateway's vehicle head."""

    ADAPT = "adapt"
    USE = "use"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class HeadOrder:
    """A person's order about the vehicle head. `version` is for `use`; `force` adapts even if it is worse."""

    command_id: str
    gateway: str
    action: HeadAction
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    version: str = ""
    force: bool = False


class PublicKey:
    """The half that gateways hold. Its text form is `ed25519:` and base64."""

    __slots__ = ("_key", "key_id")

    def __init__(self, raw: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.key_id = sha256(raw).digest()[:8]

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """Raises ContractError when the text is not a key."""
        try:
            return cls(base64.b64decode(text.strip().removeprefix(_PUBLIC_PREFIX), validate=True))
        except ValueError as error:
            raise ContractError("not a public key: expected ed25519: and base64 of 32 bytes") from error

    def text(self) -> str:
        """One line for a file or a form."""
        return _PUBLIC_PREFIX + base64.b64encode(self.raw()).decode()

    def raw(self) -> bytes:
        """32 bytes."""
        return self._key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is the other half's."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class KeyPair:
    """The half that the cloud holds."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.public = PublicKey(raw)

    @classmethod
    def generate(cls) -> KeyPair:
        """A new pair from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> KeyPair:
        """Raises ContractError when the PEM holds no Ed25519 private key."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise ContractError("not a private key in PEM form") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ContractError("the private key is not Ed25519")
        return cls(key)

    def pem(self) -> bytes:
        """PKCS 8, not encrypted: keep the file at 0600."""
        form = serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)


def seal_snapshot(snapshot: Snapshot, key: KeyPair) -> bytes:
    """Signed bytes for the snapshot topic."""
    return _seal("snapshot", _snapshot_json(snapshot), key)


def open_snapshot(payload: bytes, key: PublicKey) -> Snapshot:
    """Raises ContractError for a wrong signature or shape. Whether it is new is for the caller."""
    value = _open("snapshot", payload, key)
    try:
        return _read_snapshot(value)
    except _JSON_ERRORS as error:
        raise ContractError(f"the snapshot has a field that is not understood: {error!r}") from error


def seal_command(command: Command, key: KeyPair) -> bytes:
    """Signed bytes for the command topic."""
    return _seal("command", _command_json(command), key)


def open_command(payload: bytes, key: PublicKey) -> Command:
    """Raises ContractError for a wrong signature or shape. Whether it has expired is for the caller."""
    value = _open("command", payload, key)
    try:
        return _read_command(value)
    except _JSON_ERRORS as error:
        raise ContractError(f"the command has a field that is not understood: {error!r}") from error


def seal_head_order(order: HeadOrder, key: KeyPair) -> bytes:
    """Signed bytes for the head topic."""
    return _seal("head", _head_order_json(order), key)


def open_head_order(payload: bytes, key: PublicKey) -> HeadOrder:
    """Raises ContractError for a wrong signature or shape. Whether it has expired is for the caller."""
    value = _open("head", payload, key)
    try:
        return _read_head_order(value)
    except _JSON_ERRORS as error:
        raise ContractError(f"the head order has a field that is not understood: {error!r}") from error


def _seal(kind: str, value: dict[str, Any], key: KeyPair) -> bytes:
    body = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return pack([SCHEMA, "signed", kind, key.public.key_id, body, key.sign(_preimage(kind, body))])


def _preimage(kind: str, body: bytes) -> bytes:
    return f"island/v1/{kind}\0".encode() + body


def _open(kind: str, payload: bytes, key: PublicKey) -> dict[str, Any]:
    fields = unpack(payload, raw_bytes_max=DOWN_RAW_BYTES_MAX)
    fields.expect_schema(SCHEMA)
    if fields.text(16) != "signed" or fields.text(16) != kind:
        raise ContractError(f"this is no signed {kind}")
    key_id, body, signature = fields.binary(8), fields.binary_up_to(DOWN_RAW_BYTES_MAX), fields.binary(64)
    fields.end()
    if key_id != key.key_id:
        raise ContractError(f"the {kind} is signed by another key ({key_id.hex()}): check cloud.public_key_file")
    if not key.verifies(signature, _preimage(kind, body)):
        raise ContractError(f"the signature of the {kind} does not hold")
    return _json_object(body)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ContractError("the signed body is not JSON") from error
    if not isinstance(value, dict):
        raise ContractError("the signed body is not a JSON object")
    return value


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _at(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return at.astimezone(UTC)


def _snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    taken = snapshot.permits
    return {
        "gateway": snapshot.gateway,
        "version": taken.version,
        "taken_at": _iso(taken.taken_at),
        "permits": [_permit_json(p) for rows in taken.permits.values() for p in rows],
        "watch": [_watch_json(w) for rows in taken.watch.values() for w in rows],
        "registry": [_registry_json(r) for r in taken.registry.values()],
        "rules": list(snapshot.rules),
    }


def _permit_json(permit: Permit) -> dict[str, Any]:
    return {
        "permit_id": permit.permit_id,
        "plate": permit.plate,
        "permit_class": permit.permit_class.value,
        "valid_from": _iso(permit.valid_from),
        "valid_until": _iso(permit.valid_until),
        "gates": sorted(permit.gates),
        "entries_left": permit.entries_left,
        "vehicle_type": permit.vehicle_type,
        "holder": permit.holder,
    }


def _watch_json(entry: WatchEntry) -> dict[str, Any]:
    until = None if entry.valid_until is None else _iso(entry.valid_until)
    fixed = {"plate": entry.plate, "effect": entry.effect.value, "reason": entry.reason}
    return {**fixed, "valid_from": _iso(entry.valid_from), "valid_until": until}


def _registry_json(entry: RegistryEntry) -> dict[str, Any]:
    return {"plate": entry.plate, "energy": entry.energy, "vehicle_type": entry.vehicle_type}


def _read_snapshot(value: dict[str, Any]) -> Snapshot:
    version = value["version"]
    if type(version) is not int or not 0 <= version < 2**63:
        raise ContractError("a snapshot's version is a non-negative integer")
    permits = PermitSnapshot(
        version=version,
        taken_at=_at(value["taken_at"]),
        permits=_by_plate(_read_permit(p) for p in value["permits"]),
        watch=_by_plate(_read_watch(w) for w in value["watch"]),
        registry={r.plate: r for r in map(_read_registry, value["registry"])},
    )
    rules = tuple(_object(rule) for rule in value["rules"])
    return Snapshot(_string(value["gateway"]), permits, rules)


def _by_plate(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.plate, []).append(row)
    return {plate: tuple(of_plate) for plate, of_plate in found.items()}


def _read_permit(value: dict[str, Any]) -> Permit:
    entries_left = value["entries_left"]
    if entries_left is not None and (type(entries_left) is not int or entries_left < 0):
        raise ValueError("entries_left is neither null nor a count")
    return Permit(
        permit_id=_string(value["permit_id"]),
        plate=normalise(_string(value["plate"])),
        permit_class=PermitClass(value["permit_class"]),
        valid_from=_at(value["valid_from"]),
        valid_until=_at(value["valid_until"]),
        gates=frozenset(_string(gate) for gate in value["gates"]),
        entries_left=entries_left,
        vehicle_type=_string_or_none(value["vehicle_type"]),
        holder=_string(value["holder"]),
    )


def _read_watch(value: dict[str, Any]) -> WatchEntry:
    until = value["valid_until"]
    plate, reason = normalise(_string(value["plate"])), _string(value["reason"])
    from_at, until_at = _at(value["valid_from"]), None if until is None else _at(until)
    return WatchEntry(plate, WatchEffect(value["effect"]), reason, from_at, until_at)


def _read_registry(value: dict[str, Any]) -> RegistryEntry:
    plate = normalise(_string(value["plate"]))
    return RegistryEntry(plate, _string(value["energy"]), _string_or_none(value["vehicle_type"]))


def _command_json(command: Command) -> dict[str, Any]:
    return {
        "command_id": command.command_id,
        "gateway": command.gateway,
        "arrival_id": command.arrival_id,
        "lane_id": command.lane_id,
        "outcome": command.outcome,
        "reason_code": command.reason_code,
        "issued_by": command.issued_by,
        "issued_at": _iso(command.issued_at),
        "expires_at": _iso(command.expires_at),
        "note": command.note,
        "permit_id": command.permit_id,
        "corrected_plate": command.corrected_plate,
    }


def _read_command(value: dict[str, Any]) -> Command:
    texts = ("command_id", "gateway", "arrival_id", "lane_id", "reason_code", "issued_by", "note")
    return Command(
        **{name: _string(value[name]) for name in texts},
        outcome=Outcome(value["outcome"]).value,
        issued_at=_at(value["issued_at"]),
        expires_at=_at(value["expires_at"]),
        permit_id=_string_or_none(value["permit_id"]),
        corrected_plate=_string_or_none(value["corrected_plate"]),
    )


def _head_order_json(order: HeadOrder) -> dict[str, Any]:
    return {
        "command_id": order.command_id,
        "gateway": order.gateway,
        "action": order.action.value,
        "version": order.version,
        "force": order.force,
        "issued_by": order.issued_by,
        "issued_at": _iso(order.issued_at),
        "expires_at": _iso(order.expires_at),
    }


def _read_head_order(value: dict[str, Any]) -> HeadOrder:
    force = value["force"]
    if type(force) is not bool:
        raise TypeError("force is neither true nor false")
    texts = ("command_id", "gateway", "issued_by", "version")
    return HeadOrder(
        **{name: _string(value[name]) for name in texts},
        action=HeadAction(value["action"]),
        force=force,
        issued_at=_at(value["issued_at"]),
        expires_at=_at(value["expires_at"]),
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _string_or_none(value: object) -> str | None:
    return None if value is None else _string(value)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("a rule is not a JSON object")
    return value
