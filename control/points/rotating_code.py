"""The code that a device or a merchant shows: owns its text, its check, and how a device's clock is learnt.

Every 30 s another code, made from the device's own secret key and the time, without a network. In a QR it has 35
characters of the alphanumeric mode (version 2, 25x25 modules, level M holds 38):

    Z1 | device 4 | slot 1 | step 6 | counter 2 | amount 4 | MAC 16 (80 bits)

Slot is the place in the device's list of methodologies; counter and amount are 0 on a board that many people read,
and are set by a machine that shows one code for one act (thousandths of the unit: a machine that weighs shows grams).
A person without a camera types `device 4 | MAC 6` of a board, ten characters, or `device 4 | counter 2 | amount 4 |
MAC 6` of an act. The step is not typed: it is found in the window around the time of typing, as in RFC 6238.

The check is HMAC-SHA-256 (RFC 2104), truncated, with a key that the cloud derives for each device from a secret of its
own; the app cannot check a code and only keeps it. Codes say where and when, never who. Typed codes have 30 bits of
MAC, so the cloud has to limit how often a person may be answered `forged`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import product
from typing import Protocol

from control.points import rules as keys
from control.points.crockford import BITS, decode, encode, normalised
from control.points.rules import PointRules

STEP_S = 30
# Steps count from here, so that six characters last for a thousand years.
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
PREFIX = "Z1"
QR_LENGTH = 35
BOARD_LENGTH = 10
ACT_LENGTH = 16
DEVICE_NUMBER_MAX = (1 << 20) - 1
SLOT_MAX = 31
COUNTER_MAX = (1 << 10) - 1
AMOUNT_MAX = (1 << 20) - 1
AMOUNT_PER_UNIT = 1_000
_STEP_MAX = (1 << 30) - 1
_QR_MAC, _TYPED_MAC = 16, 6
_KEY_BYTES_MIN = 32


def device_key(master: bytes, device_id: str, generation: int) -> bytes:
    """The secret of one device, 32 bytes, from the cloud's secret; a new generation makes a lost device worthless."""
    if len(master) < _KEY_BYTES_MIN:
        raise ValueError(f"The secret for device codes has {len(master)} bytes; it needs {_KEY_BYTES_MIN}.")
    return hmac.digest(master, f"island/device-code/v1/{generation}/{device_id}".encode(), "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeContent:
    """What a code says. `step` counts 30 s from EPOCH; `amount` is in thousandths of the methodology's unit."""

    device_number: int
    step: int
    slot: int = 0
    counter: int = 0
    amount: int = 0

    def __post_init__(self) -> None:
        for name, most in _RANGES.items():
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"`{name}` must lie between 0 and {most}, not {getattr(self, name)}.")


_RANGES = {
    "device_number": DEVICE_NUMBER_MAX,
    "step": _STEP_MAX,
    "slot": SLOT_MAX,
    "counter": COUNTER_MAX,
    "amount": AMOUNT_MAX,
}


@dataclass(frozen=True, slots=True)
class ClockModel:
    """How far a device's clock is at least ahead of the cloud's (below zero: behind), and since when that is known.

    A device is set to the cloud's time when it is put up: `ClockModel(0, put_up_at)`.
    """

    offset_s: int
    learnt_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the cloud knows of a device. `secrets` are the present key and, while it is changed, the one before.

    `keys` are the methodologies that it may show, by slot; `makes_acts` is set for machines whose code is one act's.
    """

    device_id: str
    number: int
    secrets: tuple[bytes, ...]
    keys: tuple[str, ...]
    clock: ClockModel
    place: str = ""
    merchant_id: str = ""
    makes_acts: bool = False
    active: bool = True


class CodeRefused(StrEnum):
    """Why a code is not taken."""

    UNREADABLE = "unreadable"
    UNKNOWN_DEVICE = "unknown_device"
    DEVICE_STOPPED = "device_stopped"
    FORGED = "forged"
    EARLY = "early"
    LATE = "late"
    REPLAYED = "replayed"
    SCANNED_IN_THE_FUTURE = "scanned_in_the_future"
    NOT_FOR_THIS_DEVICE = "not_for_this_device"


@dataclass(frozen=True, slots=True)
class CodeRefusal:
    """A code that is not taken; `device_id` where it could be told."""

    reason: CodeRefused
    device_id: str = ""


@dataclass(frozen=True, slots=True)
class CodeAccepted:
    """A code that is taken.

    `at` is the moment that the code proves, by the cloud's clock: the middle of its step less the device's offset.
    `evidence_ref` is unique for a device's act and names step and counter. `use_key` is used once: store it under a
    unique constraint. `clock` replaces the device's; `clock_doubt` says that it is farther off than the rule allows.
    """

    device_id: str
    key: str
    content: CodeContent
    at: datetime
    evidence_ref: str
    use_key: str
    clock: ClockModel
    clock_doubt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What the app sends: the text, when it was read by the phone's clock, and when the cloud received it (aware)."""

    text: str
    person_id: str
    scanned_at: datetime
    received_at: datetime


class KnownDevices(Protocol):
    """What the cloud looks up."""

    def device(self, number: int) -> Device | None:
        """The device of a number."""
        ...

    def used(self, use_key: str) -> bool:
        """Whether a code was used before."""
        ...


def step_of(at: datetime, offset_s: int = 0) -> int:
    """The step that a clock `offset_s` ahead shows at `at`."""
    return (at - EPOCH + timedelta(seconds=offset_s)) // timedelta(seconds=STEP_S)


def middle_of(step: int) -> datetime:
    """The middle of a step, by the clock that counts it."""
    return EPOCH + timedelta(seconds=step * STEP_S + STEP_S // 2)


def qr_text(content: CodeContent, secret: bytes) -> str:
    """The 35 characters for the QR."""
    head = (
        encode(content.device_number, 4)
        + encode(content.slot, 1)
        + encode(content.step, 6)
        + encode(content.counter, 2)
        + encode(content.amount, 4)
    )
    return PREFIX + head + _mac(content, secret, _QR_MAC)


def typed_text(content: CodeContent, secret: bytes) -> str:
    """The 10 characters of a board or the 16 of an act, without hyphens. The slot is not typed: it is found."""
    head = encode(content.device_number, 4)
    if content.counter or content.amount:
        head += encode(content.counter, 2) + encode(content.amount, 4)
    return head + _mac(content, secret, _TYPED_MAC)


def device_number(text: str) -> int | None:
    """The number of the device that a scanned or typed text names; None where it is no code at all."""
    read = _read(text)
    return None if read is None else decode(read[2:6] if _is_qr(read) else read[:4])


def _read(text: str) -> str | None:
    """The text in plain capitals; None where it has not the form of a code."""
    plain = normalised(text) if len(text) <= 2 * QR_LENGTH else ""
    if not _is_qr(plain) and len(plain) not in (BOARD_LENGTH, ACT_LENGTH):
        return None
    return plain if decode(plain[2:] if _is_qr(plain) else plain) is not None else None


def _is_qr(plain: str) -> bool:
    return plain.startswith(PREFIX) and len(plain) == QR_LENGTH


def verify(scan: Scan, known: KnownDevices, rules: PointRules) -> CodeAccepted | CodeRefusal:
    """Whether a scanned or typed code is genuine, of its time, and new.

    The claim window of the methodology is judged in `earning`, not here. Raises nothing for any text.
    """
    text, number = _read(scan.text), device_number(scan.text)
    if scan.scanned_at > scan.received_at + timedelta(seconds=rules.value(keys.PHONE_CLOCK)):
        return CodeRefusal(CodeRefused.SCANNED_IN_THE_FUTURE)
    if text is None or number is None:
        return CodeRefusal(CodeRefused.UNREADABLE)
    device = known.device(number)
    if device is None:
        return CodeRefusal(CodeRefused.UNKNOWN_DEVICE)
    if not device.active:
        return CodeRefusal(CodeRefused.DEVICE_STOPPED, device.device_id)
    expected, window = _window(scan, device, rules)
    found = _genuine_qr(text, device) if _is_qr(text) else _genuine_typed(text, device, expected, window)
    if found is None:
        return CodeRefusal(CodeRefused.FORGED, device.device_id)
    return _accepted(found, scan, device, known, rules)


def _accepted(
    content: CodeContent, scan: Scan, device: Device, known: KnownDevices, rules: PointRules
) -> CodeAccepted | CodeRefusal:
    expected, window = _window(scan, device, rules)
    if content.slot >= len(device.keys) or bool(content.counter) != device.makes_acts:
        return CodeRefusal(CodeRefused.NOT_FOR_THIS_DEVICE, device.device_id)
    if abs(content.step - expected) > window:
        reason = CodeRefused.EARLY if content.step > expected else CodeRefused.LATE
        return CodeRefusal(reason, device.device_id)
    ref = f"{content.step}.{content.counter}"
    # A board is read by many people, once by each in a step; an act is one person's.
    use_key = f"{device.device_id}/{ref}" + ("" if device.makes_acts else f"/{scan.person_id}")
    if known.used(use_key):
        return CodeRefusal(CodeRefused.REPLAYED, device.device_id)
    clock = _learnt(content.step, scan, device.clock, rules)
    return CodeAccepted(
        device_id=device.device_id,
        key=device.keys[content.slot],
        content=content,
        at=min(middle_of(content.step) - timedelta(seconds=clock.offset_s), scan.received_at),
        evidence_ref=ref,
        use_key=use_key,
        clock=clock,
        clock_doubt=abs(clock.offset_s) > rules.value(keys.CODE_DRIFT_MAX),
    )


def _window(scan: Scan, device: Device, rules: PointRules) -> tuple[int, int]:
    """The step that is expected, and how many steps more or less are taken.

    Wider by what a clock may drift since it was learnt, up to the greatest drift, and for a scan that comes later also
    by what a phone's clock may be off.
    """
    late = not _is_online(scan, rules)
    at = scan.scanned_at if late else scan.received_at
    drift_s = min(rules.value(keys.CODE_DRIFT_MAX), _drift_s(device.clock, at, rules) + 1)
    slack_s = drift_s + (rules.value(keys.PHONE_CLOCK) if late else 0)
    return step_of(at, device.clock.offset_s), rules.value(keys.CODE_WINDOW) + -(-slack_s // STEP_S)


def _is_online(scan: Scan, rules: PointRules) -> bool:
    return abs(scan.received_at - scan.scanned_at) <= timedelta(seconds=rules.value(keys.CODE_ONLINE))


def _drift_s(clock: ClockModel, at: datetime, rules: PointRules) -> int:
    """Whole seconds that the clock may have drifted since it was learnt."""
    return abs(at - clock.learnt_at) * rules.value(keys.CODE_DRIFT) // timedelta(days=1)


def _learnt(step: int, scan: Scan, clock: ClockModel, rules: PointRules) -> ClockModel:
    """Only scans that came at once teach, because only then both clocks were read together.

    A code is never read before its step begins, so each scan proves how far the device is ahead at least; that is taken
    at once. A later reading of an old code proves nothing, so the model sinks by the drift of the rules and no faster:
    nobody moves a device's clock with stale codes.
    """
    if not _is_online(scan, rules) or scan.received_at <= clock.learnt_at:
        return clock
    begun = EPOCH + timedelta(seconds=step * STEP_S)
    at_least_s = (begun - scan.received_at) // timedelta(seconds=1)
    lowest_s = clock.offset_s - _drift_s(clock, scan.received_at, rules)
    offset_s = max(at_least_s, lowest_s)
    if offset_s == clock.offset_s and at_least_s < offset_s:
        return clock
    return ClockModel(offset_s, scan.received_at)


def _genuine_qr(text: str, device: Device) -> CodeContent | None:
    fields = [decode(part) for part in (text[2:6], text[6:7], text[7:13], text[13:15], text[15:19])]
    number, slot, step, counter, amount = (value or 0 for value in fields)
    content = CodeContent(device_number=number, slot=slot, step=step, counter=counter, amount=amount)
    return content if _matches(content, device, text[19:], _QR_MAC) else None


def _genuine_typed(text: str, device: Device, expected: int, window: int) -> CodeContent | None:
    """The step nearest to the expected one whose code was typed; all are tried, so that time tells nothing."""
    body, mac = text[4:-_TYPED_MAC], text[-_TYPED_MAC:]
    counter, amount = (decode(body[:2]) or 0, decode(body[2:]) or 0) if body else (0, 0)
    found: CodeContent | None = None
    for step, slot in product(_nearest_last(expected, window), range(len(device.keys))):
        content = CodeContent(device_number=device.number, step=step, slot=slot, counter=counter, amount=amount)
        if _matches(content, device, mac, _TYPED_MAC):
            found = content
    return found


def _nearest_last(expected: int, window: int) -> Iterator[int]:
    steps = range(max(0, expected - window), min(_STEP_MAX, expected + window) + 1)
    return iter(sorted(steps, key=lambda step: -abs(step - expected)))


def _matches(content: CodeContent, device: Device, mac: str, length: int) -> bool:
    """Whether the MAC is of one of the device's keys, in constant time for each key."""
    matches = [hmac.compare_digest(_mac(content, secret, length), mac) for secret in device.secrets]
    return any(matches)


def _mac(content: CodeContent, secret: bytes, length: int) -> str:
    """The leading bits of the HMAC; the length is hashed too, so that a typed MAC is no part of a scanned one."""
    values = (length, content.device_number, content.slot, content.step, content.counter, content.amount)
    message = b"island/code/v1" + b"".join(value.to_bytes(4, "big") for value in values)
    digest = int.from_bytes(hmac.new(secret, message, sha256).digest(), "big")
    return encode(digest >> (256 - BITS * length), length)
