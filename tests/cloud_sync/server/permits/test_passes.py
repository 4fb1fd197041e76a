"""Passes: what is shown verifies offline, changes with its permit, and exists for live permits alone."""

from __future__ import annotations

from typing import Any

from cloud_sync.contract import pass_code
from control.domain.passes import PermitPass


async def test_a_pass_verifies_with_the_key_that_gateways_hold(desk: Any) -> None:
    driver = await desk.person("driver")
    number = await desk.approved()
    shown = (await driver.get(f"/applications/{number}/pass")).json()
    read = pass_code.read_pass(shown["text"], [desk.given.permits.pass_key.public])
    assert isinstance(read, PermitPass)
    assert (read.permit.permit_id, read.permit.plate, read.permit.entries_left) == (number, "琼C61K28", 2)
    assert read.permit.gates == {"east"}
    assert read.issued_at == desk.clock()
    assert shown["gates"] == ["east"]
    assert shown["svg"].startswith("<svg")
    drawn = await driver.get(f"/applications/{number}/pass.svg")
    assert (drawn.text, drawn.headers["content-type"]) == (shown["svg"], "image/svg+xml")
    picture = await driver.get(f"/applications/{number}/pass.png")
    assert picture.content.startswith(b"\x89PNG")


async def test_a_pass_is_the_same_until_its_permit_changes(desk: Any) -> None:
    driver = await desk.person("driver")
    number = await desk.approved()
    first = (await driver.get(f"/applications/{number}/pass")).json()["text"]
    await desk.turn(hours=1)
    assert (await driver.get(f"/applications/{number}/pass")).json()["text"] == first
    await desk.given.pool.execute(
        "UPDATE permits SET entries_left = 1, changed_at = $2 WHERE permit_id = $1", number, desk.clock()
    )
    again = (await driver.get(f"/applications/{number}/pass")).json()
    assert again["text"] != first
    assert again["entries_left"] == 1


async def test_no_pass_before_it_goes_out_nor_after_the_end(desk: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    number = await desk.submitted()
    assert (await driver.get(f"/applications/{number}/pass")).json()["code"] == "no_pass"
    await reviewer.post(f"/applications/{number}/approve")
    assert (await driver.get(f"/applications/{number}/pass")).status_code == 409
    await desk.turn(seconds=9)
    assert (await driver.get(f"/applications/{number}/pass")).status_code == 200
    await desk.turn(days=3)
    assert (await driver.get(f"/applications/{number}/pass")).status_code == 409
