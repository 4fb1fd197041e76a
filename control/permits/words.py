"""What permits say to people: owns the sentence of every state, problem, refusal and flag, in Chinese and English.

`{detail}` stands for the limit or the thing that a problem names.
"""

from __future__ import annotations

from control.permits.application import Drive, EntryKind, Purpose, Role, Status
from control.permits.deadlines import ReminderKind, Term
from control.permits.documents import DocumentProblem
from control.permits.form_check import Problem, ProblemCode
from control.permits.transitions import Action, StepRefusal
from control.permits.visits import VisitFlag, VisitState

Words = tuple[str, str]

STATUSES: dict[Status, Words] = {
    Status.DRAFT: ("草稿", "Draft"),
    Status.SUBMITTED: ("审核中", "Under review"),
    Status.RETURNED: ("退回补正", "Returned"),
    Status.APPROVED: ("已批准，待生效", "Approved, not yet valid"),
    Status.REFUSED: ("不予批准", "Refused"),
    Status.ACTIVE: ("生效中", "Active"),
    Status.USED_UP: ("次数用完", "Used up"),
    Status.EXPIRED: ("已过期", "Expired"),
    Status.REVOKED: ("已撤销", "Revoked"),
    Status.APPEALED: ("申诉中", "Under appeal"),
}

ROLES: dict[Role, Words] = {
    Role.DRIVER: ("驾驶人", "Driver"),
    Role.ORGANISATION: ("单位", "Organisation"),
    Role.REVIEWER: ("审核人", "Reviewer"),
    Role.APPROVER: ("批准人", "Approver"),
    Role.OFFICE: ("办公室", "Office"),
    Role.SYSTEM: ("系统", "System"),
}

ACTIONS: dict[Action, Words] = {
    Action.EDIT: ("修改", "Edit"),
    Action.SUBMIT: ("提交", "Submit"),
    Action.RETURN: ("退回", "Return"),
    Action.APPROVE: ("批准", "Approve"),
    Action.REFUSE: ("不予批准", "Refuse"),
    Action.ASSIGN: ("指定申请人", "Name the applicant"),
    Action.UNDO_APPROVAL: ("收回批准", "Take the approval back"),
    Action.ACTIVATE: ("生效", "Begin"),
    Action.COUNT_ENTRIES: ("计入进岛次数", "Count entries"),
    Action.EXPIRE: ("到期", "Expire"),
    Action.REVOKE: ("撤销", "Revoke"),
    Action.APPEAL: ("申诉", "Appeal"),
    Action.GRANT_APPEAL: ("支持申诉", "Grant the appeal"),
    Action.REJECT_APPEAL: ("驳回申诉", "Reject the appeal"),
}

ENTRY_KINDS: dict[EntryKind, Words] = {
    EntryKind.SINGLE: ("单次", "Single entry"),
    EntryKind.COUNTED: ("多次", "Counted entries"),
    EntryKind.STANDING: ("长期", "Standing"),
}

DRIVES: dict[Drive, Words] = {
    Drive.PETROL: ("汽油", "Petrol"),
    Drive.DIESEL: ("柴油", "Diesel"),
    Drive.LNG: ("液化天然气", "LNG"),
    Drive.CNG: ("压缩天然气", "CNG"),
    Drive.LPG: ("液化石油气", "LPG"),
    Drive.PLUG_IN: ("插电混动", "Plug-in hybrid"),
}

PURPOSES: dict[Purpose, Words] = {
    Purpose.RESCUE: ("应急救援", "Rescue"),
    Purpose.MEDICAL: ("医疗救护", "Medical"),
    Purpose.POLICE: ("警务安保", "Police and security"),
    Purpose.POWER_REPAIR: ("电力抢修", "Power repair"),
    Purpose.SANITATION: ("环卫作业", "Sanitation"),
    Purpose.CONSTRUCTION: ("工程施工", "Construction"),
    Purpose.LIFTING: ("吊装与高空作业", "Lifting and aerial work"),
    Purpose.DELIVERY: ("物资运输", "Delivery"),
    Purpose.CONFERENCE: ("会议保障", "Conference service"),
    Purpose.AIRPORT_TRANSFER: ("机场接送", "Airport transfer"),
    Purpose.OTHER: ("其他", "Other"),
}

PAPER_KINDS: dict[str, Words] = {
    "vehicle_licence": ("行驶证", "Vehicle licence"),
    "vehicle_photo": ("车辆照片", "Photo of the vehicle"),
    "driving_licence": ("驾驶证", "Driving licence"),
    "duty_order": ("任务单", "Duty order"),
    "contract": ("合同或委托书", "Contract or order"),
    "insurance": ("保险单", "Insurance policy"),
    "other": ("其他材料", "Other paper"),
}

FIELD_PROBLEMS: dict[ProblemCode, Words] = {
    ProblemCode.MISSING: ("请填写", "Fill this in"),
    ProblemCode.TOO_LONG: ("最多 {detail} 个字", "At most {detail} characters"),
    ProblemCode.PLATE_FORMAT: ("不是已知的车牌格式：{detail}", "No known format of a plate: {detail}"),
    ProblemCode.PLATE_COLOUR: ("车牌颜色与号码格式不符", "The plate's colour does not fit its text"),
    ProblemCode.PLATE_TEMPORARY: ("临时号牌请到办公室办理", "Temporary plates are handled at the office"),
    ProblemCode.NEEDS_NO_PERMIT: ("纯电动车无需许可", "A battery-electric vehicle needs no permit"),
    ProblemCode.TRAILER: ("挂车请填写牵引车的车牌", "For a trailer, give the tractor unit's plate"),
    ProblemCode.REGISTER_SAYS_OTHERWISE: ("与车辆登记信息不符：{detail}", "The vehicle register says {detail}"),
    ProblemCode.BLOCKED: ("该车在禁入名单上：{detail}", "The vehicle is on the block list: {detail}"),
    ProblemCode.CLASS_UNKNOWN: ("没有这个排放车型：{detail}", "There is no emission class {detail}"),
    ProblemCode.CONSUMPTION_NOT_POSITIVE: ("油耗应为正数", "The consumption is a number above zero"),
    ProblemCode.CONSUMPTION_TOO_LOW: ("油耗低得不合理，下限 {detail}", "Unlikely for this class: at least {detail}"),
    ProblemCode.CONSUMPTION_TOO_HIGH: ("油耗高得不合理，上限 {detail}", "Unlikely for this class: at most {detail}"),
    ProblemCode.PURPOSE_TEXT_MISSING: ("请写明事由", "Say what the purpose is"),
    ProblemCode.GATE_UNKNOWN: ("没有这个门岗：{detail}", "There is no gate {detail}"),
    ProblemCode.GATE_TWICE: ("门岗重复：{detail}", "Gate {detail} stands twice"),
    ProblemCode.NO_TIME_ZONE: ("时间没有时区", "The time has no time zone"),
    ProblemCode.WINDOW_BACKWARDS: ("结束时间应晚于开始时间", "The end comes after the beginning"),
    ProblemCode.WINDOW_OVER: ("时段已经过去", "The window is over"),
    ProblemCode.WINDOW_TOO_LONG: ("时段最长 {detail} 天", "A window has at most {detail} days"),
    ProblemCode.TOO_SOON: ("请至少提前 {detail} 小时申请", "Apply at least {detail} hours ahead"),
    ProblemCode.TOO_FAR_AHEAD: ("最多提前 {detail} 天申请", "Apply at most {detail} days ahead"),
    ProblemCode.OVERLAPS: ("与许可 {detail} 的时段重叠", "The window overlaps with permit {detail}"),
    ProblemCode.ENTRIES_RANGE: ("次数应在 1 到 {detail} 之间", "Between 1 and {detail} entries"),
    ProblemCode.ENTRIES_NOT_COUNTED: ("只有多次许可填写次数", "Only a counted permit has a number of entries"),
    ProblemCode.STANDING_NOT_ALLOWED: ("此类许可不能长期有效", "This class has no standing entry"),
    ProblemCode.PAPER_MISSING: ("缺少材料：{detail}", "A paper is missing: {detail}"),
    ProblemCode.PAPER_KIND_UNKNOWN: ("没有这种材料：{detail}", "There is no kind of paper {detail}"),
    ProblemCode.PAPER_TWICE: ("同一份材料上传了两次", "The same paper stands twice"),
    ProblemCode.TOO_MANY_PAPERS: ("最多 {detail} 份材料", "At most {detail} papers"),
    ProblemCode.OFFSET_OVERDUE: (
        "有到访逾期未抵消：{detail}",
        "Offset these overdue visits first: {detail}",
    ),
}

# Where the reader may not know the detail.
BARE_PROBLEMS: dict[ProblemCode, Words] = {
    ProblemCode.BLOCKED: ("该车在禁入名单上", "The vehicle is on the block list"),
    ProblemCode.OVERLAPS: ("与该车另一许可的时段重叠", "The window overlaps with another permit of the vehicle"),
    ProblemCode.OFFSET_OVERDUE: ("该车有到访逾期未抵消", "The vehicle has overdue visits that are not offset"),
}

STEP_REFUSALS: dict[StepRefusal, Words] = {
    StepRefusal.NO_SUCH_STEP: ("当前状态不能这样做", "This cannot be done in the present state"),
    StepRefusal.ROLE_MAY_NOT: ("该角色无权这样做", "This role may not do this"),
    StepRefusal.NOT_THE_APPLICANT: ("不是申请人", "Only the applicant may do this"),
    StepRefusal.OWN_APPLICATION: ("不能审批自己提交的申请", "Nobody judges an application that they filed"),
    StepRefusal.FORM_HAS_PROBLEMS: ("表单还有问题", "The form still has problems"),
    StepRefusal.REASON_MISSING: ("请写明理由", "Give a reason"),
    StepRefusal.REMARKS_MISSING: ("请写明要补正什么", "Say what has to be changed"),
    StepRefusal.APPROVED_BY_THE_SAME: ("第二次批准须由另一人作出", "The second approval is another person's"),
    StepRefusal.SECOND_MUST_BE_APPROVER: ("第二次批准须由批准人作出", "The second approval is an approver's"),
    StepRefusal.NOT_YET_TIME: ("还没到时间", "It is not yet time"),
    StepRefusal.WINDOW_IS_OVER: ("期限已过", "The time for this is over"),
    StepRefusal.COUNT_MISSING: ("没有给出进岛次数", "The number of entries is missing"),
    StepRefusal.APPEAL_TOO_LATE: ("申诉期限已过", "The term for an appeal is over"),
    StepRefusal.APPEAL_DECIDED_BEFORE: ("已经申诉过一次", "There has been an appeal before"),
    StepRefusal.TOO_MUCH_EVIDENCE: ("证据文件太多", "Too many files of evidence"),
    StepRefusal.DECIDED_BY_THE_SAME: ("原决定人不能裁定申诉", "Who decided first does not decide the appeal"),
    StepRefusal.TIME_GOES_BACK: ("早于上一步的时间", "Earlier than the step before it"),
    StepRefusal.NOT_YOUR_APPROVAL: ("只有批准人本人可以收回", "Only who approved takes it back"),
    StepRefusal.UNDO_TOO_LATE: ("收回时限已过，许可已发往门岗", "Too late: the permit is on its way to the gates"),
    StepRefusal.NOBODY_NAMED: ("没有指定申请人", "No applicant is named"),
    StepRefusal.EMERGENCY_STAYS_ONE: (
        "应急进岛只能补办应急类单次许可",
        "An emergency entry stays one: class emergency, single entry",
    ),
    StepRefusal.ENTERED_PLATE_STAYS: (
        "已进岛车辆的车牌只能由管理方更正",
        "The plate that went in is corrected by the office only",
    ),
}

TERMS: dict[Term, Words] = {
    Term.REVIEW: ("审核期限", "Review"),
    Term.RESUBMIT: ("补正期限", "Sending it again"),
    Term.APPEAL: ("申诉期限", "Appeal"),
    Term.APPEAL_REVIEW: ("申诉裁定期限", "Decision on the appeal"),
    Term.EMERGENCY_COMPLETION: ("应急进岛补办期限", "Papers of an emergency entry"),
}

REMINDERS: dict[ReminderKind, Words] = {
    ReminderKind.TERM_ENDS_SOON: ("期限将到", "A term ends soon"),
    ReminderKind.TERM_IS_OVER: ("已逾期", "Overdue"),
    ReminderKind.WINDOW_BEGINS_SOON: ("许可即将生效", "The permit begins soon"),
    ReminderKind.WINDOW_ENDS_SOON: ("许可即将到期", "The permit ends soon"),
    ReminderKind.FEW_ENTRIES_LEFT: ("剩余次数不多", "Few entries are left"),
}

DOCUMENT_PROBLEMS: dict[DocumentProblem, Words] = {
    DocumentProblem.EMPTY: ("文件是空的", "The file is empty"),
    DocumentProblem.TOO_LARGE: ("文件太大，最多 {detail} 字节", "The file is too large: at most {detail} bytes"),
    DocumentProblem.TYPE_NOT_ACCEPTED: ("只接受 JPEG、PNG、WebP 和 PDF", "Only JPEG, PNG, WebP and PDF are accepted"),
    DocumentProblem.DAMAGED: ("文件损坏或不完整", "The file is damaged or not complete"),
    DocumentProblem.TWO_TYPES_IN_ONE: ("文件里藏有另一种文件", "The file is two kinds of file at once"),
    DocumentProblem.TOO_MANY_PIXELS: ("图片太大，最多 {detail} 像素", "The picture has more than {detail} pixels"),
    DocumentProblem.TOO_SMALL_TO_READ: ("图片太小，看不清", "The picture is too small to read"),
    DocumentProblem.PDF_ENCRYPTED: ("PDF 已加密，请去掉密码", "The PDF is encrypted. Remove its password"),
    DocumentProblem.PDF_ACTIVE: ("PDF 含有脚本或动作：{detail}", "The PDF holds scripts or actions: {detail}"),
    DocumentProblem.PDF_CARRIES_FILES: ("PDF 内嵌其他文件", "The PDF carries other files"),
    DocumentProblem.PDF_UNREADABLE: ("PDF 的结构无法检查", "The structure of the PDF cannot be checked"),
    DocumentProblem.PDF_UNPACKS_TOO_LARGE: ("PDF 解压后太大", "The PDF unpacks to too much"),
}

VISIT_STATES: dict[VisitState, Words] = {
    VisitState.INSIDE: ("在岛内", "On the island"),
    VisitState.COMPLETE: ("已离岛", "Left"),
    VisitState.EXIT_UNKNOWN: ("离岛时间不明", "Exit unknown"),
    VisitState.ENTRY_UNKNOWN: ("进岛时间不明", "Entry unknown"),
}

VISIT_FLAGS: dict[VisitFlag, Words] = {
    VisitFlag.OTHER_GATE_OUT: ("从另一门岗离岛", "Left by another gate"),
    VisitFlag.CLONE: ("同一车牌在两处进岛，疑似套牌", "One plate entered at two places: perhaps a clone"),
    VisitFlag.TAILGATED_IN: ("跟车闯入", "Went in behind another vehicle"),
    VisitFlag.TAILGATED_OUT: ("跟车驶出", "Went out behind another vehicle"),
    VisitFlag.ENTERED_AGAIN: ("未见离岛又再次进岛", "Entered again without an exit"),
    VisitFlag.STAYED_TOO_LONG: ("停留超过规定时限", "Stayed longer than the limit"),
    VisitFlag.CLOCKS_DISAGREE: ("两处门岗的时钟不一致", "The clocks of two gates disagree"),
}


def sentence(problem: Problem) -> Words:
    """A field's problem in Chinese and English, with its detail in place; papers by their names."""
    if not problem.detail and problem.code in BARE_PROBLEMS:
        return BARE_PROBLEMS[problem.code]
    named = PAPER_KINDS.get(problem.detail, (problem.detail, problem.detail))
    chinese, english = FIELD_PROBLEMS[problem.code]
    return chinese.replace("{detail}", named[0]), english.replace("{detail}", named[1])
