"""Throwing a draft away: owns the question before it, by where the draft lies."""

from __future__ import annotations

from collections.abc import Callable

from mobile.ui.kit import Dialog
from mobile.ui.screen import AppScreen

ON_PHONE, CHANGES, EVERYWHERE = "on_phone", "changes", "everywhere"


def discard_dialog(screen: AppScreen, then: Callable[[], None], *, what: str = EVERYWHERE) -> Dialog:
    """`what` is lost: a draft that is only here, what was changed here of one that stays, or the server's draft too."""
    words = screen.words
    text = {
        ON_PHONE: words("What was filled in on this phone is lost."),
        CHANGES: words("What was changed on this phone is lost. What the office has stays as it is."),
        EVERYWHERE: words("It was never handed in. It is deleted for good, here and in the office's system."),
    }[what]
    dialog = Dialog(title=words("Throw this draft away?"), text=text, kind="refuse", test_id="discard-dialog")
    dialog.confirm_text, dialog.cancel_text = words("Throw it away"), words("Keep it")
    dialog.bind(on_confirm=lambda _dialog: then())
    return dialog
