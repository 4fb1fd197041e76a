"""The bars of a page: owns what stands at its top and at its bottom."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.widgets.base import Marked
from mobile.ui.widgets.press import Press


class TopBar(Marked, BoxLayout):
    """The page's title with the way back at its left; what is added stands at its right."""

    title = StringProperty("")
    has_back = BooleanProperty(True)
    back_icon = StringProperty("arrow-left")
    back_label = StringProperty("")
    large = BooleanProperty(False)
    over = StringProperty("")
    __events__ = ("on_back",)

    def add_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        """The kv rule's own parts first, then what the screen adds at the right."""
        if "actions" in self.ids:
            self.ids.actions.add_widget(widget)
        else:
            super().add_widget(widget, *args, **kwargs)

    def on_back(self) -> None:
        """The arrow was pressed."""


class BottomBar(Marked, BoxLayout):
    """Where one can go: `items` is a list of (name, icon, text), `value` the one shown, `centre` the raised one."""

    items = ListProperty([])
    value = StringProperty("")
    centre = StringProperty("")
    safe_dp = NumericProperty(12)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(items=self._build, centre=self._build, value=self._choose)
        self._build()

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        for name, icon, text in self.items:
            tab_class = RaisedTab if name == self.centre else BarTab
            tab = tab_class(name=name, icon=icon, text=text, test_id=f"tab-{name}")
            tab.bind(on_release=lambda chosen: setattr(self, "value", chosen.name))
            self.add_widget(tab)
        self._choose()

    def _choose(self, *_: object) -> None:
        for tab in self.children:
            tab.chosen = tab.name == self.value


class BarTab(Press, BoxLayout):
    """One place of the bar."""

    name = StringProperty("")
    icon = StringProperty("")
    text = StringProperty("")
    chosen = BooleanProperty(False)


class RaisedTab(Press, AnchorLayout):
    """The round button in the middle, half above the bar."""

    name = StringProperty("")
    icon = StringProperty("")
    text = StringProperty("")
    chosen = BooleanProperty(False)

    def collide_point(self, x: float, y: float) -> bool:
        """The whole circle takes touches, also where it stands above the bar."""
        circle = self.ids.circle
        return bool(circle.x <= x <= circle.right and circle.y <= y <= circle.top)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
