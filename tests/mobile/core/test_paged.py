"""Lists in pages: joined without a hole, and readable without a network as far as they were seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from mobile.core.client import Client
from mobile.core.errors import Offline, StoreFull
from mobile.core.paged import PagedModel, joined

Phone = Callable[..., Client]
PAGE = 3
OVERTURNS = 10


class Rows(PagedModel[int]):
    """Numbers, the greatest first, three a page, asked for by the one before."""

    cache_key = "rows"
    item = int
    kept_most = 8

    def __init__(self, client: Client, newest: int = 8) -> None:
        self.newest = newest
        self.asked: list[int | None] = []
        self.is_cut = False
        super().__init__(client)

    async def fetch_page(self, cursor: int | None) -> tuple[tuple[int, ...], int | None]:
        self.asked.append(cursor)
        if self.is_cut:
            raise Offline("cut")
        first = self.newest if cursor is None else cursor - 1
        found = tuple(range(first, max(first - PAGE, -1), -1))
        return found, found[-1] if found[-1] else None


class Ledger(Rows):
    """What was seen stays true, until a certain number comes."""

    def outlasts(self, added: tuple[int, ...]) -> bool:
        return OVERTURNS not in added


def down(first: int, last: int = 0) -> tuple[int, ...]:
    return tuple(range(first, last - 1, -1))


async def test_pages_are_added(phone: Phone) -> None:
    rows = Rows(phone())
    await rows.more()
    assert rows.asked == []
    await rows.refresh()
    await rows.more()
    assert (rows.shown.value, rows.has_more) == (down(8, 3), True)
    rows.is_cut = True
    await rows.more()
    assert (rows.shown.value, rows.shown.is_offline, rows.has_more) == (down(8, 3), True, True)
    rows.is_cut = False
    await rows.more()
    assert (rows.shown.value, rows.has_more, rows.shown.problem) == (down(8), False, None)
    await rows.more()
    assert rows.asked == [None, 6, 3, 3]


async def test_what_was_seen_is_there_again_and_goes_on_where_it_ended(phone: Phone) -> None:
    client = phone()
    rows = Rows(client)
    await rows.refresh()
    await rows.more()
    again = Rows(client)
    assert (again.shown.value, again.shown.phase, again.has_more) == (down(8, 3), "stale", True)
    assert again.shown.seen_at == rows.shown.seen_at
    again.is_cut = True
    await again.refresh()
    assert (again.shown.value, again.shown.phase) == (down(8, 3), "stale")
    again.is_cut = False
    await again.more()
    assert again.shown.value == down(8)
    assert again.asked == [None, 3]


async def test_a_list_whose_items_change_is_asked_for_anew(phone: Phone) -> None:
    client = phone()
    rows = Rows(client)
    await rows.refresh()
    await rows.more()
    await rows.refresh()
    assert (rows.shown.value, rows.has_more) == (down(8, 6), True)
    assert Rows(client).shown.value == down(8, 6)
    assert stored(client) == 1


async def test_a_lasting_list_keeps_its_later_pages_when_new_ones_come(phone: Phone) -> None:
    client = phone()
    rows = Ledger(client, newest=8)
    await rows.refresh()
    await rows.more()
    rows.newest = 9
    await rows.refresh()
    assert (rows.shown.value, rows.shown.phase, rows.has_more) == (down(9, 3), "ready", True)
    assert Ledger(client).shown.value == down(9, 3)
    await rows.more()
    assert (rows.shown.value, rows.has_more) == (down(9), False)
    assert rows.asked == [None, 6, None, 3]


@pytest.mark.parametrize("newest", [12, 20, 100])
async def test_no_hole_stands_between_the_first_page_and_older_ones(phone: Phone, newest: int) -> None:
    client = phone()
    rows = Ledger(client, newest=8)
    await rows.refresh()
    await rows.more()
    rows.newest = newest
    await rows.refresh()
    assert (rows.shown.value, rows.has_more) == (down(newest, newest - 2), True)
    assert Ledger(client).shown.value == down(newest, newest - 2)
    await rows.more()
    assert rows.shown.value == down(newest, newest - 5)


async def test_what_changes_older_items_ends_them_on_every_screen(phone: Phone) -> None:
    client = phone()
    rows, other = Ledger(client), Ledger(client)
    await rows.refresh()
    await rows.more()
    assert other.shown.value == down(8, 3)
    rows.newest = OVERTURNS
    await rows.refresh()
    assert rows.shown.value == other.shown.value == Ledger(client).shown.value == down(10, 8)


async def test_what_is_kept_has_a_bound_however_often_it_is_refreshed(phone: Phone) -> None:
    client = phone()
    rows = Ledger(client, newest=20)
    await rows.refresh()
    while rows.has_more:
        await rows.more()
    assert rows.shown.value == down(20)
    assert len(Ledger(client).shown.value or ()) == 6
    for newest in range(21, 60):
        rows.newest = newest
        await rows.refresh()
        assert rows.shown.value == down(newest)
        kept = Ledger(client).shown.value or ()
        assert kept == down(newest, newest - len(kept) + 1)
        assert PAGE <= len(kept) <= rows.kept_most
        assert stored(client) <= rows.kept_most


def stored(client: Client) -> int:
    """Rows of the phone's cache."""
    row = client.store.database.row("SELECT count(*) AS n FROM cache")
    return 0 if row is None else int(row["n"])


async def test_who_has_scrolled_far_stays_there_when_another_screen_asks(phone: Phone) -> None:
    client = phone()
    far, near = Ledger(client, newest=20), Ledger(client, newest=21)
    await far.refresh()
    while far.has_more:
        await far.more()
    await near.refresh()
    assert far.shown.value == down(21)
    assert (near.shown.value, near.has_more) == (down(21, 15), True)
    await near.more()
    assert near.shown.value == down(21, 12)


async def test_a_page_that_is_missing_ends_what_is_kept(phone: Phone) -> None:
    client = phone()
    rows = Ledger(client, newest=8)
    await rows.refresh()
    await rows.more()
    client.store.tidy(client.clock.now() - timedelta(days=1))
    assert Ledger(client).shown.value == down(8, 3)
    with client.store.database.change() as change:
        change.execute("DELETE FROM cache WHERE key = 'rows#6'")
    again = Ledger(client)
    assert (again.shown.value, again.has_more) == (down(8, 6), True)


async def test_what_another_version_kept_is_passed_over(phone: Phone) -> None:
    client = phone()
    client.store.cache_put("rows", [3, 2, 1], client.clock.now())
    assert Rows(client).shown.phase == "loading"


async def test_a_full_phone_still_shows_what_came(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    client = phone()

    def full(*_: object, **__: object) -> None:
        raise StoreFull("no room")

    rows = Rows(client)
    monkeypatch.setattr(client.store, "pages_put", full)
    await rows.refresh()
    monkeypatch.setattr(client.store, "cache_put", full)
    await rows.more()
    assert rows.shown.value == down(8, 3)
    assert rows.shown.problem is not None
    assert rows.shown.problem.code == "store_full"


async def test_what_is_gone_is_taken_out_everywhere(phone: Phone) -> None:
    client = phone()
    rows, other = Rows(client), Rows(client)
    await rows.refresh()
    await rows.more()
    rows.take_out(lambda one: one in (8, 4))
    rows.take_out(lambda one: one == 4)
    assert rows.shown.value == other.shown.value == Rows(client).shown.value == (7, 6, 5, 3)
    await rows.more()
    assert rows.shown.value == (7, 6, 5, 3, 2, 1, 0)


async def test_a_page_that_comes_for_somebody_else_is_dropped(phone: Phone) -> None:
    client = phone()
    rows = Rows(client)
    await rows.refresh()
    fetch_page = rows.fetch_page

    async def while_others_sign_in(cursor: int | None) -> tuple[tuple[int, ...], int | None]:
        client.store.account = "li"
        client.session.changed.emit()
        return await fetch_page(cursor)

    rows.fetch_page = while_others_sign_in  # type: ignore[method-assign]
    await rows.more()
    assert (rows.shown.value, rows.has_more, rows.is_loading_more) == (None, False, False)
    assert Rows(client).shown.value is None


def test_joining() -> None:
    assert joined((), (), (3, 2), ((2, 2),)) is None
    assert joined((4, 3), ((2, 3),), (3, 2), ((2, 2),)) == ((4, 3, 2), ((2, 3), (3, 2)))
    assert joined((4, 3), ((2, 3),), (4, 3), ((2, 3),)) == ((4, 3), ((2, 3),))
    assert joined((4, 3), ((2, None),), (3, 2), ((2, 2),)) is None
