"""One held event for a person to decide: owns what is said of it, the way of the person around it, and the reasons.

The way is made of places and times alone, so that an odd jump shows without a map of anybody's day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.points_views import UNIT, exact, masked, scene_icon
from cloud_sync.server.console.words import Words
from cloud_sync.server.points.desk_records import HeldRecord, WayRecord
from cloud_sync.server.points.records import EarningRecord, FormulaRecord, Sentence
from control.points.methodology import Limits

RELEASE_REASON = {
    "seen_on_site": N_("Somebody saw it on site"),
    "device_clock": N_("The device's clock was wrong"),
    "explained": N_("The person explained it"),
    "plausible": N_("Odd, but it can be"),
}
REFUSE_REASON = {
    "cannot_be": N_("It cannot have been so"),
    "code_shared": N_("A code was handed on"),
    "device_misused": N_("The device was misused"),
    "no_answer": N_("The person did not answer"),
}
FIGURE = {
    "baseline_g": N_("Baseline"),
    "project_g": N_("With the act"),
    "grams": N_("Each time"),
    "activity": N_("Amount"),
    "reduced_g": N_("Reduced"),
}
_TRAVEL_UNITS = frozenset({"km", "pkm"})
_WAY_STOPS_MAX = 9


@dataclass(frozen=True, slots=True)
class Why:
    """One anomaly: its sentence, and the figure behind it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A place at a time. `leg` is the way from the stop before; `leg_odd` when it cannot be believed."""

    at: datetime
    place: str
    what: str
    is_this: bool
    leg: str = ""
    leg_odd: bool = False


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A row of the list."""

    event_id: str
    icon: str
    scene: str
    who: str
    at: datetime
    points: int
    reasons: tuple[str, ...]
    person: str


@dataclass(frozen=True, slots=True)
class HeldView:
    """All that is shown beside the list."""

    event_id: str
    icon: str
    scene: str
    who: str
    at: datetime
    started_at: datetime
    ended_at: datetime
    points: int
    release_at: datetime | None
    waits_s: float
    whys: tuple[Why, ...]
    facts: tuple[tuple[str, str], ...]
    way: tuple[Stop, ...]
    person: tuple[tuple[str, str], ...]


def said(words: Words, sentence: Sentence) -> str:
    """A sentence of the domain in the reader's language."""
    return sentence.zh if words.language == "zh" else sentence.en


def held_line(words: Words, held: HeldRecord) -> HeldLine:
    """A row of the list."""
    event = held.event
    return HeldLine(
        event.event_id,
        scene_icon(event.key),
        said(words, event.scene),
        masked(held.person_name),
        event.ended_at,
        event.points,
        tuple(said(words, one) for one in event.reasons),
        event.person,
    )


def held_view(
    words: Words,
    held: HeldRecord,
    around: Iterable[EarningRecord],
    ways: Iterable[WayRecord],
    *,
    now: datetime,
    names: Mapping[str, str],
    limits: Limits | None,
) -> HeldView:
    """One held event with its evidence; `around` are the person's events near it, `names` are of devices and places.

    `limits` are those of the methodology that it was judged by.
    """
    event = held.event
    return HeldView(
        event_id=event.event_id,
        icon=scene_icon(event.key),
        scene=said(words, event.scene),
        who=masked(held.person_name),
        at=event.ended_at,
        started_at=event.started_at,
        ended_at=event.ended_at,
        points=event.points,
        release_at=event.release_at,
        waits_s=(now - event.claimed_at).total_seconds(),
        whys=tuple(Why(said(words, one), _figure(words, one.code, event, limits)) for one in event.reasons),
        facts=facts(words, event, names),
        way=way(words, event, around, ways, names),
        person=_person(words, held),
    )


def _figure(words: Words, code: str, event: EarningRecord, limits: Limits | None) -> str:
    """The figure behind an anomaly, beside what is believed."""
    took = words.duration((event.ended_at - event.started_at).total_seconds())
    most, least = words.gettext("believed up to %(n)s"), words.gettext("at least %(n)s")
    match code:
        case "too_fast" if limits and limits.speed_max_kmh is not None:
            return f"{speed(event) or took} · {most % {'n': f'{exact(limits.speed_max_kmh)} km/h'}}"
        case "too_short" if limits and limits.duration_min_s is not None:
            return f"{took} · {least % {'n': words.duration(limits.duration_min_s)}}"
        case "too_much" if limits:
            return f"{event.activity} · {most % {'n': exact(limits.activity_max)}}"
        case "too_long":
            return took
        case _:
            return event.detail


def facts(words: Words, event: EarningRecord, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What was claimed, by name and value."""
    found = [(words.gettext("Evidence"), said(words, event.evidence))]
    places = [one for one in (event.start_place, event.end_place) if one]
    if event.source_id != ">".join(places):
        found.append((words.gettext("Read at"), names.get(event.source_id, event.source_id)))
    if places:
        found.append((words.gettext("Way"), " → ".join(dict.fromkeys(places))))
    if event.merchant:
        found.append((words.gettext("Merchant"), names.get(event.merchant, event.merchant)))
    found.append((words.gettext("Time"), words.window(event.started_at, event.ended_at)))
    if event.ended_at > event.started_at:
        found.append((words.gettext("Took"), words.duration((event.ended_at - event.started_at).total_seconds())))
    fast = speed(event)
    if fast:
        found.append((words.gettext("Speed"), fast))
    late_s = (event.claimed_at - event.ended_at).total_seconds()
    found.append((words.gettext("Claimed"), words.gettext("%(age)s later") % {"age": words.duration(max(0.0, late_s))}))
    if event.formula is not None:
        found += _formula(words, event.formula)
    return tuple(found)


def _formula(words: Words, formula: FormulaRecord) -> list[tuple[str, str]]:
    name = formula.name_zh if words.language == "zh" else formula.name_en
    found = [(words.gettext("Method"), f"{name} v{formula.version}")]
    for figure in formula.figures:
        amount, _, unit = figure.value.partition(" ")
        unit = words.gettext(UNIT[unit]) if unit in UNIT else "g"
        found.append((words.gettext(FIGURE.get(figure.name, figure.name)), f"{short(amount)} {unit}"))
    return found


def short(amount: str) -> str:
    """An exact amount for the eye: fractions and long decimals with two places."""
    try:
        top, _, bottom = amount.partition("/")
        value = Decimal(top) / Decimal(bottom or "1")
    except (InvalidOperation, ZeroDivisionError):
        return amount
    return f"{value.quantize(Decimal('0.01')).normalize():f}"


def _person(words: Words, held: HeldRecord) -> tuple[tuple[str, str], ...]:
    return (
        (words.gettext("Account since"), words.time(held.account_opened_at, seconds=False)),
        (
            words.gettext("In seven days"),
            words.ngettext("%(num)d act", "%(num)d acts", held.events_week) % {"num": held.events_week},
        ),
        (words.gettext("Held"), words.number(held.held_week)),
        (words.gettext("Refused"), words.number(held.refused_week)),
    )


def kilometres(event: EarningRecord) -> Decimal | None:
    """The way of a travel event, where its amount is one."""
    if event.formula is None:
        return None
    activity = next((one.value for one in event.formula.figures if one.name == "activity"), "")
    amount, _, unit = activity.partition(" ")
    try:
        return Decimal(short(amount)) if unit in _TRAVEL_UNITS else None
    except InvalidOperation:
        return None


def speed(event: EarningRecord) -> str | None:
    """The mean speed of a way, where it has length and time."""
    km, took_s = kilometres(event), (event.ended_at - event.started_at).total_seconds()
    return None if km is None or took_s <= 0 else f"{float(km) / took_s * 3600:.0f} km/h"


def way(
    words: Words,
    event: EarningRecord,
    around: Iterable[EarningRecord],
    ways: Iterable[WayRecord],
    names: Mapping[str, str],
) -> tuple[Stop, ...]:
    """Where the person was that day, by the codes they showed: the places around the event, with what lies between."""
    metres = {frozenset((one.from_place, one.to_place)): one.metres for one in ways}
    others = [one for one in around if one.event_id != event.event_id]
    stops = sorted(
        (stop for one in (event, *others) for stop in _stops(words, one, event.event_id, names)),
        key=lambda stop: stop.at,
    )
    first = max(0, next((at for at, stop in enumerate(stops) if stop.is_this), 0) - _WAY_STOPS_MAX // 2)
    shown = stops[first : first + _WAY_STOPS_MAX]
    odd = bool({one.code for one in event.reasons} & {"teleport", "too_fast"})
    legs = [_with_leg(words, before, stop, metres, odd) for before, stop in pairwise(shown)]
    return (shown[0], *legs) if legs else ()


def _stops(words: Words, event: EarningRecord, this_id: str, names: Mapping[str, str]) -> list[Stop]:
    this, scene = event.event_id == this_id, said(words, event.scene)
    found = []
    if event.start_place:
        what = words.gettext("%(scene)s, start") % {"scene": scene} if event.end_place else scene
        found.append(Stop(event.started_at, event.start_place, what, this))
    if event.end_place and event.end_place != event.start_place:
        found.append(Stop(event.ended_at, event.end_place, words.gettext("%(scene)s, end") % {"scene": scene}, this))
    if not found:
        place = event.merchant or event.source_id
        found.append(Stop(event.ended_at, names.get(place, place), scene, this))
    return found


def _with_leg(words: Words, before: Stop, stop: Stop, metres: Mapping[frozenset[str], int], odd: bool) -> Stop:
    seconds = (stop.at - before.at).total_seconds()
    length = metres.get(frozenset((before.place, stop.place)))
    parts = [] if length is None else [f"{length / 1000:.1f} km"]
    parts.append(words.duration(seconds))
    if length is not None and seconds > 0:
        parts.append(f"{length / seconds * 3.6:.0f} km/h")
    is_odd = odd and (stop.is_this or before.is_this) and length is not None
    return Stop(stop.at, stop.place, stop.what, stop.is_this, " · ".join(parts), is_odd)


def reason_text(table: Mapping[str, str], code: str, note: str) -> str:
    """What goes into the record, in one language for ever: the reason in English, then the note."""
    return ": ".join(one for one in (table.get(code, ""), note.strip()) if one)


def neighbours(lines: Sequence[HeldLine], event_id: str) -> tuple[str, str]:
    """The events before and after one in the list; empty at the ends."""
    ids = [one.event_id for one in lines]
    at = ids.index(event_id) if event_id in ids else -1
    before = ids[at - 1] if at > 0 else ""
    after = ids[at + 1] if 0 <= at < len(ids) - 1 else ""
    return before, after
