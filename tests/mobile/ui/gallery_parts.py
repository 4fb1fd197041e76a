"""Pages of the gallery with single parts: fields, states, buttons, the plate keyboard."""

from __future__ import annotations

from collections.abc import Callable

from kivy.metrics import dp
from kivy.uix.stacklayout import StackLayout
from kivy.uix.widget import Widget

from mobile.ui.kit import (
    Across,
    Banner,
    Bar,
    Card,
    CardList,
    CheckRow,
    Chips,
    ChoiceCircle,
    ChoiceGrid,
    Column,
    DayBars,
    EmptyState,
    ErrorState,
    Field,
    Figure,
    FilledButton,
    IconButton,
    NumberStepper,
    OptionList,
    OutlineButton,
    PickField,
    PlateChip,
    PlateField,
    PlateKeyboard,
    QuietButton,
    Ring,
    Segment,
    Skeleton,
    Stepper,
    Tag,
    Text,
    Timeline,
    Toggle,
    ToggleRow,
    TopBar,
    WaitArc,
)

Say = Callable[[str, str], str]


def put(parent: Widget, *children: Widget) -> Widget:
    """The parent with the children in it."""
    for child in children:
        parent.add_widget(child)
    return parent


def page_column(*children: Widget, spacing: float = 14) -> Column:
    return put(Column(padding=[dp(20), dp(8), dp(20), dp(24)], spacing=dp(spacing)), *children)


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
                wrapping(),
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
                    pressable=True,
                    goal=600,
                    test_id="bars",
                ),
            ),
        ),
    ]


def wrapping() -> Widget:
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
    grid = wrapping()
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
        ),
    ]


def keyboard(say: Say) -> list[Widget]:
    """The keys alone, as wide as in their sheet."""
    keys = PlateKeyboard(
        text="琼C7808", done_text=say("好了", "Done"), new_energy_text=say("新能源", "New energy"), test_id="keys"
    )
    return [Text(text=say("车牌", "Plate"), style="lead"), put(Column(padding=[dp(6), dp(4), dp(6), dp(20)]), keys)]
