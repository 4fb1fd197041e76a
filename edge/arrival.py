"""One vehicle before the barrier: owns which plate is its own, and when enough pictures were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from control.domain.readings import PlateReading, Unavailable, VehicleReading
from control.gate.admission import doubts_of
from control.gate.arrivals import Track, Tracker
from control.gate.rules import RuleSet
from edge.facts import vehicle_around
from edge.passages import Passage, Sighting
from edge.ports import Frame, FrameReading

FRAMES_MIN = 2
# An unsure plate is looked at for longer while the vehicle rolls up: the nearer picture often settles it.
UNSURE_AFTER_S = 4.0
NO_PLATE_AFTER_S = 4.0
CAMERA_GONE_AFTER_S = 1.0
SEEN_BEFORE_S = 1.5


@dataclass(frozen=True, slots=True)
class Shown:
    """The best single reading of one track with the picture it was read from."""

    reading: PlateReading
    frame: Frame
    vehicle: VehicleReading | None


class Lookout:
    """Follows the plates that one camera sees, and remembers which vehicle they belonged to."""

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._tracks: dict[int, Track] = {}
        self._shown: dict[int, Shown] = {}
        self._gone: set[int] = set()
        self.newest: Frame | None = None

    def take(self, frame: Frame, reading: FrameReading) -> tuple[tuple[Track, Shown], ...]:
        """Take one picture's reading; gives the plates that are now gone, each with its best picture."""
        self.newest = frame
        seen = self._tracker.add(frame.taken_s, reading.plates)
        for track in seen.active:
            self._tracks[track.track_id] = track
            self._keep_best(track, frame, reading.vehicles or ())
        return self._ended(seen.ended)

    def flush(self) -> tuple[tuple[Track, Shown], ...]:
        """End every plate, as at the end of a film."""
        return self._ended(self._tracker.flush())

    def _ended(self, tracks: tuple[Track, ...]) -> tuple[tuple[Track, Shown], ...]:
        gone = tuple((track, self._shown[track.track_id]) for track in tracks)
        for track in tracks:
            self._forget(track.track_id)
        return gone

    def _keep_best(self, track: Track, frame: Frame, vehicles: Iterable[VehicleReading]) -> None:
        now = track.readings[-1]
        best = self._shown.get(track.track_id)
        if best is None or now.confidence >= best.reading.confidence:
            around = vehicle_around(now.quad, vehicles)
            self._shown[track.track_id] = Shown(now, frame, around or (best.vehicle if best else None))

    def _forget(self, track_id: int) -> None:
        for table in (self._tracks, self._shown):
            table.pop(track_id, None)
        self._gone.discard(track_id)

    def nearest(self, *, since_s: float) -> Track | None:
        """The plate before the barrier: the largest one seen since then whose vehicle has not passed."""
        tracks = [t for t in self._tracks.values() if t.last_at_s >= since_s and t.track_id not in self._gone]
        return max(tracks, key=lambda track: plate_width(track.readings[-1]), default=None)

    def shown(self, track: Track) -> Shown | None:
        """The track's best picture."""
        return self._shown.get(track.track_id)

    def passed(self, track_id: int) -> None:
        """That vehicle is through; its plate is not the next arrival's."""
        self._gone.add(track_id)


def plate_width(reading: PlateReading) -> float:
    """Width of a plate, pixels."""
    return abs(reading.quad[1][0] - reading.quad[0][0])


@dataclass(slots=True)
class Arrival:
    """What is known of the vehicle at loop A."""

    arrival_id: str
    number: int
    begun_at: datetime
    begun_s: float
    track: Track | None = None
    shown: Shown | None = None
    pictures: int = 0
    passage: Passage | None = None
    guard_outcome: str | None = None
    guard_by: str | None = None
    trail: list[str] = field(default_factory=list)

    def see(self, lookout: Lookout) -> None:
        """Take what the lookout knows now."""
        self.pictures += 1
        track = lookout.nearest(since_s=self.begun_s - SEEN_BEFORE_S)
        if track is not None:
            self.track, self.shown = track, lookout.shown(track)

    def sighting(self, camera: Frame | Unavailable) -> Sighting:
        """What a decision now would rest on."""
        if self.track is not None and self.shown is not None:
            return Sighting(self.track.reading, self.shown.vehicle, self.shown.frame, self.shown.reading)
        if isinstance(camera, Unavailable):
            return Sighting(camera)
        return Sighting(None, None, camera)

    def ripe(self, camera: Frame | Unavailable, rules: RuleSet, *, now_s: float, at: datetime) -> bool:
        """Whether there is enough to decide: sure in two frames, or as much as patience allows."""
        age_s = now_s - self.begun_s
        if self.track is None:
            return age_s >= (CAMERA_GONE_AFTER_S if isinstance(camera, Unavailable) else NO_PLATE_AFTER_S)
        frames = len(self.track.readings)
        if age_s >= UNSURE_AFTER_S:
            return True
        policy = rules.in_force(at)
        return frames >= FRAMES_MIN and policy is not None and not doubts_of(self.track.reading, policy)
