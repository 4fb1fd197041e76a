"""The delivered rules, and short ways to say what a camera saw."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from control.gate.rules import RuleSet, parse_rules

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    return parse_rules(tomllib.loads((ROOT / "control/gate/rules.toml").read_text(encoding="utf-8")))
