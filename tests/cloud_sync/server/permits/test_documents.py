"""Papers: checked, kept once, given to few, and never more a day than the rule says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloud_sync.server import queries

SCRIPTED = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
)


async def post(person: Any, content: bytes, media_type: str = "image/png") -> Any:
    headers = {"X-CSRF-Token": person.csrf_token, "Content-Type": media_type}
    return await person.http.post("/api/v1/documents", content=content, headers=headers)


async def test_the_same_bytes_are_one_document_and_each_sender_may_open_it(desk: Any, picture: Any) -> None:
    driver, stranger = await desk.person("driver"), await desk.person("organisation")
    content = picture()
    made = (await post(driver, content)).json()
    assert (made["sha256"], made["width_px"]) == (hashlib.sha256(content).hexdigest(), 240)
    path = f"/documents/{made['sha256']}"
    assert (await stranger.get(path)).status_code == 404
    assert (await post(stranger, content, "text/html")).status_code == 201
    assert (await stranger.get(path)).status_code == 200
    assert await desk.given.pool.fetchval("SELECT count(*) FROM documents") == 1
    files = [one for one in desk.given.permits.documents._folder.rglob("*") if one.is_file()]
    assert [one.name for one in files] == [made["sha256"]]


async def test_a_paper_leaves_as_a_download_and_leaves_a_trace(desk: Any, picture: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    made = (await post(driver, picture())).json()
    answer = await reviewer.get(f"/documents/{made['sha256']}")
    assert answer.content == picture()
    headers = answer.headers
    assert headers["content-disposition"].startswith('attachment; filename="')
    assert (headers["x-content-type-options"], headers["content-type"]) == ("nosniff", "image/png")
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cache-control"] == "private, no-store"
    actions = [row.action for row in await queries.audit(desk.given.pool, subject_kind="document")]
    assert actions == ["document_opened", "document_uploaded"]
    log = (await driver.get("/me/access-log")).json()
    assert [(one["action"], one["by_role"]) for one in log] == [("document_opened", "reviewer")]
    assert (await driver.get(f"/documents/{made['sha256']}")).status_code == 200
    assert len((await driver.get("/me/access-log")).json()) == 1


async def test_the_applicant_learns_who_opened_a_visit_and_its_paper(desk: Any) -> None:
    reviewer, driver, pool = await desk.person("reviewer"), await desk.person("driver"), desk.given.pool
    number = await desk.submitted()
    await pool.execute(
        "INSERT INTO visits (visit_id, plate, application_id, state, revision, is_over, updated_at)"
        " VALUES ('v1', '琼C61K28', $1, 'complete', 1, true, $2)",
        *(number, desk.clock()),
    )
    sha256 = await pool.fetchval("SELECT sha256 FROM document_uses LIMIT 1")
    assert (await reviewer.get("/visits/v1")).status_code == 200
    assert (await reviewer.get(f"/documents/{sha256}")).status_code == 200
    log = (await driver.get("/me/access-log")).json()
    assert [one["action"] for one in log[:2]] == ["document_opened", "visit_opened"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"<html><script>", "type_not_accepted"),
        (SCRIPTED, "pdf_active"),
        (b"\x89PNG\r\n\x1a\nrest", "damaged"),
    ],
    ids=["empty", "type", "active", "damaged"],
)
async def test_what_is_not_accepted_is_told_with_its_reason(desk: Any, content: bytes, why: str) -> None:
    answer = await post(await desk.person("driver"), content)
    assert (answer.status_code, answer.json()["code"], answer.json()["why"]) == (422, "document_refused", why)
    assert answer.json()["why_zh"]
    assert await desk.given.pool.fetchval("SELECT count(*) FROM documents") == 0


async def test_a_body_is_read_no_further_than_a_paper_may_be_long(desk: Any) -> None:
    answer = await post(await desk.person("driver"), bytes(10_000_001))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_day_has_room_for_so_much_and_the_next_for_more(desk: Any, picture: Any) -> None:
    driver = await desk.person("driver")
    await post(driver, picture())
    await desk.given.pool.execute("UPDATE document_uploads SET size_bytes = 99999999")
    full = await post(driver, picture(1))
    assert (full.status_code, full.json()["code"]) == (429, "day_is_full")
    await desk.turn(days=1)
    assert (await post(driver, picture(1))).status_code == 201


async def test_no_paper_is_taken_while_the_disk_is_full(desk: Any, picture: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(desk.given.permits.documents, "_free_bytes_min", 2**62)
    answer = await post(await desk.person("driver"), picture())
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert await desk.given.pool.fetchval("SELECT count(*) FROM documents") == 0


async def test_another_s_paper_is_not_handed_in(desk: Any, picture: Any) -> None:
    driver, other = await desk.person("driver"), await desk.person("organisation")
    made = (await post(other, picture())).json()
    papers = [{"sha256": made["sha256"], "kind": "vehicle_licence"}]
    answer = await driver.post("/applications", {"papers": papers})
    assert (answer.status_code, answer.json()["code"]) == (422, "paper_unknown")


async def test_a_paper_of_an_application_opens_for_its_applicant(desk: Any, picture: Any) -> None:
    reviewer, driver = await desk.person("reviewer"), await desk.person("driver")
    form = await desk.form(reviewer)
    await reviewer.post("/applications", form | {"applicant_id": await desk.id_of("driver")})
    sha256 = form["papers"][0]["sha256"]
    assert (await driver.get(f"/documents/{sha256}")).status_code == 200
    assert (await driver.get("/documents/..%2Fsecrets")).status_code == 404
    assert (await driver.get(f"/documents/{'a' * 64}")).status_code == 404


class Slow:
    """A body that says when it is read, and comes to its end when it is let."""

    def __init__(self, content: bytes) -> None:
        self.begun, self.go_on, self._content = asyncio.Event(), asyncio.Event(), content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun.set()
        await self.go_on.wait()
        yield self._content


async def test_only_who_has_something_to_hand_in_uploads(desk: Any, picture: Any) -> None:
    for role in ("visitor", "merchant", "guard", "auditor"):
        assert (await post(await desk.person(role), picture())).status_code == 403
    assert (await post(await desk.person("reviewer"), picture())).status_code == 201


async def test_every_attempt_of_an_hour_counts_and_the_one_too_many_is_not_read(
    desk: Any, picture: Any, settings: Any
) -> None:
    driver = await desk.person("driver")
    settings(desk, uploads_per_hour=2)
    assert (await post(driver, b"no picture")).status_code == 422
    assert (await post(driver, picture())).status_code == 201
    unread = Slow(picture())
    full = await post(driver, unread)  # type: ignore[arg-type]
    assert (full.status_code, full.json()["code"], unread.begun.is_set()) == (429, "too_many_requests", False)
    assert (await post(await desk.person("organisation"), picture())).status_code == 201
    desk.clock.leap(hours=1)
    assert (await post(driver, picture())).status_code == 201


async def test_a_person_s_uploads_are_read_one_after_the_other(desk: Any, picture: Any) -> None:
    driver, other = await desk.person("driver"), await desk.person("organisation")
    first, second = Slow(picture(1)), Slow(picture(2))
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(post(driver, one)) for one in (first,)]  # type: ignore[arg-type]
        await first.begun.wait()
        answers.append(group.create_task(post(driver, second)))  # type: ignore[arg-type]
        assert (await post(other, picture(3))).status_code == 201
        assert not second.begun.is_set()
        first.go_on.set()
        await second.begun.wait()
        second.go_on.set()
    assert [one.result().status_code for one in answers] == [201, 201]
