"""The demonstration's people: owns one account a role, and an organisation of each kind for those who need one.

All have the demonstration's random password; without `auth.demo_user` none of them exists.
"""

from __future__ import annotations

from typing import Any

from cloud_sync.server.auth import DEMO_FILE, insert_user
from cloud_sync.server.people.members import OrganisationKind
from cloud_sync.server.roles import Role
from cloud_sync.server.secret_files import read_secret
from cloud_sync.server.services import Services

NAMES = {
    Role.VISITOR: "演示访客",
    Role.DRIVER: "演示司机",
    Role.ORGANISATION: "演示单位",
    Role.MERCHANT: "演示商户",
    Role.GUARD: "演示门卫",
    Role.OPERATOR: "演示运行",
    Role.REVIEWER: "演示审核",
    Role.APPROVER: "演示批准",
    Role.AUDITOR: "演示审计",
    Role.ENGINEER: "演示工程师",
}
ORGANISATIONS = {
    Role.ORGANISATION: ("demo-applicant", OrganisationKind.APPLICANT, "演示物流公司", "Demonstration haulage"),
    Role.MERCHANT: ("demo-merchant", OrganisationKind.MERCHANT, "演示椰子店", "Demonstration coconut shop"),
}


async def add_accounts(given: Services) -> tuple[str, ...]:
    """Makes the accounts that are missing; the sign-in names of all, or none outside of a demonstration."""
    password = read_secret(given.config.server.data_dir / DEMO_FILE) if given.config.auth.demo_user else None
    if password is None:
        return ()
    names = {role: f"demo-{role}" for role in Role}
    rows = await given.pool.fetch("SELECT username FROM users WHERE username = ANY($1::text[])", list(names.values()))
    there = {row["username"] for row in rows}
    missing = [role for role in Role if names[role] not in there]
    hashed = await given.passwords.hash(password) if missing else ""
    async with given.pool.acquire() as connection, connection.transaction():
        for role in missing:
            user_id = await insert_user(
                connection,
                username=names[role],
                name=NAMES[role],
                role=role,
                password_hash=hashed,
                at=given.clock(),
            )
            await _join(connection, given, user_id, role)
    return tuple(names.values())


async def _join(connection: Any, given: Services, user_id: str, role: Role) -> None:
    if role not in ORGANISATIONS:
        return
    org_id, kind, name, name_en = ORGANISATIONS[role]
    await connection.execute(
        "INSERT INTO organisations (org_id, kind, name, name_en, created_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        org_id,
        kind.value,
        name,
        name_en,
        given.clock(),
    )
    await connection.execute("UPDATE users SET org_id = $2 WHERE user_id::text = $1", user_id, org_id)
