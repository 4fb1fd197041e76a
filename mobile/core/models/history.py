"""A visitor's ledger and acts: owns the pages of both, the formula behind an entry, and appeals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.core.api.points import AppealMade, AppealRecord, EarningRecord, EntryRecord
from mobile.core.paged import PagedModel

if TYPE_CHECKING:
    from mobile.core.client import Client

_PAGE = 50


class History(PagedModel[EntryRecord]):
    """Every change of the balance, the newest first."""

    cache_key = "points/history"
    item = EntryRecord

    def outlasts(self, added: tuple[EntryRecord, ...]) -> bool:
        """Rows of a ledger stay as they are; of an act that was taken back, the older row says so now."""
        return all(one.kind.code != "reverse" for one in added)

    async def fetch_page(self, cursor: int | None) -> tuple[tuple[EntryRecord, ...], int | None]:
        """From the server."""
        page = await self.client.api.points.history(before=cursor, limit=_PAGE)
        return page.entries, page.next_before

    def entry(self, entry_id: str) -> EntryRecord | None:
        """One of those that are shown."""
        return next((one for one in self.shown.value or () if one.entry_id == entry_id), None)


class Acts(PagedModel[EarningRecord]):
    """What was handed in, the newest first; `state` is "" for all, or granted, held or refused."""

    item = EarningRecord

    def __init__(self, client: Client, state: str = "") -> None:
        self.cache_key = f"points/events/{state}"
        self._state = state
        super().__init__(client)

    async def fetch_page(self, cursor: str | None) -> tuple[tuple[EarningRecord, ...], str | None]:
        """From the server."""
        page = await self.client.api.points.events(state=self._state, cursor=cursor or "", limit=_PAGE)
        return page.events, page.next_cursor

    def act(self, event_id: str) -> EarningRecord | None:
        """One of those that are shown."""
        return next((one for one in self.shown.value or () if one.event_id == event_id), None)


class Appeals(PagedModel[AppealRecord]):
    """What a person asked to have looked at again, and the answers."""

    cache_key = "points/appeals"
    item = AppealRecord

    async def fetch_page(self, cursor: str | None) -> tuple[tuple[AppealRecord, ...], str | None]:
        """From the server."""
        page = await self.client.api.points.appeals(before=cursor, limit=_PAGE)
        return page, page[-1].appeal_id if len(page) == _PAGE else None

    async def make(self, event_id: str, text: str, *, key: str) -> AppealMade:
        """Asks for another look; the same key again makes no second one. Raises ApiProblem, Offline."""
        made = await self.client.api.points.appeal(event_id, text, key=key)
        await self.refresh()
        return made
