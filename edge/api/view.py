"""What the hut's page shows: owns the state as one JSON object, made anew at every change. Reads, never acts."""

from __future__ import annotations

from typing import Any

from cloud_sync.contract.look.plates import ground_of, spoken
from control.domain.events import PassageDecided
from control.domain.passes import PASS_PROBLEMS, PassProblem
from control.domain.permits import Permit
from control.domain.plates import PlateColour, PlateKind, formats_of, normalise
from control.domain.readings import Unavailable
from control.domain.vehicles import VehicleType
from control.gate.admission import permit_problem
from control.gate.lane import Barrier as Arm
from control.gate.presence import counted_down
from edge.app import Gateway
from edge.arrival import Arrival
from edge.display_words import reason_words
from edge.facts import iso
from edge.gate_lane import GateLane
from edge.journal import Recorded
from edge.lanes import Lane
from edge.passes import ShownPass
from edge.ports import Frame, JsonObject

RECENT_SHOWN = 6
UNSURE_BELOW = 0.8
READINGS_MAX = 2
# So many types are offered at once; the others are one tap further.
VEHICLE_CHOICES = 3
PASS_TOLD_S = 60.0


def state_of(gateway: Gateway, recent: list[JsonObject]) -> JsonObject:
    """Everything the page needs, ages in seconds so that a wrong clock in a browser does no harm."""
    parts = gateway.parts
    now_s = parts.clock.monotonic()
    held = [(lane, lane.held) for lane in gateway.gate_lanes()]
    return {
        "gateway": {"id": parts.gateway_id, "name": parts.name},
        "at": iso(parts.clock.now()),
        "cloud": {
            "configured": gateway.link.configured,
            "connected": gateway.link.connected,
            "for_s": round(now_s - gateway.link.since_s),
            "backlog": sum(parts.journal.backlog().get(lane, 0) for lane in ("0", "1", "3")),
            "permits_at": iso(parts.policy.snapshot.taken_at) if parts.policy.snapshot.version else None,
        },
        "disk_ok": not parts.evidence.full and not any(lane.journal_broken for lane in gateway.gate_lanes()),
        "lanes": [lane_view(lane, now_s) for lane in parts.lanes],
        "holds": [hold_view(gateway, lane, arrival) for lane, arrival in held if arrival is not None],
        "recent": recent,
    }


def lane_view(lane: Lane, now_s: float) -> JsonObject:
    """Camera, barrier and loop of one lane; what is gone says since when."""
    camera = lane.latest
    view: JsonObject = {
        "id": lane.settings.lane_id,
        "name": {"zh": lane.settings.name, "en": lane.settings.name_en},
        "direction": lane.settings.direction.value,
        "camera": _health(camera, now_s),
        "barrier": None,
        "loop": None,
        "message": None,
        "pass": None,
    }
    if isinstance(lane, GateLane):
        field = lane.field.last
        view["barrier"] = _health(field.barrier, now_s)
        if lane.state is not None and "barrier_stuck" in lane.state.alarms:
            view["barrier"] |= {"ok": False, "why": "barrier_stuck"}
        view["loop"] = {**_health(field.loop_a, now_s), "occupied": field.loop_a is True}
        view["message"] = lane.board.shown_code
        view["pass"] = last_pass_view(lane, now_s)
    return view


def _health(value: Frame | Arm | bool | Unavailable, now_s: float) -> JsonObject:
    if isinstance(value, Unavailable):
        return {"ok": False, "why": value.why, "for_s": round(max(0.0, now_s - value.since))}
    if isinstance(value, Arm):
        return {"ok": value is not Arm.FAULT, "why": "barrier_fault" if value is Arm.FAULT else "", "arm": value.value}
    return {"ok": True, "why": ""}


def hold_view(gateway: Gateway, lane: GateLane, arrival: Arrival) -> JsonObject:
    """One held vehicle: what was read, what else it may be, and why it waits."""
    passage = arrival.passage
    assert passage is not None
    event = passage.event
    frame = arrival.shown.frame if arrival.shown else None
    return {
        "arrival_id": arrival.arrival_id,
        "lane_id": lane.settings.lane_id,
        "waiting_s": round(gateway.parts.clock.monotonic() - arrival.begun_s),
        "outcome": event.outcome,
        "guard": {"outcome": arrival.guard_outcome, "by": arrival.guard_by} if arrival.guard_outcome else None,
        "plate": plate_view(event.plate) if event.plate else None,
        "readings": _readings(gateway, lane, event),
        "pass": pass_view(lane, arrival),
        "reasons": [reason_view(reason) for reason in event.reasons],
        "vehicle": vehicle_view(gateway, arrival.arrival_id, event.vehicle),
        "has_frame": event.frame_sha256 is not None,
        "quad": event.plate["quad"] if event.plate else None,
        "frame_size": [frame.image.shape[1], frame.image.shape[0]] if frame is not None else None,
    }


def _readings(gateway: Gateway, lane: GateLane, event: PassageDecided) -> list[JsonObject]:
    """What a person chooses between; the plate of a valid pass is one of it."""
    by_pass = pass_reading(lane)
    if event.plate is None:
        return by_pass
    return readings_of(gateway, lane, event.plate, [*(one["text"] for one in by_pass), *event.suggestions])


def pass_view(lane: GateLane, arrival: Arrival) -> JsonObject | None:
    """The pass that was shown for a held vehicle: what it says, and whether it holds now; None where none was."""
    shown = arrival.pass_shown
    if shown is None:
        return None
    if isinstance(shown.said, PassProblem):
        return _pass_line(shown, shown.said, None)
    found = lane.proved(shown.said, shown.said.permit.plate)
    problem = found if isinstance(found, PassProblem) else _told_problem(arrival)
    return _pass_line(shown, problem, shown.said.permit)


def _told_problem(arrival: Arrival) -> PassProblem | None:
    """What the decision found wrong with the pass for this very vehicle."""
    told = arrival.passage.event.pass_shown if arrival.passage is not None else None
    return PassProblem(told["problem"]) if told is not None and told["problem"] else None


def last_pass_view(lane: GateLane, now_s: float) -> JsonObject | None:
    """The pass that was read last at a lane, for a while: a guard may scan one before the vehicle is there."""
    shown = lane.passes.latest if lane.passes is not None else None
    if shown is None or now_s - shown.at_s > PASS_TOLD_S:
        return None
    if isinstance(shown.said, PassProblem):
        return _pass_line(shown, shown.said, None)
    found = lane.proved(shown.said, shown.said.permit.plate)
    return _pass_line(shown, found if isinstance(found, PassProblem) else None, shown.said.permit)


def _pass_line(shown: ShownPass, problem: PassProblem | None, permit: Permit | None) -> JsonObject:
    zh, en = PASS_PROBLEMS[problem] if problem is not None else ("", "")
    return {
        "valid": problem is None,
        "problem": {"code": "" if problem is None else problem.value, "zh": zh, "en": en},
        "source": shown.source.value,
        "at": iso(shown.at),
        "plate": None if permit is None else permit.plate,
        "spoken": None if permit is None else spoken(permit.plate),
        "permit_id": None if permit is None else permit.permit_id,
        "valid_until": None if permit is None else iso(permit.valid_until),
        "entries_left": None if permit is None else permit.entries_left,
    }


def pass_reading(lane: GateLane) -> list[JsonObject]:
    """The plate of a valid pass, for a person to compare; nothing where no valid one was shown."""
    arrival = lane.arrival
    shown = None if arrival is None else arrival.pass_shown
    if shown is None or isinstance(shown.said, PassProblem):
        return []
    text = shown.said.permit.plate
    permit = _proved_view(lane, text)
    if permit is None:
        return []
    colours = [colour for row in formats_of(text) for colour in row.colours]
    kind = formats_of(text)[0].kind.value if colours else PlateKind.UNKNOWN.value
    ground = ground_of(kind, min(colours, default=PlateColour.UNKNOWN).value)
    return [{"text": text, "spoken": spoken(text), "ground": ground, "differs": None, "permit": permit}]


def vehicle_view(gateway: Gateway, arrival_id: str, body: JsonObject | None) -> JsonObject | None:
    """The type as read, the next likely ones, and what a person called it; None where nobody may correct it."""
    desk = gateway.parts.vehicles
    if desk is None:
        return None
    kind = body["type"] if body else VehicleType.UNKNOWN.value
    others = [other for other, _ in body.get("alternatives", ())] if body else []
    unread = body is None or kind == VehicleType.UNKNOWN
    return {
        "type": kind,
        "confidence": None if unread else body["confidence"],
        "others": [other for other in others if other != kind][: VEHICLE_CHOICES - (0 if unread else 1)],
        "named": desk.named(arrival_id),
    }


def plate_view(body: JsonObject) -> JsonObject:
    """A plate for the chip: its ground, and which characters are in doubt."""
    unsure = [at for at, seen in enumerate(body["characters"]) if seen["probability"] < UNSURE_BELOW]
    return {
        "text": body["text"],
        "spoken": spoken(body["text"]),
        "kind": body["kind"],
        "ground": ground_of(body["kind"], body["colour"]),
        "rows": body["rows"],
        "unsure": unsure,
    }


def reason_view(reason: dict[str, str]) -> JsonObject:
    """A reason in both languages."""
    zh, en = reason_words(reason["code"])
    return {"code": reason["code"], "zh": zh, "en": en, "detail": reason.get("detail", "")}


def readings_of(gateway: Gateway, lane: GateLane, body: JsonObject, suggestions: list[str]) -> list[JsonObject]:
    """The readings a person chooses between, as equals: what was read and what it may be instead.

    One alone is no choice: then only that one is given.
    """
    texts = [body["text"], *suggestions, *_second_thoughts(body)]
    unique = list(dict.fromkeys(normalise(text) for text in texts))[:READINGS_MAX]
    ground = ground_of(body["kind"], body["colour"])
    return [
        {
            "text": text,
            "spoken": spoken(text),
            "ground": ground,
            "differs": _difference(text, unique),
            "permit": permit_view(gateway, lane, text),
        }
        for text in unique
    ]


def _second_thoughts(body: JsonObject) -> list[str]:
    """The text with its weakest character replaced by the runner-up, where there is doubt."""
    characters = body["characters"]
    doubtful = [at for at, seen in enumerate(characters) if seen["probability"] < UNSURE_BELOW and seen["alternatives"]]
    if not doubtful:
        return []
    at = min(doubtful, key=lambda place: characters[place]["probability"])
    return [body["text"][:at] + characters[at]["alternatives"][0][0] + body["text"][at + 1 :]]


def _difference(text: str, texts: list[str]) -> int | None:
    """The place where two readings of one length differ."""
    other = next((t for t in texts if t != text and len(t) == len(text)), None)
    if other is None:
        return None
    return next((at for at, (a, b) in enumerate(zip(text, other, strict=True)) if a != b), None)


def permit_view(gateway: Gateway, lane: GateLane, text: str) -> JsonObject | None:
    """The permit of a plate that opens this gate now, the entries that were used since it came counted."""
    at = gateway.parts.clock.now()
    snapshot = counted_down(gateway.parts.policy.snapshot, text, lane.presence)
    permits = [p for p in snapshot.permits.get(text, ()) if p.permit_id not in snapshot.revoked]
    fitting = (p for p in permits if permit_problem(p, lane.settings.gate_id, at) is None)
    permit: Permit | None = next(fitting, None)
    return _proved_view(lane, text) if permit is None else _permit_body(permit)


def _proved_view(lane: GateLane, text: str) -> JsonObject | None:
    """The permit that the shown pass proves for this plate now."""
    shown = None if lane.arrival is None else lane.arrival.pass_shown
    if shown is None or isinstance(shown.said, PassProblem):
        return None
    found = lane.proved(shown.said, text)
    return None if isinstance(found, PassProblem) else _permit_body(found)


def _permit_body(permit: Permit) -> JsonObject:
    return {
        "permit_id": permit.permit_id,
        "holder": permit.holder,
        "vehicle_type": permit.vehicle_type,
        "valid_from": iso(permit.valid_from),
        "valid_until": iso(permit.valid_until),
    }


async def recent_of(gateway: Gateway) -> list[JsonObject]:
    """The last passages, newest first, each with its newest decision and what a person decided about it."""
    rows = await gateway.parts.journal.recent(["passage_decided", "guard_decided"], 4 * RECENT_SHOWN)
    guards: dict[str, Recorded] = {}
    for row in rows:
        if row.kind == "guard_decided":
            guards.setdefault(row.body["arrival_id"], row)
    newest: dict[str, Recorded] = {}
    for row in rows:
        if row.kind == "passage_decided":
            newest.setdefault(row.body["arrival_id"], row)
    waiting = {lane.held.arrival_id for lane in gateway.gate_lanes() if lane.held and not lane.held.guard_outcome}
    passed = [row for row in newest.values() if row.body["arrival_id"] not in waiting]
    return [_recent_view(row.body, guards.get(row.body["arrival_id"])) for row in passed[:RECENT_SHOWN]]


def _recent_view(body: dict[str, Any], guard: Recorded | None) -> JsonObject:
    return {
        "arrival_id": body["arrival_id"],
        "at": body["at"],
        "plate": plate_view(body["plate"]) if body["plate"] else None,
        "outcome": guard.body["outcome"] if guard else body["outcome"],
        "emergency": bool(body["complete_permit_after"]),
        "by_guard": guard is not None,
    }
