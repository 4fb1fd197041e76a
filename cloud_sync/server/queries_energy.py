"""Every read about the microgrid: owns the SQL that its pages and the JSON API share.

`db` is an asyncpg pool or connection, `now` the caller's clock. Settings are read in `energy_settings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server.energy_flow import flow_nodes, imported_frac, known, total_kw
from cloud_sync.server.projections_energy import ENERGIES, POWERS
from cloud_sync.server.records_energy import (
    BecauseRecord,
    ChargerRecord,
    EnergyAlarmRecord,
    EnergyNow,
    EnergySeries,
    EnergySums,
    InverterRecord,
    ModeRecord,
    PlanRecord,
    SessionRecord,
    StringRecord,
    TakeoverRecord,
)
from cloud_sync.server.sql import Reader, as_json

QUARTER_S = 900
SOURCE_PERIODS = (60, 10, 900, 1)  # whose rows make a series, the first that has any
MEASURED = (*(f"{name}_kw" for name in POWERS), "soc_frac")
HISTORY_COLUMNS = (
    *("at", "mode", *MEASURED, *(f"{name}_kwh" for name in ENERGIES), "peak_import_kw", "frequency_hz", "good_frac"),
)
LONG_RANGE = timedelta(days=60)


async def energy_gateways(db: Reader) -> tuple[tuple[str, str], ...]:
    """Id and name of the gateways that have a microgrid: they told something about it, or have settings."""
    rows = await db.fetch(
        "SELECT gateway_id, name FROM gateways g WHERE EXISTS (SELECT 1 FROM energy_state s WHERE s.gateway_id ="
        " g.gateway_id) OR EXISTS (SELECT 1 FROM energy_settings v WHERE v.gateway_id = g.gateway_id) ORDER BY 1"
    )
    return tuple((row["gateway_id"], row["name"] or row["gateway_id"]) for row in rows)


async def energy_now(db: Reader, gateway_id: str, *, now: datetime, carbon_per_kwh: float) -> EnergyNow | None:
    """The newest sample; None where the gateway never told one. `carbon_per_kwh` is the grid's intensity, kg."""
    row = await db.fetchrow("SELECT at, body FROM energy_state WHERE gateway_id = $1", gateway_id)
    if row is None:
        return None
    body = as_json(row["body"])
    devices = {key: one for key, one in body["devices"].items() if isinstance(one, dict)}
    kw = {key: value for key, one in body["kw"].items() if (value := known(one)) is not None}
    total = total_kw(kw)
    share = imported_frac(kw.get("grid"), total)
    capacity = _capacity_kwh(devices)
    soc = known(body["soc_frac"])
    return EnergyNow(
        gateway_id=gateway_id,
        at=row["at"],
        age_s=max(0.0, (now - row["at"]).total_seconds()),
        mode=body["mode"],
        binding=body["binding"],
        settings_version=body["settings_version"],
        good_frac=body["good_frac"],
        kw=kw,
        soc_frac=soc,
        stored_kwh=None if soc is None or capacity is None else soc * capacity,
        capacity_kwh=capacity,
        frequency_hz=known(body["frequency_hz"]),
        total_kw=total,
        carbon_g_per_kwh=None if share is None else share * carbon_per_kwh * 1000,
        self_sufficiency_frac=None if share is None else 1 - share,
        flow=flow_nodes(kw, devices),
        devices=devices,
    )


def _capacity_kwh(devices: dict[str, dict[str, Any]]) -> float | None:
    found = [known(one.get("capacity_kwh")) for one in devices.values() if one.get("kind") == "storage"]
    return sum(one for one in found if one is not None) if found and all(one is not None for one in found) else None


async def energy_sums(db: Reader, gateway_id: str, *, since: datetime, month_from: datetime) -> EnergySums:
    """Energies from `since` on by the finest complete rows, and the month's peak of quarter-hour imports."""
    period_s = await _source(db, gateway_id, since, None)
    sums = ", ".join(f"sum({name}_kwh) AS {name}" for name in ENERGIES)
    row = await db.fetchrow(
        f"SELECT {sums} FROM energy_samples WHERE gateway_id = $1 AND period_s = $2 AND at >= $3",
        gateway_id,
        period_s,
        since,
    )
    kwh = {name: float(row[name]) for name in ENERGIES if row[name] is not None}
    peak = await db.fetchval(
        "SELECT max(grid_kw) FROM energy_samples WHERE gateway_id = $1 AND period_s = 900 AND at >= $2",
        gateway_id,
        month_from,
    )
    onto_bus = [kwh.get(name) for name in ("pv", "discharged", "imported")]
    total = None if any(one is None for one in onto_bus) else sum(one for one in onto_bus if one is not None)
    share = imported_frac(kwh.get("imported"), total)
    return EnergySums(since, None if share is None else 1 - share, kwh, None if peak is None else max(0.0, float(peak)))


async def _source(db: Reader, gateway_id: str, since: datetime, until: datetime | None) -> int:
    """The period whose rows cover most of a time, the finer of two that cover as much."""
    rows = await db.fetch(
        "SELECT p.period_s, (SELECT min(at) FROM energy_samples WHERE gateway_id = $1 AND period_s = p.period_s"
        " AND at >= $3 AND ($4::timestamptz IS NULL OR at < $4)) AS first FROM unnest($2::int[]) AS p (period_s)",
        gateway_id,
        list(SOURCE_PERIODS),
        since,
        until,
    )
    first = {row["period_s"]: row["first"] for row in rows if row["first"] is not None}
    if not first:
        return QUARTER_S
    earliest = min(first.values())
    reaching = [one for one in SOURCE_PERIODS if one in first and first[one] <= earliest + timedelta(seconds=QUARTER_S)]
    return reaching[0]


async def energy_series(db: Reader, gateway_id: str, *, since: datetime, until: datetime, step_s: int) -> EnergySeries:
    """Means of what was measured from `since` to `until`, a value each `step_s`; where nothing is known, None."""
    quarters = step_s >= QUARTER_S and until - since > LONG_RANGE
    period_s = QUARTER_S if quarters else await _source(db, gateway_id, since, until)
    means = ", ".join(f"avg({name}) AS {name}" for name in MEASURED)
    rows = await db.fetch(
        f"SELECT date_bin($5, at, $3) AS bin, {means} FROM energy_samples"
        " WHERE gateway_id = $1 AND period_s = $2 AND at >= $3 AND at < $4 GROUP BY 1 ORDER BY 1",
        *(gateway_id, period_s, since, until, timedelta(seconds=max(step_s, 1))),
    )
    count = max(0, -int(-(until - since).total_seconds() // step_s))
    by_place = {round((row["bin"] - since).total_seconds() / step_s): row for row in rows}
    return EnergySeries(
        since=since,
        step_s=step_s,
        source_s=period_s,
        at=tuple(since + timedelta(seconds=step_s * place) for place in range(count)),
        values={
            name: tuple(_rounded(by_place[place][name]) if place in by_place else None for place in range(count))
            for name in MEASURED
        },
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


async def history_rows(db: Any, gateway_id: str, *, since: datetime, until: datetime, period_s: int) -> Any:
    """A database cursor over the stored rows of one period; the caller holds the transaction."""
    return await db.cursor(
        f"SELECT {', '.join(HISTORY_COLUMNS)} FROM energy_samples"
        " WHERE gateway_id = $1 AND period_s = $2 AND at >= $3 AND at < $4"
        " ORDER BY at",
        *(gateway_id, period_s, since, until),
    )


async def periods_there(db: Reader, gateway_id: str) -> dict[int, tuple[datetime, datetime]]:
    """Which periods are stored, from when to when."""
    rows = await db.fetch(
        "SELECT p.period_s,"
        " (SELECT min(at) FROM energy_samples WHERE gateway_id = $1 AND period_s = p.period_s) AS first,"
        " (SELECT max(at) FROM energy_samples WHERE gateway_id = $1 AND period_s = p.period_s) AS last"
        " FROM unnest($2::int[]) AS p (period_s) ORDER BY 1",
        gateway_id,
        list(SOURCE_PERIODS),
    )
    return {row["period_s"]: (row["first"], row["last"]) for row in rows if row["first"] is not None}


# ---------------------------------------------------------------- plans


async def plan_at(db: Reader, gateway_id: str, *, at: datetime | None = None) -> PlanRecord | None:
    """The newest plan; with `at` the newest one made until then."""
    row = await db.fetchrow(
        "SELECT * FROM energy_plans WHERE gateway_id = $1 AND ($2::timestamptz IS NULL OR at <= $2)"
        " ORDER BY at DESC LIMIT 1",
        gateway_id,
        at,
    )
    return _plan(row) if row else None


def _plan(row: Any) -> PlanRecord:
    series = {
        str(name): tuple(known(one) for one in values)
        for name, values in as_json(row["series"]).items()
        if isinstance(values, list)
    }
    because = [found for one in as_json(row["because"]) if (found := _because(one)) is not None]
    return PlanRecord(
        **{name: row[name] for name in ("at", "starts_at", "slot_s", "rung", "settings_version", "made_ms")},
        ride_through_h=row["ride_through_h"],
        series=series,
        because=tuple(because),
        violations=tuple(row["violations"]),
    )


def _because(value: object) -> BecauseRecord | None:
    """A gateway's word is looked at before it is shown: another program version may say it otherwise."""
    if not isinstance(value, dict):
        return None
    try:
        at, until = datetime.fromisoformat(value["at"]), datetime.fromisoformat(value["until"])
        values = dict(value.get("values") or {})
        code, saved = str(value["code"]), (value.get("cost_saved"), value.get("carbon_saved_kg"))
    except (KeyError, TypeError, ValueError):
        return None
    if at.tzinfo is None or until.tzinfo is None:
        return None
    return BecauseRecord(at, until, code[:64], values, known(saved[0]) or 0.0, known(saved[1]) or 0.0)


# ---------------------------------------------------------------- alarms and modes


async def energy_alarms(
    db: Reader, gateway_id: str, *, open_only: bool = False, code_prefix: str = "", limit: int = 200
) -> tuple[EnergyAlarmRecord, ...]:
    """Open ones first, the newest first."""
    rows = await db.fetch(
        "SELECT * FROM energy_alarms WHERE gateway_id = $1 AND (NOT $2 OR cleared_at IS NULL)"
        " AND starts_with(code, $3) ORDER BY (cleared_at IS NULL) DESC, raised_at DESC LIMIT $4",
        *(gateway_id, open_only, code_prefix, limit),
    )
    return tuple(
        EnergyAlarmRecord(
            **{name: row[name] for name in EnergyAlarmRecord.__dataclass_fields__ if name != "evidence"},
            evidence=as_json(row["evidence"]),
        )
        for row in rows
    )


async def mode_changes(db: Reader, gateway_id: str, *, limit: int = 20) -> tuple[ModeRecord, ...]:
    """The newest first."""
    rows = await db.fetch(
        "SELECT before, after, why, at FROM energy_modes WHERE gateway_id = $1 ORDER BY at DESC LIMIT $2",
        gateway_id,
        limit,
    )
    return tuple(ModeRecord(**row) for row in rows)


# ---------------------------------------------------------------- chargers, inverters, takeovers


async def charging_sessions(
    db: Reader, gateway_id: str, *, since: datetime, limit: int = 100
) -> tuple[SessionRecord, ...]:
    """Sessions that are open, and those that began after `since`; open ones first, the newest first."""
    rows = await db.fetch(
        "SELECT * FROM charging_sessions WHERE gateway_id = $1 AND (ended_at IS NULL OR started_at >= $2)"
        " ORDER BY (ended_at IS NULL) DESC, started_at DESC LIMIT $3",
        *(gateway_id, since, limit),
    )
    return tuple(SessionRecord(**{name: row[name] for name in SessionRecord.__dataclass_fields__}) for row in rows)


def chargers(devices: dict[str, dict[str, Any]], sessions: Iterable[SessionRecord]) -> tuple[ChargerRecord, ...]:
    """Every charger that the newest sample names, with its open session."""
    open_at = {one.charger: one for one in reversed(tuple(sessions)) if one.ended_at is None}
    told = {key: one for key, one in devices.items() if one.get("kind") == "charger"}
    known_ids = sorted(told.keys() | open_at.keys())
    return tuple(_charger(key, told.get(key, {}), open_at.get(key)) for key in known_ids)


def _charger(key: str, told: dict[str, Any], session: SessionRecord | None) -> ChargerRecord:
    state = told.get("state")
    return ChargerRecord(
        charger_id=key,
        name=str(told.get("name") or ""),
        quality=str(told.get("quality") or "lost"),
        state=state if isinstance(state, str) else None,
        kw=known(told.get("kw")),
        max_kw=known(told.get("max_kw")),
        v2g=told.get("v2g") is True,
        session=session,
    )


def inverters(devices: dict[str, dict[str, Any]]) -> tuple[InverterRecord, ...]:
    """Every inverter that the newest sample names, with its strings."""
    return tuple(
        InverterRecord(
            inverter_id=key,
            name=str(told.get("name") or key),
            quality=str(told.get("quality") or "lost"),
            total=_string(key, told),
            strings=tuple(_string(name, one) for name, one in sorted(_objects(told.get("strings")).items())),
        )
        for key, told in sorted(devices.items())
        if told.get("kind") == "inverter"
    )


def _objects(value: object) -> dict[str, dict[str, Any]]:
    return {key: one for key, one in value.items() if isinstance(one, dict)} if isinstance(value, dict) else {}


def _string(key: str, told: dict[str, Any]) -> StringRecord:
    diagnosis = told.get("diagnosis")
    return StringRecord(
        key,
        known(told.get("kw")),
        known(told.get("expected_kw")),
        known(told.get("lost_kwh")),
        diagnosis if isinstance(diagnosis, str) else None,
    )


async def takeovers(db: Reader, gateway_id: str, *, limit: int = 20) -> tuple[TakeoverRecord, ...]:
    """The newest first."""
    rows = await db.fetch(
        "SELECT * FROM energy_takeovers WHERE gateway_id = $1 ORDER BY issued_at DESC LIMIT $2", gateway_id, limit
    )
    return tuple(TakeoverRecord(**{name: row[name] for name in TakeoverRecord.__dataclass_fields__}) for row in rows)


def takeover_now(found: Iterable[TakeoverRecord], *, now: datetime) -> TakeoverRecord | None:
    """The takeover that holds: the newest that was not refused, unless it is over or was `auto`."""
    for one in found:
        if one.result in ("refused", "expired"):
            continue
        return one if one.mode != "auto" and one.expires_at > now else None
    return None
