"""A comparison in words: owns the headline sentence, the difference bars and the bars of the months."""

from __future__ import annotations

from dataclasses import dataclass

from cloud_sync.server.console.energy_views import figure
from cloud_sync.server.console.energy_words import LIMIT
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words
from cloud_sync.server.records_whatif import Figure, WhatIfResult, YearSource
from control.energy.settings import EnergySettings

BAR_WIDTH = 224
CHART_WIDTH, CHART_BASE, CHART_TOP = 848, 258, 18
_LONGEST_FRAC = 0.3  # a difference of this share of what is now fills half the bar


@dataclass(frozen=True, slots=True)
class DifferenceBar:
    """A bar from the middle: `x` and `width` in pixels, `good` whether it is for the better; None: no difference."""

    x: float
    width: float
    good: bool | None


@dataclass(frozen=True, slots=True)
class MonthBar:
    """Two bars of one month, in pixels."""

    name: str
    x: float
    now_y: float
    now_height: float
    draft_y: float
    draft_height: float
    label: str


@dataclass(frozen=True, slots=True)
class MonthChart:
    """Bars with their grid: y and text of each line."""

    bars: tuple[MonthBar, ...]
    lines: tuple[tuple[float, str], ...]
    finding: str


def headline(words: Words, result: WhatIfResult) -> str:
    """What a year would be like, in one sentence."""
    bill, carbon, ride = (result.figure(key) for key in ("bill", "carbon", "ride"))
    parts = [
        _part(
            words, bill, N_("costs %(n)sk CNY more"), N_("costs %(n)sk CNY less"), 1 if words.language == "zh" else 10
        ),
        _part(words, carbon, N_("emits %(n)s t more"), N_("emits %(n)s t less")),
        _part(words, ride, N_("runs alone %(n)s h longer"), N_("runs alone %(n)s h less")),
    ]
    said = [one for one in parts if one]
    if not said:
        return words.gettext("Nothing changes over the year.")
    joined = words.gettext(", ").join(said)
    return words.gettext("A year %(what)s.") % {"what": joined}


def _part(words: Words, one: Figure, more: str, less: str, by: int = 1) -> str:
    """`by` turns the figure into the unit of the sentence: the bill is in 10,000 yuan, English says thousands."""
    if round(one.difference, one.digits) == 0:
        return ""
    number = figure(abs(one.difference) * by, one.digits if by == 1 else 0)
    return words.gettext(more if one.difference > 0 else less) % {"n": number}


def subline(words: Words, result: WhatIfResult, draft: EnergySettings) -> str:
    """What an avoided tonne costs beside what it is worth, and how much more the storage works."""
    parts = []
    if result.yuan_per_t is not None:
        price = draft.carbon_price_per_t
        sentence = (
            words.gettext("An avoided tonne costs %(n)s CNY, less than the %(p)s CNY you set.")
            if result.yuan_per_t <= price
            else words.gettext("An avoided tonne costs %(n)s CNY, more than the %(p)s CNY you set.")
        )
        parts.append(sentence % {"n": words.number(result.yuan_per_t), "p": words.number(price)})
    elif result.figure("carbon").difference < -0.5 and result.figure("bill").difference <= 0:
        parts.append(words.gettext("It saves carbon and money at once."))
    cycles = round(result.figure("cycles").difference)
    if cycles:
        sentence = (
            words.gettext("The storage cycles %(n)s times more a year.")
            if cycles > 0
            else words.gettext("The storage cycles %(n)s times less a year.")
        )
        parts.append(sentence % {"n": words.number(abs(cycles))})
    return ("" if words.language == "zh" else " ").join(parts)


def difference_bar(one: Figure) -> DifferenceBar:
    """By good or worse, not by direction."""
    half = BAR_WIDTH / 2
    if round(one.difference, one.digits) == 0:
        return DifferenceBar(half, 0, None)
    base = max(abs(one.now), abs(one.difference), 1e-9)
    width = max(2.0, min(1.0, abs(one.difference) / base / _LONGEST_FRAC) * (half - 8))
    return DifferenceBar(half if one.difference > 0 else half - width, width, one.difference * one.better > 0)


def month_chart(words: Words, result: WhatIfResult) -> MonthChart:
    """Carbon of each month: dashed what is now, filled the draft."""
    top = max((max(one.now_t, one.draft_t) for one in result.months), default=1.0) or 1.0
    step = next(one for one in (10, 20, 25, 50, 100, 200, 250, 500, 1000, 5000, 50000) if top / one <= 5)
    scale = (CHART_BASE - CHART_TOP) / max(top, step * 4)
    pitch = (CHART_WIDTH - 56) / max(1, len(result.months))
    bars = []
    for place, one in enumerate(result.months):
        now, draft = max(0.0, one.now_t) * scale, max(0.0, one.draft_t) * scale
        label = words.gettext("%(month)s: now %(now)s t, draft %(draft)s t") % {
            "month": one.month,
            "now": words.number(one.now_t),
            "draft": words.number(one.draft_t),
        }
        name = _month(words, one.month)
        x = 58 + place * pitch
        bars.append(MonthBar(name, x, CHART_BASE - now, now, CHART_BASE - draft, draft, label))
    lines = tuple(
        (CHART_BASE - level * step * scale, str(level * step)) for level in range(int(max(top, step * 4) / step) + 1)
    )
    finding = "; ".join(one.label for one in bars)
    return MonthChart(tuple(bars), lines, finding)


def _month(words: Words, month: str) -> str:
    number = int(month[5:7])
    return f"{number} 月" if words.language == "zh" else _MONTHS[number - 1]


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def source_sentence(words: Words, source: YearSource, number: int) -> str:
    """Which year was replayed; a simulated one is never taken for a measured one."""
    values = {"n": number, "first": source.first_month, "last": source.last_month}
    if source.kind == "measured":
        sentence = words.gettext("against v%(n)s in force, replayed over our own %(first)s to %(last)s") % values
        if source.filled_frac >= 0.001:
            filled = words.percent(source.filled_frac, 1)
            sentence += words.gettext(" (%(p)s filled from the nearest days)") % {"p": filled}
        return sentence
    return words.gettext("against v%(n)s in force, replayed over a simulated year: too little is measured yet") % values


def limits_line(words: Words, result: WhatIfResult) -> tuple[bool, str, str]:
    """Whether all are kept, the count in a sentence, and their names; broken ones first."""
    broken = [one for one in result.limits if not one.kept]
    names = " · ".join(words.gettext(LIMIT[one.key]) for one in (*broken, *(x for x in result.limits if x.kept)))
    if not broken:
        sentence = words.gettext("%(n)d limits kept all year") % {"n": len(result.limits)}
        return True, sentence, names
    count = {"n": len(broken), "m": len(result.limits)}
    broken_names = " · ".join(words.gettext(LIMIT[one.key]) for one in broken)
    return False, words.gettext("%(n)d of %(m)d limits not kept") % count, broken_names
