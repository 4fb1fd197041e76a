"""The zone's greenhouse-gas inventory by month: owns gross, net, and what may be said when a feed has gaps.

Missing is never zero: a month with a gap has the known part and no net. Electricity of the grid is counted twice over,
side by side: by place (the province's factor) and by contract (certified green power as zero).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from control.carbon import factor_keys as keys
from control.carbon.exact import GRAMS_PER_KG, InexactNumber, Number, exact, half_up, to_decimal
from control.carbon.factor_keys import GridArea
from control.carbon.factors import FactorSet
from control.domain.errors import IslandError


class BadFeed(IslandError):
    """A feed whose figures cannot be meant: not finite, negative, or known for more than the whole month."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Energy of a month: `kwh` in the intervals that are known, `known_frac` of the intervals that were expected."""

    kwh: Number
    known_frac: Number


@dataclass(frozen=True, slots=True)
class GramFeed:
    """Greenhouse gas of a month, whole grams: what is known, and which part of what was expected is known."""

    grams: int
    known_frac: Number


NO_FEED = Feed(0, 0)


@dataclass(frozen=True, slots=True)
class GreenPower:
    """Certified green power of a month: kWh of one contract or certificate, with its evidence."""

    kwh: Number
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthGiven:
    """What one month is made of.

    `fuel` is what visits emitted, `sinks` what plants took up; `retired_g` are offset units cancelled in the month and
    `pooled_g` the part of all retired units that covers no visit yet at its end.
    """

    year: int
    month: int
    fuel: GramFeed
    grid_import: Feed
    pv_used: Feed
    exported: Feed
    sinks: GramFeed = field(default=GramFeed(0, 1))
    green: tuple[GreenPower, ...] = ()
    retired_g: int = 0
    pooled_g: int = 0


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of a feed is known, 0 to 1."""

    feed: str
    known_frac: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthInventory:
    """One month, grams CO2e and kWh. `known_*` hold what is known; `gross_*` and `net_*` are None with a gap.

    `location` takes the newest provincial factor announced by the month's end; `market` counts certified green power
    as zero and the rest like `location`. PV used on the island is zero. Export lowers nothing: own reductions are no
    offsets. `green_kwh_unused` was certified beyond what was imported and counts for nothing.
    """

    year: int
    month: int
    fuel_g: int
    grid_location_g: int
    grid_market_g: int
    sinks_g: int
    retired_g: int
    pooled_g: int
    grid_import_kwh: Decimal
    pv_used_kwh: Decimal
    exported_kwh: Decimal
    green_kwh: Decimal
    green_kwh_unused: Decimal
    completeness: tuple[Completeness, ...]
    factor_version: str
    factor_ids: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Feeds with gaps."""
        return tuple(one.feed for one in self.completeness if one.known_frac < 1)

    @property
    def known_gross_location_g(self) -> int:
        """Emission of what is known, by place."""
        return self.fuel_g + self.grid_location_g

    @property
    def known_gross_market_g(self) -> int:
        """Emission of what is known, by contract."""
        return self.fuel_g + self.grid_market_g

    @property
    def gross_location_g(self) -> int | None:
        """Emission by place; None unless fuel and grid are known whole."""
        return None if _EMITTING & set(self.missing) else self.known_gross_location_g

    @property
    def gross_market_g(self) -> int | None:
        """Emission by contract; None unless fuel and grid are known whole."""
        return None if _EMITTING & set(self.missing) else self.known_gross_market_g

    @property
    def known_net_location_g(self) -> int:
        """Known part of the net, by place."""
        return self.known_gross_location_g - self.sinks_g - self.retired_g

    @property
    def known_net_market_g(self) -> int:
        """Known part of the net, by contract."""
        return self.known_gross_market_g - self.sinks_g - self.retired_g

    @property
    def net_location_g(self) -> int | None:
        """Gross less sinks less retired offsets (管理办法 art. 34(1)), by place; None with any gap."""
        return None if self.missing else self.known_net_location_g

    @property
    def net_market_g(self) -> int | None:
        """Gross less sinks less retired offsets, by contract; None with any gap."""
        return None if self.missing else self.known_net_market_g

    @property
    def renewable_frac(self) -> Decimal | None:
        """PV used and certified green power in parts of all electricity used; None with a gap or without use."""
        used = self.pv_used_kwh + self.grid_import_kwh
        if used == 0 or _ELECTRIC & set(self.missing):
            return None
        return to_decimal(Fraction(self.pv_used_kwh + self.green_kwh) / Fraction(used), _FRAC_PLACES)


_EMITTING = frozenset({"fuel", "grid_import"})
_ELECTRIC = frozenset({"grid_import", "pv_used"})
_KWH_PLACES = 3
_FRAC_PLACES = 6


def month_inventory(given: MonthGiven, factors: FactorSet) -> MonthInventory:
    """The inventory of one month with the rows of its last day.

    Grams of the grid are rounded half up once for each column. Raises BadFeed naming the feed, and MissingFactor.
    """
    rows = factors.at(date(given.year, given.month, monthrange(given.year, given.month)[1]))
    area = rows.row(keys.GRID_AREA)
    factor = rows.row(keys.grid_key(GridArea(rows.choice(keys.GRID_AREA))))
    grams_per_kwh = rows.number(factor.key) * GRAMS_PER_KG
    imported = _figure(given.grid_import.kwh, "grid_import")
    certified = sum((_certified(one) for one in given.green), Fraction(0))
    green = min(certified, imported)
    for name, grams in (("fuel", given.fuel.grams), ("sinks", given.sinks.grams), ("retired", given.retired_g)):
        _figure(grams, name)
    return MonthInventory(
        year=given.year,
        month=given.month,
        fuel_g=given.fuel.grams,
        grid_location_g=half_up(imported * grams_per_kwh),
        grid_market_g=half_up((imported - green) * grams_per_kwh),
        sinks_g=given.sinks.grams,
        retired_g=given.retired_g,
        pooled_g=given.pooled_g,
        grid_import_kwh=to_decimal(imported, _KWH_PLACES),
        pv_used_kwh=to_decimal(_figure(given.pv_used.kwh, "pv_used"), _KWH_PLACES),
        exported_kwh=to_decimal(_figure(given.exported.kwh, "exported"), _KWH_PLACES),
        green_kwh=to_decimal(green, _KWH_PLACES),
        green_kwh_unused=to_decimal(certified - green, _KWH_PLACES),
        completeness=_completeness(given),
        factor_version=rows.version,
        factor_ids=(area.factor_id, factor.factor_id),
    )


@dataclass(frozen=True, slots=True)
class PeriodTotal:
    """Several months together: nets are None when one of them has a gap; `incomplete` names those (year, month)."""

    known_net_location_g: int
    known_net_market_g: int
    net_location_g: int | None
    net_market_g: int | None
    incomplete: tuple[tuple[int, int], ...]


def period_total(months: Sequence[MonthInventory]) -> PeriodTotal:
    """The sum of months, such as a year's. Raises BadFeed when a month is there twice or none is."""
    named = [(one.year, one.month) for one in months]
    if not named or len(set(named)) < len(named):
        raise BadFeed("A period has one month or more, and each once.")
    return PeriodTotal(
        sum(one.known_net_location_g for one in months),
        sum(one.known_net_market_g for one in months),
        _whole(one.net_location_g for one in months),
        _whole(one.net_market_g for one in months),
        tuple((one.year, one.month) for one in months if one.missing),
    )


def _whole(nets: Iterable[int | None]) -> int | None:
    total = 0
    for net in nets:
        if net is None:
            return None
        total += net
    return total


def _completeness(given: MonthGiven) -> tuple[Completeness, ...]:
    feeds: tuple[tuple[str, Feed | GramFeed], ...] = (
        ("fuel", given.fuel),
        ("grid_import", given.grid_import),
        ("pv_used", given.pv_used),
        ("exported", given.exported),
        ("sinks", given.sinks),
    )
    return tuple(Completeness(name, _known(feed.known_frac, name)) for name, feed in feeds)


def _known(known_frac: Number, name: str) -> Decimal:
    """For reading; a gap, however small, stays below one."""
    known = _figure(known_frac, name)
    if known > 1:
        raise BadFeed(f"{name}: {float(known):g} of the month cannot be known; give a part from 0 to 1.")
    shown = to_decimal(known, _FRAC_PLACES)
    return shown if known == 1 or shown < 1 else Decimal(1) - Decimal(10) ** -_FRAC_PLACES


def _certified(green: GreenPower) -> Fraction:
    if not green.evidence.strip():
        raise BadFeed("green: power counts as green only with a contract or certificate; name its evidence.")
    return _figure(green.kwh, "green")


def _figure(value: Number, name: str) -> Fraction:
    try:
        figure = exact(value)
    except InexactNumber as error:
        raise BadFeed(f"{name}: {error}") from error
    if figure < 0:
        raise BadFeed(f"{name}: {float(figure):g} is negative; a feed gives what flowed, without sign.")
    return figure
