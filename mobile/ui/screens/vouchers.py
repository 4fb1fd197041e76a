"""Zero-carbon vouchers: owns the list with what is left of each, and the code that a shop reads."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import VoucherCode
from mobile.core.models.rewards import Vouchers as VouchersModel
from mobile.ui.kit import CardList, EmptyState, QrView, Row, Section, Sheet, Text
from mobile.ui.screens.code import in_groups
from mobile.ui.screens.page import Page


class Vouchers(Page):
    """Issued by the office; fixed amounts."""

    def opened(self) -> None:
        self._vouchers = VouchersModel(self.client)
        self.watch(self._vouchers.changed)

    @property
    def title(self) -> str:
        return self.words("Zero-carbon vouchers")

    @property
    def model(self) -> VouchersModel:
        return self._vouchers

    def closed(self) -> None:
        self._vouchers.close()

    def parts(self) -> Sequence[Widget]:
        words, shown = self.words, self._vouchers.shown
        if shown.value is None:
            return self.waiting_for(self._vouchers)
        if not shown.value:
            text = words("The office issues them, as a rule to organisations. Yours would stand here.")
            return [EmptyState(icon="wallet", title=words("No vouchers"), text=text, test_id="empty")]
        age = self.age_of(self._vouchers)
        parts: list[Widget] = [Section(title=words("Vouchers"), note=age)] if age else []
        card = CardList()
        for one in shown.value:
            voucher = one.voucher
            row = Row(icon="wallet", title=words.both(voucher.scheme_name_zh, voucher.scheme_name_en), pressable=True)
            row.subtitle = words("until {time}", time=words.date(voucher.valid_until))
            row.value, row.chevron, row.test_id = words.fen(voucher.left_fen), True, f"voucher-{voucher.voucher_id}"
            row.bind(on_release=lambda _row, one=one: self._show(one))
            card.add_widget(row)
        return [*parts, card]

    def _show(self, one: VoucherCode) -> None:
        words, voucher = self.words, one.voucher
        title = words.both(voucher.scheme_name_zh, voucher.scheme_name_en)
        sheet = Sheet(title=title, close_label=words("Close"), test_id="voucher-sheet")
        place = AnchorLayout(size_hint_y=None, height=dp(260))
        place.add_widget(QrView(text=one.code, test_id="qr"))
        sheet.body.add_widget(place)
        sheet.body.add_widget(Text(text=in_groups(one.code_grouped), style="code", halign="center"))
        left = words("{left} of {amount} left", left=words.fen(voucher.left_fen), amount=words.fen(voucher.amount_fen))
        sheet.body.add_widget(Text(text=left, halign="center", tone="ink2"))
        sheet.open(self)
