"""The API benchmark at a tiny size: every kind of request is answered rightly, and the limit stands beside."""

from __future__ import annotations

import json

import pytest

from benchmarks import api


def test_every_request_is_answered_and_the_limit_stands_beside(capfd: pytest.CaptureFixture[str]) -> None:
    api.main(["--json", "--entries", "2000", "--accounts", "200", "--rate", "20", "--seconds", "8"])
    found = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (found["requests"], found["failed"]) == (160, 0)
    assert found["by_address_ms"].keys() == {
        path if method == "GET" else f"{method} {path}" for _, _, method, path in api.MIX
    }
    assert found["ratio"] == pytest.approx(found["p99_ms"] / found["limit_ms_p99"], abs=0.002)
