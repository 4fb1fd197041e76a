"""A visitor's rarer ways in a real window, and what the cloud has of each afterwards."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.points import reviews, vouchers
from cloud_sync.server.roles import Role
from cloud_sync.server.store import Actor
from control.points.vouchers import HolderKind
from mobile.core.client import Client, build_client
from mobile.core.models.rewards import Codes
from tests.cloud_sync.server.points import stand

PASSWORD = "a long enough password"
SECOND = Actor("second")


@pytest.fixture
def at_home(island: Any, signed_in: Callable[..., Any]) -> Callable[..., Any]:
    """`await at_home(url)`: the phone of Mei, who has points, and an account for long enough."""

    async def made(url: str = "", *, points: int = 2_000) -> Path:
        folder: Path = await signed_in("visitor", server=url, username="mei", name="Mei")
        person = await island.given.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'mei'")
        await island.given.pool.execute("UPDATE users SET created_at = created_at - interval '30 days'")
        await stand.give_points(island.given, person, points)
        return folder

    return made


@asynccontextmanager
async def without_a_window(folder: Path, url: str, role: str = "visitor") -> AsyncIterator[Client]:
    """The app's services on a phone, before its app is started."""
    client = build_client(folder, url, role)
    try:
        yield client
    finally:
        await client.stop()


async def the_one(island: Any, sql: str) -> Any:
    """A single value of the cloud's."""
    return await island.given.pool.fetchval(sql)


async def staff(island: Any) -> CurrentUser:
    """Somebody of the office."""
    user_id = await island.add_person("reviewer", "second", "Second")
    return CurrentUser(user_id, "second", "Second", Role.REVIEWER, "")


async def test_used_codes_and_those_whose_time_is_over_say_so_also_without_a_network(
    stage: Any, island: Any, at_home: Callable[..., Any], wire: Any
) -> None:
    await stand.add_organisation(island.given, "cafe")
    await stand.add_item(island.given, "cafe", price_points=100)
    line = await wire(island.url)
    folder = await at_home(line.url)
    async with without_a_window(folder, line.url) as client:
        (item,) = await client.api.points.catalogue()
        used, over, open_one = [(await Codes(client).buy(item)).redemption for _ in range(3)]
    pool = island.given.pool
    await pool.execute(
        "UPDATE redemptions SET state = 'used', used_at = $2, used_by = 'cafe' WHERE redemption_id = $1",
        *(used.redemption_id, island.clock()),
    )
    await pool.execute(
        "UPDATE redemptions SET reserved_at = reserved_at - interval '90 days', ends_at = now() - interval '1 minute'"
        " WHERE redemption_id = $1",
        over.redemption_id,
    )
    app = await stage(server=line.url, data_dir=folder, language="en", theme="light")
    await app.tap("tab-rewards")
    await app.wait_for(text="1,700")
    await app.tap("to-codes")
    await app.wait_for(text="Past")
    await line.cut()
    await app.tap(f"code-{used.redemption_id}")
    await app.wait_for("state")
    seen = await app.ids()
    assert "qr" not in seen
    assert {"used", "Used"} & set(await app.texts())
    await app.back()
    await app.tap(f"code-{over.redemption_id}")
    await app.wait_for(text="Over since")
    assert "qr" not in await app.ids()
    await app.back()
    await app.tap(f"code-{open_one.redemption_id}")
    await app.wait_for("qr")
    states = await pool.fetch("SELECT state FROM redemptions ORDER BY reserved_at")
    assert sorted(row["state"] for row in states) == sorted(["used", over.state.code, open_one.state.code])
    assert (await app.state())["faults"] == 0


async def test_a_walk_waits_through_a_sign_out_that_warned_of_it_and_is_handed_in_once(
    stage: Any, island: Any, at_home: Callable[..., Any], wire: Any
) -> None:
    line = await wire(island.url)
    app = await stage(server=line.url, data_dir=await at_home(line.url), language="en", theme="light")
    await app.tap("tab-trips")
    await app.tap("walk")
    await app.type("0", into="walk-steps")
    await app.type("2.4", into="walk-km")
    await app.tap("walk-hand-in")
    await app.wait_for(text="A whole number of steps, above 0.")
    await app.wait_for(text="Whole minutes, at most a day.")
    assert "Kilometres above 0, as 2.4." not in await app.texts()
    await app.type("3200", into="walk-steps", clear=True)
    await app.type("32", into="walk-minutes")
    await line.cut()
    await app.tap("walk-hand-in")
    await app.wait_for(text="Saved on your phone")
    assert (await app.state())["waiting"] == 1
    await app.tap("scan-result-trip")
    await app.wait_for("waiting")  # among the trips, until it is sent

    await app.tap("tab-me")
    await app.scroll_to("sign-out")
    await app.tap("sign-out")
    await app.wait_for(text="1 entry waits and is sent when you sign in again.")
    await app.tap("sign-out-dialog-cancel")
    assert (await app.state())["signed_in"]
    await app.tap("sign-out")
    await app.tap("sign-out-dialog-confirm")
    await app.wait_for("sign-in")
    assert await the_one(island, "SELECT count(*) FROM point_events") == 0
    await line.mend()
    await app.type("mei", into="user", clear=True)
    await app.type(PASSWORD, into="password")
    await app.tap("sign-in")
    await app.wait_for("tab-home")
    await app.wait_state(waiting=0)
    (walk,) = await island.given.pool.fetch("SELECT key, steps, state FROM point_events")
    assert (walk["key"], walk["steps"]) == ("walking", 3200)
    assert (await app.state())["faults"] == 0


async def test_consent_is_declined_given_and_withdrawn_and_an_account_that_is_not_deleted_stays(
    stage: Any, island: Any
) -> None:
    app = await stage(server=island.url, language="en", theme="light")
    await app.tap("register")
    await app.wait_for("terms")
    await app.type("mei", into="username")
    await app.type(PASSWORD, into="password")
    await app.tap("is_old_enough")
    await app.scroll_to("open-account")
    await app.tap("open-account")
    await app.scroll_to("agrees_terms")
    await app.wait_for(text="Without this there is no account.")
    assert await the_one(island, "SELECT count(*) FROM users") == 0
    await app.tap("agrees_terms")
    await app.scroll_to("agrees_contact")
    await app.tap("agrees_contact")
    await app.scroll_to("phone")
    await app.type("13800138000", into="phone")
    await app.scroll_to("open-account")
    await app.tap("open-account")
    await app.wait_for("tab-home")
    assert await the_one(island, "SELECT phone FROM users WHERE username = 'mei'") == "13800138000"

    await app.tap("tab-me")
    await app.scroll_to("to-my_data")
    await app.tap("to-my_data")
    await app.scroll_to("consent-contact")
    await app.tap("consent-contact")
    await app.tap("withdraw-dialog-cancel")
    await app.wait_for("withdraw-dialog-cancel", gone=True)
    assert await the_one(island, "SELECT phone FROM users WHERE username = 'mei'") == "13800138000"
    await app.tap("consent-contact")
    await app.tap("withdraw-dialog-confirm")
    await app.wait_for(text="13800138000", gone=True)
    assert await the_one(island, "SELECT phone FROM users WHERE username = 'mei'") == ""

    await app.scroll_to("export")
    await app.tap("export")
    await app.wait_for(text="Saved as")
    (copy,) = (app.data_dir / "files").glob("*/papers/my-data-*.json")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert "13800138000" not in json.dumps(json.loads(copy.read_text())["account"])

    await app.scroll_to("delete")
    await app.tap("delete")
    await app.type(PASSWORD, into="delete-password")
    await app.back()
    await app.wait_for("delete-sheet", gone=True)
    state = await app.state()
    assert (state["signed_in"], state["screen"], state["faults"]) == (True, "my_data", 0)
    assert await the_one(island, "SELECT anonymised_at IS NULL AND enabled FROM users WHERE username = 'mei'")


async def test_the_answer_to_an_appeal_comes_into_the_list(
    stage: Any, island: Any, at_home: Callable[..., Any]
) -> None:
    folder = await at_home()
    bins = await stand.add_board(island.given, "分类投放点 Bins", "waste_sorting")
    async with without_a_window(folder, island.url) as client:
        await island.given.pool.execute("UPDATE users SET created_at = now() + interval '1 hour'")
        refused = await client.api.points.scan(bins.code(), island.clock(), key="early")
        await island.given.pool.execute("UPDATE users SET created_at = now() - interval '30 days'")
        made = await client.api.points.appeal(str(refused.event_id), "I opened it on the way.", key="appeal")
    app = await stage(server=island.url, data_dir=folder, language="en", theme="light")
    await app.tap("tab-me")
    await app.tap("to-appeals")
    await app.wait_for(text="Unanswered")
    said = {"points": 30, "answer": "You are right."}
    await reviews.decide_appeal(island.given, SECOND, await staff(island), made.appeal_id, **said)
    await app.back()
    await app.tap("to-appeals")
    await app.wait_for(text="Answered")
    await app.tap(f"appeal-{made.appeal_id}")
    await app.wait_for(text="You are right.")
    assert "+30" in await app.texts()
    assert "appeal" not in await app.ids()  # one word for each act
    assert await the_one(island, "SELECT state FROM point_appeals") == "granted"
    await app.back()
    await app.back()
    await app.tap("tab-home")
    await app.wait_for(text="2,030")
    assert (await app.state())["faults"] == 0


async def test_a_goal_is_dropped_in_a_sheet_that_stood_open_while_the_language_changed_and_badges_count(
    stage: Any, island: Any, at_home: Callable[..., Any]
) -> None:
    folder = await at_home()
    bins = await stand.add_board(island.given, "分类投放点 Bins", "waste_sorting")
    async with without_a_window(folder, island.url) as client:
        await client.api.points.scan(bins.code(), island.clock(), key="bins")
        await client.api.points.set_goal(500)
        await island.given.pool.execute("UPDATE point_events SET badge = 'beach_cleaner'")
        (badge,) = await client.api.points.badges()
    app = await stage(server=island.url, data_dir=folder, language="en", theme="light")
    await app.tap("hero")
    await app.wait_for(text="of 500 points")
    await app.scroll_to(f"badge-{badge.badge}")
    assert "1 time" in await app.texts()
    await app.scroll_to("set-goal")
    await app.tap("set-goal")
    await app.type("700", into="goal-points", clear=True)
    await app.settings(language="zh")
    await app.wait_for(text="本月目标")
    await app.tap("goal-save")
    await app.wait_for("goal-sheet", gone=True)
    await app.wait_for(text="700")
    assert await the_one(island, "SELECT month_points FROM point_goals") == 700
    await app.tap("set-goal")
    await app.tap("goal-drop")
    await app.wait_for("goal-sheet", gone=True)
    await app.wait_for(text="设定目标")
    assert await the_one(island, "SELECT count(*) FROM point_goals") == 0
    assert (await app.state())["faults"] == 0


async def test_an_organisation_shows_its_vouchers_in_the_drivers_app(stage: Any, island: Any, tmp_path: Path) -> None:
    given = island.given
    for org_id, kind in (("cafe", "merchant"), ("hotel", "applicant")):
        await stand.add_organisation(given, org_id, kind)
    await island.add_person("organisation", "hotel", "Hotel")
    await given.pool.execute("UPDATE users SET org_id = 'hotel'")
    wish = vouchers.SchemeWish(
        name_zh="零碳奖励",
        name_en="Zero-carbon reward",
        amounts_fen=(10_000,),
        budget_fen=20_000,
        validity_days=90,
        valid_from=given.clock(),
        merchants=("cafe",),
        source="art. 28",
        reason="first",
        in_parts=True,
    )
    scheme_id = await vouchers.propose(given, stand.OFFICE, wish)
    await vouchers.approve(given, SECOND, scheme_id)
    office, holder = await staff(island), {"holder_kind": HolderKind.ORGANISATION, "holder_id": "hotel"}
    async with given.change() as connection:
        made = await vouchers.issue(given, connection, SECOND, office, scheme_id, **holder, amount_fen=10_000)
    folder = tmp_path / "phone-of-hotel"
    folder.mkdir()
    async with without_a_window(folder, island.url, "driver") as client:
        await client.session.sign_in("hotel", PASSWORD)
        (mine,) = await client.api.points.my_vouchers()
    app = await stage("driver", server=island.url, data_dir=folder, language="en", theme="light")
    await app.tap("tab-me")
    await app.scroll_to("to-vouchers")
    await app.tap("to-vouchers")
    await app.tap(f"voucher-{made.voucher_id}")
    await app.wait_for("qr")
    assert {"¥100.00 of ¥100.00 left", mine.code_grouped.replace("-", " ")} <= set(await app.texts())
    await app.back()
    till = replace(office, org_id="cafe")
    await vouchers.spend(given, Actor("till"), "cafe", till, mine.code, 2_500, "one")
    await app.back()
    await app.tap("to-vouchers")
    await app.wait_for(text="¥75.00")
    assert await the_one(island, "SELECT sum(amount_fen) FROM voucher_spends") == 2_500
    assert (await app.state())["faults"] == 0
