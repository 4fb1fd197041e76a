"""Charging profiles as a charger keeps them: owns which of them holds now, for both versions of OCPP.

OCPP 1.6 section 5.16 and 2.0.1 K01: of each purpose the highest stack level that is valid counts, a profile of the
transaction outranks the default one, and the station's maximum bounds both. A limit below 0 feeds back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

VOLTS, PHASES = 230.0, 3
_STATION = frozenset({"ChargePointMaxProfile", "ChargingStationMaxProfile", "ChargingStationExternalConstraints"})
_DEFAULT, _TRANSACTION = "TxDefaultProfile", "TxProfile"
PURPOSES = _STATION | {_DEFAULT, _TRANSACTION}


class ProfileRefused(ValueError):
    """A profile that this charger cannot take."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. `starts_at` is None where it counts from the session's begin (or its arrival)."""

    id: int
    stack_level: int
    purpose: str
    periods: tuple[tuple[float, float], ...]  # seconds since the start, kW
    duration_s: float | None
    starts_at: datetime | None
    valid_from: datetime | None
    valid_to: datetime | None
    taken_at: datetime

    def limit_kw(self, at: datetime, session_began: datetime | None) -> float | None:
        """The limit at a time, or None where it does not hold then."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at > self.valid_to):
            return None
        start = self.starts_at or max(self.taken_at, session_began or self.taken_at)
        since_s = (at - start).total_seconds()
        if since_s < 0 or (self.duration_s is not None and since_s > self.duration_s):
            return None
        holding = [kw for from_s, kw in self.periods if from_s <= since_s]
        return holding[-1] if holding else None


class ProfileShelf:
    """All profiles of one connector."""

    def __init__(self, *, least_kw: float, most_kw: float) -> None:
        self._least_kw, self._most_kw = least_kw, most_kw
        self._profiles: list[Profile] = []

    def install(self, profile: Profile, *, in_session: bool) -> None:
        """Keep it in place of one with its id, or with its purpose and stack level. Raises ProfileRefused."""
        if profile.purpose == _TRANSACTION and not in_session:
            raise ProfileRefused("there is no transaction for a TxProfile")
        if any(kw < self._least_kw - 1e-6 for _, kw in profile.periods):
            raise ProfileRefused(f"this charger cannot go below {self._least_kw:g} kW")
        same = (profile.purpose, profile.stack_level)
        self._profiles = [p for p in self._profiles if p.id != profile.id and (p.purpose, p.stack_level) != same]
        self._profiles.append(profile)

    def clear(self, *, profile_id: int | None, purpose: str | None, stack_level: int | None) -> bool:
        """Forget what fits all that is given; whether there was any."""
        kept = [
            p
            for p in self._profiles
            if (profile_id is not None and p.id != profile_id)
            or (purpose is not None and p.purpose != purpose)
            or (stack_level is not None and p.stack_level != stack_level)
        ]
        found = len(kept) < len(self._profiles)
        self._profiles = kept
        return found

    def end_session(self) -> None:
        """Profiles of a transaction go with it."""
        self._profiles = [p for p in self._profiles if p.purpose != _TRANSACTION]

    def limit_kw(self, at: datetime, session_began: datetime | None) -> float | None:
        """What holds now; None where no profile does."""
        own = self._of(frozenset({_TRANSACTION}), at, session_began)
        chosen = own if own is not None else self._of(frozenset({_DEFAULT}), at, session_began)
        station = self._of(_STATION, at, None)
        limits = [kw for kw in (chosen, station) if kw is not None]
        return min(min(limits), self._most_kw) if limits else None

    def composite_kw(self, at: datetime, session_began: datetime | None) -> float:
        """What GetCompositeSchedule tells."""
        limit = self.limit_kw(at, session_began)
        return self._most_kw if limit is None else limit

    def _of(self, purposes: frozenset[str], at: datetime, session_began: datetime | None) -> float | None:
        ranked = sorted((p for p in self._profiles if p.purpose in purposes), key=lambda p: -p.stack_level)
        return next((kw for p in ranked if (kw := p.limit_kw(at, session_began)) is not None), None)


def read_profile(value: dict[str, Any], taken_at: datetime) -> Profile:
    """A profile as the `ocpp` package hands it over (snake case), of either version. Raises ProfileRefused."""
    schedule = value["charging_schedule"]
    schedule = schedule[0] if isinstance(schedule, list) else schedule
    if value["charging_profile_purpose"] not in PURPOSES:
        raise ProfileRefused(f"{value['charging_profile_purpose']} is no purpose")
    if value.get("charging_profile_kind") == "Recurring":
        raise ProfileRefused("recurring profiles are not kept here")
    kw_per_unit = 1e-3 if schedule["charging_rate_unit"] == "W" else VOLTS * PHASES / 1e3
    periods = sorted((float(p["start_period"]), float(p["limit"])) for p in schedule["charging_schedule_period"])
    if not periods:
        raise ProfileRefused("it has no period")
    duration = schedule.get("duration")
    return Profile(
        id=int(value.get("charging_profile_id", value.get("id", 0))),
        stack_level=int(value["stack_level"]),
        purpose=str(value["charging_profile_purpose"]),
        periods=tuple((from_s, limit * kw_per_unit) for from_s, limit in periods),
        duration_s=None if duration is None else float(duration),
        starts_at=_time(schedule.get("start_schedule")) if value.get("charging_profile_kind") == "Absolute" else None,
        valid_from=_time(value.get("valid_from")),
        valid_to=_time(value.get("valid_to")),
        taken_at=taken_at,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
