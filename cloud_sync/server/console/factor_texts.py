"""The Chinese of what ships with the emission factors: owns the reasons and sources of their rows.

Reasons that are a computation alone read the same everywhere and stand here unchanged.
"""

from __future__ import annotations

_IPCC = "IPCC 2006 vol. 2 table 3.2.2 ({figure} kg/TJ); general knowledge, unverified: policy value until checked"
_IPCC_ZH = "IPCC 2006 第 2 卷表 3.2.2（{figure} kg/TJ）；一般知识，未核实：核实前为政策取值"
_SECONDARY, _SECONDARY_ZH = ", as quoted by secondary sources", "，据二手资料"
COMPUTED = (
    "0.2 kg/TJ x 50.179 MJ/kg (50.179 GJ/t).",
    "2.925 kg/kg (43.070 GJ/t, 0.0189 tC/GJ) x 0.745 kg/L.",
    "3 kg/TJ x 38.931 MJ/m3 (389.31 GJ per 10000 m3).",
    "3 kg/TJ x 51.498 MJ/kg (51.498 GJ/t).",
    "3.096 kg/kg (42.652 GJ/t, 0.0202 tC/GJ) x 0.84 kg/L.",
    "3.9 kg/TJ x 35.828 MJ/L (42.652 GJ/t x 0.84 kg/L).",
    "50.179 GJ/t, 0.0172 tC/GJ.",
    "62 kg/TJ x 50.179 MJ/kg (50.179 GJ/t).",
    "92 kg/TJ x 38.931 MJ/m3 (389.31 GJ per 10000 m3).",
    "92 kg/TJ x 51.498 MJ/kg (51.498 GJ/t).",
)
CHINESE: dict[str, str] = {
    **{text: text for text in COMPUTED},
    "3.8 kg/TJ x 32.087 MJ/L (43.070 GJ/t x 0.745 kg/L). Light duty of low mileage.": (
        "3.8 kg/TJ x 32.087 MJ/L (43.070 GJ/t x 0.745 kg/L)。低里程轻型车。"
    ),
    "389.31 GJ per 10000 m3, 0.0153 tC/GJ, oxidation 99 %.": "389.31 GJ/万 m3，0.0153 tC/GJ，氧化率 99 %。",
    "5.7 kg/TJ x 32.087 MJ/L (43.070 GJ/t x 0.745 kg/L). Light duty of low mileage.": (
        "5.7 kg/TJ x 32.087 MJ/L (43.070 GJ/t x 0.745 kg/L)。低里程轻型车。"
    ),
    "A class stands for its vehicle, a standard visit for the real one.": "以车型代表车辆，以标准到访代表实际到访。",
    "A class stands for its vehicle.": "以车型代表车辆。",
    "A litre is what a driver declares.": "升数由司机申报。",
    "A litre is what a driver declares; the more cautious value of the two families.": (
        "升数由司机申报；取两套指南中较保守的值。"
    ),
    "A longer job at a work site is declared by the fuel used.": "更长的现场作业按所用燃料申报。",
    "A standard visit, where nothing is known of the real one.": "对实际到访一无所知时，按标准到访计。",
    "As much as holds the energy of a litre of diesel (35.828 MJ).": "与一升柴油的能量相当的量（35.828 MJ）。",
    "As the bus of DB11/T 3043-2024, quoted by one secondary source.": "取 DB11/T 3043-2024 的公交车，据一份二手资料。",
    "As the car changed from oil to electricity of DB11/T 3043-2024, quoted by one secondary source.": (
        "取 DB11/T 3043-2024 的油改电小客车，据一份二手资料。"
    ),
    "As the fuel car of DB11/T 3043-2024, quoted by one secondary source; the more cautious of what was found.": (
        "取 DB11/T 3043-2024 的燃油小客车，据一份二手资料；是所见数值中较保守的。"
    ),
    "As the metro's figure of DB11/T 3043-2024, quoted by one secondary source;"
    " a fast train's own figure was not found.": (
        "取 DB11/T 3043-2024 的地铁值，据一份二手资料；没有找到动车自己的数值。"
    ),
    "Assumed like the other heavy chassis.": "按其他重型底盘假定。",
    "Assumed.": "假定值。",
    "Between the socket and the battery.": "插座与电池之间。",
    "Counted by a meter, a ticket list or a till.": "由电表、票单或收银计数。",
    "Evidence below this share of what the class would need for the distance is not believed.": (
        "低于该车型行驶此里程所需油量的这一比例，不予采信。"
    ),
    "Far more than the island's roads.": "远多于岛上的道路。",
    "From the gate to the first turning.": "从闸口到第一个路口。",
    "Fuel receipts and odometer pictures are at hand for about two weeks; the office may add later.": (
        "加油票据和里程表照片约两周内还在手边；管理方之后仍可补充。"
    ),
    "Full oxidation.": "完全氧化。",
    "General knowledge, unverified.": "一般知识，未核实。",
    "General knowledge, unverified: 1 kg below a meal with meat.": "一般知识，未核实：比含肉餐少 1 kg。",
    "General knowledge, unverified: a hotel room with cooling in the tropics, off the island.": (
        "一般知识，未核实：热带地区带空调的岛外酒店客房。"
    ),
    "General knowledge, unverified: a meal with meat.": "一般知识，未核实：含肉的一餐。",
    "General knowledge, unverified: a passenger ferry.": "一般知识，未核实：客运渡轮。",
    "General knowledge, unverified: economy class on a medium flight, without the effect of height.": (
        "一般知识，未核实：中程航班经济舱，不含高空效应。"
    ),
    "General knowledge, unverified; GB 36980.1-2025 allows a car of 2 t 15.1.": (
        "一般知识，未核实；GB 36980.1-2025 对 2 t 小客车的限值为 15.1。"
    ),
    "General knowledge, unverified; a generator burns more by its power.": "一般知识，未核实；发电机功率越大耗油越多。",
    "General knowledge, unverified; replace by measured visits.": "一般知识，未核实；以实测到访替换。",
    "General knowledge: 90 to 100; the higher one.": "一般知识：90 至 100，取高值。",
    "Global warming potential of methane.": "甲烷的全球增温潜势。",
    "Global warming potential of nitrous oxide.": "氧化亚氮的全球增温潜势。",
    "Mean speed of a visit; the island's limit is far below.": "到访的平均速度；岛上限速低得多。",
    "More than a truck's tank in one visit is a slip of the pen.": "一次到访超过一箱货车油，是笔误。",
    "Natural gas at standard conditions.": "标准状态下的天然气。",
    "Newest announcement of its time, data of 2021. Announced in April 2024; the day was not found.": (
        "当时最新的公告，2021 年数据。2024 年 4 月发布，未查到日期。"
    ),
    "Newest announcement of its time, data of 2022.": "当时最新的公告，2022 年数据。",
    "Newest announcement of its time, data of 2023.": "当时最新的公告，2023 年数据。",
    "No engine on the road uses less.": "没有上路的发动机更省。",
    "No vehicle that visits burns more for long.": "没有来访车辆会长时间烧得更多。",
    "Nothing on the road uses more.": "没有上路的车更费。",
    "Receipts, tank sensors and the factor's own error.": "票据、油箱传感器和因子自身的误差。",
    "Sources disagree (2.83 with the carbon content of gas, 3.18 with 0.0172 tC/GJ); the higher one stands until the"
    " original table is checked.": ("来源不一（按燃气含碳量为 2.83，按 0.0172 tC/GJ 为 3.18）；核对原表前取高值。"),
    "Starting an engine burns more.": "起动发动机耗油更多。",
    "The newest Chinese guide; its day in force was not found, so the year in its name is taken.": (
        "最新的国内指南；未查到施行日期，取名称中的年份。"
    ),
    "The provincial factor is the nearest one to the island.": "省级因子最接近本岛。",
    "The set of the national inventory's newer guides; stated with every figure.": (
        "国家清单较新指南采用的取值；每个数字都注明。"
    ),
    "The table of JS/T 303-2026 as found has no value for LNG.": "所见的 JS/T 303-2026 表中没有 LNG 的数值。",
    "Type approval against the road.": "型式认证与实际道路之差。",
    "Until 2025 the enterprise guides were the factors in use.": "2025 年前采用企业指南的因子。",
    "What most of them burn.": "其中大多数所用的燃料。",
    "What the organiser declares without a list.": "主办方无清单的申报。",
    "Where nothing was measured the figure is raised, so that it pays to measure.": (
        "没有实测的，数值上调，使实测更合算。"
    ),
    "管理办法 art. 25 names no time.": "管理办法第二十五条没有规定时间。",
    "DB11/T 3043-2024, as quoted by one secondary source; policy value until checked": (
        "DB11/T 3043-2024，据一份二手资料；核实前为政策取值"
    ),
    "GB/T 32151 enterprise guides: net calorific value x carbon content x oxidation 98 % x 44/12" + _SECONDARY: (
        "GB/T 32151 企业指南：低位发热量 x 含碳量 x 氧化率 98 % x 44/12" + _SECONDARY_ZH
    ),
    **{_IPCC.format(figure=one): _IPCC_ZH.format(figure=one) for one in ("0.2", "3", "3.8", "3.9", "5.7", "62", "92")},
    "IPCC AR5 (2013), 100 years": "IPCC AR5（2013），100 年",
    "IPCC SAR (1995), 100 years, as in the NDRC guide for land transport": (
        "IPCC SAR（1995），100 年，同发改委陆上交通指南"
    ),
    "JS/T 303-2026 公共机构碳排放核算指南, table A.1" + _SECONDARY: (
        "JS/T 303-2026 公共机构碳排放核算指南，表 A.1" + _SECONDARY_ZH
    ),
    "policy value, computed from the calorific values of GB/T 32151": "政策取值，按 GB/T 32151 的发热量计算",
    "大型活动碳中和实施指南（试行）, MEE 2019 no. 19: credits at the latest one year after; policy value for visits": (
        "大型活动碳中和实施指南（试行），生态环境部公告 2019 年第 19 号：抵消不晚于一年；到访为政策取值"
    ),
    "生态环境部公告2024年第12号" + _SECONDARY: "生态环境部公告2024年第12号" + _SECONDARY_ZH,
    "生态环境部公告2024年第12号" + _SECONDARY + "; unverified": "生态环境部公告2024年第12号"
    + _SECONDARY_ZH
    + "；未核实",
    "生态环境部公告2024年第33号" + _SECONDARY: "生态环境部公告2024年第33号" + _SECONDARY_ZH,
    "生态环境部公告2025年第47号" + _SECONDARY: "生态环境部公告2025年第47号" + _SECONDARY_ZH,
}
