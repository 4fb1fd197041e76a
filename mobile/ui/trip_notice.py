"""The strip that says on every screen that a trip waits for its end: owns when it is seen and what it says.

It knows what the phone remembers of trips; what was handed in renews that memory, see `mobile.core.models.scan`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobile.core.models.trips import remembered_running
from mobile.ui.kit import Banner
from mobile.ui.screens.trip_parts import icon_of, place

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.ui.router import Router

# These say it themselves.
SAID_BY_THEMSELVES = frozenset({"scan", "trips"})


class TripNotice(Banner):
    """For visitors; other roles have no trips."""

    def __init__(self, client: Client, router: Router) -> None:
        super().__init__(tone="accent", test_id="trip-notice")
        self._client, self._router = client, router
        self.bind(on_action=lambda _banner: router.go("scan", direction="end"))

    def is_due(self) -> bool:
        """Fill it; whether there is something to say beside the screen that is in front."""
        front, words = self._router.front, self._client.words
        if self._client.role != "visitor" or not self._client.session.is_signed_in:
            return False
        if front is None or front.name in SAID_BY_THEMSELVES:
            return False
        trip = remembered_running(self._client)
        if trip is None:
            return False
        self.icon = icon_of(trip.scene.code)
        self.text = words("Under way since {time}", time=words.time(trip.started_at))
        self.detail = words("From {place}. Scan where you get off.", place=place(words, trip.start_place))
        self.action_text = words("Scan")
        return True
