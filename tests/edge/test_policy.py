"""What a gateway decides by when the cloud publishes rules older than the gateway."""

from __future__ import annotations

from datetime import UTC, datetime

from cloud_sync.contract.v1 import Snapshot
from control.domain.permits import PermitSnapshot
from control.gate.rules import to_mapping
from edge.policy import LivePolicy
from edge.rules_file import delivered_rules

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def snapshot_with(rows: list[dict]) -> Snapshot:
    return Snapshot("gw", PermitSnapshot(4, NOW), tuple({**row, "rule_version": "office-7"} for row in rows))


def test_published_rows_count_and_missing_keys_keep_their_delivered_rows() -> None:
    policy = LivePolicy(delivered_rules())
    rows = [row for row in to_mapping(delivered_rules())["rule"] if not row["key"].startswith("mounting.")]
    rows = [{**row, "value": 0.95} if row["key"] == "reading.confidence_min" else row for row in rows]
    policy.take(snapshot_with(rows))
    in_force = policy.rules.in_force(NOW)
    assert in_force is not None
    assert (in_force.version, in_force.number("reading.confidence_min")) == ("office-7", 0.95)
    assert in_force.number("mounting.looks_min") == 2.0


def test_rows_that_cannot_be_read_leave_the_present_ones() -> None:
    policy = LivePolicy(delivered_rules())
    policy.take(snapshot_with([{"id": "X", "key": "reading.mood", "value": 1.0}]))
    assert policy.rules == delivered_rules()
    assert policy.snapshot.version == 4
