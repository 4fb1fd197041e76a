"""What the person has to do by when: owns the reminders, and which of them were read."""

from __future__ import annotations

from mobile.core.api.permits import ReminderRecord
from mobile.core.errors import ApiProblem, Offline
from mobile.core.shown import Model


class Reminders(Model[tuple[ReminderRecord, ...]]):
    """Reminders, as the server orders them."""

    cache_key = "reminders"
    answer = tuple[ReminderRecord, ...]

    async def fetch(self) -> tuple[ReminderRecord, ...]:
        """From the server."""
        return await self.client.api.permits.reminders()

    @property
    def unread(self) -> int:
        """How many nobody has read yet."""
        return sum(one.seen_at is None for one in self.shown.value or ())

    async def read(self, key: str) -> None:
        """The person has read it. Offline it stays unread, and is read again."""
        try:
            await self.client.api.permits.reminder_seen(key)
        except (ApiProblem, Offline):
            return
        await self.refresh()
