"""A person's own data in points: owns the copy they may ask for, and what an account leaves when it is deleted.

The ledger stays whole under the bare id; where and when a person was on the way does not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloud_sync.server.sql import Reader, as_json

_COPIES = {
    "entries": "SELECT seq, entry_id, kind, at, points, reason, about, valid_until, details FROM point_entries"
    " WHERE person = $1 ORDER BY seq",
    "acts": "SELECT event_id, key, state, started_at, ended_at, claimed_at, evidence, source_id, activity, points,"
    " grams, reasons, start_place, end_place, judgement FROM point_events WHERE person = $1 ORDER BY claimed_at",
    "scans": "SELECT received_at, scanned_at, state, reason, key, place, direction FROM point_scans WHERE person = $1"
    " ORDER BY received_at",
    "trips": "SELECT key, start_place, end_place, metres, started_at, ended_at FROM point_trips WHERE person = $1"
    " ORDER BY ended_at",
    "redemptions": "SELECT redemption_id, item_id, price_points, state, reserved_at, ends_at, used_at, used_by"
    " FROM redemptions WHERE person = $1 ORDER BY redemption_id",
    "appeals": "SELECT event_id, text, at, state, points, answer, decided_at FROM point_appeals WHERE person = $1"
    " ORDER BY at",
    "charges": "SELECT charger, at, session_id FROM point_charge_claims WHERE person = $1 ORDER BY at",
    "goal": "SELECT month_points, set_at FROM point_goals WHERE person = $1",
    "vouchers": "SELECT voucher_id, scheme_id, amount_fen, issued_at, valid_until FROM vouchers"
    " WHERE holder_kind = 'person' AND holder_id = $1 ORDER BY voucher_id",
}
_JSON = ("details", "judgement")
_ERASURES = (
    "DELETE FROM point_goals WHERE person = $1",
    "DELETE FROM point_person_codes WHERE person = $1",
    "DELETE FROM point_trips WHERE person = $1",
    "DELETE FROM point_charge_claims WHERE person = $1 AND settled_at IS NULL",
    "UPDATE point_charge_claims SET charger = '' WHERE person = $1",
    "UPDATE point_scans SET remote = '', place = '' WHERE person = $1",
    "UPDATE point_events SET start_place = '', end_place = '', distance_km = NULL, steps = NULL WHERE person = $1",
    "UPDATE point_appeals SET text = '', answer = '' WHERE person = $1",
)


async def copy_of(db: Reader, user_id: str) -> Any:
    """Everything that points hold about a person."""
    return {name: [_plain(row) for row in await db.fetch(query, user_id)] for name, query in _COPIES.items()}


def _plain(row: Any) -> dict[str, Any]:
    return {name: as_json(value) if name in _JSON else value for name, value in row.items()}


async def erase(connection: Any, user_id: str, at: datetime) -> None:
    """Takes away what tells of the person's ways and words; the ledger and the judgements stay."""
    for statement in _ERASURES:
        await connection.execute(statement, user_id)
