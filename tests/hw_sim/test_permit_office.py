"""The demonstration's applications: complete by the delivered rules, with papers that the cloud takes."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_sync.server.api.applications import FormBody
from control.carbon.visit_types import EmissionClass
from control.domain.permits import Permit
from control.permits import rules as keys
from control.permits.application import Application, Form
from control.permits.form_check import FormFacts, check
from control.permits.rules import PermitRule, PermitRules, parse_rules
from hw_sim.fleet import draw_fleet
from hw_sim.permit_office import form_of, licence_picture
from hw_sim.permit_show import guests_of, permits_of

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
RULES = parse_rules(tomllib.loads(Path(keys.__file__).with_name("permits.toml").read_text(encoding="utf-8")))
PERMITS = (*draw_fleet(1, NOW).permits, *permits_of(guests_of(1, NOW)))


def rules_of_the_demonstration() -> PermitRules:
    """Today's rules, with the term of special vehicles as the demonstration sets it."""
    rules = RULES.at(NOW.date())
    row: PermitRule = rules.rows["apply_ahead.special.least"]
    return replace(rules, rows={**rules.rows, row.key: replace(row, value=type(row.value)(0))})


@pytest.mark.parametrize("permit", PERMITS, ids=lambda permit: permit.plate)
def test_every_permit_of_the_demonstration_may_be_applied_for(permit: Permit) -> None:
    form = FormBody(**form_of(permit, gate_id="east", sha256="a" * 64, now=NOW)).over(Form())
    facts = FormFacts(
        now=NOW,
        gates=frozenset({"east"}),
        emission_classes=frozenset(EmissionClass),
        default_per_100km=Decimal(20),
    )
    application = Application(application_id="XK-2026-000001", applicant_id="driver", form=form)
    assert check(application, rules_of_the_demonstration(), facts) == ()


def test_papers_are_pictures_of_a_size_that_is_taken() -> None:
    first, second = (licence_picture(permit.plate) for permit in PERMITS[:2])
    assert first != second
    image = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert min(image.shape[:2]) >= 200


def test_guests_have_plates_of_their_own_and_one_has_no_permit() -> None:
    guests = guests_of(3, NOW)
    plates = {guest.permit.plate for guest in guests}
    assert len(plates) == len(guests)
    assert not plates & {permit.plate for permit in draw_fleet(3, NOW).permits}
    assert [guest.genuine for guest in guests] == [True, True, False]
    assert all(guest.permit.valid_until - NOW > timedelta(days=1) for guest in guests)
