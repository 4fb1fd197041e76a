"""Declaring what a visit burnt: owns what is filled in, what is wrong with it, and what of it is sent."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mobile.core.errors import StoreError
from mobile.core.models.visits import OneVisit
from mobile.core.outbox import Entry
from mobile.core.typed import figure_of
from mobile.core.words import N_

# Names of the server; fuel in the unit of the fuel, ways in km, times in min.
FIGURES = ("fuel_used", "odometer_in_km", "odometer_out_km", "route_km", "idle_min")
PAPERS_MAX = 6


@dataclass
class Declaration:
    """What is filled in so far. Figures are as they were typed; what is left empty is not declared.

    `fuel` is what the visit's figure was computed with until somebody says another one.
    """

    typed: dict[str, str] = field(default_factory=lambda: dict.fromkeys(FIGURES, ""))
    fuel: str = ""
    is_fuel_said: bool = False
    papers: list[bytes] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, visit: OneVisit, again: Entry | None = None) -> Declaration:
        """The beginning of one for a visit; `again` is one that was not taken, to be put right."""
        record = visit.shown.value
        known = record.figure.fuel if record is not None and record.figure is not None else ""
        if again is None:
            return cls(fuel=known)
        told = again.body["evidence"]
        typed = {name: str(told.get(name, "")) for name in FIGURES}
        return cls(typed, told.get("fuel", known), "fuel" in told, list(visit.papers_of(again)))

    def say_fuel(self, fuel: str) -> None:
        """Another fuel than the one that is known, or the same one now confirmed."""
        self.fuel, self.is_fuel_said = fuel, True

    def figures(self) -> dict[str, Decimal]:
        """The figures that can be read."""
        found = {name: figure_of(text) for name, text in self.typed.items()}
        return {name: one for name, one in found.items() if one is not None}

    def mistakes(self) -> dict[str, str]:
        """By field, what is wrong with a figure."""
        figures = self.figures()
        found = {
            name: N_("A number is needed.") for name, text in self.typed.items() if text.strip() and name not in figures
        }
        came, left = figures.get("odometer_in_km"), figures.get("odometer_out_km")
        if came is not None and left is not None and left < came:
            found["odometer_out_km"] = N_("It cannot be less than on arrival.")
        return found

    def missing(self) -> str:
        """What has to be added before it can be sent; "" for nothing."""
        if not self.figures():
            return N_("Fill in at least one figure.")
        return "" if self.papers else N_("Add a photo that shows it.")

    def evidence(self) -> dict[str, Any]:
        """What is sent, by the server's names."""
        return {**self.figures(), **({"fuel": self.fuel} if self.fuel and self.is_fuel_said else {})}

    def hand_in(self, visit: OneVisit, again: Entry | None = None) -> None:
        """Keeps it, to be sent once, in the place of the one that was not taken. Raises StoreError."""
        visit.declare(self.evidence(), tuple(self.papers))
        if again is not None:
            # It is kept by now. The old one, where it cannot be forgotten, stands among what was not taken.
            with suppress(StoreError):
                visit.drop(again)
