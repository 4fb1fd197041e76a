"""What goes wrong in a request: owns RFC 9457 problems and their sentences in Chinese and English."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from control.domain.errors import IslandError

MEDIA_TYPE = "application/problem+json"

# code: (status, English, Chinese). A sentence says what happened and what to do next.
SENTENCES: dict[str, tuple[int, str, str]] = {
    "not_signed_in": (401, "Sign in first.", "先登录。"),
    "wrong_credentials": (401, "Name or password is wrong.", "用户名或密码不对。"),
    "wrong_setup_code": (
        401,
        "This is not the set-up code in the file.",
        "设置码不对，从文件里再看一次。",
    ),
    "gateway_unknown": (401, "No gateway has this token.", "没有网关使用这个令牌。"),
    "forbidden": (403, "Your role may not do this. Ask an engineer.", "你的角色不能这样做，找工程师开通。"),
    "foreign_origin": (403, "The request came from another site. Reload the page.", "请求来自别的网站，刷新页面再试。"),
    "csrf": (403, "The page is too old. Reload it and try again.", "页面太旧了，刷新后再试。"),
    "not_found": (404, "There is nothing here.", "这里什么也没有。"),
    "already_set_up": (409, "An account exists already. Sign in.", "已有账号，直接登录。"),
    "already_decided": (409, "Somebody decided this vehicle already.", "这辆车已有人处理。"),
    "not_waiting": (409, "This vehicle is not waiting.", "这辆车没在等待。"),
    "order_running": (409, "An order is on its way to this gateway already.", "已有指令发往这个网关，等它回复。"),
    "version_staged": (
        409,
        "A version is staged already. Put it in force or discard it first.",
        "已有一版在暂存，先让它生效或放弃。",
    ),
    "version_gone": (409, "This version is not staged any more.", "这一版已不在暂存。"),
    "nothing_changed": (409, "Nothing differs from what is in force.", "和现行设置一样，没有改动。"),
    "whatif_busy": (409, "Your last replay is still running.", "你上一次推演还没算完。"),
    "whatif_slow": (503, "The replay took too long and was given up. Try again.", "推演超时，已停止等待，再试一次。"),
    "already_exists": (409, "This id is taken.", "这个编号已被使用。"),
    "last_engineer": (409, "One engineer has to remain.", "至少要保留一位工程师。"),
    "own_role": (
        409,
        "Nobody changes their own role. Ask another engineer.",
        "不能改自己的角色，找另一位工程师来改。",
    ),
    "organisation_off": (
        409,
        "This organisation is switched off. Ask the office.",
        "该单位已停用，请联系管理方。",
    ),
    "too_large": (413, "The file is too large.", "文件太大。"),
    "not_a_picture": (415, "Only JPEG, PNG and WebP pictures are taken.", "只收 JPEG、PNG、WebP 图片。"),
    "hash_differs": (422, "The bytes do not have this hash. Send them again.", "内容与哈希不符，重新上传。"),
    "invalid": (422, "Some fields are wrong.", "有些内容填得不对。"),
    "setting_refused": (422, "A setting is not allowed as it is.", "有一项设置不在允许的范围内。"),
    "range_too_long": (422, "The range is too long for these rows. Take longer means.", "时间太长，换更粗的间隔。"),
    "weak_password": (422, "At least 10 characters, and not the name.", "至少 10 个字符，且不能和用户名相同。"),
    "plate_invalid": (422, "This is not the text of a plate.", "这不是车牌号。"),
    "reason_missing": (422, "Say why.", "写明原因。"),
    "bad_cursor": (400, "The page mark is not ours. Start the search again.", "翻页标记不对，重新搜索。"),
    "too_many_attempts": (429, "Too many attempts. Wait some minutes.", "尝试太多，过几分钟再来。"),
    "storage_full": (507, "The picture store is full.", "图片存储已满。"),
    "database_away": (
        503,
        "The database does not answer. Gates go on working.",
        "数据库没有应答，闸口照常工作。",
    ),
    "too_many_requests": (429, "Too many requests. Wait a moment.", "请求太多，稍等再试。"),
    "key_reused": (
        409,
        "This request key was used for something else. Use a new one.",
        "这个请求键已用于别的操作，换一个新的。",
    ),
    "token_invalid": (401, "The session is over. Sign in again.", "登录已失效，重新登录。"),
    "token_reused": (
        401,
        "This session was used twice and has been ended everywhere. Sign in again.",
        "这次登录被重复使用，已在所有设备上退出，重新登录。",
    ),
    "consent_missing": (422, "Agree to the current terms first.", "先同意当前版本的说明。"),
    "consent_needed": (
        409,
        "The account cannot be kept without this. Delete the account instead.",
        "没有这一项就不能保留账号，可以改为注销账号。",
    ),
    "guardian_needed": (
        422,
        "At this age a guardian has to open and keep the account with you.",
        "这个年龄要由监护人一起开通和保管账号。",
    ),
    "guardian_refused": (
        409,
        "This account cannot be a guardian. A guardian is grown up and has no guardian.",
        "这个账号不能做监护人：监护人要成年，且自己没有监护人。",
    ),
    "code_invalid": (422, "The code is wrong or too old. Ask for a new one.", "码不对或已过期，重新要一个。"),
    "account_gone": (409, "This account was made anonymous.", "这个账号已匿名化。"),
    "rules_refused": (422, "The rule cannot be written like this.", "规则不能这样写。"),
    "rules_moved": (
        409,
        "Somebody wrote a newer version meanwhile. Look at it and try again.",
        "期间有人写了新版本，看过后再试。",
    ),
    "not_offered": (404, "This way of signing in is not offered here.", "这里没有开通这种登录方式。"),
    "provider_refused": (
        401,
        "The sign-in provider's answer could not be verified. Try again.",
        "登录服务的回应无法验证，再试一次。",
    ),
    "provider_unlinked": (
        403,
        "No account here belongs to this sign-in. Link it in your account first.",
        "这里没有和它关联的账号，先在“我的账号”里关联。",
    ),
    "provider_away": (
        503,
        "The sign-in provider does not answer. Use your password.",
        "登录服务没有应答，改用密码登录。",
    ),
    "text_invalid": (400, "The text holds characters that cannot be kept.", "内容里有无法保存的字符。"),
    "no_merchant": (
        409,
        "This account serves at no merchant. Ask the office.",
        "这个账号不属于任何商户，请联系办公室。",
    ),
    "way_day_taken": (
        409,
        "A row of these places holds on that day already. A later one begins tomorrow or after it.",
        "这一天已有这段路程的数值，新值从明天或其后开始。",
    ),
    "points_refused": (409, "The rules of points do not allow this.", "积分规则不允许这样做。"),
    "entry_refused": (409, "The ledger does not take this entry.", "账本不接受这笔分录。"),
    "units_taken": (409, "Some of these serial numbers are in a lot already.", "这些序列号已在某个批次里。"),
    "units_in_use": (409, "Units of this lot are retired or promised.", "这个批次的额度已注销或已预留。"),
    "too_few_units": (409, "The lots do not hold as many tonnes. Buy credits first.", "额度不够，先购入再注销。"),
    "same_person": (403, "Another person has to confirm this.", "需要另一个人复核。"),
    "month_not_over": (409, "The month is not over yet. Settle it afterwards.", "这个月还没过完，月末之后再结算。"),
    "month_settled": (409, "This month is settled already.", "这个月已经结算。"),
    "till_differs": (
        409,
        "The merchant's list differs from the statement. Settle it with the reason why the differences stand.",
        "商户清单和对账单不一致，写明差额为何成立再结算。",
    ),
    "not_pending": (409, "This retirement is decided already.", "这笔注销已有结果。"),
    "paper_missing": (
        422,
        "A paper has to show what you declare. Upload it and send it along.",
        "申报的数据要有材料证明，先上传材料再提交。",
    ),
    "evidence_late": (409, "The term for evidence is over. Ask the office.", "举证期限已过，请联系办公室。"),
    "step_refused": (409, "This step is not possible now.", "现在不能这样做。"),
    "changed_meanwhile": (
        409,
        "Somebody changed the application meanwhile. Look at it again, then repeat the step.",
        "期间有人改过这份申请，看过新内容后再操作。",
    ),
    "not_a_draft": (
        409,
        "Only what was never handed in can be deleted. This application was.",
        "只有从未提交的草稿可以删除，这份申请已提交过。",
    ),
    "draft_of_entry": (
        409,
        "This vehicle came in on an emergency. Complete its papers and hand them in.",
        "这辆车已紧急进岛，请补齐材料并提交，不能删除。",
    ),
    "form_has_problems": (
        422,
        "The form still has problems. They stand beside the fields.",
        "表单还有问题，见各栏旁的提示。",
    ),
    "document_refused": (422, "This file is not accepted.", "不接受这个文件。"),
    "paper_unknown": (422, "A paper was not uploaded by you. Upload it again.", "有材料不是你上传的，重新上传。"),
    "day_is_full": (429, "You have uploaded enough for today. Go on tomorrow.", "今天上传的文件已到上限，明天再传。"),
    "no_pass": (409, "There is no valid permit to show a pass for.", "没有有效的许可，不能出示通行码。"),
    "pass_too_large": (
        409,
        "The permit names too many gates for a QR code. Ask the office to split it.",
        "许可包含的门岗太多，二维码放不下，请办公室拆分。",
    ),
    "vehicle_known": (409, "This vehicle is in your list already.", "这辆车已在你的列表里。"),
    "vehicle_is_anothers": (
        409,
        "Another account has this plate confirmed. Take it from there first.",
        "这个车牌已确认属于另一个账号，先在那里解除。",
    ),
    "not_neutralised": (
        409,
        "Something is owed that no credit covers yet. Retire credits first.",
        "还有排放没有抵消，先注销碳信用。",
    ),
    "nothing_to_say": (404, "There is nothing for these days yet.", "这些日子还没有内容。"),
    "feed_token_unknown": (401, "No platform has this token.", "没有平台使用这个令牌。"),
    "event_closed": (409, "The event's account is closed.", "活动账户已经结算。"),
    "event_empty": (409, "The event's account has no line yet.", "活动账户还没有明细。"),
    "holder_unknown": (
        404,
        "Nobody, or more than one, is called so. Give the user name or an application.",
        "没有这个人，或者不止一个。请填用户名或申请编号。",
    ),
}


class Problem(IslandError):
    """A request that cannot be served; `code` is a key of SENTENCES."""

    def __init__(self, code: str, *, detail: str = "", retry_after_s: int | None = None, **more: Any) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.more = more

    @property
    def status(self) -> int:
        """HTTP status."""
        return SENTENCES[self.code][0]

    def sentence(self, language: str) -> str:
        """The sentence in `zh` or `en`."""
        return SENTENCES[self.code][2 if language.startswith("zh") else 1]


def as_response(problem: Problem, instance: str) -> JSONResponse:
    """The problem as RFC 9457 JSON, with both languages."""
    headers = {"Retry-After": str(problem.retry_after_s)} if problem.retry_after_s else {}
    body = {
        "type": f"urn:island:problem:{problem.code}",
        "code": problem.code,
        "title": problem.sentence("en"),
        "title_zh": problem.sentence("zh"),
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        **problem.more,
    }
    return JSONResponse(body, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page, and not a script for data."""
    path = request.url.path
    return not path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
