"""Calibration, safety counts and their trials: the arithmetic on made-up guesses, the runs in their smallest size."""

from __future__ import annotations

import csv
import json
import sys
from argparse import Namespace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.domain.plates import PlateColour, PlateKind, Verdict
from vision.training import calibration, safety
from vision.training.answers import GateAnswer
from vision.training.calibration import Guess, Lot, Truth
from vision.training.intervals import share_interval, spoken
from vision.training.reliability import (
    Guesses,
    bins_of,
    diagram,
    expected_calibration_error,
    facts_of,
    fitted_line,
    log_loss,
    through_line,
)
from vision.training.trials import Light, trial


def guesses(*pairs: tuple[float, bool]) -> Guesses:
    found = Guesses()
    for probability, right in pairs:
        found.add(probability, right)
    return found


def honest(count: int, seed: int = 3) -> Guesses:
    """Guesses that come true as often as they say."""
    rng = np.random.default_rng(seed)
    return guesses(*((p, bool(rng.random() < p)) for p in rng.uniform(0, 1, count)))


# -------------------------------------------------------------------------------------------------------- reliability


def test_the_error_is_the_weighted_gap_of_the_bins() -> None:
    """Two in the last bin say 1.0 and half come true; two in the first say 0 and none do."""
    found = guesses((1.0, True), (1.0, False), (0.0, False), (0.0, False))
    assert expected_calibration_error(found) == pytest.approx(0.25)
    assert [(one.count, one.share_right) for one in bins_of(found)] == [(2, 0.0), (2, 0.5)]


def test_honest_guesses_have_hardly_an_error_and_boasting_ones_have() -> None:
    found = honest(20000)
    assert expected_calibration_error(found) < 0.015
    boasting = Guesses([p**0.3 for p in found.probabilities], found.right)
    assert expected_calibration_error(boasting) > 0.1


def test_no_guess_has_no_error() -> None:
    assert np.isnan(expected_calibration_error(Guesses()))
    assert facts_of(Guesses())["guesses"] == 0


def test_the_line_undoes_what_was_done_to_the_log_odds() -> None:
    found = honest(20000)
    odds = np.log(np.array(found.probabilities) / (1 - np.array(found.probabilities)))
    timid = Guesses((1 / (1 + np.exp(-(odds - 1.0) / 2))).tolist(), found.right)
    slope, offset = fitted_line(timid)
    assert (slope, offset) == pytest.approx((2.0, 1.0), abs=0.1)
    assert expected_calibration_error(through_line(timid, (slope, offset))) < 0.015


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_errors_lie_between_nothing_and_all(pairs: list[tuple[float, bool]]) -> None:
    found = guesses(*pairs)
    assert 0 <= expected_calibration_error(found) <= 1
    assert log_loss(found) >= 0
    assert sum(one.count for one in bins_of(found)) == len(found)


def test_a_diagram_says_its_error_in_words() -> None:
    drawn = ElementTree.fromstring(diagram("plates & more", honest(300)))
    assert "ECE" in drawn.attrib["aria-label"]
    assert drawn.attrib["aria-label"].startswith("plates & more")


# ----------------------------------------------------------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.30850),
        (10, 10, 0.69150, 1.0),
        (3, 10, 0.06674, 0.65245),
        (0, 0, 0.0, 1.0),
        (5, 100, 0.01643, 0.11283),
    ],
)
def test_intervals_of_clopper_and_pearson(hits: int, of: int, low: float, high: float) -> None:
    assert share_interval(hits, of) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share(counts: tuple[int, int]) -> None:
    low, high = share_interval(*counts)
    assert 0 <= low <= high <= 1
    if counts[1]:
        assert low <= counts[0] / counts[1] <= high


def test_more_hits_than_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="11 hits of 10"):
        share_interval(11, 10)


def test_an_interval_in_words() -> None:
    assert spoken(0, 10000) == "0 of 10,000 (0 to 0.0369 %)"


# -------------------------------------------------------------------------------------------------------------- trials


def test_a_trial_is_named_by_its_number_alone() -> None:
    one, again, other = trial(5, 3), trial(5, 3), trial(6, 3)
    assert (one.text, one.kind, one.light) == (again.text, again.kind, again.light)
    assert np.array_equal(one.scene, again.scene)
    assert np.array_equal(one.quad, again.quad)
    assert one.text != other.text


def test_trials_take_every_kind_and_every_light_in_turn() -> None:
    drawn = [trial(1, number) for number in range(0, 240, 3)]
    assert {one.light for one in drawn} == set(Light)
    assert {one.kind for one in drawn} >= {PlateKind.SMALL, PlateKind.NEV_SMALL, PlateKind.NEV_LARGE, PlateKind.TRACTOR}
    assert all(one.is_new_energy == (one.kind in (PlateKind.NEV_SMALL, PlateKind.NEV_LARGE)) for one in drawn)


# ------------------------------------------------------------------------------------------------------------- safety


def seen(new_energy: bool, answer: GateAnswer, verdict: Verdict = Verdict.UNSURE) -> safety.Seen:
    return safety.Seen("one", "small|day", new_energy, True, answer, verdict)


def test_the_two_errors_are_told_apart() -> None:
    found = safety.summary(
        [
            seen(False, GateAnswer.OPEN, Verdict.NEW_ENERGY),
            seen(False, GateAnswer.REFUSE),
            seen(False, GateAnswer.PERSON, Verdict.NEW_ENERGY),
            seen(True, GateAnswer.OPEN, Verdict.NEW_ENERGY),
            seen(True, GateAnswer.REFUSE, Verdict.FUEL),
        ]
    )
    assert (found["false_pass"]["count"], found["false_pass"]["of"]) == (1, 3)
    assert (found["false_refusal"]["count"], found["false_refusal"]["of"]) == (1, 2)
    assert found["verdicts_on_the_wrong_side"] == {"fuel_as_new_energy": 2, "new_energy_as_fuel": 1}
    assert found["answers"]["person"] == 1


def test_safety_counts_the_same_with_any_number_of_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    reports = []
    for jobs in ("1", "2"):
        assert safety.main(["--plates", "6", "--json", "--jobs", jobs]) == 0
        reports.append(json.loads(capsys.readouterr().out))
    assert reports[0] == reports[1]
    assert reports[0]["rendered"]["plates"] == 6


def test_safety_with_the_detector_speaks_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert safety.main(["--plates", "2", "--whole"]) == 0
    assert "false_pass: 0 of" in capsys.readouterr().out


def test_safety_on_real_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Drawn pictures in the folders where the real ones lie."""
    data(tmp_path)
    assert safety.main(["--plates", "0", "--data", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["real crops"]["plates"] == 1
    assert report["real scenes"]["false_pass"]["count"] == 0


def data(folder: Path) -> None:
    drawn = trial(1, 0)
    left, top = np.floor(drawn.quad.min(axis=0)).astype(int)
    right, bottom = np.ceil(drawn.quad.max(axis=0)).astype(int)
    for name, image in (("crops_train", drawn.scene[top:bottom, left:right]), ("scenes_dev", drawn.scene)):
        (folder / "plates" / name).mkdir(parents=True)
        cv2.imwrite(str(folder / "plates" / name / "a.png"), image)
        with (folder / "plates" / name / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("file", "plate", "colour", "type"), ("a.png", drawn.text, "blue", "")])
    (folder / "plates" / "scenes_train").mkdir()
    cv2.imwrite(str(folder / "plates" / "scenes_train" / "a.jpg"), drawn.scene)


# -------------------------------------------------------------------------------------------------------- calibration


def test_a_plate_adds_a_guess_a_character_and_one_for_the_whole() -> None:
    """O is 0, a character too many is wrong, an unknown ground is no guess."""
    lot = Lot()
    lot.add(Truth("苏AHOG66", PlateColour.BLUE), Guess("苏AH0G68", (0.9,) * 7, 0.5, PlateColour.BLUE, 0.8))
    lot.add(Truth("苏A1", PlateColour.BLUE), Guess("苏A12", (0.9,) * 4, 0.5, PlateColour.UNKNOWN, 0.8))
    assert lot.characters.right == [True] * 6 + [False] + [True] * 3 + [False]
    assert (lot.plates.right, lot.colours.right) == ([False, False], [True])


def options(folder: Path | None, plates: int) -> Namespace:
    return Namespace(data=folder, models=None, plates=plates, seed=2, jobs=1)


def test_another_factor_moves_probabilities_and_not_the_pictures() -> None:
    found = calibration.measure(options(None, 4), ((("sharpness", 0.5),), (("sharpness", 1.0),)))
    soft, sharp = (lots["rendered"].characters for lots in found)
    assert len(soft) > 20
    assert np.mean(soft.probabilities) < np.mean(sharp.probabilities)


def test_fitting_tries_every_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "TRIED", (0.8, 1.2))
    found = calibration.fit(options(None, 6))
    assert {found["sharpness"], found["colour_sharpness"]} <= {0.8, 1.2}
    assert set(found["tried"]) == {
        f"{name} {value}" for name in ("sharpness", "colour_sharpness") for value in (0.8, 1.2)
    }


def test_measuring_real_and_rendered_plates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data(tmp_path)
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["calibration", "--data", str(tmp_path), "--plates", "2", "--out", str(out)])
    calibration.main()
    report = json.loads(capsys.readouterr().out)
    assert report["real"]["plates"]["guesses"] == 1
    assert report["rendered"]["plates"]["guesses"] == 2
    assert {path.name for path in out.iterdir()} == {
        f"{lot}_{part}.svg" for lot in ("real", "rendered") for part in ("characters", "plates", "colours")
    }
