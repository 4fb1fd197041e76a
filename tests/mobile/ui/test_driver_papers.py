"""After the visit, by touches against the real cloud: its emission and why, what is declared of it, and its papers."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.carbon import visits
from cloud_sync.server.permits import applications
from cloud_sync.server.roles import Role
from control.permits.application import Drive, Form, Purpose
from mobile.core.client import build_client
from mobile.core.models.choices import Choices
from mobile.core.models.visits import OneVisit, Visits

PLATE = "琼C61K28"


class Visited:
    """A driver's visits on the server, and what the server has of them afterwards."""

    def __init__(self, island: Any, driver: CurrentUser) -> None:
        self._given, self._pool, self._driver = island.given, island.given.pool, driver

    async def add(self, visit_id: str, left_at: datetime) -> None:
        """A crane was on the island for two hours."""
        form = Form(plate=PLATE, emission_class="crane", drive=Drive.DIESEL, purpose=Purpose.LIFTING)
        record = await applications.create(self._given, self._driver, form)
        number = record.row.application_id
        await self._pool.execute(
            "INSERT INTO visits (visit_id, plate, application_id, gate_in, gate_out, entered_at, left_at, state,"
            " vehicle_type, revision, is_over, updated_at)"
            " VALUES ($1, $2, $3, 'east', 'east', $4, $5, 'complete', 'crane', 1, true, $5)",
            *(visit_id, PLATE, number, left_at - timedelta(hours=2), left_at),
        )
        await self._pool.execute("UPDATE applications SET status = 'expired' WHERE application_id = $1", number)
        await visits.turn(self._given)

    async def account(self, visit_id: str) -> Any:
        """What the visit owes."""
        return await self._pool.fetchrow("SELECT * FROM visit_accounts WHERE visit_id = $1", visit_id)

    async def declared(self) -> list[tuple[dict[str, Any], list[str]]]:
        """What was declared, with the hashes of its papers."""
        rows = await self._pool.fetch("SELECT declared::text, papers FROM visit_evidence ORDER BY evidence_id")
        return [(json.loads(row["declared"]), row["papers"]) for row in rows]

    async def paper_type(self, sha256: str) -> str:
        """What a paper that belongs to the visit was stored as."""
        found = await self._pool.fetchval(
            "SELECT media_type FROM documents JOIN document_uses USING (sha256) WHERE sha256 = $1 AND kind = 'visit'",
            sha256,
        )
        return str(found)


@pytest.fixture
async def visited(island: Any, signed_in: Any, wire: Any) -> tuple[Path, Visited, Any]:
    """A phone with its driver, a visit `today` that has just ended, and the line between phone and server."""
    line = await wire(island.url)
    folder = await signed_in("driver", server=line.url)
    user_id = str(await island.given.pool.fetchval("SELECT user_id FROM users WHERE username = 'driver'"))
    made = Visited(island, CurrentUser(user_id, "driver", "Driver", Role("driver"), ""))
    await made.add("today", island.clock() - timedelta(minutes=1))
    return folder, made, line


async def opened(stage: Any, folder: Path, url: str, visit_id: str = "today") -> Any:
    """The app on one visit's page."""
    app = await stage("driver", server=url, data_dir=folder, language="en", theme="light")
    await app.tap("tab-emission")
    await app.scroll_to(f"visit-{visit_id}")
    await app.tap(f"visit-{visit_id}")
    await app.wait_for("head")
    return app


async def seen_before(folder: Path, url: str) -> None:
    """The phone has seen the visit, and what forms offer."""
    client = build_client(folder, url, "driver")
    for model in (Visits(client), OneVisit(client, "today"), Choices(client)):
        await model.refresh()
        assert model.shown.phase == "ready"
    await client.stop()


async def with_photo(app: Any, name: str) -> None:
    """One photo from the person's own folder."""
    await app.scroll_to("declare-photo")
    await app.tap("declare-photo")
    await app.scroll_to(f"file-{name}")
    await app.tap(f"file-{name}")
    await app.wait_for("file-sheet", gone=True)
    await app.wait_for(text=name)


async def test_from_the_list_to_what_it_was_computed_from_to_the_litres_that_were_burnt(
    stage: Any, island: Any, visited: tuple[Path, Visited, Any], home: Path
) -> None:
    folder, server, line = visited
    before = await server.account("today")
    app = await opened(stage, folder, line.url)
    await app.scroll_to(text="Uncertainty")
    await app.scroll_to(text="Source:")
    await app.scroll_to("declare")
    await app.tap("declare")
    await app.scroll_to("declare-send")
    await app.tap("declare-send")
    await app.wait_for(text="Fill in at least one figure.")
    await app.scroll_to("fuel_used")
    await app.type("3o", into="fuel_used")
    await app.scroll_to("declare-send")
    await app.tap("declare-send")
    await app.scroll_to("fuel_used")
    await app.wait_for(text="A number is needed.")
    await app.tap("fuel_used")
    await app.type("30,5", clear=True)
    await app.scroll_to("declare-send")
    await app.tap("declare-send")
    await app.wait_for(text="Add a photo that shows it.")
    assert await server.declared() == []
    await with_photo(app, "receipt.png")
    await app.wait_for(text="Add a photo that shows it.", gone=True)
    await app.scroll_to("declare-send")
    await app.tap("declare-send")
    await app.wait_for("declare-sheet", gone=True)
    await app.scroll_to(text="30.5 L")
    ((told, papers),) = await server.declared()
    assert told == {"fuel_used": "30.5"}
    assert await server.paper_type(papers[0]) == "image/jpeg"  # made ready on the phone, not the PNG that was chosen
    after = await server.account("today")
    assert (before["tier"] > 1, after["tier"], after["revision"]) == (True, 1, before["revision"] + 1)
    assert after["owed_g"] != before["owed_g"]
    await app.scroll_to(text="You: Fuel used 30.5")
    assert (await app.state())["faults"] == 0


async def test_a_way_that_is_declared_without_a_network_is_sent_once_after_the_app_was_killed(
    stage: Any, island: Any, visited: tuple[Path, Visited, Any], home: Path
) -> None:
    folder, server, line = visited
    await seen_before(folder, line.url)
    await line.cut()
    app = await opened(stage, folder, line.url)
    await app.scroll_to("declare")
    await app.tap("declare")
    await app.tap("fuel")
    await app.tap("fuel-option-lng")
    await app.wait_for("fuel-sheet", gone=True)
    await app.scroll_to("odometer_in_km")
    await app.type("45,131", into="odometer_in_km")
    await app.scroll_to("odometer_out_km")
    await app.type("45,120", into="odometer_out_km")
    await with_photo(app, "receipt.png")
    await app.scroll_to("declare-send")
    await app.tap("declare-send")
    await app.scroll_to(text="It cannot be less than on arrival.")
    await app.tap("odometer_out_km")
    await app.type("45,151", clear=True)
    await app.scroll_to("declare-send")
    await app.tap("declare-send")
    await app.scroll_to(text="Your statement is kept")
    assert (await app.state())["faults"] == 0
    app.kill()
    await app.gone()
    assert await server.declared() == []

    await line.mend()
    app = await opened(stage, folder, line.url)
    await app.wait_state(waiting=0)
    await app.wait_for(text="Your statement is kept", gone=True)
    ((told, papers),) = await server.declared()
    assert told == {"odometer_in_km": "45131", "odometer_out_km": "45151", "fuel": "lng"}
    assert await server.paper_type(papers[0]) == "image/jpeg"


async def test_what_is_not_taken_stays_until_its_person_says_what_becomes_of_it(
    stage: Any, island: Any, visited: tuple[Path, Visited, Any], home: Path
) -> None:
    folder, server, line = visited
    app = await opened(stage, folder, line.url)
    await app.scroll_to("declare")
    # Meanwhile the gates found out that the vehicle left a month ago: the time for statements is over.
    month_ago = island.clock() - timedelta(days=31)
    await island.given.pool.execute(
        "UPDATE visits SET left_at = $1, entered_at = $2", month_ago, month_ago - timedelta(hours=2)
    )
    await app.tap("declare")
    await app.scroll_to("idle_min")
    await app.type("15", into="idle_min")
    await with_photo(app, "receipt.png")
    await app.scroll_to("declare-send")
    await app.tap("declare-send")
    await app.wait_for(text="The term for evidence is over.")  # said where the person is
    await app.scroll_to(text="Not taken")
    assert await server.declared() == []
    await app.tap(text="Not taken")
    await app.tap("refused-dialog-confirm")  # put it right: everything is there still
    await app.scroll_to("idle_min")
    await app.wait_for(text="15")
    await app.scroll_to(text="Photo 1")
    await app.back()
    await app.wait_for("declare-sheet", gone=True)
    await app.tap(text="Not taken")
    await app.tap("refused-dialog-cancel")
    await app.wait_for("refused-dialog", gone=True)
    assert len(kept_files(folder)) == 1
    await app.tap(text="Not taken")
    await app.tap("refused-drop")
    await app.wait_for(text="Not taken", gone=True)
    assert kept_files(folder) == []  # its photo went with it
    assert (await app.state())["faults"] == 0


def kept_files(folder: Path) -> list[Path]:
    """Photos that wait on the phone."""
    return [one for one in (folder / "files").rglob("*") if one.is_file()]


async def test_the_statement_of_the_chosen_year_is_handed_over(
    stage: Any, island: Any, visited: tuple[Path, Visited, Any]
) -> None:
    folder, server, line = visited
    now = island.clock().astimezone(island.given.config.zone)
    year = now.year - 1
    await server.add("last-year", now.replace(year=year, month=7, day=1))
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="light")
    await app.tap("tab-emission")
    await app.scroll_to("statement")
    await app.wait_for(text=f"Statement of {now.year} as PDF")
    await app.tap(f"statement-year-{year}")
    await app.wait_for(text=f"Statement of {year} as PDF")
    await app.tap("statement")
    await app.wait_for(text="Saved as")
    (path,) = (folder / "files").glob("*/papers/*.pdf")
    assert path.name == f"visits-{year}.pdf"
    assert path.read_bytes().startswith(b"%PDF-")
    issued = await island.given.pool.fetchrow("SELECT kind, language, sha256, facts::text FROM papers")
    assert (issued["kind"], issued["language"]) == ("visits", "en")
    assert issued["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    facts = json.loads(issued["facts"])
    assert [one["visit_id"] for one in facts["visits"]] == ["last-year"]
    await app.tap("toast-action")
    await app.wait_for("toast", gone=True)

    await island.given.pool.execute("UPDATE visit_accounts SET day = $1", now.date().replace(month=7, day=1, year=year))
    await app.scroll_to(f"statement-year-{now.year}")
    await app.tap(f"statement-year-{now.year}")
    await app.wait_for(text=f"Statement of {now.year} as PDF")
    await app.tap("statement")
    await app.wait_for(text="There is nothing for these days yet.")
    assert len(list((folder / "files").glob("*/papers/*.pdf"))) == 1
