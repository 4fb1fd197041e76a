"""What forms offer: owns the names of codes (gates, purposes, classes), also without a network."""

from __future__ import annotations

from collections.abc import Iterable

from mobile.core.api.permits import Choice, ClassChoice, EmissionChoice, FormChoices, Words
from mobile.core.shown import Model
from mobile.core.words import Words as Speech

Named = Choice | ClassChoice | EmissionChoice


class Choices(Model[FormChoices]):
    """The lists of the form; they change with the rules, seldom."""

    cache_key = "choices"
    answer = FormChoices
    fresh_s = 600.0

    async def fetch(self) -> FormChoices:
        """From the server."""
        return await self.client.api.permits.choices()

    def of(self, name: str) -> tuple[Named, ...]:
        """One list by its name in `FormChoices`; empty while nothing was ever heard."""
        return () if self.shown.value is None else getattr(self.shown.value, name)

    def options(self, name: str) -> list[tuple[str, str]]:
        """Codes and names, as widgets take them."""
        return [(one.code, self._said(one.words)) for one in self.of(name)]

    def name(self, name: str, code: str | None) -> str:
        """What a code of a list is called; the code itself where nobody named it, "" for none."""
        found = next((one for one in self.of(name) if one.code == code), None)
        return (code or "") if found is None else self._said(found.words)

    def gates(self, codes: Iterable[str]) -> str:
        """Gates in a line."""
        return self._speech.both("、", ", ").join(self.name("gates", one) for one in codes)

    def permit_class(self, code: str) -> ClassChoice | None:
        """The limits of one class."""
        return next((one for one in self.of("permit_classes") if one.code == code), None)  # type: ignore[return-value]

    def usual_per_100km(self, emission_class: str) -> str:
        """The usual consumption of a class as a number in words; "" where it is unknown."""
        found = next((one for one in self.of("emission_classes") if one.code == emission_class), None)
        return self._speech.trimmed(found.usual_per_100km, 1) if isinstance(found, EmissionChoice) else ""

    @property
    def _speech(self) -> Speech:
        return self.client.words

    def _said(self, words: Words) -> str:
        return self._speech.both(words.zh, words.en)
