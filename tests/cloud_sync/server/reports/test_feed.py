"""The other platform reads each row once and in order, learns what came late, and sees no plate."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema

from cloud_sync.server.carbon import feed, shuttle_rides

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "carbon_feed.schema.json").read_text(encoding="utf-8"))


async def test_a_cursor_meets_every_row_once_and_late_data_as_a_revision(
    data: Any, sign_in: Any, browser: httpx.AsyncClient, clock: Any
) -> None:
    engineer = await sign_in("engineer")
    made = (await engineer.post("/feed/tokens", {"name": "碳足迹平台"})).json()
    headers = {"Authorization": f"Bearer {made['token']}"}
    hour = (clock() - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    await data.quarters(hour, 8)
    await data.gate("gw-east", hour, 2)
    await data.gate("gw-west", hour, 3, silent=(1, 2))
    await data.passage("a-1", hour + timedelta(minutes=5))
    await data.passage("a-2", hour + timedelta(minutes=6), verdict="fuel")
    await data.pool.execute(
        "INSERT INTO charging_sessions (gateway_id, session_id, charger, phase, started_at, updated_at, ended_at,"
        " energy_kwh, fed_back_kwh) VALUES ('gw-east', 's', 'cp-01', 'ended', $1, $1, $1, 12.5, 3.25)",
        hour + timedelta(minutes=40),
    )
    # Writers that run at once write each row once.
    written = await asyncio.gather(*(feed.write_rows(data.given) for _ in range(3)))
    assert sorted(written) == [0, 0, 15]
    seen: list[dict[str, Any]] = []
    cursor, more = 0, True
    while more:
        page = (await browser.get(f"/api/v1/feed/rows?cursor={cursor}&count=3", headers=headers)).json()
        jsonschema.validate(page, SCHEMA)
        seen += page["rows"]
        cursor, more = page["cursor"], page["more"]
    assert [one["seq"] for one in seen] == list(range(1, 16))
    bodies, next_hour, last_hour = (
        {one["kind"]: one["body"] for one in seen if one["starts_at"] == at.isoformat().replace("+00:00", "Z")}
        for at in (hour, hour + timedelta(hours=1), hour + timedelta(hours=2))
    )
    # Nothing drove in either of these hours: in the first of them one of two gates says so, in the second none.
    assert next_hour["passages"] == {"counts": [], "known_frac": 0.5}
    assert last_hour["passages"] == {"counts": [], "known_frac": 0.0}
    assert last_hour["energy"]["imported"] == {"kwh": None, "known_frac": 0.0}
    assert (next_hour["charging"]["known_frac"], last_hour["charging"]["known_frac"]) == (1.0, 0.0)
    assert last_hour["shuttle"] == shuttle_rides.EMPTY | {"known_frac": 1.0}
    assert (bodies["passages"]["known_frac"], bodies["visits"]["visits"]) == (1.0, 0)
    assert bodies["energy"]["imported"] == {"kwh": 40.0, "known_frac": 1.0}
    assert bodies["charging"] == {"sessions_ended": 1, "charged_kwh": 12.5, "v2g_kwh": 3.25, "known_frac": 1.0}
    assert [one["vehicles"] for one in bodies["passages"]["counts"]] == [1, 1]
    assert "琼" not in str(seen)
    await data.passage("late", hour + timedelta(minutes=50))
    assert await feed.write_rows(data.given) == 1
    page = (await browser.get(f"/api/v1/feed/rows?cursor={cursor}", headers=headers)).json()
    (row,) = page["rows"]
    assert (row["seq"], row["kind"], row["revision"]) == (16, "passages", 2)
    assert sum(one["vehicles"] for one in row["body"]["counts"]) == 3
    assert (await browser.get("/api/v1/feed/rows?cursor=16", headers=headers)).json()["cursor"] == 16
    span = {"since": hour.isoformat(), "until": (hour + timedelta(hours=4)).isoformat()}
    told = (await browser.get("/api/v1/feed/completeness", params=span, headers=headers)).json()
    whole = {"hours": 3, "hours_asked": 4, "hours_silent": 2, "known_frac": 0.5, "revisions_max": 1}
    assert told["kinds"]["energy"] == whole
    assert told["kinds"]["passages"] == whole | {"known_frac": 0.375, "revisions_max": 2}
    assert told["kinds"]["shuttle"]["hours_silent"] == 1
    assert (await engineer.get("/feed/tokens")).json()[0]["last_used_at"] is not None
    assert (await engineer.send("DELETE", f"/feed/tokens/{made['id']}")).status_code == 204
    assert (await browser.get("/api/v1/feed/rows", headers=headers)).status_code == 401
    assert (await browser.get("/api/v1/feed/rows")).status_code == 401


async def test_only_an_engineer_makes_tokens_and_none_is_kept_as_it_is(data: Any, sign_in: Any) -> None:
    approver = await sign_in("approver")
    assert (await approver.post("/feed/tokens", {"name": "x"})).status_code == 403
    engineer = await sign_in("engineer")
    token = (await engineer.post("/feed/tokens", {"name": "x"})).json()["token"]
    assert token not in str(await data.pool.fetch("SELECT * FROM feed_tokens"))
