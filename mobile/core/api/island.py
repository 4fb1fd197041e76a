"""The island's API: owns that all calls of one app go through one caller."""

from __future__ import annotations

from mobile.core.api.calling import Caller, Tokens
from mobile.core.api.carbon import Carbon
from mobile.core.api.people import People
from mobile.core.api.permits import Permits
from mobile.core.api.points import Points
from mobile.core.api.public import Public
from mobile.core.api.wire import Wire


class Api:
    """All calls, by subject. They raise ApiProblem (SignedOut, BadAnswer among them) or Offline, and nothing else."""

    def __init__(self, wire: Wire, tokens: Tokens) -> None:
        self._caller = Caller(wire, tokens)
        self.people = People(self._caller)
        self.points = Points(self._caller)
        self.permits = Permits(self._caller)
        self.carbon = Carbon(self._caller)
        self.public = Public(self._caller)

    async def close(self) -> None:
        """Ends with the app."""
        await self._caller.close()
