"""Temporary pictures."""

from typing import Any
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_shots(make_desk: Any, ledger_scene: Any) -> None:
    for lang, theme in (("zh", "light"), ("en", "dark")):
        desk = await make_desk(lang, theme)
        await desk.sign_in("reviewer")
        for name, path in (
            ("ledger", "/ledger"),
            ("all", "/ledger?show=all"),
            ("credits", "/ledger/credits"),
            ("visit", "/ledger/visits/visit-0002"),
            ("visit6", "/ledger/visits/visit-0110"),
        ):
            await desk.open(path)
            await desk.page.screenshot(path=f"/tmp/shots/ledger_{name}_{lang}.png")
        print(desk.seen.errors)
