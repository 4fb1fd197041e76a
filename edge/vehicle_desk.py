"""A person's word on a vehicle's type: owns what becomes of it, how long crops stay, and what is told of the head.

The crop is kept first and then told, and the gate never waits for either.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import structlog

from control.domain.errors import IslandError
from control.domain.events import VehicleCorrected
from control.domain.readings import Box, Quad, Unavailable
from control.domain.vehicles import VehicleType
from control.gate.mounting import vehicle_around
from control.gate.rules import CROP_KEEP_DAYS
from edge.adapters.correction_store import CORRECTIONS_FILE, CorrectionStore, CorrectionStoreError
from edge.arrival import box_area
from edge.corrections import Correction, anonymous_crop
from edge.facts import iso
from edge.journal import Journal
from edge.passages import Passage, PolicySource
from edge.ports import Clock, Frame, FrameReading, JsonObject, Picture
from vision.head import Head
from vision.head_shelf import HEADS_FOLDER, HeadReport, HeadShelf, HeadShelfError
from vision.live_head import LiveHead

log = structlog.get_logger(__name__)

LOOK_S = 5.0
AGAIN_AFTER_S = 300.0
PRUNE_PERIOD = timedelta(hours=1)
REMEMBERED_MAX = 256
VERSIONS_TOLD = 6


class Looker(Protocol):
    """Reads a picture once more."""

    async def read(self, lane_id: str, frame: Frame) -> FrameReading | Unavailable:
        """What it holds."""
        ...


class VehicleDesk:
    """One per gateway. `run` keeps `told` fresh and removes what is too old."""

    def __init__(
        self,
        *,
        data_dir: Path,
        models_dir: Callable[[], Path | None],
        shipped: Callable[[Path | None], Head],
        looker: Looker,
        journal: Journal,
        policy: PolicySource,
        clock: Clock,
    ) -> None:
        """`shipped` opens the head that came with models; `models_dir` names those that are in use now."""
        self.store = CorrectionStore(data_dir / CORRECTIONS_FILE)
        self.shelf = HeadShelf(data_dir / HEADS_FOLDER)
        self._models_dir, self._shipped, self._looker = models_dir, shipped, looker
        self._journal, self._policy, self._clock = journal, policy, clock
        self._named: OrderedDict[str, str] = OrderedDict()
        self._live: tuple[Path | None, LiveHead] | None = None
        self._problem = ""
        self.told: JsonObject = {}
        self._last_news: tuple[float, JsonObject] | None = None

    def named(self, arrival_id: str) -> str | None:
        """The type that a person gave an arrival's vehicle."""
        return self._named.get(arrival_id)

    def news(self) -> JsonObject:
        """`told` for a health report where it changed, and now and then in any case; {} where nothing is new."""
        now_s = self._clock.monotonic()
        if self._last_news is not None:
            at_s, said = self._last_news
            if said == self.told and now_s - at_s < AGAIN_AFTER_S:
                return {}
        self._last_news = now_s, self.told
        return self.told

    # ------------------------------------------------------------------------------------------------------ correcting

    async def correct(self, passage: Passage, kind: VehicleType, *, by: str, source: str) -> bool:
        """Take a person's word; gives whether a crop was kept. Raises JournalError."""
        event = passage.event
        predicted = event.vehicle or {}
        at = self._clock.now()
        crop = await self._crop(passage)
        correction = Correction(
            arrival_id=passage.arrival_id,
            lane_id=event.lane_id,
            gate_id=event.gate_id,
            at=at,
            by=by,
            source=source,
            label=kind.value,
            predicted=str(predicted.get("type", "")),
            predicted_confidence=float(predicted.get("confidence", 0.0)),
            predicted_by=self.told.get("in_use", "") if predicted else "",
            crop=crop or b"",
        )
        kept = crop is not None and await self._keep(correction, event.plate)
        await self._journal.append(
            VehicleCorrected(
                arrival_id=correction.arrival_id,
                lane_id=correction.lane_id,
                predicted=correction.predicted,
                predicted_confidence=correction.predicted_confidence,
                head=correction.predicted_by,
                corrected=correction.label,
                crop_kept=kept,
                by=by,
                source=source,
                at=iso(at),
            )
        )
        self._named[passage.arrival_id] = kind.value
        while len(self._named) > REMEMBERED_MAX:
            self._named.popitem(last=False)
        return kept

    async def _keep(self, correction: Correction, plate: dict[str, Any] | None) -> bool:
        try:
            await self.store.keep(correction, plate=plate["text"] if plate else "")
        except CorrectionStoreError as error:
            log.warning("crop is not kept", why=str(error))
            return False
        return True

    async def _crop(self, passage: Passage) -> bytes | None:
        """The vehicle in the evidence picture. Looked at once more: every plate in it has to be painted over."""
        data = passage.picture("frame")
        image = None if data is None else await asyncio.to_thread(_decoded, data)
        if image is None:
            return None
        frame = Frame(image, self._clock.now(), self._clock.monotonic(), vehicles=True)
        seen = await self._looker.read(f"{passage.event.lane_id}/correction", frame)
        if isinstance(seen, Unavailable):
            # Nobody can say which plates are in the picture, so it is not kept.
            return None
        own = _quad(passage.event.plate)
        box = _box(passage, seen, own)
        if box is None:
            return None
        quads = [plate.quad for plate in seen.plates] + ([own] if own else [])
        return await asyncio.to_thread(anonymous_crop, image, box, quads)

    # ----------------------------------------------------------------------------------------------------- upkeep

    async def run(self) -> None:
        """Look after crops and head until cancelled."""
        prune_at = self._clock.now()
        while True:
            try:
                self.told = await asyncio.to_thread(self._tell)
                if self._clock.now() >= prune_at:
                    prune_at = self._clock.now() + PRUNE_PERIOD
                    await self.prune()
            except IslandError as error:
                self._say_once(str(error))
            await self._clock.sleep(LOOK_S)

    async def prune(self) -> int:
        """Remove crops that are older than the rules let them be; gives how many. Raises CorrectionStoreError."""
        now = self._clock.now()
        policy = self._policy.rules.in_force(now)
        if policy is None:
            return 0
        gone = await self.store.prune(now=now, keep_days=policy.number(CROP_KEEP_DAYS))
        if gone:
            log.info("training crops removed", crops=gone, rule=CROP_KEEP_DAYS)
        return gone

    def _tell(self) -> JsonObject:
        """For the health report: what is in use, what was learnt, and what there is to learn from."""
        live = self._live_head()
        live.current()
        self._say_once(live.problem)
        told: JsonObject = {"in_use": live.version, "before": None, "problem": live.problem, "versions": []}
        try:
            shelf = self.shelf.read()
            told |= {"before": shelf.before, "versions": [_told(one) for one in shelf.versions[:VERSIONS_TOLD]]}
            return told | {"corrections": self.store.counts()}
        except (HeadShelfError, CorrectionStoreError) as error:
            return told | {"corrections": {}, "problem": live.problem or str(error)}

    def _live_head(self) -> LiveHead:
        """As the reader's own: begun anew with every change of the models."""
        models_dir = self._models_dir()
        if self._live is None or self._live[0] != models_dir:
            self._live = models_dir, LiveHead(self._shipped(models_dir), self.shelf.root)
        return self._live[1]

    def _say_once(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.warning("vehicle head", why=problem)
        self._problem = problem


def _told(report: HeadReport) -> JsonObject:
    values = asdict(report)
    names = ("version", "made_at", "by", "crops", "before_version", "before", "before_interval", "after")
    return {name: values[name] for name in (*names, "after_interval", "seconds")}


def _decoded(data: bytes) -> Picture | None:
    image: Picture | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return image


def _quad(plate: dict[str, Any] | None) -> Quad | None:
    if plate is None:
        return None
    a, b, c, d = ((float(x), float(y)) for x, y in plate["quad"])
    return (a, b, c, d)


def _box(passage: Passage, seen: FrameReading, own: Quad | None) -> Box | None:
    """The vehicle around the plate in this very picture; without a plate the one that was decided about."""
    vehicles = seen.vehicles or ()
    found = vehicle_around(own, vehicles) if own else max(vehicles, key=box_area, default=None)
    if found is not None:
        return found.box
    if passage.event.vehicle is None:
        return None
    x0, y0, x1, y1 = (float(value) for value in passage.event.vehicle["box"])
    return (x0, y0, x1, y1)
