"""Settings of the microgrid in versions: owns drafts, staging, putting in force, rollback, schedule and takeovers.

A version is a row that is never edited; what happens to it (released, discarded, the gateway's answer) is dated beside
it. The gateway has the last word: a version is in force when it says so. Everything a person does is audited.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import uuid_utils

from cloud_sync.contract.v1 import TakeoverMode
from cloud_sync.server.auth import Can
from cloud_sync.server.live import Change, announce
from cloud_sync.server.problems import Problem
from cloud_sync.server.records_energy import SettingsDesk, SettingsVersion, TakeoverRecord
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import DOWNLINK_CHANNEL, TEXT_CHARS_MAX, Actor, write_audit
from control.energy.settings import EnergySettings, SettingsError, read_settings, settings_json

OPERATOR = Can.OPERATE_ENERGY  # who may change the microgrid; every role may look
SETTINGS_LOCK = 7_301_006
VERSIONS_SHOWN = 50
SCHEDULE_MAX = timedelta(days=366)
TAKEOVER_MIN, TAKEOVER_MAX = timedelta(minutes=1), timedelta(hours=12)
TAKEOVER_KW_MAX = 20_000.0


# ---------------------------------------------------------------- reading


async def desk(db: Reader, gateway_id: str) -> SettingsDesk:
    """The settings in force and the newest versions, newest first."""
    rows = await db.fetch(
        "SELECT * FROM energy_settings WHERE gateway_id = $1 ORDER BY version DESC LIMIT $2", gateway_id, VERSIONS_SHOWN
    )
    used = [row["version"] for row in rows if row["outcome"] == "used"]
    in_force = max(used, default=0)
    versions = tuple(_version(row, in_force) for row in rows)
    found = next((one.settings for one in versions if one.version == in_force), EnergySettings())
    return SettingsDesk(gateway_id, in_force, found, versions)


def _version(row: Any, in_force: int) -> SettingsVersion:
    names = set(SettingsVersion.__dataclass_fields__) - {"settings", "state"}
    return SettingsVersion(
        **{name: row[name] for name in names},
        settings=stored_settings(row["settings"]),
        state=_state(row, in_force),
    )


def _state(row: Any, in_force: int) -> str:
    if row["discarded_at"] is not None:
        return "discarded"
    if row["released_at"] is None:
        return "staged"
    if row["outcome"] == "used":
        return "in_force" if row["version"] == in_force else "past"
    if row["version"] < in_force:
        return "past"
    return {"waiting": "waiting", "refused": "refused"}.get(row["outcome"] or "", "sent")


def stored_settings(value: Any) -> EnergySettings:
    """Settings as stored; a setting that came with a later release of ours has its default."""
    return read_settings(settings_json(EnergySettings()) | _known_only(as_json(value)))


def _known_only(value: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(EnergySettings)}
    return {key: one for key, one in value.items() if key in names}


async def draft(db: Reader, gateway_id: str, username: str, base: SettingsDesk) -> EnergySettings:
    """What this person last tried, on top of what is in force now; the settings in force where there is nothing."""
    row = await db.fetchrow(
        "SELECT settings, based_on FROM energy_drafts WHERE gateway_id = $1 AND username = $2", gateway_id, username
    )
    if row is None or row["based_on"] != base.in_force:
        return base.settings
    return stored_settings(row["settings"])


def changed(settings: EnergySettings, changes: dict[str, Any]) -> EnergySettings:
    """The settings with these changes. Raises Problem `setting_refused` that names the key."""
    try:
        return read_settings(settings_json(settings) | changes)
    except SettingsError as error:
        raise Problem("setting_refused", detail=str(error)) from error


def differences(before: EnergySettings, after: EnergySettings) -> dict[str, tuple[Any, Any]]:
    """What differs, by setting."""
    old, new = settings_json(before), settings_json(after)
    return {key: (old[key], new[key]) for key in new if old[key] != new[key]}


# ---------------------------------------------------------------- drafts and versions


async def keep_draft(
    given: Services, actor: Actor, gateway_id: str, settings: EnergySettings, *, based_on: int
) -> None:
    """What a person tries is there when they come back; a draft changes nothing and is not audited."""
    await given.pool.execute(
        "INSERT INTO energy_drafts (gateway_id, username, settings, based_on, updated_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (gateway_id, username) DO UPDATE SET settings = excluded.settings,"
        " based_on = excluded.based_on, updated_at = excluded.updated_at",
        *(gateway_id, actor.username, _dumped(settings), based_on, given.clock()),
    )


async def drop_draft(given: Services, actor: Actor, gateway_id: str) -> None:
    """Back to what is in force."""
    await given.pool.execute(
        "DELETE FROM energy_drafts WHERE gateway_id = $1 AND username = $2", gateway_id, actor.username
    )


async def stage(
    given: Services,
    actor: Actor,
    gateway_id: str,
    settings: EnergySettings,
    *,
    reason: str,
    effective_at: datetime | None = None,
) -> int:
    """A new version that waits; with a time it goes down now and takes effect then. Its number. Raises Problem."""
    reason = _reason(reason)
    async with given.change() as connection:
        base = await _locked_desk(connection, gateway_id)
        if base.staged is not None:
            raise Problem("version_staged")
        if not differences(base.settings, settings) and base.in_force:
            raise Problem("nothing_changed")
        version = await _insert(
            connection, given, actor, base, settings, reason=reason, source="console", effective_at=effective_at
        )
        if effective_at is not None:
            await _release(connection, given, actor, gateway_id, version, effective_at)
    await drop_draft(given, actor, gateway_id)
    return version


async def release(
    given: Services, actor: Actor, gateway_id: str, version: int, *, effective_at: datetime | None = None
) -> None:
    """Puts a staged version in force, now or at a time. Raises Problem."""
    async with given.change() as connection:
        base = await _locked_desk(connection, gateway_id)
        if base.staged is None or base.staged.version != version:
            raise Problem("version_gone")
        await _release(connection, given, actor, gateway_id, version, effective_at or given.clock())


async def discard(given: Services, actor: Actor, gateway_id: str, version: int) -> None:
    """Gives a staged version up; its row stays. Raises Problem."""
    async with given.change() as connection:
        base = await _locked_desk(connection, gateway_id)
        if base.staged is None or base.staged.version != version:
            raise Problem("version_gone")
        now = given.clock()
        await connection.execute(
            "UPDATE energy_settings SET discarded_at = $3, discarded_by = $4 WHERE gateway_id = $1 AND version = $2",
            *(gateway_id, version, now, actor.username),
        )
        await _told(connection, given, actor, "energy_settings_discarded", gateway_id, {"version": version})


async def roll_back(given: Services, actor: Actor, gateway_id: str, version: int, *, reason: str) -> int:
    """The settings of an earlier version as a new one, in force at once. Its number. Raises Problem."""
    reason = _reason(reason)
    async with given.change() as connection:
        base = await _locked_desk(connection, gateway_id)
        found = base.version(version)
        if version != 0 and (found is None or found.outcome != "used"):
            raise Problem("not_found")
        settings = EnergySettings() if found is None else found.settings
        made = await _insert(
            connection, given, actor, base, settings, reason=reason, source=f"rollback to v{version}", effective_at=None
        )
        await _release(connection, given, actor, gateway_id, made, given.clock())
    return made


async def cancel_scheduled(given: Services, actor: Actor, gateway_id: str, *, reason: str) -> int:
    """What is in force as a new version, so that what was scheduled does not take effect. Raises Problem."""
    reason = _reason(reason)
    async with given.change() as connection:
        base = await _locked_desk(connection, gateway_id)
        if base.underway is None:
            raise Problem("version_gone")
        source = f"cancels v{base.underway.version}"
        made = await _insert(
            connection, given, actor, base, base.settings, reason=reason, source=source, effective_at=None
        )
        await _release(connection, given, actor, gateway_id, made, given.clock())
    return made


async def _locked_desk(connection: Any, gateway_id: str) -> SettingsDesk:
    """Under a lock, so that versions commit in their order: a gateway refuses a lower one."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", SETTINGS_LOCK)
    if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM gateways WHERE gateway_id = $1)", gateway_id):
        raise Problem("not_found")
    return await desk(connection, gateway_id)


async def _insert(
    connection: Any,
    given: Services,
    actor: Actor,
    base: SettingsDesk,
    settings: EnergySettings,
    *,
    reason: str,
    source: str,
    effective_at: datetime | None,
) -> int:
    now = given.clock()
    if effective_at is not None and not now - timedelta(minutes=1) <= effective_at <= now + SCHEDULE_MAX:
        raise Problem("invalid", detail="effective_at must lie in the coming year")
    version = 1 + max((one.version for one in base.versions), default=0)
    await connection.execute(
        "INSERT INTO energy_settings (gateway_id, version, settings, based_on, source, reason, issued_by, issued_at,"
        " effective_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *(base.gateway_id, version, _dumped(settings), base.in_force, source, reason, actor.username, now),
        effective_at,
    )
    changes = differences(base.settings, settings)
    await _told(
        connection,
        given,
        actor,
        "energy_settings_staged",
        base.gateway_id,
        {"version": version, **{key: new for key, (_, new) in changes.items()}},
        before={"version": base.in_force, **{key: old for key, (old, _) in changes.items()}},
        why=reason,
    )
    return version


async def _release(
    connection: Any, given: Services, actor: Actor, gateway_id: str, version: int, effective_at: datetime
) -> None:
    await connection.execute(
        "UPDATE energy_settings SET released_at = $3, released_by = $4, effective_at = $5"
        " WHERE gateway_id = $1 AND version = $2",
        *(gateway_id, version, given.clock(), actor.username, effective_at),
    )
    after = {"version": version, "from": effective_at}
    await _told(connection, given, actor, "energy_settings_released", gateway_id, after)
    await connection.execute("SELECT pg_notify($1, $2)", DOWNLINK_CHANNEL, f"energy {version}")


async def _told(
    connection: Any,
    given: Services,
    actor: Actor,
    action: str,
    gateway_id: str,
    after: dict[str, Any],
    *,
    before: dict[str, Any] | None = None,
    why: str = "",
) -> None:
    await write_audit(
        connection,
        at=given.clock(),
        actor=actor,
        action=action,
        subject=("microgrid", gateway_id),
        before=before,
        after=after,
        why=why,
    )
    await announce(connection, [Change("energy", "settings", gateway_id)])


def _dumped(settings: EnergySettings) -> str:
    return json.dumps(settings_json(settings), ensure_ascii=False)


def _reason(text: str) -> str:
    if not text.strip():
        raise Problem("reason_missing")
    return "".join(char for char in text.strip() if char >= " ")[:TEXT_CHARS_MAX]


# ---------------------------------------------------------------- takeovers


async def take_over(
    given: Services,
    actor: Actor,
    gateway_id: str,
    *,
    mode: TakeoverMode,
    storage_kw: float | None,
    minutes: float,
    note: str,
) -> TakeoverRecord:
    """Orders the gateway to hold, to run the storage at a power, or back to automatic. Raises Problem."""
    note = _reason(note)
    if not math.isfinite(minutes):
        raise Problem("invalid", detail="minutes")
    lasts = timedelta(minutes=min(max(minutes, 0.0), 1e6))
    if mode is not TakeoverMode.AUTO and not TAKEOVER_MIN <= lasts <= TAKEOVER_MAX:
        raise Problem("invalid", detail="minutes")
    if (mode is TakeoverMode.STORAGE) is not (storage_kw is not None):
        raise Problem("invalid", detail="storage_kw")
    if storage_kw is not None and not abs(storage_kw) <= TAKEOVER_KW_MAX:
        raise Problem("invalid", detail="storage_kw")
    now = given.clock()
    expires_at = now + (timedelta(minutes=5) if mode is TakeoverMode.AUTO else lasts)
    async with given.change() as connection:
        if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM gateways WHERE gateway_id = $1)", gateway_id):
            raise Problem("not_found")
        row = await connection.fetchrow(
            "INSERT INTO energy_takeovers (command_id, gateway_id, mode, storage_kw, note, issued_by, issued_at,"
            " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *",
            *(str(uuid_utils.uuid7()), gateway_id, mode.value, storage_kw, note, actor.username, now, expires_at),
        )
        after = {"mode": mode.value, "storage_kw": storage_kw, "until": expires_at}
        await _told(connection, given, actor, "energy_taken_over", gateway_id, after, why=note)
        await connection.execute("SELECT pg_notify($1, $2)", DOWNLINK_CHANNEL, f"takeover {row['command_id']}")
    return TakeoverRecord(**{name: row[name] for name in TakeoverRecord.__dataclass_fields__})


# ---------------------------------------------------------------- what goes down


async def newest_released(db: Reader) -> Sequence[Any]:
    """The newest released version of each enabled gateway, as rows: it is what lies retained on the broker."""
    rows: Sequence[Any] = await db.fetch(
        "SELECT DISTINCT ON (v.gateway_id) v.* FROM energy_settings v JOIN gateways g USING (gateway_id)"
        " WHERE g.enabled AND v.released_at IS NOT NULL ORDER BY v.gateway_id, v.version DESC",
        timeout=5.0,
    )
    return rows


async def unanswered_takeovers(db: Reader, *, now: datetime, published_before: datetime) -> Iterable[Any]:
    """Takeovers to publish (again): not answered, not expired."""
    rows: Iterable[Any] = await db.fetch(
        "SELECT * FROM energy_takeovers WHERE result IS NULL AND expires_at > $1"
        " AND (published_at IS NULL OR published_at < $2) ORDER BY issued_at LIMIT 100",
        now,
        published_before,
        timeout=5.0,
    )
    return rows
