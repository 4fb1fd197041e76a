"""Many frames, one arrival: owns following plates, and the vehicles around them, over time.

A plate that stands still for minutes, or rolls back and forth, is one arrival; two vehicles nose to tail are two, also
where their plates differ by one character. Fusing is `control.gate.fusing`'s. Time is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from control.domain.readings import PlateReading, VehicleReading
from control.gate.fusing import fuse, weight
from control.gate.mounting import Look, carrier, centre, width
from control.gate.near import fold, one_apart

__all__ = ["FORGET_S", "Seen", "Track", "Tracker", "continues", "fuse"]

FORGET_S = 3.0
STILL_S = 1.0
LOOKS_MAX = 8
# Readings much older than the newest have no say: where place alone joined two vehicles, the last one's would win.
SAY_S = 5.0
# Two readings that are both surer than this and differ by more than a character are two plates.
SURE = 0.8
ALIKE_FRAC_MIN = 0.6
SAME_PLACE_TIMES = 1.3
AWAY_WIDTHS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a plate can have come in a short time: in plate widths, and in times of its size when it backs or comes.

    What comes nearer grows faster than what is driven backwards shrinks; what is much smaller is a vehicle behind.
    """

    within_s: float
    widths: float
    widths_per_s: float
    backs: float
    backs_per_s: float
    comes: float = 1.2
    comes_per_s: float = 2.0

    def covers(self, last: PlateReading, now: PlateReading, passed_s: float) -> bool:
        """Whether the plate can have moved from where it was last seen to here in that time."""
        if not 0 <= passed_s <= self.within_s:
            return False
        least = 1 / (self.backs + self.backs_per_s * passed_s)
        if not least <= _times_larger(last, now) <= self.comes + self.comes_per_s * passed_s:
            return False
        return _away_widths(last, now) <= self.widths + self.widths_per_s * passed_s


# Within reach, place outweighs a doubtful text; within the next picture or two, even a sure one but for one character.
NEAR = Reach(within_s=0.7, widths=0.5, widths_per_s=4.0, backs=1.1, backs_per_s=0.6)
NEXT = Reach(within_s=0.45, widths=0.3, widths_per_s=3.0, backs=1.05, backs_per_s=0.25, comes=1.1, comes_per_s=1.2)


@dataclass(frozen=True, slots=True)
class Track:
    """One plate followed over frames. `track_id` counts from 1 in one tracker; times are the caller's seconds.

    `readings` were read at `read_at_s`; `sure` is its newest reading above SURE with its time; `looks` are the frames
    in which vehicles were looked for; `closed` says that its vehicle is through.
    """

    track_id: int
    first_at_s: float
    last_at_s: float
    readings: tuple[PlateReading, ...]
    read_at_s: tuple[float, ...] = ()
    sure: tuple[float, PlateReading] | None = None
    looks: tuple[Look, ...] = ()
    closed: bool = False

    @property
    def reading(self) -> PlateReading:
        """All frames fused."""
        return fuse(self.readings)

    @property
    def vehicle(self) -> VehicleReading | None:
        """The vehicle that carries the plate, all looks fused; None where none was found or nobody looked."""
        return carrier(self.looks)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one frame changed: tracks that were seen or begun, and tracks that ended."""

    active: tuple[Track, ...]
    ended: tuple[Track, ...]


class Tracker:
    """Follows the plates of one camera. Pure in its inputs: the same frames give the same tracks."""

    def __init__(self, *, forget_s: float = FORGET_S, frames_max: int = 12) -> None:
        self._forget_s = forget_s
        self._frames_max = frames_max
        self._tracks: list[Track] = []
        self._count = 0

    def add(
        self,
        at_s: float,
        readings: Iterable[PlateReading],
        *,
        vehicles: Iterable[VehicleReading] | None = None,
        size: tuple[int, int] = (0, 0),
    ) -> Seen:
        """One frame's plates; `vehicles` None where nobody looked for any, `size` the picture's (w, h).

        Plates and tracks are paired the best pair first; a plate that continues no track begins one of its own.
        """
        ended = self._drop_old(at_s)
        given = sorted(readings, key=lambda r: -r.confidence)
        paired = self._pairs(at_s, given)
        seen = None if vehicles is None else tuple(vehicles)
        active = []
        for number, reading in enumerate(given):
            track = paired.get(number) or self._begin(at_s)
            look = () if seen is None else (Look(at_s, reading.quad, seen, size),)
            active.append(self._extend(track, at_s, reading, look))
        return Seen(tuple(active), ended)

    def still(self, at_s: float) -> tuple[Track, ...]:
        """Nothing moves in the picture: what was seen a moment ago stands where it stood. Gives those tracks."""
        stays = [t for t in self._tracks if 0 <= at_s - t.last_at_s <= STILL_S]
        stayed = {t.track_id: replace(t, last_at_s=at_s) for t in stays}
        self._tracks = [stayed.get(t.track_id, t) for t in self._tracks]
        return tuple(stayed.values())

    def close(self, track_id: int) -> None:
        """That vehicle is through: the same text farther back from now on is another vehicle."""
        self._tracks = [replace(t, closed=True) if t.track_id == track_id else t for t in self._tracks]

    def flush(self) -> tuple[Track, ...]:
        """End every track, as at the end of a film."""
        ended, self._tracks = tuple(self._tracks), []
        return ended

    def _drop_old(self, at_s: float) -> tuple[Track, ...]:
        # A clock that leaps back must not keep a track for ever.
        ended = tuple(t for t in self._tracks if not 0 <= at_s - t.last_at_s <= self._forget_s)
        self._tracks = [t for t in self._tracks if t not in ended]
        return ended

    def _pairs(self, at_s: float, readings: list[PlateReading]) -> dict[int, Track]:
        scored = [
            (score, number, track)
            for number, reading in enumerate(readings)
            for track in self._tracks
            if (score := continues(track, reading, at_s)) > 0
        ]
        paired: dict[int, Track] = {}
        taken: set[int] = set()
        for _, number, track in sorted(scored, key=lambda one: (-one[0], one[1], one[2].track_id)):
            if number not in paired and track.track_id not in taken:
                paired[number] = track
                taken.add(track.track_id)
        return paired

    def _begin(self, at_s: float) -> Track:
        self._count += 1
        track = Track(self._count, at_s, at_s, ())
        self._tracks.append(track)
        return track

    def _extend(self, track: Track, at_s: float, reading: PlateReading, look: tuple[Look, ...]) -> Track:
        timed = [*zip(track.read_at_s, track.readings, strict=True), (at_s, reading)]
        read_at_s, kept = _best_frames([one for one in timed if at_s - one[0] <= SAY_S], self._frames_max)
        sure = (at_s, reading) if reading.confidence > SURE else track.sure
        looks = (*track.looks, *look)[-LOOKS_MAX:]
        grown = replace(track, last_at_s=at_s, readings=kept, read_at_s=read_at_s, sure=sure, looks=looks)
        self._tracks[self._tracks.index(track)] = grown
        return grown


def _best_frames(
    timed: list[tuple[float, PlateReading]], count: int
) -> tuple[tuple[float, ...], tuple[PlateReading, ...]]:
    """The newest reading last (tracking needs its place), the least confident of the others dropped."""
    if len(timed) > count:
        worst = min(range(len(timed) - 1), key=lambda place: weight(timed[place][1]))
        timed = [*timed[:worst], *timed[worst + 1 :]]
    return tuple(at_s for at_s, _ in timed), tuple(reading for _, reading in timed)


def continues(track: Track, now: PlateReading, at_s: float) -> float:
    """How well a reading continues a track: above 0 it does.

    Text outweighs place, since vehicles move; but within a moment a plate cannot be elsewhere, and a text that both
    are sure of cannot be another. The newest sure reading has a say, so that a bad frame hides no plate.
    """
    last = track.readings[-1]
    near = NEAR.covers(last, now, at_s - track.last_at_s)
    if track.closed and not near:
        return 0.0
    away = min(_away_widths(last, now), AWAY_WIDTHS_MAX)
    if fold(last.text) == fold(now.text) or (track.sure and fold(track.sure[1].text) == fold(now.text)):
        return (20.0 if near else 10.0) - away
    if track.sure is not None and _surely_differ(track.sure[1], now):
        # A sure misreading of one character is possible, but only where the plate was a moment ago.
        moment = NEXT.covers(track.sure[1], now, at_s - track.sure[0])
        if not (moment and one_apart(fold(track.sure[1].text), fold(now.text))):
            return 0.0
    if near:
        return 6.0 - away
    if not 1 / SAME_PLACE_TIMES <= _times_larger(last, now) <= SAME_PLACE_TIMES:
        return 0.0
    # At the same place after a while: a bad frame of the same plate, unless so unlike that it is the next vehicle,
    # which comes to stand where the last one stood.
    if one_apart(fold(last.text), fold(now.text)):
        return 2.0 - away
    return 0.0 if _alike_frac(last.text, now.text) < ALIKE_FRAC_MIN else 0.5 - away


def _times_larger(last: PlateReading, now: PlateReading) -> float:
    return max(width(now.quad), 1e-6) / max(width(last.quad), 1e-6)


def _away_widths(last: PlateReading, now: PlateReading) -> float:
    return math.dist(centre(last.quad), centre(now.quad)) / max(width(last.quad), width(now.quad), 1e-6)


def _surely_differ(one: PlateReading, other: PlateReading) -> bool:
    """Whether both are sure of themselves, and of a character that they read differently."""
    if not min(one.confidence, other.confidence) > SURE:
        return False
    if len(one.characters) != len(other.characters):
        return True
    pairs = zip(one.characters, other.characters, strict=True)
    return any(fold(a.char) != fold(b.char) and min(a.probability, b.probability) > SURE for a, b in pairs)


def _alike_frac(one: str, other: str) -> float:
    """How much of both texts stands in the same order, 0 to 1: a lost character shifts the rest."""
    return SequenceMatcher(None, fold(one), fold(other), autojunk=False).ratio()
