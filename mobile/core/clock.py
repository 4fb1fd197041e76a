"""What time it is on the island: owns the server's time by its answers, its doubt, and jumps of the device's clock.

A `Date` header says the second in which the server answered, somewhere between request and answer. That bounds the
difference of its clock to a monotonic one; bounds of several answers are cut with each other. The device's own clock is
used only until the server was heard, shifted by what was learnt last time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from mobile.core.errors import StoreError
from mobile.core.signal import Signal
from mobile.core.store import Store

JUMP_S = 2.0  # the device's clock moved so far against the monotonic one: somebody set it
DRIFT = 100e-6  # a phone's crystal, parts of a second each second
UNKNOWN_S = 3600.0  # the doubt while the server was never heard
_BETTER = 0.9  # what is learnt is written down only when the doubt shrinks to this
_KEY = "clock"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment as the phone saw it: its best guess, half the width of the doubt, and where it lies on which run.

    `run` tells starts of the device apart: moments of one run are measured by one monotonic clock.
    """

    at: datetime
    doubt_s: float
    mono_s: float
    run: str

    def as_json(self) -> dict[str, Any]:
        """To keep."""
        return {"at": self.at.isoformat(), "doubt_s": self.doubt_s, "mono_s": self.mono_s, "run": self.run}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Stamp:
        """As it was kept."""
        return cls(datetime.fromisoformat(kept["at"]), kept["doubt_s"], kept["mono_s"], kept["run"])


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Server time minus monotonic time, seconds since 1970, as learnt at `mono_s`."""

    low_s: float
    high_s: float
    mono_s: float

    def at(self, mono_s: float) -> _Bounds:
        """Wider, the longer ago (or ahead) it was learnt."""
        drift_s = abs(mono_s - self.mono_s) * DRIFT
        return _Bounds(self.low_s - drift_s, self.high_s + drift_s, mono_s)

    def cut(self, other: _Bounds) -> _Bounds:
        """Both hold; when they cannot, the server's clock was set and the newer one holds."""
        low_s, high_s = max(self.low_s, other.low_s), min(self.high_s, other.high_s)
        return _Bounds(low_s, high_s, other.mono_s) if low_s <= high_s else other

    @property
    def middle_s(self) -> float:
        """The best guess."""
        return (self.low_s + self.high_s) / 2

    @property
    def doubt_s(self) -> float:
        """Half the width."""
        return (self.high_s - self.low_s) / 2


class ServerClock:
    """`wall` is the device's clock (aware), `mono` seconds that only run forward, also while the device sleeps."""

    def __init__(self, store: Store, wall: Callable[[], datetime], mono: Callable[[], float]) -> None:
        self.jumped = Signal()
        self._store = store
        self._wall = wall
        self._mono = mono
        self._bounds: _Bounds | None = None
        self._anchor_s = self._lead_s()  # the device's clock against the monotonic one; a jump moves it
        kept = store.setting_get(_KEY)
        self._skew_s: float | None = kept and kept["skew_s"]
        if kept is not None and abs(kept["anchor_s"] - self._anchor_s) <= JUMP_S:
            # The same run of the device: its monotonic clock still means the same.
            self._anchor_s, self._run = kept["anchor_s"], kept["run"]
            self._bounds = _Bounds(kept["low_s"], kept["high_s"], kept["mono_s"])
        else:
            self._run = f"{self._anchor_s:.3f}"

    def _lead_s(self) -> float:
        return self._wall().timestamp() - self._mono()

    # ------------------------------------------------------------ learning

    def heard(self, date_header: str, sent_s: float, received_s: float) -> None:
        """Learns from an answer; between these monotonic moments the server wrote its Date (RFC 9110, 6.6.1)."""
        try:
            said_s = parsedate_to_datetime(date_header).timestamp()
        except (TypeError, ValueError):
            return
        self.check()
        new = _Bounds(said_s - received_s, said_s + 1.0 - sent_s, received_s)
        before = self._bounds
        self._bounds = new if before is None else before.at(received_s).cut(new)
        self._skew_s = self._bounds.middle_s - self._lead_s()
        if before is None or self._bounds.doubt_s < _BETTER * before.at(received_s).doubt_s:
            self._keep(self._bounds)

    def lost(self) -> None:
        """Nothing is learnt from silence."""

    def _keep(self, bounds: _Bounds) -> None:
        learnt = {"low_s": bounds.low_s, "high_s": bounds.high_s, "mono_s": bounds.mono_s, "skew_s": self._skew_s}
        # A phone without room still knows the time until the app is closed; no call fails for this.
        with suppress(StoreError):
            self._store.setting_put(_KEY, learnt | {"anchor_s": self._anchor_s, "run": self._run})

    def check(self) -> None:
        """Notices that the device's clock was set; what the server said still holds on the monotonic clock."""
        lead_s = self._lead_s()
        if abs(lead_s - self._anchor_s) <= JUMP_S:
            return
        if self._skew_s is not None:
            self._skew_s -= lead_s - self._anchor_s
        self._anchor_s = lead_s
        if self._bounds is not None:
            self._keep(self._bounds)
        self.jumped.emit()

    # ------------------------------------------------------------ telling

    def now(self) -> datetime:
        """The server's time, as well as it is known."""
        return self.stamp().at

    def stamp(self) -> Stamp:
        """This moment, to be settled later when more is known."""
        self.check()
        mono_s = self._mono()
        if self._bounds is None:
            at_s = self._wall().timestamp() + (self._skew_s or 0.0)
            return Stamp(_moment(at_s), UNKNOWN_S, mono_s, self._run)
        bounds = self._bounds.at(mono_s)
        return Stamp(_moment(mono_s + bounds.middle_s), bounds.doubt_s, mono_s, self._run)

    def settled(self, stamp: Stamp) -> Stamp:
        """The same moment by what is known now, if that is better."""
        if self._bounds is None or stamp.run != self._run:
            return stamp
        bounds = self._bounds.at(stamp.mono_s)
        if bounds.doubt_s >= stamp.doubt_s:
            return stamp
        return Stamp(_moment(stamp.mono_s + bounds.middle_s), bounds.doubt_s, stamp.mono_s, stamp.run)

    def age_s(self, at: datetime) -> float:
        """How long ago that was, never below zero."""
        return max(0.0, (self.now() - at).total_seconds())


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s)
