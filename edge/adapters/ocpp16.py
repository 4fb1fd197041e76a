"""OCPP 1.6J: owns what its messages mean for a charger's seat, and how its profiles are said.

One connector a charger (1; 0 is the station as a whole). Identity tags are personal: they are accepted, not kept, and
not logged. What a message may hold is checked by its schema before it comes here.
Source: Open Charge Alliance, OCPP 1.6 edition 2, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.adapters.ocpp_limits import schedule
from edge.adapters.ocpp_rpc import Handler, Payload, RpcLink, attempt
from edge.adapters.ocpp_samples import kilo, metered
from edge.adapters.ocpp_seat import Seat
from edge.adapters.wire_time import stamp
from edge.energy.ports import ChargerStatus

VERSION, SUBPROTOCOL = "1.6", "ocpp1.6"
CONNECTOR, STATION = 1, 0
MEASURANDS = "Power.Active.Import,Energy.Active.Import.Register,SoC"
TRANSACTION_MAX = 2**31
_ACCEPTED = {"status": "Accepted"}
_STATUS = {
    "Available": ChargerStatus.AVAILABLE,
    "Preparing": ChargerStatus.PREPARING,
    "Charging": ChargerStatus.CHARGING,
    "SuspendedEVSE": ChargerStatus.SUSPENDED,
    "SuspendedEV": ChargerStatus.SUSPENDED,
    "Finishing": ChargerStatus.FINISHING,
    "Reserved": ChargerStatus.UNAVAILABLE,
    "Unavailable": ChargerStatus.UNAVAILABLE,
    "Faulted": ChargerStatus.FAULTED,
}
_OF_THE_STATION = frozenset({ChargerStatus.UNAVAILABLE, ChargerStatus.FAULTED})


class Ocpp16:
    """One charger's side of the conversation. `booted` is called when it has introduced itself."""

    version = VERSION
    purpose_maximum = "ChargePointMaxProfile"

    def __init__(self, seat: Seat, *, booted: Callable[[], None], next_transaction: Callable[[], int]) -> None:
        self._seat, self._booted, self._next_transaction = seat, booted, next_transaction
        self.handlers: Mapping[str, Handler] = {
            "BootNotification": self._boot,
            "Heartbeat": lambda _: {"currentTime": self._now()},
            "StatusNotification": self._status,
            "Authorize": lambda _: {"idTagInfo": _ACCEPTED},
            "StartTransaction": self._start,
            "StopTransaction": self._stop,
            "MeterValues": self._meter,
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
            "FirmwareStatusNotification": lambda _: {},
            "DiagnosticsStatusNotification": lambda _: {},
        }

    async def greet(self, link: RpcLink) -> None:
        """Ask it to speak often, and what it does now. What it cannot is left out. Raises DeviceError when silent."""
        for key, value in (
            ("MeterValueSampleInterval", str(self._seat.settings.sample_s)),
            ("MeterValuesSampledData", MEASURANDS),
        ):
            await attempt(link, "ChangeConfiguration", {"key": key, "value": value})
        for message in ("StatusNotification", "MeterValues"):
            await attempt(link, "TriggerMessage", {"requestedMessage": message, "connectorId": CONNECTOR})

    def set_profile(self, profile: Payload, *, kw: float, whole_station: bool, transaction: str) -> Payload:
        """The call SetChargingProfile. This version has no negative limits."""
        said = {key: value for key, value in profile.items() if key != "_id"}
        said["chargingProfileId"] = profile["_id"]
        said["chargingSchedule"] = schedule(profile, kw=max(0.0, kw), now=self._seat.clock.now())
        if transaction:
            said["transactionId"] = int(transaction)
        return {"connectorId": STATION if whole_station else CONNECTOR, "csChargingProfiles": said}

    def clear_profiles(self, purpose: str) -> Payload:
        """The call ClearChargingProfile for all profiles of a purpose."""
        return {"chargingProfilePurpose": purpose}

    def ask_composite(self) -> Payload:
        """The call GetCompositeSchedule."""
        return {"connectorId": CONNECTOR, "duration": 60, "chargingRateUnit": "W"}

    def schedule_of(self, answer: Payload) -> Payload | None:
        """The schedule in its answer, None without one."""
        return answer.get("chargingSchedule") if answer.get("status") == "Accepted" else None

    def _now(self) -> str:
        return stamp(self._seat.clock.now())

    def _boot(self, _: Payload) -> Payload:
        self._booted()
        return {"status": "Accepted", "currentTime": self._now(), "interval": self._seat.settings.heartbeat_s}

    def _status(self, said: Payload) -> Payload:
        status = _STATUS[said["status"]]
        if said["connectorId"] == CONNECTOR or (said["connectorId"] == STATION and status in _OF_THE_STATION):
            self._seat.take_status(status)
        return {}

    def _start(self, said: Payload) -> Payload:
        transaction = self._next_transaction()
        if said["connectorId"] == CONNECTOR:
            self._seat.begin(str(transaction), imported_kwh=kilo(said["meterStart"]))
        return {"transactionId": transaction, "idTagInfo": _ACCEPTED}

    def _stop(self, said: Payload) -> Payload:
        session = self._seat.session
        if session is not None and session.transaction == str(said["transactionId"]):
            self._seat.end()
        return {"idTagInfo": _ACCEPTED} if "idTag" in said else {}

    def _meter(self, said: Payload) -> Payload:
        if said["connectorId"] == CONNECTOR:
            if (transaction := said.get("transactionId")) is not None and 0 < transaction < TRANSACTION_MAX:
                self._seat.begin(str(transaction))  # one that began before this gateway did goes on
            self._seat.take_metered(metered(said["meterValue"]))
        return {}
