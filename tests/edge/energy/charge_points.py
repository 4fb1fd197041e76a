"""Charge points of both OCPP versions on real websockets, by the client side of the package `ocpp`."""

from __future__ import annotations

import asyncio
import base64
import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.client import ClientConnection, connect

AT = "2026-11-21T02:00:00Z"
PASSWORD = "a password of the field"
_quiet = logging.getLogger("tests.ocpp")
_quiet.setLevel(logging.CRITICAL)
_quiet.propagate = False


def authorization(charger: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{charger}:{password}".encode()).decode()}


class Held:
    """What a charger was told and holds.

    `taken` False refuses profiles, `forgets` accepts them and keeps its own limit, `hangs` never answers.
    """

    def __init__(self) -> None:
        self.profiles: dict[tuple[str, int], dict[str, Any]] = {}
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.taken, self.forgets, self.hangs = True, False, False
        self.follows_after_s = 0.0
        self.foreign_w: float | None = None
        self.no_composite = False

    async def take(self, profile: dict[str, Any]) -> str:
        if self.hangs:
            await asyncio.sleep(3600)
        self.heard.append(("SetChargingProfile", profile))
        if self.taken and not self.forgets:
            key = profile["charging_profile_purpose"], profile["stack_level"]
            asyncio.get_running_loop().call_later(self.follows_after_s, self.profiles.__setitem__, key, profile)
            await asyncio.sleep(0)
        return "Accepted" if self.taken else "Rejected"

    def clear(self, purpose: str) -> str:
        self.heard.append(("ClearChargingProfile", {"purpose": purpose}))
        self.foreign_w = None
        self.profiles = {key: value for key, value in self.profiles.items() if key[0] != purpose}
        return "Accepted"

    def limits_kw(self, purpose: str) -> list[float]:
        """Of every profile that came with this purpose above the lowest level, in order."""
        found = [p for name, p in self.heard if name == "SetChargingProfile" and p["stack_level"] > 0]
        return [_limit(p) / 1000 for p in found if p["charging_profile_purpose"] == purpose]

    def composite_w(self) -> float:
        if self.foreign_w is not None:
            return self.foreign_w
        for purpose in ("TxProfile", "TxDefaultProfile"):
            of_purpose = {level: p for (name, level), p in self.profiles.items() if name == purpose}
            if of_purpose:
                return _limit(of_purpose[max(of_purpose)])
        return 60_000.0


def _limit(profile: dict[str, Any]) -> float:
    schedule = profile["charging_schedule"]
    schedule = schedule[0] if isinstance(schedule, list) else schedule
    return float(schedule["charging_schedule_period"][0]["limit"])


class Point16(ChargePoint16):
    def __init__(self, charger: str, connection: ClientConnection, held: Held) -> None:
        super().__init__(charger, connection, response_timeout=60, logger=_quiet)
        self.held = held

    @on("SetChargingProfile")
    async def set_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        return result16.SetChargingProfile(status=await self.held.take(cs_charging_profiles))

    @on("ClearChargingProfile")
    def clear(self, charging_profile_purpose: str, **_: Any) -> Any:
        return result16.ClearChargingProfile(status=self.held.clear(charging_profile_purpose))

    @on("GetCompositeSchedule")
    def composite(self, connector_id: int, duration: int, **_: Any) -> Any:
        if self.held.no_composite:
            return result16.GetCompositeSchedule(status="Rejected")
        period = {"start_period": 0, "limit": self.held.composite_w()}
        schedule = {"duration": duration, "charging_rate_unit": "W", "charging_schedule_period": [period]}
        return result16.GetCompositeSchedule(status="Accepted", connector_id=1, charging_schedule=schedule)

    @on("ChangeConfiguration")
    def configure(self, key: str, value: str) -> Any:
        self.held.heard.append(("ChangeConfiguration", {key: value}))
        return result16.ChangeConfiguration(status="Accepted")

    async def boot(self) -> None:
        await self.call(call16.BootNotification(charge_point_model="C", charge_point_vendor="V"))

    async def status(self, status: str) -> None:
        await self.call(call16.StatusNotification(connector_id=1, error_code="NoError", status=status))

    async def begin(self) -> int:
        message = call16.StartTransaction(connector_id=1, id_tag="TAG-PERSONAL", meter_start=1_000_000, timestamp=AT)
        return (await self.call(message)).transaction_id

    async def meter(self, *samples: dict[str, Any], transaction: int | None = None) -> None:
        value = {"timestamp": AT, "sampled_value": list(samples)}
        await self.call(call16.MeterValues(connector_id=1, meter_value=[value], transaction_id=transaction))

    async def end(self, transaction: int) -> None:
        message = call16.StopTransaction(meter_stop=1_012_500, timestamp=AT, transaction_id=transaction)
        await self.call(message)


class Point201(ChargePoint201):
    def __init__(self, charger: str, connection: ClientConnection, held: Held, *, feeds_back: bool = True) -> None:
        super().__init__(charger, connection, response_timeout=60, logger=_quiet)
        self.held, self._feeds_back = held, feeds_back
        self._numbers = itertools.count()

    @on("SetChargingProfile")
    async def set_profile(self, evse_id: int, charging_profile: dict[str, Any]) -> Any:
        return result201.SetChargingProfile(status=await self.held.take(charging_profile))

    @on("ClearChargingProfile")
    def clear(self, charging_profile_criteria: dict[str, Any], **_: Any) -> Any:
        status = self.held.clear(charging_profile_criteria["charging_profile_purpose"])
        return result201.ClearChargingProfile(status=status)

    @on("GetCompositeSchedule")
    def composite(self, duration: int, evse_id: int, **_: Any) -> Any:
        period = {"start_period": 0, "limit": self.held.composite_w()}
        schedule = {
            "evse_id": evse_id,
            "duration": duration,
            "schedule_start": AT,
            "charging_rate_unit": "W",
            "charging_schedule_period": [period],
        }
        return result201.GetCompositeSchedule(status="Accepted", schedule=schedule)

    @on("GetVariables")
    def variables(self, get_variable_data: list[dict[str, Any]]) -> Any:
        asked = get_variable_data[0]
        answer = {"component": asked["component"], "variable": asked["variable"], "attribute_status": "Accepted"}
        return result201.GetVariables([answer | {"attribute_value": "true" if self._feeds_back else "false"}])

    async def boot(self) -> None:
        await self.call(call201.BootNotification({"model": "C", "vendor_name": "V"}, reason="PowerUp"))

    async def event(
        self, kind: str, *samples: dict[str, Any], state: str = "Charging", transaction: str = "t-1"
    ) -> None:
        value = [{"timestamp": AT, "sampled_value": list(samples)}] if samples else None
        await self.call(
            call201.TransactionEvent(
                event_type=kind,
                timestamp=AT,
                trigger_reason="MeterValuePeriodic",
                seq_no=next(self._numbers),
                transaction_info={"transaction_id": transaction, "charging_state": state},
                meter_value=value,
                evse={"id": 1, "connector_id": 1},
            )
        )


@asynccontextmanager
async def plugged_in(
    port: int, charger: str, kind: type[Point16] | type[Point201], held: Held | None = None, **words: Any
) -> AsyncIterator[Point16 | Point201]:
    """A charge point that is connected, answers, and has introduced itself."""
    protocol = "ocpp1.6" if kind is Point16 else "ocpp2.0.1"
    connection = await connect(
        f"ws://127.0.0.1:{port}/ocpp/{charger}", subprotocols=[protocol], additional_headers=authorization(charger)
    )
    point = kind(charger, connection, held or Held(), **words)
    hearing = asyncio.create_task(point.start())
    try:
        await point.boot()
        yield point
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await connection.close()
