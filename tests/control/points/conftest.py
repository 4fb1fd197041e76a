"""The delivered methodologies and rules."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from control.points.methodology import MethodologySet
from control.points.methodology_rows import parse_methodologies
from control.points.rules import PointRules, PointRuleSet, parse_rules

POINTS = Path(__file__).resolve().parents[3] / "control/points"


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((POINTS / name).read_text(encoding="utf-8"))


METHODS = parse_methodologies(read("methodologies.toml"))
RULES = parse_rules(read("rules.toml"))


@pytest.fixture(scope="session")
def methods() -> MethodologySet:
    return METHODS


@pytest.fixture(scope="session")
def rule_rows() -> PointRuleSet:
    return RULES


@pytest.fixture(scope="session")
def rules() -> PointRules:
    return RULES.at(date(2026, 11, 21))
