"""Why the microgrid is run as it is: owns the sentences of a plan's reasons, their figures and their colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words
from cloud_sync.server.energy_flow import known
from cloud_sync.server.records_energy import BecauseRecord

_THIN = "\u2009"


@dataclass(frozen=True, slots=True)
class BecauseLine:
    """One reason as a page shows it. `tone` is the colour word of what acts, `good` whether the saving is one."""

    at: datetime
    until: datetime
    now: bool
    tone: str
    title: str
    text: str
    saved: str
    good: bool


# Code: what acts, title, sentence. The figures are the reason's `values`, formatted by the ending of their names.
SENTENCES: dict[str, tuple[str, str, str]] = {}


def because_line(words: Words, one: BecauseRecord, *, now: datetime, money: bool) -> BecauseLine:
    """A reason in words; a code that nobody wrote a sentence for is shown as it is, with its figures."""
    figures = {name: _figure(words, name, value) for name, value in one.values.items()}
    tone, title, text = SENTENCES.get(one.code, ("load", "", ""))
    saved, good = _saved(words, one, money=money)
    return BecauseLine(
        at=one.at,
        until=one.until,
        now=one.at <= now < one.until,
        tone=tone,
        title=_filled(words, title, figures) or one.code,
        text=_filled(words, text, figures) or " · ".join(f"{name} {value}" for name, value in figures.items()),
        saved=saved,
        good=good,
    )


def _filled(words: Words, sentence: str, figures: Mapping[str, str]) -> str:
    """ "" where there is no sentence, or it needs a figure that the gateway did not tell."""
    try:
        return words.gettext(sentence) % figures if sentence else ""
    except (KeyError, TypeError, ValueError):
        return ""


def _figure(words: Words, name: str, value: object) -> str:
    number = known(value)
    if number is None:
        return str(value)[:80]
    if name.endswith("_frac"):
        return words.percent(number)
    if name.endswith("_per_kwh"):
        return f"{number:.2f}"
    if name.endswith("_h"):
        return f"{number:.1f}"
    if name.endswith("_kw"):
        return words.number(abs(number))
    return words.number(number) if abs(number) >= 10 or number == int(number) else f"{number:.1f}"


def _saved(words: Words, one: BecauseRecord, *, money: bool) -> tuple[str, bool]:
    """What it saves against storage that rests: less is written with a minus, as on a bill."""
    value = one.cost_saved if money else one.carbon_saved_kg
    unit = words.gettext("CNY") if money else "kg"
    if abs(value) < 0.5:
        return "±0", False
    return f"{'−' if value > 0 else '+'}{words.number(abs(value))}{_THIN}{unit}", value > 0


__all__ = ["N_", "SENTENCES", "BecauseLine", "because_line"]
