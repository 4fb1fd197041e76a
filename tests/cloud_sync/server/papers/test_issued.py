"""Papers are given out, opened by whom they are for, followed by their code, and told when they are no longer true."""

from __future__ import annotations

import io
from typing import Any

import asyncpg
import httpx
import pypdfium2
import pytest
import zxingcpp

from cloud_sync.server import retention
from cloud_sync.server.carbon import visits
from cloud_sync.server.papers import forgetting
from cloud_sync.server.papers.facts import is_neutral
from cloud_sync.server.papers.issued import files, masked
from cloud_sync.server.people import erasure
from cloud_sync.server.store import Actor

DAYS = {"since": "2026-11-01", "until": "2026-11-30"}


def code_of(content: bytes) -> str:
    """What a camera reads on the first page."""
    document = pypdfium2.PdfDocument(content)
    picture = document[0].render(scale=2.2, grayscale=True).to_numpy()
    document.close()
    return str(zxingcpp.read_barcodes(picture)[0].text)


async def test_a_certificate_is_followed_by_its_code_to_what_it_says(
    books: Any, sign_in: Any, browser: httpx.AsyncClient
) -> None:
    await books.visit("v1", "XK-2026-000001")
    await books.visit("v2", "XK-2026-000001", days_ago=1)
    office = await sign_in("reviewer")
    early = await office.post("/papers", {"kind": "neutralisation", "subject": "XK-2026-000001"})
    assert (early.status_code, early.json()["code"]) == (409, "not_neutralised")
    assert not await is_neutral(books.given.pool, "XK-2026-000001")
    await books.retire()
    assert await is_neutral(books.given.pool, "XK-2026-000001")
    assert not await is_neutral(books.given.pool, "XK-2026-000009")
    made = await office.post("/papers", {"kind": "neutralisation", "subject": "XK-2026-000001"})
    assert made.status_code == 201
    number = made.json()["paper_id"]
    file = await office.get(f"/papers/{number}/file")
    assert file.headers["content-type"] == "application/pdf"
    address = code_of(file.content)
    assert address.startswith("http://island.test/verify/")
    code = address.rsplit("/", 1)[1]
    told = (await browser.get(f"/api/v1/public/papers/{code}")).json()
    assert (told["paper_id"], told["genuine"], told["holds"]) == (number, True, True)
    owed = await books.owed("v1") + await books.owed("v2")
    assert (told["said"]["owed_g"], told["said"]["covered_g"]) == (owed, owed)
    assert told["said"]["plates"] == ["琼C·6***2"]
    assert "琼C66E02" not in str(told)
    assert told["said"]["serials"] == ["CCER 2025 CN-46-4117"]
    page = await browser.get(f"/verify/{code.lower()}", headers={"Accept": "text/html", "Accept-Language": "zh"})
    assert page.status_code == 200
    assert "真实有效" in page.text
    assert "琼C·6***2" in page.text
    listed = (await office.get("/papers?kind=neutralisation")).json()
    assert [one["paper_id"] for one in listed["items"]] == [number]


async def test_what_is_changed_by_the_rules_or_behind_them_is_told(
    books: Any, sign_in: Any, browser: httpx.AsyncClient, clock: Any
) -> None:
    await books.visit("v1", "XK-2026-000001")
    await books.retire()
    office = await sign_in("approver")
    number = (await office.post("/papers", {"kind": "neutralisation", "subject": "v1"})).json()["paper_id"]
    code = code_of((await office.get(f"/papers/{number}/file")).content).rsplit("/", 1)[1]

    async def told() -> dict[str, Any]:
        found: dict[str, Any] = (await browser.get(f"/api/v1/public/papers/{code}")).json()
        return found

    assert ((await told())["genuine"], (await told())["holds"]) == (True, True)
    pool = books.given.pool
    await pool.execute("UPDATE visit_accounts SET owed_g = owed_g + 1")
    behind = await told()
    assert (behind["genuine"], behind["holds"]) == (True, False)
    await pool.execute("UPDATE visit_accounts SET owed_g = owed_g - 1")
    clock.leap(hours=1)
    # The gates tell that it was a bus and stayed longer: the ledger reverses and posts anew.
    await pool.execute(
        "UPDATE visits SET left_at = left_at + interval '3 hours', vehicle_type = 'bus', revision = 2, updated_at = $1",
        clock(),
    )
    await visits.turn(books.given)
    corrected = await told()
    assert (corrected["genuine"], corrected["holds"]) == (True, False)
    assert corrected["changed_since"] is not None
    page = await browser.get(f"/verify/{code}", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert "no longer" in page.text
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("UPDATE papers SET facts = jsonb_set(facts, '{owed_g}', '1')")
    forged = await told()
    assert (forged["genuine"], forged["holds"], forged["said"]) == (False, False, {})


async def test_a_driver_has_a_statement_of_own_visits_and_nobody_elses(books: Any, sign_in: Any) -> None:
    driver = await sign_in("driver")
    user_id = await books.given.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'driver'")
    await books.visit("v1", "XK-2026-000001", owner=user_id)
    await books.visit("v2", "XK-2026-000002", owner="somebody else")
    made = await driver.post("/papers", {"kind": "visits", "language": "en", **DAYS})
    assert made.status_code == 201
    file = (await driver.get(f"/papers/{made.json()['paper_id']}/file")).content
    document = pypdfium2.PdfDocument(io.BytesIO(file))
    text = document[0].get_textpage().get_text_bounded()
    document.close()
    assert "Offset statement of visits" in text
    assert "1 visit from" in text
    other = await driver.post("/papers", {"kind": "neutralisation", "subject": "v2"})
    assert other.status_code in (404, 409)
    month = await driver.post("/papers", {"kind": "month", "subject": "2026-10"})
    assert month.status_code == 403
    merchant = await sign_in("merchant")
    assert (await merchant.get(f"/papers/{made.json()['paper_id']}/file")).status_code == 404
    assert (await merchant.get("/papers")).status_code == 403


async def test_a_paper_of_a_deleted_account_says_nothing_any_more(
    books: Any, sign_in: Any, browser: httpx.AsyncClient
) -> None:
    driver, office, given = await sign_in("driver"), await sign_in("reviewer"), books.given
    user_id = await given.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'driver'")
    await books.visit("v1", "XK-2026-000001", owner=user_id)
    number = (await driver.post("/papers", {"kind": "visits", **DAYS})).json()["paper_id"]
    code = code_of((await office.get(f"/papers/{number}/file")).content).rsplit("/", 1)[1]
    assert number.rsplit("-", 1)[1] not in code.replace("-", "")
    assert (await driver.get("/papers")).json()["items"][0]["issued_by"] == user_id
    log = (await driver.get("/me/access-log")).json()
    assert [(one["action"], one["by_role"]) for one in log] == [("paper_opened", "reviewer")]
    before = await given.pool.fetchrow("SELECT * FROM papers")
    path = files(given).path_of(before["sha256"])
    assert path.exists()
    await erasure.anonymise(given, Actor("driver"), user_id, why="")
    row = await given.pool.fetchrow("SELECT * FROM papers")
    assert (row["facts"], row["issued_by"], row["issued_for"]) == ("{}", "", None)
    assert not path.exists()
    told = (await browser.get(f"/api/v1/public/papers/{code}")).json()
    assert (told["genuine"], told["holds"], told["said"], told["withdrawn_at"] is None) == (False, False, {}, False)
    for language, said in (("en", "withdrawn by rule"), ("zh", "已按规定撤除")):
        page = await browser.get(f"/verify/{code}", headers={"Accept": "text/html", "Accept-Language": language})
        assert said in page.text
    assert (await office.get(f"/papers/{number}/file")).status_code == 404
    assert (await office.get("/papers")).json()["items"] == []


async def test_papers_of_people_are_forgotten_three_years_after_their_issue(
    books: Any, sign_in: Any, clock: Any
) -> None:
    office, pool = await sign_in("reviewer"), books.given.pool
    await books.visit("v1", "XK-2026-000001", owner="somebody")
    await books.retire()
    assert (await office.post("/papers", {"kind": "neutralisation", "subject": "v1"})).status_code == 201
    assert (await office.post("/papers", {"kind": "month", "subject": "2026-10"})).status_code == 201
    for statement in (
        "UPDATE papers SET facts = '{}'",
        "UPDATE papers SET redacted_at = now(), facts = '{\"owed_g\": 1}', issued_by = '', issued_for = NULL",
        "UPDATE papers SET redacted_at = now(), facts = '{}', issued_by = '', issued_for = NULL, sha256 = ''",
        "DELETE FROM papers",
    ):
        with pytest.raises(asyncpg.RaiseError, match="lets nothing be changed"):
            await pool.execute(statement)
    paths = {row["kind"]: files(books.given).path_of(row["sha256"]) for row in await pool.fetch("SELECT * FROM papers")}
    clock.leap(days=1094)
    await forgetting.forget(books.given, clock(), {"papers": 1095})
    assert await pool.fetchval("SELECT count(redacted_at) FROM papers") == 0
    clock.leap(days=2)
    await retention.run_once(books.given)
    rows = {row["kind"]: row for row in await pool.fetch("SELECT * FROM papers")}
    assert (rows["neutralisation"]["facts"], rows["neutralisation"]["redacted_at"]) == ("{}", clock())
    assert rows["month"]["redacted_at"] is None
    assert {kind: path.exists() for kind, path in paths.items()} == {"neutralisation": False, "month": True}
    with pytest.raises(asyncpg.RaiseError, match="lets nothing be changed"):
        await pool.execute("UPDATE papers SET redacted_at = NULL, issued_by = 'fu' WHERE kind = 'neutralisation'")


async def test_looking_at_codes_is_limited_and_guessing_finds_nothing(app: Any, browser: httpx.AsyncClient) -> None:
    most = app.state.services.config.reports.verify_requests_max
    answers = [(await browser.get("/api/v1/public/papers/0000-0000-0000")).status_code for _ in range(most + 1)]
    assert answers == [404] * most + [429]
    assert (await browser.get("/api/v1/papers")).status_code == 401


def test_plates_are_masked_as_on_boards() -> None:
    assert [masked(one) for one in ("琼C12345", "琼AD31906", "")] == ["琼C·1***5", "琼A·D***6", "***"]
