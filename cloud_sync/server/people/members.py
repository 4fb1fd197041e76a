"""People and organisations as other parts need them: owns reading a person for points, names, and organisations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import GRANTS, Can
from cloud_sync.server.sql import Reader
from control.points.earning_types import Person

ADULT_YEARS = 18


class OrganisationKind(StrEnum):
    """Who applies for permits and holds vouchers, or who sells and confirms."""

    APPLICANT = "applicant"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation; `member_count` counts accounts that are switched on."""

    org_id: str
    kind: str
    name: str
    name_en: str
    enabled: bool
    created_at: datetime
    member_count: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One account of an organisation."""

    user_id: str
    username: str
    name: str
    role: str
    enabled: bool


def account_uuid(text: str) -> UUID:
    """The id of an account as the store compares it. Raises Problem `not_found` for what is no such id."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Problem("not_found") from error


async def points_person(db: Reader, user_id: str) -> Person:
    """A person as the points' judge sees them. Raises Problem `not_found`."""
    row = await db.fetchrow(
        "SELECT user_id::text, created_at, born_on, guardian_id::text, org_id, ARRAY(SELECT guardian_id::text"
        " FROM guardianships WHERE ward_id = $1 UNION SELECT ward_id::text FROM guardianships WHERE guardian_id = $1)"
        " AS relatives FROM users WHERE user_id = $1",
        account_uuid(user_id),
    )
    if row is None:
        raise Problem("not_found")
    return Person(
        person_id=row["user_id"],
        opened_at=row["created_at"],
        born_on=row["born_on"],
        guardian_id=row["guardian_id"],
        works_for=frozenset({row["org_id"]} if row["org_id"] else ()),
        relatives=frozenset(row["relatives"]),
    )


async def names(db: Reader, ids: Iterable[str]) -> dict[str, str]:
    """The names of accounts by id; an account that was made anonymous has none and is left out."""
    rows = await db.fetch(
        "SELECT user_id::text, name FROM users WHERE user_id = ANY($1::uuid[]) AND anonymised_at IS NULL",
        [account_uuid(one) for one in ids],
    )
    return {row["user_id"]: row["name"] for row in rows}


async def somebody_else_who(db: Reader, can: Can, *, but: str) -> str:
    """The name of somebody else than the account `but` who may do something; empty where there is nobody."""
    roles = [role.value for role, granted in GRANTS.items() if can in granted]
    found: str | None = await db.fetchval(
        "SELECT name FROM users WHERE role = ANY($1::text[]) AND enabled AND username <> $2 ORDER BY username LIMIT 1",
        roles,
        but,
    )
    return found or ""


async def organisation(db: Reader, org_id: str) -> Organisation | None:
    """One organisation, switched on or off."""
    row = await db.fetchrow(f"{_ORGANISATIONS} WHERE org_id = $1", org_id)
    return _organisation(row) if row else None


async def organisations(db: Reader, *, kind: OrganisationKind | None = None) -> tuple[Organisation, ...]:
    """All organisations by name."""
    rows = await db.fetch(
        f"{_ORGANISATIONS} WHERE $1::text IS NULL OR kind = $1 ORDER BY name, org_id", kind.value if kind else None
    )
    return tuple(_organisation(row) for row in rows)


_ORGANISATIONS = (
    "SELECT org_id, kind, name, name_en, enabled, created_at,"
    " (SELECT count(*) FROM users u WHERE u.org_id = o.org_id AND u.enabled) AS member_count FROM organisations o"
)


def _organisation(row: Any) -> Organisation:
    return Organisation(**row)


async def members(db: Reader, org_id: str) -> tuple[Member, ...]:
    """The accounts of an organisation by sign-in name."""
    rows = await db.fetch(
        "SELECT user_id::text, username, name, role, enabled FROM users WHERE org_id = $1 ORDER BY username", org_id
    )
    return tuple(Member(**row) for row in rows)


def age_years(born_on: date, today: date) -> int:
    """Whole years, on a day."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))
