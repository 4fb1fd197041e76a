"""What the ledger holds about a person: owns its part of the copy that a person may ask for.

The book itself names nobody of the public but by the bare id of the account, and is kept whole when an account goes.
"""

from __future__ import annotations

from typing import Any

from cloud_sync.server.sql import Reader, as_json

VISITS_MAX = 5_000


async def collect(db: Reader, user_id: str) -> Any:
    """Visits under the person's applications with what they owe, and the evidence that the person declared."""
    visits = await db.fetch(
        "SELECT a.visit_id, a.at, a.owed_g, a.covered_g, a.neutralised_at, a.due_on, a.tier FROM visit_accounts a"
        " JOIN visits v USING (visit_id) JOIN applications f USING (application_id)"
        " WHERE f.applicant_id = $1 ORDER BY a.at LIMIT $2",
        user_id,
        VISITS_MAX,
    )
    declared = await db.fetch(
        "SELECT visit_id, at, declared, papers, note FROM visit_evidence WHERE by = $1 AND by_role = 'applicant'"
        " ORDER BY evidence_id LIMIT $2",
        user_id,
        VISITS_MAX,
    )
    return {
        "visits": [dict(row) for row in visits],
        "evidence": [{**dict(row), "declared": as_json(row["declared"])} for row in declared],
    }
