"""Passes: owns that each pass in force lies in the phone before it is needed, and whether it opens a gate now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from mobile.core.api.parsing import parse, plain
from mobile.core.api.permits import ApplicationRow, PassRecord
from mobile.core.models.applications import fetch_newer
from mobile.core.shown import Model

if TYPE_CHECKING:
    from mobile.core.client import Client

PASSES = "pass"


class Validity(StrEnum):
    """Whether a pass opens a gate; the gate has the last word."""

    NOW = "now"
    COMING = "coming"
    OVER = "over"
    USED_UP = "used_up"
    WITHDRAWN = "withdrawn"


def validity(permit_pass: PassRecord, now: datetime, status: str = "active") -> Validity:
    """`status` is the application's, as it was last heard."""
    if status not in ("active", "approved", "used_up", "expired"):
        return Validity.WITHDRAWN
    if status == "used_up" or permit_pass.entries_left == 0:
        return Validity.USED_UP
    if now < permit_pass.valid_from:
        return Validity.COMING
    return Validity.OVER if status == "expired" or now >= permit_pass.valid_until else Validity.NOW


class PermitPass(Model[PassRecord]):
    """The pass of one application; the phone's copy shows without a network."""

    answer = PassRecord
    fresh_s = 30.0

    def __init__(self, client: Client, application_id: str) -> None:
        self.application_id = application_id
        self.cache_key = f"pass/{application_id}"
        super().__init__(client)

    async def fetch(self) -> PassRecord:
        """From the server; kept with the codes too, which outlive the cache."""
        account = self.client.store.account
        answer = await self.client.api.permits.permit_pass(self.application_id)
        if self.client.store.account == account:
            keep(self.client, answer)
        return answer


def keep(client: Client, answer: PassRecord) -> None:
    """A pass is in the phone when this returns. Raises StoreError."""
    made_at, ends_at = answer.issued_at, answer.valid_until
    client.store.code_put(PASSES, answer.application_id, plain(answer), made_at=made_at, ends_at=ends_at)


def kept(client: Client) -> tuple[PassRecord, ...]:
    """Passes in the phone, the newest first. Raises StoreError."""
    return tuple(parse(PassRecord, one.value) for one in client.store.codes(PASSES))


async def fetch_missing(client: Client, rows: tuple[ApplicationRow, ...]) -> None:
    """Gets passes of permits in force that the phone has not, or that changed since, and then what they are for.

    Raises ApiProblem, Offline, StoreError.
    """
    account, have = client.store.account, {one.application_id: one for one in kept(client)}
    in_force = [row for row in rows if row.status in ("active", "approved")]
    for row in in_force:
        if row.published_at is None:
            continue
        mine = have.get(row.application_id)
        if mine is None or mine.issued_at < row.published_at or mine.entries_left != row.entries_left:
            answer = await client.api.permits.permit_pass(row.application_id)
            if client.store.account != account:
                return  # what is left is somebody else's
            keep(client, answer)
    for row in in_force:
        await fetch_newer(client, row)
        if client.store.account != account:
            return
