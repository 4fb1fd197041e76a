"""What the cloud tells a gateway about its gates, signed: owns snapshot, command and head order and their JSON.

A snapshot is everything a gate needs offline at one version; a command is one person's decision about one held
arrival; a head order is a person's wish about what the vehicle classifier has learnt on site. Keys and envelope are
`signed`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from cloud_sync.contract.signed import (
    JSON_ERRORS,
    KeyPair,
    PublicKey,
    instant,
    iso,
    open_signed,
    seal,
    text,
    text_or_none,
)
from control.domain.errors import ContractError
from control.domain.passages import Outcome
from control.domain.permits import Permit, PermitClass, PermitSnapshot, RegistryEntry, WatchEffect, WatchEntry
from control.domain.plates import normalise

Row = TypeVar("Row", Permit, WatchEntry)


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


def seal_snapshot(snapshot: Snapshot, key: KeyPair) -> bytes:
    """Signed bytes for the snapshot topic."""
    return seal("snapshot", _snapshot_json(snapshot), key)


def open_snapshot(payload: bytes, key: PublicKey) -> Snapshot:
    """Raises ContractError for a wrong signature or shape. Whether it is new is for the caller."""
    value = open_signed("snapshot", payload, key)
    try:
        return _read_snapshot(value)
    except JSON_ERRORS as error:
        raise ContractError(f"the snapshot has a field that is not understood: {error!r}") from error


def seal_command(command: Command, key: KeyPair) -> bytes:
    """Signed bytes for the command topic."""
    return seal("command", _command_json(command), key)


def open_command(payload: bytes, key: PublicKey) -> Command:
    """Raises ContractError for a wrong signature or shape. Whether it has expired is for the caller."""
    value = open_signed("command", payload, key)
    try:
        return _read_command(value)
    except JSON_ERRORS as error:
        raise ContractError(f"the command has a field that is not understood: {error!r}") from error


def seal_head_order(order: HeadOrder, key: KeyPair) -> bytes:
    """Signed bytes for the head topic."""
    return seal("head", _head_order_json(order), key)


def open_head_order(payload: bytes, key: PublicKey) -> HeadOrder:
    """Raises ContractError for a wrong signature or shape. Whether it has expired is for the caller."""
    value = open_signed("head", payload, key)
    try:
        return _read_head_order(value)
    except JSON_ERRORS as error:
        raise ContractError(f"the head order has a field that is not understood: {error!r}") from error


def _snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    taken = snapshot.permits
    return {
        "gateway": snapshot.gateway,
        "version": taken.version,
        "taken_at": iso(taken.taken_at),
        "permits": [_permit_json(p) for rows in taken.permits.values() for p in rows],
        "watch": [_watch_json(w) for rows in taken.watch.values() for w in rows],
        "registry": [_registry_json(r) for r in taken.registry.values()],
        "rules": list(snapshot.rules),
        "revoked": sorted(taken.revoked),
    }


def _permit_json(permit: Permit) -> dict[str, Any]:
    return {
        "permit_id": permit.permit_id,
        "plate": permit.plate,
        "permit_class": permit.permit_class.value,
        "valid_from": iso(permit.valid_from),
        "valid_until": iso(permit.valid_until),
        "gates": sorted(permit.gates),
        "entries_left": permit.entries_left,
        "vehicle_type": permit.vehicle_type,
        "holder": permit.holder,
    }


def _watch_json(entry: WatchEntry) -> dict[str, Any]:
    until = None if entry.valid_until is None else iso(entry.valid_until)
    fixed = {"plate": entry.plate, "effect": entry.effect.value, "reason": entry.reason}
    return {**fixed, "valid_from": iso(entry.valid_from), "valid_until": until}


def _registry_json(entry: RegistryEntry) -> dict[str, Any]:
    return {"plate": entry.plate, "energy": entry.energy, "vehicle_type": entry.vehicle_type}


def _read_snapshot(value: dict[str, Any]) -> Snapshot:
    version = value["version"]
    if type(version) is not int or not 0 <= version < 2**63:
        raise ContractError("a snapshot's version is a non-negative integer")
    permits = PermitSnapshot(
        version=version,
        taken_at=instant(value["taken_at"]),
        permits=_by_plate(_read_permit(p) for p in value["permits"]),
        watch=_by_plate(_read_watch(w) for w in value["watch"]),
        registry={r.plate: r for r in map(_read_registry, value["registry"])},
        # A snapshot that was sealed and stored before passes existed has no such field.
        revoked=frozenset(text(permit_id) for permit_id in value.get("revoked", ())),
    )
    rules = tuple(_object(rule) for rule in value["rules"])
    return Snapshot(text(value["gateway"]), permits, rules)


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
        permit_id=text(value["permit_id"]),
        plate=normalise(text(value["plate"])),
        permit_class=PermitClass(value["permit_class"]),
        valid_from=instant(value["valid_from"]),
        valid_until=instant(value["valid_until"]),
        gates=frozenset(text(gate) for gate in value["gates"]),
        entries_left=entries_left,
        vehicle_type=text_or_none(value["vehicle_type"]),
        holder=text(value["holder"]),
    )


def _read_watch(value: dict[str, Any]) -> WatchEntry:
    until = value["valid_until"]
    plate, reason = normalise(text(value["plate"])), text(value["reason"])
    from_at, until_at = instant(value["valid_from"]), None if until is None else instant(until)
    return WatchEntry(plate, WatchEffect(value["effect"]), reason, from_at, until_at)


def _read_registry(value: dict[str, Any]) -> RegistryEntry:
    plate = normalise(text(value["plate"]))
    return RegistryEntry(plate, text(value["energy"]), text_or_none(value["vehicle_type"]))


def _command_json(command: Command) -> dict[str, Any]:
    return {
        "command_id": command.command_id,
        "gateway": command.gateway,
        "arrival_id": command.arrival_id,
        "lane_id": command.lane_id,
        "outcome": command.outcome,
        "reason_code": command.reason_code,
        "issued_by": command.issued_by,
        "issued_at": iso(command.issued_at),
        "expires_at": iso(command.expires_at),
        "note": command.note,
        "permit_id": command.permit_id,
        "corrected_plate": command.corrected_plate,
    }


def _read_command(value: dict[str, Any]) -> Command:
    texts = ("command_id", "gateway", "arrival_id", "lane_id", "reason_code", "issued_by", "note")
    return Command(
        **{name: text(value[name]) for name in texts},
        outcome=Outcome(value["outcome"]).value,
        issued_at=instant(value["issued_at"]),
        expires_at=instant(value["expires_at"]),
        permit_id=text_or_none(value["permit_id"]),
        corrected_plate=text_or_none(value["corrected_plate"]),
    )


def _head_order_json(order: HeadOrder) -> dict[str, Any]:
    return {
        "command_id": order.command_id,
        "gateway": order.gateway,
        "action": order.action.value,
        "version": order.version,
        "force": order.force,
        "issued_by": order.issued_by,
        "issued_at": iso(order.issued_at),
        "expires_at": iso(order.expires_at),
    }


def _read_head_order(value: dict[str, Any]) -> HeadOrder:
    force = value["force"]
    if type(force) is not bool:
        raise TypeError("force is neither true nor false")
    texts = ("command_id", "gateway", "issued_by", "version")
    return HeadOrder(
        **{name: text(value[name]) for name in texts},
        action=HeadAction(value["action"]),
        force=force,
        issued_at=instant(value["issued_at"]),
        expires_at=instant(value["expires_at"]),
    )


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("a rule is not a JSON object")
    return value
