"""Zero-carbon vouchers: issued within a scheme, never spent beyond their amount, reconciled to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.domain.errors import ConfigurationError
from control.points.vouchers import (
    Difference,
    HolderKind,
    RewardScheme,
    Spend,
    Voucher,
    VoucherRefused,
    check_scheme,
    issue_voucher,
    left_fen,
    reconcile,
    spend,
    statement,
    take_back,
)

AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
DAY = timedelta(days=1)
SCHEME = RewardScheme(
    scheme_id="s1",
    name_zh="零碳奖励方案",
    name_en="Reward scheme",
    amounts_fen=frozenset({5000, 10_000}),
    budget_fen=25_000,
    validity_days=90,
    valid_from=AT,
    valid_until=AT + 365 * DAY,
    merchants=frozenset({"cafe", "bar"}),
    source="管理办法 art. 28",
    author="office",
    approved_by="head",
    reason="Energy saved in 2026",
    in_parts=True,
)


def asked(**fields: Any) -> Voucher | VoucherRefused:
    usual: dict[str, Any] = {
        "voucher_id": "v1",
        "holder_kind": HolderKind.ORGANISATION,
        "holder_id": "hotel",
        "amount_fen": 10_000,
        "issued_by": "office",
        "issued_fen": 0,
        "at": AT,
    }
    return issue_voucher(fields.pop("scheme", SCHEME), **{**usual, **fields})


def voucher() -> Voucher:
    found = asked()
    assert isinstance(found, Voucher)
    return found


def pay(number: int, fen: int, **fields: Any) -> Spend:
    usual: dict[str, Any] = {"spend_id": f"p{number}", "voucher_id": "v1", "merchant_id": "cafe"}
    usual |= {"request_id": f"q{number}", "amount_fen": fen, "at": AT + DAY}
    return Spend(**{**usual, **fields})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"at": AT - DAY}, VoucherRefused.NOT_IN_FORCE),
        ({"at": AT + 365 * DAY}, VoucherRefused.NOT_IN_FORCE),
        ({"holder_kind": HolderKind.PERSON}, VoucherRefused.HOLDER_NOT_ALLOWED),
        ({"holder_kind": HolderKind.PERSON, "scheme": replace(SCHEME, holders=frozenset(HolderKind))}, None),
        ({"amount_fen": 7000}, VoucherRefused.AMOUNT_NOT_ALLOWED),
        ({"issued_fen": 15_000}, None),
        ({"issued_fen": 15_001}, VoucherRefused.BUDGET_USED_UP),
        ({"issued_by": "hotel"}, VoucherRefused.OWN_ISSUE),
    ],
)
def test_issuing(fields: dict[str, Any], expected: VoucherRefused | None) -> None:
    found = asked(**fields)
    assert (found if isinstance(found, VoucherRefused) else None) is expected


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"source": " "}, "Scheme s1: `source` is missing"),
        ({"approved_by": "office"}, "`approved_by` is the author"),
        ({"amounts_fen": frozenset()}, "`amounts_fen` needs whole fen"),
        ({"amounts_fen": frozenset({1.5})}, "`amounts_fen` needs whole fen"),
        ({"budget_fen": 4999}, "`budget_fen` needs whole fen"),
        ({"validity_days": 0}, "`validity_days` must be above 0"),
        ({"merchants": frozenset()}, "`holders` and `merchants`"),
        ({"valid_until": AT}, "`valid_until` is after it"),
    ],
)
def test_a_bad_scheme_is_refused_with_its_name(fields: dict[str, Any], words: str) -> None:
    assert check_scheme(SCHEME) is SCHEME
    with pytest.raises(ConfigurationError) as refused:
        check_scheme(replace(SCHEME, **fields))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (pay(2, 7000), None),
        (pay(2, 7001), VoucherRefused.NOT_ENOUGH_LEFT),
        (pay(2, 0), VoucherRefused.NOT_ENOUGH_LEFT),
        (pay(2, -5), VoucherRefused.NOT_ENOUGH_LEFT),
        (pay(2, 100, merchant_id="shop"), VoucherRefused.OTHER_MERCHANT),
        (pay(2, 100, at=AT + 90 * DAY), VoucherRefused.EXPIRED),
        (pay(2, 100, at=AT - DAY), VoucherRefused.EXPIRED),
        (pay(2, 100, voucher_id="v2"), VoucherRefused.OTHER_SCHEME),
        (pay(2, 2999, request_id="q1"), VoucherRefused.REQUEST_DIFFERS),
    ],
)
def test_spending(one: Spend, expected: VoucherRefused | None) -> None:
    found = spend(voucher(), SCHEME, [pay(1, 3000)], one)
    assert (found if isinstance(found, VoucherRefused) else None) is expected


def test_a_scheme_may_want_vouchers_spent_whole() -> None:
    whole = replace(SCHEME, in_parts=False)
    assert spend(voucher(), whole, [], pay(1, 3000)) is VoucherRefused.WHOLE_ONLY
    assert spend(voucher(), whole, [], pay(1, 10_000)) == pay(1, 10_000)


def test_a_lost_answer_is_given_again_and_a_spend_is_taken_back_once() -> None:
    first = pay(1, 3000)
    assert spend(voucher(), SCHEME, [first], replace(first, spend_id="p9", at=AT + 400 * DAY)) is first
    back = take_back([first], "p1", reversal_id="b1", at=AT + 2 * DAY)
    assert isinstance(back, Spend)
    both = [first, back]
    assert left_fen(voucher(), both) == 10_000
    assert take_back(both, "p1", reversal_id="b1", at=AT + 3 * DAY) is back
    assert take_back(both, "p1", reversal_id="b2", at=AT + 3 * DAY) is VoucherRefused.REVERSED_ALREADY
    assert take_back(both, "b1", reversal_id="b2", at=AT + 3 * DAY) is VoucherRefused.UNKNOWN_SPEND
    assert spend(voucher(), SCHEME, both, first) is VoucherRefused.REVERSED_ALREADY


def test_a_merchants_list_is_compared_line_by_line() -> None:
    gone = pay(3, 50)
    back = take_back([gone], "p3", reversal_id="b3", at=AT + 2 * DAY)
    assert isinstance(back, Spend)
    ours = statement("cafe", [pay(2, 200), pay(1, 100), gone, back], since=AT, until=AT + 9 * DAY)
    assert (ours.total_fen, len(ours.lines)) == (300, 4)
    assert reconcile(ours, {"q1": 100, "q2": 200}) == ()
    assert reconcile(ours, {"q1": 100, "q2": 250, "q7": 9}) == (Difference("q2", 200, 250), Difference("q7", None, 9))
    assert reconcile(ours, {"q2": 200}) == (Difference("q1", 100, None),)


@settings(max_examples=60)
@given(
    acts=st.lists(
        st.tuples(st.integers(1, 6000), st.sampled_from(["cafe", "bar"]), st.integers(0, 12), st.booleans()),
        max_size=25,
    )
)
def test_a_voucher_is_never_overspent_and_statements_hold_every_fen(
    acts: list[tuple[int, str, int, bool]],
) -> None:
    spends: list[Spend] = []
    for number, (fen, merchant, request, back) in enumerate(acts):
        at = AT + number * DAY
        one: Spend | VoucherRefused
        if back:
            one = take_back(spends, f"p{request}", reversal_id=f"b{number}", at=at)
        else:
            wish = pay(number, fen, merchant_id=merchant, request_id=f"q{request}", at=at)
            one = spend(voucher(), SCHEME, spends, wish)
        if isinstance(one, Spend) and one not in spends:
            spends.append(one)
        assert 0 <= left_fen(voucher(), spends) <= 10_000
    cuts = [AT, AT + 7 * DAY, AT + 20 * DAY, AT + 99 * DAY]
    owed = sum(
        statement(merchant, spends, since=since, until=until).total_fen
        for merchant in ("cafe", "bar")
        for since, until in pairwise(cuts)
    )
    assert owed == 10_000 - left_fen(voucher(), spends)
