"""A pass as it was shown at a lane: owns verifying its text offline, and what is told of it.

The signature and the fields are `cloud_sync.contract.pass_code`'s; whether it opens is `control.gate.pass_admission`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud_sync.contract.pass_code import read_pass
from cloud_sync.contract.signed import PublicKey
from control.domain.passes import PassProblem, PermitPass
from control.gate.reasons import pass_code
from edge.facts import iso
from edge.ports import Clock, JsonObject


class PassSource(StrEnum):
    """What read the code."""

    CAMERA = "camera"
    SCANNER = "scanner"


@dataclass(frozen=True, slots=True)
class ShownPass:
    """One code as read: what its signature proves, or why it proves nothing. `code` tells two texts apart."""

    code: str
    said: PermitPass | PassProblem
    source: PassSource
    at: datetime
    at_s: float

    def outranks(self, other: ShownPass | None) -> bool:
        """Whether it takes the other's place: another text, unless that only says less than a genuine pass."""
        if other is None:
            return True
        says_less = isinstance(self.said, PassProblem) and isinstance(other.said, PermitPass)
        return self.code != other.code and not says_less


class PassVerifier:
    """Reads the text of a code with the keys that this gateway trusts; without a key every pass is of a wrong one."""

    def __init__(self, keys: Sequence[PublicKey], clock: Clock) -> None:
        self._keys, self._clock = tuple(keys), clock

    def read(self, text: str, source: PassSource) -> ShownPass:
        """Never raises, and takes well under a millisecond for any text."""
        code = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return ShownPass(code, read_pass(text, self._keys), source, self._clock.now(), self._clock.monotonic())


def pass_body(shown: ShownPass, problem: PassProblem | None) -> JsonObject:
    """As `PassageDecided.pass_shown`: what the pass states, and whether it holds here and now."""
    said = shown.said if isinstance(shown.said, PermitPass) else None
    return {
        "source": shown.source.value,
        "plate": "" if said is None else said.permit.plate,
        "permit_id": "" if said is None else said.permit.permit_id,
        "problem": "" if problem is None else problem.value,
        "issued_at": None if said is None else iso(said.issued_at),
        "valid_until": None if said is None else iso(said.permit.valid_until),
    }


def told_to_driver(shown: JsonObject | None) -> str | None:
    """The display's code for a pass that does not hold; None where there is nothing to say."""
    return pass_code(PassProblem(shown["problem"])) if shown is not None and shown["problem"] else None
