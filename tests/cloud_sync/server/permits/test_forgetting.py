"""What is forgotten of permits and when; what a person gets a copy of; what stays when their account goes."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.server import retention
from cloud_sync.server.permits import history, persons, storing, visits

NOT_EVEN_NOW = "lets nothing be changed"


async def days_pass(desk: Any, days: int) -> int:
    await desk.turn(days=days)
    return (await retention.run_once(desk.given)).rows_deleted


async def test_an_application_loses_its_words_and_papers_three_years_after_its_end(desk: Any) -> None:
    pool = desk.given.pool
    number = await desk.approved()
    await desk.turn(days=3)
    assert await desk.status(number) == "expired"
    sha256 = await pool.fetchval("SELECT sha256 FROM documents")
    await days_pass(desk, 1090)
    assert await pool.fetchval("SELECT plate FROM applications") == "琼C61K28"
    await days_pass(desk, 10)
    row = await pool.fetchrow("SELECT plate, form::text, status FROM applications")
    assert (row["plate"], row["status"]) == ("", "expired")
    assert "Hongda" not in row["form"]
    lines = await pool.fetch("SELECT action, fields::text, details::text FROM application_changes ORDER BY number")
    assert [line["action"] for line in lines] == ["create", "submit", "approve", "expire"]
    assert {(line["fields"], line["details"]) for line in lines} == {("[]", "{}")}
    assert await pool.fetchval("SELECT holder || plate FROM permits") == ""
    assert await pool.fetchval("SELECT deleted_at FROM documents") == desk.clock()
    assert not desk.given.permits.documents.path_of(sha256).exists()
    with pytest.raises(Exception, match=NOT_EVEN_NOW):
        await pool.execute("UPDATE application_changes SET redacted_at = NULL")
    assert await days_pass(desk, 1) == 0


async def test_loose_papers_and_drafts_that_lie_about_go(desk: Any) -> None:
    driver = await desk.person("driver")
    loose = await desk.upload(driver, shade=7)
    draft = (await desk.draft())["row"]["application_id"]
    await days_pass(desk, 31)
    rows = await desk.given.pool.fetch("SELECT sha256 FROM documents WHERE deleted_at IS NULL")
    assert loose not in {row["sha256"] for row in rows}
    assert len(rows) == 1
    again = await desk.upload(driver, shade=7)
    assert (again, desk.given.permits.documents.path_of(loose).exists()) == (loose, True)
    await days_pass(desk, 340)
    refused = await driver.send("PATCH", f"/applications/{draft}", json={"version": 1, "form": {}})
    assert (refused.status_code, refused.json()["why"]) == (409, "redacted")


async def test_plates_of_visits_go_and_a_rebuild_does_not_bring_them_back(desk: Any, make_gateway: Any) -> None:
    gateway, pool = make_gateway(desk.given), desk.given.pool
    at = desk.clock().isoformat(timespec="milliseconds")
    await gateway.send(
        gateway.decided("a1", "琼C61K28", verdict="fuel", at=at),
        gateway.row("vehicle_passed", arrival_id="a1", lane_id="e1", movement="passed", at=at),
    )
    await desk.turn()
    await desk.turn(days=4)
    await days_pass(desk, 1095)
    await visits.rebuild(desk.given)
    row = await pool.fetchrow("SELECT plate, state, withdrawn_at FROM visits")
    assert tuple(row) == ("", "exit_unknown", None)
    assert await pool.fetchval("SELECT count(*) FROM visit_passages") == 0


async def test_a_person_gets_a_copy_and_what_was_decided_stays_under_a_bare_id(desk: Any) -> None:
    driver, pool = await desk.person("driver"), desk.given.pool
    await driver.post("/vehicles", {"plate": "琼C61K28", "drive": "diesel"})
    number = await desk.submitted()
    draft = (await desk.draft(plate="琼C55555"))["row"]["application_id"]
    user_id = await desk.id_of("driver")
    copy = await persons.collect(pool, user_id)
    assert [one["application_id"] for one in copy["applications"]] == [number, draft]
    assert [one["action"] for one in copy["application_history"]] == ["create", "submit", "create"]
    assert [one["plate"] for one in copy["vehicles"]] == ["琼C61K28"]
    assert len(copy["papers"]) == 1
    async with pool.acquire() as connection, connection.transaction():
        await persons.erase(connection, user_id, desk.clock())
    rows = await pool.fetch("SELECT application_id, plate, applicant_id FROM applications ORDER BY application_id")
    assert [tuple(row) for row in rows] == [(number, "琼C61K28", user_id), (draft, "", user_id)]
    assert await pool.fetchval("SELECT count(*) FROM vehicles") == 0
    lines = await pool.fetch("SELECT * FROM application_changes WHERE application_id = $1 ORDER BY number", number)
    book = await storing.book(pool)
    again = history.replayed(number, lines, book.rows, zone=desk.given.config.zone)
    assert again.status == "submitted"
