"""What points say to people: owns the sentence of every reason, state and kind, in Chinese and English."""

from __future__ import annotations

from control.points.award import Cap
from control.points.earning_types import Anomaly, Refused
from control.points.ledger import Cause, EntryKind
from control.points.methodology import Evidence, Scene
from control.points.redemption import RedemptionRefused, State
from control.points.rotating_code import CodeRefused
from control.points.trips import TripRefused
from control.points.vouchers import VoucherRefused

SCENES: dict[Scene, tuple[str, str]] = {
    Scene.SHUTTLE: ("乘坐摆渡车", "Shared shuttle"),
    Scene.SHARED_BIKE: ("骑共享单车", "Shared bike"),
    Scene.WALKING: ("步行", "Walking"),
    Scene.EV_DRIVING: ("驾驶新能源车", "Electric driving"),
    Scene.OFF_PEAK_CHARGING: ("错峰充电", "Off-peak charging"),
    Scene.PARKED_CAR: ("燃油车停驶", "Fuel car left parked"),
    Scene.RECYCLING: ("回收机投放", "Recycling machine"),
    Scene.WASTE_SORTING: ("垃圾分类", "Waste sorting"),
    Scene.REUSABLE_CUP: ("自带杯", "Own cup"),
    Scene.NO_TOWEL_CHANGE: ("不更换布草", "No change of towels and linen"),
    Scene.DIGITAL_TICKET: ("电子票", "Digital ticket"),
    Scene.VEGETARIAN_MEAL: ("素食餐", "Vegetarian meal"),
    Scene.TREE_PLANTING: ("植树", "Tree planting"),
    Scene.BEACH_CLEANING: ("净滩", "Beach cleaning"),
}

EVIDENCE: dict[Evidence, tuple[str, str]] = {
    Evidence.DEVICE_CODE: ("设备动态码", "Code of a device"),
    Evidence.TRIP_CODES: ("起止站点码", "Codes of start and end"),
    Evidence.MERCHANT: ("商户确认", "Confirmed by a merchant"),
    Evidence.ORGANISER: ("活动组织者确认", "Confirmed by an organiser"),
    Evidence.GATE: ("道闸记录", "Passage at a gate"),
    Evidence.CHARGER: ("充电桩记录", "Session at a charger"),
    Evidence.PHONE: ("手机计步", "Counted by the phone"),
}

CAPS: dict[Cap, tuple[str, str]] = {
    Cap.SCENE_DAY: ("已达该场景当日上限", "The scene's limit for the day was reached"),
    Cap.DAY: ("已达个人当日总上限", "The person's limit for the day was reached"),
}

ANOMALIES: dict[Anomaly, tuple[str, str]] = {
    Anomaly.NEW_ACCOUNT: ("新账户，稍后到账", "New account; the points come later"),
    Anomaly.TOO_MUCH: ("数量超过一次可能的上限", "More than one act can be"),
    Anomaly.TOO_FAST: ("速度不合理", "Faster than this way of travelling"),
    Anomaly.TOO_SHORT: ("时间太短", "Shorter than it can take"),
    Anomaly.TOO_LONG: ("时间太长", "Longer than a way takes"),
    Anomaly.TOO_MANY_STEPS: ("当日步数过多", "More steps than a day has"),
    Anomaly.TOO_FEW_STEPS: ("步数走不出这段路", "Too few steps for the way"),
    Anomaly.TELEPORT: ("两地之间来不及到达", "Too far from the place before or after"),
    Anomaly.BURST: ("一小时内次数过多", "Too many acts within an hour"),
    Anomaly.MANY_LATE_CLAIMS: ("当日补报次数过多", "Too many late claims on the day"),
    Anomaly.CLOCK_DOUBT: ("设备时钟偏差过大", "The device's clock is far off"),
}

REFUSED: dict[Refused, tuple[str, str]] = {
    Refused.NO_TIME_ZONE: ("时间没有时区", "A time has no time zone"),
    Refused.ENDS_BEFORE_IT_STARTS: ("结束早于开始", "It ends before it starts"),
    Refused.OTHER_PERSON: ("不是本人的记录", "The record is another person's"),
    Refused.NOT_A_NUMBER: ("数量不是有效数字", "The amount is no finite number"),
    Refused.NOTHING_DONE: ("数量为零或为负", "The amount is zero or below"),
    Refused.NO_METHODOLOGY: ("当日没有适用的方法学", "No methodology holds on that day"),
    Refused.EVIDENCE_NOT_ACCEPTED: ("该场景不接受这种凭证", "The scene does not accept this evidence"),
    Refused.NO_EVIDENCE: ("缺少凭证", "The evidence is missing"),
    Refused.FROM_THE_FUTURE: ("时间在将来", "The time lies in the future"),
    Refused.TOO_LATE: ("已过领取期限", "The claim window is over"),
    Refused.BEFORE_THE_ACCOUNT: ("早于开户时间", "It was before the account was opened"),
    Refused.NO_GUARDIAN: ("未满年龄且未关联监护人账户", "Under age and without a guardian's account"),
    Refused.OWN_AWARD: ("不能给自己发放", "Nobody may award themselves"),
    Refused.OWN_MERCHANT: ("不能在自己任职或经营的商户获得积分", "No points at one's own merchant"),
    Refused.DUPLICATE: ("该行为已经记录", "The act is recorded already"),
    Refused.EVIDENCE_USED: ("凭证已被使用", "The evidence was used before"),
    Refused.SAME_TRIP: ("同一行程已有其他来源", "The trip has another source already"),
    Refused.TOO_MANY_ACTS: ("当日次数已满", "No more acts of this kind on the day"),
    Refused.SCENE_CAP_REACHED: ("该场景当日积分已满", "The scene's points of the day are used up"),
    Refused.DAY_CAP_REACHED: ("当日积分已满", "The day's points are used up"),
    Refused.TOO_LITTLE: ("减排量不足一分", "Less than one point was reduced"),
    Refused.REVIEWED_AND_REFUSED: ("人工复核未通过", "Looked at by a person and refused"),
}

CODES: dict[CodeRefused, tuple[str, str]] = {
    CodeRefused.UNREADABLE: ("不是本岛的码", "Not a code of the island"),
    CodeRefused.UNKNOWN_DEVICE: ("没有这台设备", "There is no such device"),
    CodeRefused.DEVICE_STOPPED: ("设备已停用", "The device was taken out of use"),
    CodeRefused.FORGED: ("码不正确或已过时", "The code is wrong or too old"),
    CodeRefused.EARLY: ("码的时间超前，请稍后再试", "The code is ahead of its time; try again later"),
    CodeRefused.LATE: ("码已过时，请扫描当前显示的码", "The code is too old; read the one shown now"),
    CodeRefused.REPLAYED: ("这个码已经用过", "The code was used already"),
    CodeRefused.SCANNED_IN_THE_FUTURE: ("手机时间超前，请校准", "The phone's clock is ahead; set it"),
    CodeRefused.NOT_FOR_THIS_DEVICE: ("设备不能发出这种码", "The device may not show such a code"),
}

TRIPS: dict[TripRefused, tuple[str, str]] = {
    TripRefused.NO_START: ("没有对应的上车码", "There is no code of the start"),
    TripRefused.NO_END: ("没有对应的下车码", "There is no code of the end"),
    TripRefused.SAME_PLACE: ("上下车为同一站点", "Start and end are one place"),
    TripRefused.NO_SUCH_WAY: ("没有这条线路或方向", "No line goes this way"),
    TripRefused.TOO_SOON: ("两码间隔太短", "Too soon after the start"),
    TripRefused.TOO_LONG: ("两码间隔太长", "Too long after the start"),
    TripRefused.OTHER_SCENE: ("上下车方式不一致", "Start and end are of different scenes"),
}

KINDS: dict[EntryKind, tuple[str, str]] = {
    EntryKind.EARN: ("获得", "Earned"),
    EntryKind.EXPIRE: ("到期", "Expired"),
    EntryKind.REDEEM: ("兑换", "Redeemed"),
    EntryKind.RETURN: ("退回", "Returned"),
    EntryKind.REVERSE: ("冲销", "Reversed"),
    EntryKind.ADJUST: ("申诉调整", "Adjusted on appeal"),
}

CAUSES: dict[Cause, tuple[str, str]] = {
    Cause.ID_TAKEN: ("编号已入账且内容不同", "The id is in the account already, and differs"),
    Cause.OTHER_ACCOUNT: ("不是该账户的记录", "The entry is for another account"),
    Cause.NO_TEXT: ("缺少编号、账户、经办人或理由", "Id, account, author or reason is missing"),
    Cause.BAD_TEXT: ("文字无法保存", "A text cannot be kept"),
    Cause.NO_TIME_ZONE: ("时间没有时区", "A time has no time zone"),
    Cause.BEFORE_THE_LAST: ("早于上一笔记录", "Earlier than the last entry"),
    Cause.NOT_WHOLE_POINTS: ("积分不是非零整数", "Not of whole points, or of none"),
    Cause.WRONG_SIGN: ("增减方向不对", "The sign is wrong for this kind"),
    Cause.NO_VALIDITY: ("有效期缺失或不对", "The validity is missing or wrong"),
    Cause.ABOUT_NOTHING: ("原记录的指明与类别不符", "Naming another entry does not fit the kind"),
    Cause.ABOUT_UNKNOWN: ("原记录不存在", "The other entry is not there"),
    Cause.ABOUT_WRONG_KIND: ("原记录类别不对", "The other entry is of the wrong kind"),
    Cause.TAKEN_BACK_ALREADY: ("原记录已经冲销或退回", "The other entry was taken back before"),
    Cause.WRONG_AMOUNT: ("数额与应有的不符", "The amount is not what is due"),
    Cause.NOT_ENDED: ("积分尚未到期", "No points have ended"),
    Cause.NOT_ENOUGH: ("积分不足", "Not enough points"),
    Cause.SEQUENCE: ("序号不连续", "A row is missing or out of place"),
    Cause.PREVIOUS_HASH: ("与前一行的哈希不衔接", "The row does not follow the one before it"),
    Cause.HASH: ("内容与哈希不符", "The row is not what was hashed"),
}

STATES: dict[State, tuple[str, str]] = {
    State.RESERVED: ("已预留", "Reserved"),
    State.ISSUED: ("已发码", "Code issued"),
    State.USED: ("已使用", "Used"),
    State.EXPIRED: ("已过期", "Expired"),
    State.RETURNED: ("已退回", "Returned"),
}

REDEMPTIONS: dict[RedemptionRefused, tuple[str, str]] = {
    RedemptionRefused.NOT_ON_OFFER: ("当前不可兑换", "Not on offer now"),
    RedemptionRefused.SOLD_OUT: ("已兑完", "Nothing is left"),
    RedemptionRefused.PERSON_LIMIT: ("已达个人兑换上限", "The limit for one person is reached"),
    RedemptionRefused.NOT_ENOUGH_POINTS: ("积分不足", "Not enough points"),
    RedemptionRefused.WRONG_STATE: ("当前状态不能这样操作", "Not possible in its present state"),
    RedemptionRefused.TOO_LATE: ("已过期限", "Its time is over"),
    RedemptionRefused.NOT_YET: ("期限未到", "Its time is not over yet"),
    RedemptionRefused.WRONG_CODE: ("兑换码不正确", "The code is wrong"),
    RedemptionRefused.OTHER_MERCHANT: ("不适用于本商户", "Not valid at this merchant"),
    RedemptionRefused.OWN_CODE: ("不能核销自己的兑换码", "Nobody may take their own code"),
    RedemptionRefused.USED_ALREADY: ("兑换码已使用", "The code was used before"),
}

VOUCHERS: dict[VoucherRefused, tuple[str, str]] = {
    VoucherRefused.NOT_IN_FORCE: ("奖励方案不在有效期", "The scheme is not in force"),
    VoucherRefused.HOLDER_NOT_ALLOWED: ("方案不向该类对象发放", "The scheme is not for this kind of holder"),
    VoucherRefused.AMOUNT_NOT_ALLOWED: ("面额不在方案之内", "The scheme has no such amount"),
    VoucherRefused.BUDGET_USED_UP: ("方案额度已用完", "The scheme's budget is used up"),
    VoucherRefused.OWN_ISSUE: ("不能给自己发券", "Nobody may issue to themselves"),
    VoucherRefused.HOLDER_OFF: ("持券方已停用", "The holder of the voucher is switched off"),
    VoucherRefused.EXPIRED: ("零碳券不在有效期", "The voucher is not valid at this time"),
    VoucherRefused.OTHER_MERCHANT: ("不适用于本商户", "Not valid at this merchant"),
    VoucherRefused.WHOLE_ONLY: ("须一次用完", "To be spent whole"),
    VoucherRefused.NOT_ENOUGH_LEFT: ("余额不足或金额不对", "Not enough is left, or no whole fen"),
    VoucherRefused.REQUEST_DIFFERS: ("同一请求的金额不同", "The same request had another amount"),
    VoucherRefused.OTHER_SCHEME: ("券与方案不符", "Voucher and scheme do not belong together"),
    VoucherRefused.UNKNOWN_SPEND: ("没有这笔消费", "There is no such spend"),
    VoucherRefused.REVERSED_ALREADY: ("该笔消费已撤销", "The spend was taken back"),
}
