"""What all projections share: owns the facts of one call, where they go, and the shape of a writer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cloud_sync.server.bodies import parsed_time
from cloud_sync.server.live import Change


@dataclass(frozen=True, slots=True)
class Fact:
    """One event whose body was read."""

    uuid: UUID
    body: Any


@dataclass(frozen=True, slots=True)
class Batch:
    """Where the facts of one call go, and when they were received."""

    connection: Any
    gateway_id: str
    received_at: datetime


Writer = Callable[[Batch, Sequence[Fact]], Awaitable[list[Change]]]


def at_of(text: str) -> datetime:
    """A time of a body that `read_body` has let through."""
    at = parsed_time(text)
    assert at is not None, "read_body has looked at it"
    return at
