"""How the island counts: owns the published rules, factors and formulas of the day, readable without a network."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.core.api.points import MethodRecord
from mobile.core.api.public import PublicMethods, PublicRules
from mobile.core.shown import Model


@dataclass(frozen=True, slots=True)
class RulesOfToday:
    """Rules of permits and points, factors, and the formulas of acts."""

    rules: PublicRules
    factors: PublicMethods
    methods: tuple[MethodRecord, ...]


class Rules(Model[RulesOfToday]):
    """Changes a few times in a year."""

    cache_key = "rules"
    answer = RulesOfToday
    fresh_s = 3600.0

    async def fetch(self) -> RulesOfToday:
        """From the server."""
        public = self.client.api.public
        return RulesOfToday(await public.rules(), await public.methods(), await self.client.api.points.methods())

    def method(self, key: str) -> MethodRecord | None:
        """The formula of one kind of act."""
        return next((one for one in self.shown.value.methods if one.key == key), None) if self.shown.value else None
