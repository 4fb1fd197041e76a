"""Guardians and children on two phones, by touches, and what the cloud knows of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mobile.core.client import build_client

PASSWORD = "a long enough password"


async def guardian_of(island: Any, username: str) -> str | None:
    """The name of somebody's guardian in the cloud."""
    name: str | None = await island.given.pool.fetchval(
        "SELECT g.username FROM users u LEFT JOIN users g ON g.user_id = u.guardian_id WHERE u.username = $1", username
    )
    return name


async def to_guardians(app: Any) -> None:
    """From the first screen to the page."""
    await app.tap("tab-me")
    await app.scroll_to("to-guardian")
    await app.tap("to-guardian")


async def test_a_childs_account_is_opened_with_its_guardian_who_can_let_it_go(
    stage: Any, island: Any, signed_in: Callable[..., Any]
) -> None:
    grown_up = await stage(
        server=island.url, data_dir=await signed_in("visitor", username="li", name="Li"), language="en", theme="light"
    )
    await to_guardians(grown_up)
    await grown_up.tap("make-code")
    await grown_up.wait_for("guardian-code")
    (code,) = [text for text in await grown_up.texts() if text.isdigit() and len(text) == 8]

    child = await stage(server=island.url, language="en", theme="light")
    await child.tap("register")
    await child.wait_for("terms")
    await child.type("xiaobao", into="username")
    await child.type(PASSWORD, into="password")
    await child.scroll_to("born_on")
    await child.type(f"{island.clock().year - 9}-03-01", into="born_on")
    await child.scroll_to("agrees_terms")
    await child.tap("agrees_terms")
    await child.scroll_to("open-account")
    await child.tap("open-account")
    await child.scroll_to("guardian_code")
    await child.wait_for(text="Under 14, a guardian gives you a code from their app.")
    wrong = "00000000" if code != "00000000" else "11111111"
    await child.type(wrong, into="guardian_code")
    await child.scroll_to("open-account")
    await child.tap("open-account")
    await child.scroll_to("failed")
    assert await island.given.pool.fetchval("SELECT count(*) FROM users WHERE username = 'xiaobao'") == 0
    await child.scroll_to("guardian_code")
    await child.type(code, into="guardian_code", clear=True)
    await child.scroll_to("open-account")
    await child.tap("open-account")
    await child.wait_for("tab-home")
    assert await guardian_of(island, "xiaobao") == "li"

    # A child cannot part by itself, and is told so.
    await to_guardians(child)
    await child.wait_for(text="Li")
    await child.tap("part")
    await child.tap(text="Stay")
    await child.tap("part")
    await child.wait_for(text="Part from Li?")
    await child.tap("part-dialog-confirm")
    await child.wait_for("failed")
    assert await guardian_of(island, "xiaobao") == "li"

    # Its guardian sees it, thinks better of it once, and lets it go.
    await grown_up.back()
    await grown_up.tap("to-guardian")
    ward = await island.given.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'xiaobao'")
    await grown_up.tap(f"ward-{ward}")
    await grown_up.tap("part-dialog-cancel")
    assert await guardian_of(island, "xiaobao") == "li"
    await grown_up.tap(f"ward-{ward}")
    await grown_up.tap("part-dialog-confirm")
    await grown_up.wait_for(f"ward-{ward}", gone=True)
    assert await guardian_of(island, "xiaobao") is None
    for app in (grown_up, child):
        assert (await app.state())["faults"] == 0


async def test_who_is_old_enough_joins_a_guardian_and_parts_again(
    stage: Any, island: Any, signed_in: Callable[..., Any]
) -> None:
    folder = await signed_in("visitor", username="li", name="Li")
    client = build_client(folder, island.url, "visitor")
    code = (await client.api.people.guardian_code()).code
    await client.stop()
    app = await stage(
        server=island.url, data_dir=await signed_in("visitor", username="mei", name="Mei"), language="zh", theme="dark"
    )
    await to_guardians(app)
    await app.scroll_to("join")
    await app.type("12", into="join-code")
    await app.tap("join")
    await app.wait_for("failed")
    assert await guardian_of(island, "mei") is None
    await app.scroll_to("join")
    await app.type(code, into="join-code", clear=True)
    await app.tap("join")
    await app.wait_for("part")
    assert await guardian_of(island, "mei") == "li"
    assert "failed" not in await app.ids()
    await app.tap("part")
    await app.tap("part-dialog-confirm")
    await app.wait_for("join")
    assert await guardian_of(island, "mei") is None
    assert [row["action"] for row in await changes(island)] == ["guardian_changed"] * 2
    assert (await app.state())["faults"] == 0


async def changes(island: Any) -> list[Any]:
    """What the cloud wrote down of it."""
    found: list[Any] = await island.given.pool.fetch("SELECT action FROM audit WHERE action LIKE 'guardian%'")
    return found
