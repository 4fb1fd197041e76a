"""OCPP 2.0.1: owns what its messages mean for a charger's seat, how its profiles are said, and whether it feeds back.

One EVSE a charger (1; 0 is the station as a whole). A limit below 0 asks the vehicle to feed back, where the charger
says V2XChargingCtrlr.Enabled. Identity tokens are personal: they are accepted, not kept, and not logged.
What a message may hold is checked by its schema before it comes here.
Source: Open Charge Alliance, OCPP 2.0.1 part 2, use cases B01, E02, J02, K01, K15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edge.adapters.ocpp_limits import schedule
from edge.adapters.ocpp_rpc import Handler, Payload, RpcLink, attempt
from edge.adapters.ocpp_samples import kilo, metered
from edge.adapters.ocpp_seat import Seat
from edge.adapters.wire_time import moment, stamp
from edge.energy.ports import ChargerStatus

VERSION, SUBPROTOCOL = "2.0.1", "ocpp2.0.1"
EVSE, STATION = 1, 0
MEASURANDS = "Power.Active.Import,Power.Active.Export,Energy.Active.Import.Register,Energy.Active.Export.Register,SoC"
V2X_COMPONENT, V2X_VARIABLE = "V2XChargingCtrlr", "Enabled"
PERCENT = 100.0
_ACCEPTED = {"status": "Accepted"}
_CONNECTOR = {
    "Available": ChargerStatus.AVAILABLE,
    "Reserved": ChargerStatus.UNAVAILABLE,
    "Unavailable": ChargerStatus.UNAVAILABLE,
    "Faulted": ChargerStatus.FAULTED,
}
_CHARGING = {
    "Charging": ChargerStatus.CHARGING,
    "EVConnected": ChargerStatus.PREPARING,
    "SuspendedEV": ChargerStatus.SUSPENDED,
    "SuspendedEVSE": ChargerStatus.SUSPENDED,
    "Idle": ChargerStatus.FINISHING,
}


class Ocpp201:
    """One charger's side of the conversation. `booted` is called when it has introduced itself."""

    version = VERSION
    purpose_maximum = "ChargingStationMaxProfile"

    def __init__(self, seat: Seat, *, booted: Callable[[], None]) -> None:
        self._seat, self._booted = seat, booted
        self.handlers: Mapping[str, Handler] = {
            "BootNotification": self._boot,
            "Heartbeat": lambda _: {"currentTime": self._now()},
            "StatusNotification": self._status,
            "Authorize": lambda _: {"idTokenInfo": _ACCEPTED},
            "TransactionEvent": self._transaction,
            "MeterValues": self._meter,
            "NotifyEVChargingNeeds": self._needs,
            "NotifyEVChargingSchedule": lambda _: _ACCEPTED,
            "NotifyReport": self._report,
            "NotifyEvent": lambda _: {},
            "NotifyChargingLimit": lambda _: {},
            "ClearedChargingLimit": lambda _: {},
            "ReportChargingProfiles": lambda _: {},
            "SecurityEventNotification": lambda _: {},
            "FirmwareStatusNotification": lambda _: {},
            "LogStatusNotification": lambda _: {},
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
        }

    async def greet(self, link: RpcLink) -> None:
        """Ask whether it feeds back, and to speak often. What it cannot is left out. Raises DeviceError when silent."""
        asked = {"component": {"name": V2X_COMPONENT}, "variable": {"name": V2X_VARIABLE}}
        answer = await attempt(link, "GetVariables", {"getVariableData": [asked]})
        self._take_variables(
            (one["component"], one["variable"], one.get("attributeValue"))
            for one in (answer or {}).get("getVariableResult", ())
        )
        wishes = (("TxUpdatedInterval", str(self._seat.settings.sample_s)), ("TxUpdatedMeasurands", MEASURANDS))
        wished = [
            {"attributeValue": value, "component": {"name": "SampledDataCtrlr"}, "variable": {"name": name}}
            for name, value in wishes
        ]
        await attempt(link, "SetVariables", {"setVariableData": wished})
        for message in ("StatusNotification", "TransactionEvent"):
            evse = {"id": EVSE, "connectorId": 1} if message == "StatusNotification" else {"id": EVSE}
            await attempt(link, "TriggerMessage", {"requestedMessage": message, "evse": evse})

    def set_profile(self, profile: Payload, *, kw: float, whole_station: bool, transaction: str) -> Payload:
        """The call SetChargingProfile."""
        said = {key: value for key, value in profile.items() if key != "_id"}
        said["id"] = profile["_id"]
        said["chargingSchedule"] = [{"id": profile["_id"], **schedule(profile, kw=kw, now=self._seat.clock.now())}]
        if transaction:
            said["transactionId"] = transaction
        return {"evseId": STATION if whole_station else EVSE, "chargingProfile": said}

    def clear_profiles(self, purpose: str) -> Payload:
        """The call ClearChargingProfile for all profiles of a purpose."""
        return {"chargingProfileCriteria": {"evseId": EVSE, "chargingProfilePurpose": purpose}}

    def ask_composite(self) -> Payload:
        """The call GetCompositeSchedule."""
        return {"evseId": EVSE, "duration": 60, "chargingRateUnit": "W"}

    def schedule_of(self, answer: Payload) -> Payload | None:
        """The schedule in its answer, None without one."""
        return answer.get("schedule") if answer.get("status") == "Accepted" else None

    def _now(self) -> str:
        return stamp(self._seat.clock.now())

    def _boot(self, _: Payload) -> Payload:
        self._booted()
        return {"status": "Accepted", "currentTime": self._now(), "interval": self._seat.settings.heartbeat_s}

    def _status(self, said: Payload) -> Payload:
        if said["evseId"] != EVSE:
            return {}
        known = _CONNECTOR.get(said["connectorStatus"])
        if known is not None:
            self._seat.take_status(known)
        elif self._seat.status not in _CHARGING.values():
            self._seat.take_status(ChargerStatus.PREPARING)  # occupied says no more than that a vehicle is there
        return {}

    def _transaction(self, said: Payload) -> Payload:
        if said.get("evse", {"id": EVSE})["id"] != EVSE:
            return {}
        info, ended = said["transactionInfo"], said["eventType"] == "Ended"
        session = self._seat.session
        known = session is not None and session.transaction == info["transactionId"]
        if not ended:
            self._seat.begin(info["transactionId"])  # one that began before this gateway did goes on
        elif not known:
            return {}
        self._seat.take_metered(metered(said.get("meterValue") or ()))
        if ended:
            self._seat.end()
        elif "chargingState" in info:
            self._seat.take_status(_CHARGING[info["chargingState"]])
        return {"idTokenInfo": _ACCEPTED} if "idToken" in said else {}

    def _meter(self, said: Payload) -> Payload:
        if said["evseId"] == EVSE:
            self._seat.take_metered(metered(said["meterValue"]))
        return {}

    def _needs(self, said: Payload) -> Payload:
        if said["evseId"] != EVSE:
            return {"status": "Rejected"}
        needs = said["chargingNeeds"]
        direct, alternating = needs.get("dcChargingParameters") or {}, needs.get("acChargingParameters") or {}
        energy_wh = direct.get("energyAmount", alternating.get("energyAmount"))
        soc = direct.get("stateOfCharge")
        self._seat.take_needs(
            needed_kwh=kilo(energy_wh),
            depart_at=moment(needs.get("departureTime")),
            soc_frac=soc / PERCENT if soc is not None and 0 <= soc <= PERCENT else None,
        )
        return {"status": "Accepted"}

    def _report(self, said: Payload) -> Payload:
        self._take_variables(
            (one["component"], one["variable"], attribute.get("value"))
            for one in said.get("reportData", ())
            for attribute in one.get("variableAttribute", ())
        )
        return {}

    def _take_variables(self, rows: Iterable[tuple[dict[str, Any], dict[str, Any], object]]) -> None:
        for component, variable, value in rows:
            if component["name"] == V2X_COMPONENT and variable["name"] == V2X_VARIABLE:
                self._seat.feeds_back = str(value).lower() == "true" and self._seat.spec.v2g_kw > 0
