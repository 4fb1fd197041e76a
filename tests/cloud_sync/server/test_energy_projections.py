"""The microgrid's events become rows: what was not known is null, what comes twice counts once, a rebuild agrees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud_sync.server import projections, queries_energy, retention

AT = datetime(2026, 11, 21, 2, 40, tzinfo=UTC)
TABLES = ("energy_samples", "energy_state", "energy_plans", "energy_modes", "energy_alarms", "charging_sessions")


def sample(at: datetime = AT, *, period_s: int = 10, **more: Any) -> dict[str, Any]:
    body = {"at": at.isoformat(), "period_s": period_s, "mode": "grid_tied", "soc_frac": 0.6, "peak_import_kw": 130.0}
    body |= {"kw": {"pv": 2400.0, "load": 1800.0, "storage": -462.0, "grid": 126.0}, "kwh": {"pv": 6.7}}
    body |= {"frequency_hz": 50.0, "good_frac": 1.0, "binding": "curve", "settings_version": 3}
    return body | {"devices": {"lfp": {"kind": "storage", "capacity_kwh": 4000.0}}} | more


def plan(at: datetime = AT) -> dict[str, Any]:
    because = {"at": at.isoformat(), "until": (at + timedelta(hours=1)).isoformat(), "code": "full", "values": {}}
    body = {"at": at.isoformat(), "starts_at": at.isoformat(), "slot_s": 900, "rung": "exact", "settings_version": 3}
    body |= {"made_ms": 80.0, "series": {"pv_mid": [1.0, None, "x"]}, "because": [because, {"code": 7}, "nonsense"]}
    return body | {"because": [because, {"code": "lost"}], "violations": ["ride_through"], "ride_through_h": 4.6}


async def row_of(services: Any, table: str) -> Any:
    return await services.pool.fetchrow(f"SELECT * FROM {table}")


async def told(connection: Any, table: str) -> list[dict[str, Any]]:
    """A table's rows, but for when they were received."""
    rows = await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
    return [{key: value for key, value in row.items() if key != "received_at"} for row in rows]


async def test_what_a_sample_does_not_say_is_unknown_and_not_zero(services: Any, gateway: Any) -> None:
    kw = {"pv": 2400.0, "grid": "many", "storage": True, "load": 1e300}
    assert await gateway.send(gateway.row("energy_sample", **sample(kw=kw, soc_frac=None))) == ()
    row = await row_of(services, "energy_samples")
    assert (row["pv_kw"], row["grid_kw"], row["storage_kw"], row["load_kw"], row["ev_kw"]) == (2400, *(None,) * 4)
    assert (row["soc_frac"], row["devices"]) == (None, None)
    shown = await queries_energy.energy_now(services.pool, "gw-east", now=AT, carbon_per_kwh=0.3648)
    assert (shown.total_kw, shown.carbon_g_per_kwh, shown.self_sufficiency_frac) == (None, None, None)
    assert {one.key: one.kw for one in shown.flow if one.key in ("pv", "grid", "storage")} == {
        "pv": 2400.0,
        "grid": None,
        "storage": None,
    }


async def test_the_newest_short_sample_is_now_and_keeps_the_devices(services: Any, gateway: Any) -> None:
    later = sample(AT + timedelta(seconds=10), period_s=1, devices={}, soc_frac=0.61)
    quarter = sample(AT - timedelta(seconds=600), period_s=900, soc_frac=0.1)
    await gateway.send(gateway.row("energy_sample", **sample()), gateway.row("energy_sample", **later))
    await gateway.send(gateway.row("energy_sample", **quarter), gateway.row("energy_sample", **sample(AT)))
    shown = await queries_energy.energy_now(services.pool, "gw-east", now=AT, carbon_per_kwh=0.3648)
    assert (shown.at, shown.soc_frac, shown.capacity_kwh) == (AT + timedelta(seconds=11), 0.61, 4000.0)
    assert shown.total_kw == pytest.approx(2526.0)
    assert shown.carbon_g_per_kwh == pytest.approx(126 / 2526 * 364.8)
    kept = await services.pool.fetchval("SELECT devices IS NOT NULL FROM energy_samples WHERE period_s = 900")
    assert kept is True
    assert await services.pool.fetchval("SELECT count(*) FROM energy_samples") == 3


async def test_a_plan_is_read_as_far_as_it_is_understood(services: Any, gateway: Any) -> None:
    assert await gateway.send(gateway.row("energy_planned", **plan())) == ()
    found = await queries_energy.plan_at(services.pool, "gw-east")
    assert found.series["pv_mid"] == (1.0, None, None)
    assert [one.code for one in found.because] == ["full"]
    assert (found.ride_through_h, found.violations) == (pytest.approx(4.6), ("ride_through",))
    assert await queries_energy.plan_at(services.pool, "gw-east", at=AT - timedelta(seconds=1)) is None


async def test_an_alarm_is_raised_and_cleared_with_what_was_lost(services: Any, gateway: Any) -> None:
    raised = {"alarm_id": "a", "code": "pv_outage", "severity": "warning", "device": "pv-1", "evidence": {"kw": 0.0}}
    raised |= {"suggestion": "", "lost_kwh": None, "at": AT.isoformat()}
    over = {"alarm_id": "a", "code": "pv_outage", "device": "pv-1", "after_s": 60.0, "lost_kwh": 4.5}
    await gateway.send(gateway.row("energy_alarm_raised", **raised))
    (found,) = await queries_energy.energy_alarms(services.pool, "gw-east", open_only=True)
    assert (found.cleared_at, found.lost_kwh) == (None, None)
    await gateway.send(gateway.row("energy_alarm_cleared", **over, at=(AT + timedelta(minutes=1)).isoformat()))
    assert await queries_energy.energy_alarms(services.pool, "gw-east", open_only=True) == ()
    (found,) = await queries_energy.energy_alarms(services.pool, "gw-east", code_prefix="pv_")
    assert (found.lost_kwh, found.after_s) == (4.5, 60.0)


async def test_a_session_grows_and_ends_and_late_news_change_nothing(services: Any, gateway: Any) -> None:
    body = {"session_id": "s", "charger": "cp-01", "energy_kwh": 0.0, "fed_back_kwh": 0.0, "soc_frac": 0.3}
    body |= {"depart_at": (AT + timedelta(hours=8)).isoformat(), "power_kw": 50.0}
    for minute, phase, energy in ((0, "started", 0.0), (9, "updated", 7.0), (5, "updated", 3.0), (60, "ended", 40.0)):
        more = {"phase": phase, "energy_kwh": energy, "at": (AT + timedelta(minutes=minute)).isoformat()}
        await gateway.send(gateway.row("charging_session", **(body | more)))
        if minute == 5:
            (found,) = await queries_energy.charging_sessions(services.pool, "gw-east", since=AT)
            assert (found.energy_kwh, found.ended_at) == (7.0, None)
    (found,) = await queries_energy.charging_sessions(services.pool, "gw-east", since=AT)
    assert (found.started_at, found.ended_at, found.energy_kwh) == (AT, AT + timedelta(hours=1), 40.0)


async def test_a_rebuild_makes_the_same_tables(services: Any, gateway: Any) -> None:
    mode = {"before": "grid_tied", "after": "islanded", "why": "grid_lost", "at": AT.isoformat()}
    rows = [gateway.row("energy_sample", **sample(period_s=period)) for period in (1, 10, 60, 900)]
    rows += [gateway.row("energy_planned", **plan()), gateway.row("energy_mode_changed", **mode)]
    await gateway.send(*rows)
    async with services.pool.acquire() as connection:
        before = {table: await told(connection, table) for table in TABLES}
        assert await projections.rebuild(connection) == len(rows)
        after = {table: await told(connection, table) for table in TABLES}
    assert after == before
    assert len(after["energy_samples"]) == 4


async def test_seconds_go_before_minutes_before_quarters_and_the_chain_stays(
    services: Any, gateway: Any, clock: Any
) -> None:
    await gateway.send(*(gateway.row("energy_sample", **sample(period_s=period)) for period in (1, 10, 60, 900)))
    await gateway.send(gateway.row("energy_planned", **plan()))
    hashes = await services.pool.fetch("SELECT seq, hash FROM events ORDER BY seq")
    left = {13: [1, 10, 60, 900], 15: [60, 900], 181: [900], 3651: []}
    for days, periods in left.items():
        clock.at = AT + timedelta(days=days)
        await retention.run_once(services)
        rows = await services.pool.fetch("SELECT period_s FROM energy_samples ORDER BY 1")
        assert [row["period_s"] for row in rows] == periods
        whole = await services.pool.fetch(
            "SELECT (body ->> 'period_s')::int AS p FROM events WHERE kind = 'energy_sample' AND redacted_at IS NULL"
        )
        assert sorted(row["p"] for row in whole) == periods
    assert await services.pool.fetchval("SELECT count(*) FROM energy_plans") == 0
    assert await services.pool.fetch("SELECT seq, hash FROM events ORDER BY seq") == hashes
