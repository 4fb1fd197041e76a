"""OCPP 1.6J as a charger speaks it."""

from __future__ import annotations

from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    Action,
    ChargePointErrorCode,
    ChargePointStatus,
    ChargingProfileStatus,
    ClearChargingProfileStatus,
    ConfigurationStatus,
    GetCompositeScheduleStatus,
    Reason,
    RegistrationStatus,
    RemoteStartStopStatus,
    ResetStatus,
    TriggerMessageStatus,
)

from hw_sim.microgrid.chargers import Session
from hw_sim.microgrid.ocpp_charger import ANSWER_WITHIN_S, ChargePointWords, ChargerBrain, Quiet, wire_log

CONNECTOR = 1
_STATUS = {
    "available": ChargePointStatus.available,
    "preparing": ChargePointStatus.preparing,
    "charging": ChargePointStatus.charging,
    "suspended_ev": ChargePointStatus.suspended_ev,
    "suspended_evse": ChargePointStatus.suspended_evse,
    "faulted": ChargePointStatus.faulted,
}
_TRIGGERS = {"MeterValues": "meter", "StatusNotification": "status", "Heartbeat": "beat"}
_INTERVAL = "MeterValueSampleInterval"


class Words16(ChargePointWords):
    """A charger's side of OCPP 1.6."""

    subprotocol = "ocpp1.6"

    def __init__(self, brain: ChargerBrain) -> None:
        super().__init__(brain)
        self._point: _Ears16
        self.transaction_id: int | None = None

    def listen(self, connection: Quiet) -> None:
        """Hear and speak through this connection from now on."""
        self._point = _Ears16(self, connection)

    async def hear(self) -> None:
        """Answer the central system until the connection ends."""
        await self._point.start()

    async def boot(self) -> float | None:
        """Say who we are."""
        answer = await self._call(
            call.BootNotification(
                charge_point_model="C-60",
                charge_point_vendor="Invented Charging",
                charge_point_serial_number=self.brain.charger.config.id,
                firmware_version="1.0",
            )
        )
        return float(answer.interval or 30.0) if answer and answer.status == RegistrationStatus.accepted else None

    async def beat(self) -> None:
        """Say that we are there."""
        await self._call(call.Heartbeat())

    async def tell_status(self, status: str) -> None:
        """The connector's status."""
        wrong = ChargePointErrorCode.other_error if status == "faulted" else ChargePointErrorCode.no_error
        await self._call(
            call.StatusNotification(
                connector_id=CONNECTOR, error_code=wrong, status=_STATUS[status], timestamp=self.brain.stamp()
            )
        )

    async def begin(self, session: Session) -> None:
        """A vehicle is plugged in and charging begins; a driver who is not accepted gets no power."""
        answer = await self._call(
            call.StartTransaction(
                connector_id=CONNECTOR,
                id_tag=session.vehicle.id[:20],
                meter_start=self.brain.measured().import_wh,
                timestamp=self.brain.stamp(),
            )
        )
        if answer is not None:
            self.transaction_id = answer.transaction_id
            if answer.id_tag_info["status"] != "Accepted":
                self.brain.stop_session()
        await self.tell_meter()

    async def tell_meter(self) -> None:
        """What the meter shows."""
        measured = self.brain.measured()
        samples = [
            _sample("Power.Active.Import", measured.import_w, "W"),
            _sample("Energy.Active.Import.Register", measured.import_wh, "Wh"),
            _sample("Power.Offered", self.brain.composite_w(), "W"),
        ]
        if measured.soc_percent is not None:
            samples.append(_sample("SoC", measured.soc_percent, "Percent"))
        value = {"timestamp": self.brain.stamp(), "sampled_value": samples}
        await self._call(
            call.MeterValues(connector_id=CONNECTOR, meter_value=[value], transaction_id=self.transaction_id)
        )

    async def end(self) -> None:
        """The vehicle has gone."""
        if self.transaction_id is None:
            return
        await self._call(
            call.StopTransaction(
                meter_stop=self.brain.measured().import_wh,
                timestamp=self.brain.stamp(),
                transaction_id=self.transaction_id,
                reason=Reason.ev_disconnected,
            )
        )
        self.transaction_id = None

    async def _call(self, message: Any) -> Any:
        return await self._point.call(message)


def _sample(measurand: str, value: float, unit: str) -> dict[str, Any]:
    return {"value": f"{value:g}" if value < 1e6 else str(value), "measurand": measurand, "unit": unit}


class _Ears16(ChargePoint):
    """What the central system may ask."""

    def __init__(self, words: Words16, connection: Quiet) -> None:
        super().__init__(words.brain.charger.config.id, connection, response_timeout=ANSWER_WITHIN_S, logger=wire_log)
        self._words, self._brain = words, words.brain

    @on(Action.set_charging_profile)
    def on_set_charging_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        taken = self._brain.take_profile(cs_charging_profiles)
        status = ChargingProfileStatus.accepted if taken else ChargingProfileStatus.rejected
        return call_result.SetChargingProfile(status=status)

    @on(Action.clear_charging_profile)
    def on_clear_charging_profile(self, **wanted: Any) -> Any:
        cleared = self._brain.clear_profile(
            profile_id=wanted.get("id"),
            purpose=wanted.get("charging_profile_purpose"),
            stack_level=wanted.get("stack_level"),
        )
        status = ClearChargingProfileStatus.accepted if cleared else ClearChargingProfileStatus.unknown
        return call_result.ClearChargingProfile(status=status)

    @on(Action.get_composite_schedule)
    def on_get_composite_schedule(self, connector_id: int, duration: int, **_: Any) -> Any:
        schedule = {
            "duration": duration,
            "charging_rate_unit": "W",
            "charging_schedule_period": [{"start_period": 0, "limit": self._brain.composite_w()}],
        }
        return call_result.GetCompositeSchedule(
            status=GetCompositeScheduleStatus.accepted,
            connector_id=connector_id,
            schedule_start=self._brain.stamp(),
            charging_schedule=schedule,
        )

    @on(Action.change_configuration)
    def on_change_configuration(self, key: str, value: str) -> Any:
        if key != _INTERVAL or not value.isdigit() or int(value) < 1:
            known = ConfigurationStatus.rejected if key == _INTERVAL else ConfigurationStatus.not_supported
            return call_result.ChangeConfiguration(status=known)
        self._brain.meter_interval_s = float(value)
        return call_result.ChangeConfiguration(status=ConfigurationStatus.accepted)

    @on(Action.get_configuration)
    def on_get_configuration(self, key: list[str] | None = None) -> Any:
        held = {
            _INTERVAL: f"{self._brain.meter_interval_s:.0f}",
            "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
            "ChargeProfileMaxStackLevel": "10",
            "MeterValuesSampledData": "Power.Active.Import,Energy.Active.Import.Register,Power.Offered,SoC",
        }
        asked = key or list(held)
        rows = [{"key": k, "readonly": k != _INTERVAL, "value": held[k]} for k in asked if k in held]
        return call_result.GetConfiguration(
            configuration_key=rows, unknown_key=[k for k in asked if k not in held] or None
        )

    @on(Action.remote_stop_transaction)
    def on_remote_stop_transaction(self, transaction_id: int) -> Any:
        fits = transaction_id == self._words.transaction_id
        if fits:
            self._brain.stop_session()
        return call_result.RemoteStopTransaction(
            status=RemoteStartStopStatus.accepted if fits else RemoteStartStopStatus.rejected
        )

    @on(Action.remote_start_transaction)
    def on_remote_start_transaction(self, **_: Any) -> Any:
        return call_result.RemoteStartTransaction(status=RemoteStartStopStatus.rejected)

    @on(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, **_: Any) -> Any:
        what = _TRIGGERS.get(requested_message)
        if what is None:
            return call_result.TriggerMessage(status=TriggerMessageStatus.not_implemented)
        self._brain.asked.add(what)
        return call_result.TriggerMessage(status=TriggerMessageStatus.accepted)

    @on(Action.reset)
    def on_reset(self, **_: Any) -> Any:
        return call_result.Reset(status=ResetStatus.rejected)
