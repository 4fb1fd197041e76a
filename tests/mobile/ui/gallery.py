"""Every widget on a few pages, with texts in both languages: for tests of sizes, and to be looked at."""

from __future__ import annotations

from collections.abc import Callable

from gallery_parts import Say, buttons, form, keyboard, page_column, put, states
from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.ui.kit import (
    Across,
    Bar,
    BottomBar,
    Card,
    CardList,
    Column,
    Dashes,
    Divider,
    FactGrid,
    Figure,
    FilledButton,
    Gap,
    HeroCard,
    IconButton,
    IconCard,
    IconTile,
    Note,
    OutlineButton,
    Pair,
    PassCard,
    PlateChip,
    QrView,
    QuietButton,
    Row,
    Section,
    Spring,
    Tag,
    Text,
    Ticket,
    TopBar,
    TripSketch,
)

PASS_TEXT = "ISLE-PASS:6BFOXN%TS3DHBZK3YI$ZPO92B08M+5$ZPO92B08QLE/2F0A7C1D9E4B65HZK3YI.PO92+B08M:5ZPO9208QLEHZK3YI"


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


PAGES: dict[str, Callable[[Say], list[Widget]]] = {
    "home": home,
    "permits": permits,
    "pass": pass_page,
    "redeem": redeem,
    "trip": trip,
    "form": form,
    "states": states,
    "buttons": buttons,
    "keyboard": keyboard,
}
