"""What a visit and its corrections post."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from control.carbon.factor_keys import EmissionClass, Fuel
from control.carbon.factors import Factors
from control.carbon.ledger import CORRECTION, ZONE, Book, Refusal, SealedEntry
from control.carbon.postings import NotPosted, Stamp, reversal_of, visit_account, visit_correction, visit_debit
from control.carbon.visit_emission import visit_emission
from control.carbon.visit_types import VisitEvidence
from control.domain.plates import EnergyClass

STAMP = Stamp(entry_id="d1", at=datetime(2026, 11, 21, 8, tzinfo=UTC), author="office", reason="exit at gate 1")


def test_a_visit_posts_its_grams_with_tier_and_rows(today: Factors) -> None:
    emission = visit_emission(VisitEvidence(fuel=Fuel.DIESEL, fuel_used=10), today)
    book = Book("zone")
    sealed = book.append(visit_debit(STAMP, "v1", emission))
    assert isinstance(sealed, SealedEntry)
    assert book.balance(visit_account("v1")) == -emission.total_g
    assert book.balance(ZONE) == emission.total_g
    details = sealed.entry.details
    assert (details["tier"], details["gwp_set"], details["day"]) == ("1", "ar5", "2026-11-21")
    assert details["factor_ids"].split() == list(emission.factor_ids)


def test_measuring_later_reverses_and_posts_anew(today: Factors) -> None:
    book = Book("zone")
    guess = visit_debit(STAMP, "v1", visit_emission(VisitEvidence(vehicle_class=EmissionClass.COACH), today))
    found = visit_emission(VisitEvidence(fuel=Fuel.DIESEL, fuel_used=3), today)
    for entry in (
        guess,
        reversal_of(replace(STAMP, entry_id="r1", reason="receipt came"), guess),
        visit_debit(replace(STAMP, entry_id="d2"), "v1", found),
    ):
        assert isinstance(book.append(entry), SealedEntry)
    assert book.balance(visit_account("v1")) == -found.total_g


def test_a_correction_moves_what_is_owed_and_not_more_than_that(today: Factors) -> None:
    book = Book("zone")
    emission = visit_emission(VisitEvidence(fuel=Fuel.DIESEL, fuel_used=1), today)
    book.append(visit_debit(STAMP, "v1", emission))
    assert isinstance(book.append(visit_correction(replace(STAMP, entry_id="c1"), "v1", -100)), SealedEntry)
    assert (book.balance(visit_account("v1")), book.balance(CORRECTION)) == (100 - emission.total_g, -100)
    assert isinstance(book.append(visit_correction(replace(STAMP, entry_id="c2"), "v1", -emission.total_g)), Refusal)


@pytest.mark.parametrize("fuel_used", [None, 0])
def test_information_and_nothing_are_not_posted(today: Factors, fuel_used: int | None) -> None:
    plug_in = VisitEvidence(
        vehicle_class=EmissionClass.PETROL_CAR, energy=EnergyClass.PLUG_IN_OR_FUEL_CELL, fuel_used=fuel_used
    )
    with pytest.raises(NotPosted):
        visit_debit(STAMP, "v1", visit_emission(plug_in, today))
