"""One vehicle before the barrier: owns which plate is its own, and when enough pictures were read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from control.domain.passages import Outcome, Reason
from control.domain.readings import PlateReading, Unavailable, VehicleReading
from control.gate.arrivals import Track, Tracker
from control.gate.doubts import doubts_of
from control.gate.fusing import fuse_types
from control.gate.lane import Phase
from control.gate.mounting import mounting_doubts, vehicle_around, wants_another_look
from control.gate.mounting import width as plate_width_of
from control.gate.reasons import Code
from control.gate.rules import Policy, RuleSet
from edge.passages import Passage, Sighting
from edge.passes import ShownPass
from edge.ports import Frame, FrameReading

FRAMES_MIN = 2
# An unsure plate is looked at for longer while the vehicle rolls up: the nearer picture often settles it.
UNSURE_AFTER_S = 4.0
NO_PLATE_AFTER_S = 4.0
CAMERA_GONE_AFTER_S = 1.0
SEEN_BEFORE_S = 1.5
# A waiting vehicle that stands still is read once a second; what was seen within this time is still there.
IN_VIEW_S = 1.6
# Looking for vehicles costs as much as reading the plate: a few times an arrival, and not in successive pictures.
LOOK_GAP_S = 0.35
LOOKS_WANTED = 4
# A reader that gave no vehicles so many times has no eye for them; it is asked again after a while.
VAIN_MAX, ASK_AGAIN_S = 3, 60.0
BARE_LOOKS_MAX = 4
PASSES_MAX = 12
# A picture that shows the vehicle too is kept before one whose plate reads a little better.
VEHICLE_WORTH = 0.05


@dataclass(frozen=True, slots=True)
class Shown:
    """The best single reading of one track with the picture it was read from, and the vehicle in that picture."""

    reading: PlateReading
    frame: Frame
    vehicle: VehicleReading | None

    @property
    def worth(self) -> float:
        """How well it shows what was decided about."""
        return self.reading.confidence + (0.0 if self.vehicle is None else VEHICLE_WORTH)


class Lookout:
    """Follows the plates that one camera sees, and remembers which vehicle they belonged to."""

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._tracks: dict[int, Track] = {}
        self._shown: dict[int, Shown] = {}
        self._gone: set[int] = set()
        self._bare: list[tuple[float, VehicleReading]] = []
        self._looked_s = -1e9
        self._vain = 0
        self.newest: Frame | None = None

    def take(self, frame: Frame, reading: FrameReading) -> tuple[tuple[Track, Shown], ...]:
        """Take one picture's reading; gives the plates that are now gone, each with its best picture."""
        self.newest = frame
        height, width = frame.image.shape[:2]
        seen = self._tracker.add(frame.taken_s, reading.plates, vehicles=reading.vehicles, size=(width, height))
        self._note_vehicles(frame, reading.vehicles)
        for track in seen.active:
            self._tracks[track.track_id] = track
            self._keep_best(track, frame, reading.vehicles or ())
        return self._ended(seen.ended)

    def _note_vehicles(self, frame: Frame, vehicles: tuple[VehicleReading, ...] | None) -> None:
        if vehicles is None:
            self.looked_in_vain(frame)
            return
        self._looked_s, self._vain = frame.taken_s, 0
        largest = max(vehicles, key=box_area, default=None)
        if largest is not None:
            self._bare = [*self._bare, (frame.taken_s, largest)][-BARE_LOOKS_MAX:]

    def still(self, frame: Frame) -> None:
        """Nothing moves in this picture, which is not read: who stood there stands there."""
        self._tracks |= {track.track_id: track for track in self._tracker.still(frame.taken_s)}

    def looked_in_vain(self, frame: Frame) -> None:
        """A picture came back without the vehicles that were asked for, or not at all."""
        if frame.vehicles:
            self._looked_s, self._vain = frame.taken_s, self._vain + 1

    @property
    def sees_vehicles(self) -> bool:
        """Whether it is worth waiting for a look at the vehicle."""
        return self._vain < VAIN_MAX

    def wants_vehicles(self, at_s: float) -> bool:
        """Whether the picture taken now should be searched for vehicles."""
        if 0.0 <= at_s - self._looked_s < (LOOK_GAP_S if self.sees_vehicles else ASK_AGAIN_S):
            return False
        track = self.nearest(since_s=at_s - IN_VIEW_S)
        if track is None:
            return len(self._recent_bare(at_s - IN_VIEW_S)) < LOOKS_WANTED
        return len(track.looks) < LOOKS_WANTED

    def _recent_bare(self, since_s: float) -> tuple[VehicleReading, ...]:
        return tuple(vehicle for at_s, vehicle in self._bare if at_s >= since_s)

    def bare_vehicle(self, *, since_s: float) -> VehicleReading | None:
        """The largest vehicle of the looks since then, for an arrival whose plate was not seen."""
        looks = self._recent_bare(since_s)
        return fuse_types(looks) if looks else None

    def flush(self) -> tuple[tuple[Track, Shown], ...]:
        """End every plate, as at the end of a film."""
        return self._ended(self._tracker.flush())

    def _ended(self, tracks: tuple[Track, ...]) -> tuple[tuple[Track, Shown], ...]:
        gone = tuple((track, self._shown[track.track_id]) for track in tracks)
        for track in tracks:
            self._forget(track.track_id)
        return gone

    def _keep_best(self, track: Track, frame: Frame, vehicles: tuple[VehicleReading, ...]) -> None:
        now = track.readings[-1]
        fresh = Shown(now, frame, vehicle_around(now.quad, vehicles, margin_px=plate_width_of(now.quad) / 2))
        best = self._shown.get(track.track_id)
        if best is None or fresh.worth >= best.worth:
            self._shown[track.track_id] = fresh

    def _forget(self, track_id: int) -> None:
        for table in (self._tracks, self._shown):
            table.pop(track_id, None)
        self._gone.discard(track_id)

    def nearest(self, *, since_s: float) -> Track | None:
        """The plate before the barrier: the largest one seen since then whose vehicle has not passed."""
        tracks = [t for t in self._tracks.values() if t.last_at_s >= since_s and t.track_id not in self._gone]
        return max(tracks, key=lambda track: plate_width(track.readings[-1]), default=None)

    def follower(self, own: Track | None, *, since_s: float) -> tuple[Track, Shown] | None:
        """The plate behind one's own that was nearest, of those seen since then."""
        others = [
            track
            for track in self._tracks.values()
            if track.last_at_s >= since_s and track.track_id not in self._gone and track.track_id in self._shown
        ]
        if own is not None:
            others = [track for track in others if track.track_id != own.track_id]
        found = max(others, key=lambda track: plate_width(track.readings[-1]), default=None)
        return None if found is None else (found, self._shown[found.track_id])

    def track(self, track_id: int) -> Track | None:
        """A plate that is still followed."""
        return self._tracks.get(track_id)

    def shown(self, track: Track) -> Shown | None:
        """The track's best picture."""
        return self._shown.get(track.track_id)

    def passed(self, track_id: int) -> None:
        """That vehicle is through; its plate is not the next arrival's."""
        self._gone.add(track_id)
        self._tracker.close(track_id)


def plate_width(reading: PlateReading) -> float:
    """Width of a plate, pixels."""
    return abs(reading.quad[1][0] - reading.quad[0][0])


def box_area(vehicle: VehicleReading) -> float:
    """Pixels that a vehicle's box covers."""
    x0, y0, x1, y1 = vehicle.box
    return (x1 - x0) * (y1 - y0)


def vehicle_shown(track: Track, shown: Shown) -> VehicleReading | None:
    """The vehicle by all looks, with its box in the picture that is kept, where it was found in that one."""
    fused = track.vehicle
    if fused is None or shown.vehicle is None:
        return fused
    return replace(fused, box=shown.vehicle.box)


@dataclass(slots=True)
class Arrival:
    """What is known of the vehicle at loop A. Once decided about, it keeps its own plate and takes no other."""

    arrival_id: str
    number: int
    begun_at: datetime
    begun_s: float
    track: Track | None = None
    shown: Shown | None = None
    bare_vehicle: VehicleReading | None = None
    mounting: dict[str, Reason] = field(default_factory=dict)
    pictures: int = 0
    passage: Passage | None = None
    judged_s: float | None = None
    guard_outcome: str | None = None
    guard_by: str | None = None
    evidence_of: Passage | None = None
    pass_shown: ShownPass | None = None
    pass_judged: ShownPass | None = None
    passes_taken: int = 0

    def see(self, lookout: Lookout) -> None:
        """Take what the lookout knows now."""
        self.pictures += 1
        track = self._own(lookout)
        if track is not None:
            self.track, self.shown = track, lookout.shown(track)
        self.bare_vehicle = lookout.bare_vehicle(since_s=self.begun_s - SEEN_BEFORE_S)

    def _own(self, lookout: Lookout) -> Track | None:
        if self.passage is not None and self.track is not None:
            return lookout.track(self.track.track_id)
        track = lookout.nearest(since_s=self.begun_s - SEEN_BEFORE_S)
        if track is not None and self.passage is not None and _saw_no_plate(self.passage):
            # It stood there without a plate, and now it has one.
            self.mounting.setdefault(Code.PLATE_APPEARED_LATE, Reason(Code.PLATE_APPEARED_LATE))
        return track

    def in_view(self, lookout: Lookout, *, now_s: float) -> bool:
        """Whether its own plate is the one before the barrier still."""
        nearest = lookout.nearest(since_s=now_s - IN_VIEW_S)
        return self.track is not None and nearest is not None and nearest.track_id == self.track.track_id

    def take_pass(self, shown: ShownPass) -> bool:
        """Whether a pass that is shown now counts. Of one vehicle only so many are looked at."""
        if self.passes_taken >= PASSES_MAX or not shown.outranks(self.pass_shown):
            return False
        self.pass_shown, self.passes_taken = shown, self.passes_taken + 1
        return True

    def sighting(self, camera: Frame | Unavailable, policy: Policy | None) -> Sighting:
        """What a decision now would rest on. A doubt about the plate's mounting is never taken back."""
        return replace(self._seen(camera, policy), shown=self.pass_shown)

    def _seen(self, camera: Frame | Unavailable, policy: Policy | None) -> Sighting:
        if self.track is not None and self.shown is not None:
            for doubt in () if policy is None else mounting_doubts(self.track.looks, policy):
                self.mounting.setdefault(doubt.code, doubt)
            vehicle, doubts = vehicle_shown(self.track, self.shown), tuple(self.mounting.values())
            return Sighting(self.track.reading, vehicle, self.shown.frame, self.shown.reading, doubts)
        if isinstance(camera, Unavailable):
            return Sighting(camera)
        return Sighting(None, self.bare_vehicle, camera)

    def ripe(
        self, camera: Frame | Unavailable, rules: RuleSet, *, now_s: float, at: datetime, sees_vehicles: bool
    ) -> bool:
        """Whether there is enough to decide: sure in two frames, or as much as patience allows."""
        age_s = now_s - self.begun_s
        if self.track is None:
            return age_s >= (CAMERA_GONE_AFTER_S if isinstance(camera, Unavailable) else NO_PLATE_AFTER_S)
        if age_s >= UNSURE_AFTER_S:
            return True
        policy = rules.in_force(at)
        if policy is None or len(self.track.readings) < FRAMES_MIN or doubts_of(self.track.reading, policy):
            return False
        return not (sees_vehicles and wants_another_look(self.track.looks, policy))

    @property
    def pass_is_new(self) -> bool:
        """Whether a pass was shown that no decision knew of, while no person has decided."""
        return self.pass_shown is not self.pass_judged and self.guard_outcome is None

    def may_be_judged_again(self, phase: Phase) -> bool:
        """Whether something came since it was judged: a clearer plate, or a pass. A refused one only shows a pass."""
        return self.pass_is_new if phase is Phase.REFUSED else phase is Phase.WAITING and self._news

    @property
    def _news(self) -> bool:
        return self.pass_is_new or self.may_clear_up

    @property
    def may_clear_up(self) -> bool:
        """Whether it waits for a person and was read anew since it was judged: a nearer picture may settle it."""
        held = self.passage is not None and self.passage.decision.outcome is Outcome.HOLD
        if not held or self.guard_outcome is not None or self.track is None:
            return False
        return self.judged_s is None or self.track.last_at_s > self.judged_s


def _saw_no_plate(passage: Passage) -> bool:
    return passage.event.plate is None and passage.event.unavailable is None
