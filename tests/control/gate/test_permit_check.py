"""A pass and the snapshot together: what is revoked stays so, and the newer of both is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit, PermitClass, PermitSnapshot
from control.gate.permit_check import permit_by_pass, with_pass

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERMIT = Permit("p1", "琼C12345", PermitClass.SPECIAL, AT - HOUR, AT + HOUR, frozenset({"east"}), 2)
OLD, NEW = AT - 5 * HOUR, AT - timedelta(minutes=1)
SHOWN = PermitPass(PERMIT, AT - 2 * HOUR)


def snapshot(taken_at: datetime, *permits: Permit, revoked: tuple[str, ...] = ()) -> PermitSnapshot:
    return PermitSnapshot(1, taken_at, {PERMIT.plate: permits} if permits else {}, revoked=frozenset(revoked))


def asked(taken: PermitSnapshot, shown: PermitPass = SHOWN, **changes: Any) -> Permit | PassProblem:
    given = {"plate": "琼c·12345", "gate_id": "east", "at": AT, "entries_seen": 0, **changes}
    return permit_by_pass(shown, taken, **given)


def test_a_permit_approved_while_the_gateway_is_offline_is_proved_by_its_pass() -> None:
    assert asked(snapshot(OLD)) == PERMIT
    # The snapshot knows an older form of the same permit: the pass is newer and holds.
    assert asked(snapshot(OLD, replace(PERMIT, gates=frozenset({"west"}), entries_left=0))) == PERMIT


@pytest.mark.parametrize("taken_at", [OLD, NEW])
def test_a_revocation_wins_over_any_pass(taken_at: datetime) -> None:
    assert asked(snapshot(taken_at, PERMIT, revoked=("p1",))) is PassProblem.REVOKED


def test_a_newer_snapshot_is_the_truth() -> None:
    assert asked(snapshot(NEW)) is PassProblem.WITHDRAWN
    assert asked(snapshot(SHOWN.issued_at)) is PassProblem.WITHDRAWN
    changed = replace(PERMIT, gates=frozenset({"east", "west"}), entries_left=1)
    assert asked(snapshot(NEW, changed), gate_id="west") == changed
    assert asked(snapshot(NEW, replace(PERMIT, entries_left=0))) is PassProblem.USED_UP
    ended = replace(SHOWN, permit=replace(PERMIT, valid_until=AT))
    assert asked(snapshot(NEW), ended) is PassProblem.EXPIRED


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"plate": "琼C12346"}, PassProblem.OTHER_PLATE),
        ({"plate": ""}, PassProblem.OTHER_PLATE),
        ({"gate_id": "west"}, PassProblem.OTHER_GATE),
        ({"at": AT - 2 * HOUR}, PassProblem.NOT_YET_VALID),
        ({"at": AT + HOUR}, PassProblem.EXPIRED),
        ({"entries_seen": 2}, PassProblem.USED_UP),
    ],
)
def test_why_a_pass_proves_no_permit(changes: dict[str, Any], problem: PassProblem) -> None:
    assert asked(snapshot(OLD), **changes) is problem
    assert asked(snapshot(NEW, PERMIT), **changes) is problem


def test_entries_seen_since_are_subtracted() -> None:
    found = asked(snapshot(OLD), entries_seen=1)
    assert isinstance(found, Permit)
    assert found.entries_left == 1
    standing = replace(SHOWN, permit=replace(PERMIT, entries_left=None))
    assert asked(snapshot(OLD), standing, entries_seen=99) == standing.permit


def test_the_proved_permit_stands_first_and_once_in_the_snapshot() -> None:
    older = replace(PERMIT, entries_left=0)
    other = replace(PERMIT, permit_id="p2")
    taken = with_pass(snapshot(OLD, other, older), PERMIT)
    assert taken.permits[PERMIT.plate] == (PERMIT, other)
    assert with_pass(snapshot(OLD), PERMIT).permits == {PERMIT.plate: (PERMIT,)}
