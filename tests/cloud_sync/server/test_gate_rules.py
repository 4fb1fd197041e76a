"""The gate's rules: a row written in the office is in the sealed snapshot, and a gate takes it from its day on."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import control.gate
from cloud_sync.contract.v1 import KeyPair, Snapshot, open_snapshot, seal_snapshot
from cloud_sync.server import queries_office, rule_books
from cloud_sync.server.rule_books import BookName
from control.domain.errors import ConfigurationError
from control.gate.rule_book import parse_book, sent_rows, to_mapping
from control.gate.rules import ALERT_LIST, CONFIDENCE_MIN, KEYS, RuleSet, Treatment, parse_rules
from edge.policy import LivePolicy

KEY = KeyPair.generate()
CHANGE = {
    "key": CONFIDENCE_MIN,
    "valid_from": "2026-12-01",
    "value": "0.95",
    "source": "Office order 12/2026",
    "reason": "Two wrong openings in November",
    "version": 0,
}
# The first of December begins on the island eight hours before it begins in Greenwich.
BEGINS = datetime(2026, 11, 30, 16, tzinfo=UTC)


def shipped() -> RuleSet:
    path = Path(control.gate.__file__).with_name("rules.toml")
    return parse_rules(tomllib.loads(path.read_text(encoding="utf-8")))


async def taken(given: Any) -> LivePolicy:
    """A gate that has got the snapshot as the cloud seals it."""
    permits = await queries_office.permit_snapshot(given.pool, now=given.clock())
    rules = await queries_office.rule_rows(given.pool, now=given.clock())
    policy = LivePolicy(shipped())
    policy.take(open_snapshot(seal_snapshot(Snapshot("gw-1", permits, rules), KEY), KEY.public))
    return policy


async def test_a_written_row_reaches_a_gate_and_holds_from_its_day(app: Any, sign_in: Any) -> None:
    given = app.state.services
    approver = await sign_in("approver")
    before = (await taken(given)).snapshot.version
    assert await queries_office.rule_rows(given.pool, now=given.clock()) == ()
    assert (await approver.post("/rules/gate", CHANGE)).status_code == 201
    policy = await taken(given)
    assert policy.snapshot.version == before + 1
    early, late = policy.rules.in_force(BEGINS - timedelta(seconds=1)), policy.rules.in_force(BEGINS)
    assert early is not None
    assert late is not None
    assert (early.number(CONFIDENCE_MIN), late.number(CONFIDENCE_MIN)) == (0.9, 0.95)
    assert late.rules[CONFIDENCE_MIN].author == "approver"
    assert {row.key for row in policy.rules.rows} == KEYS
    assert policy.rules.version == "office-1"


async def test_the_next_set_takes_the_place_of_the_first(app: Any, sign_in: Any, clock: Any) -> None:
    given = app.state.services
    approver = await sign_in("approver")
    assert (await approver.post("/rules/gate", CHANGE)).status_code == 201
    clock.leap(seconds=60)
    alert = CHANGE | {"key": ALERT_LIST, "value": "admit_and_record", "version": 1}
    assert (await approver.post("/rules/gate", alert)).status_code == 201
    rules = (await taken(given)).rules
    late = rules.in_force(BEGINS)
    assert late is not None
    assert (rules.version, late.number(CONFIDENCE_MIN)) == ("office-2", 0.95)
    assert late.treatment(ALERT_LIST) is Treatment.ADMIT_AND_RECORD


@pytest.mark.parametrize(
    ("key", "value"),
    [(CONFIDENCE_MIN, "1.2"), (CONFIDENCE_MIN, "much"), (ALERT_LIST, "refuse"), ("consistency.coach", "balloon")],
)
async def test_what_a_gate_would_refuse_is_not_written(app: Any, sign_in: Any, key: str, value: str) -> None:
    approver = await sign_in("approver")
    answer = await approver.post("/rules/gate", CHANGE | {"key": key, "value": value})
    assert (answer.status_code, answer.json()["code"]) == (422, "rules_refused")
    pool = app.state.services.pool
    assert await rule_books.newest_number(pool, BookName.GATE) == 0
    assert await pool.fetchval("SELECT count(*) FROM rule_sets") == 0


def test_the_delivered_book_says_to_a_gate_what_its_file_says() -> None:
    book = rule_books.delivered(BookName.GATE)
    assert parse_book(to_mapping(book)) == book
    assert parse_rules({"version": book.version, "rule": sent_rows(book, UTC)}) == shipped()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"value": True}, "number or a text"),
        ({"key": "no.such"}, "no key"),
        ({"clause": ""}, "clause"),
        ({"weight": 3}, "unknown field"),
    ],
)
def test_a_bad_row_is_named(row: dict[str, Any], said: str) -> None:
    mapping = to_mapping(rule_books.delivered(BookName.GATE))
    mapping["rule"][0] |= row
    with pytest.raises(ConfigurationError, match=said):
        parse_book(mapping)


def test_a_book_is_a_version_and_rows() -> None:
    with pytest.raises(ConfigurationError, match="version"):
        parse_book({"rule": []})
