"""What the parts of points share: owns the lock on a person, the secrets, the island's day, words, and refusals.

Locks are taken in one order: the person, then the item, scheme or voucher. One transaction locks one person.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import zxingcpp

from cloud_sync.server import rule_books
from cloud_sync.server.points.records import Sentence
from cloud_sync.server.problems import Problem
from cloud_sync.server.secret_files import made_secret
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from control.points import redemption
from control.points.crockford import grouped
from control.points.rules import PointRules

PERSON_LOCKS = 73_015
TEXT_CHARS_MAX = 500
DEVICES_KEY = Path("secrets", "points_devices.key")
REDEMPTIONS_KEY = Path("secrets", "points_redemptions.key")
GROUP = 4
_DARK = re.compile(rb"\x00+")

Word = TypeVar("Word", bound=StrEnum)


async def lock_person(connection: Any, person: str) -> None:
    """One change of a person's events and ledger at a time, until the transaction ends."""
    await connection.execute(f"SELECT pg_advisory_xact_lock({PERSON_LOCKS}, hashtext($1))", person)


# ---------------------------------------------------------------- words and refusals


def said(words: Mapping[Word, tuple[str, str]], code: Word) -> Sentence:
    """A word of the domain with its sentences."""
    chinese, english = words[code]
    return Sentence(code.value, chinese, english)


def refusal(words: Mapping[Word, tuple[str, str]], code: Word, **more: Any) -> Problem:
    """What the domain refuses, as a problem with the domain's own sentence."""
    chinese, english = words[code]
    return Problem("points_refused", reason=code.value, sentence_zh=chinese, sentence_en=english, **more)


def text_of(text: str, *, needed: bool = True) -> str:
    """What a person typed, without control characters. Raises Problem `reason_missing`."""
    plain = "".join(char for char in text.strip() if char >= " " or char == "\n")[:TEXT_CHARS_MAX]
    if needed and not plain:
        raise Problem("reason_missing")
    return plain


# ---------------------------------------------------------------- days and rules


def day_of(given: Services, at: datetime) -> date:
    """The island's day."""
    return at.astimezone(given.config.zone).date()


def midnight(given: Services, day: date) -> datetime:
    """The beginning of the island's day."""
    return datetime.combine(day, time(), given.config.zone)


async def rules_now(given: Services, db: Reader) -> PointRules:
    """The rules of today."""
    return (await rule_books.point_rules(db)).at(day_of(given, given.clock()))


# ---------------------------------------------------------------- secrets and codes


@cache
def _secret(path: Path) -> bytes:
    return made_secret(path).encode()


def device_master(given: Services) -> bytes:
    """The secret that device keys are derived from."""
    return _secret(given.config.server.data_dir / DEVICES_KEY)


@dataclass(frozen=True, slots=True)
class CodeBook:
    """One-time codes of one purpose. They are derived and never stored; their hash is, under another key."""

    purpose: str
    secret: bytes

    def code(self, subject_id: str) -> str:
        """The code of a redemption or voucher; the same each time."""
        message = f"island/{self.purpose}/code/v1/{subject_id}".encode()
        return redemption.one_time_code(hmac.digest(self.secret, message, "sha256")[: redemption.CODE_BYTES])

    def hashed(self, code: str) -> bytes:
        """What is stored of a code, and by which it is found."""
        return redemption.code_hash(code, hmac.digest(self.secret, f"island/{self.purpose}/hash/v1".encode(), "sha256"))


def code_book(given: Services, purpose: str) -> CodeBook:
    """The codes of `redemption`, `voucher` or `person`."""
    return CodeBook(purpose, _secret(given.config.server.data_dir / REDEMPTIONS_KEY))


def grouped_code(code: str) -> str:
    """For the eye."""
    return grouped(code, GROUP)


def qr_svg(text: str) -> str:
    """A QR with its quiet zone as SVG that takes the size of where it stands; a module is one unit."""
    modules = memoryview(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(scale=1))
    side, pixels = modules.shape[0], modules.tobytes()
    runs = (
        f"M{run.start()} {row}.5h{run.end() - run.start()}"
        for row in range(side)
        for run in _DARK.finditer(pixels[row * side : (row + 1) * side])
    )
    return f'<svg viewBox="0 0 {side} {side}"><path stroke="#000" d="{"".join(runs)}"/></svg>'


def remote_key(remote: str) -> bytes:
    """An address as it is kept for counting: not readable, the same each time."""
    return sha256(f"island/points/remote/{remote}".encode("utf-8", "surrogatepass")).digest()[:16]
