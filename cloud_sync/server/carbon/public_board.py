"""What everybody may see of the zone: owns the figures of the public page and that asking for them costs little.

No plate, no name, no single visit. What is not known is None, never zero. The figures are kept for some seconds, the
sums of a year for some minutes, so that any number of readers asks the database once.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

from fastapi import Request

from cloud_sync.server import queries_energy, rule_books
from cloud_sync.server.carbon.inventory import Month, months, span
from cloud_sync.server.carbon.public_rules import PublicRules, public_rules
from cloud_sync.server.energy_flow import imported_frac, total_kw
from cloud_sync.server.records_energy import EnergyNow, EnergySeries, PlanRecord
from cloud_sync.server.services import Services
from control.carbon import factor_keys as keys
from control.carbon.comparison import petrol_car
from control.carbon.exact import GRAMS_PER_KG, GRAMS_PER_TONNE, half_up, to_decimal
from control.carbon.factor_keys import FactorFamily, Fuel, GridArea
from control.carbon.factors import Factor, Factors
from control.points.methodology import Methodology, reduction_g, sources_of

SLOT_S = 900
SLOTS = 96
STALE_S, LOST_S = 120.0, 900.0
_PUBLISHED = Path(__file__).with_name("published_years.toml")


@dataclass(frozen=True, slots=True)
class PublicNow:
    """This minute. `state` is live, stale, lost or never; with the last two nothing else is known."""

    state: str
    at: datetime | None
    grid_g_per_kwh: Decimal | None
    carbon_g_per_kwh: float | None
    own_frac: float | None
    kw: dict[str, float]


@dataclass(frozen=True, slots=True)
class PublicSlot:
    """A quarter hour of today. `measured` is false for what is expected; None is a gap."""

    at: datetime
    measured: bool
    pv_kw: float | None
    storage_kw: float | None
    grid_frac: float | None


@dataclass(frozen=True, slots=True)
class PublicYear:
    """A year's net, whole grams. `source` is set where others published it; else `known_frac` of the year is known."""

    year: int
    grams: int | None
    known_frac: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class PublicVehicles:
    """Vehicles that were let onto the island today."""

    entered: int
    new_energy: int
    permitted: int
    other: int


@dataclass(frozen=True, slots=True)
class PublicPoints:
    """What people saved today, verified. `car_km` are kilometres of a petrol car that emit as much."""

    grams: int
    people: int
    car_km: int


@dataclass(frozen=True, slots=True)
class PublicMethod:
    """How an act counts: the formula's figures with their sources."""

    key: str
    version: int
    name_zh: str
    name_en: str
    grams: Decimal
    unit: str
    sources: tuple[str, ...]
    valid_from: date


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the public page and its JSON show."""

    at: datetime
    day: date
    now: PublicNow
    slots: tuple[PublicSlot, ...]
    years: tuple[PublicYear, ...]
    vehicles: PublicVehicles | None
    points: PublicPoints | None
    energy_known_frac: float | None
    gates_told_at: datetime | None
    factors: tuple[Factor, ...]
    methods: tuple[PublicMethod, ...]
    rules: PublicRules


class BoardDesk:
    """Keeps the newest board; those who ask while one is being made wait for that one."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._board: Board | None = None
        self._years: tuple[PublicYear, ...] = ()
        self._years_at: datetime | None = None

    async def board(self, given: Services) -> Board:
        """The figures, at most `reports.public_cache_s` old."""
        async with self._lock:
            now, wanted = given.clock(), given.config.reports
            if self._years_at is None or now - self._years_at >= timedelta(seconds=wanted.public_year_cache_s):
                self._years, self._years_at = await _years(given, now), now
            if self._board is None or now - self._board.at >= timedelta(seconds=wanted.public_cache_s):
                self._board = await _made(given, now, self._years)
            return self._board


async def board_desk(request: Request) -> BoardDesk:
    """FastAPI dependency: the one desk of a server."""
    state = request.app.state
    if not hasattr(state, "public_board"):
        state.public_board = BoardDesk()
    found: BoardDesk = state.public_board
    return found


async def _made(given: Services, now: datetime, years: tuple[PublicYear, ...]) -> Board:
    db, midnight = given.pool, given.today_from()
    today = midnight.date()
    rows = (await rule_books.factors(db)).at(today)
    grids = [gateway_id for gateway_id, _ in await queries_energy.energy_gateways(db)]
    shown = [await queries_energy.energy_now(db, one, now=now, carbon_per_kwh=0.0) for one in grids]
    series = [
        await queries_energy.energy_series(db, one, since=midnight, until=midnight + timedelta(days=1), step_s=SLOT_S)
        for one in grids
    ]
    plans = [await queries_energy.plan_at(db, one) for one in grids]
    slots = _slots(midnight, now, series, [one for one in plans if one is not None])
    told_at = await db.fetchval("SELECT max(received_at) FROM gateway_health")
    return Board(
        at=now,
        day=today,
        now=_now(shown, rows),
        slots=slots,
        years=years,
        vehicles=await _vehicles(given, midnight) if told_at is not None and told_at >= midnight else None,
        points=await _points(given, today, rows),
        energy_known_frac=_known(slots),
        gates_told_at=told_at,
        factors=_in_force(rows),
        methods=tuple(_method(one) for one in (await rule_books.methodologies(db)).at(today).values()),
        rules=public_rules(
            (await rule_books.permit_rules(db)).at(today),
            (await rule_books.point_rules(db)).at(today),
        ),
    )


# ---------------------------------------------------------------- energy


def _now(found: Iterable[EnergyNow | None], rows: Factors) -> PublicNow:
    """All microgrids together, where each of them told something lately."""
    grid_g = rows.number(keys.grid_key(GridArea(rows.choice(keys.GRID_AREA)))) * GRAMS_PER_KG
    grid = to_decimal(grid_g, 1)
    shown = [one for one in found if one is not None]
    if not shown:
        return PublicNow("never", None, grid, None, None, {})
    at, age_s = min(one.at for one in shown), max(one.age_s for one in shown)
    if age_s >= LOST_S:
        return PublicNow("lost", at, grid, None, None, {})
    names = set.intersection(*(set(one.kw) for one in shown))
    kw = {name: sum(one.kw[name] for one in shown) for name in sorted(names)}
    share = imported_frac(kw.get("grid"), total_kw(kw))
    return PublicNow(
        state="live" if age_s < STALE_S else "stale",
        at=at,
        grid_g_per_kwh=grid,
        carbon_g_per_kwh=None if share is None else share * float(grid_g),
        own_frac=None if share is None else 1 - share,
        kw=kw,
    )


def _slots(
    midnight: datetime, now: datetime, series: list[EnergySeries], plans: list[PlanRecord]
) -> tuple[PublicSlot, ...]:
    """Today's quarter hours: those that are over as measured, then as the newest plans expect them."""
    return tuple(
        _measured(midnight, place, series)
        if midnight + timedelta(seconds=SLOT_S * (place + 1)) <= now
        else _expected(midnight + timedelta(seconds=SLOT_S * place), plans)
        for place in range(SLOTS)
    )


def _measured(midnight: datetime, place: int, series: list[EnergySeries]) -> PublicSlot:
    at = midnight + timedelta(seconds=SLOT_S * place)
    sums = {name: _sum(one.values[f"{name}_kw"][place] for one in series) for name in ("pv", "storage", "grid")}
    return _slot(at, sums, measured=True)


def _expected(at: datetime, plans: list[PlanRecord]) -> PublicSlot:
    names = {"pv": "pv_mid", "storage": "storage", "grid": "grid"}
    return _slot(at, {key: _sum(_planned(one, name, at) for one in plans) for key, name in names.items()})


def _planned(plan: PlanRecord, name: str, at: datetime) -> float | None:
    place = int((at - plan.starts_at).total_seconds() // plan.slot_s)
    values = plan.series.get(name, ())
    return values[place] if 0 <= place < len(values) else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if not known or any(one is None for one in known) else sum(one for one in known if one is not None)


def _slot(at: datetime, kw: dict[str, float | None], *, measured: bool = False) -> PublicSlot:
    known = {name: value for name, value in kw.items() if value is not None}
    return PublicSlot(at, measured, kw["pv"], kw["storage"], imported_frac(known.get("grid"), total_kw(known)))


def _known(slots: Iterable[PublicSlot]) -> float | None:
    """Which part of today's quarter hours up to now is known; None in the first one."""
    past = [one for one in slots if one.measured]
    return sum(one.grid_frac is not None for one in past) / len(past) if past else None


# ---------------------------------------------------------------- years


@cache
def _published() -> tuple[PublicYear, ...]:
    with _PUBLISHED.open("rb") as source:
        rows = tomllib.load(source)["year"]
    return tuple(PublicYear(row["year"], row["tonnes"] * GRAMS_PER_TONNE, Decimal(1), row["source"]) for row in rows)


async def _years(given: Services, now: datetime) -> tuple[PublicYear, ...]:
    """Published years, then this one as far as it is known here."""
    today = now.astimezone(given.config.zone).date()
    wanted = span(Month(today.year, 1), Month.of(today))
    found = await months(given.pool, wanted, zone=given.config.zone, factors=await rule_books.factors(given.pool))
    days = sum(one.days for one in wanted)
    parts = [min(one.known_frac for one in month.completeness) * Month(month.year, month.month).days for month in found]
    known = sum(parts, Decimal(0)) / days
    grams = sum(one.known_net_market_g for one in found) if known > 0 else None
    published = tuple(one for one in _published() if one.year != today.year)
    return (*published, PublicYear(today.year, grams, round(known, 4), ""))


# ---------------------------------------------------------------- vehicles and points


async def _vehicles(given: Services, midnight: datetime) -> PublicVehicles:
    row = await given.pool.fetchrow(
        "SELECT count(*) AS entered, count(*) FILTER (WHERE verdict = 'new_energy') AS new_energy,"
        " count(*) FILTER (WHERE verdict IS DISTINCT FROM 'new_energy'"
        " AND (final_outcome = 'admit_under_permit' OR verdict = 'special')) AS permitted"
        " FROM passages WHERE arrived_at >= $1 AND direction = 'in'"
        " AND final_outcome IN ('admit', 'admit_under_permit')",
        midnight,
    )
    entered, clean, permitted = row["entered"], row["new_energy"], row["permitted"]
    return PublicVehicles(entered, clean, permitted, entered - clean - permitted)


async def _points(given: Services, today: date, rows: Factors) -> PublicPoints:
    row = await given.pool.fetchrow(
        "SELECT coalesce(sum(grams), 0)::bigint AS grams, count(DISTINCT person) AS people FROM point_events"
        " WHERE day = $1 AND state = 'granted' AND reversed_at IS NULL",
        today,
    )
    return PublicPoints(row["grams"], row["people"], half_up(petrol_car(rows).km(row["grams"])))


# ---------------------------------------------------------------- data and methods


def _in_force(rows: Factors) -> tuple[Factor, ...]:
    """The factors that the figures of the page rest on."""
    wanted = [keys.grid_key(area) for area in GridArea]
    for fuel in (Fuel.PETROL, Fuel.DIESEL):
        wanted += [keys.co2_key(fuel, FactorFamily(rows.choice(keys.family_key(fuel))))]
        wanted += [keys.ch4_key(fuel), keys.n2o_key(fuel)]
    gwp = keys.GwpSet(rows.choice(keys.GWP_SET))
    wanted += [keys.gwp_key(gwp, "ch4"), keys.gwp_key(gwp, "n2o"), keys.OFFSET_DUE]
    return tuple(rows.row(key) for key in wanted if key in rows.rows)


def _method(row: Methodology) -> PublicMethod:
    return PublicMethod(
        key=row.key,
        version=row.version,
        name_zh=row.name_zh,
        name_en=row.name_en,
        grams=to_decimal(reduction_g(row.formula, Fraction(1)), 1),
        unit=str(row.unit),
        sources=sources_of(row.formula),
        valid_from=row.valid_from,
    )
