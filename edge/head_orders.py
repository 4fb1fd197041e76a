"""Orders about the vehicle head from the console: owns carrying them out, one at a time, and their results.

Learning keeps a core busy for seconds, so it runs in a process of its own that gives way to the gate's.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from cloud_sync.contract.v1 import HeadAction, HeadOrder
from control.domain.events import CommandResult
from edge.facts import iso
from edge.head_commands import NOT_USED, OK
from edge.journal import Journal
from edge.ports import Clock

log = structlog.get_logger(__name__)

LIMIT_S = 300.0
DETAIL_CHARS_MAX = 400
NICENESS = "10"
ROOT = Path(__file__).resolve().parents[1]


class OrderSource(Protocol):
    """Verified orders."""

    async def next_head_order(self) -> HeadOrder:
        """Wait for the next one."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command line program left."""

    status: int
    output: str
    errors: str


Run = Callable[[Sequence[str]], Awaitable[Ended]]


class HeadOrders:
    """One per gateway; `run` serves until cancelled."""

    def __init__(
        self,
        source: OrderSource,
        *,
        data_dir: Path,
        models_dir: Callable[[], Path | None],
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._source, self._data_dir, self._models_dir = source, data_dir, models_dir
        self._journal, self._clock = journal, clock
        self.start: Run = in_own_process

    async def run(self) -> None:
        """Take order after order."""
        while True:
            order = await self._source.next_head_order()
            outcome, detail = await self._carry_out(order)
            log.info("head order", action=order.action.value, by=order.issued_by, outcome=outcome, detail=detail)
            at = iso(self._clock.now())
            await self._journal.append(CommandResult(order.command_id, outcome, detail[:DETAIL_CHARS_MAX], at))

    async def _carry_out(self, order: HeadOrder) -> tuple[str, str]:
        if self._clock.now() >= order.expires_at:
            return "expired", ""
        ended = await self.start(self._arguments(order))
        if ended.status in (OK, NOT_USED):
            return "done", _done_words(order, ended.output)
        return "refused", ended.errors.strip().removeprefix("vision: ") or f"exit status {ended.status}"

    def _arguments(self, order: HeadOrder) -> list[str]:
        action = {HeadAction.ADAPT: "adapt", HeadAction.USE: "use", HeadAction.ROLL_BACK: "rollback"}[order.action]
        arguments = [action, "--data", str(self._data_dir), "--by", order.issued_by, "--json"]
        if (models_dir := self._models_dir()) is not None:
            arguments += ["--models", str(models_dir)]
        if order.action is HeadAction.ADAPT and order.force:
            arguments.append("--force")
        return [*arguments, "--", order.version] if order.action is HeadAction.USE else arguments


def _done_words(order: HeadOrder, output: str) -> str:
    """What became of it, in figures that need no translation: version, accuracies, number of crops."""
    try:
        told: dict[str, Any] = json.loads(output)
    except ValueError:
        return ""
    if order.action is not HeadAction.ADAPT:
        return f"{told['was']} → {told['now']}"
    before, after = told["before"]["accuracy"], told["after"]["accuracy"]
    return f"{told['version']}: {before:.1%} → {after:.1%} (n = {told['crops']})"


async def in_own_process(arguments: Sequence[str]) -> Ended:
    """`island vision ...` at a low priority, for LIMIT_S at most."""
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", NICENESS, sys.executable, "-m", "vision.command", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        return Ended(-1, "", f"it took longer than {LIMIT_S:g} s and was ended")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace"))
