"""The journal's benchmark at a tiny size, so that it cannot rot."""

from __future__ import annotations

import json

import pytest

from benchmarks import journal


def test_figures_stand_beside_their_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert journal.main(["--rows", "400", "--producers", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 400
    assert found["p50_ms"] <= found["p99_ms"]
    assert found["of_raw_groups"] == pytest.approx(found["rows_per_s"] / found["raw_groups"], rel=0.01)
