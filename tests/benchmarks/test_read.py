"""The reading benchmark in its smallest size, without and with a stand-in for the peer."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from benchmarks import read


def report_of(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def test_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert read.main(["--json", "--no-peer", "--pictures", "3"]) == 0
    report = report_of(capsys)
    assert (report["pictures"], report["ours"]["of"], report["ratio_ms"]) == (3, 3, None)
    assert report["peer"]["name"] == "agentclpr: not asked for"
    assert report["ours"]["ms_median"] > 0


def test_a_peer_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    read.main(["--json", "--pictures", "1", "--peer-python", "/nowhere/python"])
    assert "no interpreter" in report_of(capsys)["peer"]["name"]


STAND_IN = """
import json, sys
print(json.dumps({"name": "stand-in 1.0"}), flush=True)
for line in sys.stdin:
    print(json.dumps({"ms": 1e6, "cpu_ms": 1e6, "texts": ["琼AO0001"]}), flush=True)
"""


def test_beside_a_peer_on_labelled_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ratio compares both in one run, and O counts as 0."""
    cases = read.rendered_cases(tmp_path, 2)
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerows([("file", "plate", "colour"), *((case.path.name, "琼A00001", "blue") for case in cases)])
    (tmp_path / "peer.py").write_text(STAND_IN, encoding="utf-8")
    monkeypatch.setattr(read, "PEER", tmp_path / "peer.py")
    status = read.main(["--json", "--data", str(tmp_path), "--peer-python", sys.executable])
    report = report_of(capsys)
    assert status == 0
    assert (report["peer"]["name"], report["peer"]["by_colour"]) == ("stand-in 1.0", {"blue": "2/2"})
    assert report["ours"]["by_colour"] == {"blue": "0/2"}
    assert 0 < report["ratio_ms"] < read.RATIO_MAX


def test_a_peer_that_dies_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "peer.py").write_text('print(\'{"name": "stand-in"}\')', encoding="utf-8")
    monkeypatch.setattr(read, "PEER", tmp_path / "peer.py")
    assert read.main(["--json", "--pictures", "1", "--peer-python", sys.executable]) == 2
    assert "stand-in failed" in capsys.readouterr().err


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    read.main(["--pictures", "1", "--no-peer"])
    assert "ours" in capsys.readouterr().out


def test_a_folder_without_labels_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read.main(["--data", str(tmp_path)]) == 2
    assert "labels.csv" in capsys.readouterr().err
