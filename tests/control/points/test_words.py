"""Every code that people see has its sentence in both languages."""

from __future__ import annotations

from enum import StrEnum

import pytest

from control.points import words
from control.points.award import Cap
from control.points.earning_types import Anomaly, Refused
from control.points.ledger import Cause, EntryKind
from control.points.methodology import Evidence, Scene
from control.points.redemption import RedemptionRefused, State
from control.points.rotating_code import CodeRefused
from control.points.trips import TripRefused
from control.points.vouchers import VoucherRefused


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (Scene, words.SCENES),
        (Evidence, words.EVIDENCE),
        (Cap, words.CAPS),
        (Anomaly, words.ANOMALIES),
        (Refused, words.REFUSED),
        (CodeRefused, words.CODES),
        (TripRefused, words.TRIPS),
        (EntryKind, words.KINDS),
        (Cause, words.CAUSES),
        (State, words.STATES),
        (RedemptionRefused, words.REDEMPTIONS),
        (VoucherRefused, words.VOUCHERS),
    ],
)
def test_every_code_has_its_words(codes: type[StrEnum], said: dict[StrEnum, tuple[str, str]]) -> None:
    assert set(said) == set(codes)
    assert all(chinese and english for chinese, english in said.values())
    assert len({chinese for chinese, _ in said.values()}) == len({english for _, english in said.values()}) == len(said)
