"""What papers say to people: owns their fixed words, in Chinese and English. Papers keep their language for ever."""

from __future__ import annotations

from control.carbon.factor_keys import EVENT_UNIT, EventSource

Pair = tuple[str, str]

TITLES: dict[str, Pair] = {
    "visits": ("到访碳抵消对账单", "Offset statement of visits"),
    "neutralisation": ("碳中和证明", "Certificate of neutralisation"),
    "event": ("活动碳中和证明", "Certificate of a neutral event"),
    "month": ("碳排放月报", "Monthly inventory"),
    "year": ("碳排放年报", "Yearly inventory"),
}
SOURCES: dict[EventSource, Pair] = {
    EventSource.PLANE: ("飞机", "Plane"),
    EventSource.RAIL: ("铁路", "Rail"),
    EventSource.COACH: ("大巴", "Coach"),
    EventSource.CAR: ("燃油小汽车", "Fuel car"),
    EventSource.ELECTRIC_CAR: ("电动小汽车", "Electric car"),
    EventSource.SHIP: ("船", "Ship"),
    EventSource.ROOM: ("住宿", "Rooms"),
    EventSource.MEAL: ("餐食", "Meals"),
    EventSource.VEGETARIAN_MEAL: ("素食餐", "Vegetarian meals"),
    EventSource.ELECTRICITY: ("用电", "Electricity"),
}
EVENT_UNITS: dict[str, Pair] = {
    "pkm": ("人公里", "passenger-km"),
    "night": ("间夜", "nights"),
    "meal": ("份", "meals"),
    "kWh": ("kWh", "kWh"),
}
FEEDS: dict[str, Pair] = {
    "fuel": ("燃油车到访", "Visits of fuel vehicles"),
    "grid_import": ("电网用电", "Electricity from the grid"),
    "pv_used": ("自用光伏", "Solar power used"),
    "exported": ("上网电量", "Electricity exported"),
    "sinks": ("碳汇", "Sinks"),
}
LINES: dict[str, Pair] = {
    "fuel_g": ("燃油车到访", "Visits of fuel vehicles"),
    "grid_location_g": ("电网用电，按省级因子", "Grid electricity, provincial factor"),
    "grid_market_g": ("电网用电，扣除绿电", "Grid electricity, less certified green power"),
    "gross_location_g": ("总排放，按地区", "Gross, by place"),
    "gross_market_g": ("总排放，按合同", "Gross, by contract"),
    "sinks_g": ("碳汇", "Sinks"),
    "retired_g": ("注销的碳信用", "Credits retired"),
    "net_location_g": ("净排放，按地区", "Net, by place"),
    "net_market_g": ("净排放，按合同", "Net, by contract"),
    "grid_import_kwh": ("电网用电 (kWh)", "Electricity from the grid (kWh)"),
    "pv_used_kwh": ("自用光伏 (kWh)", "Solar power used (kWh)"),
    "exported_kwh": ("上网电量 (kWh)", "Electricity exported (kWh)"),
    "green_kwh": ("绿电 (kWh)", "Certified green power (kWh)"),
    "renewable_frac": ("可再生电力占比", "Renewable share of electricity"),
}
WORDS: dict[str, Pair] = {
    "missing": ("缺", "missing"),
    "total": ("合计", "Total"),
    "verify": ("扫码查验", "Scan to verify"),
    "page": ("第 %(page)s 页，共 %(pages)s 页", "Page %(page)s of %(pages)s"),
    "issued": ("签发", "Issued"),
    "owed": ("实际排放", "Emitted"),
    "covered": ("已抵消", "Offset"),
    "open": ("未抵消", "Open"),
    "visits": ("到访", "Visits"),
    "visit": ("到访", "Visit"),
    "plate": ("车牌", "Plate"),
    "in": ("进岛", "In"),
    "out": ("离岛", "Out"),
    "method": ("计算方法", "Method"),
    "holder": ("对账对象", "For"),
    "period": ("期间", "Period"),
    "applications": ("许可申请", "Applications"),
    "neutralised_at": ("中和日期", "Neutralised on"),
    "organiser": ("主办方", "Organiser"),
    "people": ("参加人数", "People"),
    "days": ("日期", "Days"),
    "uncertainty": ("不确定度", "Uncertainty"),
    "source": ("来源", "Source"),
    "amount": ("数量", "Amount"),
    "factor": ("因子", "Factor"),
    "value": ("取值", "Value"),
    "emission": ("排放 (kgCO₂e)", "Emission (kgCO₂e)"),
    "registry": ("登记簿", "Registry"),
    "serials": ("序列号", "Serials"),
    "vintage": ("年份", "Vintage"),
    "used": ("使用量 (kg)", "Used (kg)"),
    "retired_at": ("注销日", "Retired"),
    "by_visit": ("逐次到访", "Visit by visit"),
    "units": ("用于抵消的碳信用", "Credits that cover it"),
    "by_source": ("排放来源", "Emission by source"),
    "inventory": ("排放清单 (kgCO₂e)", "Inventory (kgCO₂e)"),
    "month": ("月份", "Month"),
    "completeness": ("数据完整度", "Completeness of the data"),
    "feed": ("数据", "Data"),
    "known": ("已知", "Known"),
    "net": ("净排放", "Net"),
    "known_net": ("已知部分的净排放", "Net of what is known"),
    "grid": ("电网用电", "Grid electricity"),
    "solar": ("自用光伏", "Solar power used"),
    "evidence": ("绿电凭证", "Evidence of green power"),
    "reference": ("凭证", "Reference"),
    "none_covers": ("还没有碳信用抵消", "No credit covers it yet"),
    "none_evidence": ("没有绿电凭证，不计绿电", "No evidence: nothing counts as green power"),
    "item": ("项目", "Item"),
    "no_figure": ("尚无数值", "no figure yet"),
}
NOTES: dict[str, Pair] = {
    "law": (
        "依据《琼海市博鳌近零碳示范区管理办法（试行）》第二十五条：燃油特种车辆的实际排放通过碳抵消等手段中和。",
        "管理办法 art. 25: what special fuel vehicles really emit is neutralised by offsets and other means.",
    ),
    "tonne": (
        "碳信用以整吨注销，按克使用；同一单位的同一克只用一次，余量留作下次抵消。",
        "Credits are retired in whole tonnes and used gram by gram; a gram is used once, what is left covers the next.",
    ),
    "missing": (
        "缺的数据写明“缺”，不当作零；有缺口的月份不给净排放。",
        "What is missing is called missing and is not zero; a month with a gap has no net.",
    ),
    "market": (
        "绿电只有凭合同或证书才按零计算，列在“按合同”一栏；上网电量不抵减排放。",
        "By contract, green power counts as zero where a contract or certificate proves it. Export lowers nothing.",
    ),
    "event": (
        "各项不确定度按相互独立合成。活动不在园区清单内，由主办方承担。",
        "Uncertainties are combined as independent ones. The event is not part of the zone's inventory.",
    ),
}


def source_name(source: str, at: int) -> str:
    """What an event's line is about, in the language at `at` (0 Chinese, 1 English)."""
    return SOURCES[EventSource(source)][at]


def source_unit(source: str, at: int) -> str:
    """What an event's line is counted in."""
    return EVENT_UNITS[EVENT_UNIT[EventSource(source)]][at]
