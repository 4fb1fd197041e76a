"""What all parts of one gateway are given by the composition root: owns no behaviour but making ids and waits."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uuid_utils

from edge.adapters.sqlite_journal import SqliteJournal
from edge.changes import Changes
from edge.config import SiteConfig
from edge.policy import LivePolicy
from edge.ports import Clock
from edge.retrying import Backoff

Service = tuple[str, Callable[[], Awaitable[None]]]


def new_id() -> str:
    """A name for an arrival, a command or an alarm, sortable by time."""
    return str(uuid_utils.uuid7())


@dataclass(frozen=True, slots=True)
class Shared:
    """One of each."""

    config: SiteConfig
    clock: Clock
    random: random.Random
    journal: SqliteJournal
    changes: Changes
    policy: LivePolicy

    def backoff(self) -> Backoff:
        """Waits of its own for one who reconnects."""
        return Backoff(self.random)
