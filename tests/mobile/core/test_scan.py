"""A code is kept before it is told, handed in once, at the right time; what came of it is said in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from control.points.rotating_code import CodeContent, middle_of, qr_text, step_of, typed_text
from mobile.core.api.points import PhoneRules, ScanResult, TripRecord
from mobile.core.clock import ServerClock, Stamp
from mobile.core.database import opened_or_mended
from mobile.core.errors import ApiProblem, Offline
from mobile.core.models import scan_walk
from mobile.core.models.scan import Kept, NotOurs, OutcomeState, Scans, outcome_of, read_at, register
from mobile.core.models.scan_codes import CodeKind, scanned, typed
from mobile.core.models.scan_words import not_ours, outcome
from mobile.core.outbox import Backoff, Outbox
from mobile.core.signal import Signal
from mobile.core.store import Store
from mobile.core.words import Words

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
SECRET = b"k" * 32
RULES = PhoneRules(
    code_age_s=1_110, phone_clock_s=120, trip_s=10_800, appeal_days=28, grams_per_point=1, cap_day_points=5_000
)
GRANTED = ScanResult("s1", "granted", 192, 192, "shuttle", "", "获得 192 积分", "192 points earned", "e1")


class Phone:
    """The parts of a client that scanning uses, with the real store, clock and outbox, and a server that answers."""

    def __init__(self, folder: Path) -> None:
        self.at, self.mono_s = AT, 1_000.0
        self.store = Store(opened_or_mended(folder / "island.db")[0])
        self.store.account = "ann"
        self.clock = ServerClock(self.store, lambda: self.at, lambda: self.mono_s)
        self.outbox = Outbox(
            self.store, now=self.clock.now, mono=lambda: self.mono_s, draw=lambda: 1.0, backoff=Backoff()
        )
        self.session = SimpleNamespace(changed=Signal())
        self.api = SimpleNamespace(points=self)
        self.answers: list[ScanResult | Exception] = []
        self.asked: list[dict[str, Any]] = []
        self.trips_are_away = False
        register(self)  # type: ignore[arg-type]

    async def scan(self, text: str, scanned_at: datetime, *, direction: str | None, key: str) -> ScanResult:
        """As the server does."""
        self.asked.append({"text": text, "at": scanned_at, "direction": direction, "key": key})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def walk(self, **given: Any) -> ScanResult:
        """As the server does."""
        self.asked.append(given)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def trips(self, *, limit: int) -> tuple[TripRecord, ...]:
        """As the server does, unless the network goes just then."""
        if self.trips_are_away:
            raise Offline("away")
        return ()

    async def phone_rules(self) -> PhoneRules:
        """As the server does."""
        return RULES

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.mono_s += seconds

    def hear(self, ahead_s: float = 0.0) -> None:
        """The server answers, whose clock is so far ahead of the device's."""
        said = (self.at + timedelta(seconds=ahead_s)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        self.clock.heard(said, self.mono_s - 0.1, self.mono_s)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    made = Phone(tmp_path)
    yield made
    made.store.close()


def code(at: datetime = AT, **more: int) -> str:
    return qr_text(CodeContent(device_number=77, step=step_of(at), **more), SECRET)


async def test_a_code_is_kept_before_it_is_sent_and_then_told(phone: Phone) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    phone.hear()
    phone.answers = [Offline("away"), GRANTED]
    kept = scans.take(scanned(code()), direction="end")
    assert isinstance(kept, Kept)
    assert [one.state for one in scans.waiting()] == [OutcomeState.WAITING]
    await phone.outbox.turn()
    waits = scans.now(kept.entry_id)
    assert waits is not None
    assert (waits.state, waits.tries) == (OutcomeState.WAITING, 1)
    phone.pass_time(10)
    phone.outbox.retry_now()
    await phone.outbox.turn()
    found = await scans.outcome(kept.entry_id, within_s=0)
    assert found is not None
    assert (found.state, found.points, found.grams, found.event_id) == (OutcomeState.GRANTED, 192, 192, "e1")
    assert scans.waiting() == ()
    first, second = phone.asked
    assert first == second
    assert (first["text"], first["direction"]) == (code(), "end")
    assert abs(first["at"] - AT) < timedelta(seconds=2)


async def test_the_same_code_is_handed_in_once_also_when_the_app_was_killed(phone: Phone, tmp_path: Path) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    first = scans.take(scanned(code()))
    again = Scans(phone).take(scanned(code().lower()))  # type: ignore[arg-type]
    assert isinstance(first, Kept)
    assert again == Kept(first.entry_id, is_again=True)
    phone.hear()
    phone.answers = [GRANTED]
    await phone.outbox.turn()
    assert scans.take(scanned(code())) == again
    next_code = scans.take(scanned(code(AT + timedelta(seconds=30))))
    assert isinstance(next_code, Kept)
    assert not next_code.is_again


async def test_a_code_that_was_not_taken_can_be_tried_again(phone: Phone) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    phone.hear()
    phone.answers = [ApiProblem("consent_missing", zh="需要先同意", en="Agree first", status=403), GRANTED]
    first = scans.take(scanned(code()))
    assert isinstance(first, Kept)
    await phone.outbox.turn()
    (refused,) = scans.not_taken()
    assert refused.state is OutcomeState.NOT_TAKEN
    assert outcome(Words("en", lambda: AT), refused).text == "Agree first"
    second = scans.take(scanned(code()))
    assert isinstance(second, Kept)
    assert second.entry_id != first.entry_id
    scans.put_away(first.entry_id)
    assert scans.not_taken() == ()


@pytest.mark.parametrize("text", ["IP:6BF9", "https://x.example", "WIFI:S:x;;", "000000000000"])
async def test_other_codes_are_not_kept(phone: Phone, text: str) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    found = scans.take(scanned(text))
    assert isinstance(found, NotOurs)
    assert phone.outbox.entries() == ()


async def test_the_time_of_a_scan_is_the_servers_also_when_it_is_learnt_later(phone: Phone) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    phone.at -= timedelta(minutes=20)  # somebody set the phone's clock back
    kept = scans.take(typed(typed_text(CodeContent(device_number=77, step=step_of(AT)), SECRET)))
    assert isinstance(kept, Kept)
    phone.answers = [GRANTED]
    await phone.outbox.turn()
    assert phone.asked == []  # nobody told the time yet
    phone.pass_time(300)
    phone.hear(ahead_s=20 * 60)
    phone.outbox.retry_now()
    await phone.outbox.turn()
    (asked,) = phone.asked
    assert abs(asked["at"] - AT) < timedelta(seconds=2)


async def test_a_code_that_is_too_old_is_kept_and_told(phone: Phone) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    phone.hear()
    await scans.refresh()
    fresh, old = scans.take(scanned(code())), scans.take(scanned(code(AT - timedelta(hours=1))))
    assert isinstance(fresh, Kept)
    assert isinstance(old, Kept)
    words = Words("en", lambda: AT)
    said = [outcome(words, one).text for one in scans.waiting()]
    assert said[0] == "It counts once you are online, and only once."
    assert "60 min" in said[1] or "1 h" in said[1] or "59 min" in said[1]


@pytest.mark.parametrize(
    ("off_s", "doubt_s", "takes_codes_time"),
    [(0, 0.5, False), (600, 3_600, False), (1_500, 0.5, False), (1_500, 3_600, True), (9_000, 3_600, False)],
)
def test_a_phone_that_knows_no_time_takes_the_codes(off_s: float, doubt_s: float, takes_codes_time: bool) -> None:
    shown_at = AT + timedelta(seconds=off_s)
    found = read_at(Stamp(AT, doubt_s, 0.0, "run"), shown_at, code_age_s=1_110)
    assert found == (shown_at if takes_codes_time else AT)
    assert read_at(Stamp(AT, doubt_s, 0.0, "run"), None, code_age_s=1_110) == AT


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("state", "reason", "tone", "figure"),
    [
        ("granted", "", "admit", "+192"),
        ("held", "new_account", "hold", "192"),
        ("refused", "late", "refuse", ""),
        ("refused", "no_such_rule", "refuse", ""),
        ("trip_started", "", "accent", ""),
        ("trip_ended", "", "admit", "+192"),
        ("charge_noted", "", "accent", ""),
    ],
)
async def test_every_answer_is_told(
    phone: Phone, language: str, state: str, reason: str, tone: str, figure: str
) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    phone.hear()
    phone.answers = [ScanResult("s", state, 192, 192, "shuttle", reason, "中文句子", "English sentence", "e")]
    kept = scans.take(scanned(code()))
    assert isinstance(kept, Kept)
    await phone.outbox.turn()
    found = scans.now(kept.entry_id)
    assert found is not None
    told = outcome(Words(language, lambda: AT), found)
    assert told.title
    assert (told.tone, told.figure) == (tone, figure)
    if state == "refused":
        assert told.text.startswith("中文句子" if language == "zh" else "English sentence")


@pytest.mark.parametrize("kind", [kind for kind in CodeKind if kind is not CodeKind.DEVICE])
def test_every_other_kind_is_told_where_it_belongs(kind: CodeKind) -> None:
    said = [not_ours(Words(language, lambda: AT), kind) for language in ("zh", "en")]
    assert all(one.title and one.text for one in said)


def test_the_codes_own_time_is_in_the_middle_of_its_step() -> None:
    assert scanned(code()).shown_at == middle_of(step_of(AT))


@pytest.mark.parametrize("trips_are_away", [False, True])
async def test_the_end_of_a_trip_renews_what_is_remembered_of_trips(phone: Phone, trips_are_away: bool) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    phone.hear()
    phone.store.cache_put("points/trips", [{"is": "old"}], AT)
    phone.trips_are_away = trips_are_away
    phone.answers = [replace(GRANTED, state="trip_ended")]
    scans.take(scanned(code()))
    await phone.outbox.turn()
    assert scans.waiting() == ()
    kept = phone.store.cache_get("points/trips")
    assert kept is not None
    assert kept[0] == ([{"is": "old"}] if trips_are_away else [])


async def test_a_walk_is_kept_and_sent_as_it_was(phone: Phone) -> None:
    scan_walk.register(phone)  # type: ignore[arg-type]
    phone.hear()
    phone.answers = [GRANTED]
    ended_at = AT + timedelta(minutes=31)
    entry_id = scan_walk.hand_in(phone, scan_walk.Walk(AT, ended_at, Decimal("2.400"), 3_200))  # type: ignore[arg-type]
    await phone.outbox.turn()
    entry = phone.outbox.entry(entry_id)
    assert entry is not None
    assert (outcome_of(entry).state, outcome_of(entry).points) == (OutcomeState.GRANTED, 192)
    assert phone.asked == [
        {"started_at": AT, "ended_at": ended_at, "distance_km": "2.4", "steps": 3_200, "key": entry.key}
    ]


async def test_a_walk_that_waits_or_was_not_taken_is_told_among_the_codes(phone: Phone) -> None:
    scan_walk.register(phone)  # type: ignore[arg-type]
    scans, words = Scans(phone), Words("en", lambda: AT)  # type: ignore[arg-type]
    phone.hear()
    phone.answers = [ApiProblem("invalid", zh="时间不对", en="The times do not fit", status=422)]
    walk = scan_walk.Walk(AT, AT + timedelta(minutes=31), Decimal("2.4"), 3_200)
    entry_id = scan_walk.hand_in(phone, walk)  # type: ignore[arg-type]
    assert [one.entry_id for one in scans.waiting()] == [entry_id]
    assert scans.waiting_codes == 0
    await phone.outbox.turn()
    (refused,) = scans.not_taken()
    told = outcome(words, refused)
    assert (told.title, told.text) == ("The walk was not taken", "The times do not fit")
    scans.put_away(entry_id)
    assert scans.not_taken() == ()


async def test_the_time_of_a_walk_is_the_servers_also_when_it_is_learnt_later(phone: Phone) -> None:
    scan_walk.register(phone)  # type: ignore[arg-type]
    phone.at -= timedelta(minutes=20)  # somebody set the phone's clock back
    now = phone.clock.now()
    walk = scan_walk.walk_of(steps="3200", distance_km="2.4", minutes="31", ended_at=now, now=now)
    assert isinstance(walk, scan_walk.Walk)
    scan_walk.hand_in(phone, walk)  # type: ignore[arg-type]
    phone.answers = [GRANTED]
    await phone.outbox.turn()
    assert phone.asked == []  # nobody told the time yet
    phone.pass_time(300)
    phone.hear(ahead_s=20 * 60)
    phone.outbox.retry_now()
    await phone.outbox.turn()
    (asked,) = phone.asked
    assert abs(asked["ended_at"] - AT) < timedelta(seconds=2)
    assert asked["ended_at"] - asked["started_at"] == timedelta(minutes=31)


async def test_an_entry_says_what_it_is(phone: Phone) -> None:
    scans = Scans(phone)  # type: ignore[arg-type]
    scans.take(scanned(code()))
    (entry,) = phone.outbox.entries("scan")
    assert outcome_of(entry).made_at == entry.made_at
