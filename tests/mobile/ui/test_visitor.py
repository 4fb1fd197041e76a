"""A visitor's screens in a real window, with the real cloud: what was earned, what it buys, and how it came about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobile.core.client import build_client
from tests.cloud_sync.server.points import stand

SORTING = 10


@pytest.fixture
def at_home(island: Any, signed_in: Callable[..., Any]) -> Callable[..., Any]:
    """`await at_home(url)`: the phone of Xiaoyu, who has points, and an account for long enough."""

    async def made(url: str = "", *, points: int = 2_000) -> Path:
        folder: Path = await signed_in("visitor", server=url, username="xiaoyu", name="小雨")
        person = await island.given.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'xiaoyu'")
        await island.given.pool.execute("UPDATE users SET created_at = created_at - interval '30 days'")
        await stand.give_points(island.given, person, points)
        return folder

    return made


async def test_home_shows_what_was_granted_and_what_waits(
    stage: Any, island: Any, at_home: Callable[..., Any], wire: Any
) -> None:
    bins = await stand.add_board(island.given, "分类投放点 Bins", "waste_sorting")
    line = await wire(island.url)
    folder = await at_home(line.url)
    app = await stage(server=line.url, data_dir=folder, language="zh", theme="light", camera="denied")
    await app.wait_for(text="今天还没有记录")
    assert "2,000" in await app.texts()
    await line.cut()
    await app.tap("tab-scan")
    await app.tap("scan-type")
    await app.type(bins.typed(), into="typed-code")
    await app.tap("typed-hand-in")
    await app.wait_for(text="已存在手机里")
    await app.tap("scan-result-again")
    await app.back()
    await app.wait_for(text="1 条待同步")
    assert "2,000" in await app.texts()
    assert [one for one in await app.ids() if one.startswith("waiting-")]
    await line.mend()
    await app.wait_for(text=f"+{SORTING}")
    texts = await app.texts()
    assert {f"{2_000 + SORTING:,}", f"今天少排 {SORTING} g", "垃圾分类"} <= set(texts)
    assert "1 条待同步" not in texts
    assert (await app.state())["faults"] == 0


async def test_something_is_bought_once_and_its_code_shows_after_a_kill_without_a_network(
    stage: Any, island: Any, at_home: Callable[..., Any], wire: Any
) -> None:
    await stand.add_organisation(island.given, "cafe")
    coffee = await stand.add_item(island.given, "cafe", price_points=1_500, stock=1)
    dear = await stand.add_item(island.given, "cafe", price_points=20_000)
    line = await wire(island.url)
    given = {"server": line.url, "data_dir": await at_home(line.url), "language": "en", "theme": "dark"}
    app = await stage(**given)
    await app.tap("tab-rewards")
    await app.tap(f"item-{dear}")
    await app.wait_for(text="18,000 points are missing.")
    await app.back()
    await app.tap(f"item-{coffee}")
    await app.wait_for(text="500 points")
    await app.tap("get-it")
    await app.wait_for("qr")
    (row,) = await island.given.pool.fetch("SELECT * FROM redemptions")
    assert row["price_points"] == 1_500
    (code,) = [text for text in await app.texts() if text.count(" ") == 2 and text.isupper()]
    await app.back()
    await app.wait_for(text="sold out · cafe")
    await app.tap(f"item-{coffee}")
    await app.wait_for(text="Sold out. Look again later.")
    app.kill()
    await app.gone()
    await line.cut()

    app = await stage(**given)
    await app.tap("tab-rewards")
    await app.wait_for(text="500")
    await app.tap("to-codes")
    await app.tap(f"code-{row['redemption_id']}")
    await app.wait_for("qr")
    assert {code, "Coffee", "1,500 points"} <= set(await app.texts())
    assert (await app.state())["faults"] == 0


async def test_history_tells_the_formula_and_takes_an_appeal_and_a_goal_is_set(
    stage: Any, island: Any, at_home: Callable[..., Any]
) -> None:
    folder = await at_home()
    board = await stand.add_board(island.given, "回收机 Recycling cube", "recycling.aluminium", makes_acts=True)
    client = build_client(folder, island.url, "visitor")
    now = island.given.clock()
    granted = await client.api.points.scan(board.code(counter=1, amount=100), now, key="can")
    await island.given.pool.execute("UPDATE users SET created_at = now() + interval '1 hour'")
    refused = await client.api.points.scan(board.code(counter=2, amount=50), now, key="early")
    assert (granted.state, refused.reason) == ("granted", "before_the_account")
    await client.stop()
    app = await stage(server=island.url, data_dir=folder, language="en", theme="light")
    await app.wait_for("today-list")
    await app.tap("hero")
    await app.wait_for("badges")
    await app.tap("set-goal")
    await app.wait_for("goal-sheet")
    await app.type("0", into="goal-points")
    await app.tap("goal-save")
    await app.wait_for(text="A whole number from 1 to 1,000,000.")
    await app.type("10000", into="goal-points", clear=True)
    await app.tap("goal-save")
    await app.wait_for(text="of 10,000 points")
    await app.back()
    await app.wait_for(text="Goal 10,000")

    await app.tap(text="All")
    await app.wait_for(text="+2,000")
    await app.tap("filter-spent")
    await app.wait_for(text="Nothing here")
    await app.tap("filter-earned")
    await app.tap(text="Recycling machine")
    await app.wait_for("computed")
    texts = await app.texts()
    assert f"+{granted.points}" in texts
    assert any(text.startswith("By the rule") for text in texts)
    await app.back()
    chips = (await app.ids())["filter"]
    await app.swipe((chips.left + 300, chips.middle[1]), (chips.left + 60, chips.middle[1]))
    await app.tap("filter-refused")
    await app.tap(text="Recycling machine")
    await app.wait_for(text="It was before the account was opened")
    await app.tap("appeal")
    await app.type("I opened it on the way.", into="appeal-text")
    await app.tap("appeal-send")
    await app.wait_for(text="Unanswered")
    assert await island.given.pool.fetchval("SELECT text FROM point_appeals") == "I opened it on the way."
    assert (await app.state())["faults"] == 0


async def test_rules_are_read_in_words(stage: Any, island: Any, at_home: Callable[..., Any]) -> None:
    app = await stage(server=island.url, data_dir=await at_home(), language="zh", theme="dark", text_scale=1.6)
    await app.tap("tab-me")
    assert "零碳券" not in await app.texts()
    await app.scroll_to("to-rules")
    await app.tap("to-rules")
    await app.tap("method-shuttle")
    await app.wait_for("method-sheet")
    await app.back()
    await app.tap("view-factors")
    await app.wait_for(text="海南电网用电")
    await app.tap("view-rules")
    await app.wait_for("rules")
    assert not [text for text in await app.texts() if "window." in text or "policy value" in text]
    assert (await app.state())["faults"] == 0
