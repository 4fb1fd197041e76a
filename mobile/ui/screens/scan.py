"""Scanning: owns the camera's screen, and what follows from a code that was read, typed or found in a photo.

A code is in the phone's memory before anything is said of it; what comes from the server replaces "saved" in the same
sheet. While a sheet is open nothing more is read.
"""

from __future__ import annotations

import asyncio
from typing import Any

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from mobile.core.errors import StoreError
from mobile.core.models.scan import Kept, NotOurs, Outcome, OutcomeState, Scans
from mobile.core.models.scan_codes import CodeKind, ReadCode, scanned, typed
from mobile.core.models.scan_words import Told, not_ours, outcome
from mobile.core.models.trips import Trips
from mobile.core.shown import trouble_of
from mobile.core.words import N_
from mobile.ports.build import LOOK_EVERY_S
from mobile.ports.camera import CameraState
from mobile.ports.files import FileUnreadable, Kind
from mobile.ports.pictures import PictureLimits, PictureProblem, frames_of
from mobile.ports.reader import codes, meant
from mobile.ui.kit import Across, ChoiceCircle, Column, IconButton, Sheet, Viewfinder
from mobile.ui.picture_words import picture_problem
from mobile.ui.screen import AppScreen
from mobile.ui.screens.scan_parts import CameraMessage, DarkPill, LightText, UnderSheet, WhiteSheet, standing
from mobile.ui.screens.scan_sheets import ResultSheet, TypeSheet
from mobile.ui.screens.scan_view import CameraPicture

PICTURE_EVERY_S = 1 / 20
# Longest sides at which a chosen photo is looked at: quick first, then as sharp as it is.
PHOTO_SIDES_PX = (1_200, 2_400)
BUZZ_MS = 40
WHOLE = {"x": 0, "y": 0}
_ANYWHERE = N_("On shuttles, bikes, recycling machines and cup counters")
# Scene of the tile that was pressed -> where its code is found.
_WHERE = {
    "shuttle": N_("The code is on the screen inside the shuttle, beside the door."),
    "shared_bike": N_("The code is on the bike, beside its lock."),
    "recycling": N_("The machine shows its code once you have put something in."),
    "reusable_cup": N_("The code is on the screen at the counter, once you have ordered."),
}


class Scan(AppScreen):
    """`given`: `direction` "end" when it was opened to end a trip; `scene` of the act that is meant."""

    has_bar = False
    tells_network = True

    def opened(self) -> None:
        self.scans, self.trips = Scans(self.client), Trips(self.client)
        self.watch(self.scans.changed, self._outbox_changed)
        self.watch(self.client.network.changed, self._redraw_if_changed)
        self.watch(self.trips.changed, self._redraw_if_changed)
        self._drawn: tuple[Any, ...] = ()
        self._camera = self.app.ports.camera
        self._picture: CameraPicture | None = None
        self._sheet: Sheet | None = None
        self._entry_id: int | None = None
        self._last_text = ""
        self._is_lit = False
        self._looking: asyncio.Task[None] | None = None
        self._refreshing = Clock.schedule_interval(self._refresh_picture, PICTURE_EVERY_S)
        self._refreshing.cancel()

    # ------------------------------------------------------------ course

    def on_shown(self) -> None:
        self._camera.start()
        self._refreshing()
        self._looking = self.run(self._look())
        self.run(self.scans.refresh())
        # What the phone remembers; asking here could bring an answer from before the code that is read meanwhile.
        self.trips.load()

    def on_hidden(self) -> None:
        self._refreshing.cancel()
        if self._looking is not None:
            self._looking.cancel()
        self._camera.stop()
        self._is_lit = False

    def closed(self) -> None:
        self.scans.close()
        self.trips.close()

    def _refresh_picture(self, _elapsed_s: float) -> None:
        self._redraw_if_changed()
        if self._picture is not None:
            self._picture.take(self._camera)

    async def _look(self) -> None:
        async for text in codes(self._camera, self.app.ports.reader, every_s=LOOK_EVERY_S):
            if self._sheet is None and text != self._last_text:
                self._last_text = text
                self.app.ports.vibration.buzz(BUZZ_MS)
                self._met(scanned(text))

    # ------------------------------------------------------------ codes

    def _met(self, code: ReadCode) -> None:
        """Keep it, then tell it."""
        try:
            found = self.scans.take(code, direction=self.given.get("direction"))
        except StoreError as error:
            trouble = trouble_of(error)
            title, text = trouble.sentence(self.words), trouble.advice(self.words)
            self._tell(Told(title, text, "octagon-x", "refuse"), ("again",))
            return
        match found:
            case NotOurs(kind):
                self._tell(not_ours(self.words, kind), ("again", "type"))
            case Kept(entry_id, is_again):
                self._tell_kept(entry_id, is_again)

    def _tell_kept(self, entry_id: int, is_again: bool) -> None:
        """At once what is known: that it is kept. The answer comes into the same sheet."""
        self._entry_id = entry_id
        now = self.scans.now(entry_id)
        if now is not None:
            self._tell(outcome(self.words, now, is_again=is_again), _actions(now))

    def _outbox_changed(self) -> None:
        """The answer to the code whose sheet is open may be there."""
        entry_id = self._entry_id
        now = None if entry_id is None else self.scans.now(entry_id)
        self._redraw_if_changed()
        if now is None or now.state is OutcomeState.WAITING:
            return
        self._entry_id = None
        if self._sheet is not None:
            self._tell(outcome(self.words, now), _actions(now))
        if now.is_trip:
            self.trips.load()

    def _tell(self, told: Told, actions: tuple[str, ...]) -> None:
        """A sheet in the place of the one that is open."""
        before = self._sheet
        sheet = ResultSheet(self.words, told, then=self._then, actions=actions)
        sheet.bind(on_closed=self._sheet_closed)
        self._sheet = sheet
        sheet.open(self)
        if before is not None:
            before.close()

    def _sheet_closed(self, sheet: Sheet) -> None:
        if sheet is self._sheet:
            self._sheet, self._entry_id = None, None

    def _then(self, action: str) -> None:
        match action:
            case "trip":
                self.go("trips")
            case "type":
                self._type()
            case "appeal":
                self.go("trips")
            case _:
                self._last_text = ""

    # ------------------------------------------------------------ other ways

    def _type(self) -> None:
        sheet = TypeSheet(self.words, then=self._typed)
        sheet.bind(on_closed=self._sheet_closed)
        self._sheet = sheet
        sheet.open(self)

    def _typed(self, text: str) -> str:
        code = typed(text)
        if code.kind in (CodeKind.INCOMPLETE, CodeKind.FOREIGN):
            return not_ours(self.words, CodeKind.INCOMPLETE).text
        self._met(code)
        return ""

    async def _choose_photo(self) -> None:
        try:
            given = await self.app.ports.files.choose(Kind.PICTURE)
        except FileUnreadable:
            self.say(self.words("This file cannot be read. Choose another one."), icon="file-x")
            return
        if given is None:
            return
        found = await asyncio.to_thread(self._read_photo, given.content)
        match found:
            case PictureProblem():
                self.say(picture_problem(self.words, found), icon="image")
            case None:
                self.say(self.words("There is no square code in this picture. Choose a sharper one."), icon="image")
            case _:
                self._met(scanned(found))

    def _read_photo(self, content: bytes) -> str | PictureProblem | None:
        frames = frames_of(content, PictureLimits(), PHOTO_SIDES_PX)
        if isinstance(frames, PictureProblem):
            return frames
        texts = (meant(self.app.ports.reader.read(frame)) for frame in frames)
        return next((text for text in texts if text is not None), None)

    def _switch_light(self) -> None:
        self._is_lit = self._camera.light(not self._is_lit)
        self._redraw_if_changed()

    # ------------------------------------------------------------ widgets

    def _facts(self) -> tuple[Any, ...]:
        """What the widgets are built from; a finger may be on them, so they are built again for a change alone."""
        camera, is_offline = self._camera, self.client.network.online is False
        return camera.state, camera.has_light, self._is_lit, is_offline, self.trips.running(), self.scans.waiting_codes

    def _redraw_if_changed(self) -> None:
        if self._facts() != self._drawn:
            self.redraw()

    def build(self) -> Widget:
        self._drawn = self._facts()
        bottom = self._bottom()
        upper = FloatLayout()
        self._picture = CameraPicture(pos_hint=WHOLE)
        self._picture.take(self._camera)
        upper.add_widget(self._picture)
        if self._camera.state is CameraState.ON:
            upper.add_widget(Viewfinder(pos_hint=WHOLE, test_id="viewfinder"))
            upper.add_widget(self._hint())
        else:
            message = CameraMessage(
                self.words, self._camera.state, try_again=self._camera.start, settings=self._settings
            )
            upper.add_widget(message)
        upper.add_widget(self._top())
        return UnderSheet(upper, bottom)

    def _settings(self) -> bool:
        return self._camera.open_settings()

    def _top(self) -> Widget:
        line = Across(pos_hint={"top": 1}, padding=(dp(16), dp(12)), spacing=dp(12))
        close = IconButton(icon="x", label=self.words("Close"), tone="onhero", ground="scrim", test_id="scan-close")
        close.bind(on_release=lambda _button: self.back())
        line.add_widget(close)
        line.add_widget(Widget())
        if self.client.network.online is False:
            line.add_widget(DarkPill(icon="cloud-off", text=self.words("No network needed to scan")))
        return line

    def _hint(self) -> Widget:
        hint = Column(pos_hint={"top": 1}, padding=(dp(24), dp(178 + 260 + 28), dp(24), 0), spacing=dp(2))
        hint.add_widget(LightText(text=self.words("Point at the code"), style="lead", halign="center"))
        where = self.words(_WHERE.get(self.given.get("scene", ""), _ANYWHERE))
        hint.add_widget(LightText(text=where, style="small", halign="center"))
        return hint

    def _bottom(self) -> Widget:
        sheet = WhiteSheet(padding=(dp(20), dp(22), dp(20), dp(26)), spacing=dp(18))
        line = Across(spacing=dp(10))
        for icon, text, name, act in self._choices():
            circle = ChoiceCircle(icon=icon, text=text, test_id=name)
            circle.bind(on_release=lambda _circle, act=act: act())
            line.add_widget(circle)
        sheet.add_widget(line)
        told = standing(self.words, self.trips.running(), self.scans.waiting_codes)
        if told is not None:
            sheet.add_widget(told)
        return sheet

    def _choices(self) -> list[tuple[str, str, str, Any]]:
        found: list[tuple[str, str, str, Any]] = []
        if self._camera.has_light:
            icon = "flashlight-off" if self._is_lit else "flashlight"
            text = self.words("Light off") if self._is_lit else self.words("Light on")
            found.append((icon, text, "scan-light", self._switch_light))
        found.append(("image", self.words("From a photo"), "scan-photo", lambda: self.run(self._choose_photo())))
        found.append(("keyboard", self.words("Type the code"), "scan-type", self._type))
        return found


def _actions(found: Outcome) -> tuple[str, ...]:
    """What may be wanted next; the first is the filled button."""
    match found.state:
        case OutcomeState.TRIP_ENDED | OutcomeState.TRIP_STARTED:
            return ("trip", "again")
        case OutcomeState.REFUSED if found.event_id is not None:
            return ("again", "appeal")
        case OutcomeState.REFUSED | OutcomeState.NOT_TAKEN:
            return ("again", "type")
        case _:
            return ("again",)
