"""What the app says: owns the language, switched while it runs, and how numbers, times and amounts are written.

Sentences in the code are English; their Chinese ones stand in gettext files, one of each owner. A missing one is shown
in English. Times are shown as they are on the island, wherever the phone is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any, Protocol

from mobile.core.signal import Signal

LANGUAGES = ("zh", "en")
DOMAINS = ("app", "visitor", "driver")
LOCALE = Path(__file__).parents[1] / "locale"
# Hainan keeps one time all year (GB 28-2000 zone +8, no summer time since 1991); phones carry no zone files.
ISLAND_ZONE = timezone(timedelta(hours=8), "UTC+8")
MISSING = "—"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUS = "−"


def N_(message: str) -> str:
    """Marks a sentence that is looked up later."""
    return message


class TwoSided(Protocol):
    """A record of the server that is said in both languages."""

    @property
    def zh(self) -> str:
        """In Chinese."""
        ...

    @property
    def en(self) -> str:
        """In English."""
        ...


def load_catalogue(language: str, folder: Path = LOCALE) -> NullTranslations:
    """The sentences of a language from all domains; English is what the code says."""
    if language == "en":
        return NullTranslations()
    whole: NullTranslations = NullTranslations()
    for domain in DOMAINS:
        with (folder / language / "LC_MESSAGES" / f"{domain}.mo").open("rb") as file:
            part = GNUTranslations(file)
        part.add_fallback(whole)
        whole = part
    return whole


class Words:
    """`words("Sign in")` says it; `now` gives the time that ages and days are told from."""

    def __init__(self, language: str, now: Callable[[], datetime], zone: timezone = ISLAND_ZONE) -> None:
        self.changed = Signal()
        self._now = now
        self._zone = zone
        self._language = language
        self._catalogue = load_catalogue(language)

    @property
    def language(self) -> str:
        """`zh` or `en`."""
        return self._language

    @language.setter
    def language(self, language: str) -> None:
        if language != self._language:
            self._catalogue = load_catalogue(language)
            self._language = language
            self.changed.emit()

    def __call__(self, message: str, **values: Any) -> str:
        """The sentence, with `{name}` filled in."""
        said = self._catalogue.gettext(message)
        return said.format(**values) if values else said

    def n(self, one: str, many: str, count: int, **values: Any) -> str:
        """The sentence for so many; `{n}` is the number as it is written."""
        return self._catalogue.ngettext(one, many, count).format(n=self.number(count), **values)

    def both(self, zh: str, en: str) -> str:
        """One of two that somebody else wrote."""
        return zh if self._language == "zh" else en

    def said(self, record: TwoSided) -> str:
        """A sentence of the server."""
        return self.both(record.zh, record.en)

    # ------------------------------------------------------------ numbers

    def number(self, value: float | Decimal | None, digits: int = 0) -> str:
        """With thousands apart and a real minus; None is "—"."""
        if value is None:
            return MISSING
        step = Decimal(1).scaleb(-digits)
        exact = Decimal(str(value)).quantize(step, rounding=ROUND_HALF_UP)
        return f"{exact + 0:,f}".replace("-", _MINUS)

    def trimmed(self, value: Decimal | None, digits: int) -> str:
        """The same without zeros at the end."""
        said = self.number(value, digits)
        return said.rstrip("0").rstrip(".") if "." in said else said

    def percent(self, frac: float | None, digits: int = 0) -> str:
        """0.5 is 50%."""
        return MISSING if frac is None else f"{self.number(Decimal(str(frac)) * 100, digits)}%"

    def points(self, points: int | None) -> str:
        """Points with their unit."""
        if points is None:
            return MISSING
        return self.n("{n} point", "{n} points", points)

    def grams(self, grams: int | None) -> str:
        """Grams as g, kg or t, to three figures; "1.24 kg"."""
        if grams is None:
            return MISSING
        size = abs(grams)
        if size < 1000:
            return f"{self.number(grams)} g"
        if size < 1_000_000:
            return f"{self._three(Decimal(grams) / 1000)} kg"
        return f"{self._three(Decimal(grams) / 1_000_000)} t"

    def _three(self, value: Decimal) -> str:
        return self.number(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)

    def distance(self, metres: float | None) -> str:
        """Metres, or kilometres from one on, to three figures and without zeros at the end: "2.6 km"."""
        if metres is None:
            return MISSING
        whole = Decimal(str(metres)).quantize(Decimal(1), ROUND_HALF_UP)
        if abs(whole) < 1000:
            return self("{n} m", n=self.number(whole))
        km = whole / 1000
        return self("{n} km", n=self.trimmed(km, 2 if abs(km) < 10 else 1 if abs(km) < 100 else 0))

    def fen(self, fen: int | None) -> str:
        """Money; "¥12.50"."""
        return MISSING if fen is None else f"¥{self.number(Decimal(fen) / 100, 2)}"

    # ------------------------------------------------------------ times

    def local(self, at: datetime) -> datetime:
        """The island's time of day."""
        return at.astimezone(self._zone)

    def today(self) -> date:
        """The island's day."""
        return self.local(self._now()).date()

    def time(self, at: datetime | None) -> str:
        """ "10:42"."""
        return MISSING if at is None else f"{self.local(at):%H:%M}"

    def day(self, on: datetime | date | None) -> str:
        """ "11月21日" or "21 Nov"; another year is named, today and its neighbours by their names."""
        if on is None:
            return MISSING
        day = self.local(on).date() if isinstance(on, datetime) else on
        near = {0: N_("today"), -1: N_("yesterday"), 1: N_("tomorrow")}.get((day - self.today()).days)
        return self(near) if near else self.date(day)

    def date(self, on: datetime | date | None) -> str:
        """The same without names of days."""
        if on is None:
            return MISSING
        day = self.local(on).date() if isinstance(on, datetime) else on
        has_year = day.year != self.today().year
        if self._language == "zh":
            return (f"{day.year}年" if has_year else "") + f"{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if has_year else "")

    def when(self, at: datetime | None) -> str:
        """The time, with the day in front where it is not today."""
        if at is None:
            return MISSING
        if self.local(at).date() == self.today():
            return self.time(at)
        return f"{self.day(at)} {self.time(at)}"

    def stamp(self, at: datetime | None) -> str:
        """For papers and histories: "2026-11-21 10:42"."""
        return MISSING if at is None else f"{self.local(at):%Y-%m-%d %H:%M}"

    def duration(self, seconds: float | None) -> str:
        """The two largest parts: "2 h 14 min", "3 d 5 h"."""
        if seconds is None:
            return MISSING
        minutes, s = divmod(int(max(0.0, seconds)), 60)
        hours, m = divmod(minutes, 60)
        d, h = divmod(hours, 24)
        parts = ((d, N_("{count} d")), (h, N_("{count} h")), (m, N_("{count} min")), (s, N_("{count} s")))
        first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
        shown = [part for part in parts[first : first + 2] if part[0] or part is parts[first]]
        shown = [part for part in shown if part is not parts[3] or first == 3]  # no seconds beside minutes
        return " ".join(self(text, count=count) for count, text in shown)

    def age(self, seconds: float | None) -> str:
        """How long ago: "just now", "2 min ago"; the largest part alone."""
        if seconds is None:
            return MISSING
        if seconds < 60:
            return self(N_("just now"))
        minutes = int(seconds // 60)
        if minutes < 60:
            return self("{count} min ago", count=minutes)
        if minutes < 24 * 60:
            return self("{count} h ago", count=minutes // 60)
        return self("{count} d ago", count=minutes // (24 * 60))

    def left(self, until: datetime | None) -> str:
        """How long something still holds; "over" afterwards."""
        if until is None:
            return MISSING
        left_s = (until.astimezone(UTC) - self._now()).total_seconds()
        return self("over") if left_s <= 0 else self.duration(left_s)
