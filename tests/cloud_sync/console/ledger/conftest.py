"""A ledger with some months behind it: visits of several kinds, tonnes retired on the way, credits that are left."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest_asyncio

from cloud_sync.server import auth
from cloud_sync.server.carbon import lots, retirements, visits, worker
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor

on_one_loop = partial(pytest_asyncio.fixture, loop_scope="session")
PASSWORD = "a long enough password"
FU, LIN = Actor("fu"), Actor("lin")
CAME = (
    ("琼C66E02", "yellow", "crane", "diesel", "lifting", "变电站吊装", {"fuel_used": "14.2"}),
    (
        "琼C61K28",
        "yellow",
        "light_truck",
        "diesel",
        "lifting",
        "广场灯架吊装",
        {"odometer_in_km": "100", "odometer_out_km": "134"},
    ),
    ("琼A7Q530", "yellow", "generator_truck", "diesel", "power_repair", "线路检修", {}),
    ("琼C92M40", "yellow", "heavy_truck", "diesel", "sanitation", "管网清淤", {"route_km": "9.5", "idle_min": "12"}),
    ("琼AK7Y20", "blue", "ambulance", "petrol", "medical", "急诊转运", {"route_km": "11"}),
    ("琼C78083", "yellow", "crane", "diesel", "construction", "会议中心北侧", {"fuel_used": "33.5"}),
    ("琼C0P115", "yellow", "medium_truck", "diesel", "construction", "道路修补", {}),
)


@dataclass
class LedgerScene:
    """Feeds visits as the permits' part leaves them, at any past time."""

    given: Services
    count: int = 0

    async def visit(self, left: datetime) -> str:
        """The next vehicle of CAME; the visit's id."""
        plate, colour, kind, drive, purpose, words, declared = CAME[self.count % len(CAME)]
        self.count += 1
        visit_id = f"visit-{self.count:04}"
        form = {
            "plate": plate,
            "plate_colour": colour,
            "emission_class": kind,
            "drive": drive,
            "purpose": purpose,
            "purpose_text": words,
            "consumption_per_100km": "26" if "odometer_in_km" in declared else None,
        }
        pool, application_id = self.given.pool, f"XK-{left.year}-{self.count:06}"
        await pool.execute(
            "INSERT INTO applications (application_id, applicant_id, filed_by, status, form, plate, permit_class,"
            " created_at, updated_at, version) VALUES ($1, 'p', 'fu', 'active', $2::jsonb, $3, 'special', $4, $4, 1)",
            *(application_id, json.dumps(form), plate, left),
        )
        await pool.execute(
            "INSERT INTO visits (visit_id, plate, application_id, gate_in, gate_out, entered_at, left_at, state,"
            " vehicle_type, revision, is_over, updated_at)"
            " VALUES ($1, $2, $3, 'east', 'north', $4, $5, 'complete', 'truck', 1, true, $5)",
            *(visit_id, plate, application_id, left - timedelta(minutes=95), left),
        )
        if declared:
            await pool.execute(
                "INSERT INTO visit_evidence (evidence_id, visit_id, by, by_role, at, declared)"
                " VALUES ('0-' || $1, $1, 'fu', 'office', $2, $3::jsonb)",
                *(visit_id, left, json.dumps(declared)),
            )
        return visit_id

    async def fill(self, *, many: int = 44) -> None:
        """Visits over ten months, one tonne retired on the way, five left."""
        now = self.given.clock().astimezone(UTC)
        start = now - timedelta(days=300)
        await lots.buy(
            self.at(start),
            FU,
            registry="CCER",
            project="琼海红树林修复",
            vintage=start.year - 1,
            serial_prefix="CN-46-00",
            first_serial=4116,
            last_serial=4120,
            bought_on=date(start.year, start.month, 1),
            evidence="采购合同 2026-007",
        )
        done = 0
        for month in (4, 10):
            until = start + timedelta(days=30 * month)
            while done < many * month // 10:
                await self.visit(start + timedelta(days=300) * done / many - timedelta(hours=2))
                done += 1
            moment = self.at(until)
            await visits.turn(moment)
            if month == 4:
                made = await retirements.propose(moment, FU, tonnes=1, cancelled_for="此前的燃油特种车进场")
                await retirements.confirm(moment, LIN, made, evidence=f"CCER-注销-{month:03}")
        await worker.turn(self.given)

    def at(self, moment: datetime) -> Services:
        return replace(self.given, clock=lambda: moment)


@on_one_loop()
async def ledger_scene(site: Any, people: None) -> LedgerScene:
    """A filled ledger, and somebody of the office who may propose."""
    await auth.insert_user(
        site.given.pool,
        username="reviewer",
        name="符雅婷",
        role=auth.Role.REVIEWER,
        password_hash=await site.given.passwords.hash(PASSWORD),
        at=site.given.clock(),
    )
    scene = LedgerScene(site.given)
    await scene.fill()
    return scene
