"""The zone's inventory from the store: owns which rows make which feed of a month, and how much of it is known.

What follows from the feeds is decided in `control.carbon.inventory`. A month is a calendar month of the island's clock.
Energy comes from quarter hours: one that is not there, or whose figure was not known, is a gap. Fuel is known for the
hours of which every gate told something, as far as the visits are posted. Sinks count with evidence alone, so that a
month without any has none. What covers events is left out, as their travel is: it belongs to the event's account.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from cloud_sync.server.carbon import gate_hours
from cloud_sync.server.sql import Reader
from control.carbon.exact import GRAMS_PER_TONNE
from control.carbon.factors import FactorSet, MissingFactor
from control.carbon.inventory import (
    NO_FEED,
    Feed,
    GramFeed,
    GreenPower,
    MonthGiven,
    MonthInventory,
    month_inventory,
)

HOURS_A_DAY = 24
QUARTERS_A_DAY = 96
MONTHS_MAX = 36
_ENERGY_FLOWS = ("imported", "exported", "pv")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that holds a day."""
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return monthrange(self.year, self.month)[1]

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def starts_at(self, zone: ZoneInfo) -> datetime:
        """Its first midnight."""
        return datetime.combine(self.first, time(), zone)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def month_of(text: str) -> Month:
    """The month that `str(month)` names. Raises ValueError."""
    found = date.fromisoformat(f"{text}-01")
    return Month(found.year, found.month)


def span(first: Month, last: Month) -> tuple[Month, ...]:
    """All months from the first to the last; none where the last comes before."""
    found: list[Month] = []
    while first <= last:
        found.append(first)
        first = first.next
    return tuple(found)


async def months(
    db: Reader, wanted: Iterable[Month], *, zone: ZoneInfo, factors: FactorSet
) -> tuple[MonthInventory, ...]:
    """The inventories of months, in order. A month that lies before the first factor is left out.

    What is pooled is not told here: `month` does.
    """
    asked = tuple(sorted(set(wanted)))
    if not asked:
        return ()
    since, until = asked[0].starts_at(zone), asked[-1].next.starts_at(zone)
    energy = await _energy(db, since, until, zone)
    fuel = await _fuel(db, asked[0].first, asked[-1].next.first, zone)
    green, sinks = await _green(db, asked), await _sinks(db, asked)
    retired = await _retired(db, since, until, zone)
    found: list[MonthInventory] = []
    for one in asked:
        given = MonthGiven(
            year=one.year,
            month=one.month,
            fuel=fuel.get(one, GramFeed(0, 0)),
            **energy.get(one, _NO_ENERGY),
            sinks=GramFeed(sinks.get(one, 0), 1),
            green=green.get(one, ()),
            retired_g=retired.get(one, 0),
        )
        try:
            found.append(month_inventory(given, factors))
        except MissingFactor:
            continue
    return tuple(found)


async def first_month(db: Reader, zone: ZoneInfo) -> Month | None:
    """The month of the first energy sample or passage; None in an empty store."""
    firsts = [
        await db.fetchval("SELECT min(at) FROM energy_samples WHERE period_s = 900"),
        await db.fetchval("SELECT min(arrived_at) FROM passages"),
    ]
    known = [one for one in firsts if one is not None]
    return Month.of(min(known).astimezone(zone).date()) if known else None


# ---------------------------------------------------------------- energy

_NO_ENERGY: dict[str, Feed] = {"grid_import": NO_FEED, "pv_used": NO_FEED, "exported": NO_FEED}


async def _energy(db: Reader, since: datetime, until: datetime, zone: ZoneInfo) -> dict[Month, dict[str, Feed]]:
    """Import, export and PV used by month, over all microgrids that ever told a quarter hour."""
    # Sums of what a real column holds are made in double precision, row by row in order, so that they come out equal.
    flows = ", ".join(f"sum({one}_kwh::float8) AS {one}, count({one}_kwh) AS {one}_known" for one in _ENERGY_FLOWS)
    rows = await db.fetch(
        f"SELECT date_trunc('month', at AT TIME ZONE $3)::date AS month, {flows},"
        " count(*) FILTER (WHERE pv_kwh IS NOT NULL AND exported_kwh IS NOT NULL) AS both_known"
        " FROM energy_samples WHERE period_s = 900 AND at >= $1 AND at < $2 GROUP BY 1",
        *(since, until, zone.key),
    )
    grids = await db.fetchval(
        "SELECT count(*) FROM gateways g WHERE EXISTS"
        " (SELECT 1 FROM energy_samples s WHERE s.gateway_id = g.gateway_id AND s.period_s = 900)"
    )
    return {(month := Month.of(row["month"])): _feeds(row, month, grids) for row in rows}


def _feeds(row: Mapping[str, Any], month: Month, grids: int) -> dict[str, Feed]:
    expected = month.days * QUARTERS_A_DAY * max(grids, 1)
    imported, exported, solar = (_kwh(row[one]) for one in _ENERGY_FLOWS)
    return {
        "grid_import": Feed(imported, _known(row["imported_known"], expected)),
        "exported": Feed(exported, _known(row["exported_known"], expected)),
        # What the panels made and the grid did not take was used here, at once or out of a storage.
        "pv_used": Feed(max(Fraction(0), solar - exported), _known(row["both_known"], expected)),
    }


def _kwh(value: float | None) -> Fraction:
    return Fraction(max(0, round((value or 0.0) * 1000)), 1000)


def _known(count: int, expected: int) -> Fraction:
    return min(Fraction(1), Fraction(count, expected))


# ---------------------------------------------------------------- fuel


async def _fuel(db: Reader, since: date, until: date, zone: ZoneInfo) -> dict[Month, GramFeed]:
    """What visits emitted, by the month of their end."""
    rows = await db.fetch(
        "SELECT date_trunc('month', day)::date AS month, sum(owed_g)::bigint AS grams,"
        " count(*) FILTER (WHERE problem = '') AS posted, count(*) FILTER (WHERE problem <> '') AS unposted"
        " FROM visit_accounts WHERE day >= $1 AND day < $2 GROUP BY 1",
        *(since, until),
    )
    grams = {Month.of(row["month"]): row for row in rows}
    waiting = await _unposted(db, since, until, zone)
    found: dict[Month, GramFeed] = {}
    for month, hours in (await _hours_told(db, since, until, zone)).items():
        row = grams.get(month)
        posted = row["posted"] if row else 0
        missing = (row["unposted"] if row else 0) + waiting.get(month, 0)
        share = Fraction(posted, posted + missing) if posted + missing else Fraction(1)
        found[month] = GramFeed(row["grams"] if row else 0, share * hours / (month.days * HOURS_A_DAY))
    return found


async def _unposted(db: Reader, since: date, until: date, zone: ZoneInfo) -> dict[Month, int]:
    """Visits that began in a month and stand in no account: not over, or not posted yet."""
    rows = await db.fetch(
        "SELECT date_trunc('month', coalesce(v.entered_at, v.left_at) AT TIME ZONE $3)::date AS month,"
        " count(*) AS visits FROM visits v WHERE v.withdrawn_at IS NULL"
        " AND coalesce(v.entered_at, v.left_at) >= $1 AND coalesce(v.entered_at, v.left_at) < $2"
        " AND NOT EXISTS (SELECT 1 FROM visit_accounts a WHERE a.visit_id = v.visit_id) GROUP BY 1",
        *(datetime.combine(one, time(), zone) for one in (since, until)),
        zone.key,
    )
    return {Month.of(row["month"]): row["visits"] for row in rows}


async def _hours_told(db: Reader, since: date, until: date, zone: ZoneInfo) -> dict[Month, Fraction]:
    """Of how many hours of a month the gates told; an hour of which one of two gates is silent is half known."""
    edges = (datetime.combine(one, time(), zone) for one in (since, until))
    found: dict[Month, Fraction] = {}
    for at, share in (await gate_hours.told(db, *edges)).items():
        month = Month.of(at.astimezone(zone).date())
        found[month] = found.get(month, Fraction(0)) + share
    return found


# ---------------------------------------------------------------- green power, sinks, offsets


async def _green(db: Reader, asked: tuple[Month, ...]) -> dict[Month, tuple[GreenPower, ...]]:
    rows = await db.fetch(
        "SELECT year, month, kwh, reference, document_sha256 FROM green_power WHERE withdrawn_at IS NULL"
        " AND (year, month) >= ($1, $2) AND (year, month) <= ($3, $4) ORDER BY year, month, green_id",
        *(asked[0].year, asked[0].month, asked[-1].year, asked[-1].month),
    )
    found: dict[Month, tuple[GreenPower, ...]] = {}
    for row in rows:
        month = Month(row["year"], row["month"])
        evidence = f"{row['reference']} ({row['document_sha256'][:16]})"
        found[month] = (*found.get(month, ()), GreenPower(row["kwh"], evidence))
    return found


async def _sinks(db: Reader, asked: tuple[Month, ...]) -> dict[Month, int]:
    rows = await db.fetch(
        "SELECT year, month, sum(grams)::bigint AS grams FROM carbon_sinks WHERE withdrawn_at IS NULL"
        " AND (year, month) >= ($1, $2) AND (year, month) <= ($3, $4) GROUP BY 1, 2",
        *(asked[0].year, asked[0].month, asked[-1].year, asked[-1].month),
    )
    return {Month(row["year"], row["month"]): row["grams"] for row in rows}


async def _retired(db: Reader, since: datetime, until: datetime, zone: ZoneInfo) -> dict[Month, int]:
    # What covers an event is the event's; what is left of its whole tonnes covers the zone's visits.
    rows = await db.fetch(
        "SELECT date_trunc('month', r.decided_at AT TIME ZONE $3)::date AS month,"
        " sum(r.tonnes::bigint * $4 - coalesce(own.grams, 0))::bigint AS grams FROM retirements r"
        " LEFT JOIN LATERAL (SELECT sum(c.to_g - c.from_g) AS grams"
        " FROM covers c JOIN retirement_units u USING (unit_id)"
        " WHERE r.subject <> '' AND c.visit_id = r.subject AND c.freed_by IS NULL"
        " AND u.retirement_id = r.retirement_id) own ON true"
        " WHERE r.state = 'confirmed' AND r.decided_at >= $1 AND r.decided_at < $2 GROUP BY 1",
        *(since, until, zone.key, GRAMS_PER_TONNE),
    )
    return {Month.of(row["month"]): row["grams"] for row in rows}


# ---------------------------------------------------------------- as sent


def unheard(one: MonthInventory) -> frozenset[str]:
    """Feeds of which nothing is known: their figures are missing, not zero."""
    return frozenset(feed.feed for feed in one.completeness if feed.known_frac == 0)


FEED_OF = {
    "fuel_g": "fuel",
    "grid_location_g": "grid_import",
    "grid_market_g": "grid_import",
    "grid_import_kwh": "grid_import",
    "pv_used_kwh": "pv_used",
    "exported_kwh": "exported",
}


def as_told(one: MonthInventory) -> dict[str, Any]:
    """A month for JSON and papers: grams as integers, kWh and parts as text; what is not known is None.

    A figure of a feed of which nothing is known is None; one that is known in part is that part.
    """
    renewable, dark = one.renewable_frac, unheard(one)
    fed: dict[str, Any] = {name: None if feed in dark else getattr(one, name) for name, feed in FEED_OF.items()}
    return {
        "month": str(Month(one.year, one.month)),
        **{name: value if name.endswith("_g") or value is None else _text(value) for name, value in fed.items()},
        "sinks_g": one.sinks_g,
        "retired_g": one.retired_g,
        "known_gross_location_g": one.known_gross_location_g,
        "known_gross_market_g": one.known_gross_market_g,
        "gross_location_g": one.gross_location_g,
        "gross_market_g": one.gross_market_g,
        "known_net_location_g": one.known_net_location_g,
        "known_net_market_g": one.known_net_market_g,
        "net_location_g": one.net_location_g,
        "net_market_g": one.net_market_g,
        "green_kwh": _text(one.green_kwh),
        "green_kwh_unused": _text(one.green_kwh_unused),
        "renewable_frac": None if renewable is None else _text(renewable),
        "completeness": {feed.feed: _text(feed.known_frac) for feed in one.completeness},
        "missing": list(one.missing),
        "factor_version": one.factor_version,
        "factor_ids": list(one.factor_ids),
    }


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
