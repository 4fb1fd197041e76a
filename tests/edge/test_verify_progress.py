"""Who waits for a long proof is told how far it is, on the error stream alone."""

from __future__ import annotations

import io
import sys

import pytest

from edge import verify_progress
from edge.verify_progress import Progress


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(verify_progress, "LINE_EVERY_S", 0.0)
    with Progress() as progress:
        progress.begin("ledger carbon", 4)
        progress.add(1)
        progress.add(2)
        progress.begin("cloud")
        progress.add(5)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "verify: ledger carbon: 1 rows of 4, 25%",
        "verify: ledger carbon: 3 rows of 4, 75%",
        "verify: cloud: 5 rows",
    ]


def test_a_quick_proof_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.begin("ledger carbon", 4)
        progress.add(4)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress() as progress:
        progress.begin("ledger carbon", 4)
        progress.add(2)
    assert "ledger carbon" in terminal.getvalue()
