"""Lists that come in pages: owns how pages are joined, and that what was seen of a list is kept up to a bound.

Kept are the first page and those behind it, one row each, linked by what the next page is asked with. A link that is
missing ends what is kept; so there is never a hole in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from types import GenericAlias
from typing import TYPE_CHECKING, Any, TypeVar

from mobile.core.api.parsing import Unreadable, parse, plain
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.shown import Model, Shown, trouble_of

if TYPE_CHECKING:
    from mobile.core.client import Client

T = TypeVar("T")
# Where pages end: how many items there are up to there, and what the next page is asked with (None: that was all).
Ends = tuple[tuple[int, Any], ...]


def joined(
    newer: tuple[T, ...], newer_ends: Ends, older: tuple[T, ...], older_ends: Ends
) -> tuple[tuple[T, ...], Ends] | None:
    """The newer items with what followed on their last one before; None where nothing tells that it still follows."""
    if not newer or newer_ends[-1][1] is None or newer[-1] not in older:
        return None
    at = older.index(newer[-1]) + 1
    moved = len(newer) - at
    return newer + older[at:], newer_ends + tuple((count + moved, after) for count, after in older_ends if count > at)


class PagedModel(Model[tuple[T, ...]]):
    """A list, the newest first; a subclass says `cache_key`, `item` and `fetch_page`.

    After a refresh the first page alone is shown; what stood behind it only where it `outlasts` what is new, and is
    known to follow. `kept_most` items are kept on the phone, in whole pages and at least the first.
    """

    item: Any
    kept_most = 500

    def __init__(self, client: Client) -> None:
        self.answer = GenericAlias(tuple, (self.item, ...))
        self._ends: Ends = ()
        self._following: Any = None
        self.is_loading_more = False
        super().__init__(client)

    async def fetch_page(self, cursor: Any) -> tuple[tuple[T, ...], Any]:
        """A page, and what the next one is asked with (None at the end); the first is asked with None."""
        raise NotImplementedError

    def outlasts(self, added: tuple[T, ...]) -> bool:
        """Whether items that were seen before are still as they were, now that these stand above them."""
        return False

    async def fetch(self) -> tuple[T, ...]:
        """The first page."""
        items, self._following = await self.fetch_page(None)
        return items

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return bool(self._ends) and self._ends[-1][1] is not None

    # ------------------------------------------------------------ cache

    def load(self) -> None:
        self._ends = ()
        super().load()

    def _kept(self) -> tuple[tuple[T, ...], datetime] | None:
        kept = self.client.store.cache_get(self.cache_key)
        if kept is None:
            return None
        items, ends = self._page((), kept[0])
        while (after := ends[-1][1]) is not None and len(items) < self.kept_most:
            further = self.client.store.cache_get(self.cache_key, page=str(after))
            if further is None:
                break
            items, following = self._page(items, further[0])
            ends += following
        self._ends = ends
        return items, kept[1]

    def _page(self, before: tuple[T, ...], kept: Any) -> tuple[tuple[T, ...], Ends]:
        if not isinstance(kept, dict) or kept.keys() != {"items", "after"}:
            raise Unreadable("not a page")
        items = before + parse(self.answer, kept["items"])
        return items, ((len(items), kept["after"]),)

    def _heard(self) -> None:
        mine, ends = self.shown.value, self._ends
        super()._heard()
        # Who has scrolled further than what is kept stays there.
        if mine is not None and self.shown.value is not None:
            whole = self._followed(self.shown.value, self._ends, mine, ends)
            if whole != (self.shown.value, self._ends):
                value, self._ends = whole
                self._show(replace(self.shown, value=value))

    def _followed(
        self, newer: tuple[T, ...], newer_ends: Ends, older: tuple[T, ...], older_ends: Ends
    ) -> tuple[tuple[T, ...], Ends]:
        """The newer items, and the older ones behind them as far as these still hold."""
        if self.outlasts(tuple(takewhile(lambda one: one not in older, newer))):
            return joined(newer, newer_ends, older, older_ends) or (newer, newer_ends)
        return newer, newer_ends

    # ------------------------------------------------------------ network

    def put(self, value: tuple[T, ...]) -> None:
        """Shows and keeps the first page, with what is known to follow it."""
        at, ends = self.client.clock.now(), ((len(value), self._following),)
        whole, self._ends = self._followed(value, ends, self.shown.value or (), self._ends)
        problem = self._keep(lambda: self._keep_pages(whole, at))
        self._show(Shown(whole, at, "ready", problem, self.empty(whole)))

    def take_out(self, is_gone: Callable[[T], bool]) -> None:
        """Shows and keeps the list without what is known to be gone; nothing is asked."""
        value, at = self.shown.value, self.shown.seen_at
        if value is None or at is None or not any(map(is_gone, value)):
            return
        self._ends = tuple((sum(not is_gone(one) for one in value[:count]), after) for count, after in self._ends)
        left = tuple(one for one in value if not is_gone(one))
        problem = self._keep(lambda: self._keep_pages(left, at, written=len(self._ends)))
        self._show(replace(self.shown, value=left, problem=problem, is_empty=self.empty(left)))

    def _keep_pages(self, items: tuple[T, ...], at: datetime, *, written: int = 2) -> None:
        """The first page, and the one that now links it with those that stay: or the first so many."""
        kept = [end for end in self._ends if end[0] <= self.kept_most] or [self._ends[0]]
        pages, begins, name = {}, 0, ""
        for count, after in kept[:written]:
            pages[name] = _page_of(items[begins:count], after)
            begins, name = count, str(after)
        self.client.store.pages_put(self.cache_key, pages, at, stay=[str(after) for _, after in kept[written - 1 : -1]])

    async def more(self) -> None:
        """Adds the next page."""
        if not self.has_more or self.is_loading_more:
            return
        account, before = self.client.store.account, self._ends[-1][1]
        self.is_loading_more = True
        self.changed.emit()
        try:
            items, following = await self.fetch_page(before)
        except (ApiProblem, Offline, StoreError) as error:
            self.is_loading_more = False
            self._show(self._failed(trouble_of(error)))
            return
        self.is_loading_more = False
        value = self.shown.value
        if self.client.store.account == account and self.has_more and self._ends[-1][1] == before and value is not None:
            self._add(value, items, following)
        else:
            self.changed.emit()

    def _add(self, value: tuple[T, ...], items: tuple[T, ...], following: Any) -> None:
        before, whole = self._ends[-1][1], value + items
        self._ends += ((len(whole), following),)
        problem = None
        if len(whole) <= self.kept_most:
            page, at = _page_of(items, following), self.client.clock.now()
            problem = self._keep(lambda: self.client.store.cache_put(self.cache_key, page, at, page=str(before)))
        self._show(replace(self.shown, value=whole, problem=problem))


def _page_of(items: tuple[T, ...], after: Any) -> dict[str, Any]:
    """As it is kept."""
    return {"items": plain(items), "after": after}
