"""What the pictures show of accounts: the fixed visitor and driver, somebody new, their consents and rights."""

from __future__ import annotations

from datetime import date, timedelta

from picture_points import NOW, ago

from cloud_sync.server.people import terms as server_terms
from mobile.core.api import people, public
from mobile.core.api.calling import TokenPair

XIAOYU, CHEN, NEW = "xiaoyu", "chen", "new"
PASSWORD = "a fixed password of pictures"

_CONSENTS = (
    people.ConsentRecord("points", True, "2026-09-01", "zh", ago(days=60), False, False),
    people.ConsentRecord("contact", False, "2026-09-01", "zh", ago(days=60), False, False),
)


def _person(
    username: str, name: str, role: str, may: tuple[str, ...], *, wards: tuple[people.Relative, ...] = ()
) -> people.PersonalData:
    return people.PersonalData(
        user_id=f"00000000-0000-4000-8000-{len(username):012d}",
        username=username,
        name=name,
        role=role,
        org_id=None,
        org_name=None,
        phone="138 7600 1234",
        email=f"{username}@example.com",
        born_on=None,
        language="zh",
        created_at=ago(days=60),
        may=may,
        guardian=None,
        wards=wards,
        consents=_CONSENTS,
    )


PERSONS = {
    XIAOYU: _person(XIAOYU, "林小雨", "visitor", ("earn", "redeem"), wards=(people.Relative("ward-1", "林小海"),)),
    CHEN: _person(CHEN, "陈师傅", "driver", ("apply",)),
}


def person(username: str, role: str) -> people.PersonalData:
    """Somebody new has no name yet."""
    return PERSONS.get(username) or _person(NEW, "", role, ("earn", "redeem", "apply"))


def tokens(username: str) -> TokenPair:
    return TokenPair(f"access-{username}", f"refresh-{username}", 900, NOW + timedelta(days=30))


def terms(language: str) -> people.Terms:
    """The text that the cloud gives."""
    side = 0 if language == "zh" else 1
    purposes = tuple(
        people.PurposeText(
            purpose=one.code,
            title=one.title[side],
            data=one.data[side],
            basis=one.basis[side],
            kept=one.kept[side],
            consent=None if one.consent is None else one.consent.value,
            consent_needed=one.consent in server_terms.NEEDED,
            keep_days={},
        )
        for one in server_terms.PURPOSES
    )
    return people.Terms("2026-09-01", language, purposes)


LOOKS = (
    people.Look(3, ago(days=2), "export", "visitor", ""),
    people.Look(2, ago(days=6), "open", "reviewer", "申诉 appeal"),
)
REQUESTS = (
    people.DataRequest(
        "q1", "question", "我的出行数据保存多久？", "answered", ago(days=12), ago(days=2), "一年。", ago(days=11)
    ),
)
GUARDIAN_CODE = people.GuardianCode("M7QX4K2P", NOW + timedelta(minutes=15))
_DAY = date(2026, 9, 1)
RULES = public.PublicRules(
    day=NOW.date(),
    permits_version="2026-09-01",
    permits=(
        public.PublicRule(
            "apply_ahead.special.least",
            ("24",),
            "h",
            _DAY,
            "管理办法第十条",
            public.Said(
                "特种车辆提前申请",
                "Special vehicles ask ahead",
                "24 小时",
                "24 h",
                "管理办法第十条",
                "Measures art. 10",
            ),
        ),
    ),
    points_version="2026-09-01",
    points=(
        public.PublicRule(
            "cap.day",
            ("5000",),
            "points",
            _DAY,
            "policy value",
            public.Said("每日上限", "Most in a day", "5000 分", "5000 points", "岛上规定", "the island's own value"),
        ),
    ),
)
FACTORS = public.PublicMethods(
    day=NOW.date(),
    factors=(
        public.FactorRow(
            "grid.hainan",
            "0.4287",
            "kg/kWh",
            _DAY,
            "生态环境部",
            "2025-17",
            public.Said(
                "海南电网", "Grid of Hainan", "0.4287 kg/kWh", "0.4287 kg/kWh", "生态环境部", "Ministry of Ecology"
            ),
        ),
    ),
    points=(),
)
