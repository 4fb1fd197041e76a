"""What the pages of points say: masked names, amounts, formulas, the chart, the way of a person, typed lists."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server.console import pages_vouchers, points_desk, points_views
from cloud_sync.server.console.pages_points_devices import offset, refusal_lines
from cloud_sync.server.console.words import Words, load_catalogue
from cloud_sync.server.points.desk_records import RefusalCell, WayRecord
from cloud_sync.server.points.records import EarningRecord, FigureRecord, FormulaRecord, Sentence
from cloud_sync.server.problems import Problem
from control.points.methodology import Scene
from control.points.words import ANOMALIES

NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
SHUTTLE = Sentence("shuttle", "乘坐摆渡车", "Shared shuttle")


def made(language: str) -> Words:
    return Words(language, load_catalogue(language), ZoneInfo("Asia/Shanghai"), lambda: NOW)


@pytest.mark.parametrize(
    ("name", "shown"), [("陈海龙", "陈•龙"), ("李静", "李•"), ("Wang Lin", "W•n"), ("Q", "Q"), ("", "")]
)
def test_a_name_is_masked(name: str, shown: str) -> None:
    assert points_views.masked(name) == shown


@pytest.mark.parametrize(
    ("grams", "shown"),
    [
        (None, ("—", "")),
        (999, ("999", "gCO₂e")),
        (412_300, ("412.3", "kgCO₂e")),
        (9_284_600, ("9.28", "tCO₂e")),
        (-5, ("−5", "gCO₂e")),
    ],
)
def test_carbon_has_the_unit_of_its_size(grams: int | None, shown: tuple[str, str]) -> None:
    assert points_views.carbon(grams) == shown


@pytest.mark.parametrize(("fen", "shown"), [(None, "—"), (0, "0.00"), (123_456, "1,234.56"), (-50, "−0.50")])
def test_fen_are_shown_as_yuan(fen: int | None, shown: str) -> None:
    assert points_views.yuan(fen) == shown


def test_every_scene_has_an_icon_and_every_anomaly_a_sentence() -> None:
    assert set(points_views.SCENE_ICON) == set(Scene)
    for code, (chinese, english) in ANOMALIES.items():
        assert points_views.anomaly_word(made("zh"), code) == chinese
        assert points_views.anomaly_word(made("en"), code) == english


def test_the_chart_says_its_finding_and_fills_its_height() -> None:
    days = [(date(2026, 10, 23) + timedelta(days=n), 100 * (n % 7)) for n in range(30)]
    drawn = points_views.day_chart(made("en"), days)
    assert len(drawn.bars) == 30
    assert drawn.lines[0] == (points_views.CHART_BASE, "0")
    assert max(one.height for one in drawn.bars) <= points_views.CHART_BASE - points_views.CHART_TOP
    assert drawn.bars[-1].label == "21 Nov"
    assert "600" in drawn.finding
    empty = points_views.day_chart(made("zh"), [(day, 0) for day, _ in days])
    assert empty.finding == "这些天没有发放积分。"
    assert all(one.height == 0 for one in empty.bars)


def ride(event_id: str, ago_min: float, took_s: int, places: tuple[str, str], *, reason: str = "") -> EarningRecord:
    ended = NOW - timedelta(minutes=ago_min)
    figures = (FigureRecord("baseline_g", "104"), FigureRecord("activity", "1.8 pkm"))
    return EarningRecord(
        event_id=event_id,
        person="p",
        key="shuttle",
        scene=SHUTTLE,
        state="held",
        started_at=ended - timedelta(seconds=took_s),
        ended_at=ended,
        claimed_at=ended,
        evidence=Sentence("trip_codes", "起止站点码", "Codes of start and end"),
        source_id=">".join(places),
        start_place=places[0],
        end_place=places[1],
        merchant="",
        activity="1.8",
        points=133,
        grams=133,
        reasons=(Sentence(reason, "", ""),) if reason else (),
        detail="",
        formula=FormulaRecord("shuttle", 1, "乘坐摆渡车", "Shared shuttle", figures, (), (), ()),
        release_at=None,
        decided_at=NOW,
        decided_by="cloud",
        reversed_at=None,
    )


def test_the_way_shows_the_odd_leg() -> None:
    event = ride("e2", 3, 60, ("A", "B"), reason="too_fast")
    row = WayRecord("A", "B", 1800, date(2026, 1, 1), None, "route plan", "office", "a new line", NOW)
    stops = points_desk.way(made("en"), event, [event, ride("e1", 50, 300, ("B", "A"))], [row], {})
    assert [(one.place, one.is_this) for one in stops] == [("B", False), ("A", False), ("A", True), ("B", True)]
    assert [one.leg_odd for one in stops] == [False, False, False, True]
    assert stops[3].leg == "1.8 km · 1 min · 108 km/h"
    assert points_desk.speed(event) == "108 km/h"


def test_an_event_alone_that_day_has_no_way() -> None:
    event = ride("e1", 3, 60, ("A", "A"))
    assert points_desk.way(made("zh"), event, [event], [], {}) == ()


@pytest.mark.parametrize(("amount", "shown"), [("1.8", "1.8"), ("266/5", "53.2"), ("1/3", "0.33"), ("7 x", "7 x")])
def test_exact_amounts_are_short(amount: str, shown: str) -> None:
    assert points_desk.short(amount) == shown


def test_a_reason_is_one_sentence_for_the_record() -> None:
    assert (
        points_desk.reason_text(points_desk.REFUSE_REASON, "code_shared", " 两人同码 ")
        == "A code was handed on: 两人同码"
    )
    assert points_desk.reason_text(points_desk.REFUSE_REASON, "nothing", "") == ""


def test_refusals_are_gathered_by_source_and_reason() -> None:
    late, forged = Sentence("late", "码已过时", "Too old"), Sentence("forged", "码不正确", "Wrong")
    cells = [RefusalCell("d1", "Board", hour, reason, 2) for hour in (9, 10) for reason in (late, forged)]
    cells.append(RefusalCell("d1", "Board", 9, late, 3))
    lines = refusal_lines(made("en"), cells)
    assert [(one.reason, one.total, one.most) for one in lines] == [("Too old", 7, 5), ("Wrong", 4, 5)]
    assert lines[0].hours[9] == 5
    assert lines[0].told == "Most between 9:00 and 10:00"


@pytest.mark.parametrize(("seconds", "shown"), [(0, "±0 s"), (75, "+1 min"), (-5, "−5 s")])
def test_a_clock_is_ahead_or_behind(seconds: int, shown: str) -> None:
    assert offset(made("en"), seconds) == shown


def test_a_pasted_list_is_read_line_by_line() -> None:
    assert pages_vouchers.pasted_list("a-1, 20.50\n\na-2\t5\nb，1\na-1, 1") == {"a-1": 2_150, "a-2": 500, "b": 100}
    thousands = 'a,1,050.00\nb\t12,345\n"c","2,000.5"\na，1,000'
    assert pages_vouchers.pasted_list(thousands) == {"a": 205_000, "b": 1_234_500, "c": 200_050}
    for wrong in ("a-1 20", "a,1,05", "a,", ",5", "a,x"):
        with pytest.raises(Problem):
            pages_vouchers.pasted_list(wrong)


def test_a_formula_is_one_line() -> None:
    assert points_views.exact(Fraction(87, 10)) == "8.7"
