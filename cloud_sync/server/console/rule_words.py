"""Names of rules: owns how keys, fields and units of the rule books read in Chinese and English.

A key is a path of terms (`fuel.petrol.family`); each term has its words here. A term that nobody named is shown as it
is, so that a key of tomorrow is readable today.
"""

from __future__ import annotations

from cloud_sync.server.console import rules
from cloud_sync.server.console.labels import label
from cloud_sync.server.console.words import Words
from control.domain.permits import PermitClass
from control.domain.vehicles import VehicleType
from control.gate.rules import KEYS as GATE_KEYS
from control.gate.rules import NO_TYPES, TYPE_LISTS
from control.permits.rules import PAPERS, papers_key
from control.permits.words import PAPER_KINDS

Choices = tuple[tuple[str, str], ...]
_PAPER_LISTS = frozenset(papers_key(kind) for kind in PermitClass)
# term: (Chinese, English)
TERMS: dict[str, tuple[str, str]] = {
    "account": ("账号", "account"),
    "aluminium": ("铝", "aluminium"),
    "ambulance": ("救护车", "ambulance"),
    "appeal": ("申诉", "appeal"),
    "apply_ahead": ("提前申请", "applying ahead"),
    "approval": ("批准", "approval"),
    "approvals": ("批准人数", "approvals needed"),
    "ar5": ("AR5", "AR5"),
    "area": ("区域", "area"),
    "arrival": ("到达", "arrival"),
    "beach_cleaning": ("净滩", "beach cleaning"),
    "before_expiry": ("到期前", "before expiry"),
    "before_term": ("截止前", "before the deadline"),
    "bicycle": ("自行车", "bicycle"),
    "block": ("暂停受理", "blocking"),
    "bus_12m": ("12 米客车", "12 m bus"),
    "bytes_max": ("最大字节", "bytes at most"),
    "cap": ("上限", "cap"),
    "car": ("小客车", "car"),
    "ch4": ("CH₄", "CH₄"),
    "charging": ("充电", "charging"),
    "charging_loss": ("充电损耗", "charging loss"),
    "class": ("车型", "class"),
    "clock": ("时钟", "clock"),
    "cng": ("压缩天然气", "CNG"),
    "co2": ("CO₂", "CO₂"),
    "coach": ("大客车", "coach"),
    "code": ("动态码", "code"),
    "code_validity": ("兑换码有效期", "validity of a code"),
    "completion": ("补办期限", "time to complete"),
    "consistency": ("车型与号牌", "type and plate"),
    "consumption": ("能耗", "consumption"),
    "count_max": ("最多份数", "number at most"),
    "crane": ("吊车", "crane"),
    "crossing_least": ("最短穿行时间", "shortest crossing"),
    "data_request": ("个人信息请求", "data request"),
    "day": ("每日", "a day"),
    "day_bytes_max": ("每日最大字节", "bytes a day at most"),
    "declared": ("申报", "declared"),
    "diesel": ("柴油", "diesel"),
    "digital_ticket": ("电子票", "digital ticket"),
    "distance": ("距离", "distance"),
    "distance_least": ("最短距离", "least distance"),
    "document": ("材料", "document"),
    "drift": ("漂移", "drift"),
    "drift_max": ("最大漂移", "drift at most"),
    "driving": ("行驶", "driving"),
    "due": ("到期", "due"),
    "electric_car": ("电动车", "electric car"),
    "emergency": ("应急", "emergency"),
    "emission": ("排放", "emission"),
    "energy": ("能源类型", "kind of energy"),
    "engine_time": ("发动机时间", "engine time"),
    "entries": ("次数", "entries"),
    "entries_left": ("剩余次数", "entries left"),
    "ev": ("电动车", "EV"),
    "ev_driving": ("驾驶电动车", "driving an EV"),
    "event": ("活动", "event"),
    "events_per_h": ("每小时次数", "events an hour"),
    "evidence": ("证据", "evidence"),
    "evidence_max": ("最多证据", "evidence files at most"),
    "exchange": ("换算", "exchange"),
    "failed_person": ("每人失败次数", "failures of a person"),
    "failed_place": ("每处失败次数", "failures at a place"),
    "failed_window": ("失败计数时段", "window for failures"),
    "family": ("采用的指南", "guide in use"),
    "fire_engine": ("消防车", "fire engine"),
    "fuel": ("燃料", "fuel"),
    "gbt32151": ("GB/T 32151", "GB/T 32151"),
    "generator_truck": ("发电车", "generator truck"),
    "grams_per_point": ("每分克数", "grams a point"),
    "grid": ("电网", "grid"),
    "guardian_age": ("监护年龄", "guardian's age limit"),
    "gwp": ("增温潜势", "GWP"),
    "hainan": ("海南", "Hainan"),
    "heavy_truck": ("重型货车", "heavy truck"),
    "idle": ("怠速", "idling"),
    "jst303": ("JS/T 303", "JS/T 303"),
    "kind": ("号牌种类", "kind of plate"),
    "late_claims_day": ("每日迟报次数", "late claims a day"),
    "least": ("最少", "at least"),
    "light_truck": ("轻型货车", "light truck"),
    "light_van": ("轻型客车", "light van"),
    "limit": ("限值", "limit"),
    "list": ("名单", "lists"),
    "litres": ("油量", "litres"),
    "litres_least": ("最少油量", "litres at least"),
    "litres_per_100km": ("百公里油耗", "litres per 100 km"),
    "litres_per_100km_least": ("百公里油耗下限", "litres per 100 km at least"),
    "litres_per_h": ("每小时油耗", "litres an hour"),
    "lng": ("液化天然气", "LNG"),
    "longest": ("最长", "longest"),
    "lpg": ("液化石油气", "LPG"),
    "margin": ("余量", "margin"),
    "max": ("最多", "at most"),
    "meal": ("餐饮", "meal"),
    "measured": ("实测", "measured"),
    "medium_truck": ("中型货车", "medium truck"),
    "merchant": ("商户", "merchant"),
    "motorcycle": ("摩托车", "motorcycle"),
    "mounting": ("号牌安装", "mounting of the plate"),
    "n2o": ("N₂O", "N₂O"),
    "national": ("全国", "national"),
    "new_hold": ("新账号待审", "hold of new accounts"),
    "no_towel_change": ("不换毛巾", "no towel change"),
    "off_peak_charging": ("谷时充电", "off-peak charging"),
    "off_peak_from": ("谷时开始", "off-peak from"),
    "off_peak_until": ("谷时结束", "off-peak until"),
    "offset": ("抵消", "offset"),
    "online": ("在线", "online"),
    "open_max": ("最长未结", "open at most"),
    "overdue_offset": ("抵消逾期", "overdue offset"),
    "paper": ("纸", "paper"),
    "papers": ("所需材料", "papers needed"),
    "parked_car": ("燃油车停驶", "parked car"),
    "pass": ("通行码", "pass"),
    "per_litre": ("每升", "a litre"),
    "person_code": ("每人每码", "one code a person"),
    "pet": ("塑料瓶", "PET bottles"),
    "petrol": ("汽油", "petrol"),
    "petrol_car": ("汽油车", "petrol car"),
    "phone_clock": ("手机时钟", "phone's clock"),
    "pixels_max": ("最大像素", "pixels at most"),
    "plane": ("飞机", "plane"),
    "points": ("积分", "points"),
    "police_car": ("警车", "police car"),
    "presence": ("在岛判断", "presence"),
    "pto": ("作业", "machine work"),
    "rail": ("铁路", "rail"),
    "reading": ("号牌识读", "reading of plates"),
    "recycling": ("回收", "recycling"),
    "redemption": ("兑换", "redemption"),
    "remind": ("提醒", "reminder"),
    "reservation": ("预留", "reservation"),
    "resubmit": ("补正", "sending again"),
    "return_grace": ("退还宽限", "grace after a return"),
    "reusable_cup": ("自带杯", "reusable cup"),
    "review": ("审核", "review"),
    "review_term": ("审核期限", "time to review"),
    "room": ("住宿", "room"),
    "sar": ("SAR", "SAR"),
    "set": ("取值", "set in use"),
    "share_least": ("份额下限", "share at least"),
    "share_most": ("份额上限", "share at most"),
    "share_of_default": ("占缺省值", "share of the default"),
    "shared_bike": ("共享单车", "shared bike"),
    "ship": ("轮船", "ship"),
    "shuttle": ("摆渡车", "shuttle"),
    "shuttle_8m": ("8 米摆渡车", "8 m shuttle"),
    "side_least": ("最短边", "shortest side"),
    "sightseeing_cart": ("观光车", "sightseeing cart"),
    "small_car": ("小型车", "small car"),
    "snapshot": ("许可名单", "list of permits"),
    "southern": ("南方区域", "southern region"),
    "special": ("特种作业", "special work"),
    "speed": ("速度", "speed"),
    "standing": ("常驻", "standing"),
    "step_length": ("步长上限", "longest step"),
    "suv": ("SUV", "SUV"),
    "teleport_speed": ("瞬移速度", "impossible speed"),
    "term": ("期限", "time"),
    "tier": ("层级", "tier"),
    "tree_planting": ("植树", "tree planting"),
    "trip": ("行程", "trip"),
    "uncertainty": ("不确定度", "uncertainty"),
    "undo": ("撤销", "undo"),
    "unpacked_bytes_max": ("解压后最大字节", "unpacked bytes at most"),
    "validity": ("有效期", "validity"),
    "van": ("厢式车", "van"),
    "vegetarian_meal": ("素食", "vegetarian meal"),
    "vehicle": ("车辆识别", "vehicle's type"),
    "visit": ("到访", "visit"),
    "visit_distance": ("到访里程", "distance of a visit"),
    "visit_idle_time": ("到访怠速时间", "idling of a visit"),
    "visit_pto_time": ("到访作业时间", "machine work of a visit"),
    "walking": ("步行", "walking"),
    "waste_sorting": ("垃圾分类", "waste sorting"),
    "window": ("时间窗", "window"),
}
FIELDS: dict[str, tuple[str, str]] = {
    "value": ("数值", "Value"),
    "source": ("来源", "Source"),
    "clause": ("条款", "Clause"),
    "data_year": ("数据年份", "Year of the data"),
    "announcement": ("公告", "Announcement"),
    "name_zh": ("中文名", "Name in Chinese"),
    "name_en": ("英文名", "Name in English"),
    "baseline_g": ("基准（克）", "Baseline, g"),
    "baseline_source": ("基准来源", "Source of the baseline"),
    "project_g": ("实际（克）", "Instead of it, g"),
    "project_source": ("实际来源", "Source of that"),
    "grams": ("减排（克）", "Reduction, g"),
    "evidence": ("认可的证据", "Accepted evidence"),
    "activity_max": ("单次最多", "Most in one act"),
    "acts_day_max": ("每日次数上限", "Acts a day at most"),
    "speed_max_kmh": ("最高速度（km/h）", "Speed at most, km/h"),
    "duration_min_s": ("最短时长（秒）", "Duration at least, s"),
    "steps_day_max": ("每日步数上限", "Steps a day at most"),
    "cap_day_g": ("每日上限（克）", "Cap a day, g"),
    "claim_window_h": ("申报时限（小时）", "Time to claim, h"),
    "badge": ("徽章", "Badge"),
}
UNITS: dict[str, tuple[str, str]] = {
    "1": ("", ""),
    "B": ("字节", "bytes"),
    "act": ("次", "acts"),
    "choice": ("", ""),
    "d": ("天", "days"),
    "flag": ("", ""),
    "frac": ("", ""),
    "g/point": ("克/分", "g a point"),
    "h": ("小时", "h"),
    "km": ("公里", "km"),
    "min": ("分钟", "min"),
    "month": ("个月", "months"),
    "names": ("", ""),
    "night": ("晚", "nights"),
    "pkm": ("人公里", "pkm"),
    "point": ("分", "points"),
    "px": ("像素", "px"),
    "s": ("秒", "s"),
    "s/d": ("秒/天", "s a day"),
    "step": ("步", "steps"),
    "year": ("岁", "years"),
}
# The rules of retention that the product plants, by their id.
RETENTION: dict[str, tuple[str, str]] = {
    "passed_new_energy_media": ("放行的新能源车：图片", "Admitted new-energy vehicles: pictures"),
    "other_media": ("其他车辆：图片", "Other vehicles: pictures"),
    "permit_media": ("凭通行证放行：图片", "Admitted under a permit: pictures"),
    "passed_new_energy_plate": ("放行的新能源车：车牌", "Admitted new-energy vehicles: plates"),
    "other_plate": ("其他车辆：车牌", "Other vehicles: plates"),
    "sign_ins": ("登录尝试", "Sign-in attempts"),
    "request_keys": ("重复请求的标识", "Keys of repeated requests"),
    "permit_data": ("申请内容", "Contents of applications"),
    "permit_papers": ("申请材料", "Papers of applications"),
    "permit_drafts": ("未提交的申请", "Applications never handed in"),
    "loose_papers": ("无归属的材料", "Papers that belong to nothing"),
    "visit_plates": ("到访记录的车牌", "Plates of visits"),
    "papers": ("对账单和中和证明", "Statements and certificates of visits"),
    "removed_vehicles": ("已移除的车辆", "Removed vehicles"),
    "points_ways": ("积分行程的路线", "Ways of points trips"),
    "data_requests": ("个人信息请求", "Requests about personal data"),
    "live": ("实时消息", "Live messages"),
    "energy_seconds": ("微电网：秒级数据", "Microgrid: seconds"),
    "energy_minutes": ("微电网：分钟级数据", "Microgrid: minutes"),
    "energy_quarters": ("微电网：一刻钟数据", "Microgrid: quarter hours"),
    "energy_plans": ("微电网：计划", "Microgrid: plans"),
}
FLAGS = {"true": ("是", "yes"), "false": ("否", "no"), NO_TYPES: ("无", "none")}


def _side(words: Words) -> int:
    return 0 if words.language == "zh" else 1


def rule_name(words: Words, key: str) -> str:
    """A key in words, from the general to the special; those of the gate have names of their own."""
    return rules.key_name(words, key) if key in GATE_KEYS else _terms(words, key)


def _terms(words: Words, key: str) -> str:
    side = _side(words)
    text = (" · " if side == 0 else ", ").join(TERMS[one][side] if one in TERMS else one for one in key.split("."))
    return text if side == 0 else text[:1].upper() + text[1:]


def rule_group(words: Words, key: str) -> str:
    """What the rows of a book are gathered by."""
    return _terms(words, key.split(".")[0])


def rule_field(words: Words, name: str) -> str:
    """A field of a row."""
    return FIELDS[name][_side(words)] if name in FIELDS else name


def retention_name(words: Words, rule_id: str) -> str:
    """A rule of retention; one that nobody named is shown as it is."""
    return RETENTION[rule_id][_side(words)] if rule_id in RETENTION else rule_id


def rule_unit(words: Words, unit: str) -> str:
    """A unit; those of physics are the same everywhere."""
    return UNITS[unit][_side(words)] if unit in UNITS else unit


def rule_value(words: Words, value: str) -> str:
    """A value; true, false, what a gate does, vehicle types and papers in words."""
    if value in FLAGS:
        return FLAGS[value][_side(words)]
    names = dict(_types(words) + _papers(words))
    parts = [one.strip() for one in value.split(",")]
    if all(one in names for one in parts):
        return ("、" if words.language == "zh" else ", ").join(names[one] for one in parts)
    return rules.treatment_name(words, value)


def list_choices(words: Words, key: str) -> Choices:
    """What a key whose value is a list may list, by code and name; empty for every other key."""
    if key in TYPE_LISTS:
        return _types(words)
    return _papers(words) if key in _PAPER_LISTS else ()


def empty_list(key: str) -> str:
    """How the book writes that a list has nothing."""
    return NO_TYPES if key in TYPE_LISTS else ""


def _types(words: Words) -> Choices:
    return tuple(
        (one.value, label(words, "vehicle", one.value)) for one in VehicleType if one is not VehicleType.UNKNOWN
    )


def _papers(words: Words) -> Choices:
    return tuple((one, PAPER_KINDS[one][_side(words)]) for one in PAPERS)
