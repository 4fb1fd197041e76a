"""Rules of retention: changed from a day on, with source and reason; the daily run obeys each row on its days."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.server import retention, seeds
from cloud_sync.server.console.rule_words import RETENTION

PATH = "/retention-rules/passed_new_energy_plate"
# The clock of the tests stands on 21 November 2026.
CHANGE = {"valid_from": "2026-12-11", "keep_days": 7, "source": "Office order 12/2026", "reason": "Shorter is enough"}


async def test_the_run_obeys_the_new_row_on_its_day_and_the_old_one_before(
    app: Any, sign_in: Any, gateway: Any, clock: Any
) -> None:
    given = app.state.services
    approver = await sign_in("approver")
    await gateway.send(gateway.decided("a1"))
    answer = await approver.post(PATH, CHANGE)
    assert answer.status_code == 201
    rows = [(row["keep_days"], row["valid_from"], row["valid_until"], row["state"]) for row in answer.json()["rows"]]
    assert rows == [(7, "2026-12-11", None, "coming"), (180, "2025-01-01", "2026-12-11", "in_force")]
    clock.leap(days=19)
    assert (await retention.run_once(given)).plates_anonymised == 0
    clock.leap(days=1)
    assert (await retention.run_once(given)).plates_anonymised == 1


async def test_every_row_names_its_author_and_the_change_is_audited(app: Any, sign_in: Any) -> None:
    approver = await sign_in("approver")
    assert (await approver.post(PATH, CHANGE)).status_code == 201
    listed = {one["rule_id"]: one for one in (await approver.get("/retention-rules")).json()}
    new, old = listed["passed_new_energy_plate"]["rows"]
    assert (new["author"], new["source"], new["reason"]) == ("approver", CHANGE["source"], CHANGE["reason"])
    assert (old["author"], old["reason"]) == ("delivered with the product", "the shortest time that its purpose needs")
    row = await app.state.services.pool.fetchrow("SELECT * FROM audit WHERE subject_kind = 'retention_rule'")
    assert (row["by"], row["action"], row["subject_id"]) == ("approver", "rules_changed", "passed_new_energy_plate")
    assert row["why"] == CHANGE["reason"]
    assert listed.keys() == RETENTION.keys()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"reason": " "}, 422, "reason_missing"),
        ({"source": " "}, 422, "rules_refused"),
        ({"valid_from": "2026-11-20"}, 422, "rules_refused"),
        ({"valid_from": "2024-01-01"}, 422, "rules_refused"),
        ({"keep_days": 0}, 422, "invalid"),
        ({"keep_days": 180, "source": "PIPL art. 19: shortest storage"}, 409, "nothing_changed"),
    ],
)
async def test_what_cannot_be_written_is_refused(
    app: Any, sign_in: Any, change: dict[str, Any], status: int, code: str
) -> None:
    approver = await sign_in("approver")
    answer = await approver.post(PATH, CHANGE | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    rows = await app.state.services.pool.fetchval("SELECT count(*) FROM retention_rules WHERE author = 'approver'")
    assert rows == 0


async def test_a_rule_that_nobody_knows_and_a_role_that_may_not(sign_in: Any) -> None:
    assert (await (await sign_in("approver")).post("/retention-rules/no_such", CHANGE)).status_code == 404
    assert (await (await sign_in("guard")).post(PATH, CHANGE)).status_code == 403


async def test_planting_again_leaves_the_offices_rows(app: Any, sign_in: Any) -> None:
    given = app.state.services
    await (await sign_in("approver")).post(PATH, CHANGE)
    before = await given.pool.fetch("SELECT * FROM retention_rules ORDER BY rule_id, valid_from")
    await seeds.plant(given)
    assert await given.pool.fetch("SELECT * FROM retention_rules ORDER BY rule_id, valid_from") == before
