"""Every page: no accessibility violation, no sideways scrolling, nothing from elsewhere; and the office's work."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from playwright.async_api import expect

from cloud_sync.server import auth

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGES = (
    "/live",
    "/live?show=manual",
    "/passages/held-1",
    "/passages/held-2",
    "/passages/passed-3",
    "/passages",
    "/passages?plate=nothing",
    "/lanes",
    "/gateways",
    "/vision",
    "/permits",
    "/watch",
    "/rules",
    "/audit",
    "/users",
    "/account",
)
DIALOGS = (
    ("/live", "a"),
    ("/live", "r"),
    ("/live", "e"),
    ("/live", "/"),
    ("/live", "?"),
    ("/passages/passed-3", "u"),
    ("/passages/passed-3", "n"),
)
OFFICE_DIALOGS = ("/watch", "/users")


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
async def test_axe_finds_nothing_on_any_page(make_desk: Any, scene: Any, language: str, theme: str) -> None:
    desk = await make_desk(language, theme)
    await desk.open("/sign-in")
    found = {"/sign-in": await desk.axe()}
    await desk.sign_in("engineer")
    for path in PAGES:
        await desk.open(path)
        found[path] = await desk.axe()
    for path, key in DIALOGS:
        await desk.open(path)
        await desk.armed()
        await desk.page.keyboard.press(key)
        await expect(desk.page.locator("dialog[open]")).to_be_visible()
        found[f"{path} {key}"] = await desk.axe()
    for path in OFFICE_DIALOGS:
        await desk.open(path)
        await desk.page.locator(".head [data-open]").click()
        found[f"{path} add"] = await desk.axe()
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert desk.seen.errors == []


@pytest.mark.parametrize("width", [1000, 720, 390], ids=["folded", "200 percent", "phone"])
async def test_pages_fit_narrow_windows(make_desk: Any, scene: Any, width: int) -> None:
    desk = await make_desk(width=width, height=700)
    await desk.sign_in("engineer")
    wide = {}
    for path in PAGES:
        await desk.open(path)
        over = await desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            wide[path] = over
    assert wide == {}


async def test_every_page_has_one_heading_one_main_and_its_language(make_desk: Any, scene: Any) -> None:
    desk = await make_desk("en", "light")
    await desk.sign_in("engineer")
    for path in PAGES:
        await desk.open(path)
        assert await desk.page.locator("h1").count() == 1, path
        assert await desk.page.locator("main").count() == 1, path
        assert await desk.page.locator("html").get_attribute("lang") == "en-GB"


async def test_pages_carry_a_strict_policy(make_desk: Any, scene: Any) -> None:
    desk = await make_desk()
    answer = await desk.page.goto(f"{desk.site.url}/sign-in")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_no_link_leads_nowhere(make_desk: Any, scene: Any) -> None:
    desk = await make_desk()
    await desk.sign_in("engineer")
    links = await desk.page.evaluate("[...document.querySelectorAll('.nav a, .jump a')].map((one) => one.href)")
    for link in sorted(set(links)):
        answer = await desk.page.goto(link)
        assert answer.status == 200, link


@pytest.mark.parametrize("role", ["guard", "approver"])
async def test_navigation_shows_what_a_role_may_open(make_desk: Any, scene: Any, role: str) -> None:
    desk = await make_desk()
    await desk.sign_in(role)
    shown = await desk.page.evaluate(
        "[...document.querySelectorAll('.nav a')].map((one) => new URL(one.href).pathname)"
    )
    assert "/users" not in shown
    assert ("/audit" in shown) == (role == "approver")
    answer = await desk.page.goto(f"{desk.site.url}/users")
    assert answer.status == 403
    await expect(desk.page.locator("main")).to_contain_text("找工程师开通")


# ---------------------------------------------------------------- coming in


async def test_a_wrong_password_keeps_the_name(make_desk: Any, scene: Any) -> None:
    desk = await make_desk()
    await desk.open("/passages")
    await desk.page.wait_for_url("**/sign-in?next=%2Fpassages")
    await desk.page.fill("input[name=username]", "guard")
    await desk.page.fill("input[name=password]", "not this one")
    await desk.page.press("input[name=password]", "Enter")
    await expect(desk.page.locator("[role=alert]")).to_contain_text("用户名或密码不对")
    await expect(desk.page.locator("input[name=username]")).to_have_value("guard")
    assert await desk.axe() == []


async def test_language_and_theme_are_kept(make_desk: Any, scene: Any) -> None:
    desk = await make_desk("zh", "light")
    await desk.sign_in()
    async with desk.page.expect_navigation():
        await desk.page.locator(".prefs [name=lang]").click()
    await expect(desk.page.locator("h1")).to_have_text("Live gate")
    await desk.page.locator(".prefs [name=theme]").click()
    await expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")
    await desk.open("/permits")
    await expect(desk.page.locator("h1")).to_have_text("Permits")
    await expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_signing_out_ends_the_session(make_desk: Any, scene: Any) -> None:
    desk = await make_desk()
    await desk.sign_in()
    await desk.open("/account")
    await desk.page.locator("form[action='/sign-out'] button").click()
    await desk.page.wait_for_url("**/sign-in")
    await desk.open("/live")
    await desk.page.wait_for_url("**/sign-in?next=%2Flive")


async def test_the_first_account_needs_the_code_from_the_file(make_desk: Any, site: Any) -> None:
    desk = await make_desk()
    await site.given.pool.execute("DELETE FROM users")
    await auth.prepare_first_account(site.given)
    code = (site.given.config.server.data_dir / auth.SETUP_FILE).read_text().strip()
    await desk.open("/")
    await desk.page.wait_for_url("**/setup")
    assert await desk.axe() == []
    tries = (
        ("wrong", "a good long password", "设置码不对"),
        (code, "short", "至少 10 个字符"),
        (code, "a good long password", ""),
    )
    for given_code, password, complaint in tries:
        await desk.page.fill("input[name=code]", given_code)
        await desk.page.fill("input[name=username]", "chief")
        await desk.page.fill("input[name=password]", password)
        await desk.page.press("input[name=password]", "Enter")
        if complaint:
            await expect(desk.page.locator("[role=alert]")).to_contain_text(complaint)
    await desk.page.wait_for_url("**/live")
    assert await site.given.pool.fetchval("SELECT role FROM users WHERE username = 'chief'") == "engineer"
    await desk.open("/setup")
    await desk.page.wait_for_url("**/live")


# ---------------------------------------------------------------- search and export


async def test_search_narrows_by_plate_result_and_person(desk: Any, scene: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/passages")
    rows = desk.page.locator("tbody tr")
    await expect(rows).to_have_count(10)
    await desk.page.locator(".seg a", has_text="拒绝").click()
    await expect(rows).to_have_count(1)
    await expect(desk.page.locator(".seg .on")).to_contain_text("1")
    await desk.open("/passages?manual=1")
    await expect(rows).to_have_count(1)
    await desk.open("/passages?plate=%E7%90%BCC7?083")
    await expect(rows).to_have_count(1)
    await desk.open("/passages?plate=%E7%90%BCC78083&near=1")
    await expect(rows).to_have_count(1)
    await desk.open("/passages?until=2020-01-01T00:00")
    await expect(desk.page.locator(".empty")).to_contain_text("没有符合的通行记录")
    await desk.open("/passages?from=nonsense")
    await expect(desk.page.locator("[role=alert]")).to_contain_text("时间没看懂")


async def test_what_is_found_can_be_taken_as_csv(desk: Any, scene: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/passages?result=refuse")
    async with desk.page.expect_download() as waiting:
        await desk.page.locator(".head a[href*='passages.csv']").click()
    path = await (await waiting.value).path()
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert len(rows) == 2
    assert any("琼C12345" in cell for cell in rows[1])


# ---------------------------------------------------------------- office and engineers


async def test_a_permit_is_found_and_revoked_with_a_reason(desk: Any, scene: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/permits?plate=C78083")
    row = desk.page.locator("tbody tr", has=desk.page.locator("[aria-label='琼C·78083']"))
    await row.locator("[data-open]").click()
    dialog = desk.page.locator("#revoke-dialog")
    await dialog.locator("button.solid").click()
    await expect(dialog.locator(".problem")).to_contain_text("必填")
    await dialog.locator("textarea").fill("换车了")
    await dialog.locator("button.solid").click()
    await expect(desk.page.locator(".flash")).to_contain_text("许可已撤销")
    await expect(row).to_have_count(0)
    await desk.open("/permits?show=all&plate=C78083")
    await expect(row).to_contain_text("换车了")


async def test_a_plate_goes_on_the_list_and_off_again(desk: Any, scene: Any) -> None:
    await desk.sign_in("approver")
    await desk.open("/watch")
    await desk.page.locator(".head [data-open]").click()
    await desk.page.locator("#add-dialog [name=plate]").fill("粤B12345")
    await desk.page.locator("#add-dialog [name=reason]").fill("协查")
    async with desk.page.expect_navigation():
        await desk.page.locator("#add-dialog button.pri").click()
    await expect(desk.page.locator("tbody tr")).to_have_count(2)
    await desk.page.locator("tbody tr", has_text="协查").locator("[data-open]").click()
    await desk.page.locator("#remove-dialog textarea").fill("已结案")
    await desk.page.locator("#remove-dialog button.solid").click()
    await expect(desk.page.locator("tbody tr")).to_have_count(1)
    await desk.open("/audit?action=watch_removed")
    await expect(desk.page.locator("tbody tr")).to_contain_text("已结案")


async def test_engineers_add_people_and_switch_them_off(desk: Any, scene: Any) -> None:
    await desk.sign_in("engineer")
    await desk.open("/users")
    await desk.page.locator(".head [data-open]").click()
    for name, value in (("username", "lin"), ("name", "林"), ("password", "another long one")):
        await desk.page.locator(f"#add-dialog [name={name}]").fill(value)
    async with desk.page.expect_navigation():
        await desk.page.locator("#add-dialog button.pri").click()
    row = desk.page.locator("tbody tr", has_text="lin")
    await expect(row).to_be_visible()
    async with desk.page.expect_navigation():
        await row.locator("select").select_option("approver")
    await row.get_by_role("button", name="停用").click()
    await expect(row).to_contain_text("关")
    assert await scene.site.given.pool.fetchval("SELECT role FROM users WHERE username = 'lin'") == "approver"


async def test_gateways_tell_how_fresh_they_are(desk: Any, scene: Any) -> None:
    await desk.sign_in("engineer")
    await scene.health()
    await desk.open("/gateways")
    await expect(desk.page.locator(".gw .tag")).to_have_text("实时")
    await scene.site.given.pool.execute("UPDATE gateway_health SET received_at = now() - interval '2 hours'")
    await scene.site.given.pool.execute("UPDATE cursors SET updated_at = now() - interval '2 hours'")
    await desk.open("/gateways")
    await expect(desk.page.locator(".gw .tag")).to_contain_text("断开 · 2 小时 0 分")
    await expect(desk.page.locator(".gw")).to_contain_text("门岗照常工作")
    await expect(desk.page.locator(".facts.old")).to_have_count(1)


async def test_rules_show_their_source(desk: Any, scene: Any) -> None:
    await desk.sign_in()
    await desk.open("/rules")
    await expect(desk.page.locator("tbody tr", has_text="插混或燃料电池")).to_contain_text("管理办法")
