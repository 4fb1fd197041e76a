"""Organisations: owns how the office makes, renames and switches them off, and which accounts belong to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uuid_utils

from cloud_sync.server.people.members import Organisation, OrganisationKind, account_uuid, organisation
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit

# Drivers apply in their firm's name; a merchant's own staff may hold visitors' accounts and earn nothing there.
MEMBERS = {
    OrganisationKind.APPLICANT: frozenset({Role.ORGANISATION, Role.DRIVER}),
    OrganisationKind.MERCHANT: frozenset({Role.MERCHANT, Role.VISITOR}),
}


async def add(given: Services, actor: Actor, *, kind: OrganisationKind, name: str, name_en: str = "") -> Organisation:
    """A new organisation. Raises Problem."""
    if not name.strip():
        raise Problem("invalid", detail="name")
    org_id, now = str(uuid_utils.uuid7()), given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO organisations (org_id, kind, name, name_en, created_at) VALUES ($1, $2, $3, $4, $5)",
            org_id,
            kind.value,
            name.strip(),
            name_en.strip(),
            now,
        )
        after = {"kind": kind.value, "name": name.strip(), "name_en": name_en.strip()}
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="organisation_added",
            subject=("organisation", org_id),
            after=after,
        )
        found = await organisation(connection, org_id)
    assert found is not None
    return found


async def change(
    given: Services,
    actor: Actor,
    org_id: str,
    *,
    name: str | None = None,
    name_en: str | None = None,
    enabled: bool | None = None,
) -> None:
    """Another name, or switched off or on. Raises Problem."""
    if name is not None and not name.strip():
        raise Problem("invalid", detail="name")
    async with _locked(given, org_id) as (connection, before):
        after = {
            "name": before["name"] if name is None else name.strip(),
            "name_en": before["name_en"] if name_en is None else name_en.strip(),
            "enabled": before["enabled"] if enabled is None else enabled,
        }
        await connection.execute(
            "UPDATE organisations SET name = $2, name_en = $3, enabled = $4 WHERE org_id = $1", org_id, *after.values()
        )
        await write_audit(
            connection,
            at=given.clock(),
            actor=actor,
            action="organisation_changed",
            subject=("organisation", org_id),
            before={key: before[key] for key in after},
            after=after,
        )


@asynccontextmanager
async def _locked(given: Services, org_id: str) -> AsyncIterator[tuple[Any, Any]]:
    async with given.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow("SELECT * FROM organisations WHERE org_id = $1 FOR UPDATE", org_id)
        if row is None:
            raise Problem("not_found")
        yield connection, row


async def add_member(given: Services, actor: Actor, org_id: str, user_id: str) -> None:
    """An account becomes the organisation's, if its role fits the kind. Raises Problem."""
    async with _locked(given, org_id) as (connection, organisation_row):
        row = await _account(connection, user_id)
        if Role(row["role"]) not in MEMBERS[OrganisationKind(organisation_row["kind"])]:
            raise Problem("invalid", detail="role")
        await _set(given, connection, actor, user_id, row["org_id"], org_id)


async def remove_member(given: Services, actor: Actor, org_id: str, user_id: str) -> None:
    """An account is nobody's again. Raises Problem `not_found`."""
    async with given.pool.acquire() as connection, connection.transaction():
        row = await _account(connection, user_id)
        if row["org_id"] != org_id:
            raise Problem("not_found")
        await _set(given, connection, actor, user_id, org_id, None)


async def _account(connection: Any, user_id: str) -> Any:
    row = await connection.fetchrow(
        "SELECT role, org_id FROM users WHERE user_id = $1 AND anonymised_at IS NULL FOR UPDATE", account_uuid(user_id)
    )
    if row is None:
        raise Problem("not_found")
    return row


async def _set(
    given: Services, connection: Any, actor: Actor, user_id: str, before: str | None, after: str | None
) -> None:
    await connection.execute("UPDATE users SET org_id = $2 WHERE user_id = $1", account_uuid(user_id), after)
    await write_audit(
        connection,
        at=given.clock(),
        actor=actor,
        action="member_changed",
        subject=("user", user_id),
        before={"org_id": before},
        after={"org_id": after},
    )
