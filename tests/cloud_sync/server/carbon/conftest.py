"""A ledger to play with: visits as the permits' part leaves them, credits, and people who retire them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cloud_sync.server.carbon import lots, retirements, visits
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor

FU, LIN = Actor("fu"), Actor("lin")


@dataclass
class Ledger:
    """What tests do with the ledger of one database."""

    given: Services

    @property
    def pool(self) -> Any:
        return self.given.pool

    async def visit(
        self,
        visit_id: str,
        *,
        days_ago: float = 0.0,
        minutes: int = 40,
        state: str = "complete",
        vehicle_type: str | None = "car",
        plate: str = "琼C66E02",
        form: dict[str, Any] | None = None,
        applicant_id: str = "",
        **more: Any,
    ) -> None:
        """A visit that ended `days_ago`; with a form it came under an application."""
        left = self.given.clock() - timedelta(days=days_ago)
        application_id = await self.application(visit_id, form, applicant_id, plate) if form is not None else None
        row = {
            "visit_id": visit_id,
            "plate": plate,
            "application_id": application_id,
            "gate_in": "east",
            "gate_out": "east",
            "entered_at": left - timedelta(minutes=minutes),
            "left_at": left if state == "complete" else None,
            "state": state,
            "vehicle_type": vehicle_type,
            "revision": 1,
            "is_over": state != "inside",
            "updated_at": self.given.clock(),
        } | more
        names = ", ".join(row)
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        await self.pool.execute(f"INSERT INTO visits ({names}) VALUES ({places})", *row.values())

    async def application(self, visit_id: str, form: dict[str, Any], applicant_id: str, plate: str) -> str:
        application_id = f"XK-2026-{visit_id}"
        await self.pool.execute(
            "INSERT INTO applications (application_id, applicant_id, filed_by, status, form, plate, permit_class,"
            " created_at, updated_at, version) VALUES ($1, $2, 'fu', 'active', $3::jsonb, $4, 'special', $5, $5, 1)",
            application_id,
            applicant_id,
            json.dumps(form),
            plate,
            self.given.clock(),
        )
        return application_id

    async def revise(self, visit_id: str, **changed: Any) -> None:
        """The gates tell something else of a visit."""
        sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(changed, 2))
        await self.pool.execute(
            f"UPDATE visits SET {sets}, revision = revision + 1 WHERE visit_id = $1", visit_id, *changed.values()
        )

    async def turn(self) -> None:
        await visits.turn(self.given)

    async def account(self, visit_id: str) -> Any:
        return await self.pool.fetchrow("SELECT * FROM visit_accounts WHERE visit_id = $1", visit_id)

    async def buy(self, tonnes: int = 4, *, first: int = 4117, **more: Any) -> str:
        values: dict[str, Any] = {
            "registry": "CCER",
            "project": "琼海红树林修复",
            "vintage": 2025,
            "serial_prefix": "CN-46-",
            "first_serial": first,
            "last_serial": first + tonnes - 1,
            "bought_on": date(2026, 1, 10),
            "evidence": "invoice 7",
        }
        return await lots.buy(self.given, FU, **(values | more))

    async def retire(self, tonnes: int = 1, **more: Any) -> str:
        """Proposed by one, confirmed by another."""
        made = await retirements.propose(self.given, FU, tonnes=tonnes, cancelled_for="October's visits", **more)
        await retirements.confirm(self.given, LIN, made, evidence=f"cancellation {made}")
        return made

    async def balances(self) -> dict[str, int]:
        rows = await self.pool.fetch("SELECT account, grams FROM ledger_balances WHERE grams <> 0")
        return {row["account"]: row["grams"] for row in rows}

    def at(self, days_ago: float) -> datetime:
        return self.given.clock() - timedelta(days=days_ago)


@pytest.fixture
def ledger(services: Services) -> Ledger:
    return Ledger(services)


@pytest.fixture
def make_ledger() -> type[Ledger]:
    return Ledger
