"""The app's benchmark at a tiny size: every figure stands beside its limit."""

from __future__ import annotations

import json

import pytest

from benchmarks import app


@pytest.mark.timeout(900)
def test_figures_stand_beside_their_limits(capfd: pytest.CaptureFixture[str]) -> None:
    app.main(["--json", "--rows", "60", "--starts", "1"])
    found = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert found["rows"] == 60
    assert found["ratios"]["first_frame"] == pytest.approx(found["first_frame_s"] / 1.5, abs=0.002)
    assert found["ratios"]["memory"] == pytest.approx(found["memory_mb"] / 200, abs=0.002)
    assert found["ratios"]["frames"] == pytest.approx(30 / found["frames_per_s"], rel=0.02)
