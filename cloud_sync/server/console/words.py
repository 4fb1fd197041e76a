"""Words, numbers and times as people read them: owns the catalogues and the formats of both languages.

English sentences stand in the code and are the keys; `locale/zh/LC_MESSAGES/` holds the Chinese ones, a file a subject.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES = ("zh", "en")
LOCALE_DIR = Path(__file__).with_name("locale")


@dataclass(frozen=True, slots=True)
class Words:
    """One language at one place: its catalogue, its time zone and a clock for "today"."""

    language: str
    catalogue: NullTranslations
    zone: ZoneInfo
    clock: Callable[[], datetime]

    @property
    def tag(self) -> str:
        """As in `<html lang>`."""
        return "zh-CN" if self.language == "zh" else "en-GB"

    def gettext(self, message: str) -> str:
        """The sentence in this language."""
        return self.catalogue.gettext(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The sentence for a count."""
        return self.catalogue.ngettext(one, many, count)

    def time(self, at: datetime | None, *, seconds: bool = True) -> str:
        """24 h clock; a day that is not today stands before it."""
        if at is None:
            return "—"
        local = at.astimezone(self.zone)
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        today = self.clock().astimezone(self.zone)
        return clock if local.date() == today.date() else f"{self.day(at)} {clock}"

    def clock_time(self, at: datetime) -> str:
        """Hours and minutes alone."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def day(self, at: datetime) -> str:
        """Month and day; the year where it is another one."""
        local = at.astimezone(self.zone)
        if local.year != self.clock().astimezone(self.zone).year:
            return f"{local:%Y-%m-%d}" if self.language == "zh" else f"{local.day} {local:%b %Y}"
        return f"{local:%m-%d}" if self.language == "zh" else f"{local.day} {local:%b}"

    def weekday(self, at: datetime) -> str:
        """The short name of the day."""
        return format_date(at.astimezone(self.zone).date(), "ccc", locale=self.language)

    def stamp(self, at: datetime) -> str:
        """Everything, for evidence."""
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"

    def window(self, start: datetime, end: datetime) -> str:
        """From and until; the day is said once where it is one day."""
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        if first.date() == last.date():
            return f"{self.day(start)} {first:%H:%M}–{last:%H:%M}"
        return f"{self.day(start)} {first:%H:%M} – {self.day(end)} {last:%H:%M}"

    def duration(self, seconds: float | None) -> str:
        """Seconds up to a minute, then minutes, hours with minutes, days with hours."""
        if seconds is None:
            return "—"
        minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
        if seconds < 60:
            return self.gettext("%(n)d s") % {"n": round(seconds)}
        if hours < 1:
            return self.gettext("%(n)d min") % {"n": minutes}
        if days < 1:
            return self.gettext("%(h)d h %(m)d min") % {"h": hours, "m": minutes % 60}
        return self.gettext("%(d)d d %(h)d h") % {"d": days, "h": hours % 24}

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share of one; missing stays missing."""
        return "—" if share is None else f"{share * 100:.{digits}f}%"

    def number(self, value: float | None) -> str:
        """Whole, with thousands apart; missing stays missing."""
        return "—" if value is None else f"{value:,.0f}".replace("-", "−")


def load_catalogue(language: str) -> NullTranslations:
    """The catalogue from its .po files; English is the language of the keys and needs none."""
    paths = sorted((LOCALE_DIR / language / "LC_MESSAGES").glob("*.po"))
    return compiled(paths, language) if paths else NullTranslations()


def compiled(paths: Iterable[Path], language: str) -> Translations:
    """.po files as one catalogue with the language's plurals, compiled in memory so that no build step is needed."""
    catalogue = Catalog(locale=language)
    for path in paths:
        with path.open("rb") as source:
            for message in read_po(source, locale=language):
                if message.id:
                    catalogue[message.id] = message
    target = io.BytesIO()
    write_mo(target, catalogue)
    target.seek(0)
    return Translations(target, domain="console")
