"""One decision about one vehicle, made and recorded: owns `decide`'s timing, the event's body and its evidence."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from control.domain.events import KIND_OF, DeviceBack, DeviceLost, MediaStored, PassageDecided
from control.domain.passages import Decision, Direction, Outcome, Reason
from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit, PermitSnapshot
from control.domain.plates import mask
from control.domain.readings import PlateReading, Unavailable, VehicleReading
from control.gate.admission import ArrivalView, LaneView, decide
from control.gate.pass_admission import PassJudged, ShownAt, decide_with_pass
from control.gate.permit_check import permit_by_pass
from control.gate.presence import EVENTS as PRESENCE_EVENTS
from control.gate.presence import Presence, counted_down
from control.gate.reasons import Code
from control.gate.rules import OWN_VIEW_MAX_MIN, Policy, RuleSet
from edge.evidence import MEDIA_TYPE, Evidence, EvidenceFull, EvidenceStore, crop_evidence, frame_evidence
from edge.facts import iso, plate_body, reason_bodies, vehicle_body
from edge.journal import Journal
from edge.passes import ShownPass, pass_body
from edge.ports import Clock, Frame

log = structlog.get_logger(__name__)

PRESENCE_ROWS_MAX = 20_000


class PolicySource(Protocol):
    """What the gate decides by, as it stands now: permits, lists, register, and dated rules."""

    @property
    def snapshot(self) -> PermitSnapshot:
        """The newest verified snapshot, or an empty one of version 0."""
        ...

    @property
    def rules(self) -> RuleSet:
        """The rules that came with it, or the delivered ones."""
        ...


@dataclass(frozen=True, slots=True)
class StandingPolicy:
    """A policy that does not change: what a gateway starts with before the cloud has sent anything."""

    snapshot: PermitSnapshot
    rules: RuleSet


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a decision rests on. `plate` is fused; `best` is the single reading that fits `frame`.

    `mounting` is what speaks against the plate being fixed on this vehicle; `shown` the pass that was shown with it.
    """

    plate: PlateReading | Unavailable | None
    vehicle: VehicleReading | Unavailable | None = None
    frame: Frame | None = None
    best: PlateReading | None = None
    mounting: tuple[Reason, ...] = ()
    shown: ShownPass | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A decided arrival with the pictures that show why, and the permit that a pass proved for it."""

    arrival_id: str
    decision: Decision
    event: PassageDecided
    pictures: tuple[Evidence, ...]
    proved: Permit | None = None

    def picture(self, role: str) -> bytes | None:
        """The bytes of the frame or the crop."""
        return next((p.data for p in self.pictures if p.role == role), None)


class PassageDesk:
    """Decides and words one passage; nothing here acts or waits."""

    def __init__(self, *, policy: PolicySource, clock: Clock, new_id: Callable[[], str]) -> None:
        self.policy, self.clock, self.new_id = policy, clock, new_id
        self.presence = Presence()
        self._remembers = False
        self._remembering = asyncio.Lock()

    async def remember(self, journal: Journal) -> None:
        """Learn once from the journal who went in and out before this start."""
        async with self._remembering:
            if self._remembers:
                return
            for row in reversed(await journal.recent(PRESENCE_EVENTS, PRESENCE_ROWS_MAX)):
                self.presence.take(row.kind, row.body)
            self._remembers = True

    def journalled(self, facts: Iterable[object]) -> None:
        """These facts are in the journal now."""
        for fact in facts:
            kind = KIND_OF.get(type(fact))
            if kind in PRESENCE_EVENTS:
                self.presence.take(kind, asdict(fact))

    def judge(self, sighting: Sighting, lane: LaneView) -> PassJudged:
        """The policy's answer now, with what a pass changes about it; nothing is recorded."""
        at, snapshot, rules = self.clock.now(), self.policy.snapshot, self.policy.rules
        here = lane
        if isinstance(sighting.plate, PlateReading):
            text = sighting.plate.identity.text
            snapshot = counted_down(snapshot, text, self.presence)
            here = self._with_presence(lane, text, rules.in_force(at), at)
        view = ArrivalView(sighting.plate, sighting.vehicle, sighting.mounting)
        without = decide(view, snapshot, rules, here, at)
        if sighting.shown is None:
            return PassJudged(without)
        said, where = sighting.shown.said, self._shown_at(sighting.shown.said, lane, at)
        return decide_with_pass(without, view, said, self.policy.snapshot, rules, where)

    def proved(self, said: PermitPass, plate: str, lane: LaneView) -> Permit | PassProblem:
        """The permit that a pass proves now for a plate that a person sees, or why it proves none."""
        at = self.clock.now()
        seen = self._shown_at(said, lane, at).entries_seen
        return permit_by_pass(said, self.policy.snapshot, plate=plate, gate_id=lane.gate_id, at=at, entries_seen=seen)

    def _shown_at(self, said: PermitPass | PassProblem, lane: LaneView, at: datetime) -> ShownAt:
        """The lane as it is for the pass's own plate, and the entries under its permit that were seen here."""
        if isinstance(said, PassProblem):
            return ShownAt(lane, at, 0)
        snapshot, policy = self.policy.snapshot, self.policy.rules.in_force(at)
        known_since = max(said.issued_at, snapshot.taken_at)
        here = self._with_presence(lane, said.permit.plate, policy, at)
        return ShownAt(here, at, self.presence.entries_since(said.permit.permit_id, known_since))

    def _with_presence(self, lane: LaneView, text: str, policy: Policy | None, at: datetime) -> LaneView:
        if policy is None or lane.direction is not Direction.IN:
            return lane
        longest = timedelta(minutes=policy.number(OWN_VIEW_MAX_MIN))
        entered = self.presence.entered(text, at=at, own_view_max=longest)
        return lane if entered is None else replace(lane, already_inside=True, entered_at=entered.at)

    def decide(self, arrival_id: str, sighting: Sighting, lane: LaneView) -> Passage:
        """The policy's answer, and the event that tells it."""
        started = time.perf_counter()
        judged = self.judge(sighting, lane)
        decide_ms = (time.perf_counter() - started) * 1000
        return self._passage(arrival_id, sighting, lane, judged, decide_ms=decide_ms)

    def tailgated(self, arrival_id: str, sighting: Sighting, lane: LaneView) -> Passage:
        """A vehicle that went through unasked behind another one: nobody let it in, and a person should know."""
        judged = self.judge(sighting, lane).decision
        reasons = (Reason(Code.TAILGATED), *judged.reasons)
        decision = Decision(Outcome.HOLD, reasons, judged.rule_version, suggestions=judged.suggestions)
        return self._passage(arrival_id, sighting, lane, PassJudged(decision), decide_ms=0.0)

    def _passage(
        self, arrival_id: str, sighting: Sighting, lane: LaneView, judged: PassJudged, *, decide_ms: float
    ) -> Passage:
        decision = judged.decision
        at, snapshot = self.clock.now(), self.policy.snapshot
        pictures = pictures_of(sighting)
        names = {picture.role: picture.sha256 for picture in pictures}
        event = PassageDecided(
            arrival_id=arrival_id,
            lane_id=lane.lane_id,
            gate_id=lane.gate_id,
            direction=lane.direction.value,
            at=iso(at),
            outcome=decision.outcome.value,
            reasons=reason_bodies(decision),
            rule_version=decision.rule_version,
            plate=_plate_of(sighting),
            vehicle=vehicle_body(sighting.vehicle),
            unavailable=sighting.plate.why if isinstance(sighting.plate, Unavailable) else None,
            permit_id=decision.permit_id,
            complete_permit_after=decision.complete_permit_after,
            record_emission=decision.record_emission,
            suggestions=list(decision.suggestions),
            snapshot_version=snapshot.version,
            frame_sha256=names.get("frame"),
            crop_sha256=names.get("crop"),
            decide_ms=round(decide_ms, 3),
            pass_shown=None if sighting.shown is None else pass_body(sighting.shown, judged.problem),
        )
        shown = mask(event.plate["text"]) if event.plate else "none"
        log.info("passage decided", lane=lane.lane_id, outcome=event.outcome, plate=shown)
        return Passage(arrival_id, decision, event, pictures, judged.permit)


def _plate_of(sighting: Sighting) -> dict[str, object] | None:
    if not isinstance(sighting.plate, PlateReading):
        return None
    # The corners must fit the picture that is kept, so they come from the reading of that very frame.
    shown = sighting.plate if sighting.best is None else replace(sighting.plate, quad=sighting.best.quad)
    return plate_body(shown)


def pictures_of(sighting: Sighting) -> tuple[Evidence, ...]:
    """The frame, and the plate cut out of it."""
    if sighting.frame is None:
        return ()
    frame = frame_evidence(sighting.frame)
    if sighting.best is None:
        return (frame,)
    return frame, crop_evidence(sighting.frame.image, sighting.best.quad, rows=sighting.best.rows)


class EvidenceDesk:
    """Stores pictures after the decision and tells the journal; a full disk is told once and stops no gate."""

    def __init__(self, *, store: EvidenceStore, journal: Journal, clock: Clock) -> None:
        self._store, self._journal, self._clock = store, journal, clock
        self._full_since_s: float | None = None
        self._turn = asyncio.Lock()

    @property
    def full(self) -> bool:
        """Whether the last picture found no room."""
        return self._full_since_s is not None

    async def keep(self, passage: Passage) -> None:
        """Store every picture of a passage, then journal what is stored."""
        stored: list[object] = []
        async with self._turn:
            try:
                for picture in passage.pictures:
                    await self._store.keep(picture)
                    stored.append(self._event(passage.arrival_id, picture))
            except EvidenceFull as error:
                stored += self._lost(error)
            else:
                stored += self._back() if passage.pictures else []
        if stored:
            await self._journal.append_many(stored)

    def _event(self, arrival_id: str, picture: Evidence) -> MediaStored:
        return MediaStored(
            sha256=picture.sha256,
            media_type=MEDIA_TYPE,
            size_bytes=picture.size_bytes,
            arrival_id=arrival_id,
            role=picture.role,
            at=iso(self._clock.now()),
        )

    def _lost(self, error: EvidenceFull) -> list[object]:
        if self._full_since_s is not None:
            return []
        self._full_since_s = self._clock.monotonic()
        log.warning("evidence cannot be stored", why=str(error))
        return [DeviceLost("disk", None, str(error), iso(self._clock.now()))]

    def _back(self) -> list[object]:
        if self._full_since_s is None:
            return []
        after_s = round(self._clock.monotonic() - self._full_since_s, 1)
        self._full_since_s = None
        return [DeviceBack("disk", None, after_s, iso(self._clock.now()))]
