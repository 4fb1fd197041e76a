"""What a code is that somebody reads or types: owns telling our devices' codes from others, and a code's own time.

Nothing is checked here: only the cloud has the keys. A code of a device in a QR has one form and a typed one two, see
`control.points.rotating_code`; everything else is named, so that the app can say where it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from control.points import rotating_code
from control.points.crockford import decode, grouped, normalised

PASS_PREFIX = "IP:"
PERSON_PREFIX = "P"
PERSON_LENGTH = 9
TILL_LENGTH = 12
TYPED_LENGTHS = (rotating_code.BOARD_LENGTH, rotating_code.ACT_LENGTH)
_STEP_AT = slice(7, 13)
_ADDRESSES = ("http://", "https://", "www.")


class CodeKind(StrEnum):
    """What a code is for. `TILL`: of a redemption or a voucher; `PERSON`: what a visitor shows a merchant."""

    DEVICE = "device"
    PASS = "pass"
    TILL = "till"
    PERSON = "person"
    ADDRESS = "address"
    FOREIGN = "foreign"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class ReadCode:
    """A code with its plain text; `shown_at` is when a device says that it showed it, None where it does not say."""

    kind: CodeKind
    text: str
    shown_at: datetime | None = None


def scanned(text: str) -> ReadCode:
    """What a camera read. Only the long form is a device's: ten figures in a QR are somebody else's number."""
    given = text.strip()
    plain = normalised(given)
    if _is_device_qr(plain):
        step = decode(plain[_STEP_AT])
        return ReadCode(CodeKind.DEVICE, plain, None if step is None else rotating_code.middle_of(step))
    return ReadCode(_other(given, plain), given)


def typed(text: str) -> ReadCode:
    """What a person typed: what a camera could have read, a device's short form, or a part of one."""
    found = scanned(text)
    if found.kind is not CodeKind.FOREIGN:
        return found
    plain = normalised(text.strip())
    if decode(plain) is None or not plain or len(plain) > max(TYPED_LENGTHS):
        return found
    kind = CodeKind.DEVICE if len(plain) in TYPED_LENGTHS else CodeKind.INCOMPLETE
    return ReadCode(kind, plain)


def as_typed(text: str) -> str:
    """A code for the eye while it is typed: capitals in groups; foreign characters stay, so that they are seen."""
    return grouped(normalised(text))


def _is_device_qr(plain: str) -> bool:
    form = plain.startswith(rotating_code.PREFIX) and len(plain) == rotating_code.QR_LENGTH
    return form and rotating_code.device_number(plain) is not None


def _other(given: str, plain: str) -> CodeKind:
    if given.upper().startswith(PASS_PREFIX):
        return CodeKind.PASS
    if given.lower().startswith(_ADDRESSES):
        return CodeKind.ADDRESS
    if len(plain) == PERSON_LENGTH and plain.startswith(PERSON_PREFIX) and decode(plain) is not None:
        return CodeKind.PERSON
    if len(plain) == TILL_LENGTH and decode(plain) is not None:
        return CodeKind.TILL
    return CodeKind.FOREIGN
