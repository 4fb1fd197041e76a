"""The delivered factors."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from control.carbon.factors import Factors, FactorSet, parse_factors

ROOT = Path(__file__).resolve().parents[3]
DELIVERED = parse_factors(tomllib.loads((ROOT / "control/carbon/factors.toml").read_text(encoding="utf-8")))


@pytest.fixture
def factor_rows() -> FactorSet:
    return DELIVERED


@pytest.fixture
def today() -> Factors:
    return DELIVERED.at(date(2026, 11, 21))
