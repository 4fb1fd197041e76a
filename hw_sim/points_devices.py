"""Devices that show codes of points: owns their clocks, their faults, and the code that each shows now.

A shuttle's board and a shared bike show a code that many people scan; a recycling machine and a counter for reusable
cups show one code for one act. Each device has the secret that the cloud made for it and its own clock, and needs no
network. GET /points, /points/ID/code, /points/ID/code.png; POST /points (put one up), /points/ID/acts with
`{"slot": 0, "amount": 500}`, /points/ID/faults with `{"drift_s": 90}`, `{"drift_s_per_day": 3}` or `{"offline": true}`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import segno

from control.domain.errors import IslandError
from control.points.rotating_code import COUNTER_MAX, STEP_S, CodeContent, middle_of, qr_text, step_of, typed_text
from hw_sim.http_server import Answer, Request, json_answer

DEVICES_MAX = 64
PNG_SCALE = 6


class UnknownDevice(IslandError):
    """No such device is put up, or what was said about it is not understood."""


@dataclass(slots=True)
class PointsDevice:
    """One device. `set_at` is when its clock was last right; an offline one drifts on from there."""

    device_id: str
    number: int
    secret: bytes
    makes_acts: bool
    name: str
    set_at: datetime
    drift_s: float = 0.0
    drift_s_per_day: float = 0.0
    offline: bool = False
    slot: int = 0
    counter: int = 0
    amount: int = 0

    def own_time(self, now: datetime) -> datetime:
        """What its clock says. The network sets a connected device's clock right, but not one that is wrong by hand."""
        if not self.offline:
            self.set_at = now
        days = (now - self.set_at) / timedelta(days=1)
        return now + timedelta(seconds=self.drift_s + self.drift_s_per_day * days)

    def act(self, *, slot: int, amount: int) -> None:
        """One act, as 500 g of bottles: the code is of this act until the next."""
        self.slot, self.amount = slot, amount
        self.counter = self.counter % COUNTER_MAX + 1

    def content(self, now: datetime) -> CodeContent:
        """What the code says now."""
        counter, amount = (self.counter, self.amount) if self.makes_acts else (0, 0)
        step = step_of(self.own_time(now))
        return CodeContent(device_number=self.number, step=step, slot=self.slot, counter=counter, amount=amount)

    def shown(self, now: datetime) -> dict[str, Any]:
        """The code for the camera and for typing, and how long it will be shown; no code before the first act."""
        content = self.content(now)
        empty = self.makes_acts and not self.counter
        left_s = (middle_of(content.step) - self.own_time(now)).total_seconds() + STEP_S / 2
        return {
            "device_id": self.device_id,
            "name": self.name,
            "text": "" if empty else qr_text(content, self.secret),
            "typed": "" if empty else typed_text(content, self.secret),
            "seconds_left": round(left_s, 1),
            "offline": self.offline,
        }


class PointsDevices:
    """All devices of the island, as they answer over HTTP."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._devices: dict[str, PointsDevice] = {}

    def put_up(self, body: Any) -> PointsDevice:
        """A device with the file that the cloud gave for it, and its `name`. Raises UnknownDevice for another body."""
        try:
            device = PointsDevice(
                device_id=str(body["device_id"]),
                number=int(body["number"]),
                secret=bytes.fromhex(body["secret_hex"]),
                makes_acts=bool(body.get("makes_acts", False)),
                name=str(body.get("name", "")),
                set_at=self._now(),
            )
            device.content(device.set_at)
        except (KeyError, TypeError, ValueError) as error:
            raise UnknownDevice(f"A device needs the file that the cloud gave for it: {error!r}.") from error
        if device.device_id not in self._devices and len(self._devices) >= DEVICES_MAX:
            raise UnknownDevice(f"There are {DEVICES_MAX} devices already.")
        self._devices[device.device_id] = device
        return device

    def answer(self, request: Request, path: list[str]) -> Answer:
        """One request below /points; `path` is what follows it."""
        try:
            return self._answer(request, path)
        except (UnknownDevice, TypeError, ValueError) as error:
            return json_answer({"error": str(error)}, 400)

    def _answer(self, request: Request, path: list[str]) -> Answer:
        now = self._now()
        match request.method, path:
            case "GET", []:
                return json_answer([device.shown(now) for device in self._devices.values()])
            case "POST", []:
                return json_answer(self.put_up(request.body).shown(now))
            case "GET", [device_id, "code"]:
                return json_answer(self._device(device_id).shown(now))
            case "GET", [device_id, "code.png"]:
                return Answer(200, _png(self._device(device_id).shown(now)["text"]), "image/png")
            case "POST", [device_id, "acts"]:
                device, body = self._device(device_id), request.body or {}
                device.act(slot=int(body.get("slot", 0)), amount=int(body.get("amount", 0)))
                return json_answer(device.shown(now))
            case "POST", [device_id, "faults"]:
                self._fault(self._device(device_id), request.body or {})
                return json_answer(self._device(device_id).shown(now))
        return json_answer({"error": "nothing is here"}, 404)

    def _device(self, device_id: str) -> PointsDevice:
        if device_id not in self._devices:
            raise UnknownDevice(f"No device {device_id!r} is put up.")
        return self._devices[device_id]

    def _fault(self, device: PointsDevice, body: dict[str, Any]) -> None:
        device.drift_s = float(body.get("drift_s", device.drift_s))
        device.drift_s_per_day = float(body.get("drift_s_per_day", device.drift_s_per_day))
        device.offline = bool(body.get("offline", device.offline))


def _png(text: str) -> bytes:
    """The code as the device's screen shows it; an empty screen while there is none."""
    file = io.BytesIO()
    code = segno.make_qr(text or " ", error="m", boost_error=False)
    code.save(file, kind="png", scale=PNG_SCALE, border=4, dark="black" if text else "white")
    return file.getvalue()
