"""What happened to one vehicle, step by step: owns the words for journalled facts and orders."""

from __future__ import annotations

from typing import Any

from cloud_sync.contract.look.plates import spoken
from cloud_sync.server.console.labels import label
from cloud_sync.server.console.views import Line, icon_of, verdict_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.records import CommandRecord, EventRecord, PassageDetail
from control.domain.passes import PASS_PROBLEMS, PassProblem


def trail(words: Words, detail: PassageDetail) -> tuple[Line, ...]:
    """Facts from the gateway, orders from here, corrections and revisions, in time."""
    lines = [line for event in detail.events if (line := _event(words, event))]
    lines += [_command(words, one) for one in detail.commands]
    told = {event.kind for event in detail.events}
    if "plate_corrected" not in told:
        lines += [_correction(words, one) for one in detail.corrections]
    if "decision_revised" not in told:
        lines += [_revision(words, one) for one in detail.revisions]
    return tuple(sorted(lines, key=lambda line: line.at or detail.passage.arrived_at))


def _event(words: Words, event: EventRecord) -> Line | None:
    body, at = event.body, event.wall_at
    match event.kind:
        case "passage_decided":
            outcome = str(body.get("outcome", ""))
            title = words.gettext("The gate decided: %(what)s") % {"what": label(words, "outcome", outcome)}
            return Line(verdict_of(outcome), icon_of(outcome), title, _pass(words, body.get("pass_shown")), at)
        case "guard_decided":
            return _guard(words, body, at)
        case "barrier_commanded":
            return Line("dim", "construction", words.gettext("Barrier ordered"), str(body.get("action", "")), at)
        case "vehicle_passed":
            return Line("dim", "car", label(words, "movement", str(body.get("movement", ""))), "", at)
        case "command_result":
            result = label(words, "result", str(body.get("outcome", "")))
            return Line("dim", "router", words.gettext("The gate answered: %(what)s") % {"what": result}, "", at)
        case "plate_corrected":
            return Line("dim", "pencil", words.gettext("Plate corrected"), _from_to(body), at)
        case "vehicle_corrected":
            named = label(words, "vehicle", str(body.get("corrected", "")))
            title = words.gettext("Vehicle named: %(what)s") % {"what": named}
            return Line("dim", "car", title, _vehicle_before(words, body), at)
        case "decision_revised":
            outcome = str(body.get("outcome", ""))
            return Line(verdict_of(outcome), "undo-2", words.gettext("Revised"), label(words, "outcome", outcome), at)
    return None


def _pass(words: Words, shown: Any) -> str:
    """What the pass was worth that was shown to the camera or the scanner; "" where there was none."""
    if not isinstance(shown, dict):
        return ""
    problem = str(shown.get("problem", ""))
    if problem in set(PassProblem):
        return PASS_PROBLEMS[PassProblem(problem)][words.language != "zh"]
    return words.gettext("Valid pass for %(plate)s") % {"plate": spoken(str(shown.get("plate", "")))}


def _vehicle_before(words: Words, body: dict[str, Any]) -> str:
    predicted = str(body.get("predicted", ""))
    if not predicted:
        return str(body.get("by", ""))
    read = words.gettext("read as %(what)s") % {"what": label(words, "vehicle", predicted)}
    return f"{body.get('by', '')} · {read}"


def _from_to(body: dict[str, Any]) -> str:
    return f"{spoken(str(body.get('raw_text', '')))} → {spoken(str(body.get('corrected_text', '')))}"


def _guard(words: Words, body: dict[str, Any], at: Any) -> Line:
    outcome = str(body.get("outcome", ""))
    title = f"{body.get('by', '')}: {label(words, 'outcome', outcome)}"
    parts = [
        label(words, "why", str(body.get("reason_code", ""))),
        str(body.get("note") or ""),
        label(words, "source", str(body.get("source", ""))),
    ]
    return Line(verdict_of(outcome), icon_of(outcome), title, " · ".join(part for part in parts if part), at)


def _command(words: Words, one: CommandRecord) -> Line:
    title = words.gettext("%(name)s ordered: %(what)s") % {
        "name": one.issued_by,
        "what": label(words, "outcome", one.outcome),
    }
    answer = label(words, "result", one.result) if one.result else words.gettext("no answer yet")
    reason = label(words, "why", one.reason_code)
    return Line("dim", "arrow-up-right", title, " · ".join([reason, answer]), one.issued_at)


def _correction(words: Words, one: Any) -> Line:
    text = f"{spoken(one.raw_text)} → {spoken(one.corrected_text)} · {one.by}"
    return Line("dim", "pencil", words.gettext("Plate corrected"), text, one.at)


def _revision(words: Words, one: Any) -> Line:
    text = " · ".join([label(words, "outcome", one.outcome), label(words, "why", one.reason_code), one.by])
    return Line(verdict_of(one.outcome), "undo-2", words.gettext("Revised"), text, one.at)
