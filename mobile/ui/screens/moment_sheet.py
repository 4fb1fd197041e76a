"""Choosing a day and a time with the thumb: owns the month's page, the hours and minutes below it."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, datetime, timedelta

from kivy.graphics import Color, SmoothLine, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.gridlayout import GridLayout

from mobile.core.words import N_, Words
from mobile.ui.kit import Across, ChoiceGrid, Column, FilledButton, IconButton, NumberStepper, Sheet, Text
from mobile.ui.theme import theme
from mobile.ui.widgets.press import Press

WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
USUAL_HOURS = (6, 8, 12, 14, 18, 22)
MINUTE_STEP = 5
DAY_DP = 44


class MomentSheet(Sheet):
    """`then` is called with the local day and time that was chosen; `days` are the first and the last one allowed.

    `at` is local too. With `has_time` False only a day is asked for.
    """

    def __init__(
        self,
        words: Words,
        title: str,
        at: datetime,
        days: tuple[date, date],
        then: Callable[[datetime], None],
        *,
        has_time: bool = True,
    ) -> None:
        super().__init__(title=title, close_label=words("Close"), test_id="moment-sheet")
        self._words, self._then, self._days, self._has_time = words, then, days, has_time
        self._at = at.replace(second=0, microsecond=0)
        self._month = self._at.date().replace(day=1)
        self._head, self._grid = Across(), GridLayout(cols=7, size_hint_y=None, row_force_default=True)
        self._grid.row_default_height = dp(DAY_DP)
        self._grid.bind(minimum_height=self._grid.setter("height"))
        self._said = Text(style="section", halign="center", test_id="moment-said")
        self.body.spacing = dp(10)
        self.body.add_widget(self._head)
        self.body.add_widget(self._grid)
        if has_time:
            self.body.add_widget(self._times())
        self.body.add_widget(self._said)
        done = FilledButton(text=words("Take this"), icon="check", test_id="moment-done")
        done.bind(on_release=lambda _button: self._done())
        self.body.add_widget(done)
        self._build_month()
        self._tell()

    # ------------------------------------------------------------ the month

    def _build_month(self) -> None:
        words, first = self._words, self._month
        self._head.clear_widgets()
        for step, icon, label in (
            (-1, "chevron-left", words("Month before")),
            (1, "chevron-right", words("Next month")),
        ):
            button = IconButton(icon=icon, label=label, test_id=f"month{step:+d}")
            button.disabled = not self._has_days(_month_after(first, step))
            button.bind(on_release=lambda _button, step=step: self._turn(step))
            self._head.add_widget(button)
            if step < 0:
                name = f"{first.year}年{first.month}月" if words.language == "zh" else f"{first:%B %Y}"
                self._head.add_widget(Text(text=name, style="section", halign="center", pos_hint={"center_y": 0.5}))
        self._grid.clear_widgets()
        for name in WEEKDAYS:
            self._grid.add_widget(Text(text=words(name), style="caption", tone="ink3", halign="center"))
        for day in calendar.Calendar().itermonthdates(first.year, first.month):
            self._grid.add_widget(self._day(day))

    def _day(self, day: date) -> Day:
        shown = Day(day, is_chosen=day == self._at.date(), is_today=day == self._words.today())
        shown.disabled = day.month != self._month.month or not self._days[0] <= day <= self._days[1]
        shown.is_hidden = day.month != self._month.month
        shown.draw()
        shown.bind(on_release=lambda pressed: self._take_day(pressed.day))
        return shown

    def _has_days(self, first: date) -> bool:
        return first <= self._days[1] and _month_after(first, 1) > self._days[0]

    def _turn(self, step: int) -> None:
        self._month = _month_after(self._month, step)
        self._build_month()

    def _take_day(self, day: date) -> None:
        self._at = datetime.combine(day, self._at.time(), self._at.tzinfo)
        self._build_month()
        self._tell()

    # ------------------------------------------------------------ the time

    def _times(self) -> Column:
        column = Column(spacing=dp(6))
        chips = ChoiceGrid(options=[(str(one), f"{one:02}:00") for one in USUAL_HOURS], test_id="usual")
        chips.spacing = dp(6)
        chips.bind(value=lambda _chips, value: value and self._set(hour=int(value), minute=0))
        self._chips = chips
        line = Across(spacing=dp(16))
        words = self._words
        self._hours = NumberStepper(
            low=0, high=23, test_id="hour", less_label=words("Earlier"), more_label=words("Later")
        )
        self._minutes = NumberStepper(low=0, high=60 - MINUTE_STEP, step=MINUTE_STEP, test_id="minute")
        self._minutes.less_label, self._minutes.more_label = words("Earlier"), words("Later")
        self._hours.bind(value=lambda _stepper, value: self._set(hour=int(value)))
        self._minutes.bind(value=lambda _stepper, value: self._set(minute=int(value)))
        line.add_widget(self._hours)
        line.add_widget(self._minutes)
        column.add_widget(chips)
        column.add_widget(line)
        return column

    def _set(self, **parts: int) -> None:
        self._at = self._at.replace(**parts)
        self._tell()

    def _tell(self) -> None:
        if not self._has_time:
            self._said.text = self._words.date(self._at.date())
            return
        self._hours.value, self._minutes.value = self._at.hour, self._at.minute
        self._hours.label, self._minutes.label = f"{self._at.hour:02}", f"{self._at.minute:02}"
        self._chips.value = str(self._at.hour) if self._at.minute == 0 and self._at.hour in USUAL_HOURS else ""
        self._said.text = f"{self._words.date(self._at.date())} {self._at:%H:%M}"

    def _done(self) -> None:
        self.close()
        self._then(self._at)


class Day(Press, AnchorLayout):
    """One day of the month."""

    def __init__(self, day: date, *, is_chosen: bool, is_today: bool) -> None:
        super().__init__(test_id=f"day-{day.isoformat()}", label=str(day.day))
        self.day, self.is_chosen, self.is_today, self.is_hidden = day, is_chosen, is_today, False
        self.press_radius = [dp(DAY_DP / 2)]
        self._text = Text(halign="center", fit=True)
        self.add_widget(self._text)
        self.bind(pos=lambda *_: self.draw(), size=lambda *_: self.draw())

    def draw(self) -> None:
        """Its circle and its number."""
        self._text.text = "" if self.is_hidden else str(self.day.day)
        self._text.style = "strong" if self.is_chosen else "body"
        self._text.tone = "onaccent" if self.is_chosen else "ink3" if self.disabled else "ink"
        self.canvas.before.clear()
        if self.is_hidden or not (self.is_chosen or self.is_today):
            return
        side = dp(DAY_DP - 4)
        left, low = self.center_x - side / 2, self.center_y - side / 2
        with self.canvas.before:
            Color(*theme.accent)
            if self.is_chosen:
                SmoothRoundedRectangle(pos=(left, low), size=(side, side), radius=[side / 2])
            else:
                SmoothLine(rounded_rectangle=(left, low, side, side, side / 2), width=dp(0.6))


def _month_after(first: date, months: int) -> date:
    return (first + timedelta(days=31 if months > 0 else -1)).replace(day=1)
