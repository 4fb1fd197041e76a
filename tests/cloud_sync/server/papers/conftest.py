"""Visits of one applicant with figures in the book, and credits that cover them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from cloud_sync.server.carbon import lots, retirements, visits
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor

FU, LIN = Actor("fu"), Actor("lin")


@dataclass
class Books:
    """What these tests put into the books."""

    given: Services

    async def visit(self, visit_id: str, application_id: str, *, days_ago: float = 2.0, owner: str = "") -> None:
        """A car that was on the island for 40 minutes, under an application of `owner`."""
        now, pool = self.given.clock(), self.given.pool
        left = now - timedelta(days=days_ago)
        await pool.execute(
            "INSERT INTO applications (application_id, applicant_id, filed_by, status, form, plate, permit_class,"
            " created_at, updated_at, version) VALUES ($1, $2, 'fu', 'active', $3::jsonb, '琼C66E02', 'special',"
            " $4, $4, 1) ON CONFLICT DO NOTHING",
            *(application_id, owner, json.dumps({}), now),
        )
        await pool.execute(
            "INSERT INTO visits (visit_id, plate, application_id, gate_in, gate_out, entered_at, left_at, state,"
            " vehicle_type, revision, is_over, updated_at)"
            " VALUES ($1, '琼C66E02', $2, 'east', 'east', $3, $4, 'complete', 'car', 1, true, $5)",
            *(visit_id, application_id, left - timedelta(minutes=40), left, now),
        )
        await visits.turn(self.given)

    async def retire(self, tonnes: int = 1, **more: Any) -> None:
        """Bought, proposed by one, confirmed by another."""
        await lots.buy(
            self.given,
            FU,
            registry="CCER",
            project="琼海红树林修复",
            vintage=2025,
            serial_prefix="CN-46-",
            first_serial=4117,
            last_serial=4116 + tonnes,
            bought_on=date(2026, 1, 10),
            evidence="invoice 7",
        )
        made = await retirements.propose(self.given, FU, tonnes=tonnes, cancelled_for="October's visits", **more)
        await retirements.confirm(self.given, LIN, made, evidence="cancellation 1")

    async def owed(self, visit_id: str) -> int:
        return int(await self.given.pool.fetchval("SELECT owed_g FROM visit_accounts WHERE visit_id = $1", visit_id))


@pytest.fixture
def books(app: FastAPI) -> Books:
    return Books(app.state.services)
