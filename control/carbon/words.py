"""What the carbon books say to people: owns the sentence of every tier, doubt and refusal, in Chinese and English."""

from __future__ import annotations

from control.carbon.ledger import Cause
from control.carbon.visit_types import Doubt

TIERS: dict[int, tuple[str, str]] = {
    1: ("实测油耗", "Fuel measured"),
    2: ("里程表与公告油耗", "Odometer and type approval"),
    3: ("路线、怠速与车型默认值", "Route, idle time and class default"),
    4: ("车型标准到访", "Standard visit of the class"),
}

DOUBTS: dict[Doubt, tuple[str, str]] = {
    Doubt.NOT_A_NUMBER: ("不是有效数字", "Not a finite number"),
    Doubt.NEGATIVE: ("是负数", "Below zero"),
    Doubt.NOTHING_BURNT: ("开进来的车不可能没有用油", "A vehicle that drove in has burnt something"),
    Doubt.TOO_MUCH_FUEL: ("超过一次到访可能的用油量", "More fuel than one visit can burn"),
    Doubt.TOO_MUCH_FOR_THE_STAY: ("停留时间内烧不了这么多", "More fuel than the stay allows"),
    Doubt.TOO_LITTLE_FOR_THE_DISTANCE: ("相对行驶距离用油太少", "Too little fuel for the distance"),
    Doubt.ODOMETER_WENT_BACK: ("离岛里程小于进岛里程", "The odometer went back"),
    Doubt.DID_NOT_MOVE: ("里程没有变化", "No distance was driven"),
    Doubt.TOO_FAR: ("距离超过一次到访的上限", "Farther than a visit can be"),
    Doubt.TOO_FAST: ("停留时间内开不了这么远", "Faster than the stay allows"),
    Doubt.SHORTER_THAN_THE_ROUTE: ("里程远小于路线长度", "Far shorter than the route"),
    Doubt.UNLIKELY_CONSUMPTION: ("公告油耗不可信", "The type-approval consumption is not believable"),
    Doubt.NO_TIME_INSIDE: ("进岛与离岛时间相同", "Entry and exit at the same time"),
    Doubt.ENGINE_RAN_TOO_LONG: ("怠速和作业时间过长", "Idle and machine time are too long"),
    Doubt.NO_MACHINE_IN_THIS_CLASS: ("该车型没有作业装置", "This class has no machine to drive"),
}

CAUSES: dict[Cause, tuple[str, str]] = {
    Cause.ID_TAKEN: ("编号已入账", "The id is in the book already"),
    Cause.NO_TEXT: ("缺少编号、经办人或理由", "Id, author or reason is missing"),
    Cause.BAD_TEXT: ("文字无法保存", "A text cannot be kept"),
    Cause.NO_TIME_ZONE: ("时间没有时区", "The time has no time zone"),
    Cause.NOT_WHOLE_GRAMS: ("数额不是整克", "Not whole grams"),
    Cause.TOO_FEW_POSTINGS: ("分录不足两笔，或有零额", "Fewer than two postings, or one of zero"),
    Cause.ACCOUNT_TWICE: ("同一账户出现两次", "An account stands twice"),
    Cause.BAD_ACCOUNT: ("账户名称不对", "An account is named wrongly"),
    Cause.UNBALANCED: ("借贷不平", "The postings do not sum to zero"),
    Cause.WRONG_ACCOUNTS: ("该类分录不能记入这些账户", "This kind of entry may not touch these accounts"),
    Cause.NOT_WHOLE_TONNES: ("购买与注销必须为整吨", "Credits go in whole tonnes"),
    Cause.REVERSES_NOTHING: ("冲销没有指明原分录", "The reversal names no entry"),
    Cause.REVERSES_UNKNOWN: ("要冲销的分录不存在", "The entry to reverse is not there"),
    Cause.REVERSED_ALREADY: ("该分录已经冲销过", "The entry was reversed before"),
    Cause.FINAL: ("注销和冲销不可撤回", "Retirements and reversals are final"),
    Cause.NOT_THE_MIRROR: ("冲销与原分录不对应", "The reversal does not mirror its entry"),
    Cause.OVERDRAWN: ("账户余额不足", "An account would be overdrawn"),
    Cause.SEQUENCE: ("序号不连续", "A row is missing or out of place"),
    Cause.PREVIOUS_HASH: ("与前一行的哈希不衔接", "The row does not follow the one before it"),
    Cause.HASH: ("内容与哈希不符", "The row is not what was hashed"),
}
