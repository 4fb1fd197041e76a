"""Every widget by one import: screens take their parts from here, so that each kv rule is loaded before it is used."""

from __future__ import annotations

from mobile.ui.widgets.bars import BottomBar, TopBar
from mobile.ui.widgets.base import Across, Column, Divider, Gap, Icon, IconTile, Scroll, Spring, Text
from mobile.ui.widgets.buttons import ChoiceCircle, FilledButton, IconButton, OutlineButton, QuietButton
from mobile.ui.widgets.choice import (
    CheckRow,
    Chips,
    ChoiceGrid,
    NumberStepper,
    OptionList,
    Segment,
    Toggle,
    ToggleRow,
)
from mobile.ui.widgets.field import Field, PickField
from mobile.ui.widgets.figures import DayBars, Figure, Timeline
from mobile.ui.widgets.lazy_list import LazyList
from mobile.ui.widgets.overlay import Dialog, Layer, Overlay, Sheet, Toast
from mobile.ui.widgets.plate import PlateChip
from mobile.ui.widgets.plate_keyboard import PlateBoxes, PlateField, PlateKeyboard
from mobile.ui.widgets.press import Press
from mobile.ui.widgets.progress import Bar, Dashes, Ring, Stepper, WaitArc
from mobile.ui.widgets.pull import PullToRefresh
from mobile.ui.widgets.qr import QrView
from mobile.ui.widgets.rows import Pair, Row, Section
from mobile.ui.widgets.states import EmptyState, ErrorState, Skeleton
from mobile.ui.widgets.surfaces import Card, CardList, FactGrid, HeroCard, IconCard, PassCard, PressCard, Ticket
from mobile.ui.widgets.tag import Banner, Note, Tag
from mobile.ui.widgets.trip_sketch import TripSketch
from mobile.ui.widgets.viewfinder import Viewfinder

__all__ = [
    "Across",
    "Banner",
    "Bar",
    "BottomBar",
    "Card",
    "CardList",
    "CheckRow",
    "Chips",
    "ChoiceCircle",
    "ChoiceGrid",
    "Column",
    "Dashes",
    "DayBars",
    "Dialog",
    "Divider",
    "EmptyState",
    "ErrorState",
    "FactGrid",
    "Field",
    "Figure",
    "FilledButton",
    "Gap",
    "HeroCard",
    "Icon",
    "IconButton",
    "IconCard",
    "IconTile",
    "Layer",
    "LazyList",
    "Note",
    "NumberStepper",
    "OptionList",
    "OutlineButton",
    "Overlay",
    "Pair",
    "PassCard",
    "PickField",
    "PlateBoxes",
    "PlateChip",
    "PlateField",
    "PlateKeyboard",
    "Press",
    "PressCard",
    "PullToRefresh",
    "QrView",
    "QuietButton",
    "Ring",
    "Row",
    "Scroll",
    "Section",
    "Segment",
    "Sheet",
    "Skeleton",
    "Spring",
    "Stepper",
    "Tag",
    "Text",
    "Ticket",
    "Timeline",
    "Toast",
    "Toggle",
    "ToggleRow",
    "TopBar",
    "TripSketch",
    "Viewfinder",
    "WaitArc",
]  # fmt: skip
