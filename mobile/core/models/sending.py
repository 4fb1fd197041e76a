"""Which kinds of things the outbox sends: owns telling it all of them when the app starts, whatever screen is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobile.core.client import Client


def register_kinds(client: Client) -> None:
    """What people of the app's role hand in; once for a client. The other role's shapes are not loaded."""
    if client.role == "visitor":
        from mobile.core.models import scan, scan_walk

        scan.register(client)
        scan_walk.register(client)
    else:
        register_driver(client)


def register_driver(client: Client) -> None:
    """Applications, and what is declared of visits."""
    from mobile.core.models import application_sending, visits

    application_sending.register(client)
    visits.register(client)
