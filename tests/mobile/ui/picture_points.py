"""What the pictures show of points: one visitor's fixed answers, as the cloud would give them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from mobile.core.api import points

# A Saturday morning on the island, 10:42 there.
NOW = datetime(2026, 11, 21, 2, 42, tzinfo=UTC)
SINCE = date(2026, 9, 1)
CODE_ID = "code-1"
EVENT_ID = "act-1"
REFUSED_ID = "act-4"
ENTRY_ID = "entry-1"
TRIP_ID = "trip-1"
TRIP_HELD_ID = "trip-3"

_SCENES = {
    "shuttle": ("接驳车", "Shuttle"),
    "shared_bike": ("共享单车", "Shared bike"),
    "reusable_cup": ("自带杯", "Reusable cup"),
    "recycling": ("回收", "Recycling"),
    "walking": ("步行", "Walking"),
    "waste_sorting": ("垃圾分类", "Waste sorting"),
}
_EVIDENCE = points.Sentence("device_scan", "扫描设备上的码", "The code of a device")
_PIER, _HALL, _CAFE = "码头 Pier", "会议中心 Conference centre", "椰林咖啡 Palm Café"


def scene(code: str) -> points.Sentence:
    return points.Sentence(code, *_SCENES[code])


def ago(**since: float) -> datetime:
    return NOW - timedelta(**since)


def formula(key: str, name: tuple[str, str], **figures: str) -> points.FormulaRecord:
    rows = tuple(points.FigureRecord(name, value) for name, value in figures.items())
    return points.FormulaRecord(key, 2, *name, rows, ("policy value",), (), (), SINCE)


_SHUTTLE = formula(
    "shuttle", ("接驳车代替私家车", "Shuttle in place of a car"), activity="2.6 pkm", baseline_g="104", project_g="30"
)
_BIKE = formula(
    "shared_bike", ("单车代替私家车", "Bike in place of a car"), activity="1.4 km", baseline_g="104", project_g="9"
)
_CUP = formula("reusable_cup", ("自带杯", "Reusable cup"), activity="1 act", grams="15")


def act(
    event_id: str,
    key: str,
    at: datetime,
    *,
    count: int,
    minutes: float = 0,
    way: tuple[str, str] = ("", ""),
    merchant: str = "",
    state: str = "granted",
    reasons: tuple[points.Sentence, ...] = (),
    by: points.FormulaRecord | None = None,
) -> points.EarningRecord:
    return points.EarningRecord(
        event_id=event_id,
        key=key,
        scene=scene(key),
        state=state,
        started_at=at - timedelta(minutes=minutes),
        ended_at=at,
        claimed_at=at,
        evidence=_EVIDENCE,
        start_place=way[0],
        end_place=way[1],
        merchant=merchant,
        points=count,
        grams=count,
        reasons=reasons,
        formula=by,
        release_at=NOW + timedelta(days=1) if state == "held" else None,
        decided_at=at,
        reversed_at=None,
    )


_OLD_CODE = points.Sentence("code_too_old", "码已过期。", "The code was too old.")
_TOO_FAST = points.Sentence("too_fast", "比接驳车快。", "Faster than a shuttle.")
SHUTTLE = act(EVENT_ID, "shuttle", ago(minutes=11), count=192, minutes=9, way=(_PIER, _HALL), by=_SHUTTLE)
CUP = act("act-2", "reusable_cup", ago(minutes=55), count=15, merchant=_CAFE, by=_CUP)
BIKE = act("act-3", "shared_bike", ago(minutes=90), count=133, minutes=12, way=(_PIER, _HALL), by=_BIKE)
REFUSED = act(REFUSED_ID, "recycling", ago(hours=1.8), count=0, state="refused", reasons=(_OLD_CODE,))
HELD = act(
    "act-5",
    "shuttle",
    ago(days=1, hours=2),
    count=192,
    minutes=3,
    way=(_HALL, _PIER),
    state="held",
    reasons=(_TOO_FAST,),
)
EVENTS = (SHUTTLE, CUP, BIKE, REFUSED, HELD)

_BADGES = (
    points.BadgeRecord("green_rider", 3, ago(days=20), ago(days=2)),
    points.BadgeRecord("cup_keeper", 1, ago(days=9), ago(days=9)),
)
ME = points.PointsOfMe(
    balance=8_640,
    available=8_640,
    debt=0,
    held_points=192,
    held_count=1,
    today_points=340,
    today_grams=340,
    total_grams=12_480,
    next_end_at=NOW + timedelta(days=40),
    next_end_points=560,
    equivalents=(
        points.EquivalentRecord(
            "petrol_km", "62.4", "km", "相当于燃油小客车行驶 62.4 公里", "As much as a petrol car emits over 62.4 km"
        ),
        points.EquivalentRecord(
            "grid_kwh", "29.1", "kWh", "相当于 29.1 度网电的排放", "As much as 29.1 kWh of grid electricity emits"
        ),
    ),
    badges=_BADGES,
    goal=points.GoalRecord(5_000, 3_400),
)
NOTHING = points.PointsOfMe(
    balance=0,
    available=0,
    debt=0,
    held_points=0,
    held_count=0,
    today_points=0,
    today_grams=0,
    total_grams=0,
    next_end_at=None,
    next_end_points=0,
    equivalents=(),
    badges=(),
    goal=None,
)


def _entry(
    seq: int, entry_id: str, kind: tuple[str, str, str], at: datetime, count: int, **more: object
) -> points.EntryRecord:
    given = {"reason": "", "about": None, "valid_until": None, "hash": "7d", "event": None} | more
    return points.EntryRecord(seq, entry_id, points.Sentence(*kind), at, count, **given)  # type: ignore[arg-type]


_EARN, _SPEND = ("earn", "赚得", "Earned"), ("redeem", "兑换", "Redeemed")
HISTORY = (
    _entry(9, ENTRY_ID, _EARN, SHUTTLE.ended_at, 192, event=SHUTTLE, valid_until=NOW + timedelta(days=730)),
    _entry(8, "entry-2", _EARN, CUP.ended_at, 15, event=CUP, valid_until=NOW + timedelta(days=730)),
    _entry(7, "entry-3", _EARN, BIKE.ended_at, 133, event=BIKE, valid_until=NOW + timedelta(days=730)),
    _entry(6, "entry-4", _SPEND, ago(days=1), -1_500, about=CODE_ID),
)


def _trip(trip_id: str, event: points.EarningRecord, metres: int) -> points.TripRecord:
    return points.TripRecord(
        trip_id=trip_id,
        scene=event.scene,
        start_place=event.start_place,
        end_place=event.end_place,
        metres=metres,
        started_at=event.started_at,
        ended_at=event.ended_at,
        state=event.state,
        points=event.points,
        grams=event.grams,
        event=event,
        ends_by=None,
    )


TRIPS = (
    _trip(TRIP_ID, SHUTTLE, 2_600),
    _trip("trip-2", BIKE, 1_400),
    _trip(TRIP_HELD_ID, HELD, 2_600),
)
RUNNING = points.TripRecord(
    trip_id=None,
    scene=scene("shuttle"),
    start_place=_PIER,
    end_place="",
    metres=None,
    started_at=ago(minutes=6),
    ended_at=None,
    state="running",
    points=0,
    grams=0,
    event=None,
    ends_by=NOW + timedelta(hours=2),
)


def _item(item_id: str, names: tuple[str, str], price: int, left: int, state: str = "offered") -> points.ItemRecord:
    return points.ItemRecord(
        item_id=item_id,
        name_zh=names[0],
        name_en=names[1],
        text_zh="在岛上任一家门店出示。",
        text_en="Shown in any of the island's shops.",
        price_points=price,
        stock=100,
        left=left,
        person_max=2,
        merchants=("m1",),
        merchant_names=(_CAFE,),
        valid_from=ago(days=30),
        valid_until=NOW + timedelta(days=60),
        state=state,
    )


CATALOGUE = (
    _item("coffee", ("海岛咖啡一杯", "A cup of island coffee"), 1_500, 42),
    _item("bike", ("单车一日票", "Bike day ticket"), 2_400, 18),
    _item("bottle", ("再生水壶", "Bottle from recycled plastic"), 12_000, 6),
    _item("concert", ("海滩音乐会", "Concert on the beach"), 6_000, 0, "sold_out"),
)
_RESERVED, _USED = points.Sentence("reserved", "可使用", "Can be used"), points.Sentence("used", "已使用", "Used")
REDEMPTIONS = (
    points.RedemptionRecord(
        CODE_ID,
        "coffee",
        "海岛咖啡一杯",
        "A cup of island coffee",
        1_500,
        _RESERVED,
        ago(days=1),
        NOW + timedelta(days=6),
        None,
        "",
    ),
    points.RedemptionRecord(
        "code-2", "bike", "单车一日票", "Bike day ticket", 2_400, _USED, ago(days=8), ago(days=1), ago(days=7), _CAFE
    ),
)
CODES = (
    points.CodeRecord(REDEMPTIONS[0], "7K3QF9TX2MHB", "7K3Q F9TX 2MHB"),
    points.CodeRecord(REDEMPTIONS[1], "PX4WZ8RC6NDA", "PX4W Z8RC 6NDA"),
)
PERSON_CODE = points.PersonCode("P4TQ7XKZ2", "P4T Q7X KZ2", NOW + timedelta(minutes=5))
APPEALS = (
    points.AppealRecord(
        "appeal-1", REFUSED, "机器的屏幕当时是暗的。 The screen was dark.", ago(hours=1), "open", 0, "", None
    ),
    points.AppealRecord(
        "appeal-2", CUP, "我带了自己的杯子。", ago(days=9), "granted", 15, "已补记。 Granted.", ago(days=8)
    ),
)
VOUCHERS = (
    points.VoucherCode(
        points.VoucherRecord(
            "v1",
            "scheme",
            "零碳通行券",
            "Zero-carbon voucher",
            10_000,
            6_500,
            ago(days=10),
            NOW + timedelta(days=80),
            "valid",
        ),
        "TX2MHB7K3QF9",
        "TX2M HB7K 3QF9",
    ),
)
_FIGURES = (points.FigureRecord("baseline_g", "104"), points.FigureRecord("project_g", "30"))


def _method(key: str, names: tuple[str, str], unit: str, formulas: tuple[str, str]) -> points.MethodRecord:
    return points.MethodRecord(
        methodology_id=f"{key}-2",
        key=key,
        version=2,
        name_zh=names[0],
        name_en=names[1],
        scene=scene(key),
        formula_zh=formulas[0],
        formula_en=formulas[1],
        unit=unit,
        figures=_FIGURES,
        sources=("policy value",),
        evidence=(_EVIDENCE,),
        cap_day_g=1_000,
        acts_day_max=10,
        claim_window_h=24,
        badge="green_rider",
        valid_from=SINCE,
        reason="",
    )


METHODS = (
    _method(
        "shuttle",
        ("接驳车代替私家车", "Shuttle in place of a car"),
        "pkm",
        ("减排量 =（104 − 30）g/人公里 × 里程", "reduction = (104 − 30) g/pkm × way"),
    ),
    _method(
        "shared_bike",
        ("单车代替私家车", "Bike in place of a car"),
        "km",
        ("减排量 =（104 − 9）g/公里 × 里程", "reduction = (104 − 9) g/km × way"),
    ),
    _method("reusable_cup", ("自带杯", "Reusable cup"), "act", ("减排量 = 每次 15 g", "reduction = 15 g each time")),
    _method(
        "recycling",
        ("铝罐回收", "Aluminium cans"),
        "kg",
        ("减排量 = 8140 g/kg × 重量", "reduction = 8140 g/kg × weight"),
    ),
)
PHONE_RULES = points.PhoneRules(
    code_age_s=120, phone_clock_s=86_400, trip_s=7_200, appeal_days=30, grams_per_point=1, cap_day_points=5_000
)
SCAN_RESULT = points.ScanResult(
    "scan-1", "granted", 814, 814, "recycling", "", "回收铝罐 0.1 kg。", "0.1 kg of aluminium recycled.", "act-6"
)
