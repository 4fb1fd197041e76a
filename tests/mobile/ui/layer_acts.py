"""Acts with sheets, dialogs, messages, bars, lists, the keyboard and codes. Played by `widget_acts.py`."""

from __future__ import annotations

from typing import Any

from hands import LANGUAGES, Hand, Heard, Stage

# ---------------------------------------------------------------- layers


def act_a_sheet_closes_in_four_ways(hand: Hand) -> None:
    from mobile.ui.kit import FilledButton, Sheet, Text

    stage, button = Stage(hand), FilledButton(text="Behind")
    stage.show(button)
    pressed = Heard(button, "on_release")

    def opened(**given: Any) -> tuple[Any, Heard]:
        sheet = Sheet(title="Language", **given)
        sheet.body.add_widget(Text(text="Something"))
        heard = Heard(sheet, "on_closed")
        sheet.open(button)
        hand.frames(6)
        return sheet, heard

    sheet, closed = opened()
    hand.tap(sheet.body.children[0])
    assert stage.overlay.layers == [sheet]
    hand.path((200, 800))
    assert len(closed.said) == 1
    sheet, closed = opened()
    grip = sheet.ids.grip
    hand.drag((200, grip.y + 20), (200, grip.y - 120))
    assert len(closed.said) == 1
    sheet, closed = opened()
    hand.drag((200, sheet.ids.grip.y + 20), (200, sheet.ids.grip.y + 5))
    assert not closed.said
    assert sheet.shift == 0
    assert stage.overlay.back()
    hand.frames()
    assert len(closed.said) == 1
    assert not stage.overlay.back()
    sheet, closed = opened(close_label="Close", test_id="sheet")
    hand.tap(stage.find("sheet-close"))
    assert len(closed.said) == 1
    sheet, closed = opened(closable=False)
    hand.path((200, 800))
    assert stage.overlay.back()
    assert not closed.said
    sheet.close()
    hand.frames()
    assert not pressed.said
    stage.close()


def act_a_dialog_is_answered_once(hand: Hand) -> None:
    from mobile.ui.kit import Dialog, FilledButton

    stage, button = Stage(hand), FilledButton(text="Behind")
    stage.show(button)
    for way, expected in (("confirm", [1, 0]), ("cancel", [0, 1]), ("back", [0, 1])):
        dialog = Dialog(
            title="Delete the account?", text="It cannot be undone.", confirm_text="Delete", cancel_text="Keep",
            kind="refuse", icon="trash-2", test_id="ask",
        )  # fmt: skip
        heard = [Heard(dialog, "on_confirm"), Heard(dialog, "on_cancel")]
        dialog.open(button)
        hand.frames(6)
        if way == "back":
            stage.overlay.back()
        else:
            hand.tap(stage.find(f"ask-{way}"))
        hand.frames(6)
        assert [len(one.said) for one in heard] == expected, way
        assert not stage.overlay.layers
    stage.close()


def act_one_message_at_a_time(hand: Hand) -> None:
    from mobile.ui.kit import FilledButton, Toast

    stage, button, undone = Stage(hand), FilledButton(text="Behind"), []
    stage.show(button)
    Toast.show(button, "First", seconds=0)
    second = Toast.show(button, "Approved", action_text="Undo", on_action=lambda: undone.append(1), seconds=0)
    hand.frames(6)
    assert [child for child in stage.overlay.children if isinstance(child, Toast)] == [second]
    hand.tap(stage.find("toast-action"))
    assert undone == [1]
    assert second.parent is None
    Toast.show(button, "Goes by itself", seconds=0.05)
    hand.until(lambda: not any(isinstance(c, Toast) for c in stage.overlay.children), "the message went by itself")
    stage.close()


# ---------------------------------------------------------------- lists, bars, charts


def act_the_bottom_bar_goes_places(hand: Hand) -> None:
    from mobile.ui.kit import BottomBar, Spring

    items = [(name, "house", name) for name in ("home", "trips", "scan", "rewards", "me")]
    stage, bar = Stage(hand), BottomBar(items=items, value="home", centre="scan")
    stage.page.add_widget(Spring())
    stage.page.add_widget(bar)
    hand.frames(6)
    hand.tap(stage.find("tab-me"))
    assert bar.value == "me"
    hand.path((bar.center_x, bar.top + 12))
    assert bar.value == "scan"
    stage.close()


def act_a_long_list_makes_few_rows(hand: Hand) -> None:
    from mobile.ui.kit import LazyList
    from mobile.ui.widgets.lazy_list import LazyRow

    rows = [{"key": str(n), "title": f"Row {n}", "value": "x" if n == 0 else "", "icon": "bus"} for n in range(1000)]
    stage, listed = Stage(hand), LazyList(rows=rows)
    stage.page.add_widget(listed)
    hand.frames(6)
    picked, ended = Heard(listed, "on_pick"), Heard(listed, "on_end")

    def shown() -> list[Any]:
        return [widget for widget in listed.walk() if isinstance(widget, LazyRow)]

    assert len(shown()) < 30
    hand.tap(next(row for row in shown() if row.key == "3"))
    assert picked.said == [("3",)]
    hand.drag((200, 200), (200, 700))
    hand.until(lambda: listed.scroll_y < 1, "the list moved")
    listed.scroll_y = 0.5
    hand.frames(6)
    assert all(row.value == "" for row in shown() if row.key != "0")
    assert not ended.said
    listed.scroll_y = 0
    hand.frames(6)
    assert len(ended.said) == 1
    assert len(shown()) < 40
    assert {row.height for row in shown()} == {listed.row_px}
    stage.close()


def act_pulling_down_refreshes(hand: Hand) -> None:
    from mobile.ui.kit import Column, PullToRefresh, Scroll, Text

    stage, scroll, column = Stage(hand), Scroll(), Column()
    column.add_widget(Text(text="A short page"))
    scroll.add_widget(column)
    pull = PullToRefresh(scroll)
    stage.page.add_widget(pull)
    hand.frames(6)
    wanted = Heard(pull, "on_refresh")
    hand.drag((200, 700), (200, 670))
    assert not wanted.said
    hand.drag((200, 700), (200, 500))
    assert len(wanted.said) == 1
    pull.busy = True
    hand.drag((200, 700), (200, 500))
    assert len(wanted.said) == 1
    stage.close()


def act_a_day_of_the_chart_is_picked(hand: Hand) -> None:
    from mobile.ui.kit import DayBars

    stage = Stage(hand)
    bars = DayBars(
        bars=[(name, value, "") for name, value in (("M", 3), ("T", None), ("W", 5))], at=2, goal=4, pressable=True
    )
    stage.show(bars)
    picked = Heard(bars, "on_pick")
    hand.path(bars.to_window(bars.x + bars.width * 0.5, bars.center_y))
    assert picked.said == [(1,)]
    bars.press()
    assert picked.said == [(1,), (0,)]
    stage.close()


def act_rows_lists_and_cards_keep_their_lines(hand: Hand) -> None:
    from mobile.ui.kit import CardList, Divider, Row

    stage, card = Stage(hand), CardList()
    rows = [Row(title=f"Row {n}") for n in range(3)]
    for row in rows:
        card.add_widget(row)
    stage.show(card)

    def lines() -> int:
        return sum(isinstance(child, Divider) for child in card.children)

    assert lines() == 2
    card.remove_widget(rows[0])
    assert lines() == 1
    assert not isinstance(card.children[-1], Divider)
    card.remove_widget(rows[2])
    assert card.children == [rows[1]]
    stage.close()


def act_the_keyboard_walks_everything(hand: Hand) -> None:
    from mobile.ui.kit import CheckRow, Field, FilledButton, Overlay, QuietButton, Sheet
    from mobile.ui.widgets.focus import KeyFocus

    stage = Stage(hand)
    field, check = Field(label="Name", test_id="name"), CheckRow(text="Accept")
    save, off = FilledButton(text="Save"), FilledButton(text="Off", disabled=True)
    stage.show(field, check, off, save)
    focus = KeyFocus(stage.overlay, hand.window)
    pressed = Heard(save, "on_release")
    hand.key(9)
    assert focus.current is field
    hand.type("x")
    assert field.text == "x"
    hand.key(9)
    assert focus.current is check
    assert not field.focus
    hand.key(32)
    assert check.active
    hand.key(9)
    assert focus.current is save
    assert save.key_focused
    hand.key(13)
    assert len(pressed.said) == 1
    hand.key(9)
    assert focus.current is field
    hand.key(9, "shift")
    assert focus.current is save
    sheet, inside = Sheet(), QuietButton(text="Inside")
    sheet.body.add_widget(inside)
    sheet.open(save)
    hand.frames(6)
    hand.key(9)
    assert focus.current is inside
    assert Overlay.of(inside) is stage.overlay
    hand.path((200, 800))
    assert focus.current is None
    focus.close()
    stage.close()


# ---------------------------------------------------------------- codes, waiting


def act_codes_are_read_from_the_screen(hand: Hand) -> None:
    import gallery
    import zxingcpp

    from mobile.ui.theme import theme

    for mode in ("light", "dark"):
        theme.mode = mode
        stage = Stage(hand)
        stage.show_page(gallery.PAGES["pass"](LANGUAGES["en"]))
        found = zxingcpp.read_barcodes(hand.drawn().convert("L"))
        assert [code.text for code in found] == [gallery.PASS_TEXT], mode
        stage.close()


def act_waiting_moves_only_for_those_who_want_it(hand: Hand) -> None:
    from mobile.ui.kit import Skeleton, WaitArc
    from mobile.ui.theme import theme

    stage, still, bones = Stage(hand), WaitArc(), Skeleton(rows=2)
    stage.show(still, bones)
    hand.frames(10)
    assert still.angle == 0
    assert bones.sweep == 0
    theme.reduced_motion = False
    moving, sweeping = WaitArc(), Skeleton(rows=2)
    stage.show(moving, sweeping)
    hand.until(lambda: moving.angle > 0 and sweeping.sweep > 0, "the arc turned")
    stage.close()
