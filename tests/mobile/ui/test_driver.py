"""A driver's way to the gate, by touches against the real cloud: apply, correct, show the pass, also offline."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zxingcpp

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.permits import applications, worker
from cloud_sync.server.roles import Role
from control.permits.application import Remark
from mobile.core.client import build_client
from mobile.core.models.application_draft import Drafts

PLATE = "琼C61K28"


def photo(path: Path, shade: int) -> bytes:
    """A photo of a paper."""
    picture = np.full((300, 400, 3), shade, np.uint8)
    cv2.putText(picture, path.stem, (20, 160), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (20, 20, 20), 3)
    assert cv2.imwrite(str(path), picture)
    return path.read_bytes()


async def with_draft(island: Any, url: str, folder: Path, tmp_path: Path) -> str:
    """A phone on which everything but the last look is filled in; the draft's id."""
    await island.given.pool.execute(
        "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ('gw-east', 'e1', 'east', 'in')"
    )
    client = build_client(folder, url, "driver")
    drafts, begins = Drafts(client), island.clock() + timedelta(days=2)
    draft = drafts.new(
        {
            "plate": PLATE,
            "plate_colour": "yellow",
            "permit_class": "special",
            "entry_kind": "counted",
            "entries": 2,
            "vehicle_type": "crane",
            "emission_class": "crane",
            "drive": "diesel",
            "purpose": "lifting",
            "purpose_text": "Lifting at the hall",
            "gates": ["east"],
            "window_from": begins,
            "window_until": begins + timedelta(hours=10),
            "holder": "Hongda",
        }
    )
    offered = await client.api.permits.choices()
    papers = next(one.papers for one in offered.permit_classes if one.code == "special")
    for shade, kind in enumerate(papers):
        content = photo(tmp_path / f"{kind}.jpg", 120 + 10 * shade)
        draft = drafts.add_paper(draft, content, kind=kind, name=f"{kind}.jpg", media_type="image/jpeg")
    await client.stop()
    return draft.draft_id


async def test_from_the_draft_to_the_gate(stage: Any, island: Any, signed_in: Any, tmp_path: Path, wire: Any) -> None:
    line = await wire(island.url)
    folder = await signed_in("driver", server=line.url, username="wu", name="Mr Wu")
    draft_id = await with_draft(island, line.url, folder, tmp_path)
    office_id = await island.add_person("reviewer")
    office = CurrentUser(office_id, "reviewer", "Reviewer", Role("reviewer"), "")
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="dark")
    await app.tap(f"draft-{draft_id}")
    await app.wait_for("plate-field")
    for step in ("2/5", "3/5", "4/5", "5/5"):
        await app.tap("next")
        await app.wait_for(text=step)
    await app.wait_for("ticks")
    await app.tap("next")
    await app.wait_for("row-XK-2026-000001")
    number = "XK-2026-000001"

    remarks = (Remark("purpose_text", "Say which crane."),)
    await applications.send_back(island.given, office, number, remarks=remarks)
    app.kill()
    await app.gone()
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="light")
    await app.wait_for(f"change-{number}")
    await app.wait_for(text="Say which crane.")
    await app.tap(f"change-{number}")
    await app.wait_for("plate-field")
    await app.tap("next")
    await app.wait_for("remark-purpose_text")
    await app.scroll_to("text")
    await app.type(" with the 25 t crane", into="text")
    app.kill()  # nothing that was typed is lost
    await app.gone()
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="light")
    await app.tap(f"change-{number}")
    await app.wait_for(text="2/5")
    await app.wait_for(text="with the 25 t crane")
    for step in ("3/5", "4/5", "5/5"):
        await app.tap("next")
        await app.wait_for(text=step)
    await app.wait_for("ticks")
    await app.tap("next")
    await app.wait_for(f"row-{number}")

    said = await island.given.pool.fetchval("SELECT form ->> 'purpose_text' FROM applications")
    assert said == "Lifting at the hall with the 25 t crane"
    await applications.approve(island.given, office, number)
    island.clock.by += timedelta(seconds=30)
    await worker.turn(island.given)
    app.kill()
    await app.gone()
    app = await stage("driver", server=line.url, data_dir=folder, language="en", theme="light")
    await app.tap(f"pass-{number}")
    await app.wait_for("qr")
    text = await island.given.pool.fetchval("SELECT permit_id FROM permits")
    assert text == number
    shown = read(await app.shot(tmp_path / "pass.png"))
    assert shown.startswith("IP:")
    app.kill()
    await app.gone()

    await line.cut()
    app = await stage("driver", server=line.url, data_dir=folder, language="zh", theme="dark")
    await app.wait_for("banner")  # it moves the page
    await app.tap(f"pass-{number}")
    await app.wait_for("offline")
    await app.wait_for("qr")
    assert read(await app.shot(tmp_path / "offline.png")) == shown
    assert (await app.state())["faults"] == 0


async def test_a_vehicle_is_kept_and_an_empty_form_says_what_is_missing(
    stage: Any, island: Any, signed_in: Any
) -> None:
    folder = await signed_in("driver")
    app = await stage("driver", server=island.url, data_dir=folder, language="en", theme="light")
    await app.wait_for("empty")
    await app.tap("new")
    await app.wait_for("plate-field")
    await app.tap("next")
    await app.wait_for(text="This is needed.")
    await app.tap("plate-field")
    for key in PLATE:
        await app.tap(f"key-{key}")
    await app.tap("key-done")
    await app.wait_for("colour-yellow")
    await app.tap("discard")
    await app.tap("discard-dialog-confirm")
    await app.wait_for("empty")
    assert (await app.state())["faults"] == 0


def read(path: Path) -> str:
    """The code in a picture of the screen."""
    found = zxingcpp.read_barcodes(cv2.imread(str(path)))
    assert len(found) == 1, f"{len(found)} codes in {path}"
    return str(found[0].text)
