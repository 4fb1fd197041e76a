"""OCPP 2.0.1 as a charger speaks it, with the negative limits of a charger that can feed back."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from ocpp.v201.enums import (
    Action,
    BootReasonEnumType,
    ChargingProfileStatusEnumType,
    ChargingStateEnumType,
    ClearChargingProfileStatusEnumType,
    ConnectorStatusEnumType,
    EnergyTransferModeEnumType,
    GenericStatusEnumType,
    GetVariableStatusEnumType,
    ReasonEnumType,
    RegistrationStatusEnumType,
    RequestStartStopStatusEnumType,
    SetVariableStatusEnumType,
    TransactionEventEnumType,
    TriggerMessageStatusEnumType,
    TriggerReasonEnumType,
)

from hw_sim.microgrid.chargers import Session
from hw_sim.microgrid.ocpp_charger import ANSWER_WITHIN_S, ChargePointWords, ChargerBrain, Quiet, wire_log

EVSE, CONNECTOR = 1, 1
_BATTERY_V = 400
_STATES = {
    "charging": ChargingStateEnumType.charging,
    "suspended_ev": ChargingStateEnumType.suspended_ev,
    "suspended_evse": ChargingStateEnumType.suspended_evse,
    "preparing": ChargingStateEnumType.ev_connected,
}
_TRIGGERS = {"MeterValues": "meter", "TransactionEvent": "meter", "StatusNotification": "status", "Heartbeat": "beat"}
_V2X, _INTERVAL = ("V2XChargingCtrlr", "Enabled"), ("SampledDataCtrlr", "TxUpdatedInterval")


class Words201(ChargePointWords):
    """A charger's side of OCPP 2.0.1."""

    subprotocol = "ocpp2.0.1"

    def __init__(self, brain: ChargerBrain) -> None:
        super().__init__(brain)
        self._point: _Ears201
        self.transaction_id: str | None = None
        self._sequence = 0
        self._state = ChargingStateEnumType.ev_connected
        self._connector = ""

    def listen(self, connection: Quiet) -> None:
        """Hear and speak through this connection from now on."""
        self._point = _Ears201(self, connection)
        self._connector = ""

    async def hear(self) -> None:
        """Answer the central system until the connection ends."""
        await self._point.start()

    async def boot(self) -> float | None:
        """Say who we are."""
        charger = self.brain.charger.config
        station = {
            "model": "V-60" if charger.v2g_kw > 0 else "C-60",
            "vendor_name": "Invented Charging",
            "serial_number": charger.id,
            "firmware_version": "1.0",
        }
        answer = await self._call(call.BootNotification(charging_station=station, reason=BootReasonEnumType.power_up))
        accepted = answer and answer.status == RegistrationStatusEnumType.accepted
        return float(answer.interval or 30.0) if accepted else None

    async def beat(self) -> None:
        """Say that we are there."""
        await self._call(call.Heartbeat())

    async def tell_status(self, status: str) -> None:
        """The connector's status where it changes, and the transaction's state."""
        connector = {
            "available": ConnectorStatusEnumType.available,
            "faulted": ConnectorStatusEnumType.faulted,
        }.get(status, ConnectorStatusEnumType.occupied)
        if connector != self._connector:
            self._connector = connector
            await self._call(
                call.StatusNotification(
                    timestamp=self.brain.stamp(), connector_status=connector, evse_id=EVSE, connector_id=CONNECTOR
                )
            )
        if status in _STATES and _STATES[status] != self._state:
            self._state = _STATES[status]
            if self.transaction_id is not None:
                await self._event(TransactionEventEnumType.updated, TriggerReasonEnumType.charging_state_changed)

    async def begin(self, session: Session) -> None:
        """A vehicle is plugged in and charging begins; then what its driver wants."""
        self.transaction_id, self._sequence = uuid.uuid4().hex, 0
        answer = await self._event(
            TransactionEventEnumType.started,
            TriggerReasonEnumType.cable_plugged_in,
            id_token={"id_token": session.vehicle.id[:36], "type": "Central"},
        )
        token = answer.id_token_info if answer is not None else None
        if token is not None and token["status"] != "Accepted":
            self.brain.stop_session()
        await self._tell_needs(session)

    async def _tell_needs(self, session: Session) -> None:
        vehicle = session.vehicle
        stays_s = max(0.0, self.brain.leaves_in_s(vehicle))
        await self._call(
            call.NotifyEVChargingNeeds(
                evse_id=EVSE,
                charging_needs={
                    "requested_energy_transfer": EnergyTransferModeEnumType.dc,
                    "departure_time": self.brain.stamp(timedelta(seconds=stays_s)),
                    "dc_charging_parameters": {
                        "ev_max_current": round(1000 * vehicle.max_kw / _BATTERY_V),
                        "ev_max_voltage": _BATTERY_V,
                        "energy_amount": round(1000 * vehicle.needed_kwh),
                        "ev_max_power": round(1000 * vehicle.max_kw),
                        "state_of_charge": round(100 * vehicle.soc_frac),
                        "ev_energy_capacity": round(1000 * vehicle.capacity_kwh),
                    },
                },
            )
        )

    async def tell_meter(self) -> None:
        """What the meter shows."""
        if self.transaction_id is not None:
            await self._event(TransactionEventEnumType.updated, TriggerReasonEnumType.meter_value_periodic)

    async def end(self) -> None:
        """The vehicle has gone."""
        if self.transaction_id is None:
            return
        await self._event(
            TransactionEventEnumType.ended,
            TriggerReasonEnumType.ev_departed,
            stopped_reason=ReasonEnumType.ev_disconnected,
        )
        self.transaction_id, self._state = None, ChargingStateEnumType.ev_connected

    async def _event(
        self,
        kind: str,
        trigger: str,
        *,
        id_token: dict[str, Any] | None = None,
        stopped_reason: str | None = None,
    ) -> Any:
        transaction = {"transaction_id": self.transaction_id, "charging_state": self._state}
        if stopped_reason is not None:
            transaction |= {"stopped_reason": stopped_reason}
        message = call.TransactionEvent(
            event_type=kind,
            timestamp=self.brain.stamp(),
            trigger_reason=trigger,
            seq_no=self._sequence,
            transaction_info=transaction,
            meter_value=[{"timestamp": self.brain.stamp(), "sampled_value": self._samples()}],
            evse={"id": EVSE, "connector_id": CONNECTOR},
            id_token=id_token,
        )
        self._sequence += 1
        return await self._call(message)

    def _samples(self) -> list[dict[str, Any]]:
        measured, feeds_back = self.brain.measured(), self.brain.charger.config.v2g_kw > 0
        samples = [
            _sample("Power.Active.Import", measured.import_w, "W"),
            _sample("Energy.Active.Import.Register", measured.import_wh, "Wh"),
            _sample("Power.Offered", self.brain.composite_w(), "W"),
        ]
        if feeds_back:
            samples += [
                _sample("Power.Active.Export", measured.export_w, "W"),
                _sample("Energy.Active.Export.Register", measured.export_wh, "Wh"),
            ]
        if measured.soc_percent is not None:
            samples.append(_sample("SoC", measured.soc_percent, "Percent"))
        return samples

    async def _call(self, message: Any) -> Any:
        return await self._point.call(message)


def _sample(measurand: str, value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "measurand": measurand, "unit_of_measure": {"unit": unit}}


class _Ears201(ChargePoint):
    """What the central system may ask."""

    def __init__(self, words: Words201, connection: Quiet) -> None:
        super().__init__(words.brain.charger.config.id, connection, response_timeout=ANSWER_WITHIN_S, logger=wire_log)
        self._words, self._brain = words, words.brain

    @on(Action.set_charging_profile)
    def on_set_charging_profile(self, evse_id: int, charging_profile: dict[str, Any], **_: Any) -> Any:
        taken = self._brain.take_profile(charging_profile)
        status = ChargingProfileStatusEnumType.accepted if taken else ChargingProfileStatusEnumType.rejected
        return call_result.SetChargingProfile(status=status)

    @on(Action.clear_charging_profile)
    def on_clear_charging_profile(
        self,
        charging_profile_id: int | None = None,
        charging_profile_criteria: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        wanted = charging_profile_criteria or {}
        cleared = self._brain.clear_profile(
            profile_id=charging_profile_id,
            purpose=wanted.get("charging_profile_purpose"),
            stack_level=wanted.get("stack_level"),
        )
        known = ClearChargingProfileStatusEnumType
        return call_result.ClearChargingProfile(status=known.accepted if cleared else known.unknown)

    @on(Action.get_composite_schedule)
    def on_get_composite_schedule(self, duration: int, evse_id: int, **_: Any) -> Any:
        schedule = {
            "evse_id": evse_id,
            "duration": duration,
            "schedule_start": self._brain.stamp(),
            "charging_rate_unit": "W",
            "charging_schedule_period": [{"start_period": 0, "limit": self._brain.composite_w()}],
        }
        return call_result.GetCompositeSchedule(status=GenericStatusEnumType.accepted, schedule=schedule)

    @on(Action.get_variables)
    def on_get_variables(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        return call_result.GetVariables(get_variable_result=[self._variable(asked) for asked in get_variable_data])

    def _variable(self, asked: dict[str, Any]) -> dict[str, Any]:
        component, variable = asked["component"], asked["variable"]
        held = {
            _V2X: "true" if self._brain.charger.config.v2g_kw > 0 else None,
            _INTERVAL: f"{self._brain.meter_interval_s:.0f}",
        }
        value = held.get((component["name"], variable["name"]))
        known = GetVariableStatusEnumType
        return {
            "attribute_status": known.accepted if value is not None else known.unknown_component,
            "component": component,
            "variable": variable,
            "attribute_value": value,
        }

    @on(Action.set_variables)
    def on_set_variables(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        return call_result.SetVariables(set_variable_result=[self._set(asked) for asked in set_variable_data])

    def _set(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = (asked["component"]["name"], asked["variable"]["name"])
        value = str(asked["attribute_value"])
        status = SetVariableStatusEnumType.unknown_component
        if name == _INTERVAL:
            good = value.isdigit() and int(value) >= 1
            status = SetVariableStatusEnumType.accepted if good else SetVariableStatusEnumType.rejected
            if good:
                self._brain.meter_interval_s = float(value)
        return {"attribute_status": status, "component": asked["component"], "variable": asked["variable"]}

    @on(Action.request_stop_transaction)
    def on_request_stop_transaction(self, transaction_id: str, **_: Any) -> Any:
        fits = transaction_id == self._words.transaction_id
        if fits:
            self._brain.stop_session()
        known = RequestStartStopStatusEnumType
        return call_result.RequestStopTransaction(status=known.accepted if fits else known.rejected)

    @on(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, **_: Any) -> Any:
        known = TriggerMessageStatusEnumType
        what = _TRIGGERS.get(requested_message)
        if what is None:
            return call_result.TriggerMessage(status=known.not_implemented)
        self._brain.asked.add(what)
        return call_result.TriggerMessage(status=known.accepted)
