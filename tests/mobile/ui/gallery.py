"""Every widget on a few pages, with texts in both languages: for pictures and for tests of sizes.

`python tests/mobile/ui/gallery.py FOLDER [light|dark] [zh|en] [scale]` writes one picture a page.
"""

from __future__ import annotations

from collections.abc import Callable

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.ui.kit import (
    Across,
    Banner,
    Bar,
    BottomBar,
    Card,
    CardList,
    CheckRow,
    Chips,
    ChoiceCircle,
    ChoiceGrid,
    Column,
    Dashes,
    DayBars,
    Divider,
    EmptyState,
    ErrorState,
    FactGrid,
    Field,
    Figure,
    FilledButton,
    Gap,
    HeroCard,
    IconButton,
    IconCard,
    IconTile,
    Note,
    NumberStepper,
    OptionList,
    OutlineButton,
    Pair,
    PassCard,
    PickField,
    PlateChip,
    PlateField,
    PlateKeyboard,
    QrView,
    QuietButton,
    Ring,
    Row,
    Section,
    Segment,
    Skeleton,
    Spring,
    Stepper,
    Tag,
    Text,
    Ticket,
    Timeline,
    Toggle,
    ToggleRow,
    TopBar,
    TripSketch,
    WaitArc,
)

PASS_TEXT = "ISLE-PASS:6BFOXN%TS3DHBZK3YI$ZPO92B08M+5$ZPO92B08QLE/2F0A7C1D9E4B65HZK3YI.PO92+B08M:5ZPO9208QLEHZK3YI"
Say = Callable[[str, str], str]


def put(parent: Widget, *children: Widget) -> Widget:
    """The parent with the children in it."""
    for child in children:
        parent.add_widget(child)
    return parent


def page_column(*children: Widget, spacing: float = 14) -> Column:
    return put(Column(padding=[dp(20), dp(8), dp(20), dp(24)], spacing=dp(spacing)), *children)


def home(say: Say) -> list[Widget]:
    words = put(
        Column(),
        Text(text=say("11 月 21 日，晴", "21 November, sunny"), style="small", tone="ink2"),
        Text(text=say("早上好，小雨", "Good morning, Xiaoyu"), style="title"),
    )
    bell = IconButton(
        icon="bell", ground="surface", radius_dp=14, size_dp=20, tone="ink2", badge=2, pos_hint={"center_y": 0.5}
    )
    tiles = Across(spacing=dp(10))
    for icon, zh, en in (("bus", "接驳车", "Shuttle"), ("bike", "单车", "Bike"), ("recycle", "回收", "Recycle")):
        tiles.add_widget(IconCard(icon=icon, text=say(zh, en)))
    tiles.add_widget(IconCard(icon="cup-soda", text=say("借杯", "Cup")))
    rows = put(
        CardList(),
        Row(
            icon="bus",
            title=say("接驳车 2 号线", "Shuttle line 2"),
            subtitle=say("10:31，2.6 公里", "10:31, 2.6 km"),
            value="+192",
            value_tone="stale",
            value_icon="clock",
        ),
        Row(
            icon="cup-soda",
            title=say("借杯，椰林咖啡", "Reusable cup, Palm Café"),
            subtitle="09:47",
            value="+15",
            value_tone="admit",
            pressable=True,
            test_id="row-cup",
        ),
        Row(
            icon="bike",
            title=say("单车，码头到会议中心", "Bike, pier to centre"),
            subtitle=say("09:12，1.4 公里", "09:12, 1.4 km"),
            value="+133",
            value_tone="admit",
        ),
    )
    hero = HeroCard(
        caption=say("我的碳积分", "My carbon points"),
        value="8,640",
        left_note=say("本周少排 3.4 kg", "3.4 kg saved this week"),
        right_note=say("目标 5 kg", "goal 5 kg"),
        frac=0.68,
        foot=say("相当于少开 17 公里汽油车", "Like not driving a petrol car 17 km"),
        test_id="hero",
    )
    today = Section(title=say("今天", "Today"), note=say("1 条待同步", "1 waiting to sync"), icon="cloud-upload")
    return [page_column(put(Across(), words, bell), hero, tiles, Gap(size_dp=2), today, rows)]


def permits(say: Say) -> list[Widget]:
    bar = put(
        TopBar(title=say("进岛许可", "Permits"), large=True, has_back=False),
        IconButton(icon="plus", tone="onaccent", ground="accent", label=say("新申请", "New")),
    )
    centre = {"center_y": 0.5}
    active = put(
        Card(outline="permitsolid", spacing=0),
        put(
            Across(),
            PlateChip(text="琼C78083", colour="yellow"),
            Spring(),
            Tag(text=say("生效中", "Valid"), tone="permit", pos_hint=centre),
        ),
        Gap(size_dp=12),
        Text(text=say("会议中心北侧吊装", "Crane work, north side"), style="section"),
        Text(text=say("今天 08:00–18:00，东门、北门", "Today 08:00–18:00, east, north"), style="small", tone="ink2"),
        Gap(size_dp=12),
        put(
            Across(spacing=dp(8)),
            Dashes(total=5, used=2, pos_hint=centre),
            Text(text=say("用 2 次，剩 3 次", "2 used, 3 left"), style="small", tone="ink3"),
        ),
        Gap(size_dp=16),
        FilledButton(text=say("出示通行码", "Show the pass"), icon="qr-code", kind="permit", test_id="show"),
    )
    returned = put(
        Card(spacing=0),
        put(
            Across(),
            PlateChip(text="琼B33Z07", colour="yellow", height_dp=30),
            Spring(),
            Tag(text=say("退回补正", "Returned"), tone="hold", icon="undo-2", pos_hint=centre),
        ),
        Gap(size_dp=10),
        Text(text=say("保险单看不清到期日", "The insurance expiry cannot be read"), style="strong"),
        Text(
            text=say("其余内容都替你留着，补一张照片即可", "The rest is kept: just add a photo"),
            style="small",
            tone="ink2",
        ),
        Gap(size_dp=12),
        OutlineButton(text=say("补照片", "Add a photo"), icon="camera", compact=True),
    )
    rows = put(
        CardList(),
        Row(
            title=say("11-24 管网抢修", "11-24 pipe repair"),
            subtitle=say("今天 09:16 提交，17:30 前答复", "Sent 09:16, answer by 17:30"),
            tag_text=say("审核中", "In review"),
        ),
        Row(
            title=say("11-19 北侧吊装", "11-19 crane work"),
            subtitle=say("排放 9.60 kg，办公室会抵消", "9.60 kg, the office will offset it"),
            tag_text=say("待抵消", "Open"),
            tag_tone="hold",
        ),
    )
    foot = BottomBar(
        items=[
            ("permits", "shield-check", say("许可", "Permits")),
            ("emission", "fuel", say("排放与抵消", "Emission and offset")),
            ("me", "user-round", say("我的", "Me")),
        ],
        value="permits",
    )
    return [bar, page_column(active, Section(title=say("要你处理", "For you to do")), returned, rows), foot]


def pass_page(say: Say) -> list[Widget]:
    centre = {"center_x": 0.5}
    bar = put(
        TopBar(back_icon="x", back_label=say("关闭", "Close")),
        Tag(text=say("离线可用", "Works offline"), tone="stale", icon="wifi-off", pos_hint={"center_y": 0.5}),
    )
    card = PassCard(headline=say("现在可以进岛", "You may enter now"), note=say("还有 7 小时 18 分", "7 h 18 min left"))
    put(
        card.body,
        put(
            Column(padding=[dp(20), dp(18), dp(20), dp(14)], spacing=dp(14)),
            PlateChip(text="琼C78083", colour="yellow", height_dp=52, pos_hint=centre),
            QrView(text=PASS_TEXT, size_dp=230, pos_hint=centre, test_id="qr"),
            Text(
                text=say("给门岗扫，或报编号 0512", "Show it at the gate, or say 0512"),
                style="small",
                tone="ink3",
                halign="center",
            ),
        ),
        FactGrid(
            facts=[
                (say("时段", "Window"), say("今天 08:00–18:00", "08:00–18:00")),
                (say("入口", "Gates"), say("东门、北门", "East, north")),
                (say("车辆", "Vehicle"), say("汽车起重机 25 t", "Mobile crane 25 t")),
                (say("次数", "Entries"), say("剩 3 次", "3 left")),
            ]
        ),
    )
    fuel = put(
        CardList(),
        Row(
            icon="fuel",
            title=say("离岛时报一下油耗", "Report the fuel as you leave"),
            subtitle=say("按实际排放抵消，比估算更准", "Offset on real use, not an estimate"),
            pressable=True,
        ),
    )
    bright = Note(text=say("屏幕已调到最亮", "Screen set to full brightness"), icon="sun", centred=True)
    return [bar, page_column(card, fuel, bright)]


def redeem(say: Say) -> list[Widget]:
    ticket = Ticket()
    put(
        ticket.head,
        put(
            Across(spacing=dp(14)),
            IconTile(icon="coffee", tile_dp=56, size_dp=28, radius_dp=18),
            put(
                Column(pos_hint={"center_y": 0.5}),
                Text(text=say("海岛咖啡，一杯", "Island coffee, one cup"), style="lead"),
                Text(text=say("椰林咖啡，会议中心一层", "Palm Café, ground floor"), style="small", tone="ink3"),
            ),
        ),
    )
    put(
        ticket.body,
        QrView(text="ISLE2:R-7KQ42M9X-20261121", size_dp=232, pos_hint={"center_x": 0.5}),
        Text(text="7KQ4 2M9X", style="code", halign="center"),
        Text(
            text=say("扫不了时，把这串读给店员", "If it cannot be scanned, read this out"),
            style="small",
            tone="ink3",
            halign="center",
        ),
        Bar(frac=0.9),
        put(
            Across(),
            Figure(
                value="4:32", unit=say("剩余", "left"), style="strong", unit_style="small", pos_hint={"center_y": 0.5}
            ),
            Spring(),
            QuietButton(text=say("换新码", "New code"), icon="refresh-cw", size_hint_x=None, width=dp(140)),
        ),
    )
    sums = put(
        CardList(),
        Row(title=say("店员核销后扣", "Taken when used"), value=say("1,500 分", "1,500 pts"), title_tone="ink2"),
        Row(title=say("扣后余额", "Balance then"), value=say("7,140 分", "7,140 pts"), title_tone="ink2"),
    )
    safe = Note(
        text=say("没用完不扣分，过时自动作废", "Nothing is taken until it is used"), icon="circle-check", centred=True
    )
    cancel = OutlineButton(text=say("取消兑换", "Cancel"))
    return [TopBar(title=say("兑换码", "Your code")), page_column(ticket, sums, safe, cancel)]


def trip(say: Say) -> list[Widget]:
    bar = put(TopBar(title=say("行程", "Trip")), IconButton(icon="flag", tone="ink2", size_dp=22))
    summary = put(
        Across(padding=[dp(18), dp(14)]),
        put(
            Column(pos_hint={"center_y": 0.5}),
            Text(text=say("接驳车 2 号线", "Shuttle line 2"), style="section"),
            Text(text=say("10:31 上车，10:39 下车", "On 10:31, off 10:39"), style="small", tone="ink3"),
        ),
        Figure(value="+192", unit=say("积分", "points"), style="number", unit_style="small", tone="admit"),
    )
    sums = put(
        Card(spacing=dp(10)),
        Text(text=say("怎么算的", "How it adds up"), style="section"),
        Pair(label=say("坐了", "Distance"), value=say("2.6 公里", "2.6 km")),
        Pair(label=say("平常出行，每公里", "Usual travel, a km"), value=say("104 克", "104 g")),
        Pair(label=say("电动接驳车，每公里", "Electric shuttle, a km"), value=say("30 克", "30 g")),
        Divider(),
        Pair(
            label=say("少排", "Saved"),
            value=say("192 克 CO₂，1 克 = 1 分", "192 g CO₂, 1 g = 1 pt"),
            tone="admit",
            strong=True,
        ),
        Text(text=say("按 2026-09-01 起的积分规则 v3", "Points rules v3 of 2026-09-01"), style="small", tone="ink3"),
    )
    waiting = put(
        CardList(),
        Row(
            icon="cloud-upload",
            icon_tone="stale",
            icon_ground="stalesoft",
            title=say("等网络，已存在手机里", "Waiting for a network, kept on the phone"),
            subtitle=say("连上后自动入账，不会重复计分", "It counts once you are online, and only once"),
        ),
    )
    sketch = put(CardList(), TripSketch(start=say("东屿码头", "Pier"), end=say("会议中心", "Centre")), summary)
    again = FilledButton(text=say("再扫一个", "Scan another"), icon="scan-qr-code")
    wrong = QuietButton(text=say("不对？告诉我们", "Wrong? Tell us"))
    return [bar, page_column(sketch, sums, waiting, again, wrong)]


def form(say: Say) -> list[Widget]:
    reason = say("保险单看不清到期日", "The expiry cannot be read")
    return [
        TopBar(title=say("新申请", "New application")),
        page_column(
            Stepper(count=4, at=2, title=say("车辆和时间", "Vehicle and time"), note="2/4"),
            PlateField(
                field_label=say("车牌", "Plate"),
                text="琼C78",
                helper=say("点一下打开车牌键盘", "Tap to open the plate keyboard"),
                sheet_title=say("车牌", "Plate"),
                done_text=say("好了", "Done"),
                new_energy_text=say("新能源", "New energy"),
                erase_label=say("删一位", "Erase"),
                test_id="plate",
            ),
            Field(label=say("来意", "Purpose"), hint=say("比如：北侧吊装", "Such as: crane work"), test_id="purpose"),
            Field(label=say("手机", "Phone"), text="139 0000 0001", icon="phone", error=reason, test_id="phone"),
            Field(label=say("密码", "Password"), text="secret", password=True, trail_label="show", test_id="password"),
            Field(
                label=say("油耗", "Fuel"), text="8.2", suffix="L", input_type="number", helper="0.1–500", test_id="fuel"
            ),
            Field(
                label=say("说明", "Notes"),
                multiline=True,
                rows=3,
                text=say("一共三辆车。", "Three vehicles."),
                test_id="notes",
            ),
            PickField(
                field_label=say("入口", "Gate"), value=say("东门", "East gate"), icon="door-open", test_id="gate"
            ),
            PickField(
                field_label=say("哪一天", "Day"),
                hint=say("选一天", "Choose a day"),
                trail_icon="calendar",
                test_id="day",
            ),
            Field(label=say("编号", "Number"), text="XK-2026-000529", read_only=True),
            put(
                Across(),
                Text(text=say("次数", "Entries")),
                NumberStepper(value=3, low=1, high=9, size_hint_x=None, width=dp(150), test_id="count"),
            ),
            Segment(
                options=[
                    ("day", say("一天", "One day")),
                    ("week", say("一周", "One week")),
                    ("long", say("长期", "Long")),
                ],
                value="day",
                test_id="span",
            ),
            Chips(options=[(str(n), say(f"选项 {n}", f"Option {n}")) for n in range(7)], value="1", test_id="chips"),
            ChoiceGrid(
                options=[
                    ("a", say("借杯", "Cup")),
                    ("b", say("接驳车", "Shuttle")),
                    ("c", say("光盘行动", "Empty plate")),
                ],
                value="b",
                test_id="grid",
            ),
            CheckRow(
                text=say("我已阅读并同意隐私说明", "I have read and accept the privacy notice"),
                active=True,
                test_id="agree",
            ),
            put(
                CardList(),
                ToggleRow(
                    icon="bell",
                    title=say("到期提醒", "Reminders"),
                    subtitle=say("到期前一天", "A day before"),
                    active=True,
                    test_id="remind",
                ),
                ToggleRow(icon="moon", title=say("深色", "Dark")),
            ),
            put(Card(), OptionList(options=[("zh", "简体中文"), ("en", "English")], value="zh", test_id="language")),
        ),
    ]


def states(say: Say) -> list[Widget]:
    return [
        Banner(
            text=say("没有网络，显示上次的内容", "No connection. You see what was last loaded."),
            detail=say("2 条待同步", "2 entries wait to sync"),
            test_id="offline",
        ),
        page_column(
            put(
                ChoiceGridOf(),
                *(
                    Tag(text=say(zh, en), tone=tone)
                    for tone, zh, en in (
                        ("admit", "已抵消", "Offset"),
                        ("permit", "生效中", "Valid"),
                        ("hold", "待抵消", "Open"),
                        ("refuse", "已拒绝", "Refused"),
                        ("unsure", "存疑", "Unsure"),
                        ("stale", "离线", "Offline"),
                        ("plain", "审核中", "In review"),
                        ("accent", "新", "New"),
                    )
                ),
            ),
            Skeleton(kind="figure", rows=1),
            Skeleton(kind="row", rows=2),
            put(
                Card(),
                EmptyState(
                    icon="route",
                    title=say("还没有行程", "No trips yet"),
                    text=say("扫一下车门旁的码，就从这里开始。", "Scan the code beside a door to begin."),
                    action_text=say("去扫码", "Scan"),
                    test_id="empty",
                ),
            ),
            put(
                Card(),
                ErrorState(
                    title=say("没连上", "Could not connect"),
                    text=say(
                        "之前看过的都还在。连上网后再试一次。",
                        "What you saw before is still here. Try again once online.",
                    ),
                    action_text=say("再试一次", "Try again"),
                    test_id="error",
                ),
            ),
            put(
                Card(),
                Timeline(
                    steps=[
                        (say("提交", "Sent"), "11-20 09:16", "done"),
                        (
                            say("退回补正", "Returned"),
                            say("保险单看不清到期日", "The expiry cannot be read"),
                            "problem",
                        ),
                        (say("审核", "Review"), say("今天 17:30 前", "By 17:30 today"), "now"),
                        (say("进岛", "Entry"), "", "next"),
                    ]
                ),
            ),
            put(
                Across(spacing=dp(16)),
                Ring(frac=0.68, text="68%", note=say("目标", "goal")),
                put(
                    Column(spacing=dp(12), pos_hint={"center_y": 0.5}),
                    Figure(value="9.60", unit="kgCO₂e", style="number"),
                    Bar(frac=0.3, tone="admitsolid"),
                ),
                WaitArc(),
            ),
            put(
                Card(),
                DayBars(
                    bars=[
                        (name, value, "")
                        for name, value in zip(
                            say("一二三四五六日", "MTWTFSS"), (320, 0, None, 820, 410, 640, 190), strict=True
                        )
                    ],
                    at=5,
                    goal=600,
                    test_id="bars",
                ),
            ),
        ),
    ]


def ChoiceGridOf() -> Widget:
    from kivy.uix.stacklayout import StackLayout

    grid = StackLayout(size_hint_y=None, spacing=dp(8))
    grid.bind(minimum_height=grid.setter("height"))
    return grid


def buttons(say: Say) -> list[Widget]:
    plates = (
        ("琼A12345", "blue", "small"),
        ("琼AD12345", "green", "nev_small"),
        ("琼A12345D", "yellow_green", "nev_large"),
        ("琼C78083", "yellow", "large"),
        ("琼A1234警", "white", "police"),
        ("粤Z1234港", "black", "hong_kong"),
        ("琼0112345", "farm_green", "tractor"),
        ("琼A12345", "paper", "temporary"),
    )
    grid = ChoiceGridOf()
    for text, colour, kind in plates:
        grid.add_widget(PlateChip(text=text, colour=colour, kind=kind))
    return [
        TopBar(title=say("按钮", "Buttons"), over=say("一小行", "A small line"), large=True),
        page_column(
            FilledButton(text=say("保存", "Save"), icon="save", test_id="save"),
            FilledButton(text=say("保存中", "Saving"), busy=True, test_id="busy"),
            FilledButton(text=say("不能用", "Not now"), disabled=True, test_id="off"),
            put(
                Across(spacing=dp(10)),
                FilledButton(text=say("放行", "Admit"), kind="admit", compact=True),
                FilledButton(text=say("拒绝", "Refuse"), kind="refuse", compact=True),
                FilledButton(text=say("待定", "Hold"), kind="hold", compact=True),
            ),
            OutlineButton(text=say("另一个办法", "Another way"), icon="camera"),
            OutlineButton(text=say("不能用", "Not now"), disabled=True),
            QuietButton(text=say("以后再说", "Later")),
            put(
                Across(spacing=dp(8)),
                IconButton(icon="arrow-left"),
                IconButton(icon="share", ground="surface"),
                IconButton(icon="plus", tone="onaccent", ground="accent"),
                IconButton(icon="trash-2", tone="refuse", ground="refusesoft"),
                IconButton(icon="x", disabled=True),
                Toggle(active=True, test_id="toggle"),
                Toggle(),
            ),
            put(
                Across(spacing=dp(10)),
                ChoiceCircle(icon="flashlight", text=say("开灯", "Light")),
                ChoiceCircle(icon="image", text=say("从相册选", "From photos")),
                ChoiceCircle(icon="keyboard", text=say("输入编号", "Type it")),
            ),
            grid,
            PlateChip(text="琼C78083", colour="yellow", height_dp=56, unsure=[3]),
            put(
                Card(),
                PlateKeyboard(
                    text="琼C7808",
                    done_text=say("好了", "Done"),
                    new_energy_text=say("新能源", "New energy"),
                    test_id="keys",
                ),
            ),
        ),
    ]


PAGES: dict[str, Callable[[Say], list[Widget]]] = {
    "home": home,
    "permits": permits,
    "pass": pass_page,
    "redeem": redeem,
    "trip": trip,
    "form": form,
    "states": states,
    "buttons": buttons,
}
