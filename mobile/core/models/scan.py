"""Handing codes in: owns that a code is kept before it is told, that it is kept once, its time, and what came of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mobile.core.api.parsing import parse
from mobile.core.api.points import PhoneRules, ScanResult
from mobile.core.clock import UNKNOWN_S, Stamp
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.models.scan_codes import CodeKind, ReadCode
from mobile.core.models.scan_walk import WALK
from mobile.core.models.trips import remember
from mobile.core.shown import Model, Trouble

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.outbox import Entry

SCAN = "scan"
# The answer of a server nearby comes within that; later than that it is "saved", and told when it comes.
ANSWER_WITHIN_S = 3.0


class OutcomeState(StrEnum):
    """What came of a code; `NOT_TAKEN`: the server did not take the request at all."""

    WAITING = "waiting"
    GRANTED = "granted"
    HELD = "held"
    REFUSED = "refused"
    TRIP_STARTED = "trip_started"
    TRIP_ENDED = "trip_ended"
    CHARGE_NOTED = "charge_noted"
    NOT_TAKEN = "not_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A code that was handed in. Points and grams as the server says; `zh` and `en` are its sentence.

    `old_s` is how old the code was when it was read, where that is too old to count; None where it is not.
    """

    entry_id: int
    state: OutcomeState
    made_at: datetime
    tries: int = 0
    points: int = 0
    grams: int = 0
    method: str = ""
    reason: str = ""
    zh: str = ""
    en: str = ""
    event_id: str | None = None
    trouble: Trouble | None = None
    old_s: float | None = None
    is_walk: bool = False

    @property
    def is_trip(self) -> bool:
        """Whether it began or ended a way."""
        return self.state in (OutcomeState.TRIP_STARTED, OutcomeState.TRIP_ENDED)


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A code that no device of the island shows."""

    kind: CodeKind


@dataclass(frozen=True, slots=True)
class Kept:
    """A code that is in the phone's memory now. `is_again`: it was before, and is not handed in twice."""

    entry_id: int
    is_again: bool


class CodeRules(Model[PhoneRules]):
    """What the app has to know of the rules while there is no network; changes once in months."""

    cache_key = "points/phone-rules"
    answer = PhoneRules
    fresh_s = 24 * 3600

    async def fetch(self) -> PhoneRules:
        """From the server."""
        return await self.client.api.points.phone_rules()


class Scans:
    """Codes of the person who is signed in. `register` was called once for the client before."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rules = CodeRules(client)
        self.changed = client.outbox.changed

    async def refresh(self) -> None:
        """Learns the rules for the time without a network."""
        await self._rules.refresh_if_old()

    def close(self) -> None:
        """Lets go of the client."""
        self._rules.close()

    def take(self, code: ReadCode, *, direction: str | None = None) -> Kept | NotOurs:
        """Keeps a code; when this returns `Kept` it survives whatever happens to the app. Raises StoreError."""
        if code.kind is not CodeKind.DEVICE:
            return NotOurs(code.kind)
        before = self._before(code.text)
        if before is not None:
            return Kept(before.entry_id, is_again=True)
        stamp = self._client.clock.stamp()
        body = {
            "text": code.text,
            "direction": direction,
            "stamp": stamp.as_json(),
            "shown_at": code.shown_at,
            "old_s": self._old_s(code, stamp),
        }
        return Kept(self._client.outbox.put(SCAN, body).entry_id, is_again=False)

    async def outcome(self, entry_id: int, *, within_s: float = ANSWER_WITHIN_S) -> Outcome | None:
        """What came of a code, or that it waits; None once it was put away."""
        entry = await self._client.outbox.settled(entry_id, within_s)
        return None if entry is None else outcome_of(entry)

    def now(self, entry_id: int) -> Outcome | None:
        """What is known of a code at this moment."""
        entry = self._client.outbox.entry(entry_id)
        return None if entry is None else outcome_of(entry)

    def waiting(self) -> tuple[Outcome, ...]:
        """Codes and walks that are not sent yet, the oldest first."""
        return self._standing("waiting")

    @property
    def waiting_codes(self) -> int:
        """How many codes are not sent yet."""
        return len(self._client.outbox.entries(SCAN, "waiting"))

    def not_taken(self) -> tuple[Outcome, ...]:
        """Codes and walks that the server did not take, which the person has not put away."""
        return self._standing("refused")

    def _standing(self, state: str) -> tuple[Outcome, ...]:
        return tuple(outcome_of(one) for one in self._client.outbox.entries(state=state) if one.kind in (SCAN, WALK))

    def put_away(self, entry_id: int) -> None:
        """The person has read it."""
        self._client.outbox.dismiss(entry_id)

    def _before(self, text: str) -> Entry | None:
        """The same code, unless the server did not take it and the person tries again."""
        same = (one for one in self._client.outbox.entries(SCAN) if one.body["text"] == text)
        return next((one for one in same if one.state != "refused"), None)

    def _old_s(self, code: ReadCode, stamp: Stamp) -> float | None:
        """How old, when that is beyond what any device's clock and this phone's doubt can explain."""
        rules = self._rules.shown.value
        if rules is None or code.shown_at is None:
            return None
        age_s = (stamp.at - code.shown_at).total_seconds()
        return age_s if age_s > rules.code_age_s + stamp.doubt_s else None


def register(client: Client) -> None:
    """Tells the outbox how codes are sent; once for a client."""

    def prepared(body: dict[str, Any]) -> dict[str, Any]:
        if client.clock.stamp().doubt_s >= UNKNOWN_S:
            raise Offline("the server's time is not known yet")
        stamp = client.clock.settled(Stamp.of(body["stamp"]))
        rules = client.store.cache_get(CodeRules.cache_key)
        age_s = rules[0]["code_age_s"] if rules else 0.0
        shown_at = body["shown_at"] and datetime.fromisoformat(body["shown_at"])
        return body | {"scanned_at": read_at(stamp, shown_at, code_age_s=age_s).isoformat()}

    async def send(entry: Entry) -> ScanResult:
        body = entry.body
        at = datetime.fromisoformat(body["scanned_at"])
        answer = await client.api.points.scan(body["text"], at, direction=body["direction"], key=entry.key)
        if answer.state in (OutcomeState.TRIP_STARTED, OutcomeState.TRIP_ENDED):
            await _renew_trips(client)
        return answer

    client.outbox.register(SCAN, send, prepare=prepared)


async def _renew_trips(client: Client) -> None:
    """So that no screen speaks of a trip that has ended; the code itself is handed in whatever comes of this."""
    with suppress(ApiProblem, Offline, StoreError):
        await remember(client)


def read_at(stamp: Stamp, shown_at: datetime | None, *, code_age_s: float) -> datetime:
    """When a code was read, by the server's time.

    The phone's own reckoning, unless that does not fit to the code at all and its doubt is wide enough for the code's
    own time: a phone that was switched on without a network may know the time no better than the code does.
    """
    if shown_at is None:
        return stamp.at
    off = abs(shown_at - stamp.at)
    fits = off <= timedelta(seconds=code_age_s)
    return shown_at if not fits and off <= timedelta(seconds=stamp.doubt_s) else stamp.at


def outcome_of(entry: Entry) -> Outcome:
    """What an entry of the outbox, a code or a walk, says to the person."""
    old_s = entry.body.get("old_s")
    if entry.state == "sent":
        answer = parse(ScanResult, entry.answer)
        return Outcome(
            entry_id=entry.entry_id,
            state=OutcomeState(answer.state),
            made_at=entry.made_at,
            tries=entry.tries,
            points=answer.points,
            grams=answer.grams,
            method=answer.key,
            reason=answer.reason,
            zh=answer.sentence_zh,
            en=answer.sentence_en,
            event_id=answer.event_id,
        )
    state = OutcomeState.NOT_TAKEN if entry.state == "refused" else OutcomeState.WAITING
    return Outcome(
        entry_id=entry.entry_id,
        state=state,
        made_at=entry.made_at,
        tries=entry.tries,
        trouble=entry.problem,
        old_s=old_s,
        is_walk=entry.kind == WALK,
    )
