"""The reports page in words and figures: owns its lines. A gap is called missing, never zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cloud_sync.server.carbon.feed import KindTold
from cloud_sync.server.carbon.inventory import Month, unheard
from cloud_sync.server.console.report_words import FEED, FEED_KIND
from cloud_sync.server.console.words import Words
from control.carbon.exact import GRAMS_PER_TONNE
from control.carbon.inventory import MonthInventory, period_total


@dataclass(frozen=True, slots=True)
class MonthLine:
    """One month of the table. `known` is the feed that is known least; `gaps` names those with gaps."""

    month: str
    over: bool
    fuel: str
    location: str
    market: str
    green: str
    solar: str
    exported: str
    sinks: str
    retired: str
    net: str | None
    known_net: str
    known: str
    gaps: str


@dataclass(frozen=True, slots=True)
class FeedLine:
    """How complete one kind of the feed is."""

    name: str
    hours: str
    silent: str
    known: str


def feed_lines(words: Words, told: Mapping[str, KindTold]) -> tuple[FeedLine, ...]:
    """The kinds of the feed; a gap, however small, stays below a hundred."""
    return tuple(
        FeedLine(
            name=words.gettext(FEED_KIND[kind]),
            hours=f"{words.number(one.hours)} / {words.number(one.hours_asked)}",
            silent=words.number(one.hours_silent),
            known=part(Decimal(str(one.known_frac))),
        )
        for kind, one in told.items()
    )


def lines(words: Words, months: Sequence[MonthInventory], this: Month) -> tuple[MonthLine, ...]:
    """The months, the newest first."""
    return tuple(_line(words, one, this) for one in reversed(months))


def _line(words: Words, one: MonthInventory, this: Month) -> MonthLine:
    month = Month(one.year, one.month)
    least, dark = min(feed.known_frac for feed in one.completeness), unheard(one)

    def told(feed: str, text: str) -> str:
        return words.gettext("missing") if feed in dark else text

    return MonthLine(
        month=str(month),
        over=month < this,
        fuel=told("fuel", kg(one.fuel_g)),
        location=told("grid_import", kg(one.grid_location_g)),
        market=told("grid_import", kg(one.grid_market_g)),
        green=kwh(one.green_kwh),
        solar=told("pv_used", kwh(one.pv_used_kwh)),
        exported=told("exported", kwh(one.exported_kwh)),
        sinks=told("sinks", kg(one.sinks_g)),
        retired=kg(one.retired_g),
        net=None if one.net_market_g is None else kg(one.net_market_g),
        known_net=kg(one.known_net_market_g),
        known=part(least),
        gaps="; ".join(
            f"{words.gettext(FEED[feed.feed])} {part(feed.known_frac)}"
            for feed in one.completeness
            if feed.known_frac < 1
        ),
    )


def finding(words: Words, months: Sequence[MonthInventory], year: int) -> str:
    """The year in a sentence."""
    told = [one for one in months if any(feed.known_frac > 0 for feed in one.completeness if feed.feed != "sinks")]
    if not told:
        return words.gettext("Nothing is known of %(year)d yet.") % {"year": year}
    total = period_total(told)
    if total.net_market_g is not None:
        sentence = words.gettext("%(year)d so far: %(t)s t CO₂e net by contract, in %(n)d whole months.")
        return sentence % {"year": year, "t": tonnes(total.net_market_g), "n": len(told)}
    sentence = words.gettext("%(year)d so far: %(t)s t CO₂e net of what is known. %(n)d months have gaps.")
    return sentence % {"year": year, "t": tonnes(total.known_net_market_g), "n": len(total.incomplete)}


def tonnes(grams: int) -> str:
    """Tonnes with two places and a true minus."""
    return f"{grams / GRAMS_PER_TONNE:,.2f}".replace("-", "−")


def kg(grams: int) -> str:
    """Whole kilograms from ten on, else with two places."""
    value = grams / 1000
    return (f"{value:,.0f}" if abs(value) >= 10 or not grams else f"{value:,.2f}").replace("-", "−")


def kwh(value: Decimal) -> str:
    """Whole kilowatt-hours."""
    return f"{value:,.0f}"


def part(frac: Decimal) -> str:
    """A part; a gap, however small, stays below a hundred."""
    return "100%" if frac >= 1 else f"{min(float(frac), 0.999):.1%}"
