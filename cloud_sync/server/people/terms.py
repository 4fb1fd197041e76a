"""What people are told about their data: owns purposes, legal bases, what may be agreed to, and the text's version.

Days of storage stand in the table `retention_rules`; a purpose names its rows there. Sources: Personal Information
Protection Law (PIPL) art. 7, 13, 14, 17, 31, 44 to 50; the island's Measures art. 25, 28 and 34.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud_sync.server.sql import Reader

VERSION = "2026-11-21"


class Consent(StrEnum):
    """What a person agrees to. Without the terms there is no account; contact may be given and withdrawn."""

    TERMS = "terms"
    CONTACT = "contact"


NEEDED = frozenset({Consent.TERMS})


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why which data is kept: (Chinese, English) texts; `consent` is what it rests on, None where a law does."""

    code: str
    title: tuple[str, str]
    data: tuple[str, str]
    basis: tuple[str, str]
    kept: tuple[str, str]
    consent: Consent | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PurposeText:
    """A purpose in one language, with the days of storage that hold now by their rule."""

    purpose: str
    title: str
    data: str
    basis: str
    kept: str
    consent: Consent | None
    consent_needed: bool
    keep_days: dict[str, int]


@dataclass(frozen=True, slots=True)
class Terms:
    """The whole text in one language; `version` is what is agreed to."""

    version: str
    language: str
    purposes: tuple[PurposeText, ...]


PURPOSES = (
    Purpose(
        "account",
        ("账号", "Account"),
        ("用户名、姓名、角色、加密后的密码", "Sign-in name, name, role, hashed password"),
        ("你的同意（个保法第十三条第一项）", "Your consent (PIPL art. 13 (1))"),
        ("到账号注销为止", "Until the account is deleted"),
        Consent.TERMS,
    ),
    Purpose(
        "contact",
        ("联系你", "Reaching you"),
        ("手机号、电子邮箱", "Phone number, e-mail address"),
        ("你的单独选择，可随时撤回（第十五条）", "Your choice, withdrawn at any time (art. 15)"),
        ("撤回同意时立即删除", "Deleted as soon as you withdraw"),
        Consent.CONTACT,
    ),
    Purpose(
        "children",
        ("保护未满 14 周岁的人", "Protecting people under 14"),
        ("出生日期、监护人账号", "Birth day, the guardian's account"),
        ("监护人同意（第三十一条）", "A guardian's consent (art. 31)"),
        ("到账号注销为止", "Until the account is deleted"),
        Consent.TERMS,
    ),
    Purpose(
        "permits",
        ("通行许可", "Permits"),
        ("车牌、车辆、申请材料、到访记录", "Plates, vehicles, documents, visits"),
        ("管理办法第二十五条，法定职责（第十三条第三项）", "Measures art. 25, a duty by law (art. 13 (3))"),
        ("许可和账本作为凭证保存", "Permits and ledger are kept as evidence"),
        rules=("permit_media", "other_plate"),
    ),
    Purpose(
        "passages",
        ("闸口", "The gate"),
        ("经过时的照片和车牌", "Pictures and plates of passages"),
        ("管理办法第二十五条，公共安全（第二十六条）", "Measures art. 25, public safety (art. 26)"),
        ("按下列天数，到期删除或匿名", "By these days, then deleted or made anonymous"),
        rules=("passed_new_energy_media", "other_media", "passed_new_energy_plate", "other_plate"),
    ),
    Purpose(
        "points",
        ("碳积分和零碳券", "Carbon points and vouchers"),
        ("低碳行为、地点和时间、积分", "Low-carbon acts, places and times, points"),
        ("你的同意；管理办法第二十八条", "Your consent; Measures art. 28"),
        (
            "注销后只留编号和数字，账本不断",
            "After deletion only a bare id and figures stay, so that the ledger is whole",
        ),
        Consent.TERMS,
    ),
    Purpose(
        "security",
        ("账号安全", "Security of accounts"),
        ("登录尝试、操作记录", "Sign-in attempts, records of acts"),
        ("网络安全法第二十一条", "Cybersecurity Law art. 21"),
        ("操作记录注销后匿名", "Records of acts are made anonymous with the account"),
        rules=("sign_ins", "request_keys"),
    ),
)


async def shown(db: Reader, language: str, *, now: datetime) -> Terms:
    """The whole text in a language, with the days of storage that hold now."""
    rows = await db.fetch(
        "SELECT rule_id, keep_days FROM retention_rules"
        " WHERE valid_from <= $1 AND (valid_until IS NULL OR valid_until > $1) ORDER BY valid_from",
        now,
    )
    days = {row["rule_id"]: row["keep_days"] for row in rows}
    side = 0 if language.startswith("zh") else 1
    purposes = tuple(
        PurposeText(
            purpose=one.code,
            title=one.title[side],
            data=one.data[side],
            basis=one.basis[side],
            kept=one.kept[side],
            consent=one.consent,
            consent_needed=one.consent in NEEDED,
            keep_days={rule: days[rule] for rule in one.rules if rule in days},
        )
        for one in PURPOSES
    )
    return Terms(VERSION, "zh" if side == 0 else "en", purposes)
