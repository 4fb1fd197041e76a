"""Organisations, requests about personal data and one's own data, done in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server import auth
from cloud_sync.server.people import consents, data_requests
from cloud_sync.server.people.data_requests import RequestKind
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.store import Actor

pytestmark = pytest.mark.asyncio(loop_scope="session")
PASSWORD = "a long enough password"


async def add(given: Any, username: str, role: str) -> str:
    hashed = await given.passwords.hash(PASSWORD)
    role_of = auth.Role(role)
    return await auth.insert_user(
        given.pool, username=username, name=username, role=role_of, password_hash=hashed, at=given.clock()
    )


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
async def test_the_office_keeps_organisations_and_answers_requests(
    make_desk: Any, site: Any, language: str, theme: str
) -> None:
    given = site.given
    desk = await make_desk(language, theme)
    page = desk.page
    await add(given, "fu", "driver")
    lin = await add(given, "lin", "visitor")
    await consents.note(
        given.pool, account_uuid(lin), given=["terms"], language="zh", by=account_uuid(lin), at=given.clock()
    )
    asked = await data_requests.ask(given, Actor("lin"), lin, kind=RequestKind.QUESTION, message="为什么拒绝？")
    await desk.sign_in("approver")
    await desk.open("/organisations")
    await page.keyboard.press("n")
    await page.fill("#add-dialog [name=name]", "琼海物流")
    async with page.expect_navigation(url="**done=organisation_added**"):
        await page.press("#add-dialog [name=name]", "Enter")
    await page.fill("aside [name=username]", "fu")
    async with page.expect_navigation(url="**done=member_added**"):
        await page.press("aside [name=username]", "Enter")
    await expect(page.locator(".plainrows")).to_contain_text("fu")
    found = {"organisations": await desk.axe()}
    await desk.open(f"/data-requests?request_id={asked.body['request_id']}")
    found["requests"] = await desk.axe()
    await page.fill("aside [name=answer]", "依据第二十五条。")
    async with page.expect_navigation(url="**done=request_answered**"):
        await page.click("aside .btn.pri")
    await page.context.clear_cookies(name="island_session")
    await desk.sign_in("lin")
    await desk.open("/account/data")
    await expect(page.locator(".plainrows").last).to_contain_text("依据第二十五条。")
    found["data"] = await desk.axe()
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert desk.seen.errors == []
