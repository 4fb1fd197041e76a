"""Consents: owns what a person agreed to, in which version and language, and what follows when they withdraw it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.people.terms import NEEDED, VERSION, Consent
from cloud_sync.server.problems import Problem
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """What holds for one purpose; `outdated` when the text has changed since."""

    purpose: str
    given: bool
    version: str
    language: str
    at: datetime
    by_guardian: bool
    outdated: bool


async def held(db: Reader, user_id: str) -> tuple[ConsentRecord, ...]:
    """The newest answer to each purpose that the person was asked."""
    rows = await db.fetch(
        "SELECT DISTINCT ON (purpose) purpose, given, version, language, at, given_by <> user_id AS by_guardian"
        " FROM consents WHERE user_id = $1 ORDER BY purpose, consent_id DESC",
        account_uuid(user_id),
    )
    return tuple(ConsentRecord(**row, outdated=row["given"] and row["version"] != VERSION) for row in rows)


async def is_given(db: Reader, user_id: str, purpose: Consent) -> bool:
    """Whether the person agrees to a purpose now."""
    return any(one.given for one in await held(db, user_id) if one.purpose == purpose)


def checked(version: str, given: Iterable[Consent]) -> frozenset[Consent]:
    """What is agreed to when an account is opened. Raises Problem `consent_missing`."""
    agreed = frozenset(given)
    if version != VERSION or not agreed >= NEEDED:
        raise Problem("consent_missing", version=VERSION, needed=sorted(NEEDED))
    return agreed


async def note(
    connection: Any, user_id: UUID, *, given: Iterable[Consent], language: str, by: UUID, at: datetime
) -> None:
    """The first answers of a new account."""
    agreed = frozenset(given)
    await connection.executemany(
        "INSERT INTO consents (user_id, purpose, given, version, language, given_by, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(user_id, one.value, one in agreed, VERSION, language, by, at) for one in Consent],
    )


async def change(
    connection: Any, actor: Actor, user_id: str, purpose: Consent, *, given: bool, language: str, at: datetime
) -> None:
    """Agrees or withdraws; a withdrawn contact takes phone and e-mail with it. Raises Problem `consent_needed`."""
    if not given and purpose in NEEDED:
        raise Problem("consent_needed")
    person = account_uuid(user_id)
    await connection.execute(
        "INSERT INTO consents (user_id, purpose, given, version, language, given_by, at)"
        " VALUES ($1, $2, $3, $4, $5, $1, $6)",
        person,
        purpose.value,
        given,
        VERSION,
        language,
        at,
    )
    if purpose is Consent.CONTACT and not given:
        await connection.execute("UPDATE users SET phone = '', email = '' WHERE user_id = $1", person)
    after = {"purpose": purpose.value, "given": given, "version": VERSION}
    await write_audit(connection, at=at, actor=actor, action="consent_changed", subject=("user", user_id), after=after)
