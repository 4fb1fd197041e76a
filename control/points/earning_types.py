"""What is known when points are asked for: owns the event, the person, the recent past, and the three answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import StrEnum
from hashlib import sha256

from control.domain.exact import Number
from control.points.award import Award
from control.points.methodology import Evidence, Scene, scene_of


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningEvent:
    """One act that a person asks points for. Times are aware; `started_at` equals `ended_at` for an act of a moment.

    `source_id` is the device, merchant, gate or charger; `evidence_ref` is what it calls this act (a code's step and
    counter, a receipt, a charging session). `activity` is in the methodology's unit; `distance_km` and `steps` are
    given where somebody measured them. `confirmed_by` is the person who says so.
    """

    event_id: str
    person_id: str
    key: str
    started_at: datetime
    ended_at: datetime
    claimed_at: datetime
    evidence: Evidence
    source_id: str
    evidence_ref: str
    activity: Number
    trip_id: str = ""
    distance_km: Number | None = None
    steps: int | None = None
    start_place: str = ""
    end_place: str = ""
    confirmed_by: str = ""
    merchant_id: str = ""
    clock_doubt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who earns. `born_on` is None when the person declared to be old enough; `works_for` are merchants and offices.

    `relatives` are accounts that are or ever were this one's guardian or ward: to part for a moment changes nothing.
    """

    person_id: str
    opened_at: datetime
    born_on: date | None = None
    guardian_id: str | None = None
    works_for: frozenset[str] = frozenset()
    owns: frozenset[str] = frozenset()
    relatives: frozenset[str] = frozenset()

    def is_close_to(self, account_id: str) -> bool:
        """Whether an account is the person's own or their guardian's or ward's, so that its word counts for nothing."""
        return account_id in (self.person_id, self.guardian_id) or account_id in self.relatives


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEarning:
    """An earlier event of the person that was granted or is held; a held one keeps its room under the caps."""

    event_id: str
    dedupe_key: str
    key: str
    started_at: datetime
    ended_at: datetime
    claimed_at: datetime
    grams: int
    points: int
    trip_id: str = ""
    steps: int = 0
    start_place: str = ""
    end_place: str = ""

    @property
    def scene(self) -> Scene:
        """What the person did."""
        return scene_of(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the judge knows beside the person: the island's zone, who used the evidence, distances of the places.

    `past` holds at least the person's events of the day of the event and of the day before and after it.
    `evidence_used_by` is the person who earned with the same source and reference before, or empty. `metres` is the
    way between two places, each pair once in either order.
    """

    zone: tzinfo
    past: tuple[PastEarning, ...] = ()
    evidence_used_by: str = ""
    metres: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Anomaly(StrEnum):
    """Why an event waits for a person's look."""

    NEW_ACCOUNT = "new_account"
    TOO_MUCH = "too_much"
    TOO_FAST = "too_fast"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_MANY_STEPS = "too_many_steps"
    TOO_FEW_STEPS = "too_few_steps"
    TELEPORT = "teleport"
    BURST = "burst"
    MANY_LATE_CLAIMS = "many_late_claims"
    CLOCK_DOUBT = "clock_doubt"


class Refused(StrEnum):
    """Why an event gives nothing."""

    NO_TIME_ZONE = "no_time_zone"
    ENDS_BEFORE_IT_STARTS = "ends_before_it_starts"
    OTHER_PERSON = "other_person"
    NOT_A_NUMBER = "not_a_number"
    NOTHING_DONE = "nothing_done"
    NO_METHODOLOGY = "no_methodology"
    EVIDENCE_NOT_ACCEPTED = "evidence_not_accepted"
    NO_EVIDENCE = "no_evidence"
    FROM_THE_FUTURE = "from_the_future"
    TOO_LATE = "too_late"
    BEFORE_THE_ACCOUNT = "before_the_account"
    NO_GUARDIAN = "no_guardian"
    OWN_AWARD = "own_award"
    OWN_MERCHANT = "own_merchant"
    DUPLICATE = "duplicate"
    EVIDENCE_USED = "evidence_used"
    SAME_TRIP = "same_trip"
    TOO_MANY_ACTS = "too_many_acts"
    SCENE_CAP_REACHED = "scene_cap_reached"
    DAY_CAP_REACHED = "day_cap_reached"
    TOO_LITTLE = "too_little"
    REVIEWED_AND_REFUSED = "reviewed_and_refused"


@dataclass(frozen=True, slots=True)
class Granted:
    """Points are given."""

    award: Award
    dedupe_key: str


@dataclass(frozen=True, slots=True)
class Held:
    """Points wait; `release_at` is set where time alone settles it, otherwise a person decides."""

    award: Award
    dedupe_key: str
    reasons: tuple[Anomaly, ...]
    release_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefusedEarning:
    """No points, and why; `detail` names the figure or the other event."""

    reasons: tuple[Refused, ...]
    detail: str = ""


Judgement = Granted | Held | RefusedEarning


def dedupe_key(event: EarningEvent) -> str:
    """The same for each report of one act: person, scene, source, its reference, and the second in which it ended.

    The parts are of any text, so their lengths are hashed with them. Hexadecimal, 64 characters.
    """
    second = str(int(event.ended_at.timestamp()))
    parts = (event.person_id, str(scene_of(event.key)), event.source_id, event.evidence_ref, second)
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()
