"""The frame of the app in a real window: bars, stacks, back, look at run time, network, faults, kills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PHONE = (390, 844)
# A toast or a bar may be on its way out; a page has a hundred.
STRAYS_MORE_MAX = 30


@pytest.mark.parametrize(
    ("role", "tabs"),
    [("visitor", ["home", "trips", "scan", "rewards", "me"]), ("driver", ["permits", "emission", "me"])],
)
async def test_each_role_has_its_bar_and_every_tab_opens(
    stage: Any, island: Any, signed_in: Any, role: str, tabs: list[str]
) -> None:
    app = await stage(role=role, server=island.url, data_dir=await signed_in(role), language="en", theme="light")
    boxes = {name.removeprefix("tab-"): box for name, box in (await app.ids()).items() if name.startswith("tab-")}
    assert sorted(boxes, key=lambda name: boxes[name].left) == tabs
    assert all(box.width >= 48 and box.height >= 48 for box in boxes.values())
    for name in [*tabs[1:], tabs[0]]:
        await app.tap(f"tab-{name}")
        state = await app.state()
        assert (state["tab"], state["screen"], state["faults"]) == (name, name, 0)
        if "bar" not in await app.ids():
            await app.back()  # the camera takes the whole screen
    await app.quit()
    assert await app.gone() == 0


async def test_screens_that_were_built_anew_leave_nothing_behind(stage: Any, island: Any, signed_in: Any) -> None:
    """What kv keeps of a rule must not hold the widgets: `self.ids.x` in a rule did, and every page stayed for good."""
    app = await stage(role="visitor", server=island.url, data_dir=await signed_in("visitor"), theme="light")

    async def turn() -> int:
        for theme in ("dark", "light"):
            await app.settings(theme=theme)
            for name in ("trips", "rewards", "me", "home"):
                await app.tap(f"tab-{name}")
        return await app.strays()

    await turn()
    before = await turn()
    for _ in range(2):
        after = await turn()
    assert after <= before + STRAYS_MORE_MAX
    await app.quit()


async def test_nobody_signed_in_sees_the_sign_in_without_a_bar(stage: Any) -> None:
    app = await stage("visitor")
    assert (await app.state())["screen"] == "sign_in"
    assert "bar" not in await app.ids()


async def test_back_leaves_screens_and_ends_on_the_first_tab(stage: Any, island: Any, signed_in: Any) -> None:
    app = await stage("driver", server=island.url, data_dir=await signed_in("driver"))
    await app.tap("tab-me")
    await app.back()
    assert (await app.state())["tab"] == "permits"
    await app.back()
    assert (await app.state())["screen"] == "permits"
    assert app.is_running


async def test_language_theme_and_text_size_change_at_once_and_are_kept(
    stage: Any, island: Any, signed_in: Any
) -> None:
    folder = await signed_in("driver")
    app = await stage("driver", server=island.url, data_dir=folder, language="en", theme="light")
    assert "Permits" in await app.texts()
    light = await app.shot(folder / "light.png")
    await app.settings(language="zh", theme="dark", text_scale=1.6)
    assert "许可" in await app.texts()
    dark = await app.shot(folder / "dark.png")
    assert _brightness(light) > 200 > 40 > _brightness(dark)
    await app.quit()
    again = await stage("driver", server=island.url, data_dir=folder)
    state = await again.state()
    assert (state["language"], state["theme"], state["text_scale"]) == ("zh", "dark", 1.6)


def _brightness(picture: Path) -> float:
    """Of the page beside its content, 0 to 255."""
    with Image.open(picture) as opened:
        assert opened.size == PHONE
        assert opened.mode == "RGB"
        colour = opened.getpixel((3, 60))
    assert isinstance(colour, tuple)
    return sum(colour) / 3


async def test_a_lost_network_is_told_and_forgotten_when_it_is_back(
    stage: Any, island: Any, signed_in: Any, wire: Any
) -> None:
    line = await wire(island.url)
    folder = await signed_in("visitor", server=line.url)
    app = await stage("visitor", server=line.url, data_dir=folder, language="en")
    await app.ask()
    await app.wait_state(online=True)
    assert "banner" not in await app.ids()
    await line.cut()
    await app.ask()
    await app.wait_for("banner")
    assert "No connection. You see what was last loaded." in await app.texts()
    await line.mend()
    await app.wait_for("banner", gone=True)


async def test_the_first_frame_waits_for_no_network(stage: Any, signed_in: Any, island: Any, wire: Any) -> None:
    """A server that takes connections and never answers."""
    line = await wire(island.url)
    folder = await signed_in("visitor", server=line.url)
    line.is_jammed = True
    app = await stage("visitor", server=line.url, data_dir=folder)
    assert (await app.state())["screen"] == "home"
    assert "tab-home" in await app.ids()
    app.kill()
    await app.gone()


async def test_a_fault_of_ours_is_told_noted_without_its_words_and_the_app_goes_on(
    stage: Any, island: Any, signed_in: Any
) -> None:
    folder = await signed_in("visitor")
    app = await stage("visitor", server=island.url, data_dir=folder, language="en")
    await app.fail("in_touch")
    await app.wait_for(text="Something went wrong in the app.")
    await app.fail("in_task")
    await app.wait_state(faults=2)
    await app.tap("tab-me")
    assert (await app.state())["screen"] == "me"
    log = (folder / "faults.log").read_text(encoding="utf-8")
    assert "RuntimeError" in log
    assert "琼A12345" not in log


async def test_a_killed_app_starts_again_where_its_data_is(stage: Any, island: Any, signed_in: Any) -> None:
    folder = await signed_in("visitor")
    app = await stage("visitor", server=island.url, data_dir=folder)
    app.kill()
    assert await app.gone() == -9
    again = await stage("visitor", server=island.url, data_dir=app.data_dir)
    state = await again.state()
    assert (state["signed_in"], state["screen"], state["faults"]) == (True, "home", 0)
