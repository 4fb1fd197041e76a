"""A pass as shown at a gate: owns what it says once its signature holds, and every word for why it is not taken.

Its bytes and its signature are `cloud_sync.contract.pass_code`; whether it opens a gate is `control.gate.permit_check`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from control.domain.permits import Permit


class PassProblem(StrEnum):
    """Why a pass is not taken. The first five are told by its bytes alone."""

    MALFORMED = "malformed"
    VERSION_TOO_OLD = "version_too_old"
    VERSION_TOO_NEW = "version_too_new"
    WRONG_KEY = "wrong_key"
    FORGED = "forged"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    OTHER_PLATE = "other_plate"
    OTHER_GATE = "other_gate"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    USED_UP = "used_up"


PASS_PROBLEMS: dict[PassProblem, tuple[str, str]] = {
    PassProblem.MALFORMED: ("这不是通行码，或没有扫全", "This is no pass, or it was not read to its end"),
    PassProblem.VERSION_TOO_OLD: (
        "通行码版本太旧，请刷新后再出示",
        "The pass is of an old kind. Refresh it and show it again",
    ),
    PassProblem.VERSION_TOO_NEW: ("本门岗还不认识这种通行码", "This gate does not know this kind of pass yet"),
    PassProblem.WRONG_KEY: ("通行码由不认识的密钥签发", "The pass is signed by a key that this gate does not hold"),
    PassProblem.FORGED: ("通行码的签名不成立", "The signature of the pass does not hold"),
    PassProblem.REVOKED: ("许可已撤销", "The permit has been revoked"),
    PassProblem.WITHDRAWN: ("较新的许可数据里没有这张许可", "Newer permit data does not have this permit"),
    PassProblem.OTHER_PLATE: ("通行码属于另一块车牌", "The pass is for another plate"),
    PassProblem.OTHER_GATE: ("通行码不适用于这个门岗", "The pass is for another gate"),
    PassProblem.NOT_YET_VALID: ("通行码还没到生效时间", "The pass is not valid yet"),
    PassProblem.EXPIRED: ("通行码已过期", "The pass has expired"),
    PassProblem.USED_UP: ("通行码次数已用完", "The pass has no entries left"),
}


@dataclass(frozen=True, slots=True)
class PermitPass:
    """A permit as its pass states it. `issued_at` is the cloud's time (aware UTC), as is a snapshot's `taken_at`.

    The permit's `entries_left` is what was left when the pass was issued; holder and vehicle type are not in a pass.
    """

    permit: Permit
    issued_at: datetime
    key_id: bytes = b""
