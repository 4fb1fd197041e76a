"""One vehicle: owns adding it, changing what it is, and taking it off the list."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.api.permits import VehicleRecord, VehicleWords
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.models.choices import Choices
from mobile.core.models.vehicles import Typed, Vehicles, typed
from mobile.core.shown import trouble_of
from mobile.ui.kit import Column, Dialog, Field, FilledButton, IconButton, OutlineButton, Text
from mobile.ui.screens.page import Page
from mobile.ui.screens.permit_parts import plate_line
from mobile.ui.screens.vehicle_fields import colour_field, colour_of, plate_field, vehicle_fields


class Vehicle(Page):
    """`given`: `vehicle_id` for one that is there."""

    has_bar = False

    def opened(self) -> None:
        self._vehicles, self._choices = Vehicles(self.client), Choices(self.client)
        self._old = next(
            (one for one in self._vehicles.shown.value or () if one.vehicle_id == self.given.get("vehicle_id")), None
        )
        self._form: dict[str, Any] = (
            _fields(self._old) if self._old else {"plate": "", "plate_colour": "unknown", "name": ""}
        )
        self._asked, self._is_busy, self._problem = False, False, ""
        self.watch(self._choices.changed)

    @property
    def title(self) -> str:
        return self.words("Vehicle") if self._old else self.words("Add a vehicle")

    def on_shown(self) -> None:
        self.run(self._choices.refresh_if_old())

    def closed(self) -> None:
        self._vehicles.close()
        self._choices.close()

    # ------------------------------------------------------------ widgets

    def actions(self) -> Sequence[Widget]:
        if self._old is None:
            return ()
        remove = IconButton(icon="trash-2", label=self.words("Remove"), tone="ink2", test_id="remove")
        remove.bind(on_release=lambda _button: self._ask_remove())
        return [remove]

    def parts(self) -> Sequence[Widget]:
        words, form = self.words, self._form
        if self._choices.shown.value is None:
            return self.waiting_for(self._choices)
        parts: list[Widget] = []
        if self._old is None:
            parts.append(plate_field(words, form, self._change, self.redraw, self._error("plate")))
            parts += colour_field(words, form, self._change)
        else:
            parts.append(plate_line(words, self._old.plate, self._old.plate_colour, Column()))
        parts += vehicle_fields(self, self._choices, form, self._change, self._error).values()
        name = Field(label=words("What you call it"), text=form["name"], max_chars=100, test_id="name")
        name.bind(on_typed=lambda _field, text: self._change(name=text))
        parts.append(name)
        if self._old is not None:
            apply = OutlineButton(text=words("Apply with this vehicle"), icon="plus", compact=True, test_id="apply")
            apply.bind(on_release=lambda _button: self.go("apply", form={k: v for k, v in form.items() if k != "name"}))
            parts.append(apply)
        return parts

    def footer(self) -> Widget:
        foot = Column(padding=(dp(20), dp(8), dp(20), dp(16)), spacing=dp(6))
        if self._problem:
            foot.add_widget(Text(text=self._problem, style="small", tone="refuse", test_id="problem"))
        save = FilledButton(text=self.words("Save"), icon="check", busy=self._is_busy, test_id="save")
        save.bind(on_release=lambda _button: self._save())
        foot.add_widget(save)
        return foot

    def _change(self, **fields: Any) -> None:
        self._form |= fields
        self._problem = ""

    def _wrong(self) -> tuple[str, ...]:
        wrong = [name for name in ("emission_class", "drive") if not self._form.get(name)]
        if self._old is None and typed(self._form["plate"]) is not Typed.GOOD:
            wrong.insert(0, "plate")
        return tuple(wrong)

    def _error(self, field: str) -> str:
        return self.words("This is needed.") if self._asked and field in self._wrong() else ""

    # ------------------------------------------------------------ acts

    def _save(self) -> None:
        if self._is_busy:
            return
        self._asked = True
        if not self._wrong():
            self._is_busy = True
            self.run(self._saved(), outlives=True)
        self.redraw()

    async def _saved(self) -> None:
        form, consumption = self._form, self._form.get("consumption_per_100km")
        words = VehicleWords(
            drive=form["drive"],
            plate_colour=colour_of(form["plate_colour"]),
            vehicle_type=form.get("vehicle_type") or "unknown",
            emission_class=form["emission_class"],
            consumption_per_100km=None if consumption in (None, "") else Decimal(str(consumption)),
            name=form["name"].strip(),
        )
        if self._old is None:
            work = self._vehicles.add(form["plate"], words)
        else:
            work = self._vehicles.change(self._old.vehicle_id, words)
        await self._done(work)

    async def _done(self, work: Any) -> None:
        try:
            await work
        except (ApiProblem, Offline, StoreError) as error:
            self._problem = trouble_of(error).said(self.words)
            if not self.is_shown:
                self.say(self._problem)
        else:
            if self.is_shown:
                self.back()
        finally:
            self._is_busy = False
            self.redraw()

    def _ask_remove(self) -> None:
        words = self.words
        text = words("Applications and visits of it stay as they are.")
        dialog = Dialog(title=words("Remove this vehicle?"), text=text, kind="refuse", test_id="remove-dialog")
        dialog.confirm_text, dialog.cancel_text = words("Remove"), words("Keep it")
        dialog.bind(on_confirm=lambda _dialog: self._remove())
        dialog.open(self)

    def _remove(self) -> None:
        assert self._old is not None
        if self._is_busy:
            return
        self._is_busy = True
        self.redraw()
        self.run(self._done(self._vehicles.remove(self._old.vehicle_id)), outlives=True)


def _fields(one: VehicleRecord) -> dict[str, Any]:
    return {
        "plate": one.plate,
        "plate_colour": one.plate_colour,
        "vehicle_type": one.vehicle_type,
        "emission_class": one.emission_class,
        "drive": one.drive,
        "consumption_per_100km": None if one.consumption_per_100km is None else str(one.consumption_per_100km),
        "name": one.name,
    }
