"""What everybody may read of the zone, without signing in. None is "not known", never zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mobile.core.api.calling import Caller


@dataclass(frozen=True, slots=True)
class PublicNow:
    """This minute. `state` is live, stale, lost or never."""

    state: str
    at: datetime | None
    grid_g_per_kwh: Decimal | None
    carbon_g_per_kwh: float | None
    own_frac: float | None
    kw: dict[str, float]


@dataclass(frozen=True, slots=True)
class PublicVehicles:
    """Vehicles that were let onto the island today."""

    entered: int
    new_energy: int
    permitted: int
    other: int


@dataclass(frozen=True, slots=True)
class PublicPoints:
    """What people saved today; `car_km` of a petrol car emit as much."""

    grams: int
    people: int
    car_km: int


@dataclass(frozen=True, slots=True)
class PublicToday:
    """Since local midnight."""

    day: date
    at: datetime
    energy_known_frac: float | None
    gates_told_at: datetime | None
    vehicles: PublicVehicles | None
    points: PublicPoints | None


@dataclass(frozen=True, slots=True)
class PublicYear:
    """A year's net emission, whole grams CO2e."""

    year: int
    grams: int | None
    known_frac: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Said:
    """A row as people read it: what it is about, what it says (value with unit), and where it comes from."""

    name_zh: str
    name_en: str
    text_zh: str
    text_en: str
    source_zh: str
    source_en: str


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One dated factor."""

    key: str
    value: str
    unit: str
    valid_from: date
    source: str
    announcement: str
    said: Said


@dataclass(frozen=True, slots=True)
class PublicMethod:
    """How an act counts."""

    key: str
    version: int
    name_zh: str
    name_en: str
    grams: Decimal
    unit: str
    sources: tuple[str, ...]
    valid_from: date


@dataclass(frozen=True, slots=True)
class PublicMethods:
    """How is counted."""

    day: date
    factors: tuple[FactorRow, ...]
    points: tuple[PublicMethod, ...]


@dataclass(frozen=True, slots=True)
class PublicRule:
    """One rule in force: one value, or the names of a list."""

    key: str
    values: tuple[str, ...]
    unit: str
    valid_from: date
    source: str
    said: Said


@dataclass(frozen=True, slots=True)
class PublicRules:
    """The published rules of a day, with the version of each book."""

    day: date
    permits_version: str
    permits: tuple[PublicRule, ...]
    points_version: str
    points: tuple[PublicRule, ...]


@dataclass(frozen=True, slots=True)
class PaperChecked:
    """What a paper says, whether it is genuine, and whether the books still say so."""

    paper_id: str
    kind: str
    language: str
    issued_at: datetime
    sha256: str
    genuine: bool
    holds: bool
    changed_since: datetime | None
    said: dict[str, Any]
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The server works."""

    status: str
    at: datetime


class Public:
    """Calls without a sign-in."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def now(self) -> PublicNow:
        """What a kWh on the island emits now."""
        return await self._caller.call("GET", "/public/now", answer=PublicNow, is_signed=False)

    async def today(self) -> PublicToday:
        """Vehicles and points of today."""
        return await self._caller.call("GET", "/public/today", answer=PublicToday, is_signed=False)

    async def years(self) -> tuple[PublicYear, ...]:
        """Net emission by year."""
        return await self._caller.call("GET", "/public/years", answer=tuple[PublicYear, ...], is_signed=False)

    async def methods(self) -> PublicMethods:
        """Factors and formulas of today."""
        return await self._caller.call("GET", "/public/methods", answer=PublicMethods, is_signed=False)

    async def rules(self) -> PublicRules:
        """The rules of permits and points in force."""
        return await self._caller.call("GET", "/public/rules", answer=PublicRules, is_signed=False)

    async def paper(self, code: str) -> PaperChecked:
        """Whether a paper is genuine."""
        return await self._caller.call(
            "GET", "/public/papers/{code}", path={"code": code}, answer=PaperChecked, is_signed=False
        )

    async def health(self) -> Health:
        """Whether the server works; the network watch asks this."""
        return await self._caller.call("GET", "/health", answer=Health, is_signed=False)
