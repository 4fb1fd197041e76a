"""Every widget by one import: owns in which module each stands.

A module and its kv rules are loaded when the first widget of it is named, here or in a kv rule: the first frame waits
only for what it shows.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kivy.factory import Factory

_WIDGETS: dict[str, tuple[str, ...]] = {
    "bars": ("BottomBar", "TopBar"),
    "base": ("Across", "Column", "Divider", "Gap", "Icon", "IconTile", "Scroll", "Spring", "Text"),
    "buttons": ("ChoiceCircle", "FilledButton", "IconButton", "OutlineButton", "QuietButton"),
    "choice": ("CheckRow", "Chips", "ChoiceGrid", "NumberStepper", "OptionList", "Segment", "Toggle", "ToggleRow"),
    "field": ("Field", "PickField"),
    "figures": ("DayBars", "Figure", "Timeline"),
    "lazy_list": ("LazyList",),
    "overlay": ("Dialog", "Layer", "Overlay", "Sheet", "Toast"),
    "plate": ("PlateChip",),
    "plate_keyboard": ("PlateBoxes", "PlateField", "PlateKeyboard"),
    "press": ("Press",),
    "progress": ("Bar", "Dashes", "Ring", "Stepper", "WaitArc"),
    "pull": ("PullToRefresh",),
    "qr": ("QrView",),
    "rows": ("Pair", "Row", "Section"),
    "states": ("EmptyState", "ErrorState", "Skeleton"),
    "surfaces": ("Card", "CardList", "FactGrid", "HeroCard", "IconCard", "PassCard", "PressCard", "Ticket"),
    "tag": ("Banner", "Note", "Tag"),
    "trip_sketch": ("TripSketch",),
    "viewfinder": ("Viewfinder",),
}
# What kv rules of other modules are made of, and screens do not need.
_PARTS: dict[str, tuple[str, ...]] = {
    "buttons": ("RowAction",),
    "choice": ("ChipOption",),
    "field": ("FieldBox", "FieldFoot"),
}
_MODULES = {name: f"mobile.ui.widgets.{module}" for module, names in _WIDGETS.items() for name in names}

for _name, _module in _MODULES.items():
    Factory.register(_name, module=_module)
for _module, _names in _PARTS.items():
    for _name in _names:
        Factory.register(_name, module=f"mobile.ui.widgets.{_module}")


def __getattr__(name: str) -> Any:
    """The widget's class."""
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(import_module(_MODULES[name]), name)
