"""Accounts: owns how engineers add people, change roles, switch accounts off and set passwords."""

from __future__ import annotations

from typing import Any

from cloud_sync.server.auth import end_everywhere, insert_user
from cloud_sync.server.passwords import check_password
from cloud_sync.server.people.members import OrganisationKind, account_uuid
from cloud_sync.server.people.organisations import MEMBERS
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit

_ENGINEERS_LOCK = 7_301_003


async def add_user(given: Services, actor: Actor, *, username: str, name: str, role: Role, password: str) -> str:
    """A new account; its id. Raises Problem."""
    check_password(username, password)
    hashed, now = await given.passwords.hash(password), given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        user_id = await insert_user(
            connection, username=username, name=name or username, role=role, password_hash=hashed, at=now
        )
        after = {"username": username, "role": role.value}
        await write_audit(connection, at=now, actor=actor, action="user_added", subject=("user", user_id), after=after)
    return user_id


async def change_user(
    given: Services, actor: Actor, user_id: str, *, role: Role | None = None, enabled: bool | None = None
) -> None:
    """Another role, or switched off or on; ends the account's sessions. One engineer always remains.

    An organisation's account stays its member only in a role that fits. Raises Problem.
    """
    now = given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _ENGINEERS_LOCK)
        before = await _account(connection, user_id)
        after = {
            "role": role.value if role else before["role"],
            "enabled": before["enabled"] if enabled is None else enabled,
        }
        await connection.execute(
            "UPDATE users SET role = $2, enabled = $3, org_id = $4 WHERE user_id = $1",
            account_uuid(user_id),
            after["role"],
            after["enabled"],
            before["org_id"] if _fits(before["org_kind"], after["role"]) else None,
        )
        if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM users WHERE role = 'engineer' AND enabled)"):
            raise Problem("last_engineer")
        if before["username"] == actor.username and after["role"] != before["role"]:
            raise Problem("own_role")
        await end_everywhere(connection, account_uuid(user_id), now)
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="user_changed",
            subject=("user", user_id),
            before={"role": before["role"], "enabled": before["enabled"]},
            after=after,
        )


def _fits(org_kind: str | None, role: str) -> bool:
    return org_kind is not None and Role(role) in MEMBERS[OrganisationKind(org_kind)]


async def set_password(given: Services, actor: Actor, user_id: str, password: str) -> None:
    """A new password; ends the account's sessions."""
    account = await _account(given.pool, user_id)
    check_password(account["username"], password)
    hashed = await given.passwords.hash(password)
    async with given.pool.acquire() as connection, connection.transaction():
        now, row_id = given.clock(), account_uuid(user_id)
        await connection.execute("UPDATE users SET password_hash = $2 WHERE user_id = $1", row_id, hashed)
        await end_everywhere(connection, row_id, now)
        await write_audit(connection, at=now, actor=actor, action="password_set", subject=("user", user_id))


async def _account(connection: Any, user_id: str) -> Any:
    row = await connection.fetchrow(
        "SELECT u.username, u.role, u.enabled, u.anonymised_at, u.org_id, o.kind AS org_kind FROM users u"
        " LEFT JOIN organisations o USING (org_id) WHERE u.user_id = $1",
        account_uuid(user_id),
    )
    if row is None:
        raise Problem("not_found")
    if row["anonymised_at"] is not None:
        raise Problem("account_gone")
    return row
