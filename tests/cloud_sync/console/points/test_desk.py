"""The office's desk of points: a held ride is released and the balance changes, devices, the catalogue, vouchers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")
OFFICE_PAGES = (
    "/points",
    "/points/appeals",
    "/points/methods",
    "/points/devices",
    "/points/catalogue",
    "/vouchers",
    "/vouchers/statements",
)


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
async def test_axe_finds_nothing(
    make_desk: Any, scheme: str, island: Any, entered: Any, language: str, theme: str
) -> None:
    desk = await make_desk(language, theme)
    await entered(desk.page, desk.site.url, "reviewer", "/points")
    found: dict[str, Any] = {}
    for path in OFFICE_PAGES:
        await desk.open(path)
        found[path] = await desk.axe()
        await desk.page.screenshot(path=f"/tmp/shots/pd_{path.strip('/').replace('/', '_')}_{language}_{theme}.png")
        over = await desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found[path] += [f"{over} px too wide"] if over > 0 else []
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert desk.seen.errors == []
