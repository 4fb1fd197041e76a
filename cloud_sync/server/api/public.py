"""The zone's published figures for programs, without sign-in. No plate, no name; null is "not known", never zero."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from cloud_sync.server.api.address import API
from cloud_sync.server.carbon.public_board import (
    BoardDesk,
    PublicMethod,
    PublicNow,
    PublicPoints,
    PublicSlot,
    PublicVehicles,
    PublicYear,
    board_desk,
)
from cloud_sync.server.carbon.public_rules import PublicRule
from cloud_sync.server.console.public_words import Said, said_factor, said_rule
from cloud_sync.server.services import Services, services
from control.carbon.exact import to_decimal

router = APIRouter(prefix=f"{API}/public", tags=["public"])
Given = Annotated[Services, Depends(services)]
Desk = Annotated[BoardDesk, Depends(board_desk)]


class Today(BaseModel):
    """Since local midnight. `energy_known_frac` is the part of the quarter hours so far that is known."""

    day: date
    at: datetime
    energy_known_frac: float | None
    gates_told_at: datetime | None
    vehicles: PublicVehicles | None
    points: PublicPoints | None
    quarter_hours: tuple[PublicSlot, ...]


class FactorRow(BaseModel):
    """One dated factor that the figures rest on."""

    key: str
    value: str
    unit: str
    valid_from: date
    source: str
    announcement: str
    said: Said


class Methods(BaseModel):
    """How is counted: factors in force and the formulas of points."""

    day: date
    factors: tuple[FactorRow, ...]
    points: tuple[PublicMethod, ...]


class RuleRow(BaseModel):
    """One rule in force: one value, or the names of a list. `unit` as the rule books write it."""

    key: str
    values: tuple[str, ...]
    unit: str
    valid_from: date
    source: str
    said: Said


class Rules(BaseModel):
    """The published rules of a day, with the version of each book."""

    day: date
    permits_version: str
    permits: tuple[RuleRow, ...]
    points_version: str
    points: tuple[RuleRow, ...]


def _kept(response: Response, given: Services) -> None:
    response.headers["Cache-Control"] = f"public, max-age={int(given.config.reports.public_cache_s)}"


@router.get("/now")
async def now(given: Given, desk: Desk, response: Response) -> PublicNow:
    """What a kWh on the island emits now, grams CO2e, and what flows, kW."""
    board = await desk.board(given)
    _kept(response, given)
    return board.now


@router.get("/today")
async def today(given: Given, desk: Desk, response: Response) -> Today:
    """Vehicles, points and electricity of today."""
    board = await desk.board(given)
    _kept(response, given)
    return Today(
        day=board.day,
        at=board.at,
        energy_known_frac=board.energy_known_frac,
        gates_told_at=board.gates_told_at,
        vehicles=board.vehicles,
        points=board.points,
        quarter_hours=board.slots,
    )


@router.get("/years")
async def years(given: Given, desk: Desk, response: Response) -> tuple[PublicYear, ...]:
    """Net emission by year, whole grams CO2e: published ones with their source, then this year as far as known."""
    board = await desk.board(given)
    _kept(response, given)
    return board.years


@router.get("/methods")
async def methods(given: Given, desk: Desk, response: Response) -> Methods:
    """Factors and formulas of today with their sources."""
    board = await desk.board(given)
    _kept(response, given)
    return Methods(
        day=board.day,
        factors=tuple(
            FactorRow(
                key=row.key,
                value=_value(row.value),
                unit=row.unit,
                valid_from=row.valid_from,
                source=row.source,
                announcement=row.announcement,
                said=said_factor(given, row),
            )
            for row in board.factors
        ),
        points=board.methods,
    )


@router.get("/rules")
async def rules(given: Given, desk: Desk, response: Response) -> Rules:
    """The rules of permits and of points in force today, with their days and sources."""
    board = await desk.board(given)
    _kept(response, given)
    told = board.rules
    return Rules(
        day=told.day,
        permits_version=told.permits_version,
        permits=tuple(_rule(given, one) for one in told.permits),
        points_version=told.points_version,
        points=tuple(_rule(given, one) for one in told.points),
    )


def _rule(given: Services, rule: PublicRule) -> RuleRow:
    return RuleRow(**asdict(rule), said=said_rule(given, rule))


def _value(value: Fraction | str) -> str:
    if isinstance(value, str):
        return value
    shown: Decimal = to_decimal(value, 6).normalize()
    return format(shown, "f")
