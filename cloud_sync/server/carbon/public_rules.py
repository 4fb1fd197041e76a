"""The rules of permits and points that everybody may read: owns which keys are published, and their rows of a day.

What would help somebody to cheat (how many codes may fail, which speeds are looked at) is not among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from control.carbon.exact import to_decimal
from control.domain.permits import PermitClass
from control.permits import rules as permits
from control.permits.rules import PermitRules
from control.points import rules as points
from control.points.rules import PointRules

_PERMIT_KEYS = (
    *(permits.window_key(one) for one in PermitClass),
    *(permits.ahead_key(one) for one in PermitClass),
    permits.APPLY_AHEAD_MAX,
    permits.ENTRIES_MAX,
    *(permits.papers_key(one) for one in PermitClass),
    *(permits.approvals_key(one) for one in PermitClass),
    permits.REVIEW_TERM,
    permits.RESUBMIT_TERM,
    permits.APPEAL_TERM,
    permits.APPEAL_REVIEW_TERM,
    permits.EMERGENCY_COMPLETION,
    permits.BLOCK_WHILE_OFFSET_OVERDUE,
    permits.DATA_REQUEST_TERM,
)
_POINT_KEYS = (
    points.GRAMS_PER_POINT,
    points.CAP_DAY,
    points.VALIDITY,
    points.RETURN_GRACE,
    points.NEW_ACCOUNT_HOLD,
    points.GUARDIAN_AGE,
    points.APPEAL_WINDOW,
)


@dataclass(frozen=True, slots=True)
class PublicRule:
    """One rule in force: one value, or the names of a list. `unit` as the rule books write it."""

    key: str
    values: tuple[str, ...]
    unit: str
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class PublicRules:
    """The published rules of a day, with the version of each book."""

    day: date
    permits_version: str
    permits: tuple[PublicRule, ...]
    points_version: str
    points: tuple[PublicRule, ...]


def public_rules(permit: PermitRules, point: PointRules) -> PublicRules:
    """The published rows of both books, those of one day."""
    return PublicRules(
        day=permit.day,
        permits_version=permit.version,
        permits=tuple(
            PublicRule(row.key, _values(row.value), row.unit, row.valid_from, row.source)
            for row in (permit.rows[key] for key in _PERMIT_KEYS)
        ),
        points_version=point.version,
        points=tuple(
            PublicRule(row.key, (str(row.value),), row.unit, row.valid_from, row.source)
            for row in (point.rows[key] for key in _POINT_KEYS)
        ),
    )


def _values(value: Fraction | bool | Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (str(value).lower(),)
    if isinstance(value, Fraction):
        return (format(to_decimal(value, 6).normalize(), "f"),)
    return tuple(value)
