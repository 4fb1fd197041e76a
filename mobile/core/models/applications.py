"""A driver's applications: owns the list, what each state asks of the driver, and one application with its history."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from mobile.core.api.permits import ApplicationRecord, ApplicationRow
from mobile.core.models.application_draft import APPLICATION, Drafts
from mobile.core.paged import PagedModel
from mobile.core.shown import Model

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.outbox import Entry

_PAGE = 50


class Part(StrEnum):
    """Where an application stands on the driver's first screen."""

    IN_FORCE = "in_force"
    TO_DO = "to_do"
    WITH_OFFICE = "with_office"
    PAST = "past"


_PARTS = {
    "active": Part.IN_FORCE,
    "approved": Part.IN_FORCE,
    "returned": Part.TO_DO,
    "draft": Part.TO_DO,
    "submitted": Part.WITH_OFFICE,
    "appealed": Part.WITH_OFFICE,
}


def part_of(row: ApplicationRow) -> Part:
    """A state that this version does not know is shown with the past ones, by the server's word."""
    return _PARTS.get(row.status, Part.PAST)


class Applications(PagedModel[ApplicationRow]):
    """One's applications, the newest number first."""

    cache_key = "applications"
    item = ApplicationRow
    fresh_s = 20.0

    async def fetch_page(self, cursor: str | None) -> tuple[tuple[ApplicationRow, ...], str | None]:
        """From the server."""
        page = await self.client.api.permits.applications(cursor=cursor, limit=_PAGE)
        return page.items, page.next_cursor

    def of(self, part: Part) -> tuple[ApplicationRow, ...]:
        """Those that stand there; in force: the next to begin first.

        What is being changed here, or waits to be sent, is shown as that instead.
        """
        elsewhere = self._numbers_here() if part is Part.TO_DO else frozenset()
        rows = self.shown.value or ()
        found = tuple(one for one in rows if part_of(one) is part and one.application_id not in elsewhere)
        if part is Part.IN_FORCE:
            return tuple(sorted(found, key=lambda one: (one.window_from is None, one.window_from, one.application_id)))
        return found

    def _numbers_here(self) -> frozenset[str]:
        drafts = Drafts(self.client)
        made = (drafts.made_of(one) for one in self.on_their_way())
        sent = (one.body["application_id"] for one in self.on_their_way())
        return frozenset([*(one[0] for one in made if one), *(one for one in sent if one)])

    def on_their_way(self) -> tuple[Entry, ...]:
        """Applications that wait to be sent, or were refused at once; the oldest first."""
        return tuple(one for one in self.client.outbox.entries(APPLICATION) if one.state != "sent")


class OneApplication(Model[ApplicationRecord]):
    """One of them, with its history."""

    answer = ApplicationRecord
    fresh_s = 10.0

    def __init__(self, client: Client, application_id: str) -> None:
        self.application_id = application_id
        self.cache_key = self.key_of(application_id)
        super().__init__(client)

    @staticmethod
    def key_of(application_id: str) -> str:
        """Where the phone keeps it."""
        return f"application/{application_id}"

    async def fetch(self) -> ApplicationRecord:
        """From the server."""
        return await self.client.api.permits.application(self.application_id)

    def remarks(self) -> tuple[tuple[str, str], ...]:
        """What the office wants changed, as field ("" for the whole) and text; empty unless it is returned."""
        record = self.shown.value
        if record is None or record.row.status != "returned":
            return ()
        last = next((one for one in reversed(record.history) if one.after == "returned"), None)
        return () if last is None else tuple((one.get("field", ""), one.get("text", "")) for one in last.remarks)

    async def appeal(self, reason: str, papers: tuple[bytes, ...]) -> None:
        """Against a refusal or a revocation, with papers. Raises ApiProblem, Offline."""
        evidence = tuple([(await self.client.api.permits.upload(one)).sha256 for one in papers])
        record = self.shown.value
        version = None if record is None else record.row.version
        self.put(
            await self.client.api.permits.appeal(self.application_id, reason=reason, evidence=evidence, version=version)
        )


async def fetch_newer(client: Client, row: ApplicationRow) -> None:
    """Gets one that the phone has not, or not as it is now, to be read without a network later.

    Raises ApiProblem, Offline, StoreError.
    """
    one = OneApplication(client, row.application_id)
    one.close()
    account, known = client.store.account, one.shown.value
    if known is None or known.row.version != row.version:
        answer = await one.fetch()
        if client.store.account == account:
            one.put(answer)


def can_discard(row: ApplicationRow) -> bool:
    """Whether its applicant may throw it away: never handed in, and no vehicle came in by it."""
    return row.status == "draft" and not row.is_emergency_entry


async def discard(client: Client, application_id: str) -> None:
    """Throws away a draft that the server has, with what was changed of it here.

    It needs the network: whoever is told that it is gone must not find it with the office later. May be repeated.
    Raises ApiProblem, Offline, StoreError.
    """
    account = client.store.account
    await client.api.permits.discard(application_id)
    if client.store.account != account:
        return
    drafts, listed = Drafts(client), Applications(client)
    for draft in drafts.all():
        if draft.application_id == application_id:
            drafts.drop(draft)
    client.store.cache_drop(OneApplication.key_of(application_id))
    listed.take_out(lambda row: row.application_id == application_id)
    listed.close()
