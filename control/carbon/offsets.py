"""Offsets: owns credit lots, which units may be retired, and how retired tonnes cover visits, first in, first out.

Credits are retired in whole tonnes and visits owe kilograms, so a retired unit is used in parts: what is left of it is
the pooled balance, which is always visible and covers the next visit. A unit is named by registry and serial number
and is used once. Everything here is a value or a function of values; `ledger` keeps the grams.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise

from control.carbon.exact import GRAMS_PER_TONNE
from control.domain.errors import IslandError


class OffsetError(IslandError):
    """Credits that cannot be bought or retired as asked."""


class UnitUsedTwice(OffsetError):
    """A serial number of a registry would stand twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLot:
    """Credits of one project and vintage with consecutive serial numbers, one tonne each, bought on one day.

    `serial_prefix` is what precedes the number in the registry; `evidence` is the content hash or the reference of the
    purchase.
    """

    lot_id: str
    registry: str
    project: str
    vintage: int
    serial_prefix: str
    first_serial: int
    last_serial: int
    bought_on: date
    evidence: str

    @property
    def tonnes(self) -> int:
        """How many units the lot has."""
        return self.last_serial - self.first_serial + 1

    def serial_text(self, first: int, last: int) -> str:
        """Serial numbers as the registry writes them."""
        start = f"{self.serial_prefix}{first}"
        return start if first == last else f"{start} – {self.serial_prefix}{last}"


@dataclass(frozen=True, slots=True, order=True)
class Units:
    """Consecutive units of a lot, both ends included."""

    lot_id: str
    first_serial: int
    last_serial: int

    @property
    def tonnes(self) -> int:
        """How many units."""
        return self.last_serial - self.first_serial + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """Units cancelled in their registry. `evidence` is the registry's proof, `cancelled_for` the text given there."""

    retirement_id: str
    units: Units
    retired_at: datetime
    evidence: str
    cancelled_for: str


@dataclass(frozen=True, slots=True)
class Debit:
    """What one visit owes, grams, from the time of its exit."""

    visit_id: str
    at: datetime
    grams: int


@dataclass(frozen=True, slots=True)
class PartUnit:
    """The stretch `from_g` to `to_g` of one retired unit that covers nothing: all of it when new, pooled when begun."""

    retirement_id: str
    lot_id: str
    serial: int
    retired_at: datetime
    from_g: int = 0
    to_g: int = GRAMS_PER_TONNE

    @property
    def free_g(self) -> int:
        """Grams that cover nothing yet."""
        return self.to_g - self.from_g


@dataclass(frozen=True, slots=True)
class Cover:
    """A visit's grams covered by the stretch `from_g` to `to_g` of one unit. `at`: since when both were there."""

    visit_id: str
    retirement_id: str
    lot_id: str
    serial: int
    from_g: int
    to_g: int
    at: datetime

    @property
    def grams(self) -> int:
        """How much is covered."""
        return self.to_g - self.from_g


@dataclass(frozen=True, slots=True)
class Matching:
    """Covers in order, what visits still owe, and the units that are not used up: the pooled balance."""

    covers: tuple[Cover, ...]
    open_debits: tuple[Debit, ...]
    pooled: tuple[PartUnit, ...]

    @property
    def open_g(self) -> int:
        """Owed and not covered."""
        return sum(debit.grams for debit in self.open_debits)

    @property
    def pooled_g(self) -> int:
        """Retired and not used."""
        return sum(unit.free_g for unit in self.pooled)


def check_lots(lots: Iterable[CreditLot]) -> dict[str, CreditLot]:
    """The lots by id. Raises OffsetError for an empty range or missing words, UnitUsedTwice for overlapping serials."""
    by_id: dict[str, CreditLot] = {}
    by_series: dict[tuple[str, str], list[CreditLot]] = {}
    for lot in lots:
        if lot.lot_id in by_id:
            raise OffsetError(f"Lot {lot.lot_id} is there twice; a new purchase needs a new id.")
        if lot.first_serial < 0 or lot.tonnes < 1:
            raise OffsetError(f"Lot {lot.lot_id}: serials {lot.first_serial} to {lot.last_serial} hold no unit.")
        if not all(text.strip() for text in (lot.lot_id, lot.registry, lot.project, lot.evidence)):
            raise OffsetError("A lot needs an id, a registry, a project and evidence of its purchase.")
        by_id[lot.lot_id] = lot
        by_series.setdefault((lot.registry, lot.serial_prefix), []).append(lot)
    for series in by_series.values():
        series.sort(key=lambda lot: lot.first_serial)
        for earlier, later in pairwise(series):
            if later.first_serial <= earlier.last_serial:
                raise UnitUsedTwice(
                    f"Lots {earlier.lot_id} and {later.lot_id} both hold serial"
                    f" {later.serial_text(later.first_serial, later.first_serial)} of {later.registry}."
                )
    return by_id


def check_retirements(lots: Iterable[CreditLot], retirements: Iterable[Retirement]) -> None:
    """Raises OffsetError for units that no lot holds or a missing proof, UnitUsedTwice for a unit retired before."""
    by_id = check_lots(lots)
    seen: dict[str, list[Units]] = {}
    ids: set[str] = set()
    for retirement in retirements:
        units, lot = retirement.units, by_id.get(retirement.units.lot_id)
        if retirement.retirement_id in ids:
            raise OffsetError(f"Retirement {retirement.retirement_id} is there twice; a new one needs a new id.")
        ids.add(retirement.retirement_id)
        if not (retirement.evidence.strip() and retirement.cancelled_for.strip()):
            raise OffsetError(f"Retirement {retirement.retirement_id} needs the registry's proof and its purpose.")
        if lot is None or not lot.first_serial <= units.first_serial <= units.last_serial <= lot.last_serial:
            raise OffsetError(
                f"Retirement {retirement.retirement_id}: lot {units.lot_id} does not hold the serials"
                f" {units.first_serial} to {units.last_serial}."
            )
        seen.setdefault(units.lot_id, []).append(units)
    for of_lot in seen.values():
        for earlier, later in pairwise(sorted(of_lot)):
            if later.first_serial <= earlier.last_serial:
                raise UnitUsedTwice(f"Serial {later.first_serial} of lot {later.lot_id} would be retired twice.")


def tonnes_needed(open_g: int, pooled_g: int = 0) -> int:
    """Whole tonnes to retire so that everything open is covered."""
    return max(0, -(-(open_g - pooled_g) // GRAMS_PER_TONNE))


def next_units(lots: Iterable[CreditLot], retired: Iterable[Units], tonnes: int) -> tuple[Units, ...]:
    """The units to cancel next: oldest purchase first, lowest serial first, none that is retired.

    Raises OffsetError when the lots do not hold as many.
    """
    if tonnes < 0:
        raise OffsetError(f"{tonnes} t cannot be retired; give a whole number of tonnes, 0 or more.")
    by_id = check_lots(lots)
    used: dict[str, list[Units]] = {}
    for units in retired:
        used.setdefault(units.lot_id, []).append(units)
    chosen: list[Units] = []
    left = tonnes
    for lot in sorted(by_id.values(), key=lambda lot: (lot.bought_on, lot.vintage, lot.lot_id)):
        for free in free_units(lot, used.get(lot.lot_id, ())):
            if left == 0:
                break
            taken = min(left, free.tonnes)
            chosen.append(replace(free, last_serial=free.first_serial + taken - 1))
            left -= taken
    if left:
        raise OffsetError(f"{left} t of {tonnes} t are not there to retire; buy credits first.")
    return tuple(chosen)


def free_units(lot: CreditLot, used: Iterable[Units]) -> Iterator[Units]:
    """What is left of a lot beside the units of it that are used, lowest serials first."""
    start = lot.first_serial
    for units in sorted(used):
        if units.first_serial > start:
            yield Units(lot.lot_id, start, units.first_serial - 1)
        start = max(start, units.last_serial + 1)
    if start <= lot.last_serial:
        yield Units(lot.lot_id, start, lot.last_serial)


def units_of(retirements: Iterable[Retirement]) -> Iterator[PartUnit]:
    """Every unit of the retirements, unused, in the order in which they are used up."""
    ordered = sorted(retirements, key=lambda one: (one.retired_at, one.retirement_id))
    for retirement in ordered:
        units = retirement.units
        for serial in range(units.first_serial, units.last_serial + 1):
            yield PartUnit(retirement.retirement_id, units.lot_id, serial, retirement.retired_at)


def match(debits: Iterable[Debit], units: Iterable[PartUnit]) -> Matching:
    """Covers the oldest debit by the oldest unit, gram by gram, until either side is used up.

    Incremental: `open_debits` and `pooled` of one matching, with what came since appended, give the next. `units` are
    used in the order given; debits go by time, then by visit. A debit may be a part of a visit that is open still.
    """
    free = deque(unit for unit in units if unit.free_g > 0)
    covers: list[Cover] = []
    still_open: list[Debit] = []
    for debit in sorted(debits, key=lambda one: (one.at, one.visit_id)):
        left = debit.grams
        while left > 0 and free:
            unit = free.popleft()
            taken = min(left, unit.free_g)
            rest = replace(unit, from_g=unit.from_g + taken)
            at = max(debit.at, unit.retired_at)
            covers.append(
                Cover(debit.visit_id, unit.retirement_id, unit.lot_id, unit.serial, unit.from_g, rest.from_g, at)
            )
            left -= taken
            if rest.free_g:
                free.appendleft(rest)
        if left > 0:
            still_open.append(replace(debit, grams=left))
    return Matching(tuple(covers), tuple(still_open), tuple(free))


def freed(cover: Cover, retirement: Retirement) -> PartUnit:
    """The stretch that a cover held, free again after its settlement was reversed; it goes before newer units."""
    return PartUnit(cover.retirement_id, cover.lot_id, cover.serial, retirement.retired_at, cover.from_g, cover.to_g)


def used_twice(covers: Iterable[Cover]) -> tuple[Cover, Cover] | None:
    """The first two covers that use the same gram of the same unit, or None."""
    ordered = sorted(covers, key=lambda cover: (cover.lot_id, cover.serial, cover.from_g, cover.to_g))
    for earlier, later in pairwise(ordered):
        same = (earlier.lot_id, earlier.serial) == (later.lot_id, later.serial)
        if same and later.from_g < earlier.to_g:
            return earlier, later
    return None


def closure_rate(debits: Iterable[Debit], covers: Iterable[Cover]) -> Fraction | None:
    """Covered over owed grams of the same visits (管理办法 art. 25), or None where nothing was owed."""
    owed = _grams_by_visit(debits)
    total = sum(owed.values())
    covered = sum(cover.grams for cover in covers if cover.visit_id in owed)
    return Fraction(covered, total) if total else None


def _grams_by_visit(debits: Iterable[Debit]) -> Mapping[str, int]:
    grams: dict[str, int] = {}
    for debit in debits:
        grams[debit.visit_id] = grams.get(debit.visit_id, 0) + debit.grams
    return grams
