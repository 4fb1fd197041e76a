"""The delivered rules, and a form that has no problem."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from control.domain.plates import PlateColour
from control.domain.vehicles import VehicleType
from control.permits.application import Application, Drive, EntryKind, Form, Paper, Purpose
from control.permits.form_check import FormFacts
from control.permits.rules import PermitRules, PermitRuleSet, parse_rules

settings.register_profile("permits", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("permits")

ROOT = Path(__file__).resolve().parents[3]
DELIVERED = parse_rules(tomllib.loads((ROOT / "control/permits/permits.toml").read_text(encoding="utf-8")))
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.fixture(scope="session")
def rule_rows() -> PermitRuleSet:
    return DELIVERED


@pytest.fixture(scope="session")
def rules() -> PermitRules:
    return DELIVERED.at(date(2026, 11, 21))


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def form() -> Form:
    papers = (Paper("a" * 64, "vehicle_licence", "image/jpeg", 1), Paper("b" * 64, "vehicle_photo", "image/png", 2))
    return Form(
        plate="琼C12345",
        plate_colour=PlateColour.YELLOW,
        entry_kind=EntryKind.COUNTED,
        entries=3,
        vehicle_type=VehicleType.CRANE,
        emission_class="crane",
        drive=Drive.DIESEL,
        consumption_per_100km=Decimal(38),
        purpose=Purpose.LIFTING,
        gates=("east",),
        window_from=NOW + timedelta(days=2),
        window_until=NOW + timedelta(days=5),
        holder="Crane Ltd",
        papers=papers,
    )


@pytest.fixture(scope="session")
def draft(form: Form) -> Application:
    return Application(application_id="p1", applicant_id="driver", form=form)


@pytest.fixture(scope="session")
def facts() -> FormFacts:
    return FormFacts(
        now=NOW,
        gates=frozenset({"east", "west"}),
        emission_classes=frozenset({"crane", "petrol_car"}),
        default_per_100km=Decimal(38),
    )
