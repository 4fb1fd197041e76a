"""Judging an earning event: owns what is refused, what waits for a person's look, and what is granted.

Rules and methodologies are those of the island's day on which the event ended; the past is passed in. What is against
the rules is refused, what is only unlikely is held with names. Held events keep their room under the caps, so that
releasing them later never exceeds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from control.domain.exact import InexactNumber, exact
from control.points import rules as keys
from control.points.award import Award, Cap, Room, award
from control.points.earning_types import (
    Anomaly,
    EarningEvent,
    Granted,
    Held,
    Judgement,
    PastEarning,
    Person,
    Refused,
    RefusedEarning,
    Surroundings,
    dedupe_key,
)
from control.points.methodology import (
    BY_PEOPLE,
    CLAIM_H_MAX,
    SINGLE_USE,
    TRAVEL,
    Evidence,
    Methodology,
    MethodologySet,
    MissingMethodology,
    Unit,
)
from control.points.rotating_code import STEP_S
from control.points.rules import PointRules, PointRuleSet

_HOUR = timedelta(hours=1)
_WAYS = frozenset({Unit.KM, Unit.PASSENGER_KM})
_BY_CODE = frozenset({Evidence.DEVICE_CODE, Evidence.TRIP_CODES})


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything about one event, with the rows of its day."""

    event: EarningEvent
    person: Person
    around: Surroundings
    method: Methodology
    rules: PointRules
    activity: Fraction
    day: date
    dedupe_key: str

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.around.zone).date()

    def of_the_day(self) -> Iterator[PastEarning]:
        return (past for past in self.around.past if self.day_of(past.ended_at) == self.day)


def judge(
    event: EarningEvent, person: Person, around: Surroundings, methods: MethodologySet, rules: PointRuleSet
) -> Judgement:
    """Whether an event is granted, held or refused, with the points it gives.

    Total over events: bad figures and unknown keys are refused. Raises NoRules when the rules do not cover the day.
    """
    case = _case(event, person, around, methods, rules)
    if isinstance(case, RefusedEarning):
        return case
    for check in _CHECKS:
        refused = check(case)
        if refused is not None:
            return refused
    given = award(case.method, case.activity, case.rules, _room(case))
    if given.points == 0:
        return _nothing_left(given)
    reasons = tuple(reason for reason, found in _ANOMALIES if found(case))
    if not reasons:
        return Granted(given, case.dedupe_key)
    only_new = reasons == (Anomaly.NEW_ACCOUNT,)
    return Held(given, case.dedupe_key, reasons, _hold_ends(case) if only_new else None)


def past_of(event: EarningEvent, judgement: Granted | Held) -> PastEarning:
    """The event as the past of the next one."""
    return PastEarning(
        event_id=event.event_id,
        dedupe_key=judgement.dedupe_key,
        key=event.key,
        started_at=event.started_at,
        ended_at=event.ended_at,
        claimed_at=event.claimed_at,
        grams=judgement.award.grams,
        points=judgement.award.points,
        trip_id=event.trip_id,
        steps=event.steps or 0,
        start_place=event.start_place,
        end_place=event.end_place,
    )


def review(held: Held, person: Person, *, reviewer_id: str, release: bool) -> Granted | RefusedEarning:
    """A reviewer's word on a held event; nobody releases their own points or their ward's."""
    if person.is_close_to(reviewer_id):
        return RefusedEarning((Refused.OWN_AWARD,), f"reviewer {reviewer_id}")
    if not release:
        return RefusedEarning((Refused.REVIEWED_AND_REFUSED,), f"reviewer {reviewer_id}")
    return Granted(held.award, held.dedupe_key)


def released_by_time(held: Held, now: datetime) -> Granted | Held:
    """A held event whose only reason was a new account, once the account is old enough."""
    if held.release_at is None or now < held.release_at:
        return held
    return Granted(held.award, held.dedupe_key)


def appeal_until(decided_at: datetime, rules: PointRules) -> datetime:
    """Until when a person may appeal against a decision."""
    return decided_at + timedelta(days=rules.value(keys.APPEAL_WINDOW))


def _case(
    event: EarningEvent, person: Person, around: Surroundings, methods: MethodologySet, rules: PointRuleSet
) -> _Case | RefusedEarning:
    if any(at.tzinfo is None for at in (event.started_at, event.ended_at, event.claimed_at)):
        return RefusedEarning((Refused.NO_TIME_ZONE,))
    if event.ended_at < event.started_at:
        return RefusedEarning((Refused.ENDS_BEFORE_IT_STARTS,))
    # Times of a phone can be any; what no claim window reaches has no day to look up.
    if abs(event.claimed_at - event.ended_at) > timedelta(hours=CLAIM_H_MAX):
        return RefusedEarning((Refused.TOO_LATE if event.ended_at < event.claimed_at else Refused.FROM_THE_FUTURE,))
    try:
        activity = exact(event.activity)
        if event.distance_km is not None and exact(event.distance_km) < 0:
            return RefusedEarning((Refused.NOTHING_DONE,), "distance below zero")
    except InexactNumber as error:
        return RefusedEarning((Refused.NOT_A_NUMBER,), str(error))
    if activity <= 0 or (event.steps is not None and event.steps < 0):
        return RefusedEarning((Refused.NOTHING_DONE,))
    day = event.ended_at.astimezone(around.zone).date()
    try:
        method = methods.row(event.key, day)
    except MissingMethodology as error:
        return RefusedEarning((Refused.NO_METHODOLOGY,), str(error))
    return _Case(event, person, around, method, rules.at(day), activity, day, dedupe_key(event))


def _check_form(case: _Case) -> RefusedEarning | None:
    event = case.event
    if event.person_id != case.person.person_id:
        return RefusedEarning((Refused.OTHER_PERSON,))
    if event.evidence not in case.method.evidence:
        return RefusedEarning((Refused.EVIDENCE_NOT_ACCEPTED,), event.evidence)
    if not event.source_id.strip() or not event.evidence_ref.strip():
        return RefusedEarning((Refused.NO_EVIDENCE,))
    if event.evidence in BY_PEOPLE and not event.confirmed_by.strip():
        return RefusedEarning((Refused.NO_EVIDENCE,), "nobody confirmed it")
    if event.evidence is Evidence.PHONE and event.steps is None:
        return RefusedEarning((Refused.NO_EVIDENCE,), "the phone counted no steps")
    return None


def _check_times(case: _Case) -> RefusedEarning | None:
    event = case.event
    # Phones and devices may be a little ahead of the cloud.
    if event.ended_at > event.claimed_at + timedelta(seconds=case.rules.value(keys.PHONE_CLOCK)):
        return RefusedEarning((Refused.FROM_THE_FUTURE,))
    if event.claimed_at - event.ended_at > timedelta(hours=case.method.claim_window_h):
        return RefusedEarning((Refused.TOO_LATE,), f"{case.method.claim_window_h} h")
    if event.ended_at < case.person.opened_at:
        return RefusedEarning((Refused.BEFORE_THE_ACCOUNT,))
    return None


def _check_people(case: _Case) -> RefusedEarning | None:
    event, person = case.event, case.person
    if person.born_on is not None and person.guardian_id in (None, person.person_id):
        age = _age(person.born_on, case.day)
        if age < case.rules.value(keys.GUARDIAN_AGE):
            return RefusedEarning((Refused.NO_GUARDIAN,), f"age {age}")
    if event.confirmed_by and person.is_close_to(event.confirmed_by):
        return RefusedEarning((Refused.OWN_AWARD,))
    # A code that one's own device shows is worth no more than one's own word.
    if {event.merchant_id, event.source_id} & (person.works_for | person.owns):
        return RefusedEarning((Refused.OWN_MERCHANT,), event.merchant_id or event.source_id)
    return None


def _check_once(case: _Case) -> RefusedEarning | None:
    event = case.event
    for past in case.around.past:
        if past.event_id == event.event_id or past.dedupe_key == case.dedupe_key:
            return RefusedEarning((Refused.DUPLICATE,), past.event_id)
    user = case.around.evidence_used_by
    if user and (event.evidence in SINGLE_USE or user == event.person_id):
        return RefusedEarning((Refused.EVIDENCE_USED,))
    return None


def _check_trip(case: _Case) -> RefusedEarning | None:
    """One source a trip: by its id, and for ways travelled by their time."""
    event = case.event
    for past in case.around.past:
        same = bool(event.trip_id) and event.trip_id == past.trip_id
        if same or (case.method.scene in TRAVEL and past.scene in TRAVEL and _overlap(event, past)):
            return RefusedEarning((Refused.SAME_TRIP,), past.event_id)
    return None


def _check_acts(case: _Case) -> RefusedEarning | None:
    acts = sum(past.key == case.event.key for past in case.of_the_day())
    most = case.method.limits.acts_day_max
    return RefusedEarning((Refused.TOO_MANY_ACTS,), f"{most} a day") if acts >= most else None


_CHECKS: tuple[Callable[[_Case], RefusedEarning | None], ...] = (
    *(_check_form, _check_times, _check_people),
    *(_check_once, _check_trip, _check_acts),
)


def _overlap(event: EarningEvent, past: PastEarning) -> bool:
    """Whether two ways share a moment; one that ends where the other starts does not."""
    if event.started_at == past.started_at:
        return True
    return event.started_at < past.ended_at and past.started_at < event.ended_at


def _age(born_on: date, day: date) -> int:
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def _room(case: _Case) -> Room:
    today = tuple(case.of_the_day())
    return Room(
        scene_g=sum(past.grams for past in today if past.scene is case.method.scene),
        day_points=sum(past.points for past in today),
    )


def _nothing_left(given: Award) -> RefusedEarning:
    words = {Cap.SCENE_DAY: Refused.SCENE_CAP_REACHED, Cap.DAY: Refused.DAY_CAP_REACHED}
    return RefusedEarning(tuple(words[cap] for cap in given.capped_by) or (Refused.TOO_LITTLE,))


def _hold_ends(case: _Case) -> datetime:
    return case.person.opened_at + timedelta(hours=case.rules.value(keys.NEW_ACCOUNT_HOLD))


def _is_new(case: _Case) -> bool:
    return case.event.claimed_at < _hold_ends(case)


def _is_too_much(case: _Case) -> bool:
    """More than one act can be, or a longer way than was measured."""
    measured = case.event.distance_km
    longer = measured is not None and case.method.unit in _WAYS and case.activity > exact(measured)
    return longer or case.activity > case.method.limits.activity_max


def _seconds(case: _Case) -> Fraction:
    return Fraction(_microseconds(case.event.ended_at - case.event.started_at), 1_000_000)


def _slack_s(case: _Case) -> int:
    """Codes prove their moment to half a step at either end, and so the time between to a whole one."""
    return STEP_S if case.event.evidence in _BY_CODE else 0


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _is_too_fast(case: _Case) -> bool:
    """The faster of what was measured and what is claimed, where the activity is a way."""
    limit = case.method.limits.speed_max_kmh
    if limit is None:
        return False
    measured = case.event.distance_km
    km = max(case.activity, exact(measured)) if measured is not None else case.activity
    return km * 3600 > limit * (_seconds(case) + _slack_s(case))


def _is_too_short(case: _Case) -> bool:
    least = case.method.limits.duration_min_s
    return least is not None and _seconds(case) < least


def _is_too_long(case: _Case) -> bool:
    return case.method.scene in TRAVEL and _seconds(case) > case.rules.value(keys.TRIP_MAX)


def _has_too_many_steps(case: _Case) -> bool:
    most, steps = case.method.limits.steps_day_max, case.event.steps
    if most is None or steps is None:
        return False
    return steps + sum(past.steps for past in case.of_the_day()) > most


def _has_too_few_steps(case: _Case) -> bool:
    """Where a phone counted steps, they have to be able to make the way."""
    steps = case.event.steps
    if steps is None or case.method.unit is not Unit.KM:
        return False
    cm = max(case.activity, exact(case.event.distance_km or 0)) * 100_000
    return cm > steps * case.rules.value(keys.STEP_LENGTH)


def _teleported(case: _Case) -> bool:
    """Whether the way to or from a neighbouring event's place is too far for the time between."""
    event, metres = case.event, case.around.metres
    slack = timedelta(seconds=_slack_s(case))
    for past in case.around.past:
        if past.ended_at <= event.started_at:
            pair, gap = (past.end_place, event.start_place), event.started_at - past.ended_at
        elif event.ended_at <= past.started_at:
            pair, gap = (event.end_place, past.start_place), past.started_at - event.ended_at
        else:
            continue
        way = metres.get(pair, metres.get((pair[1], pair[0]), 0))
        # metres / seconds against km/h: 3.6 km/h is 1 m/s.
        if way * 3600 * 1_000 > case.rules.value(keys.TELEPORT_SPEED) * _microseconds(gap + slack):
            return True
    return False


def _is_burst(case: _Case) -> bool:
    ended_at = case.event.ended_at
    near = sum(abs(past.ended_at - ended_at) < _HOUR for past in case.around.past)
    return near + 1 > case.rules.value(keys.EVENTS_PER_H)


def _claims_late_too_often(case: _Case) -> bool:
    """Codes can be passed on as pictures; somebody who claims late all day is looked at."""
    online = timedelta(seconds=case.rules.value(keys.CODE_ONLINE))
    if case.event.claimed_at - case.event.ended_at <= online:
        return False
    late = sum(past.claimed_at - past.ended_at > online for past in case.of_the_day())
    return late + 1 > case.rules.value(keys.LATE_CLAIMS_DAY)


_ANOMALIES: tuple[tuple[Anomaly, Callable[[_Case], bool]], ...] = (
    (Anomaly.NEW_ACCOUNT, _is_new),
    (Anomaly.TOO_MUCH, _is_too_much),
    (Anomaly.TOO_FAST, _is_too_fast),
    (Anomaly.TOO_SHORT, _is_too_short),
    (Anomaly.TOO_LONG, _is_too_long),
    (Anomaly.TOO_MANY_STEPS, _has_too_many_steps),
    (Anomaly.TOO_FEW_STEPS, _has_too_few_steps),
    (Anomaly.TELEPORT, _teleported),
    (Anomaly.BURST, _is_burst),
    (Anomaly.MANY_LATE_CLAIMS, _claims_late_too_often),
    (Anomaly.CLOCK_DOUBT, lambda case: case.event.clock_doubt),
)
