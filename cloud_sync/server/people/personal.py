"""A person's own data: owns what they see of it, what they correct themselves, and who else looked at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cloud_sync.server.people import consents, guardians
from cloud_sync.server.people.consents import ConsentRecord
from cloud_sync.server.people.guardians import Relative
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.people.terms import Consent
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import GRANTS, Can, Role
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit

CORRECTABLE = ("name", "phone", "email", "language")


@dataclass(frozen=True, slots=True)
class PersonalData:
    """An account as its owner sees it."""

    user_id: str
    username: str
    name: str
    role: str
    org_id: str | None
    org_name: str | None
    phone: str
    email: str
    born_on: date | None
    language: str
    created_at: datetime
    may: tuple[Can, ...]
    guardian: Relative | None
    wards: tuple[Relative, ...]
    consents: tuple[ConsentRecord, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at, changed or exported this person's data; staff by role, never by name."""

    audit_id: int
    at: datetime
    action: str
    by_role: str
    why: str


async def personal_data(db: Reader, user_id: str) -> PersonalData:
    """Everything about the account. Raises Problem `not_found`."""
    row = await db.fetchrow(
        "SELECT user_id::text, username, u.name, role, u.org_id, o.name AS org_name, phone, email, born_on, language,"
        " u.created_at FROM users u LEFT JOIN organisations o USING (org_id)"
        " WHERE user_id = $1 AND anonymised_at IS NULL",
        account_uuid(user_id),
    )
    if row is None:
        raise Problem("not_found")
    return PersonalData(
        **row,
        may=tuple(sorted(GRANTS[Role(row["role"])])),
        guardian=await guardians.guardian_of(db, user_id),
        wards=await guardians.wards_of(db, user_id),
        consents=await consents.held(db, user_id),
    )


async def correct(given: Services, actor: Actor, user_id: str, changes: dict[str, str]) -> None:
    """Other values for CORRECTABLE fields. The audit row names the fields and repeats no value. Raises Problem."""
    wanted = {name: value.strip() for name, value in changes.items() if name in CORRECTABLE}
    if wanted.get("name") == "":
        raise Problem("invalid", detail="name")
    person, now = account_uuid(user_id), given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        gives_contact = wanted.get("phone") or wanted.get("email")
        if gives_contact and not await consents.is_given(connection, user_id, Consent.CONTACT):
            raise Problem("consent_missing", needed=[Consent.CONTACT])
        row = await connection.fetchrow(
            "SELECT name, phone, email, language FROM users WHERE user_id = $1 FOR UPDATE", person
        )
        changed = sorted(name for name, value in wanted.items() if row[name] != value)
        if not changed:
            return
        after = dict(row) | wanted
        await connection.execute(
            "UPDATE users SET name = $2, phone = $3, email = $4, language = $5 WHERE user_id = $1",
            person,
            *(after[name] for name in CORRECTABLE),
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="personal_data_corrected",
            subject=("user", user_id),
            after={"fields": changed},
        )


async def access_log(db: Reader, user_id: str, *, before_id: int | None = None, limit: int = 50) -> tuple[Look, ...]:
    """Acts of others on this person's data, newest first.

    Looks at their applications count, and looks at anything else whose note names them as `person_id`.
    """
    rows = await db.fetch(
        "SELECT a.audit_id, a.at, a.action, coalesce(s.role, '') AS by_role, a.why FROM ("
        f" SELECT {_COLUMNS} FROM audit WHERE subject_kind = 'user' AND subject_id = $1"
        f" UNION SELECT {_COLUMNS} FROM audit WHERE after ? 'person_id' AND after ->> 'person_id' = $1"
        f" UNION SELECT {_COLUMNS} FROM audit WHERE subject_kind = 'application' AND subject_id IN"
        " (SELECT application_id FROM applications WHERE applicant_id = $1)"
        ") a LEFT JOIN users s ON s.username = a.by"
        " WHERE s.user_id IS DISTINCT FROM $2 AND ($3::bigint IS NULL OR a.audit_id < $3)"
        " ORDER BY a.audit_id DESC LIMIT $4",
        user_id,
        account_uuid(user_id),
        before_id,
        limit,
    )
    return tuple(Look(**row) for row in rows)


_COLUMNS = "audit_id, at, action, by, why"
