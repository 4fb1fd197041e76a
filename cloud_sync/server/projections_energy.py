"""From the microgrid's events to tables: owns what is kept of samples, plans, modes, alarms, sessions and answers.

A value that a sample does not have is null. Of a sample's devices only quarter hours and the newest sample keep theirs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.bodies import parsed_time
from cloud_sync.server.live import Change
from cloud_sync.server.projection_parts import Batch, Fact, Writer, at_of
from control.domain.events import (
    ChargingSession,
    CommandResult,
    EnergyAlarmCleared,
    EnergyAlarmRaised,
    EnergyModeChanged,
    EnergyPlanned,
    EnergySample,
    EnergySettingsTaken,
)

TABLES = ("energy_samples", "energy_state", "energy_plans", "energy_modes", "energy_alarms", "charging_sessions")
POWERS = ("pv", "load", "ev", "storage", "grid", "curtailed", "shed")
ENERGIES = ("pv", "load", "ev", "charged", "discharged", "imported", "exported", "curtailed", "unserved")
DEVICES_KEPT_FROM_S = 900
LIVE_PERIOD_S = 10
_VALUE_MAX = 1e9
_SAMPLE_COLUMNS = (
    *("gateway_id", "period_s", "at", "mode"),
    *(f"{name}_kw" for name in POWERS),
    *(f"{name}_kwh" for name in ENERGIES),
    *("soc_frac", "peak_import_kw", "frequency_hz", "good_frac", "binding", "settings_version", "devices"),
)
_SAMPLE_SQL = (
    f"INSERT INTO energy_samples ({', '.join(_SAMPLE_COLUMNS)})"
    f" VALUES ({', '.join(f'${place}' for place in range(1, len(_SAMPLE_COLUMNS) + 1))})"
    " ON CONFLICT (gateway_id, period_s, at) DO NOTHING"
)


def _energy_changed(batch: Batch, key: str) -> list[Change]:
    return [Change("energy", key, batch.gateway_id)]


def _number(value: object) -> float | None:
    """A number that a column can hold; anything else was not known."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and abs(value) < _VALUE_MAX else None


async def _sampled(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[EnergySample] = [fact.body for fact in facts]
    await batch.connection.executemany(_SAMPLE_SQL, [_sample_row(batch, one) for one in bodies])
    live = [one for one in bodies if 0 < one.period_s <= LIVE_PERIOD_S]
    if live:
        await _newest(batch, live)
    return _energy_changed(batch, "sample")


async def _newest(batch: Batch, live: Sequence[EnergySample]) -> None:
    """What a page shows as now, measured until the end of its period; after a second without devices they stay."""
    newest = max(live, key=_ended)
    named = max((one for one in live if one.devices), key=_ended, default=newest)
    await batch.connection.execute(
        "INSERT INTO energy_state (gateway_id, at, received_at, body) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (gateway_id) DO UPDATE SET at = excluded.at, received_at = excluded.received_at,"
        " body = CASE WHEN excluded.body -> 'devices' = '{}'"
        "   THEN jsonb_set(excluded.body, '{devices}', energy_state.body -> 'devices') ELSE excluded.body END"
        " WHERE energy_state.at <= excluded.at",
        *(batch.gateway_id, _ended(newest), batch.received_at),
        json.dumps(asdict(newest) | {"devices": named.devices}, ensure_ascii=False),
    )


def _ended(one: EnergySample) -> datetime:
    return at_of(one.at) + timedelta(seconds=one.period_s)


def _sample_row(batch: Batch, one: EnergySample) -> tuple[Any, ...]:
    devices = json.dumps(one.devices, ensure_ascii=False) if one.period_s >= DEVICES_KEPT_FROM_S else None
    return (
        *(batch.gateway_id, one.period_s, at_of(one.at), one.mode),
        *(_number(one.kw.get(name)) for name in POWERS),
        *(_number(one.kwh.get(name)) for name in ENERGIES),
        *(_number(one.soc_frac), _number(one.peak_import_kw), _number(one.frequency_hz)),
        *(one.good_frac, one.binding, one.settings_version, devices),
    )


async def _planned(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[EnergyPlanned] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO energy_plans (gateway_id, at, starts_at, slot_s, rung, settings_version, made_ms, ride_through_h,"
        " series, because, violations) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (gateway_id, at) DO NOTHING",
        [
            (
                *(batch.gateway_id, at_of(one.at), at_of(one.starts_at), one.slot_s, one.rung, one.settings_version),
                *(one.made_ms, _number(one.ride_through_h), json.dumps(one.series)),
                *(json.dumps(one.because, ensure_ascii=False), one.violations),
            )
            for one in bodies
        ],
    )
    return _energy_changed(batch, "plan")


async def _mode_changed(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[tuple[Any, EnergyModeChanged]] = [(fact.uuid, fact.body) for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO energy_modes (event_uuid, gateway_id, before, after, why, at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (event_uuid) DO NOTHING",
        [(uuid, batch.gateway_id, one.before, one.after, one.why, at_of(one.at)) for uuid, one in bodies],
    )
    return _energy_changed(batch, "mode")


async def _alarm_raised(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[EnergyAlarmRaised] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO energy_alarms (gateway_id, alarm_id, code, severity, device, evidence, suggestion, lost_kwh,"
        " raised_at, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (gateway_id, alarm_id) DO UPDATE SET severity = excluded.severity, evidence = excluded.evidence,"
        " suggestion = excluded.suggestion, lost_kwh = excluded.lost_kwh",
        [
            (
                *(batch.gateway_id, one.alarm_id, one.code, one.severity, one.device),
                *(json.dumps(one.evidence, ensure_ascii=False), one.suggestion, _number(one.lost_kwh)),
                *(at_of(one.at), batch.received_at),
            )
            for one in bodies
        ],
    )
    return _energy_changed(batch, "alarm")


async def _alarm_cleared(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[EnergyAlarmCleared] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "UPDATE energy_alarms SET cleared_at = $3, after_s = $4, lost_kwh = coalesce($5, lost_kwh)"
        " WHERE gateway_id = $1 AND alarm_id = $2",
        [(batch.gateway_id, one.alarm_id, at_of(one.at), one.after_s, _number(one.lost_kwh)) for one in bodies],
    )
    return _energy_changed(batch, "alarm")


async def _settings_taken(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    """The newest answer counts: `waiting` comes before `used`."""
    bodies: list[EnergySettingsTaken] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "UPDATE energy_settings SET outcome = $3, outcome_detail = $4, outcome_at = $5"
        " WHERE gateway_id = $1 AND version = $2 AND (outcome_at IS NULL OR outcome_at <= $5)",
        [(batch.gateway_id, one.version, one.outcome, one.detail, at_of(one.at)) for one in bodies],
    )
    return _energy_changed(batch, "settings")


async def _charging(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[ChargingSession] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO charging_sessions (gateway_id, session_id, charger, phase, started_at, updated_at, ended_at,"
        " energy_kwh, fed_back_kwh, soc_frac, depart_at, power_kw)"
        " VALUES ($1, $2, $3, $4, $5, $5, CASE WHEN $4 = 'ended' THEN $5::timestamptz END, $6, $7, $8, $9, $10)"
        " ON CONFLICT (gateway_id, session_id) DO UPDATE SET charger = excluded.charger, phase = excluded.phase,"
        " updated_at = excluded.updated_at, ended_at = excluded.ended_at, energy_kwh = excluded.energy_kwh,"
        " fed_back_kwh = excluded.fed_back_kwh, soc_frac = coalesce(excluded.soc_frac, charging_sessions.soc_frac),"
        " depart_at = coalesce(excluded.depart_at, charging_sessions.depart_at), power_kw = excluded.power_kw"
        " WHERE charging_sessions.updated_at <= excluded.updated_at AND charging_sessions.ended_at IS NULL",
        [
            (
                *(batch.gateway_id, one.session_id, one.charger, one.phase, at_of(one.at)),
                *(_number(one.energy_kwh) or 0.0, _number(one.fed_back_kwh) or 0.0, _number(one.soc_frac)),
                *(parsed_time(one.depart_at) if one.depart_at else None, _number(one.power_kw)),
            )
            for one in bodies
        ],
    )
    return _energy_changed(batch, "charging")


async def takeover_results(batch: Batch, bodies: Sequence[CommandResult]) -> list[Change]:
    """What became of takeovers, among the answers to all commands."""
    answered = await batch.connection.fetch(
        "UPDATE energy_takeovers o SET result = r.result, result_detail = r.detail, result_at = r.at"
        " FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS r (command_id, result, detail, at)"
        " WHERE o.command_id = r.command_id AND o.gateway_id = $1 AND o.result IS NULL RETURNING o.command_id",
        batch.gateway_id,
        [one.command_id for one in bodies],
        [one.outcome for one in bodies],
        [one.detail for one in bodies],
        [at_of(one.at) for one in bodies],
    )
    return _energy_changed(batch, "takeover") if answered else []


# In this order within a batch: an alarm is raised before it is cleared.
WRITERS: dict[str, Writer] = {
    "energy_sample": _sampled,
    "energy_planned": _planned,
    "energy_mode_changed": _mode_changed,
    "energy_alarm_raised": _alarm_raised,
    "energy_alarm_cleared": _alarm_cleared,
    "energy_settings_taken": _settings_taken,
    "charging_session": _charging,
}
