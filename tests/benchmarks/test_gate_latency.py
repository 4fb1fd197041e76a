"""The latency benchmark in its smallest size: a whole gateway lets one car in."""

from __future__ import annotations

import json

import pytest

from benchmarks import gate_latency


def test_one_car(capsys: pytest.CaptureFixture[str]) -> None:
    status = gate_latency.main(["--json", "--passages", "1"])
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["passages"] == 1
    assert report["restarts"] == 0
    assert report["memory_mb"] > 0
    assert status == (0 if report["within_limits"] else 1)
