"""Orders about the vehicle head: carried out once, in time, and answered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_sync.contract.v1 import HeadAction, HeadOrder
from edge.head_orders import Ended, HeadOrders, in_own_process

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ORDER = HeadOrder("c-1", "gw-1", HeadAction.ADAPT, "li", NOW, NOW + timedelta(minutes=5))
ADAPTED = {
    "version": "site-1",
    "in_use": True,
    "crops": 36,
    "before": {"accuracy": 0.61},
    "after": {"accuracy": 0.9},
}


class Clock:
    def now(self) -> datetime:
        return NOW


class Journal:
    def __init__(self) -> None:
        self.events: list = []

    async def append(self, event) -> None:
        self.events.append(event)


class Source:
    def __init__(self, *orders: HeadOrder) -> None:
        self.waiting = list(orders)

    async def next_head_order(self) -> HeadOrder:
        if not self.waiting:
            await asyncio.Event().wait()
        return self.waiting.pop(0)


async def answered(*orders: HeadOrder, ended: Ended, models: Path | None = None):
    """The results in the journal, and the command lines that were run."""
    journal, ran = Journal(), []
    desk = HeadOrders(
        Source(*orders), data_dir=Path("/data"), models_dir=lambda: models, journal=journal, clock=Clock()
    )

    async def start(arguments):
        ran.append(list(arguments))
        return ended

    desk.start = start
    task = asyncio.create_task(desk.run())
    async with asyncio.timeout(60):
        while len(journal.events) < len(orders):
            await asyncio.sleep(0)
    task.cancel()
    return journal.events, ran


async def test_learning_is_answered_with_its_figures() -> None:
    (result,), (ran,) = await answered(ORDER, ended=Ended(0, json.dumps(ADAPTED), ""))
    assert (result.command_id, result.outcome) == ("c-1", "done")
    assert result.detail == "site-1: 61.0% → 90.0% (n = 36)"
    assert ran == ["adapt", "--data", "/data", "--by", "li", "--json"]


async def test_what_was_learnt_but_is_worse_is_done_and_not_in_use() -> None:
    (result,), _ = await answered(ORDER, ended=Ended(3, json.dumps({**ADAPTED, "in_use": False}), ""))
    assert (result.outcome, result.detail) == ("done", "site-1: 61.0% → 90.0% (n = 36)")


async def test_what_fails_is_refused_with_its_reason() -> None:
    (result,), _ = await answered(ORDER, ended=Ended(1, "", "vision: there is no version before shipped\n"))
    assert (result.outcome, result.detail) == ("refused", "there is no version before shipped")


async def test_force_version_and_models_reach_the_command() -> None:
    use = replace(ORDER, action=HeadAction.USE, version="--force")
    back = replace(ORDER, action=HeadAction.ROLL_BACK)
    ended = Ended(0, json.dumps({**ADAPTED, "was": "site-2", "now": "site-1"}), "")
    events, ran = await answered(replace(ORDER, force=True), use, back, ended=ended, models=Path("/models"))
    assert "--force" in ran[0]
    assert ran[1][-2:] == ["--", "--force"]
    assert ran[2][0] == "rollback"
    assert all(arguments[arguments.index("--models") + 1] == "/models" for arguments in ran)
    assert events[1].detail == "site-2 → site-1"


async def test_an_order_that_expired_while_waiting_is_not_carried_out() -> None:
    (result,), ran = await answered(replace(ORDER, expires_at=NOW), ended=Ended(0, "{}", ""))
    assert (result.outcome, ran) == ("expired", [])


async def test_the_real_program_runs_and_says_what_is_wrong(tmp_path) -> None:
    ended = await in_own_process(["heads", "--data", str(tmp_path), "--json"])
    assert (ended.status, json.loads(ended.output)["in_use"]) == (0, "shipped")
    ended = await in_own_process(["heads", "--data", str(tmp_path / "none")])
    assert ended.status == 1
    assert "is no folder" in ended.errors


@pytest.mark.parametrize("output", ["", "no json"])
async def test_output_of_another_program_is_no_trouble(output) -> None:
    (result,), _ = await answered(ORDER, ended=Ended(0, output, ""))
    assert (result.outcome, result.detail) == ("done", "")
