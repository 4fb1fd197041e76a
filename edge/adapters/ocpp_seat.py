"""One charger as the central system knows it: owns what it said, its session, the wanted limit and what it confirmed.

It outlives connections: a charger that comes back goes on where it was. `stirred` is set when a limit may be due.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from control.domain.energy import Point, Quality
from control.domain.errors import DeviceError
from control.energy.site import ChargerSpec
from edge.adapters.ocpp_rpc import Answers
from edge.adapters.ocpp_samples import Metered
from edge.adapters.wire_time import stamp
from edge.energy.ports import ChargerReading, ChargerStatus, unknown
from edge.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSettings:
    """How the chargers are led.

    A limit is sent anew when it differs by more than `step_kw`: at once when less power is to flow, otherwise not more
    often than every `raise_gap_s`, and every `refresh_s` in any case. It holds for `hold_s`; then the charger falls
    back to its smallest power by itself, so that a gateway that has died leads nothing.
    """

    sample_s: int = 5
    heartbeat_s: int = 10
    silent_after_s: float = 30.0
    answer_within_s: float = 5.0
    step_kw: float = 0.5
    raise_gap_s: float = 10.0
    refresh_s: float = 60.0
    hold_s: float = 180.0
    retry_s: float = 5.0
    tolerance_kw: float = 0.05
    follow_s: float = 1.0
    free_after_s: float = 60.0


@dataclass(slots=True)
class Session:
    """A vehicle at a charger. Energies begin to count with the first register that is heard of."""

    id: str
    transaction: str
    imported_first_kwh: float | None = None
    imported_kwh: float | None = None
    exported_first_kwh: float | None = None
    exported_kwh: float | None = None

    @property
    def energy_kwh(self) -> float | None:
        """Charged so far."""
        return _grown(self.imported_first_kwh, self.imported_kwh)

    @property
    def fed_back_kwh(self) -> float | None:
        """Fed back so far."""
        return _grown(self.exported_first_kwh, self.exported_kwh)


def _grown(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else last - first


@dataclass(slots=True)
class _Said:
    """A value and when it was said; NaN where what was said cannot be."""

    value: float
    at_s: float


@dataclass(slots=True)
class Seat:
    """The memory of one charger."""

    spec: ChargerSpec
    settings: ChargingSettings
    clock: Clock
    answers: Answers = field(default_factory=Answers)
    status: ChargerStatus = ChargerStatus.UNKNOWN
    connected: bool = False
    feeds_back: bool = False
    session: Session | None = None
    wanted_kw: float | None = None
    sent_kw: float | None = None
    confirmed_kw: float | None = None
    tried_s: float = -math.inf
    failure: DeviceError | None = None
    needed_kwh: float | None = None
    depart_at: datetime | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _heard_s: float = -math.inf
    _free_s: float | None = None
    _said: dict[str, _Said] = field(default_factory=dict)

    @property
    def online(self) -> bool:
        """Connected, and not silent for too long."""
        return self.connected and self.clock.monotonic() - self._heard_s <= self.settings.silent_after_s

    def heard(self) -> None:
        """A message has come."""
        self._heard_s = self.clock.monotonic()

    def met(self) -> None:
        """A connection has begun: what the charger holds is not known any more."""
        self.connected, self.sent_kw, self.failure, self.tried_s = True, None, None, -math.inf
        self.heard()

    def gone(self) -> None:
        """The connection has ended."""
        self.connected, self.sent_kw, self.confirmed_kw = False, None, None

    def take_status(self, status: ChargerStatus) -> None:
        """What it does now."""
        self.status = status
        self._free_s = self.clock.monotonic() if status is ChargerStatus.AVAILABLE else None
        if status is ChargerStatus.AVAILABLE and self.session is None:
            self._forget_vehicle()

    def take_metered(self, values: Metered) -> None:
        """Values of its meter; each is believed only within its range."""
        highest_kw = 1.5 * max(self.spec.max_kw, self.spec.v2g_kw)
        self._say("power", values.power_kw, low=-highest_kw, high=highest_kw)
        self._say("soc", values.soc_frac, low=0.0, high=1.0)
        session = self.session
        if session is None:
            return
        if _counts(values.imported_kwh, session.imported_kwh):
            session.imported_kwh = values.imported_kwh
            session.imported_first_kwh = _first(session.imported_first_kwh, values.imported_kwh)
        if _counts(values.exported_kwh, session.exported_kwh):
            session.exported_kwh = values.exported_kwh
            session.exported_first_kwh = _first(session.exported_first_kwh, values.exported_kwh)

    def take_needs(self, *, needed_kwh: float | None, depart_at: datetime | None, soc_frac: float | None) -> None:
        """What the driver or the vehicle told the charger."""
        self.needed_kwh = needed_kwh if needed_kwh is not None and 0 <= needed_kwh < 1000 else None
        self.depart_at = depart_at
        self._say("soc", soc_frac, low=0.0, high=1.0)

    def begin(self, transaction: str, *, imported_kwh: float | None = None) -> Session:
        """A session begins, or goes on when its transaction is known already."""
        if self.session is not None and self.session.transaction == transaction:
            return self.session
        if self.session is not None:
            self.end()
        self._free_s = None
        self.session = Session(
            id=f"{self.spec.id}-{transaction}",
            transaction=transaction,
            imported_first_kwh=imported_kwh,
            imported_kwh=imported_kwh,
        )
        self.sent_kw = None  # what is written for one transaction does not hold for the next
        self.stirred.set()
        return self.session

    def end(self) -> None:
        """The session is over."""
        self.session, self.sent_kw = None, None
        self.stirred.set()
        self._forget_vehicle()

    def tidy(self) -> None:
        """A charger that has long been free has no session any more: the message of its end was lost."""
        free_s = None if self._free_s is None else self.clock.monotonic() - self._free_s
        if self.session is not None and free_s is not None and free_s > self.settings.free_after_s:
            self.end()

    def sendable_kw(self) -> float | None:
        """The wish within what this charger can do; None while nothing is wished."""
        if self.wanted_kw is None:
            return None
        lowest = -self.spec.v2g_kw if self.feeds_back and self.session is not None else 0.0
        return round(min(self.spec.max_kw, max(lowest, self.wanted_kw)), 3)

    def due_in_s(self) -> float | None:
        """How long until a limit must be sent (0: now); None while there is nothing to send."""
        kw = self.sendable_kw()
        if kw is None or not self.connected:
            return None
        settings, since_s = self.settings, self.clock.monotonic() - self.tried_s
        if self.failure is not None:
            return max(0.0, settings.retry_s - since_s)
        if self.sent_kw is None:
            return 0.0
        less = kw < self.sent_kw or self.sent_kw < 0
        if abs(kw - self.sent_kw) > settings.step_kw or (less and kw == 0.0 != self.sent_kw):
            return 0.0 if less else max(0.0, settings.raise_gap_s - since_s)
        return max(0.0, settings.refresh_s - since_s)

    def reading(self) -> ChargerReading:
        """As it is known now."""
        plugged = self.session is not None or self.status in _PLUGGED
        session = self.session
        return ChargerReading(
            id=self.spec.id,
            online=self.online,
            status=self.status if self.connected else ChargerStatus.UNKNOWN,
            plugged=plugged,
            power_kw=self._power(plugged),
            energy_kwh=self._held(None if session is None else session.energy_kwh, "kWh"),
            fed_back_kwh=self._held(None if session is None else session.fed_back_kwh, "kWh"),
            soc_frac=self._point("soc", "", keep=True),
            limit_kw=self._held(self.confirmed_kw, "kW"),
            needed_kwh=self._held(self.needed_kwh, "kWh"),
            depart_at=self.depart_at,
            feeds_back_kw=self.spec.v2g_kw if self.feeds_back else 0.0,
            session_id="" if session is None else session.id,
        )

    def _power(self, plugged: bool) -> Point:
        """Without a vehicle nothing flows, and most chargers then tell nothing."""
        if not plugged and self.online and self.status is ChargerStatus.AVAILABLE:
            return Point(0.0, "kW", 0.0, Quality.GOOD)
        return self._point("power", "kW")

    def _point(self, name: str, unit: str, *, keep: bool = False) -> Point:
        said = self._said.get(name)
        if said is None:
            return unknown(unit, Quality.INVALID if self.online else Quality.LOST)
        age_s = max(0.0, self.clock.monotonic() - said.at_s)
        if not self.online:
            return unknown(unit, Quality.LOST, age_s=age_s)
        if math.isnan(said.value):
            return unknown(unit, age_s=age_s)
        old = not keep and age_s > 3 * self.settings.sample_s
        return Point(said.value, unit, age_s, Quality.STALE if old else Quality.GOOD)

    def _held(self, value: float | None, unit: str) -> Point:
        if not self.online:
            return unknown(unit, Quality.LOST)
        return unknown(unit) if value is None else Point(value, unit, 0.0, Quality.GOOD)

    def _say(self, name: str, value: float | None, *, low: float, high: float) -> None:
        if value is not None:
            self._said[name] = _Said(value if low <= value <= high else math.nan, self.clock.monotonic())

    def _forget_vehicle(self) -> None:
        self.needed_kwh, self.depart_at = None, None
        self._said.pop("soc", None)
        self._said.pop("power", None)

    def valid_to(self) -> str:
        """Until when a limit sent now holds, as OCPP writes it."""
        return stamp(self.clock.now() + timedelta(seconds=self.settings.hold_s))


_PLUGGED = frozenset(
    {ChargerStatus.PREPARING, ChargerStatus.CHARGING, ChargerStatus.SUSPENDED, ChargerStatus.FINISHING}
)


def _counts(now: float | None, before: float | None) -> bool:
    """Whether a register's value can be: a number that has not fallen."""
    return now is not None and math.isfinite(now) and now >= 0 and (before is None or now >= before)


def _first(first: float | None, now: float | None) -> float | None:
    return now if first is None else first
