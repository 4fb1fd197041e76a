"""The page of vehicle types: what a gateway learnt is shown, and an engineer's order goes on its way."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server import vehicle_heads

pytestmark = pytest.mark.asyncio(loop_scope="session")


def version(name: str, before: float, after: float) -> dict[str, Any]:
    return {
        "version": name,
        "made_at": "2026-11-21T09:00:00Z",
        "by": "王工",
        "crops": 150,
        "before_version": "shipped",
        "before": before,
        "before_interval": [before - 0.05, before + 0.05],
        "after": after,
        "after_interval": [after - 0.04, after + 0.04],
        "seconds": 2.4,
    }


async def tell(scene: Any, **more: Any) -> None:
    """The gateway's health with two versions that it learnt, the newer one worse."""
    told = {
        "in_use": "site-20261120-101500",
        "before": "shipped",
        "problem": "",
        "corrections": {"car": 61, "minibus": 44, "crane": 12},
        "versions": [version("site-20261121-090000", 0.9, 0.87), version("site-20261120-101500", 0.61, 0.9)],
    }
    at = scene.site.given.clock().isoformat()
    await scene.gateway.send(scene.gateway.health(at=at, vehicle_head=told | more))


async def test_an_engineer_sees_what_was_learnt_and_steps_back(desk: Any, scene: Any) -> None:
    await tell(scene)
    await desk.sign_in("engineer")
    await desk.open("/vision")
    await expect(desk.page.locator("tbody tr")).to_have_count(2)
    await expect(desk.page.locator("tbody tr").nth(1)).to_contain_text("使用中")
    await expect(desk.page.locator("tbody tr").nth(0)).to_contain_text("不如之前")
    await expect(desk.page.get_by_text("轿车 61")).to_be_visible()
    assert await desk.axe() == []
    await desk.page.get_by_role("button", name="退回出厂版本").click()
    await expect(desk.page.locator(".tag.hold")).to_contain_text("已发出")
    (found,) = await vehicle_heads.gateway_heads(desk.site.given.pool, now=desk.site.given.clock())
    assert found.running is not None
    assert (found.running.action, found.running.issued_by) == ("roll_back", "engineer")
    await expect(desk.page.get_by_role("button", name="现在学习")).to_be_disabled()


async def test_a_version_can_be_chosen(desk: Any, scene: Any) -> None:
    await tell(scene)
    await desk.sign_in("engineer")
    await desk.open("/vision")
    await desk.page.get_by_role("button", name="使用 site-20261121-090000").click()
    await expect(desk.page.locator(".tag.hold")).to_contain_text("换用版本")


async def test_a_guard_only_looks(desk: Any, scene: Any) -> None:
    await tell(scene, problem="made from other models")
    await desk.sign_in("guard")
    await desk.open("/vision")
    await expect(desk.page.locator("tbody tr")).to_have_count(2)
    await expect(desk.page.get_by_text("made from other models")).to_be_visible()
    await expect(desk.page.get_by_role("button", name="现在学习")).to_have_count(0)


async def test_a_silent_gateway_says_so(desk: Any, scene: Any) -> None:
    await desk.sign_in("guard")
    await desk.open("/vision")
    await expect(desk.page.get_by_text("还没报告")).to_be_visible()
