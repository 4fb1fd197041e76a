"""Every code that people see has its sentence in both languages."""

from __future__ import annotations

from control.carbon.factor_keys import TIERS as TIER_NUMBERS
from control.carbon.ledger import Cause
from control.carbon.visit_types import Doubt
from control.carbon.words import CAUSES, DOUBTS, TIERS


def test_every_code_has_its_words() -> None:
    assert set(TIERS) == set(TIER_NUMBERS)
    assert set(DOUBTS) == set(Doubt)
    assert set(CAUSES) == set(Cause)
    both = [*TIERS.values(), *DOUBTS.values(), *CAUSES.values()]
    assert all(chinese and english for chinese, english in both)
    assert len({chinese for chinese, _ in both}) == len({english for _, english in both}) == len(both)
