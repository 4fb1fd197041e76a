"""Choosing in a sheet: owns the field that opens a list, and the sheet itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kivy.uix.widget import Widget

from mobile.ui.kit import OptionList, PickField, Sheet
from mobile.ui.screen import AppScreen


def pick_field(
    screen: AppScreen,
    label: str,
    options: Sequence[tuple[str, str]],
    value: str | None,
    then: Callable[[str], None],
    *,
    test_id: str,
    helper: str = "",
    error: str = "",
) -> PickField:
    """A field that opens the list of `options` (code, name); `then` is called with the code."""
    shown = dict(options).get(value or "", value or "")
    field = PickField(field_label=label, value=shown, hint=screen.words("Choose"), test_id=test_id)
    field.helper, field.error = helper, error

    def chosen(code: str) -> None:
        field.value = dict(options)[code]
        then(code)

    field.bind(on_release=lambda _field: choose(screen, label, options, value or "", chosen, test_id=test_id))
    return field


def choose(
    screen: AppScreen,
    title: str,
    options: Sequence[tuple[str, str]],
    value: str,
    then: Callable[[str], None],
    *,
    test_id: str,
) -> Sheet:
    """A sheet with a list; it closes when one is chosen."""
    sheet = Sheet(title=title, close_label=screen.words("Close"), test_id=f"{test_id}-sheet")
    listed = OptionList(options=list(options), value=value, test_id=f"{test_id}-option")

    def picked(_list: Widget, code: str) -> None:
        sheet.close()
        then(code)

    listed.bind(on_pick=picked)
    sheet.body.add_widget(listed)
    sheet.open(screen)
    return sheet
