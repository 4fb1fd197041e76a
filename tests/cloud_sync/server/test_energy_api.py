"""The microgrid's JSON: the same records as on the pages, roles, ranges, and exports."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from cloud_sync.server.records_whatif import Figure, WhatIfResult, YearSource

PATHS = ("now", "today", "plan", "alarms", "modes", "chargers", "pv", "takeovers", "settings", "settings/ranges")


async def tell(app: Any, make_gateway: Any, *, quarters: int = 8) -> Any:
    gateway = make_gateway(app.state.services)
    at = app.state.services.clock() - timedelta(minutes=15 * quarters)
    body = {"mode": "grid_tied", "kw": {"pv": 400.0, "grid": 600.0, "storage": 0.0, "load": 1000.0}, "kwh": {}}
    body |= {"soc_frac": 0.5, "peak_import_kw": 600.0, "frequency_hz": 50.0, "good_frac": 1.0, "binding": "=1+1"}
    body |= {"settings_version": 0, "devices": {"cp-01": {"kind": "charger", "state": "charging", "kw": 7.0}}}
    rows = [
        gateway.row("energy_sample", at=(at + timedelta(minutes=15 * n)).isoformat(), period_s=900, **body)
        for n in range(quarters)
    ]
    rows.append(gateway.row("energy_sample", at=app.state.services.clock().isoformat(), period_s=10, **body))
    assert await gateway.send(*rows) == ()
    return gateway


async def test_everything_can_be_read_by_a_guard(app: Any, sign_in: Any, make_gateway: Any) -> None:
    guard = await sign_in("guard")
    assert (await guard.get("/energy")).json() == {}
    assert (await guard.get("/energy/gw-east/now")).status_code == 404
    await tell(app, make_gateway)
    assert (await guard.get("/energy")).json() == {"gw-east": "East gate"}
    found = {path: await guard.get(f"/energy/gw-east/{path}") for path in PATHS}
    assert {path: one.status_code for path, one in found.items()} == dict.fromkeys(PATHS, 200)
    assert found["now"].json()["self_sufficiency_frac"] == pytest.approx(0.4)
    assert found["chargers"].json()[0]["state"] == "charging"
    assert found["settings/ranges"].json()["ride_through_h"] == {"unit": "h", "low": 0, "high": 72, "step": 0.5}
    assert (await guard.get("/energy/gw-west/now")).status_code == 404


async def test_series_and_their_limits(app: Any, sign_in: Any, make_gateway: Any) -> None:
    await tell(app, make_gateway)
    guard = await sign_in("guard")
    now = app.state.services.clock()
    wanted = {"since": (now - timedelta(hours=2)).isoformat(), "until": now.isoformat()}
    series = (await guard.get("/energy/gw-east/series", params=wanted)).json()
    assert series["values"]["load_kw"] == [1000.0] * 8
    backwards = {"since": wanted["until"], "until": wanted["since"]}
    assert (await guard.get("/energy/gw-east/series", params=backwards)).status_code == 422
    long = wanted | {"since": (now - timedelta(days=300)).isoformat(), "step_s": 10}
    assert (await guard.get("/energy/gw-east/series", params=long)).json()["code"] == "range_too_long"


async def test_telemetry_as_csv_is_audited_and_no_cell_is_a_formula(app: Any, sign_in: Any, make_gateway: Any) -> None:
    await tell(app, make_gateway)
    guard = await sign_in("guard")
    now = app.state.services.clock()
    wanted = {"since": (now - timedelta(days=3)).isoformat(), "until": now.isoformat(), "period_s": 900}
    answer = await guard.get("/energy/gw-east/history.csv", params=wanted)
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert (len(rows), rows[0]["pv_kw"], rows[0]["ev_kw"]) == (8, "400.0", "")
    assert rows[0]["at"].endswith("+08:00")
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    assert await app.state.services.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'energy_exported'") == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "series?since=yesterday&until=now", None),
        ("GET", "history.csv?since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z&period_s=7", None),
        ("GET", "sessions.csv?since=2026-11-01", None),
        ("POST", "settings", {"changes": {"ride_through_h": "three"}, "reason": "x"}),
        ("POST", "settings", {"changes": {"no_such_setting": 1}, "reason": "x"}),
        ("POST", "settings", {"changes": {"ride_through_h": 3}, "reason": "x", "effective_at": "2020-01-01T00:00:00Z"}),
        ("POST", "settings", {"changes": {"ride_through_h": 3}, "reason": " "}),
        ("POST", "takeovers", {"mode": "storage", "note": "x"}),
        ("POST", "takeovers", {"mode": "storage", "storage_kw": 1e6, "note": "x"}),
        ("POST", "takeovers", {"mode": "hold", "minutes": 1e9, "note": "x"}),
        ("POST", "what-if", {"changes": {"soc_max_frac": 7}}),
    ],
)
async def test_nonsense_is_answered_with_a_problem(
    app: Any, sign_in: Any, make_gateway: Any, method: str, path: str, body: Any
) -> None:
    await tell(app, make_gateway, quarters=1)
    office = await sign_in("operator")
    given = f"/energy/gw-east/{path}"
    answer = await (office.get(given) if method == "GET" else office.post(given, body))
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert {"title", "title_zh", "code", "status"} <= answer.json().keys()


async def test_alarms_and_sessions_as_csv_are_audited(app: Any, sign_in: Any, make_gateway: Any) -> None:
    gateway = await tell(app, make_gateway, quarters=1)
    at = app.state.services.clock().isoformat()
    alarm = {"alarm_id": "a", "code": "device_fault", "severity": "warning", "device": "=lfp", "suggestion": ""}
    session = {"session_id": "s-1", "charger": "cp-01", "phase": "started", "energy_kwh": 1.25, "fed_back_kwh": 0.0}
    rows = (
        gateway.row("energy_alarm_raised", at=at, evidence={"alarms": ["F12"]}, lost_kwh=None, **alarm),
        gateway.row("charging_session", at=at, soc_frac=None, depart_at=None, power_kw=7.0, **session),
    )
    assert await gateway.send(*rows) == ()
    guard = await sign_in("guard")
    tables = {}
    for name in ("alarms", "sessions"):
        answer = await guard.get(f"/energy/gw-east/{name}.csv")
        (tables[name],) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (tables["alarms"]["device"], tables["alarms"]["lost_kwh"]) == ("'=lfp", "")
    assert tables["alarms"]["evidence"] == '{"alarms": ["F12"]}'
    assert (tables["sessions"]["energy_kwh"], tables["sessions"]["soc_frac"]) == ("1.25", "")
    assert await app.state.services.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'energy_exported'") == 2


async def test_changing_takes_the_office_and_goes_step_by_step(app: Any, sign_in: Any, make_gateway: Any) -> None:
    await tell(app, make_gateway)
    guard, office = await sign_in("guard"), await sign_in("operator")
    body = {"changes": {"ride_through_h": 3}, "reason": "typhoon"}
    assert (await guard.post("/energy/gw-east/settings", body)).status_code == 403
    assert (await guard.post("/energy/gw-east/takeovers", {"mode": "hold", "note": "x"})).status_code == 403
    wrong = await office.post("/energy/gw-east/settings", body | {"changes": {"ride_through_h": 99}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "setting_refused")
    assert "ride_through_h is 99 h" in wrong.json()["detail"]
    assert (await office.post("/energy/gw-east/settings", body)).json() == {"version": 1}
    assert (await office.post("/energy/gw-east/settings/1/release")).status_code == 202
    assert (await office.post("/energy/gw-east/settings/1/discard")).status_code == 409
    made = await office.post("/energy/gw-east/settings/0/rollback", {"reason": "as delivered"})
    assert (made.status_code, made.json()) == (202, {"version": 2})
    taken = await office.post("/energy/gw-east/takeovers", {"mode": "storage", "storage_kw": -50, "note": "x"})
    assert (taken.status_code, taken.json()["storage_kw"]) == (202, -50.0)
    listed = (await guard.get("/energy/gw-east/settings")).json()
    assert [one["state"] for one in listed["versions"]] == ["sent", "sent"]


async def test_what_if_answers_with_figures(app: Any, sign_in: Any, make_gateway: Any) -> None:
    await tell(app, make_gateway)
    asked: list[Any] = []

    class Desk:
        def close(self) -> None: ...

        async def compare(self, given: Any, gateway_id: str, username: str, now: Any, draft: Any) -> WhatIfResult:
            asked.append((gateway_id, username, now.ride_through_h, draft.ride_through_h))
            figure = Figure("bill", "10k_yuan", 10.0, 12.0, -1, 1)
            return WhatIfResult(
                YearSource("reference", "2025-01", "2025-12", 365, 0.0), 4, 0.1, (figure,), (), (), None
            )

    app.state.whatif.close()
    app.state.whatif = Desk()
    guard = await sign_in("guard")
    found = await guard.post("/energy/gw-east/what-if", {"changes": {"ride_through_h": 3}})
    assert found.json()["figures"][0]["draft"] == 12.0
    assert asked == [("gw-east", "guard", 2.0, 3.0)]
