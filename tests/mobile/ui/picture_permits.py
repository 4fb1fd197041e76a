"""What the pictures show of permits: one driver's fixed answers, as the cloud would give them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from picture_points import NOW, SINCE, ago

from cloud_sync.server.permits import choices as offered
from control.permits import words
from mobile.core.api import carbon, permits

ACTIVE, RETURNED, SUBMITTED, DRAFT, REFUSED = "P-2611-0042", "P-2611-0051", "P-2611-0055", "P-2611-0057", "P-2611-0031"
VISIT_ID, OPEN_VISIT_ID = "visit-1", "visit-2"
PASS_TEXT = "IP:6BFOXN%TS3DHBZK3YI$ZPO92B08M+5$ZPO92B08QLE/2F0A7C1D9E4B65HZK3YI.PO92+B08M:5ZPO9208QLEHZK3YI"
_PLATE, _OTHER = "琼C78083", "琼C61K28"
_REMARK = {"field": "purpose_text", "text": "请写明吊装地点。 Say where the crane stands."}


def _form(plate: str, **more: Any) -> permits.Form:
    given: dict[str, Any] = {
        "plate": plate,
        "plate_colour": "yellow",
        "permit_class": "special",
        "entry_kind": "counted",
        "entries": 6,
        "vehicle_type": "crane",
        "emission_class": "crane",
        "drive": "diesel",
        "consumption_per_100km": None,
        "purpose": "lifting",
        "purpose_text": "会议中心北侧吊装",
        "gates": ("east", "north"),
        "route": "东屿岛环线",
        "window_from": ago(hours=2.7),
        "window_until": NOW + timedelta(hours=7.3),
        "holder": "海岛起重",
        "papers": (
            permits.Paper("ab" * 32, "vehicle_licence", "image/png", 184_320, "licence.png", date(2027, 6, 30)),
        ),
    }
    return permits.Form(**given | more)


def _row(number: str, status: str, form: permits.Form, *, left: int | None, **more: Any) -> permits.ApplicationRow:
    given: dict[str, Any] = {
        "application_id": number,
        "status": status,
        "purpose": form.purpose or "",
        "entries_left": left,
        "is_emergency_entry": False,
        "was_returned": status == "returned",
        "due_at": None,
        "due_term": None,
        "due_of_office": None,
        "submitted_at": ago(days=2),
        "decided_at": None,
        "published_at": None,
        "updated_at": ago(hours=3),
        "version": 3,
    }
    names = (
        "plate", "plate_colour", "permit_class", "entry_kind", "vehicle_type", "purpose_text", "holder", "gates",
        "window_from", "window_until",
    )  # fmt: skip
    return permits.ApplicationRow(**given | {name: getattr(form, name) for name in names} | more)


_LATER = {"window_from": NOW + timedelta(days=2), "window_until": NOW + timedelta(days=2, hours=8)}
FORMS = {
    ACTIVE: _form(_PLATE),
    RETURNED: _form(_OTHER, purpose_text="更换幕墙玻璃", **_LATER),
    SUBMITTED: _form(_PLATE, purpose="power_repair", purpose_text="检修东门配电柜", **_LATER),
    DRAFT: _form(_OTHER, purpose=None, purpose_text="", window_from=None, window_until=None, papers=()),
    REFUSED: _form(_PLATE, purpose_text="送货", window_from=ago(days=9), window_until=ago(days=8)),
}
ROWS = (
    _row(DRAFT, "draft", FORMS[DRAFT], left=None, submitted_at=None, version=1),
    _row(
        SUBMITTED, "submitted", FORMS[SUBMITTED], left=6,
        due_at=NOW + timedelta(hours=20), due_term="review", due_of_office=True,
    ),
    _row(
        RETURNED, "returned", FORMS[RETURNED], left=6,
        due_at=NOW + timedelta(days=3), due_term="resubmit", due_of_office=False,
    ),
    _row(ACTIVE, "active", FORMS[ACTIVE], left=4, decided_at=ago(days=1), published_at=ago(days=1)),
    _row(REFUSED, "refused", FORMS[REFUSED], left=0, decided_at=ago(days=9)),
)  # fmt: skip


_ACTIONS = {
    "draft": "create",
    "submitted": "submit",
    "returned": "return",
    "approved": "approve",
    "active": "activate",
    "refused": "refuse",
}


def _change(number: int, before: str, after: str, role: str, at: Any, **more: Any) -> permits.ChangeRecord:
    given: dict[str, Any] = {
        "by": role,
        "by_name": {"driver": "陈师傅"}.get(role, "办公室 Office"),
        "reason": "",
        "remarks": (),
    }
    return permits.ChangeRecord(
        number=number, at=at, role=role, action=_ACTIONS[after], before=before, after=after, **given | more
    )


_HANDED_IN = (_change(1, "", "draft", "driver", ago(days=3)), _change(2, "draft", "submitted", "driver", ago(days=2)))
_HISTORY: Mapping[str, tuple[permits.ChangeRecord, ...]] = {
    DRAFT: _HANDED_IN[:1],
    SUBMITTED: _HANDED_IN,
    RETURNED: (*_HANDED_IN, _change(3, "submitted", "returned", "reviewer", ago(hours=3), remarks=(_REMARK,))),
    ACTIVE: (
        *_HANDED_IN,
        _change(3, "submitted", "approved", "reviewer", ago(days=1)),
        _change(4, "approved", "active", "system", ago(hours=2.7)),
    ),
    REFUSED: (
        *_HANDED_IN,
        _change(
            3,
            "submitted",
            "refused",
            "reviewer",
            ago(days=9),
            reason="有新能源车可用。 An electric vehicle can do it.",
        ),
    ),
}


def application(number: str) -> permits.ApplicationRecord:
    row = next(one for one in ROWS if one.application_id == number)
    used = 0 if row.status != "active" else 2
    said = permits.Words("请在期限前补正。", "Correct it before the term ends.")
    term = (
        (permits.DeadlineRecord(row.due_term, row.due_at, bool(row.due_of_office), False, said),)
        if row.due_at and row.due_term
        else ()
    )
    return permits.ApplicationRecord(
        row=row,
        form=FORMS[number],
        approvals_needed=1,
        entries_used=used,
        entries_max=6,
        entries_left=row.entries_left,
        overused=False,
        entered_at=ago(hours=1) if used else None,
        appeal=None,
        copied_from=None,
        created_at=ago(days=3),
        deadlines=term,
        history=_HISTORY[number],
    )


CHECK = permits.CheckRecord(
    problems=(),
    ticks=(
        permits.Tick("plate", "ok", permits.Words("车牌格式正确", "The plate is well-formed")),
        permits.Tick("papers", "ok", permits.Words("材料齐全", "All papers are there")),
        permits.Tick("window", "warn", permits.Words("提前不足一天", "Less than a day ahead")),
    ),
)
PASS = permits.PassRecord(
    ACTIVE, _PLATE, PASS_TEXT, ago(days=1), ago(hours=2.7), NOW + timedelta(hours=7.3), ("east", "north"), 4
)
REMINDERS = (
    permits.ReminderRecord(
        "r1", RETURNED, _OTHER, "due", "resubmit", NOW + timedelta(days=3), None, ago(hours=3), None,
        permits.Words("申请被退回，请补正。", "The application came back: correct it."),
    ),
    permits.ReminderRecord(
        "r2", ACTIVE, _PLATE, "entries", None, NOW + timedelta(hours=7.3), 4, ago(days=1), ago(hours=20),
        permits.Words("还可进岛 4 次。", "4 entries are left."),
    ),
)  # fmt: skip


def _vehicle(
    vehicle_id: str, plate: str, name: str, kind: str, drive: str, *, confirmed: bool
) -> permits.VehicleRecord:
    return permits.VehicleRecord(
        vehicle_id,
        plate,
        "yellow",
        kind,
        drive,
        kind,
        Decimal("32.5"),
        name,
        ago(days=50),
        ago(days=50),
        ago(days=40) if confirmed else None,
    )


VEHICLES = (
    _vehicle("vehicle-1", _PLATE, "25 吨吊车 25 t crane", "crane", "diesel", confirmed=True),
    _vehicle("vehicle-2", _OTHER, "", "crane", "diesel", confirmed=False),
)


def _choices(named: Mapping[Any, tuple[str, str]]) -> tuple[permits.Choice, ...]:
    return tuple(permits.Choice(str(code), permits.Words(*said)) for code, said in named.items())


CHOICES = permits.FormChoices(
    gates=_choices(offered.GATES)[:2],
    permit_classes=tuple(
        permits.ClassChoice(str(code), permits.Words(*said), ("vehicle_licence",), Decimal(7), Decimal(24))
        for code, said in offered.CLASSES.items()
    ),
    purposes=_choices(words.PURPOSES),
    vehicle_types=_choices(offered.VEHICLES),
    drives=_choices(words.DRIVES),
    emission_classes=tuple(
        permits.EmissionChoice(str(code), permits.Words(*said), Decimal("32.5"))
        for code, said in offered.EMISSIONS.items()
    ),
    entry_kinds=_choices(words.ENTRY_KINDS),
    paper_kinds=_choices(words.PAPER_KINDS),
    ahead_days_max=Decimal(30),
    entries_max=60,
    papers_max=10,
    paper_bytes_max=10_000_000,
    picture_side_least_px=480,
    appeal_papers_max=5,
)


def _visit(visit_id: str, hours: float, *, owed_g: int, covered_g: int, **more: Any) -> carbon.VisitRow:
    at = ago(hours=hours)
    given: dict[str, Any] = {
        "purpose": "lifting",
        "purpose_text": "会议中心北侧吊装",
        "application_id": ACTIVE,
        "vehicle_class": "crane",
        "tier": 2,
        "fuel_amount": Decimal("6.8"),
        "fuel_unit": "L",
        "information": False,
        "uncertainty_frac": Decimal("0.12"),
        "due_on": at.date() + timedelta(days=30),
        "days_late": 0,
        "problem": "",
        "revision": 1,
    }
    return carbon.VisitRow(
        visit_id=visit_id,
        at=at,
        day=at.date(),
        plate=_PLATE,
        plate_colour="yellow",
        owed_g=owed_g,
        covered_g=covered_g,
        **given | more,
    )


VISITS = (
    _visit(OPEN_VISIT_ID, 2, owed_g=18_240, covered_g=0),
    _visit(VISIT_ID, 26, owed_g=17_610, covered_g=17_610),
    _visit("visit-3", 75, owed_g=0, covered_g=0, tier=None, fuel_amount=None, uncertainty_frac=None, problem="no_exit"),
)
_FIGURE = carbon.Figure(
    revision=1,
    computed_at=ago(hours=1),
    day=NOW.date(),
    co2_g=17_420,
    ch4_g_co2e=40,
    n2o_g_co2e=150,
    total_g=17_610,
    fuel="diesel",
    fuel_amount=Decimal("6.8"),
    fuel_unit="L",
    tier=2,
    tier_zh="按里程和车型油耗",
    tier_en="By distance and the class's consumption",
    uncertainty_frac=Decimal("0.12"),
    factor_version="2026-09",
    factors=(carbon.FactorUsed("f1", "diesel.co2", "2.59", "kg/L", "GB/T 32151", SINCE),),
    set_aside=(),
    assumed=(),
    information=False,
)


def visit(visit_id: str) -> carbon.VisitRecord:
    row = next(one for one in VISITS if one.visit_id == visit_id)
    covers = (
        (carbon.CoverRow("CCER", "红树林 mangroves", 2025, "CCER-0001", "r-1", 0, row.covered_g, ago(hours=20)),)
        if row.covered_g
        else ()
    )
    return carbon.VisitRecord(
        row=row,
        figure=_FIGURE if row.tier else None,
        declared=(),
        covers=covers,
        revisions=1,
        entered_at=row.at,
        left_at=row.at + timedelta(minutes=80),
        gate_in="east",
        gate_out="east",
        evidence_until=NOW.date() + timedelta(days=20),
        neutralised_at=ago(hours=20) if covers else None,
    )


ENTRIES = tuple(
    permits.VisitRecord(
        one.visit_id, one.plate, one.application_id, one.application_id, "east", "east", one.at,
        one.at + timedelta(minutes=80), "closed", (), "crane", False, True, None, one.at,
    )
    for one in VISITS
)  # fmt: skip
PAPERS = (carbon.PaperRow("paper-1", "visits", "", "zh", "cd" * 32, 48_200, ago(days=1)),)
