"""What pages ask of the microgrid's telemetry: means, gaps, sums, sides of the flow; and quickly over two days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud_sync.server import queries_energy
from cloud_sync.server.energy_flow import flow_nodes, imported_frac, total_kw

AT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
INSERT = (
    "INSERT INTO energy_samples (gateway_id, period_s, at, mode, pv_kw, load_kw, grid_kw, storage_kw, soc_frac,"
    " pv_kwh, imported_kwh, discharged_kwh, good_frac, binding, settings_version) SELECT $1, $2::int, at, 'grid_tied',"
    " $5, 1000, 600, 0, 0.5, $5::real * $2 / 3600, 600.0 * $2 / 3600, 0, 1, 'idle', 1"
    " FROM generate_series($3::timestamptz, $4::timestamptz, make_interval(secs => $2)) AS at"
)


async def fill(services: Any, period_s: int, since: datetime, until: datetime, *, pv_kw: float = 400.0) -> None:
    await services.pool.execute(INSERT, "gw-east", period_s, since, until - timedelta(seconds=period_s), pv_kw)


async def test_means_have_gaps_where_nothing_was_measured(services: Any) -> None:
    await fill(services, 60, AT, AT + timedelta(hours=1))
    await fill(services, 60, AT + timedelta(hours=2), AT + timedelta(hours=3), pv_kw=800.0)
    found = await queries_energy.energy_series(
        services.pool, "gw-east", since=AT, until=AT + timedelta(hours=3), step_s=1800
    )
    assert found.values["pv_kw"] == (400.0, 400.0, None, None, 800.0, 800.0)
    assert (found.source_s, found.values["ev_kw"], len(found.at)) == (60, (None,) * 6, 6)


async def test_what_reaches_farther_back_is_preferred_to_what_is_finer(services: Any) -> None:
    await fill(services, 900, AT, AT + timedelta(hours=24))
    await fill(services, 60, AT + timedelta(hours=23), AT + timedelta(hours=24))
    found = await queries_energy.energy_series(
        services.pool, "gw-east", since=AT, until=AT + timedelta(hours=24), step_s=900
    )
    assert found.source_s == 900
    assert None not in found.values["pv_kw"]


async def test_sums_of_the_day_and_the_peak_of_the_month(services: Any) -> None:
    await fill(services, 900, AT, AT + timedelta(hours=2))
    sums = await queries_energy.energy_sums(services.pool, "gw-east", since=AT, month_from=AT - timedelta(days=20))
    assert sums.kwh["pv"] == pytest.approx(800.0)
    assert sums.self_sufficiency_frac == pytest.approx(0.4)
    assert sums.peak_import_kw == 600.0
    empty = await queries_energy.energy_sums(services.pool, "gw-none", since=AT, month_from=AT)
    assert (empty.self_sufficiency_frac, empty.kwh, empty.peak_import_kw) == (None, {}, None)


async def test_two_days_of_ten_second_rows_are_read_by_the_index(services: Any) -> None:
    await fill(services, 10, AT - timedelta(days=4), AT + timedelta(days=2))
    await fill(services, 60, AT - timedelta(days=4), AT + timedelta(days=2))
    await services.pool.execute("ANALYZE energy_samples")
    plan = await services.pool.fetch(
        "EXPLAIN SELECT date_bin('15 minutes', at, $2), avg(pv_kw) FROM energy_samples"
        " WHERE gateway_id = $1 AND period_s = 60 AND at >= $2 AND at < $3 GROUP BY 1",
        *("gw-east", AT, AT + timedelta(days=2)),
    )
    assert "energy_samples_pkey" in " ".join(row[0] for row in plan)
    found = await queries_energy.energy_series(
        services.pool, "gw-east", since=AT, until=AT + timedelta(days=2), step_s=900
    )
    assert (found.source_s, len(found.at), None in found.values["load_kw"]) == (60, 192, False)


def test_storage_grid_and_vehicles_change_sides_with_their_sign() -> None:
    kw = {"pv": 100.0, "storage": 50.0, "grid": -20.0, "ev": -30.0, "load": 160.0}
    sides = {one.key: (one.side, one.kw) for one in flow_nodes(kw, {})}
    assert sides == {
        "pv": ("source", 100.0),
        "storage": ("source", 50.0),
        "ev": ("source", 30.0),
        "grid": ("sink", 20.0),
        "load": ("sink", 160.0),
    }
    assert total_kw(kw) == 180.0
    assert imported_frac(-20.0, 180.0) == 0.0


def test_loads_beyond_four_are_one_and_what_no_feeder_tells_is_other() -> None:
    devices = {f"l{n}": {"kind": "load", "kw": 100.0 * n} for n in range(1, 7)}
    found = {one.key: one.kw for one in flow_nodes({"pv": 0.0, "load": 2100.0}, devices) if one.kind == "load"}
    assert found == {"l6": 600.0, "l5": 500.0, "l4": 400.0, "l3": 300.0, "rest": 300.0}
    found = {one.key: one.kw for one in flow_nodes({"load": 500.0}, {"l1": {"kind": "load", "kw": 100.0}})}
    assert (found["rest"], found["pv"]) == (400.0, None)


@pytest.mark.parametrize(("imported", "total", "share"), [(None, 5.0, None), (1.0, None, None), (0.0, 0.0, None)])
def test_no_share_of_nothing(imported: float | None, total: float | None, share: float | None) -> None:
    assert imported_frac(imported, total) is share
