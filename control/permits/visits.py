"""Visits: owns matching entries with exits into visits, whatever order the events come in, and what each one lacks.

The result is a function of the set of passages and of `now`: a late, repeated or corrected event gives the same visits
as if it had been there at once. Order is that of the hybrid logical clock, never of wall time. Emission is computed
elsewhere from `VisitFigures`; which gates saw the passages is `passages`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from control.domain.passages import Direction
from control.permits import rules as keys
from control.permits.passages import Passage
from control.permits.rules import PermitRules


class VisitState(StrEnum):
    """How far a visit has come. In `exit_unknown` nobody saw it leave, and it is taken as over."""

    INSIDE = "inside"
    COMPLETE = "complete"
    EXIT_UNKNOWN = "exit_unknown"
    ENTRY_UNKNOWN = "entry_unknown"


class VisitFlag(StrEnum):
    """What a person should know of a visit."""

    OTHER_GATE_OUT = "other_gate_out"
    CLONE = "clone"
    TAILGATED_IN = "tailgated_in"
    TAILGATED_OUT = "tailgated_out"
    ENTERED_AGAIN = "entered_again"
    STAYED_TOO_LONG = "stayed_too_long"
    CLOCKS_DISAGREE = "clocks_disagree"


@dataclass(frozen=True, slots=True)
class VisitLimits:
    """When a visit without an exit is closed, and the least time that a vehicle needs from one gate to another."""

    open_max: timedelta
    crossing_least: timedelta

    @classmethod
    def of(cls, rules: PermitRules) -> VisitLimits:
        """The limits of a day."""
        return cls(rules.term(keys.VISIT_OPEN_MAX), rules.term(keys.CROSSING_LEAST))


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit. `visit_id` is the arrival of its entry (of its exit, where no entry is known) and stays its name.

    A visit is revised, never replaced: when a late exit turns up, the same id becomes `complete`.
    """

    visit_id: str
    plate: str
    state: VisitState
    entry: Passage | None
    exit: Passage | None
    flags: frozenset[VisitFlag] = frozenset()

    @property
    def permit_id(self) -> str | None:
        """The permit under which it came in."""
        return None if self.entry is None else self.entry.permit_id

    @property
    def stay_min(self) -> Fraction | None:
        """Minutes from entry to exit by the gates' wall clocks; None where one is unknown or they contradict."""
        if self.entry is None or self.exit is None or self.exit.at <= self.entry.at:
            return None
        return Fraction((self.exit.at - self.entry.at) // timedelta(milliseconds=1), 60_000)

    @property
    def is_over(self) -> bool:
        """Whether its emission can be computed."""
        return self.state is not VisitState.INSIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFigures:
    """What a visit gives to the evidence of its emission; None is unknown. `standard_only`: a tier-4 estimate.

    Where entry or exit is unknown there is neither stay nor route, so that only declared figures can do better.
    """

    stay_min: Fraction | None
    gate_in: str | None
    gate_out: str | None
    standard_only: bool


def figures_of(visit: Visit) -> VisitFigures:
    """The figures of a visit that is over."""
    known = visit.state is VisitState.COMPLETE
    return VisitFigures(
        stay_min=visit.stay_min if known else None,
        gate_in=visit.entry.gate_id if visit.entry is not None and known else None,
        gate_out=visit.exit.gate_id if visit.exit is not None and known else None,
        standard_only=not known,
    )


LimitsAt = Callable[[datetime], VisitLimits]


def visits(passages: Iterable[Passage], *, now: datetime, limits: VisitLimits | LimitsAt) -> tuple[Visit, ...]:
    """Every visit of these passages, in the order in which they began; `limits` may differ by the time of the entry.

    All passages of a plate have to be among them, or those since a visit of it was last over; other plates do not
    matter, so that the cloud may do one plate at a time. Passages whose plate nobody could read make no visit.
    """
    of_plate: dict[str, list[Passage]] = {}
    for passage in _in_order(passages):
        if passage.went_through and passage.plate:
            of_plate.setdefault(passage.plate, []).append(passage)
    limits_at = (lambda _: limits) if isinstance(limits, VisitLimits) else limits
    found = [visit for rows in of_plate.values() for visit in _matched(rows, now, limits_at)]
    return tuple(sorted(found, key=_began))


def without_plate(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Passages that went through unread: a person names the plate, and they become part of a visit."""
    return tuple(one for one in _in_order(passages) if one.went_through and not one.plate)


def entries_used(found: Iterable[Visit]) -> Counter[str]:
    """How many entries each permit has been used for. Vehicles that reversed out are in no visit and count nothing."""
    return Counter(visit.permit_id for visit in found if visit.permit_id is not None)


def _in_order(passages: Iterable[Passage]) -> list[Passage]:
    """By logical clock, each arrival once: where two accounts of one arrival differ, the later one holds."""
    latest: dict[str, Passage] = {}
    for passage in passages:
        known = latest.get(passage.arrival_id)
        if known is None or passage.sort_key > known.sort_key:
            latest[passage.arrival_id] = passage
    return sorted(latest.values(), key=lambda one: one.sort_key)


def _began(visit: Visit) -> tuple[object, ...]:
    first = visit.entry or visit.exit
    assert first is not None
    return first.sort_key


def _matched(rows: Sequence[Passage], now: datetime, limits: LimitsAt) -> Iterator[Visit]:
    """Visits of one plate. Several are open at once only where two vehicles carry the plate."""
    inside: list[Visit] = []
    for passage in rows:
        if passage.direction is Direction.OUT:
            yield _left(inside, passage, limits)
            continue
        entered = _entered(passage)
        if inside and _impossible(inside[-1], passage, limits):
            inside[-1] = _flagged(inside[-1], VisitFlag.CLONE)
            inside.append(_flagged(entered, VisitFlag.CLONE))
            continue
        for earlier in inside:
            yield _exit_unknown(earlier, VisitFlag.ENTERED_AGAIN)
        inside = [entered]
    for visit in inside:
        assert visit.entry is not None
        too_long = now - visit.entry.at > limits(visit.entry.at).open_max
        yield _exit_unknown(visit, VisitFlag.STAYED_TOO_LONG) if too_long else visit


def _entered(passage: Passage) -> Visit:
    flags = frozenset({VisitFlag.TAILGATED_IN} if passage.tailgated else ())
    return Visit(passage.arrival_id, passage.plate, VisitState.INSIDE, passage, None, flags)


def _left(inside: list[Visit], passage: Passage, limits: LimitsAt) -> Visit:
    """The longest open visit ends; it is taken from `inside`."""
    out = frozenset({VisitFlag.TAILGATED_OUT} if passage.tailgated else ())
    if not inside:
        return Visit(passage.arrival_id, passage.plate, VisitState.ENTRY_UNKNOWN, None, passage, out)
    visit = inside.pop(0)
    entry = visit.entry
    assert entry is not None
    if entry.gate_id != passage.gate_id:
        out |= {VisitFlag.OTHER_GATE_OUT}
    if passage.at <= entry.at:
        out |= {VisitFlag.CLOCKS_DISAGREE}
    if passage.at - entry.at > limits(entry.at).open_max:
        out |= {VisitFlag.STAYED_TOO_LONG}
    return replace(visit, state=VisitState.COMPLETE, exit=passage, flags=visit.flags | out)


def _impossible(earlier: Visit, passage: Passage, limits: LimitsAt) -> bool:
    """Two entries at different gates in less time than any vehicle needs: two vehicles with one plate."""
    entry = earlier.entry
    assert entry is not None
    return entry.gate_id != passage.gate_id and passage.logical_at - entry.logical_at < limits(entry.at).crossing_least


def _exit_unknown(visit: Visit, flag: VisitFlag) -> Visit:
    return replace(_flagged(visit, flag), state=VisitState.EXIT_UNKNOWN)


def _flagged(visit: Visit, flag: VisitFlag) -> Visit:
    return replace(visit, flags=visit.flags | {flag})
