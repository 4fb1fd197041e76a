"""Acts in lists: owns how one act is told in a row, and where it was."""

from __future__ import annotations

from mobile.core.api.points import EarningRecord
from mobile.core.words import Words
from mobile.ui.kit import Row
from mobile.ui.screens.trip_parts import icon_of, place


def where(words: Words, act: EarningRecord) -> str:
    """The merchant, the one place, or from where to where."""
    if act.merchant:
        return act.merchant
    places = dict.fromkeys(place(words, name) for name in (act.start_place, act.end_place) if name)
    return " – ".join(places)


def act_row(words: Words, act: EarningRecord) -> Row:
    """One act in a list: what, when, and how it stands."""
    value, tone, icon, standing = f"+{words.number(act.points)}", "admit", "", ""
    if act.reversed_at is not None:
        value, tone, icon, standing = "0", "refuse", "undo-2", words("Taken back")
    elif act.state == "held":
        value, tone, icon, standing = words.number(act.points), "hold", "clock", words("Being checked")
    elif act.state == "refused":
        value, tone, icon, standing = "0", "refuse", "octagon-x", words("Not counted")
    row = Row(icon=icon_of(act.scene.code), title=words.said(act.scene), chevron=True, pressable=True)
    row.subtitle = " · ".join(filter(None, (standing, words.when(act.started_at), where(words, act))))
    row.value, row.value_tone, row.value_icon, row.test_id = value, tone, icon, f"act-{act.event_id}"
    return row
