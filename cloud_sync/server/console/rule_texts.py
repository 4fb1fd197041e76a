"""The Chinese of what ships with the rule books: owns the reasons and sources of permits, points, methods and gate.

The rows themselves keep one text, so that nothing stored changes; English is what stands there and the key here.
Whatever the office writes stays as written. The factors' texts are in `factor_texts`.
"""

from __future__ import annotations

from cloud_sync.server.console import factor_texts
from cloud_sync.server.console.words import Words

CHINESE: dict[str, str] = {
    # common
    "policy value": "政策取值",
    "project policy value": "项目政策取值",
    "delivered with the product": "随产品提供",
    # permits: reasons
    "A PDF whose object streams unpack to more is not read to its end and is refused.": (
        "PDF 的对象流解压后超过此值的，不读完，直接拒收。"
    ),
    "A declared consumption above this multiple of the class default is asked about.": (
        "申报油耗高于该车型默认值的这一倍数时，要求说明。"
    ),
    "A declared consumption below this part of the class default is asked about.": (
        "申报油耗低于该车型默认值的这一比例时，要求说明。"
    ),
    "A photograph of a telephone has 3 to 8 MB.": "手机照片一般为 3 至 8 MB。",
    "A picture that unpacks to more could exhaust the reader's memory.": "图片解开后更大，可能耗尽识读程序的内存。",
    "A reminder goes out this long before a permit's window ends.": "许可时段结束前提前这么久提醒。",
    "A reminder goes out this long before a term ends.": "期限结束前提前这么久提醒。",
    "A reminder goes out when a counted permit has no more entries left than this.": (
        "计次许可的剩余次数不超过此值时提醒。"
    ),
    "A returned application that is not sent again within this time expires.": (
        "退回后超过此时间没有重新提交的申请失效。"
    ),
    "A standing permit is asked for again every year.": "常驻许可每年重新申请。",
    "A visit without an exit for longer is closed with its exit unknown and a tier-4 estimate.": (
        "超过此时间没有出场记录的到访，按出场不明结束，排放按第 4 级估算。"
    ),
    "An emergency does not wait.": "紧急情况不能等。",
    "An emergency vehicle goes in first; its papers follow within this time (道路交通安全法 art. 53).": (
        "应急车辆先进场，手续在此时间内补齐（道路交通安全法第五十三条）。"
    ),
    "Files that may come with an appeal.": "申诉可附的文件数。",
    "How long a refusal or revocation can be appealed.": "对不予许可或撤销可以申诉的时间。",
    "No vehicle goes from one gate to another in less; two entries closer than this are two vehicles.": (
        "没有车能更快地从一个入口到另一个入口；间隔更短的两次进场是两辆车。"
    ),
    "No window begins later than this after the application.": "时段的开始不得晚于申请后这么久。",
    "Nothing can be read in a smaller picture.": "再小的图片读不出内容。",
    "One emergency does not last longer.": "一次紧急情况不会更久。",
    "One person of the office approves.": "由管理方一人批准。",
    "Papers of one application.": "一份申请的材料数。",
    "The longest window of a special permit.": "特种作业许可的最长时段。",
    "The most entries that a counted permit may have.": "计次许可的最多次数。",
    "The office answers a request about personal data within this time.": "管理方在此时间内答复个人信息请求。",
    "The office answers an appeal within this time.": "管理方在此时间内答复申诉。",
    "The office answers an application within this time after it was submitted.": "管理方在提交后此时间内答复申请。",
    "The papers that complete an emergency entry.": "应急进场后补齐的材料。",
    "Time for the review before the window begins.": "时段开始前留给审核的时间。",
    "Time for two approvals before the window begins.": "时段开始前留给两人批准的时间。",
    "Two people approve what is let in first.": "先放行的，由两人批准。",
    "Two people approve what stands for long.": "长期有效的，由两人批准。",
    "What an application cannot do without.": "申请必备的材料。",
    "What one person may hand in within a day: ten papers of the largest size.": (
        "一人一天可提交的总量：十份最大尺寸的材料。"
    ),
    "Who approved can take it back within this time, before the permit goes out to the gates.": (
        "批准人可在此时间内撤销，之后许可下发到闸口。"
    ),
    "Who has not neutralised a past visit in time gets no new permit. Emergency entries are never blocked.": (
        "以往到访逾期未抵消的，暂不发新许可；应急进场从不受限。"
    ),
    # permits: sources
    "App违法违规收集使用个人信息行为认定方法 (2019) art. 6: 15 working days at most; 个人信息保护法 art. 50": (
        "App违法违规收集使用个人信息行为认定方法（2019）第六条：不超过 15 个工作日；个人信息保护法第五十条"
    ),
    "Beijing 进京证: 7 days a permit": "北京进京证：每证 7 天",
    "Beijing 进京证: 行驶证": "北京进京证：行驶证",
    "Beijing 进京证: 行驶证, photo of the vehicle": "北京进京证：行驶证、车辆照片",
    "Oxford ZEZ: 28 days to challenge a charge": "牛津零排放区：28 天内可对收费提出异议",
    "Oxford ZEZ: up to three evidence files": "牛津零排放区：最多三份证据文件",
    "琼海市博鳌近零碳示范区管理办法（试行） art. 25": "琼海市博鳌近零碳示范区管理办法（试行）第二十五条",
    # points: reasons
    "A device that is a quarter of an hour off needs its clock set.": "时钟偏差一刻钟的设备需要校时。",
    "A minute either way covers reading and sending.": "前后各一分钟，足够扫码和发送。",
    "A person mistypes a few times; ten wrong codes in the window are guessing.": (
        "人会输错几次；时段内十个错码就是在猜。"
    ),
    "A phone without a network is usual, a whole day of late claims is not.": "手机没有网络是常事，整天都迟报则不是。",
    "A quartz clock of 100 parts in a million is 8.6 s off after a day.": "百万分之一百的石英钟一天差 8.6 秒。",
    "A scan that arrives within a minute shows the device's clock against the cloud's.": (
        "一分钟内到达的扫码，可用来比对设备和云端的时钟。"
    ),
    "A typed code has thirty bits; ten tries a quarter of an hour find one in centuries.": (
        "手输码有三十位二进制；每刻钟试十次，几百年才能猜中一个。"
    ),
    "A way on foot that needs longer steps than these was not walked.": "步子要比这更长才走得完的路，不是走的。",
    "About twice what a daily commuter earns in the published programs.": "约为公开项目中每日通勤者所得的两倍。",
    "Accounts made for one afternoon are seen before they spend.": "只为一个下午开的账号，先看过再用。",
    "As long as most visitors need to come back.": "大多数游客再来一次所需的时间。",
    "As long as the appeal against a refused permit.": "与许可不予批准的申诉期相同。",
    "Begins with the valley hours of the delivered tariff.": "从随附电价的谷时起。",
    "Ends with the valley hours of the delivered tariff.": "到随附电价的谷时止。",
    "Long enough to be served, too short to be passed on.": "够完成服务，来不及转给别人。",
    "Many phones share the address of one network on the island.": "岛上许多手机共用一个网络地址。",
    "More than one act in five minutes is looked at by a person.": "平均五分钟超过一次的，由人看一看。",
    "No ride on the island takes three hours; after that the end code was forgotten.": (
        "岛上没有要坐三小时的车；超过了就是忘了扫终点码。"
    ),
    "Nobody moves faster between two boards of the island.": "没有人能在岛上两块码牌之间更快地移动。",
    "One gram is one point: exact, and nothing to dispute about rounding.": "一克即一分：精确，没有取整之争。",
    "Phones without a network are a minute or two off.": "没有网络的手机会差一两分钟。",
    "Points that come back from a redemption can still be used for a month.": "兑换退回的积分还可再用一个月。",
    "Shenzhen's rules allow ten years at most; two years keep what is owed small.": (
        "深圳的规定最长十年；两年可使未兑付的积分不致过多。"
    ),
    "Shuttles and bikes of the island stay below this between boards.": "岛上摆渡车和单车在码牌之间不超过此速度。",
    "Stock is not blocked by a basket that somebody forgot.": "库存不因有人忘了结算而被占住。",
    "Two boards are never less than a minute apart.": "两块码牌之间至少要一分钟。",
    "Under fourteen a guardian has to agree.": "未满十四周岁须监护人同意。",
    # points: sources
    "Programs of Wuhan and Hubei, as reported in the press": "武汉和湖北的项目，据报道",
    "个人信息保护法 art. 31": "个人信息保护法第三十一条",
    # methods: reasons
    "A shared bike instead of an average motorised passenger-kilometre.": "以共享单车替代平均机动化人公里。",
    "A shared shuttle instead of an average motorised passenger-kilometre.": "以摆渡车替代平均机动化人公里。",
    "A tree binds carbon over years; the badge is the reward, the points are thanks.": (
        "树木要多年才固碳；徽章是奖励，积分是谢意。"
    ),
    "As large public programs credit an electronic receipt, five a day at most.": (
        "与大型公众项目对电子凭证的取值相同，每天最多五次。"
    ),
    "Few walks replace a drive, so the day is capped at what a large public program credits for steps, 296 g.": (
        "步行很少替代开车，故每日上限取大型公众项目步行的 296 g。"
    ),
    "No factor by hour is published; the value rewards charging in the hours that the office names.": (
        "没有公布分时因子；取值用于鼓励在管理方指定的时段充电。"
    ),
    "No reduction of its own is claimed; the badge is the reward, the points are thanks.": (
        "不主张自身减排量；徽章是奖励，积分是谢意。"
    ),
    "No source for one drop at a sorting point.": "单次投放没有来源。",
    "One day without the fuel car; no source for the island's distances.": "一天不开燃油车；岛上里程没有来源。",
    "Proposals lie between 10 and 20 g a cup; none has a source.": "各种提法在每杯 10 至 20 g，都没有来源。",
    "The cautious end of proposals from 150 to 250 g a night; none has a source.": (
        "各种提法在每晚 150 至 250 g，取保守值；都没有来源。"
    ),
    "The cautious end of proposals from 800 to 1,200 g a meal; none has a source.": (
        "各种提法在每餐 800 至 1,200 g，取保守值；都没有来源。"
    ),
    "The cautious one of the published program values; the day is capped at that program's 24 km.": (
        "取已公布项目值中保守的一个；每日上限取该项目的 24 km。"
    ),
    "The machine weighs; its code carries the weight.": "机器称重，码里带着重量。",
    # methods: sources
    "DB11/T 3043-2024, as quoted by one secondary source; unverified": "DB11/T 3043-2024，据一份二手资料；未核实",
    "DEFRA 2025 and CAS/WWF figures, as quoted by one secondary source; unverified": (
        "DEFRA 2025 和中科院/WWF 的数值，据一份二手资料；未核实"
    ),
    "Wuhan program 2023, as reported in the press": "武汉 2023 年项目，据报道",
    # gate: reasons
    "A blue plate is for cars and light vehicles; light trucks wear it too, so a person looks.": (
        "蓝牌用于小型和轻型车；轻型货车也挂蓝牌，故由人查看。"
    ),
    "A coach plate does not prove the drive: a permit or the register must.": (
        "教练车牌不能证明能源类型，要靠许可或登记。"
    ),
    "A corrected vehicle teaches the gateway for a year of seasons and light; its plates are painted over before.": (
        "更正过的车辆供网关学习一年，覆盖四季光线；车牌先涂掉。"
    ),
    "A dirty plate that does not speak against a signed pass: the visit is recorded under the permit, with pictures.": (
        "车牌脏污但与签发的通行码不矛盾：按许可记录到访并留图。"
    ),
    "A farm plate is for tractors and farm machinery.": "农用号牌用于拖拉机和农机。",
    "A gateway sees its own gates only: after this time the vehicle may have left by another one and be back.": (
        "网关只看得到自己的闸口；超过此时间，车可能已从别处离开又回来。"
    ),
    "A large new-energy plate is for vehicles of 6 m or 4.5 t and more, or more than 9 seats.": (
        "大型新能源号牌用于 6 m 或 4.5 t 及以上，或 9 座以上的车。"
    ),
    "A listed plate is never let in by the gate itself.": "名单上的车牌，闸口不会自行放行。",
    "A plate on paper or a screen says nothing about the vehicle: a person looks.": (
        "纸上或屏幕上的车牌说明不了车辆：由人查看。"
    ),
    "A plate this many plate widths outside a vehicle's box still belongs to it: boxes are not exact.": (
        "车牌在车框外这么多个牌宽以内仍算这辆车：车框并不精确。"
    ),
    "A refusal on older permits could turn away a vehicle that has one by now.": (
        "按更旧的许可名单拒绝，可能挡住现已获许可的车。"
    ),
    "A small new-energy plate is for cars and light vehicles.": "小型新能源号牌用于小型和轻型车。",
    "A small-car plate on a truck is evidence for a person, not a refusal.": (
        "货车挂小型车牌是请人查看的依据，不是拒绝。"
    ),
    "A trailer has no engine: the tractor unit's plate counts.": "挂车没有发动机：以牵引车车牌为准。",
    "A trailer's plate belongs behind a tractor unit.": "挂车车牌应在牵引车后面。",
    "A yellow plate is for vehicles of 6 m or 4.5 t and more, or more than 9 seats.": (
        "黄牌用于 6 m 或 4.5 t 及以上，或 9 座以上的车。"
    ),
    "Airport plates are not for public roads.": "民航号牌不能上公共道路。",
    "Airport vehicles are of every type.": "机场车辆各种车型都有。",
    "An opening rests on the whole plate; below this a person looks.": "抬杆依据整个车牌；低于此值由人查看。",
    "Below this the vehicle's type is not used at all.": "低于此值完全不用车型。",
    "Characters of a plate that is mostly dirt look sure and are wrong: below this they say nothing against a pass.": (
        "大半脏污的车牌，字符看着肯定却是错的：低于此值不作为与通行码矛盾的依据。"
    ),
    "Colour decides between fuel and new energy.": "颜色区分燃油和新能源。",
    "Cross-border plates are for cars, coaches and trucks.": "两地号牌用于小客车、大客车和货车。",
    "Diplomatic plates are for cars and buses.": "使领馆号牌用于小客车和大客车。",
    "Diplomatic vehicles are a person's decision.": "使领馆车辆由人决定。",
    "Duty is confirmed by a person, in seconds.": "执行任务由人确认，几秒即可。",
    "Duty is confirmed by a person; this is shown beside it.": "执行任务由人确认；旁边显示此项。",
    "From here on a type that contradicts the plate stops the vehicle; below it is shown beside the decision.": (
        "从此值起，车型与车牌矛盾的车停下待查；低于此值只在决定旁显示。"
    ),
    "Learners drive cars, trucks and buses; these no driving school teaches.": (
        "学员开小客车、货车和大客车；这些车型驾校不教。"
    ),
    "Lists from farther in the future than this say that our clock is behind: no permit's dates are judged by it.": (
        "名单时间超前更多，说明我方时钟落后：不据此判断许可日期。"
    ),
    "New-energy by law, but may burn fuel on the island: recorded as information emission.": (
        "法律上属新能源，但在岛上可能烧油：作为信息性排放记录。"
    ),
    "No vehicle that carries a plate of 440 mm is narrower than twice that, unless the picture cuts it off.": (
        "挂 440 mm 车牌的车不会窄于两倍牌宽，除非被画面裁掉。"
    ),
    "Of those plates 99 in 100 lay below 0.40 of their vehicle's height; above lies the windscreen.": (
        "这些车牌 100 块中有 99 块低于车高的 0.40；再往上是挡风玻璃。"
    ),
    "One doubtful character makes another plate.": "一个存疑字符就是另一块车牌。",
    "One look is not enough: a vehicle detector misses a vehicle now and then.": "只看一次不够：车辆检测偶尔会漏车。",
    "Plates were 0.13 to 0.39 of their vehicle's width; a long side that is seen too makes it less.": (
        "车牌宽为车宽的 0.13 至 0.39；侧面也入画时更小。"
    ),
    "Police plates are for vehicles of the police. It is shown, and the vehicle is let through.": (
        "警车号牌用于警车。显示提示，车辆放行。"
    ),
    "Rescue plates are for vehicles of the rescue service. It is shown, and the vehicle is let through.": (
        "应急救援号牌用于救援车辆。显示提示，车辆放行。"
    ),
    "Somebody asked to see this vehicle.": "有人要求查看这辆车。",
    "The plate does not prove the drive.": "车牌不能证明能源类型。",
    "The same plate cannot enter twice: clone, or a missed exit.": "同一车牌不能进两次：套牌，或漏记出场。",
    "Vehicles on emergency duty are not stopped; the permit is completed afterwards.": (
        "执行紧急任务的车不拦停；许可事后补办。"
    ),
    "What is bolted on moves with its vehicle, but for the error of the boxes.": (
        "装牢的车牌随车移动，误差只来自检测框。"
    ),
    "Without any plate a copied pass would open for every vehicle: a person compares.": (
        "没有车牌时，复制的通行码能为任何车抬杆：由人核对。"
    ),
    # gate: sources and clauses
    "GA 36-2018 says which vehicles wear the plate; the types that a camera tells apart are the project's": (
        "GA 36-2018 规定了哪些车辆挂该号牌；相机能区分的车型由项目确定"
    ),
    "measured 2026-11 on 297 plates of real road scenes and about 230 rendered ones;"
    " GA 36-2018 (plates are 440 or 480 mm wide)": (
        "2026-11 在 297 张真实道路场景车牌和约 230 张合成车牌上测得；GA 36-2018（车牌宽 440 或 480 mm）"
    ),
    "道路交通安全法 art. 53": "道路交通安全法第五十三条",
    "管理办法 art. 25": "管理办法第二十五条",
    "PIPL art. 19; 信息安全技术 个人信息安全规范 GB/T 35273-2020, 6.1": (
        "个人信息保护法第十九条；信息安全技术 个人信息安全规范 GB/T 35273-2020，6.1"
    ),
    # how long data stays
    "the shortest time that its purpose needs": "用途所需的最短时间",
    "PIPL art. 19: shortest storage": "个人信息保护法第十九条：最短保存",
    "PIPL art. 19; evidence for review and appeal": "个人信息保护法第十九条；复核与申诉的依据",
    "permit evidence: 3 years": "许可依据：3 年",
    "needed for the attempt limit alone": "只用于限制尝试次数",
    "a phone repeats a request for days, not for months": "手机会重复请求几天，不会几个月",
    "permit evidence: 3 years after the end": "许可依据：结束后 3 年",
    "PIPL art. 19: an application that nobody hands in": "个人信息保护法第十九条：无人提交的申请",
    "PIPL art. 19: a paper that belongs to nothing": "个人信息保护法第十九条：无归属的材料",
    "evidence of offsets: 3 years after the visit": "抵消依据：到访后 3 年",
    "evidence of offsets: 3 years after the issue": "抵消依据：签发后 3 年",
    "PIPL art. 19: a year covers every claim, review and appeal": "个人信息保护法第十九条：一年足够申报、复核和申诉",
    "PIPL art. 50: proof of the answer, 3 years after it": "个人信息保护法第五十条：答复的凭据，答复后 3 年",
    "needed for pages that reconnect alone": "只用于页面重连",
    "to look into an incident second by second": "用于逐秒查看事件",
    "to compare seasons of operation": "用于比较各季运行",
    "billing, carbon accounts and replays: 10 years": "计费、碳账和回放：10 年",
    "to see why a past day was run as it was": "用于查看过去某天为何这样运行",
} | factor_texts.CHINESE
_BETWEEN = "; "


def rule_text(words: Words, text: str) -> str:
    """A reason, source or author in the reader's language; of several sources in one line, each."""
    if words.language != "zh":
        return text
    if text in CHINESE:
        return CHINESE[text]
    for source, chinese in CHINESE.items():
        rest = text.removeprefix(source + _BETWEEN)
        if rest != text:
            return f"{chinese}；{rule_text(words, rest)}"
    return text
