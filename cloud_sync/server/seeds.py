"""What a new database starts with: owns the gateways of the configuration and the first retention rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloud_sync.server.auth import token_hash
from cloud_sync.server.secret_files import made_secret
from cloud_sync.server.services import Services

_FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
# rule, what, final outcomes ([] any), verdicts ([] any), days, source. The office may replace rows with dated ones.
RETENTION: tuple[tuple[str, str, list[str], list[str], int, str], ...] = (
    ("passed_new_energy_media", "passage_media", ["admit"], ["new_energy"], 30, "PIPL art. 19: shortest storage"),
    ("other_media", "passage_media", [], [], 180, "PIPL art. 19; evidence for review and appeal"),
    ("permit_media", "passage_media", ["admit_under_permit"], [], 1095, "permit evidence: 3 years"),
    ("passed_new_energy_plate", "passage_plate", ["admit"], ["new_energy"], 180, "PIPL art. 19: shortest storage"),
    ("other_plate", "passage_plate", [], [], 1095, "permit evidence: 3 years"),
    ("sign_ins", "sign_ins", [], [], 7, "needed for the attempt limit alone"),
    ("request_keys", "request_keys", [], [], 30, "a phone repeats a request for days, not for months"),
    ("permit_data", "permit_data", [], [], 1095, "permit evidence: 3 years after the end"),
    ("permit_papers", "permit_papers", [], [], 1095, "permit evidence: 3 years after the end"),
    ("permit_drafts", "permit_drafts", [], [], 365, "PIPL art. 19: an application that nobody hands in"),
    ("loose_papers", "loose_papers", [], [], 30, "PIPL art. 19: a paper that belongs to nothing"),
    ("visit_plates", "visit_plates", [], [], 1095, "evidence of offsets: 3 years after the visit"),
    ("papers", "papers", [], [], 1095, "evidence of offsets: 3 years after the issue"),
    ("removed_vehicles", "removed_vehicles", [], [], 30, "PIPL art. 19: shortest storage"),
    ("points_ways", "points_ways", [], [], 365, "PIPL art. 19: a year covers every claim, review and appeal"),
    ("data_requests", "data_requests", [], [], 1095, "PIPL art. 50: proof of the answer, 3 years after it"),
    ("live", "live", [], [], 2, "needed for pages that reconnect alone"),
    ("energy_seconds", "energy_seconds", [], [], 14, "to look into an incident second by second"),
    ("energy_minutes", "energy_minutes", [], [], 180, "to compare seasons of operation"),
    ("energy_quarters", "energy_quarters", [], [], 3650, "billing, carbon accounts and replays: 10 years"),
    ("energy_plans", "energy_plans", [], [], 60, "to see why a past day was run as it was"),
)


async def plant(given: Services) -> None:
    """Idempotent: gateways follow the configuration, retention rows are written once."""
    async with given.pool.acquire() as connection, connection.transaction():
        await _gateways(connection, given)
        for rule_id, what, outcomes, verdicts, days, source in RETENTION:
            await connection.execute(
                "INSERT INTO retention_rules (rule_id, applies_to, outcomes, verdicts, keep_days, valid_from, source)"
                " SELECT $1, $2, $3, $4, $5, $6, $7"
                " WHERE NOT EXISTS (SELECT 1 FROM retention_rules WHERE rule_id = $1)",
                rule_id,
                what,
                outcomes,
                verdicts,
                days,
                _FIRST_DAY,
                source,
            )


async def _gateways(connection: Any, given: Services) -> None:
    for gateway in given.config.gateways:
        await connection.execute(
            "INSERT INTO gateways (gateway_id, name, token_hash) VALUES ($1, $2, $3) ON CONFLICT (gateway_id)"
            " DO UPDATE SET name = excluded.name, token_hash = excluded.token_hash",
            gateway.id,
            gateway.name or gateway.id,
            token_hash(made_secret(gateway.secret_file)),
        )
