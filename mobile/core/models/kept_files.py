"""Pictures and papers that wait in the phone: owns which of them the account still needs, and removing the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobile.core.client import Client


def needed(client: Client) -> frozenset[str]:
    """Names of the files that a draft needs, or something in the outbox that the server has not taken.

    Both name theirs under `papers`. What was refused counts: the person may hand it in again.
    """
    unsent = (one.body for one in client.outbox.entries() if one.state != "sent")
    papers = [paper for body in (*unsent, *client.store.drafts().values()) for paper in body.get("papers", ())]
    return frozenset(one["sha256"] if isinstance(one, dict) else one for one in papers)


def drop_unneeded(client: Client, names: Iterable[str]) -> None:
    """Removes those of these files that nothing needs any more. Raises StoreError."""
    for sha256 in frozenset(names) - needed(client):
        client.files.drop(sha256)
