"""What offsets tell people: owns days to neutralisation, what is overdue, and the statement of a visit or permit.

Times of the day follow the clock of `zone`, so that a due day is the island's day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction

from control.carbon import factor_keys as keys
from control.carbon.exact import GRAMS_PER_TONNE
from control.carbon.factors import FactorSet
from control.carbon.offsets import Cover, CreditLot, Debit, OffsetError, Retirement


@dataclass(frozen=True, slots=True)
class Overdue:
    """A visit that is not covered in time. `factor_id` is the row of the due rule that held on its day."""

    visit_id: str
    open_g: int
    due_on: date
    days_late: int
    factor_id: str


@dataclass(frozen=True, slots=True)
class StatementPart:
    """Units, or a part of one unit, that cover a subject.

    `from_g` and `to_g` say which part of a single unit; whole consecutive units have 0 and one tonne.
    """

    registry: str
    project: str
    vintage: int
    serials: str
    units: int
    from_g: int
    to_g: int
    grams: int
    retired_at: datetime
    evidence: str
    cancelled_for: str


@dataclass(frozen=True, slots=True)
class OffsetStatement:
    """How far the visits of one permit, or one visit, are neutralised, and by which serials."""

    subject: str
    visit_ids: tuple[str, ...]
    owed_g: int
    covered_g: int
    parts: tuple[StatementPart, ...]
    neutralised_at: datetime | None

    @property
    def open_g(self) -> int:
        """Grams that no unit covers yet."""
        return self.owed_g - self.covered_g

    @property
    def neutralised(self) -> bool:
        """Whether something is owed and all of it is covered."""
        return self.owed_g > 0 and self.open_g == 0


def days_to_neutralisation(debits: Iterable[Debit], covers: Iterable[Cover]) -> Fraction | None:
    """Median days from exit to the cover of the last gram, over visits that are covered whole; None without any."""
    by_visit = _covers_by_visit(covers)
    days: list[Fraction] = []
    for visit in _visits(debits):
        found = by_visit.get(visit.visit_id, ())
        if found and sum(cover.grams for cover in found) >= visit.grams:
            days.append(_days(max(cover.at for cover in found) - visit.at))
    if not days:
        return None
    days.sort()
    middle = len(days) // 2
    return days[middle] if len(days) % 2 else (days[middle - 1] + days[middle]) / 2


def overdue(
    debits: Iterable[Debit], covers: Iterable[Cover], *, today: date, zone: tzinfo, factors: FactorSet
) -> tuple[Overdue, ...]:
    """Visits with open grams after their due day, the longest overdue first; the row of each visit's day says when.

    `debits` are whole visits, not what a matching left open of them. Raises MissingFactor.
    """
    by_visit = _covers_by_visit(covers)
    late: list[Overdue] = []
    for visit in _visits(debits):
        open_g = visit.grams - sum(cover.grams for cover in by_visit.get(visit.visit_id, ()))
        if open_g <= 0:
            continue
        due_on, factor_id = due_day(visit, zone=zone, factors=factors)
        if today > due_on:
            late.append(Overdue(visit.visit_id, open_g, due_on, (today - due_on).days, factor_id))
    return tuple(sorted(late, key=lambda one: (one.due_on, one.visit_id)))


def due_day(debit: Debit, *, zone: tzinfo, factors: FactorSet) -> tuple[date, str]:
    """The last day on which a visit is neutralised in time, and the row that says so. Raises MissingFactor."""
    day = debit.at.astimezone(zone).date()
    rows = factors.at(day)
    return day + timedelta(days=int(rows.number(keys.OFFSET_DUE))), rows.row(keys.OFFSET_DUE).factor_id


def statement(
    subject: str,
    debits: Iterable[Debit],
    covers: Iterable[Cover],
    *,
    lots: Mapping[str, CreditLot],
    retirements: Mapping[str, Retirement],
) -> OffsetStatement:
    """The statement over `debits`, which are those of one visit or of all visits of one permit.

    Raises OffsetError when a cover names a lot or a retirement that is not given.
    """
    owed = sorted(debits, key=lambda debit: (debit.at, debit.visit_id))
    visits = tuple(dict.fromkeys(debit.visit_id for debit in owed))
    of_subject = [cover for cover in covers if cover.visit_id in set(visits)]
    owed_g, covered_g = sum(debit.grams for debit in owed), sum(cover.grams for cover in of_subject)
    whole = owed_g > 0 and covered_g == owed_g
    return OffsetStatement(
        subject=subject,
        visit_ids=visits,
        owed_g=owed_g,
        covered_g=covered_g,
        parts=_parts(of_subject, lots, retirements),
        neutralised_at=max(cover.at for cover in of_subject) if whole else None,
    )


@dataclass(slots=True)
class _Stretch:
    """Units of one retirement that follow each other: parts of one unit, or whole ones."""

    retirement_id: str
    lot_id: str
    first_serial: int
    last_serial: int
    from_g: int
    to_g: int

    @property
    def whole(self) -> bool:
        return self.from_g == 0 and self.to_g == GRAMS_PER_TONNE

    def takes(self, other: _Stretch) -> bool:
        """Joins what follows directly: the next grams of the same unit, or the next whole units."""
        if (self.retirement_id, self.lot_id) != (other.retirement_id, other.lot_id):
            return False
        if self.last_serial == other.first_serial and self.to_g == other.from_g:
            self.to_g = other.to_g
            return True
        if self.whole and other.whole and self.last_serial + 1 == other.first_serial:
            self.last_serial = other.last_serial
            return True
        return False


def _parts(
    covers: Iterable[Cover], lots: Mapping[str, CreditLot], retirements: Mapping[str, Retirement]
) -> tuple[StatementPart, ...]:
    by_unit: list[_Stretch] = []
    for cover in covers:
        stretch = _Stretch(cover.retirement_id, cover.lot_id, cover.serial, cover.serial, cover.from_g, cover.to_g)
        if not (by_unit and by_unit[-1].first_serial == cover.serial and by_unit[-1].takes(stretch)):
            by_unit.append(stretch)
    joined: list[_Stretch] = []
    for stretch in by_unit:
        if not (joined and joined[-1].takes(stretch)):
            joined.append(stretch)
    return tuple(_part(stretch, lots, retirements) for stretch in joined)


def _part(stretch: _Stretch, lots: Mapping[str, CreditLot], retirements: Mapping[str, Retirement]) -> StatementPart:
    lot, retirement = lots.get(stretch.lot_id), retirements.get(stretch.retirement_id)
    if lot is None or retirement is None:
        missing = f"lot {stretch.lot_id}" if lot is None else f"retirement {stretch.retirement_id}"
        raise OffsetError(f"A statement needs {missing}, which was not given.")
    units = stretch.last_serial - stretch.first_serial + 1
    return StatementPart(
        registry=lot.registry,
        project=lot.project,
        vintage=lot.vintage,
        serials=lot.serial_text(stretch.first_serial, stretch.last_serial),
        units=units,
        from_g=stretch.from_g,
        to_g=stretch.to_g,
        grams=(stretch.to_g - stretch.from_g) * units,
        retired_at=retirement.retired_at,
        evidence=retirement.evidence,
        cancelled_for=retirement.cancelled_for,
    )


def _covers_by_visit(covers: Iterable[Cover]) -> dict[str, list[Cover]]:
    by_visit: dict[str, list[Cover]] = {}
    for cover in covers:
        by_visit.setdefault(cover.visit_id, []).append(cover)
    return by_visit


def _visits(debits: Iterable[Debit]) -> list[Debit]:
    """One debit a visit: all its grams, from its first debit on."""
    visits: dict[str, Debit] = {}
    for debit in debits:
        known = visits.get(debit.visit_id)
        grams, at = (debit.grams, debit.at) if known is None else (known.grams + debit.grams, min(known.at, debit.at))
        visits[debit.visit_id] = Debit(debit.visit_id, at, grams)
    return list(visits.values())


def _days(span: timedelta) -> Fraction:
    microsecond = timedelta(microseconds=1)
    return Fraction(span // microsecond, timedelta(days=1) // microsecond)
