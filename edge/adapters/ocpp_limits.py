"""Leading a charger's power, in both OCPP versions: owns the profiles, the order of their sending and reading back.

Three profiles: the charger's own maximum; a default of its smallest power, on the lowest level and for ever; and above
it the limit of the moment, which holds only for a while. When nobody renews that one, the default is what is left.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from control.domain.errors import DeviceError
from edge.adapters.ocpp_rpc import CallRefused, Payload, RpcLink, attempt
from edge.adapters.ocpp_seat import Seat
from edge.adapters.wire_time import stamp
from edge.energy.ports import WriteNotTaken

SEND_TRIES = 2
STACK_FALLBACK, STACK_LIMIT = 0, 1
ID_MAXIMUM, ID_FALLBACK, ID_DEFAULT, ID_SESSION = 1, 2, 3, 4
VOLTS, PHASES = 230.0, 3
BEGAN_AGO = timedelta(hours=1)
W_PER_KW = 1000.0

log = structlog.get_logger(__name__)


class Dialect(Protocol):
    """What the two versions say differently about profiles."""

    purpose_maximum: str

    def set_profile(self, profile: Payload, *, kw: float, whole_station: bool, transaction: str) -> Payload:
        """The call SetChargingProfile; `profile` lacks what the versions call differently."""
        ...

    def clear_profiles(self, purpose: str) -> Payload:
        """The call ClearChargingProfile for all profiles of a purpose."""
        ...

    def ask_composite(self) -> Payload:
        """The call GetCompositeSchedule."""
        ...

    def schedule_of(self, answer: Payload) -> Payload | None:
        """The schedule in its answer, None without one."""
        ...


async def settle(link: RpcLink, seat: Seat, dialect: Dialect) -> None:
    """Give it its maximum and its fallback. A charger that does not take them is led all the same."""
    fallback_kw = min(seat.spec.min_kw, seat.spec.max_kw)
    for purpose, profile_id, kw in (
        (dialect.purpose_maximum, ID_MAXIMUM, seat.spec.max_kw),
        ("TxDefaultProfile", ID_FALLBACK, fallback_kw),
    ):
        profile = _profile(profile_id, STACK_FALLBACK, purpose)
        whole = purpose == dialect.purpose_maximum
        asked = dialect.set_profile(profile, kw=kw, whole_station=whole, transaction="")
        answer = await attempt(link, "SetChargingProfile", asked)
        if answer is None or answer.get("status") != "Accepted":
            log.warning("charger_without_profile", charger=seat.spec.id, purpose=purpose)


async def send_limit(link: RpcLink, seat: Seat, dialect: Dialect, kw: float) -> None:
    """Hold this limit for a while, and see that it does. Raises WriteNotTaken, DeviceError."""
    for trial in range(1, SEND_TRIES + 1):
        try:
            found_kw = await _send_once(link, seat, dialect, kw)
        except CallRefused as error:
            raise WriteNotTaken(seat.spec.id, "limit", wanted=kw, found=None, why=str(error)) from error
        seat.confirmed_kw = found_kw
        if abs(found_kw - kw) <= seat.settings.tolerance_kw:
            return
        if trial == SEND_TRIES:
            raise WriteNotTaken(seat.spec.id, "limit", wanted=kw, found=found_kw)
        # Something else than our profile holds: what others left in the charger goes, and ours are given anew.
        for purpose in ("TxProfile", "TxDefaultProfile"):
            await attempt(link, "ClearChargingProfile", dialect.clear_profiles(purpose))
        await settle(link, seat, dialect)


async def _send_once(link: RpcLink, seat: Seat, dialect: Dialect, kw: float) -> float:
    """What the charger then holds itself to, kW."""
    transaction = "" if seat.session is None else seat.session.transaction
    profile_id, purpose = (ID_SESSION, "TxProfile") if transaction else (ID_DEFAULT, "TxDefaultProfile")
    profile = _profile(profile_id, STACK_LIMIT, purpose) | {"validTo": seat.valid_to()}
    asked = dialect.set_profile(profile, kw=kw, whole_station=False, transaction=transaction)
    status = (await link.call("SetChargingProfile", asked)).get("status")
    if status != "Accepted":
        raise WriteNotTaken(seat.spec.id, "limit", wanted=kw, found=None, why=str(status))
    found_kw = await _held_kw(link, seat, dialect)
    if found_kw is not None and abs(found_kw - kw) > seat.settings.tolerance_kw:
        await asyncio.sleep(seat.settings.follow_s)  # some chargers say yes first and follow then
        found_kw = await _held_kw(link, seat, dialect)
    # Reading back is an optional message: a charger without it is believed.
    return kw if found_kw is None else found_kw


async def _held_kw(link: RpcLink, seat: Seat, dialect: Dialect) -> float | None:
    """The limit that the charger says it holds, None where it cannot say. Raises DeviceError for an empty answer."""
    answer = await attempt(link, "GetCompositeSchedule", dialect.ask_composite())
    if answer is None:
        return None
    found_kw = _first_kw(dialect.schedule_of(answer))
    if found_kw is None:
        raise DeviceError(f"{seat.spec.id}: does not say which limit it holds ({answer.get('status')})")
    return found_kw


def _profile(profile_id: int, stack_level: int, purpose: str) -> Payload:
    return {
        "stackLevel": stack_level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative" if purpose == "TxProfile" else "Absolute",
        "_id": profile_id,
    }


def schedule(profile: Payload, *, kw: float, now: datetime) -> Payload:
    """One period without an end, in watts. It begins in the past, so that a clock that is behind does not delay it."""
    made: dict[str, Any] = {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": round(kw * W_PER_KW, 1)}],
    }
    return made if profile["chargingProfileKind"] == "Relative" else made | {"startSchedule": stamp(now - BEGAN_AGO)}


def _first_kw(found: Payload | None) -> float | None:
    """The limit that holds at the schedule's begin, kW; a charger that answers in amperes means each of 3 phases."""
    periods = found.get("chargingSchedulePeriod") if found else None
    if not found or not periods:
        return None
    first = min(periods, key=lambda period: int(period["startPeriod"]))
    try:
        limit = float(first["limit"])
    except OverflowError:
        return None
    if found.get("chargingRateUnit") == "A":
        return limit * VOLTS * float(first.get("numberPhases", PHASES)) / W_PER_KW
    return limit / W_PER_KW
