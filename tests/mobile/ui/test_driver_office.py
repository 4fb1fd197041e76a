"""Driver and office, by touches against the real cloud: appealing, papers after an emergency, giving drafts up."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.permits import applications, emergencies, vehicles
from cloud_sync.server.permits.vehicles import VehicleForm
from cloud_sync.server.roles import Role
from control.permits.application import Drive, Form, Purpose
from control.permits.passages import Direction, Passage

PLATE = "琼C61K28"
FORM = Form(plate=PLATE, emission_class="crane", drive=Drive.DIESEL, purpose=Purpose.LIFTING, gates=("east",))


class Office:
    """The server's side: a driver, a reviewer, and what lies there afterwards."""

    def __init__(self, island: Any, driver: CurrentUser, reviewer: CurrentUser) -> None:
        self.given, self.pool, self.clock = island.given, island.given.pool, island.clock
        self.driver, self.reviewer = driver, reviewer

    async def draft(self) -> str:
        """The number of a draft of the driver."""
        return str((await applications.create(self.given, self.driver, FORM)).row.application_id)

    async def refused(self, reason: str) -> str:
        """The number of an application that was handed in and refused."""
        number = await self.draft()
        await self.pool.execute("UPDATE applications SET status = 'submitted', submitted_at = now()")
        await applications.refuse(self.given, self.reviewer, number, reason=reason)
        return number

    async def vehicle(self) -> str:
        """The id of the driver's vehicle, whose licence the office has seen."""
        words = VehicleForm(plate=PLATE, drive="diesel", emission_class="fire_engine")
        vehicle_id = (await vehicles.add(self.given, self.driver, words)).vehicle_id
        await vehicles.confirm(self.given, self.reviewer, vehicle_id, confirmed=True)
        return vehicle_id

    async def emergency(self, at: datetime) -> str:
        """The number of the draft that the vehicle's entry left behind."""
        passage = Passage(
            arrival_id="arrival-1",
            gate_id="east",
            direction=Direction.IN,
            plate=PLATE,
            movement="passed",
            at=at,
            hlc=1,
            complete_after=True,
        )
        async with self.given.change() as connection:
            await emergencies.draft(connection, self.given, passage)
        return str(await self.pool.fetchval("SELECT application_id FROM applications WHERE arrival_id = 'arrival-1'"))

    async def row(self, number: str) -> Any:
        """An application as it lies there."""
        return await self.pool.fetchrow("SELECT * FROM applications WHERE application_id = $1", number)

    async def papers(self, number: str) -> list[str]:
        """Types of the papers that belong to it."""
        rows = await self.pool.fetch(
            "SELECT media_type FROM documents JOIN document_uses USING (sha256) WHERE subject_id = $1", number
        )
        return [row["media_type"] for row in rows]


@pytest.fixture
async def office(island: Any, signed_in: Any, wire: Any) -> tuple[Office, Path, Any]:
    """With a driver's phone, and the line between it and the server."""
    line = await wire(island.url)
    folder = await signed_in("driver", server=line.url, name="Mr Wu")
    await island.given.pool.execute(
        "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ('gw-east', 'e1', 'east', 'in')"
    )
    user_id = str(await island.given.pool.fetchval("SELECT user_id FROM users WHERE username = 'driver'"))
    reviewer_id = await island.add_person("reviewer")
    driver = CurrentUser(user_id, "driver", "Mr Wu", Role("driver"), "")
    return Office(island, driver, CurrentUser(reviewer_id, "reviewer", "Reviewer", Role("reviewer"), "")), folder, line


async def with_file(app: Any, button: str, name: str) -> None:
    """One file from the person's own folder, where the computer's own dialog asks."""
    await app.scroll_to(button)
    await app.tap(button)
    await app.scroll_to(f"file-{name}")
    await app.tap(f"file-{name}")
    await app.wait_for("file-sheet", gone=True)


async def test_a_refused_application_is_appealed_against_with_a_photo_and_a_file(
    stage: Any, office: tuple[Office, Path, Any], home: Path
) -> None:
    server, folder, line = office
    number = await server.refused("The crane is too heavy for the bridge.")
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="light")
    await app.photos(home / "receipt.png")
    await app.scroll_to(f"row-{number}")
    await app.tap(f"row-{number}")
    await app.wait_for(text="The crane is too heavy for the bridge.")
    await app.scroll_to("appeal")
    await app.tap("appeal")
    await app.wait_for("appeal-text")
    await app.tap("appeal-send")
    await app.wait_for(text="Say in a few words why.")
    await app.type("It was weighed: 24 t.", into="appeal-text")
    await app.wait_for(text="Say in a few words why.", gone=True)
    await app.tap("appeal-paper")
    await app.tap("paper-camera")
    await app.wait_for(text="photo.jpg")
    await app.tap("appeal-paper")
    await app.tap("paper-file")
    await app.scroll_to("file-order.png")
    await app.tap("file-order.png")
    await app.wait_for(text="order.png")
    await app.wait_for(text="Add a paper (2 of 3)")
    assert (await server.row(number))["status"] == "refused"
    await app.scroll_to("appeal-send")
    await app.tap("appeal-send")
    await app.wait_for("appeal-sheet", gone=True)
    await app.wait_for("state-appealed")
    row = await server.row(number)
    appeal = json.loads(row["appeal"])
    assert (row["status"], appeal["reason"]) == ("appealed", "It was weighed: 24 t.")
    assert len(appeal["evidence"]) == 2
    assert await server.papers(number) == ["image/jpeg", "image/jpeg"]
    assert (await app.state())["faults"] == 0


async def test_papers_and_purpose_of_an_emergency_entry_follow_afterwards(
    stage: Any, office: tuple[Office, Path, Any], home: Path
) -> None:
    server, folder, line = office
    entered_at = server.clock() - timedelta(hours=1)
    await server.vehicle()
    number = await server.emergency(entered_at)
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="dark")
    await app.wait_for(text="Came in on an emergency")
    await app.tap(f"change-{number}")
    await app.tap("discard")
    await app.wait_for(text="What the office has stays as it is.")
    await app.tap("discard-dialog-cancel")
    await app.wait_for("discard-dialog", gone=True)
    await app.tap(f"mine-{PLATE}")
    await app.scroll_to("holder")
    await app.type("Fire brigade", into="holder")
    await app.tap("next")
    await app.wait_for(text="2/5")
    await app.scroll_to("purpose-rescue")
    await app.tap("purpose-rescue")
    await app.tap("next")
    await app.wait_for(text="3/5")
    await app.scroll_to("window_until")
    await app.tap("window_until")
    await app.tap("moment-done")  # what is offered at first is after the entry, whatever hour that was
    await app.wait_for("moment-sheet", gone=True)
    await app.tap("next")
    await app.wait_for(text="4/5")
    await with_file(app, "add-duty_order", "order.png")
    await app.wait_for("drop-duty_order")
    await app.tap("next")
    await app.wait_for("ticks")
    assert (await server.row(number))["status"] == "draft"
    await app.tap("next")
    await app.wait_for(f"row-{number}")
    row = await server.row(number)
    form = json.loads(row["form"])
    assert (row["status"], row["entered_at"]) == ("submitted", entered_at)
    assert [paper["kind"] for paper in form["papers"]] == ["duty_order"]
    assert (form["holder"], form["purpose"], form["emission_class"]) == ("Fire brigade", "rescue", "fire_engine")
    assert datetime.fromisoformat(form["window_until"]) > entered_at
    assert await server.papers(number) == ["image/jpeg"]
    assert (await app.state())["faults"] == 0


async def test_nothing_goes_unasked_and_a_draft_goes_only_where_the_server_hears_of_it(
    stage: Any, office: tuple[Office, Path, Any]
) -> None:
    server, folder, line = office
    number, vehicle_id = await server.draft(), await server.vehicle()
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="light")
    await app.tap(f"todo-{number}")
    await app.scroll_to("discard")
    await app.tap("discard")
    await app.wait_for(text="It was never handed in.")
    await app.tap("discard-dialog-cancel")
    await app.wait_for("discard-dialog", gone=True)
    await line.cut()
    await app.tap("discard")
    await app.tap("discard-dialog-confirm")
    await app.wait_for(text="No connection to the island. Check the network, then try again.")
    assert (await server.row(number))["redacted_at"] is None
    await line.mend()
    await app.scroll_to("discard")
    await app.tap("discard")
    await app.tap("discard-dialog-confirm")
    await app.wait_for("empty")
    row = await server.row(number)
    assert (row["status"], row["plate"], row["redacted_at"] is None) == ("draft", "", False)

    await app.tap("tab-me")
    await app.scroll_to("to-vehicles")
    await app.tap("to-vehicles")
    await app.tap(f"vehicle-{PLATE}")
    await app.tap("remove")
    await app.tap("remove-dialog-cancel")
    await app.wait_for("remove-dialog", gone=True)
    removed = "SELECT removed_at FROM vehicles WHERE vehicle_id = $1"
    assert await server.pool.fetchval(removed, vehicle_id) is None
    await app.tap("remove")
    await app.tap("remove-dialog-confirm")
    await app.wait_for("empty")
    assert await server.pool.fetchval(removed, vehicle_id) is not None
    assert (await app.state())["faults"] == 0
