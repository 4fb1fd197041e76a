"""Coming in and one's own account, by touches, against the real cloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PASSWORD = "a long enough password"


async def test_a_visitor_opens_an_account_signs_out_and_in_again(stage: Any, island: Any) -> None:
    app = await stage("visitor", server=island.url, language="en", theme="light")
    await app.tap("register")
    await app.wait_for("terms")
    await app.tap("username")
    await app.type("xiaoyu")
    await app.tap("password")
    await app.type("short")
    await app.tap("is_old_enough")
    await app.scroll_to("agrees_terms")
    await app.tap("agrees_terms")
    await app.scroll_to("open-account")
    await app.tap("open-account")
    await app.scroll_to("password")
    await app.wait_for(text="At least 10 characters.")
    await app.tap("password")
    await app.type(PASSWORD.removeprefix("short"))
    await app.scroll_to("open-account")
    await app.tap("open-account")
    await app.wait_for("tab-home")
    await app.tap("tab-me")
    await app.wait_for(text="xiaoyu")
    await app.scroll_to("sign-out")
    await app.tap("sign-out")
    await app.tap(text="Stay")
    await app.tap("sign-out")
    await app.wait_for("sign-out-dialog")
    await app.tap("sign-out-dialog-confirm")
    await app.wait_for("sign-in")
    await app.tap("user")
    await app.type("xiaoyu")
    await app.tap("password")
    await app.type("not the password")
    await app.tap("sign-in")
    await app.wait_for(text="Name or password is wrong.")
    assert (await app.state())["screen"] == "sign_in"


async def test_a_driver_says_the_age_too_and_is_told_what_is_missing(stage: Any, island: Any) -> None:
    app = await stage("driver", server=island.url, language="en", theme="light")
    await app.tap("register")
    await app.wait_for("terms")
    await app.tap("username")
    await app.type("laochen")
    await app.tap("password")
    await app.type(PASSWORD)
    await app.scroll_to("agrees_terms")
    await app.tap("agrees_terms")
    await app.scroll_to("open-account")
    await app.tap("open-account")
    await app.scroll_to("is_old_enough")
    await app.wait_for(text="Say that you are 14 or older")
    await app.tap("is_old_enough")
    await app.wait_for("born_on", gone=True)
    await app.scroll_to("open-account")
    await app.tap("open-account")
    await app.wait_for("tab-permits")


async def test_the_look_is_chosen_under_me(stage: Any, island: Any, signed_in: Any) -> None:
    app = await stage("visitor", server=island.url, data_dir=await signed_in("visitor"), language="en", theme="light")
    await app.tap("tab-me")
    await app.scroll_to("language-zh")
    await app.tap("language-zh")
    await app.wait_for(text="外观和语言")
    await app.scroll_to("theme-dark")
    await app.tap("theme-dark")
    state = await app.state()
    assert (state["language"], state["theme"]) == ("zh", "dark")


async def test_one_sees_corrects_copies_and_deletes_ones_data(stage: Any, island: Any, signed_in: Any) -> None:
    folder: Path = await signed_in("visitor", username="xiaoyu", name="Xiaoyu")
    app = await stage("visitor", server=island.url, data_dir=folder, language="en", theme="light")
    await app.tap("tab-me")
    await app.scroll_to("to-my_data")
    await app.tap("to-my_data")
    await app.wait_for(text="Xiaoyu")
    await app.tap("correct-name")
    await app.tap("correct-text")
    await app.type(" Lin")
    await app.tap("correct-save")
    await app.wait_for(text="Xiaoyu Lin")
    await app.scroll_to("export")
    await app.tap("export")
    await app.wait_for(text="Saved as")
    (copy,) = (folder / "files").glob("*/papers/my-data-*.json")
    assert "Xiaoyu Lin" in json.dumps(json.loads(copy.read_text()), ensure_ascii=False)
    await app.tap("toast-action")
    await app.wait_for("toast", gone=True)  # it lies over the end of the page
    await app.scroll_to("delete")
    await app.tap("delete")
    await app.tap("delete-password")
    await app.type("wrong")
    await app.tap("delete-yes")
    await app.wait_for(text="Name or password is wrong.")
    await app.tap("delete-password")
    await app.type(PASSWORD, clear=True)
    await app.tap("delete-yes")
    await app.wait_for("sign-in")
