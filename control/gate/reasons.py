"""Why the gate decided: owns every reason code with its sentence in Chinese and English.

Console, hut and the message display use these words, so that one decision reads the same everywhere.
"""

from __future__ import annotations

from enum import StrEnum

from control.domain.passes import PASS_PROBLEMS, PassProblem


class Code(StrEnum):
    """Reason codes. The first reason of a decision is the one that decided."""

    BATTERY_ELECTRIC = "battery_electric"
    PLUG_IN = "plug_in"
    REGISTERED_NEW_ENERGY = "registered_new_energy"
    ON_ALLOW_LIST = "on_allow_list"
    SPECIAL_KIND_ADMITTED = "special_kind_admitted"
    EMERGENCY_PLATE = "emergency_plate"
    EMERGENCY_PERMIT = "emergency_permit"
    PERMIT_VALID = "permit_valid"
    LEAVING = "leaving"
    ON_BLOCK_LIST = "on_block_list"
    NEAR_BLOCK_LIST = "near_block_list"
    ON_ALERT_LIST = "on_alert_list"
    FUEL_WITHOUT_PERMIT = "fuel_without_permit"
    PERMIT_EXPIRED = "permit_expired"
    PERMIT_NOT_YET_VALID = "permit_not_yet_valid"
    PERMIT_OTHER_GATE = "permit_other_gate"
    PERMIT_USED_UP = "permit_used_up"
    PERMIT_OTHER_VEHICLE = "permit_other_vehicle"
    KIND_NOT_ADMITTED = "kind_not_admitted"
    NO_PLATE = "no_plate"
    PLATE_UNAVAILABLE = "plate_unavailable"
    FORMAT_UNKNOWN = "format_unknown"
    COLOUR_CONTRADICTS_FORMAT = "colour_contradicts_format"
    TEMPORARY_PLATE = "temporary_plate"
    PLATE_UNSURE = "plate_unsure"
    CHARACTER_UNSURE = "character_unsure"
    COLOUR_UNSURE = "colour_unsure"
    NEAR_PERMIT = "near_permit"
    PLUG_IN_HELD = "plug_in_held"
    KIND_PROVES_NOTHING = "kind_proves_nothing"
    ASK_TRACTOR_UNIT = "ask_tractor_unit"
    MAYBE_EMERGENCY = "maybe_emergency"
    REGISTER_CONTRADICTS_PLATE = "register_contradicts_plate"
    ALREADY_INSIDE = "already_inside"
    TYPE_CONTRADICTS_PLATE = "type_contradicts_plate"
    PLATE_WITHOUT_VEHICLE = "plate_without_vehicle"
    PLATE_OF_OTHER_VEHICLE = "plate_of_other_vehicle"
    PLATE_WRONG_SIZE = "plate_wrong_size"
    PLATE_WRONG_PLACE = "plate_wrong_place"
    PLATE_MOVES_APART = "plate_moves_apart"
    PLATE_APPEARED_LATE = "plate_appeared_late"
    TAILGATED = "tailgated"
    SNAPSHOT_TOO_OLD = "snapshot_too_old"
    CLOCK_DOUBTFUL = "clock_doubtful"
    NO_RULE_IN_FORCE = "no_rule_in_force"
    LANE_GUARDED = "lane_guarded"
    LANE_OPEN = "lane_open"
    LANE_CLOSED = "lane_closed"
    PASS_VALID = "pass_valid"
    PASS_NEEDS_LOOK = "pass_needs_look"
    PASS_MALFORMED = "pass_malformed"
    PASS_VERSION_TOO_OLD = "pass_version_too_old"
    PASS_VERSION_TOO_NEW = "pass_version_too_new"
    PASS_WRONG_KEY = "pass_wrong_key"
    PASS_FORGED = "pass_forged"
    PASS_REVOKED = "pass_revoked"
    PASS_WITHDRAWN = "pass_withdrawn"
    PASS_OTHER_PLATE = "pass_other_plate"
    PASS_OTHER_GATE = "pass_other_gate"
    PASS_NOT_YET_VALID = "pass_not_yet_valid"
    PASS_EXPIRED = "pass_expired"
    PASS_USED_UP = "pass_used_up"


def pass_code(problem: PassProblem) -> Code:
    """The reason code that says why a pass was not taken."""
    return Code(f"pass_{problem.value}")


REASONS: dict[Code, tuple[str, str]] = {
    Code.BATTERY_ELECTRIC: ("纯电动", "Battery-electric"),
    Code.PLUG_IN: ("插混或燃料电池，计入提示排放", "Plug-in or fuel cell, emission recorded"),
    Code.REGISTERED_NEW_ENERGY: ("登记为新能源，登记信息优先于车牌颜色", "Registered as new-energy"),
    Code.ON_ALLOW_LIST: ("在放行名单上", "On the allow list"),
    Code.SPECIAL_KIND_ADMITTED: ("该类号牌按规则放行", "This kind of plate is admitted by rule"),
    Code.EMERGENCY_PLATE: ("应急车辆，先放行，许可后补", "Emergency vehicle: in first, permit afterwards"),
    Code.EMERGENCY_PERMIT: ("持应急许可，先放行，材料后补", "Emergency permit: in first, papers afterwards"),
    Code.PERMIT_VALID: ("许可有效", "A valid permit names this plate"),
    Code.LEAVING: ("驶离", "Leaving the island"),
    Code.ON_BLOCK_LIST: ("在禁入名单上", "On the block list"),
    Code.NEAR_BLOCK_LIST: ("与禁入名单上的车牌很像，看图确认", "Close to a blocked plate. Look at the picture"),
    Code.ON_ALERT_LIST: ("在关注名单上", "On the watch list"),
    Code.FUEL_WITHOUT_PERMIT: ("燃油车，没有今天的许可", "Fuel vehicle without a permit for today"),
    Code.PERMIT_EXPIRED: ("许可已过期", "The permit has expired"),
    Code.PERMIT_NOT_YET_VALID: ("许可还没到生效时间", "The permit is not valid yet"),
    Code.PERMIT_OTHER_GATE: ("许可不适用于这个门岗", "The permit is for another gate"),
    Code.PERMIT_USED_UP: ("许可次数已用完", "The permit has no entries left"),
    Code.PERMIT_OTHER_VEHICLE: ("车型与许可上登记的不符", "The permit names another type of vehicle"),
    Code.KIND_NOT_ADMITTED: ("该类号牌按规则不放行", "This kind of plate is not admitted by rule"),
    Code.NO_PLATE: ("没看到车牌", "No plate was seen"),
    Code.PLATE_UNAVAILABLE: ("读不到车牌：画面或识别不可用", "The plate could not be read: no picture or no reader"),
    Code.FORMAT_UNKNOWN: ("车牌格式不认识", "The plate has no known format"),
    Code.COLOUR_CONTRADICTS_FORMAT: ("车牌颜色和位数对不上", "Colour and length of the plate do not agree"),
    Code.TEMPORARY_PLATE: ("临时号牌，人工核对", "Temporary plate, checked by a person"),
    Code.PLATE_UNSURE: ("整牌把握不够，看图确认", "The plate as a whole is not certain. Look at the picture"),
    Code.CHARACTER_UNSURE: ("有一位看不准，看图确认", "One character is not certain. Look at the picture"),
    Code.COLOUR_UNSURE: ("车牌颜色看不准", "The plate's colour is not certain"),
    Code.NEAR_PERMIT: ("与一张许可只差一个字符，看图确认", "One character away from a permit. Look at the picture"),
    Code.PLUG_IN_HELD: ("插混按规则转人工", "Plug-in hybrids go to the guard by rule"),
    Code.KIND_PROVES_NOTHING: ("该类号牌不能证明能源类型", "This kind of plate does not prove the drive"),
    Code.ASK_TRACTOR_UNIT: ("挂车，请看牵引车的车牌", "A trailer: look at the tractor unit's plate"),
    Code.MAYBE_EMERGENCY: ("可能是应急车辆，不自动拒绝", "Possibly an emergency vehicle; never refused by itself"),
    Code.REGISTER_CONTRADICTS_PLATE: ("新能源号牌，但登记为燃油车", "New-energy plate, but registered as fuel"),
    Code.ALREADY_INSIDE: ("同一车牌已在岛内", "The same plate is already on the island"),
    Code.TYPE_CONTRADICTS_PLATE: ("车型与号牌种类不符", "The vehicle does not fit its kind of plate"),
    Code.PLATE_WITHOUT_VEHICLE: ("车牌周围没有车，可能是纸或屏幕", "No vehicle around the plate: paper or a screen?"),
    Code.PLATE_OF_OTHER_VEHICLE: ("车牌不在最前面的车上", "The plate is not on the vehicle in front"),
    Code.PLATE_WRONG_SIZE: ("车牌大小与车不相称", "The plate's size does not fit the vehicle"),
    Code.PLATE_WRONG_PLACE: ("车牌位置太高，像在挡风玻璃后", "The plate is too high, as behind a windscreen"),
    Code.PLATE_MOVES_APART: ("车牌与车的移动不一致", "The plate moves, but not with the vehicle"),
    Code.PLATE_APPEARED_LATE: ("车停下以后才出现车牌", "The plate appeared only after the vehicle had stopped"),
    Code.TAILGATED: ("跟着前车闯过，没有单独放行", "Went through behind another vehicle, not let in itself"),
    Code.SNAPSHOT_TOO_OLD: ("许可数据太旧，不自动拒绝", "The permits are too old to refuse by"),
    Code.CLOCK_DOUBTFUL: ("时钟可疑，许可时效不能判断", "The clock is in doubt, so permit dates cannot be judged"),
    Code.NO_RULE_IN_FORCE: ("今天没有生效的规则", "No rule is in force today"),
    Code.LANE_GUARDED: ("车道由值班逐辆决定", "A guard decides every vehicle in this lane"),
    Code.LANE_OPEN: ("车道已开放通行", "The lane is open to everybody"),
    Code.LANE_CLOSED: ("车道已关闭", "The lane is closed"),
    Code.PASS_VALID: ("车牌看不清，出示了有效的通行码", "The plate is not clear; a valid pass was shown"),
    Code.PASS_NEEDS_LOOK: ("通行码有效，请对照车牌", "The pass is valid. Compare it with the plate"),
    **{pass_code(problem): words for problem, words in PASS_PROBLEMS.items()},
}

# Why a person decided, the same at the hut and on the console; `other` asks for a note.
GUARD_ADMIT: dict[str, tuple[str, str]] = {
    "plate_read_by_eye": ("我看清了车牌", "I read the plate by eye"),
    "new_energy_confirmed": ("确认是新能源车", "It is a new-energy vehicle"),
    "emergency_duty": ("正在执行紧急任务", "On emergency duty"),
    "manager_approved": ("值班经理同意", "The duty manager agreed"),
    "system_fault": ("系统故障", "The system is at fault"),
    "other": ("其他原因", "Another reason"),
}
GUARD_PERMIT: dict[str, tuple[str, str]] = {"permit_checked": ("许可与车辆相符", "Permit and vehicle match")}
GUARD_REFUSE: dict[str, tuple[str, str]] = {
    "fuel_no_permit": ("燃油车，没有许可", "Fuel vehicle without a permit"),
    "permit_invalid": ("许可不在时段或门岗内", "Permit not valid now or here"),
    "plate_mismatch": ("车牌与车辆不符", "Plate and vehicle do not match"),
    "check_declined": ("司机不配合核查", "Driver declined the check"),
    "unsafe": ("放行不安全", "Not safe to let in"),
    "other": ("其他原因", "Another reason"),
}
