"""The eyes of a lane: owns when a picture is read, when vehicles are looked for in it, and what has been seen.

Motion or the loop wakes them; while nothing moves before a free loop no picture is read.
"""

from __future__ import annotations

from dataclasses import replace

from control.domain.readings import Unavailable
from control.gate.lane import Phase
from edge.arrival import IN_VIEW_S, Arrival, Lookout
from edge.field_state import CameraWatch
from edge.inference import DROPPED, InferenceWorker
from edge.ports import Clock, Frame, FrameReading

# A vehicle that waits is read less often: while it moves to see where it goes, while it stands in case it clears up.
# While one passes, it is the next one that is looked for: it may slip through behind.
WAITING_MOVING_S, WAITING_STILL_S = 0.4, 1.0


class LaneEyes:
    """One lane's camera watch and lookout, with its place at the inference worker."""

    def __init__(self, lane_id: str, inference: InferenceWorker, clock: Clock) -> None:
        self._lane_id, self._inference = lane_id, inference
        self.watch = CameraWatch(lane_id, clock)
        self.lookout = Lookout()
        # Why the newest picture could not be read; None once one was.
        self.unread: Unavailable | None = None

    async def look(
        self, item: Frame | Unavailable, *, phase: Phase, loop_a_occupied: bool, arrival: Arrival | None
    ) -> bool:
        """Take a picture, or the news that none comes; True where the lane should turn because of it.

        `arrival` is the one at the barrier when the picture came.
        """
        self.watch.see(item)
        if isinstance(item, Unavailable):
            return True
        if not self._should_read(item, phase, loop_a_occupied=loop_a_occupied):
            return False
        frame, reading = await self._read(item, arrival)
        if isinstance(reading, Unavailable):
            self.lookout.looked_in_vain(frame)
            if reading.why != DROPPED:
                self.unread = reading
            return False
        self.unread = None
        self.lookout.take(frame, reading)
        return True

    async def _read(self, item: Frame, arrival: Arrival | None) -> tuple[Frame, FrameReading | Unavailable]:
        """A picture's reading, and the picture with what was looked for in it.

        The first picture with a plate is read once more, with its vehicles: the next one can then be decided upon
        without that look, which takes longer than the plates.
        """
        frame = replace(item, vehicles=self._wants_vehicles(item, arrival))
        reading = await self._inference.read(self._lane_id, frame)
        new_here = not (frame.vehicles or isinstance(reading, Unavailable)) and bool(reading.plates)
        if not new_here or not self.lookout.wants_vehicles(item.taken_s):
            return frame, reading
        frame = replace(item, vehicles=True)
        again = await self._inference.read(self._lane_id, frame)
        return frame, reading if isinstance(again, Unavailable) else again

    def _should_read(self, frame: Frame, phase: Phase, *, loop_a_occupied: bool) -> bool:
        match phase:
            case Phase.READING:
                return True
            case Phase.IDLE:
                return frame.moving or loop_a_occupied
            case Phase.WAITING | Phase.REFUSED:
                return self._paused(frame, WAITING_MOVING_S if frame.moving else WAITING_STILL_S)
            case Phase.PASSING:
                return frame.moving and self._paused(frame, WAITING_MOVING_S)
            case _:
                return False

    def _paused(self, frame: Frame, seconds: float) -> bool:
        newest = self.lookout.newest
        return newest is None or not 0.0 <= frame.taken_s - newest.taken_s < seconds

    def _wants_vehicles(self, frame: Frame, arrival: Arrival | None) -> bool:
        """Never while nothing is there: the plate or the loop has told of a vehicle."""
        there = arrival is not None or self.lookout.nearest(since_s=frame.taken_s - IN_VIEW_S) is not None
        return there and self.lookout.wants_vehicles(frame.taken_s)
