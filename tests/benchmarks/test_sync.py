"""The catch-up benchmark at a tiny size: two processes, broker and database are real."""

from __future__ import annotations

import json

import pytest

from benchmarks import sync


def test_every_event_arrives_and_the_limit_stands_beside(capsys: pytest.CaptureFixture[str]) -> None:
    assert sync.main(["--events", "2000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["events"] == 2000
    assert found["wire_bytes_per_event"] <= 55
    assert found["of_copy_limit"] == pytest.approx(found["events_per_s"] / found["copy_limit_per_s"], rel=0.01)
