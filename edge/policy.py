"""What the gate decides by, right now: owns the change from the delivered policy to the cloud's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import structlog

from cloud_sync.contract.v1 import Snapshot
from control.domain.errors import ConfigurationError
from control.domain.permits import PermitSnapshot
from control.gate.rules import RuleSet, parse_rules

log = structlog.get_logger(__name__)

# Version 0 and an age that no rule trusts: a fuel vehicle is then held, never refused.
NO_SNAPSHOT = PermitSnapshot(version=0, taken_at=datetime(2000, 1, 1, tzinfo=UTC))


class LivePolicy:
    """Starts with the delivered rules and no permits; takes every newer verified snapshot.

    A key that the cloud has no row for, because it is older than this gateway, keeps its delivered rows.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.snapshot: PermitSnapshot = NO_SNAPSHOT
        self.rules = self._delivered = rules

    def take(self, snapshot: Snapshot) -> None:
        """Use a snapshot that was verified. Rules that cannot be parsed leave the present ones in force."""
        self.snapshot = snapshot.permits
        if not snapshot.rules:
            return
        rows = [{key: value for key, value in row.items() if key != "rule_version"} for row in snapshot.rules]
        version = snapshot.rules[-1].get("rule_version", f"s{snapshot.version}")
        try:
            self.rules = parse_rules({"version": version, "rule": rows}).completed_by(self._delivered)
        except ConfigurationError as error:
            log.warning("rules of the snapshot are refused", version=snapshot.version, why=str(error))


class LinkState(Protocol):
    """What is known of the way to the cloud."""

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        ...
