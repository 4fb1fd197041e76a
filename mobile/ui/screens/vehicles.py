"""One's vehicles: owns the list that forms begin with."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.api.permits import VehicleRecord
from mobile.core.models.choices import Choices
from mobile.core.models.vehicles import Vehicles as VehiclesModel
from mobile.ui.kit import EmptyState, IconButton, PressCard, Section, Tag, Text
from mobile.ui.screens.page import Page
from mobile.ui.screens.permit_parts import plate_line


class Vehicles(Page):
    """Reached from Me."""

    def opened(self) -> None:
        self._vehicles, self._choices = VehiclesModel(self.client), Choices(self.client)
        self.watch(self._vehicles.changed)
        self.watch(self._choices.changed)

    @property
    def model(self) -> VehiclesModel:
        return self._vehicles

    @property
    def title(self) -> str:
        return self.words("My vehicles")

    def on_shown(self) -> None:
        self.run(self._vehicles.refresh())
        self.run(self._choices.refresh_if_old())

    def closed(self) -> None:
        self._vehicles.close()
        self._choices.close()

    def actions(self) -> Sequence[Widget]:
        add = IconButton(icon="plus", label=self.words("Add a vehicle"), tone="accent", test_id="add-vehicle")
        add.bind(on_release=lambda _button: self.go("vehicle"))
        return [add]

    def parts(self) -> Sequence[Widget]:
        words, shown = self.words, self._vehicles.shown
        if shown.value is None:
            return self.waiting_for(self._vehicles)
        if not shown.value:
            text = words("A vehicle that stands here fills in the form by itself.")
            state = EmptyState(icon="truck", title=words("No vehicle yet"), text=text, test_id="empty")
            state.action_text = words("Add a vehicle")
            state.bind(on_action=lambda _state: self.go("vehicle"))
            return [state]
        age = self.age_of(self._vehicles)
        aged: list[Widget] = [Section(title=words("Vehicles"), note=age, icon="history")] if age else []
        return [*aged, *map(self._card, shown.value)]

    def _card(self, one: VehicleRecord) -> Widget:
        words, card = self.words, PressCard(test_id=f"vehicle-{one.plate}")
        tag = Tag(text=words("Licence seen"), tone="admit", icon="badge-check")
        if one.confirmed_at is None:
            tag = Tag(text=words("Licence not seen yet"), tone="plain", icon="hourglass")
        card.add_widget(plate_line(words, one.plate, one.plate_colour, tag))
        kinds = (self._choices.name("emission_classes", one.emission_class), self._choices.name("drives", one.drive))
        about = " · ".join(filter(None, (one.name, *kinds)))
        card.add_widget(Text(text=about, style="small", tone="ink2"))
        card.bind(on_release=lambda _card: self.go("vehicle", vehicle_id=one.vehicle_id))
        return card
