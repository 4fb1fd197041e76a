"""Whose statement an office means: owns finding the person or organisation behind what was typed."""

from __future__ import annotations

from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Role
from cloud_sync.server.sql import Reader


async def holder_of(db: Reader, text: str) -> str:
    """The owner of visits by number, name, user name, or an application of theirs; a member's is the organisation.

    Raises Problem `holder_unknown` where nobody is called so, and where several are.
    """
    wanted = text.replace("\0", "").strip()
    rows = await db.fetch(
        "SELECT org_id AS owner FROM organisations WHERE $1 IN (org_id, name, name_en)"
        " UNION SELECT CASE WHEN role = $2 AND org_id IS NOT NULL THEN org_id ELSE user_id::text END FROM users"
        "   WHERE $1 IN (user_id::text, username, name) AND anonymised_at IS NULL"
        " UNION SELECT applicant_id FROM applications WHERE application_id = $1 AND applicant_id <> ''"
        " LIMIT 2",
        wanted,
        Role.ORGANISATION.value,
    )
    if not wanted or len(rows) != 1:
        raise Problem("holder_unknown", detail=wanted)
    return str(rows[0]["owner"])
