"""`./island energy replay`: the JSON that others rely on, the table, the schedule, and how faults end."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import pytest

from edge.energy.command import main
from edge.energy.foresight import Unsolved

STEPS = 96
KEYS = {
    *("scenario", "controller", "steps", "cost", "cost_with_stored", "energy_cost", "carbon_cost", "wear_cost"),
    *("demand_cost", "unserved_cost", "fuel_cost", "surplus_cost", "carbon_kg", "peak_kw", "cycles"),
    *("self_sufficiency_frac", "load_kwh", "pv_kwh", "import_kwh", "export_kwh", "genset_kwh", "curtailed_kwh"),
    *("unserved_kwh", "surplus_kwh", "stored_change_kwh", "soc_final", "balance_error_kwh", "us_per_step"),
    *("lower_bound", "monthly", "warnings"),
}
TOML = """
[storage]
capacity_kwh = 400
power_charge_kw = 120
power_discharge_kw = 120
efficiency_charge = 0.95
efficiency_discharge = 0.95
soc_min = 0.1
soc_max = 0.9
soc_initial = 0.5
wear_cost_per_kwh = 0.01
[grid]
import_max_kw = 400
export_max_kw = 200
demand_charge_per_kw = 2
co2_price_per_kg = 0.08
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Four days by the hour, with an outage."""
    path = tmp_path / "days.csv"
    lines = ["at,load_kw,pv_kw,import_price,export_price,co2_kg_per_kwh,grid_up"]
    for i in range(STEPS):
        hour = i % 24
        sun = max(0.0, 250.0 * math.sin((hour - 6) / 12 * math.pi))
        load = 100.0 + 80.0 * math.exp(-(((hour - 19) / 3) ** 2))
        price = 1.05 if 16 <= hour < 22 else 0.31 if hour < 7 else 0.66
        up = 0 if 42 <= i < 45 else 1
        lines.append(f"2026-07-{1 + i // 24:02d}T{hour:02d}:00:00+08:00,{load:.2f},{sun:.2f},{price},0.36,0.3648,{up}")
    path.write_text("\n".join(lines) + "\n")
    (tmp_path / "days.toml").write_text(TOML)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, float]:
    assert main(["replay", *arguments, "--json"]) == 0
    answer: dict[str, float] = json.loads(capsys.readouterr().out)
    return answer


def test_the_json_of_every_controller(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_name = {
        name: run(capsys, "--scenario", str(scenario), "--controller", name) for name in ("rules", "plan", "foresight")
    }
    for name, made in by_name.items():
        assert set(made) == KEYS
        assert (made["scenario"], made["controller"], made["steps"]) == ("days", name, STEPS)
        parts = ("energy_cost", "carbon_cost", "wear_cost", "demand_cost", "unserved_cost", "fuel_cost", "surplus_cost")
        assert made["cost"] == pytest.approx(sum(made[part] for part in parts))
        assert 0.0 <= made["balance_error_kwh"] < 1e-6
        assert made["us_per_step"] > 0.0
        assert made["monthly"][0]["month"] == "2026-07"
    bound = by_name["foresight"]["lower_bound"]
    assert by_name["foresight"]["cost"] == pytest.approx(bound)
    assert bound <= by_name["plan"]["cost"] + 1e-6
    assert bound <= by_name["rules"]["cost"] + 1e-6
    assert by_name["rules"]["lower_bound"] is None


def test_the_table_is_in_both_languages(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--scenario", str(scenario), "--controller", "rules"]) == 0
    out = capsys.readouterr().out
    for word in ("balance error", "平衡误差", "peak of import", "购电峰值", "self-sufficiency", "自给率"):
        assert word in out


def test_the_schedule_adds_up_to_the_figures(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = scenario.with_name("schedule.csv")
    made = run(capsys, "--scenario", str(scenario), "--controller", "rules", "--schedule", str(path))
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == STEPS
    assert rows[0]["local"] == "2026-07-01T00:00:00"
    assert sum(float(row["import_kw"]) for row in rows) == pytest.approx(made["import_kwh"])
    assert float(rows[-1]["stored_kwh"]) == pytest.approx(made["soc_final"] * 400)
    assert (
        main(["replay", "--scenario", str(scenario), "--controller", "rules", "--schedule", "/no/such/folder/x"]) == 1
    )
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pymgrid:25", "pymgrid:x", "pymgrid:-1", "pymgrid:", "nowhere.csv", "days"])
def test_a_scenario_that_is_not_there_ends_with_2(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "--scenario", name, "--controller", "rules", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("energy: ")
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_bad_row_ends_with_2_and_names_it(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = scenario.read_text().replace("2026-07-01T05:00:00+08:00,100.0", "2026-07-01T05:00:00+08:00,-100.0")
    scenario.write_text(text)
    assert main(["replay", "--scenario", str(scenario)]) == 2
    assert "days.csv, row 7, load_kw: -100.00 is negative" in capsys.readouterr().err


def test_a_step_that_cannot_be_planned_is_told(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = scenario.read_text().splitlines()
    scenario.write_text("\n".join([rows[0], *rows[1::5]]))
    assert main(["replay", "--scenario", str(scenario), "--controller", "plan"]) == 2
    assert "a step that divides an hour, not 18000 s" in capsys.readouterr().err
    assert main(["replay", "--scenario", str(scenario), "--controller", "rules"]) == 0


def test_help_and_wrong_command_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, status in ((["replay", "--help"], 0), ([], 2), (["replay"], 2), (["replay", "--scenario"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == status
    text = capsys.readouterr().out
    for key in KEYS - {"scenario", "controller", "steps"}:
        assert key in text


def test_a_doubt_about_a_unit_is_told_beside_the_result(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario.write_text(scenario.read_text().replace(",0.3648,", ",364.8,"))
    assert main(["replay", "--scenario", str(scenario), "--controller", "rules", "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("energy: warning: ")
    assert "days.csv, co2_kg_per_kwh: 364.8" in captured.err
    assert [f"energy: warning: {text}\n" for text in json.loads(captured.out)["warnings"]] == [captured.err]


def test_no_optimum_ends_with_1(
    scenario: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(_: object) -> None:
        raise Unsolved("HiGHS found no optimum: time limit")

    monkeypatch.setattr("edge.energy.command.foresee", never)
    assert main(["replay", "--scenario", str(scenario), "--controller", "foresight", "--json"]) == 1
    assert capsys.readouterr().err == "energy: HiGHS found no optimum: time limit\n"


def test_the_documented_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pair of files in docs/scenarios.md, with every controller."""
    text = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    rows, plant = re.search(r"```csv\n(.*?)```", text, re.S), re.search(r"```toml\n(.*?)```", text, re.S)
    assert rows is not None
    assert plant is not None
    (tmp_path / "week.csv").write_text(rows[1], encoding="utf-8")
    (tmp_path / "week.toml").write_text(plant[1], encoding="utf-8")
    made = {
        name: run(capsys, "--scenario", str(tmp_path / "week.csv"), "--controller", name)
        for name in ("rules", "plan", "foresight")
    }
    assert made["foresight"]["cost"] <= min(made["plan"]["cost"], made["rules"]["cost"])
    assert all(one["balance_error_kwh"] < 1e-6 and one["warnings"] == [] for one in made.values())
    assert f"`rules` costs {made['rules']['cost']:.2f}, `foresight` {made['foresight']['cost']:.2f}" in text
    for name in KEYS:
        assert f"`{name}`" in text
