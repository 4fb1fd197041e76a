"""Sending from a sheet: owns that it stays open, with what was typed in it, until the server has taken that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.shown import trouble_of
from mobile.ui.kit import Field, FilledButton, Sheet
from mobile.ui.screen import AppScreen


async def send_from(
    screen: AppScreen, sheet: Sheet, button: FilledButton, field: Field, work: Callable[[], Awaitable[object]]
) -> bool:
    """Whether it was taken. Why not stands at the field, or is said where the sheet was closed meanwhile."""
    if button.busy:
        return False
    button.busy, field.error = True, ""
    try:
        await work()
    except (ApiProblem, Offline, StoreError) as error:
        field.error = trouble_of(error).said(screen.words)
        if sheet.parent is None:
            screen.say(field.error)
        return False
    finally:
        button.busy = False
    sheet.close()
    return True
