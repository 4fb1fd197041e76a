"""What becomes of a person's word on a vehicle: its crop, how long it stays, and what is told of the head."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import pytest

from control.domain.events import PassageDecided
from control.domain.passages import Decision, Outcome, Reason
from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, Unavailable, VehicleReading
from control.domain.vehicles import VehicleType
from control.gate.rules import RuleSet
from edge.evidence import encode, evidence_of
from edge.passages import Passage, StandingPolicy
from edge.policy import NO_SNAPSHOT
from edge.rules_file import delivered_rules
from edge.vehicle_desk import AGAIN_AFTER_S, VehicleDesk
from vision.head import Head
from vision.head_shelf import SHIPPED

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
OWN = ((200.0, 300.0), (300.0, 300.0), (300.0, 330.0), (200.0, 330.0))
OTHER = ((420.0, 100.0), (460.0, 100.0), (460.0, 112.0), (420.0, 112.0))
BOX = (100.0, 50.0, 480.0, 390.0)


class Clock:
    def __init__(self) -> None:
        self.at, self.at_s = NOW, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Journal:
    def __init__(self) -> None:
        self.events: list[Any] = []

    async def append(self, event: Any) -> None:
        self.events.append(event)


@dataclass
class Seen:
    plates: tuple[PlateReading, ...]
    vehicles: tuple[VehicleReading, ...] | None
    ms: float = 1.0


class Looker:
    def __init__(self) -> None:
        vehicle = VehicleReading(VehicleType.CAR, 0.8, BOX)
        self.seen: Seen | Unavailable = Seen((plate(OWN), plate(OTHER)), (vehicle,))
        self.asked: list[bool] = []

    async def read(self, lane_id: str, frame: Any) -> Any:
        self.asked.append(frame.vehicles)
        return self.seen


def plate(quad: Any) -> PlateReading:
    characters = tuple(CharacterReading(char, 0.99) for char in "琼AD12345")
    return PlateReading(characters, PlateColour.GREEN, 0.99, 0.98, quad)


def picture() -> np.ndarray:
    """A grey picture with two plates of black and white stripes."""
    image = np.full((400, 600, 3), 120, np.uint8)
    for quad in (OWN, OTHER):
        (x0, y0), (x1, y1) = quad[0], quad[2]
        for x in range(int(x0), int(x1), 4):
            cv2.rectangle(image, (x, int(y0)), (x + 1, int(y1)), (255, 255, 255), -1)
            cv2.rectangle(image, (x + 2, int(y0)), (x + 3, int(y1)), (0, 0, 0), -1)
    return image


def passage(*, vehicle: dict[str, Any] | None = None, with_picture: bool = True) -> Passage:
    event = PassageDecided(
        arrival_id="a-1",
        lane_id="in-1",
        gate_id="east",
        direction="in",
        at="2026-11-21T09:00:00.000Z",
        outcome="hold",
        reasons=[],
        rule_version="r",
        plate={"text": "琼AD12345", "quad": [list(corner) for corner in OWN]},
        vehicle=vehicle,
        unavailable=None,
        permit_id=None,
        complete_permit_after=False,
        record_emission=False,
        suggestions=[],
        snapshot_version=0,
        frame_sha256=None,
        crop_sha256=None,
        decide_ms=0.1,
    )
    pictures = (evidence_of(encode(picture()), "frame"),) if with_picture else ()
    return Passage("a-1", Decision(Outcome.HOLD, (Reason("character_unsure"),), "r"), event, pictures)


def small_head() -> Head:
    features = np.eye(3, dtype=np.float32)[[0, 1] * 6]
    return Head.fit(features, ["car", "truck"] * 6, name="shipped head", made_at="2026-11-01T00:00:00Z")


@pytest.fixture
def looker() -> Looker:
    return Looker()


@pytest.fixture
def desk(tmp_path: Any, looker: Looker) -> VehicleDesk:
    return VehicleDesk(
        data_dir=tmp_path,
        models_dir=lambda: None,
        shipped=lambda _: small_head(),
        looker=looker,
        journal=Journal(),
        policy=StandingPolicy(NO_SNAPSHOT, delivered_rules()),
        clock=Clock(),
    )


def striped(image: np.ndarray) -> float:
    """How much of the finest detail there is: the mean step between neighbouring columns."""
    return float(np.abs(np.diff(image.astype(int), axis=1)).mean())


async def test_every_plate_in_the_crop_is_covered(desk: VehicleDesk, looker: Looker) -> None:
    assert await desk.correct(passage(), VehicleType.TRUCK, by="陈", source="hut") is True
    (kept,) = desk.store.read()
    crop = cv2.imdecode(np.frombuffer(kept.crop, np.uint8), cv2.IMREAD_COLOR)
    scale = crop.shape[1] / (BOX[2] - BOX[0])
    for quad in (OWN, OTHER):
        (x0, y0), (x1, y1) = quad[0], quad[2]
        left, right = (round((x - BOX[0]) * scale) for x in (x0, x1))
        top, bottom = (round((y - BOX[1]) * scale) for y in (y0, y1))
        assert striped(crop[top:bottom, left:right]) < 8
    assert looker.asked == [True]


async def test_only_its_own_plate_is_known_of_where_nothing_else_was_seen(desk: VehicleDesk, looker: Looker) -> None:
    looker.seen = Seen((), (VehicleReading(VehicleType.CAR, 0.8, BOX),))
    await desk.correct(passage(), VehicleType.TRUCK, by="陈", source="hut")
    crop = cv2.imdecode(np.frombuffer(desk.store.read()[0].crop, np.uint8), cv2.IMREAD_COLOR)
    scale = crop.shape[1] / (BOX[2] - BOX[0])
    top, bottom, left, right = (round(v * scale) for v in (250, 280, 100, 200))
    assert striped(crop[top:bottom, left:right]) < 8


async def test_the_box_of_the_decision_serves_where_the_vehicle_is_not_found_again(
    desk: VehicleDesk, looker: Looker
) -> None:
    looker.seen = Seen((plate(OWN),), ())
    decided = {"type": "car", "confidence": 0.8, "box": list(BOX)}
    assert await desk.correct(passage(vehicle=decided), VehicleType.TRUCK, by="陈", source="hut") is True
    assert await desk.correct(passage(), VehicleType.TRUCK, by="陈", source="hut") is False


async def test_without_a_picture_the_word_is_told_alone(desk: VehicleDesk) -> None:
    assert await desk.correct(passage(with_picture=False), VehicleType.TRUCK, by="陈", source="hut") is False
    (told,) = desk._journal.events
    assert (told.corrected, told.crop_kept) == ("truck", False)
    assert desk.named("a-1") == "truck"


async def test_crops_stay_for_as_long_as_the_rules_say(desk: VehicleDesk) -> None:
    await desk.correct(passage(), VehicleType.TRUCK, by="陈", source="hut")
    rules: RuleSet = delivered_rules()
    days = rules.in_force(NOW).number("vehicle.crop_keep_days")
    desk._clock.at = NOW + timedelta(days=days - 1)
    assert await desk.prune() == 0
    desk._clock.at = NOW + timedelta(days=days + 1)
    assert await desk.prune() == 1
    assert desk.store.read() == []


async def test_without_rules_in_force_nothing_is_removed(desk: VehicleDesk) -> None:
    await desk.correct(passage(), VehicleType.TRUCK, by="陈", source="hut")
    desk._policy = replace(desk._policy, rules=RuleSet("empty", ()))
    desk._clock.at = NOW + timedelta(days=9999)
    assert await desk.prune() == 0


def test_a_damaged_shelf_is_told_as_a_problem(desk: VehicleDesk) -> None:
    assert desk._tell()["in_use"] == SHIPPED
    (desk.shelf.root).mkdir()
    (desk.shelf.root / "in_use.json").write_text("{")
    told = desk._tell()
    assert "in_use.json is damaged" in told["problem"]
    assert told["in_use"] == SHIPPED


def test_a_damaged_store_is_told_as_a_problem(desk: VehicleDesk) -> None:
    desk.store.path.write_bytes(b"no database" * 50)
    told = desk._tell()
    assert "the gate works without them" in told["problem"]
    assert told["corrections"] == {}


def test_health_reports_carry_it_where_it_changed_and_now_and_then(desk: VehicleDesk) -> None:
    desk.told = {"in_use": SHIPPED}
    assert [desk.news(), desk.news()] == [{"in_use": SHIPPED}, {}]
    desk.told = {"in_use": "site-1"}
    assert [desk.news(), desk.news()] == [{"in_use": "site-1"}, {}]
    desk._clock.at_s = AGAIN_AFTER_S
    assert desk.news() == {"in_use": "site-1"}


def test_changed_models_begin_with_their_own_head(desk: VehicleDesk, tmp_path: Any) -> None:
    first = desk._live_head()
    assert desk._live_head() is first
    desk._models_dir = lambda: tmp_path
    assert desk._live_head() is not first
