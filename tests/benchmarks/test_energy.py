"""The energy benchmark in its smallest size: the parts that need no other package."""

from __future__ import annotations

import json

import pytest

from benchmarks import energy
from benchmarks._energy_replay import figures
from control.domain.errors import ConfigurationError


def test_replay_in_its_smallest_size(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing(number: int) -> None:
        raise ConfigurationError(f"pymgrid:{number} is not here")

    monkeypatch.setattr("benchmarks._energy_closed_loop.read_pymgrid", missing)
    status = energy.main(["--json", "--tiny", "--only", "replay"])
    report = json.loads(capsys.readouterr().out)
    assert status == (0 if report["within_goals"] else 1)
    made = report["replay"]
    assert made["what_if"]["s"] > 0.0
    assert made["what_if"]["steps"] == 48
    assert made["rules"]["balance_error_kwh"] < 1e-6
    loop = made["closed_loop"]["scenarios"]["boao"]
    assert loop["cost_with_stored"] == pytest.approx(loop["highs_cost_with_stored"], rel=2e-3)


@pytest.mark.timeout(420)
def test_the_field_in_its_smallest_size(capsys: pytest.CaptureFixture[str]) -> None:
    status = energy.main(["--json", "--tiny", "--only", "field"])
    report = json.loads(capsys.readouterr().out)
    assert status == (0 if report["within_goals"] else 1)
    made = report["field"]
    assert made["start"]["to_safe_s_worst"] > 0.0
    assert made["excess"]["here"]["cloud_edge"]["times"] == 1
    assert made["losses"]["meter"]["told"] >= 1
    assert made["losses"]["meter"]["told_back"] >= 1


def test_goals_that_are_missed_are_named_by_their_path() -> None:
    report = {"replay": {"what_if": {"within_goal": False}, "rules": {"within_goal": True}}, "loop": {}}
    assert energy._missed(report, "") == ["replay.what_if"]
    assert callable(figures)


def test_a_part_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert energy.main(["--only", "replay,wind"]) == 2
    assert "there is no part 'wind'" in capsys.readouterr().err
