"""Which kinds of things the outbox sends: owns telling it all of them when the app starts, whatever screen is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.core.models import scan, scan_walk

if TYPE_CHECKING:
    from mobile.core.client import Client


def register_visitor(client: Client) -> None:
    """What visitors hand in; once for a client."""
    scan.register(client)
    scan_walk.register(client)
