"""Roles and what they may do: owns the access matrix. A route names a permission, never a role.

Members of the public (visitor, driver, organisation, merchant) see what is their own; staff see what their work needs.
Standing and emergency permits need two people, and an engineer, who could change the machine, decides no permit.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What an account is for. One account has one role; a person with two kinds of work has two accounts."""

    VISITOR = "visitor"
    DRIVER = "driver"
    ORGANISATION = "organisation"
    MERCHANT = "merchant"
    GUARD = "guard"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ENGINEER = "engineer"

    @property
    def is_public(self) -> bool:
        """Whether people open such an account themselves."""
        return self in PUBLIC


class Can(StrEnum):
    """One permission."""

    WATCH_GATE = "watch_gate"
    DECIDE_AT_GATE = "decide_at_gate"
    KEEP_LISTS = "keep_lists"
    EXPORT_PASSAGES = "export_passages"
    READ_AUDIT = "read_audit"
    WATCH_ENERGY = "watch_energy"
    OPERATE_ENERGY = "operate_energy"
    RUN_SYSTEM = "run_system"
    KEEP_ACCOUNTS = "keep_accounts"
    KEEP_PEOPLE = "keep_people"
    APPLY = "apply"
    READ_APPLICATIONS = "read_applications"
    REVIEW = "review"
    APPROVE = "approve"
    READ_LEDGER = "read_ledger"
    KEEP_LEDGER = "keep_ledger"
    CONFIRM_LEDGER = "confirm_ledger"
    READ_RULES = "read_rules"
    CHANGE_RULES = "change_rules"
    EARN = "earn"
    READ_POINTS = "read_points"
    KEEP_POINTS = "keep_points"
    SERVE_AT_MERCHANT = "serve_at_merchant"
    HOLD_VOUCHERS = "hold_vouchers"


PUBLIC = frozenset({Role.VISITOR, Role.DRIVER, Role.ORGANISATION, Role.MERCHANT})
STAFF = frozenset(Role) - PUBLIC

_READING = frozenset(
    {Can.WATCH_GATE, Can.WATCH_ENERGY, Can.READ_APPLICATIONS, Can.READ_LEDGER, Can.READ_RULES, Can.READ_POINTS}
)
_REVIEWING = _READING | {
    Can.DECIDE_AT_GATE,
    Can.KEEP_LISTS,
    Can.EXPORT_PASSAGES,
    Can.READ_AUDIT,
    Can.KEEP_PEOPLE,
    Can.REVIEW,
    Can.KEEP_LEDGER,
    Can.KEEP_POINTS,
}
GRANTS: Mapping[Role, frozenset[Can]] = {
    Role.VISITOR: frozenset({Can.EARN}),
    Role.DRIVER: frozenset({Can.EARN, Can.APPLY}),
    Role.ORGANISATION: frozenset({Can.APPLY, Can.HOLD_VOUCHERS}),
    Role.MERCHANT: frozenset({Can.SERVE_AT_MERCHANT}),
    Role.GUARD: frozenset({Can.WATCH_GATE, Can.DECIDE_AT_GATE, Can.WATCH_ENERGY, Can.READ_RULES}),
    Role.OPERATOR: frozenset({Can.WATCH_ENERGY, Can.OPERATE_ENERGY, Can.READ_RULES}),
    Role.REVIEWER: _REVIEWING,
    Role.APPROVER: _REVIEWING | {Can.APPROVE, Can.CONFIRM_LEDGER, Can.CHANGE_RULES},
    Role.AUDITOR: _READING | {Can.READ_AUDIT, Can.EXPORT_PASSAGES},
    Role.ENGINEER: _READING
    | {
        Can.DECIDE_AT_GATE,
        Can.KEEP_LISTS,
        Can.EXPORT_PASSAGES,
        Can.READ_AUDIT,
        Can.OPERATE_ENERGY,
        Can.RUN_SYSTEM,
        Can.KEEP_ACCOUNTS,
        Can.KEEP_PEOPLE,
    },
}
