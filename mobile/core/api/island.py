"""The island's API: owns that all calls of one app go through one caller.

A subject is loaded when it is first asked for: a visitor's app starts without the shapes of permits.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mobile.core.api.calling import Caller, Tokens
from mobile.core.api.wire import Wire

if TYPE_CHECKING:
    from mobile.core.api.carbon import Carbon
    from mobile.core.api.people import People
    from mobile.core.api.permits import Permits
    from mobile.core.api.points import Points
    from mobile.core.api.public import Public


class Api:
    """All calls, by subject. They raise ApiProblem (SignedOut, BadAnswer among them) or Offline, and nothing else."""

    def __init__(self, wire: Wire, tokens: Tokens) -> None:
        self._caller = Caller(wire, tokens)

    @cached_property
    def people(self) -> People:
        """Sign-in, one's own data, consents, guardians."""
        from mobile.core.api.people import People

        return People(self._caller)

    @cached_property
    def points(self) -> Points:
        """Points, codes, trips, catalogue."""
        from mobile.core.api.points import Points

        return Points(self._caller)

    @cached_property
    def permits(self) -> Permits:
        """Applications, passes, vehicles, visits."""
        from mobile.core.api.permits import Permits

        return Permits(self._caller)

    @cached_property
    def carbon(self) -> Carbon:
        """Emission of one's visits, papers."""
        from mobile.core.api.carbon import Carbon

        return Carbon(self._caller)

    @cached_property
    def public(self) -> Public:
        """What everybody may read."""
        from mobile.core.api.public import Public

        return Public(self._caller)

    async def close(self) -> None:
        """Ends with the app."""
        await self._caller.close()
