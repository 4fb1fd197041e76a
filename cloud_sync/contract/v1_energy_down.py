"""What the cloud tells a gateway about its microgrid, signed: owns the settings order and the takeover, and their JSON.

A settings order is one version of everything that the controller weighs, retained, so that a gateway that was away
finds it; what the settings may be is judged by `control.energy.settings.read_settings` on both sides. A takeover is
one person's wish about the storage for a while. Keys and envelope are `signed`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cloud_sync.contract.signed import JSON_ERRORS, KeyPair, PublicKey, instant, iso, open_signed, seal, text
from control.domain.errors import ContractError

SETTINGS_KIND = "energy"
TAKEOVER_KIND = "takeover"
_VERSION_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class EnergySettingsOrder:
    """One version for one gateway, in force from `effective_at` on (aware UTC, past: at once).

    `settings` is `settings_json`'s object. A gateway refuses a version lower than the one it has; a higher one takes
    the place of one that still waits. It answers with the event `energy_settings_taken`.
    """

    gateway: str
    version: int
    settings: dict[str, Any]
    effective_at: datetime
    issued_by: str
    issued_at: datetime
    reason: str


class TakeoverMode(StrEnum):
    """What a person wants of the controller."""

    AUTO = "auto"  # back to automatic
    HOLD = "hold"  # 保持: the storage rests, everything at the safe state
    STORAGE = "storage"  # the storage gives `storage_kw`, as far as the hard limits allow


@dataclass(frozen=True, slots=True)
class EnergyTakeover:
    """A person's order, in force from its arrival until `expires_at`; answered by `command_result`.

    `storage_kw` is for `STORAGE` alone: positive discharges, negative charges, kW at the bus.
    """

    command_id: str
    gateway: str
    mode: TakeoverMode
    storage_kw: float | None
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    note: str = ""


def seal_energy_settings(order: EnergySettingsOrder, key: KeyPair) -> bytes:
    """Signed bytes for the topic `energy`, to be retained."""
    return seal(SETTINGS_KIND, energy_settings_json(order), key)


def open_energy_settings(payload: bytes, key: PublicKey) -> EnergySettingsOrder:
    """Raises ContractError for a wrong signature or shape. Whether the settings can be meant is for the caller."""
    value = open_signed(SETTINGS_KIND, payload, key)
    try:
        return _read_settings_order(value)
    except JSON_ERRORS as error:
        raise ContractError(f"the energy settings have a field that is not understood: {error!r}") from error


def seal_takeover(takeover: EnergyTakeover, key: KeyPair) -> bytes:
    """Signed bytes for the topic `takeover`."""
    return seal(TAKEOVER_KIND, takeover_json(takeover), key)


def open_takeover(payload: bytes, key: PublicKey) -> EnergyTakeover:
    """Raises ContractError for a wrong signature or shape. Whether it has expired is for the caller."""
    value = open_signed(TAKEOVER_KIND, payload, key)
    try:
        return _read_takeover(value)
    except JSON_ERRORS as error:
        raise ContractError(f"the takeover has a field that is not understood: {error!r}") from error


def energy_settings_json(order: EnergySettingsOrder) -> dict[str, Any]:
    """The body; v1.schema.json calls it energy_body."""
    return {
        "gateway": order.gateway,
        "version": order.version,
        "settings": order.settings,
        "effective_at": iso(order.effective_at),
        "issued_by": order.issued_by,
        "issued_at": iso(order.issued_at),
        "reason": order.reason,
    }


def takeover_json(takeover: EnergyTakeover) -> dict[str, Any]:
    """The body; v1.schema.json calls it takeover_body."""
    return {
        "command_id": takeover.command_id,
        "gateway": takeover.gateway,
        "mode": takeover.mode.value,
        "storage_kw": takeover.storage_kw,
        "issued_by": takeover.issued_by,
        "issued_at": iso(takeover.issued_at),
        "expires_at": iso(takeover.expires_at),
        "note": takeover.note,
    }


def _read_settings_order(value: dict[str, Any]) -> EnergySettingsOrder:
    version, settings = value["version"], value["settings"]
    if type(version) is not int or not 1 <= version <= _VERSION_MAX:
        raise ContractError("a settings version is a positive integer")
    if not isinstance(settings, dict):
        raise ContractError("the settings are no JSON object")
    return EnergySettingsOrder(
        gateway=text(value["gateway"]),
        version=version,
        settings=settings,
        effective_at=instant(value["effective_at"]),
        issued_by=text(value["issued_by"]),
        issued_at=instant(value["issued_at"]),
        reason=text(value["reason"]),
    )


def _read_takeover(value: dict[str, Any]) -> EnergyTakeover:
    mode = TakeoverMode(value["mode"])
    texts = ("command_id", "gateway", "issued_by", "note")
    return EnergyTakeover(
        **{name: text(value[name]) for name in texts},
        mode=mode,
        storage_kw=_storage_kw(mode, value["storage_kw"]),
        issued_at=instant(value["issued_at"]),
        expires_at=instant(value["expires_at"]),
    )


def _storage_kw(mode: TakeoverMode, value: object) -> float | None:
    if mode is not TakeoverMode.STORAGE:
        if value is not None:
            raise ContractError(f"a takeover with mode {mode.value} has no storage_kw")
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ContractError("a takeover with mode storage needs storage_kw, a number")
    return float(value)
