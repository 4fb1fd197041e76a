"""What the review desk looks up: today's figures, what can be taken back, accounts, papers, earlier visits."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from cloud_sync.server import auth
from cloud_sync.server.permits import desk, queries, storing
from cloud_sync.server.store import Actor
from control.permits.application import Actor as Person
from control.permits.application import Role, emergency_entry

UNDO = timedelta(seconds=8)


async def stored(given: Any, number: int, **columns: Any) -> str:
    """A row of an application that is only looked at."""
    application_id = f"XK-2026-{number:06d}"
    now = given.clock()
    values = {
        "application_id": application_id,
        "filed_by": "somebody",
        "status": "submitted",
        "form": "{}",
        "plate": "琼C61K28",
        "permit_class": "special",
        "created_at": now,
        "updated_at": now,
        "version": 1,
    } | columns
    marks = ", ".join(f"${at}" for at in range(1, len(values) + 1))
    await given.pool.execute(f"INSERT INTO applications ({', '.join(values)}) VALUES ({marks})", *values.values())
    return application_id


async def test_todays_figures_are_a_count_and_a_median(services: Any) -> None:
    now, since = services.clock(), services.today_from()
    assert await desk.today(services.pool, since) == desk.Today(0, None)
    for number, minutes in enumerate((4, 14, 600)):
        await stored(services, number, submitted_at=now - timedelta(minutes=minutes), decided_at=now, status="refused")
    await stored(services, 9, submitted_at=now - timedelta(days=3), decided_at=since - timedelta(hours=1))
    assert await desk.today(services.pool, since) == desk.Today(3, 14 * 60.0)


async def test_only_ones_own_latest_approval_can_be_taken_back_and_not_for_long(services: Any) -> None:
    now, mine = services.clock(), json.dumps([{"person_id": "me", "role": "reviewer"}])
    approved = {"status": "approved", "approvals": mine, "publish_at": now + UNDO}
    await stored(services, 1, decided_at=now - timedelta(seconds=9), **approved)
    assert await desk.pending(services.pool, "me", now=now, undo=UNDO) is None
    await stored(services, 2, decided_at=now - timedelta(seconds=3), **approved)
    found = await desk.pending(services.pool, "me", now=now, undo=UNDO)
    assert found == desk.Pending("XK-2026-000002", "琼C61K28", now + timedelta(seconds=5), is_last=True)
    assert await desk.pending(services.pool, "other", now=now, undo=UNDO) is None
    await stored(services, 3, decided_at=now, approvals=mine)
    first = await desk.pending(services.pool, "me", now=now, undo=UNDO)
    assert first is not None
    assert (first.application_id, first.is_last) == ("XK-2026-000003", False)


async def test_an_account_applies_for_itself_and_a_member_for_the_organisation(services: Any) -> None:
    now = services.clock()
    ids = {}
    for name, role in (("wang", "driver"), ("hong", "organisation")):
        ids[name] = await auth.insert_user(
            services.pool, username=name, name=name, role=auth.Role(role), password_hash="x", at=now
        )
    await services.pool.execute(
        "INSERT INTO organisations (org_id, kind, name, name_en, enabled, created_at)"
        " VALUES ('org-1', 'applicant', '宏达', 'Hongda', true, $1)",
        now,
    )
    await services.pool.execute("UPDATE users SET org_id = 'org-1' WHERE username = 'hong'")
    assert await desk.applicant_named(services.pool, "wang") == ids["wang"]
    assert await desk.applicant_named(services.pool, "hong") == "org-1"
    assert await desk.applicant_named(services.pool, "nobody") is None


async def test_an_emergency_entry_waits_for_its_papers_beside_the_returned_ones(services: Any) -> None:
    now = services.clock()
    draft = emergency_entry(
        application_id="XK-2026-000007",
        plate="琼C61K28",
        gate_id="east",
        entered_at=now,
        by=Person("system", Role.SYSTEM),
    )
    async with services.pool.acquire() as connection, connection.transaction():
        await storing.insert(connection, services, draft, account=Actor("system"), arrival_id="a-1")
    rows = await queries.reviews(services.pool, tab="returned")
    assert [(row.application_id, row.is_emergency_entry) for row in rows] == [("XK-2026-000007", True)]
    counts = await queries.review_counts(services.pool, today_from=services.today_from())
    assert (counts.open, counts.returned) == (0, 1)
    assert await desk.last_application(services.pool, "琼C61K28") == "XK-2026-000007"


async def test_a_vehicle_without_a_plate_has_no_visits_and_unknown_papers_are_left_out(services: Any) -> None:
    assert await desk.earlier_visits(services.pool, "") == (0, ())
    assert await desk.papers_known(services.pool, ["a" * 64]) == ()
    assert await desk.beside_visits(services.pool, ["none"]) == {}
