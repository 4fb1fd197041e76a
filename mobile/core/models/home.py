"""A visitor's first screen: owns the account of today and what was earned, held or still waits today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mobile.core.api.parsing import Unreadable, parse, plain
from mobile.core.api.points import EarningRecord, PointsOfMe
from mobile.core.shown import Model

if TYPE_CHECKING:
    from mobile.core.client import Client

_EVENTS_MAX = 50


@dataclass(frozen=True, slots=True)
class Today:
    """The account and the newest acts, as one answer."""

    me: PointsOfMe
    events: tuple[EarningRecord, ...]


class Home(Model[Today]):
    """Points of the person who is signed in."""

    cache_key = "home"
    answer = Today
    # Scans, orders and goals of other screens change it at any moment: it is asked for whenever it is looked at.
    fresh_s = 0.0

    async def fetch(self) -> Today:
        """From the server."""
        me = await self.client.api.points.me()
        page = await self.client.api.points.events(limit=_EVENTS_MAX)
        return Today(me, page.events)

    def of_today(self) -> tuple[EarningRecord, ...]:
        """Acts that were handed in on the island's present day; yesterday's cache shows none."""
        if self.shown.value is None:
            return ()
        words = self.client.words
        return tuple(one for one in self.shown.value.events if words.local(one.claimed_at).date() == words.today())

    def is_of_today(self) -> bool:
        """Whether "today" of the kept account is still today."""
        seen_at = self.shown.seen_at
        return seen_at is not None and self.client.words.local(seen_at).date() == self.client.words.today()

    def goal_frac(self) -> float | None:
        """How much of the month's goal is reached, 0 to 1; None without a goal."""
        goal = None if self.shown.value is None else self.shown.value.me.goal
        if goal is None or goal.month_points <= 0:
            return None
        return min(1.0, max(0.0, goal.earned_points / goal.month_points))

    async def set_goal(self, month_points: int | None) -> None:
        """Sets the month's goal, or takes it away. Raises ApiProblem, Offline."""
        if month_points is None:
            await self.client.api.points.drop_goal()
        else:
            await self.client.api.points.set_goal(month_points)
        await self.refresh()


def take_off(client: Client, points: int, *, ordered_at: datetime) -> None:
    """Takes what was spent off the balance that every screen shows, until the server tells it anew. Raises StoreError.

    A balance that was heard after the order was made may have it in already, and stays.
    """
    kept = client.store.cache_get(Home.cache_key)
    if kept is None or kept[1] > ordered_at:
        return
    try:
        today: Today = parse(Today, kept[0])
    except Unreadable:
        return  # another version of the app kept it
    me = replace(today.me, available=today.me.available - points, balance=today.me.balance - points)
    client.store.cache_put(Home.cache_key, plain(replace(today, me=me)), kept[1])
