"""Passages, lanes and figures in words: owns the sentences, icons and tones that pages show for a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from cloud_sync.contract.look import plates
from cloud_sync.server.console import reading
from cloud_sync.server.console.labels import label
from cloud_sync.server.console.reasons import reason_icon, reason_sentence, reason_title
from cloud_sync.server.console.words import Words
from cloud_sync.server.records import GateStats, LaneRecord, PassageDetail, PassageRecord, PermitRecord

OWN_POLICY = "project policy value"  # a row that rests on no law says so in place of a clause
VERDICTS = {"admit": "admit", "admit_under_permit": "permit", "hold": "hold", "refuse": "refuse"}
ICONS = {
    "admit": "circle-check",
    "admit_under_permit": "shield-check",
    "hold": "circle-pause",
    "refuse": "octagon-x",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line with an icon and a tone: a reason, a check, a state."""

    tone: str
    icon: str
    title: str
    text: str = ""
    at: datetime | None = None


def verdict_of(outcome: str) -> str:
    """The colour word of an outcome."""
    return VERDICTS.get(outcome, "stale")


def icon_of(outcome: str) -> str:
    """The icon of an outcome."""
    return ICONS.get(outcome, "circle-question-mark")


# ---------------------------------------------------------------- plates


def chip(words: Words, record: PassageRecord, size: str) -> Markup:
    """The plate of a passage, its unsure characters boxed."""
    kind, colour = record.plate_kind or "unknown", record.plate_colour or "unknown"
    if not record.plate:
        missing = words.gettext("Plate deleted") if record.anonymised else words.gettext("Not read")
        return Markup(plates.chip("", plates.UNREAD, label=missing, size=size))
    unsure = reading.unsure_at(record)
    text = _with_kind(words, record.plate, kind)
    if unsure:
        text += " · " + words.gettext("character %(n)d unsure") % {"n": unsure[0] + 1}
    return Markup(plates.chip(record.plate, plates.ground_of(kind, colour), label=text, size=size, unsure=unsure))


def text_chip(words: Words, text: str, record: PassageRecord | None, size: str) -> Markup:
    """A plate from a list or a permit; drawn like the passage beside it, where there is one."""
    kind = (record.plate_kind if record else None) or "unknown"
    colour = (record.plate_colour if record else None) or "unknown"
    if not text:
        return Markup(plates.chip("", plates.UNREAD, label=words.gettext("Not read"), size=size))
    return Markup(plates.chip(text, plates.ground_of(kind, colour), label=plates.spoken(text), size=size))


def _with_kind(words: Words, text: str, kind: str) -> str:
    return f"{plates.spoken(text)} · {label(words, 'kind', kind)}"


def plate_line(words: Words, record: PassageRecord) -> str:
    """Colour and kind, in words."""
    parts = [label(words, "colour", record.plate_colour), label(words, "kind", record.plate_kind)]
    return " · ".join(part for part in parts if part != "—") or words.gettext("No plate was read")


def picture_alt(words: Words, record: PassageRecord, role: str) -> str:
    """What a picture shows, for those who do not see it."""
    plate = plates.spoken(record.plate or "") or words.gettext("Not read")
    if role == "crop":
        return words.gettext("The plate, cut out: %(plate)s") % {"plate": plate}
    return words.gettext("Vehicle with plate %(plate)s at %(time)s") % {
        "plate": plate,
        "time": words.time(record.arrived_at),
    }


def unsure_note(words: Words, record: PassageRecord) -> str:
    """The note above the plate in the picture."""
    found = reading.unsure_at(record)
    if not found:
        return ""
    share = record.characters[found[0]].probability
    return words.gettext("Character %(n)d unsure %(p)s") % {"n": found[0] + 1, "p": f"{share:.2f}"}


# ---------------------------------------------------------------- sentences


def headline(words: Words, record: PassageRecord, asked: reading.Question | None, permit: PermitRecord | None) -> str:
    """The answer first, in one sentence."""
    if asked and permit:
        plate = plates.spoken(permit.plate)
        return words.gettext("One character away from permit %(plate)s") % {"plate": plate}
    if record.reasons:
        return reason_title(words, record.reasons[0], record)
    return words.gettext("The gate asks for a person")


def lead(words: Words, record: PassageRecord, asked: reading.Question | None, permit: PermitRecord | None) -> str:
    """The headline of the page of one vehicle."""
    first = headline(words, record, asked, permit)
    stop = "。" if words.language == "zh" else "."
    if not asked or not record.waiting:
        return first.rstrip("。.") + stop
    look = words.gettext("Look at the picture: character %(n)d, %(one)s or %(two)s?") % {
        "n": asked.position,
        "one": asked.options[0].char,
        "two": asked.options[1].char,
    }
    return f"{first.rstrip('。.')}{stop} {look}"


def subline(words: Words, record: PassageRecord, asked: reading.Question | None) -> str:
    """The evidence in one sentence."""
    if asked and all(option.percent for option in asked.options):
        one, two = sorted(asked.options, key=lambda option: -float(option.percent.rstrip("%")))
        text = words.gettext(
            "Character %(n)d reads %(one)s (%(p)s) or %(two)s (%(q)s). Similar is not the same, so nothing opened."
        )
        return text % {"n": asked.position, "one": one.char, "p": one.percent, "two": two.char, "q": two.percent}
    if record.reasons:
        return reason_sentence(words, record.reasons[0], record)
    return ""


def short(words: Words, record: PassageRecord) -> str:
    """A few words for a row: who decided, under which permit, or what the vehicle is."""
    if record.waiting:
        return words.gettext("Waits for a decision")
    if record.revised_outcome:
        return words.gettext("Revised")
    if record.guard_by:
        return words.gettext("By hand · %(name)s") % {"name": record.guard_by}
    if record.final_outcome == "admit_under_permit" and record.permit_id:
        return words.gettext("Permit %(number)s") % {"number": record.permit_id}
    if record.final_outcome == "admit" and record.complete_permit_after:
        return words.gettext("Emergency · permit afterwards")
    if record.final_outcome == "admit" and record.energy in ("battery_electric", "plug_in_or_fuel_cell"):
        return label(words, "energy", record.energy)
    return reason_title(words, record.reasons[0], record) if record.reasons else label(words, "kind", record.plate_kind)


def whys(words: Words, record: PassageRecord) -> tuple[Line, ...]:
    """Every reason with its clause and rule version."""
    tone = {"unsure": "unsure"}.get(record.verdict or "", verdict_of(record.outcome))
    lines = []
    for one in record.reasons:
        quoted = one.clause if one.clause != OWN_POLICY else ""
        clause = words.gettext("Clause: %(clause)s") % {"clause": quoted} if quoted else ""
        parts = [reason_sentence(words, one, record), clause]
        title = reason_title(words, one, record)
        text = " · ".join(part for part in parts if part and part.rstrip("。.") != title)
        lines.append(Line(tone, reason_icon(one.code), title, text))
    return tuple(lines)


def unread_sentence(words: Words, record: PassageRecord) -> str:
    """Why there is no reading."""
    if record.unavailable:
        why = label(words, "device_why", record.unavailable)
        return words.gettext("The plate could not be read: %(why)s") % {"why": why}
    return words.gettext("No plate was found in the picture.")


def reading_note(words: Words, detail: PassageDetail) -> str:
    """From how many frames the reading came."""
    frames = int((detail.reading or {}).get("frames") or 0)
    kept = words.gettext("the raw reading is kept")
    if frames < 1:
        return kept
    return words.ngettext("%(n)d frame", "%(n)d frames fused", frames) % {"n": frames} + " · " + kept


def permit_line(words: Words, permit: PermitRecord) -> str:
    """Vehicle, holder and window of a permit on one line."""
    vehicle = label(words, "vehicle", permit.vehicle_type) if permit.vehicle_type else ""
    window = words.window(permit.valid_from, permit.valid_until)
    return " · ".join(part for part in (vehicle, permit.holder, window) if part)


def permit_checks(words: Words, permit: PermitRecord, record: PassageRecord) -> tuple[Line, ...]:
    """What of the permit fits this vehicle, time and gate."""
    checks = []
    if permit.vehicle_type and record.vehicle_type not in (None, "unknown"):
        fits = permit.vehicle_type == record.vehicle_type
        checks.append(_check(fits, words.gettext("Type fits"), words.gettext("Type differs")))
    inside = permit.valid_from <= record.arrived_at < permit.valid_until
    checks.append(_check(inside, words.gettext("Time fits"), words.gettext("Outside the window")))
    if permit.gates:
        checks.append(_check(record.gate_id in permit.gates, words.gettext("Gate fits"), words.gettext("Other gate")))
    away = sum(a != b for a, b in zip(permit.plate, record.plate or "", strict=False))
    away += abs(len(permit.plate) - len(record.plate or ""))
    if away:
        text = words.ngettext("Plate %(n)d character off", "Plate %(n)d characters off", away) % {"n": away}
        checks.append(Line("unsure", "circle-question-mark", "", text))
    else:
        checks.append(_check(True, words.gettext("Plate fits"), ""))
    return tuple(checks)


def _check(fits: bool, good: str, bad: str) -> Line:
    return Line("admit", "check", "", good) if fits else Line("refuse", "x", "", bad)


# ---------------------------------------------------------------- lanes


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane in five words."""

    tone: str
    icon: str
    word: str
    barrier: str
    loop: str
    speed: str


def lane_name(words: Words, lane: LaneRecord) -> str:
    """Its name, or its id."""
    return lane.name or str(lane.state.get("name") or lane.lane_id)


def lane_state(words: Words, lane: LaneRecord) -> LaneState:
    """What the lane does now; an old sign looks old."""
    barrier = label(words, "barrier", str(lane.state.get("barrier") or "unknown"))
    loops = {"occupied": words.gettext("Vehicle on the loop"), "free": words.gettext("Loop clear")}
    loop = loops.get(str(lane.state.get("loop_a")), words.gettext("Loop unknown"))
    ms = lane.state.get("decide_ms")
    speed = f"{ms:.0f} ms" if isinstance(ms, (int, float)) else "—"
    tone, icon, word = _lane_word(words, lane)
    return LaneState(tone, icon, word, barrier, loop, speed)


def _lane_word(words: Words, lane: LaneRecord) -> tuple[str, str, str]:
    if lane.liveness != "live":
        age = words.duration(lane.age_s)
        return "stale", "cloud-off", words.gettext("No word for %(age)s") % {"age": age}
    camera = str(lane.state.get("camera") or "ok")
    if camera != "ok":
        return "stale", "video-off", label(words, "device_why", camera)
    if lane.state.get("barrier") == "fault":
        return "refuse", "triangle-alert", words.gettext("Barrier fault")
    if lane.waiting_count:
        return "hold", "circle-pause", words.gettext("Waiting for you")
    return "admit", "circle-check", words.gettext("Working")


# ---------------------------------------------------------------- the last hour

COLUMN_PX, SQUARE_PX, ROWS_MIN = 12, 11, 4


@dataclass(frozen=True, slots=True)
class Square:
    """One passage in the chart of dots."""

    x: int
    y: int
    tone: str


@dataclass(frozen=True, slots=True)
class Dots:
    """The chart of the last hour, its sums, its table, and what it says."""

    height: int
    squares: tuple[Square, ...]
    ticks: tuple[str, ...]
    total: int
    sums: tuple[tuple[str, int], ...]
    table: tuple[tuple[str | int, ...], ...]
    finding: str


def hour_dots(words: Words, stats: GateStats) -> Dots:
    """One square a passage, one column a minute, stacked by outcome."""
    columns = [_column(minute) for minute in stats.minutes]
    rows = max(ROWS_MIN, *(len(column) for column in columns)) if columns else ROWS_MIN
    height = rows * SQUARE_PX + 2
    squares = tuple(
        Square(at * COLUMN_PX + 1, height - 1 - (row + 1) * SQUARE_PX, tone)
        for at, column in enumerate(columns)
        for row, tone in enumerate(column)
    )
    sums = tuple(stats.hour_by_outcome.items())
    total = sum(count for _, count in sums)
    ticks = tuple(words.clock_time(stats.minutes[at].minute) for at in (0, 30, 59)) if columns else ()
    finding = words.gettext("%(n)d passages in the last hour, %(a)d of them admitted") % {
        "n": total,
        "a": stats.hour_by_outcome.get("admit", 0) + stats.hour_by_outcome.get("admit_under_permit", 0),
    }
    return Dots(height, squares, ticks, total, sums, _hour_table(words, stats), finding)


def _column(minute: Any) -> list[str]:
    return [verdict_of(outcome) for outcome in VERDICTS for _ in range(getattr(minute, outcome))]


def _hour_table(words: Words, stats: GateStats) -> tuple[tuple[str | int, ...], ...]:
    rows = []
    for at in range(0, len(stats.minutes), 10):
        chunk: Sequence[Any] = stats.minutes[at : at + 10]
        counts = [sum(getattr(minute, outcome) for minute in chunk) for outcome in VERDICTS]
        rows.append((words.clock_time(chunk[0].minute), *counts))
    return tuple(rows)


def lane_devices(words: Words, lane: LaneRecord) -> tuple[Line, ...]:
    """Camera, barrier, loops, beam and display of one lane, as it told them last."""
    found = []
    for key, icon in _DEVICE_ICONS.items():
        if key in lane.state:
            tone, text = _device_word(words, key, lane.state[key])
            found.append(Line(tone, icon, _device_name(words, key), text))
    return tuple(found)


_DEVICE_ICONS = {
    "camera": "camera",
    "barrier": "construction",
    "loop_a": "circle-dot",
    "loop_b": "circle-dot",
    "beam": "activity",
    "display": "monitor",
}


def _device_name(words: Words, key: str) -> str:
    names = {
        "loop_a": words.gettext("Loop A (before the barrier)"),
        "loop_b": words.gettext("Loop B (under the barrier)"),
        "beam": words.gettext("Safety beam"),
    }
    return names.get(key) or label(words, "device", key)


def _barrier_word(words: Words, value: str) -> tuple[str, str]:
    if value in ("open", "closed", "opening", "closing"):
        return "admit", label(words, "barrier", value)
    return "refuse", label(words, "barrier", value)


def _device_word(words: Words, key: str, value: Any) -> tuple[str, str]:
    if key == "barrier":
        return _barrier_word(words, str(value))
    known = {
        "ok": ("admit", words.gettext("Working")),
        "occupied": ("dim", words.gettext("Occupied")),
        "free": ("dim", words.gettext("Clear")),
        "lost": ("stale", words.gettext("Lost")),
    }
    return known.get(str(value), ("stale", label(words, "device_why", str(value))))
