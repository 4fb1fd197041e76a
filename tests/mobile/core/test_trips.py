"""Ways: which one runs, how it was computed, where a word against it goes; and walks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from mobile.core.api.points import EarningRecord, FigureRecord, FormulaRecord, Sentence, TripRecord
from mobile.core.models.scan_walk import Walk, WalkProblem, walk_of
from mobile.core.models.trips import Trips, can_appeal, computed, is_running, place_name, remembered_running

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
SHUTTLE = Sentence("shuttle", "乘坐摆渡车", "Shared shuttle")
FORMULA = FormulaRecord(
    key="shuttle",
    version=3,
    name_zh="共享接驳车",
    name_en="Shared shuttle",
    figures=(
        FigureRecord("baseline_g", "104"),
        FigureRecord("project_g", "30"),
        FigureRecord("activity", "2.6 pkm"),
        FigureRecord("reduced_g", "192"),
    ),
    sources=("DB11/T 3043-2024",),
    row_ids=("r1",),
    capped_by=(),
    valid_from=date(2026, 9, 1),
)
EVENT = EarningRecord(
    event_id="e1",
    key="shuttle",
    scene=SHUTTLE,
    state="granted",
    started_at=AT,
    ended_at=AT + timedelta(minutes=8),
    claimed_at=AT,
    evidence=SHUTTLE,
    start_place="wharf",
    end_place="hall",
    merchant="",
    points=192,
    grams=192,
    reasons=(),
    formula=FORMULA,
    release_at=None,
    decided_at=AT,
    reversed_at=None,
)
RUNNING = TripRecord(None, SHUTTLE, "wharf", "", None, AT, None, "running", 0, 0, None, AT + timedelta(hours=3))
ENDED = TripRecord("t1", SHUTTLE, "wharf", "hall", 2_600, AT, AT, "granted", 192, 192, EVENT, None)


def test_a_trip_runs_until_its_end_would_not_count() -> None:
    assert is_running(RUNNING, AT + timedelta(hours=2))
    assert not is_running(RUNNING, AT + timedelta(hours=3))
    assert not is_running(ENDED, AT)


@pytest.mark.parametrize("kept", [None, ([], AT), ([{"is": "of another version"}], AT)])
def test_nothing_remembered_is_no_trip(kept: Any) -> None:
    client: Any = SimpleNamespace(store=SimpleNamespace(cache_get=lambda _key: kept))
    assert remembered_running(client) is None


def test_each_line_of_the_formula_is_told() -> None:
    found = computed(EVENT)
    assert found is not None
    assert (found.activity, found.unit, found.baseline_g, found.project_g) == (Decimal("2.6"), "pkm", 104, 30)
    assert (found.reduced_g, found.counted_g, found.points, found.unit_g) == (192, 192, 192, None)
    assert (found.version, found.valid_from) == (3, date(2026, 9, 1))
    assert computed(replace(EVENT, formula=None)) is None


def test_figures_of_another_formula_are_no_mistake() -> None:
    figures = (FigureRecord("grams", "20"), FigureRecord("activity", "many"))
    found = computed(replace(EVENT, formula=replace(FORMULA, figures=figures)))
    assert found is not None
    assert (found.unit_g, found.activity, found.baseline_g) == (20, None, None)


@pytest.mark.parametrize(
    ("event", "is_appeal"),
    [
        (EVENT, False),
        (replace(EVENT, state="held"), False),
        (replace(EVENT, state="refused"), True),
        (replace(EVENT, reversed_at=AT), True),
    ],
)
async def test_a_word_goes_to_where_it_is_read(event: EarningRecord, is_appeal: bool) -> None:
    said: list[Any] = []

    async def appeal(event_id: str, text: str, *, key: str) -> None:
        said.append((event_id, text, key))

    async def ask(*, kind: str, message: str, key: str) -> None:
        said.append((kind, message, key))

    api = SimpleNamespace(points=SimpleNamespace(appeal=appeal), people=SimpleNamespace(ask=ask))
    trips = Trips.__new__(Trips)
    trips.client = SimpleNamespace(api=api)  # type: ignore[assignment]
    await trips.tell(event, "It went the long way.", key="k")
    assert can_appeal(event) is is_appeal
    if is_appeal:
        assert said == [("e1", "It went the long way.", "k")]
    else:
        ((kind, message, key),) = said
        assert (kind, key) == ("correction", "k")
        assert message.startswith("e1 (wharf - hall, 2026-11-21")
        assert message.endswith(": It went the long way.")


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        ("码头 Wharf", "码头", "Wharf"),
        ("会议中心 2 号门 Conference centre, door 2", "会议中心 2 号门", "Conference centre, door 2"),
        ("东屿码头", "东屿码头", "东屿码头"),
        ("Pier 3", "Pier 3", "Pier 3"),
        ("P1 停车场", "P1 停车场", "P1 停车场"),
        ("", "", ""),
    ],
)
def test_a_place_is_named_in_the_language_of_the_app(name: str, zh: str, en: str) -> None:
    assert (place_name(name, "zh"), place_name(name, "en")) == (zh, en)


# ---------------------------------------------------------------- walks


def test_a_walk_is_what_was_counted() -> None:
    found = walk_of(steps="3,200", distance_km="2,4", minutes="31", ended_at=AT, now=AT)
    assert found == Walk(AT - timedelta(minutes=31), AT, Decimal("2.400"), 3_200)


@pytest.mark.parametrize(
    ("steps", "km", "minutes", "problems"),
    [
        ("", "", "", {WalkProblem.NO_STEPS, WalkProblem.NO_DISTANCE, WalkProblem.NO_DURATION}),
        ("0", "0", "0", {WalkProblem.NO_STEPS, WalkProblem.NO_DISTANCE, WalkProblem.NO_DURATION}),
        ("-5", "1", "10", {WalkProblem.NO_STEPS}),
        ("٣", "1", "10", {WalkProblem.NO_STEPS}),
        ("9999999999999", "1", "10", {WalkProblem.NO_STEPS}),
        ("100", "NaN", "10", {WalkProblem.NO_DISTANCE}),
        ("100", "1e9", "10", {WalkProblem.NO_DISTANCE}),
        ("100", "0.0001", "10", {WalkProblem.NO_DISTANCE}),
        ("100", "1", "1441", {WalkProblem.NO_DURATION}),
    ],
)
def test_what_does_not_fit_is_named(steps: str, km: str, minutes: str, problems: set[WalkProblem]) -> None:
    assert walk_of(steps=steps, distance_km=km, minutes=minutes, ended_at=AT, now=AT) == problems


def test_no_walk_ends_in_the_future() -> None:
    found = walk_of(steps="100", distance_km="1", minutes="10", ended_at=AT + timedelta(seconds=1), now=AT)
    assert found == {WalkProblem.IN_THE_FUTURE}
