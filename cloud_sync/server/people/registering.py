"""Opening an account: owns what visitors and drivers give and agree to, and that children come with a guardian."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from cloud_sync.server.auth import insert_user
from cloud_sync.server.passwords import check_password
from cloud_sync.server.people import consents, guardians
from cloud_sync.server.people.limits import limit
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.people.terms import Consent
from cloud_sync.server.people.tokens import TokenPair, open_family
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit

SELF_OPENED = frozenset({Role.VISITOR, Role.DRIVER})
RESERVED_PREFIXES = ("demo-", "gone-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a person gives. `born_on` is needed for a child; others may say `is_old_enough` instead."""

    username: str
    password: str
    role: Role
    consent_version: str
    consents: tuple[Consent, ...]
    name: str = ""
    language: str = "zh"
    phone: str = ""
    email: str = ""
    born_on: date | None = None
    is_old_enough: bool = False
    guardian_code: str = ""
    device: str = ""


async def register(given: Services, new: Registration, *, remote: str) -> tuple[str, TokenPair]:
    """A new account, signed in: its id and the app's first tokens. Raises Problem."""
    settings = given.config.auth
    if not settings.registration:
        raise Problem("forbidden")
    await limit(given, f"register/{remote}", settings.registrations_max, settings.registrations_window_s)
    agreed = _checked(new)
    _check_age(given, new)
    hashed = await given.passwords.hash(new.password)
    async with given.pool.acquire() as connection, connection.transaction():
        guardian = await _guardian(given, connection, new)
        user_id = await insert_user(
            connection,
            username=new.username,
            name=new.name or new.username,
            role=new.role,
            password_hash=hashed,
            at=given.clock(),
        )
        await _complete(given, connection, user_id, new, agreed, guardian, remote)
        return user_id, await open_family(given, connection, user_id, new.device)


def _checked(new: Registration) -> frozenset[Consent]:
    if new.role not in SELF_OPENED:
        raise Problem("forbidden")
    if new.username.casefold().startswith(RESERVED_PREFIXES):
        raise Problem("already_exists")
    check_password(new.username, new.password)
    return consents.checked(new.consent_version, new.consents)


def _check_age(given: Services, new: Registration) -> None:
    """Raises Problem when the age is left open."""
    if new.born_on is None and not new.is_old_enough:
        raise Problem("invalid", detail="give born_on, or say is_old_enough")
    if new.born_on is not None and new.born_on > given.today_from().date():
        raise Problem("invalid", detail="born_on lies in the future")


async def _guardian(given: Services, connection: Any, new: Registration) -> UUID | None:
    if new.guardian_code:
        return await guardians.take_code(connection, new.guardian_code, now=given.clock())
    if await guardians.is_child(given, connection, new.born_on):
        raise Problem("guardian_needed")
    return None


async def _complete(
    given: Services,
    connection: Any,
    user_id: str,
    new: Registration,
    agreed: Iterable[Consent],
    guardian: UUID | None,
    remote: str,
) -> None:
    """Personal data, consents (a guardian's for a child) and the audit row, which repeats none of the data."""
    now, person = given.clock(), account_uuid(user_id)
    may_contact = Consent.CONTACT in frozenset(agreed)
    await connection.execute(
        "UPDATE users SET phone = $2, email = $3, born_on = $4, guardian_id = $5, language = $6 WHERE user_id = $1",
        person,
        new.phone if may_contact else "",
        new.email if may_contact else "",
        new.born_on,
        guardian,
        new.language,
    )
    await consents.note(connection, person, given=agreed, language=new.language, by=guardian or person, at=now)
    await write_audit(
        connection,
        at=now,
        actor=Actor(new.username.casefold(), remote),
        action="registered",
        subject=("user", user_id),
        after={"role": new.role.value, "has_guardian": guardian is not None},
    )
