"""The sender against a cloud in a dozen lines, over a wire that loses, doubles and reorders, from seeds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from cloud_sync.contract.v1 import Ack, AckStatus
from cloud_sync.uplink.backoff import full_jitter_s
from cloud_sync.uplink.sender import (
    Action,
    BeginEpoch,
    Compare,
    Confirm,
    Greet,
    Position,
    Restamp,
    Sender,
    SenderSettings,
    SendRows,
    Wait,
    point_numbers,
)

GATEWAY = "gw"
SETTINGS = SenderSettings(window=3, batch_rows_max=10, silence_s=1.0, silence_s_max=8.0, refused_retry_s=5.0)


def sender() -> Sender:
    return Sender(GATEWAY, SETTINGS, random=lambda: 0.5)


def streaming(*, head: int = 100, applied: int = 0, lanes: tuple[int, ...] = (0,)) -> Sender:
    """A sender whose lanes have said Hello and agreed with the cloud."""
    made = sender()
    made.connected([Position(lane, 1, 0, head) for lane in lanes])
    for lane in lanes:
        assert made.next(0.0) == Greet(lane, 0, head, 0)
        made.greeted(lane, 0.0)
    for lane in lanes:
        made.received(Ack(GATEWAY, 1, lane, applied, AckStatus.RESUME, b"h"), 0.0)
        assert made.compared(lane, b"h") == (Confirm(lane, applied),)
    return made


def flown(made: Sender, now_s: float = 0.0) -> list[SendRows]:
    """Send everything that the window allows."""
    sent = []
    while isinstance(action := made.next(now_s), SendRows):
        sent.append(action)
        made.sent(action, min(action.after + action.limit, 100), now_s)
    return sent


def ok(seq: int, status: AckStatus = AckStatus.OK, epoch: int = 1) -> Ack:
    return Ack(GATEWAY, epoch, 0, seq, status)


def test_window_bounds_what_is_under_way() -> None:
    made = streaming()
    assert [action.after for action in flown(made)] == [0, 10, 20]
    assert made.received(ok(10), 0.1) == (Confirm(0, 10),)
    assert [action.after for action in flown(made, 0.1)] == [30]


def test_lane_0_goes_before_a_backlog_of_another_lane() -> None:
    made = streaming(lanes=(0, 2), head=0)
    made.moved([Position(2, 1, 0, 5000)])
    first = made.next(0.0)
    assert isinstance(first, SendRows)
    assert first.lane == 2
    made.sent(first, 10, 0.0)
    made.moved([Position(0, 1, 0, 1)])
    action = made.next(0.0)
    assert isinstance(action, SendRows)
    assert action.lane == 0


def test_silence_sends_again_from_the_last_confirmed_row_with_growing_patience() -> None:
    made = streaming()
    flown(made)
    assert made.next(0.5) == Wait(1.0)
    assert [action.after for action in flown(made, 1.0)] == [0]  # one batch only: it may be the cloud that is away
    assert made.next(2.5) == Wait(3.0)
    assert [action.after for action in flown(made, 3.0)] == [0]
    made.received(ok(10), 3.1)
    assert [action.after for action in flown(made, 3.1)] == [10, 20, 30]


def test_a_slow_cloud_that_answers_is_sent_nothing_twice() -> None:
    made = streaming()
    flown(made)
    sent = []
    for number in range(1, 7):
        now_s = number * 0.9  # each answer later than the silence after its own batch was sent
        made.received(ok(number * 10), now_s)
        sent += [action.after for action in flown(made, now_s)]
    assert sent == [30, 40, 50, 60, 70, 80]
    assert made.next(5.5) == Wait(5.4 + 1.0)
    assert [action.after for action in flown(made, 6.4)] == [60]


def test_refused_stamps_wait_in_the_journal_and_are_asked_for_again() -> None:
    made = streaming()
    flown(made)
    ahead = Ack(GATEWAY, 1, 0, 4, AckStatus.CLOCK, detail="put the clock right")
    assert made.received(ahead, 0.1) == (Confirm(0, 4), Restamp(0, 4))
    assert made.received(ok(4, AckStatus.GAP), 0.1) == ()
    assert made.next(0.2) == Wait(0.1 + SETTINGS.refused_retry_s)
    assert made.next(5.2) == Greet(0, 0, 100, 0)
    made.epoch_begun(Position(0, 2, 4, 100))
    assert made.next(5.2) == Greet(0, 4, 100, 0)


def test_gap_goes_back_once_however_often_it_is_told() -> None:
    made = streaming()
    flown(made)
    made.received(ok(10, AckStatus.GAP), 0.1)
    assert [action.after for action in flown(made, 0.1)] == [10, 20, 30]
    made.received(ok(10, AckStatus.GAP), 0.2)
    assert flown(made, 0.2) == []


def test_rewind_between_asking_and_sending_is_not_overruled() -> None:
    made = streaming()
    first, second = made.next(0.0), None
    assert isinstance(first, SendRows)
    made.sent(first, 10, 0.0)
    second = made.next(0.0)
    assert isinstance(second, SendRows)
    made.received(ok(0, AckStatus.GAP), 0.1)
    made.sent(second, 20, 0.1)
    again = made.next(0.1)
    assert isinstance(again, SendRows)
    assert again.after == 0


@pytest.mark.parametrize(
    "ack", [ok(10, epoch=2), Ack("other", 1, 0, 10, AckStatus.OK), Ack(GATEWAY, 1, 3, 10, AckStatus.OK)]
)
def test_acknowledgements_of_others_say_nothing(ack: Ack) -> None:
    made = streaming()
    flown(made)
    assert made.received(ack, 0.1) == ()


def test_old_acknowledgement_never_takes_back_what_was_confirmed() -> None:
    made = streaming()
    flown(made)
    made.received(ok(20), 0.1)
    assert made.received(ok(10), 0.2) == ()
    assert made.received(ok(10, AckStatus.GAP), 0.2) == ()
    assert [action.after for action in flown(made, 0.2)] == [30, 40]


def test_refused_gateway_waits_and_greets_again() -> None:
    made = streaming()
    made.received(ok(0, AckStatus.REFUSED), 1.0)
    assert made.next(1.0) == Wait(6.0)
    assert made.next(6.0) == Greet(0, 0, 100, 0)


def test_cloud_that_forgot_the_epoch_is_greeted() -> None:
    made = streaming()
    flown(made)
    made.received(ok(0, AckStatus.HELLO), 0.5)
    assert made.next(9.0) == Greet(0, 0, 100, 0)


def test_cloud_that_lacks_rows_pruned_here_begins_an_epoch() -> None:
    made = sender()
    made.connected([Position(0, 1, 0, 100)])
    made.next(0.0)
    made.received(Ack(GATEWAY, 1, 0, 40, AckStatus.RESUME, b"h"), 0.0)
    [action] = made.compared(0, None)
    assert isinstance(action, BeginEpoch)
    assert action.agreed_seq == 40


@pytest.mark.parametrize(("ours", "cloud"), [(1000, 1500), (1000, 900), (5, 9), (40_000, 90_000)])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_parting_point_is_found_exactly(ours: int, cloud: int, share: float) -> None:
    """A journal from a backup: rows up to some number are the same on both sides, later ones are not."""
    agreed = int(min(ours, cloud - 1) * share)
    made = sender()
    made.connected([Position(0, 1, 0, ours)])
    rounds, begun = 0, None
    while begun is None:
        rounds += 1
        greet = made.next(float(rounds))
        assert isinstance(greet, Greet)
        numbers = point_numbers(after=greet.after, until=greet.until, count=greet.points) if greet.points else range(0)
        common = max((seq for seq in numbers if seq <= agreed), default=0)
        actions = made.received(Ack(GATEWAY, 1, 0, cloud, AckStatus.RESUME, b"theirs", common), 0.0)
        if actions == (Compare(0, cloud),):
            actions = made.compared(0, b"ours")
        begun = next((action for action in actions if isinstance(action, BeginEpoch)), None)
    assert begun.agreed_seq == agreed
    assert rounds <= 5


def test_jitter_is_full_and_capped() -> None:
    assert full_jitter_s(0, base_s=1, cap_s=8, random=lambda: 1.0) == 1.0
    assert full_jitter_s(99, base_s=1, cap_s=8, random=lambda: 1.0) == 8.0
    assert full_jitter_s(99, base_s=1, cap_s=8, random=lambda: 0.0) == 0.0


# ---------------------------------------------------------------- a bad wire, from seeds


@dataclass
class Cloud:
    """Applies as ingest does; rows are their numbers."""

    applied: dict[int, list[int]] = field(default_factory=lambda: {0: [], 2: []})
    known: set[int] = field(default_factory=set)

    def take(self, lane: int, first: int, last: int) -> Ack:
        rows = self.applied[lane]
        head = len(rows)
        if lane not in self.known:
            return Ack(GATEWAY, 1, lane, 0, AckStatus.HELLO)
        if first > head + 1:
            return Ack(GATEWAY, 1, lane, head, AckStatus.GAP)
        rows.extend(range(max(first, head + 1), last + 1))
        return Ack(GATEWAY, 1, lane, len(rows), AckStatus.OK)

    def greet(self, lane: int) -> Ack:
        self.known.add(lane)
        return Ack(GATEWAY, 1, lane, len(self.applied[lane]), AckStatus.RESUME, b"h")


@dataclass
class World:
    """Virtual time, a wire with faults, a journal that grows."""

    seed: int
    now_s: float = 0.0
    cloud: Cloud = field(default_factory=Cloud)
    heads: dict[int, int] = field(default_factory=lambda: {0: 0, 2: 0})
    confirmed: dict[int, int] = field(default_factory=lambda: {0: 0, 2: 0})
    wire: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.sender = Sender(GATEWAY, SETTINGS, random=self.draw.random)
        self.connect()

    def positions(self) -> list[Position]:
        return [Position(lane, 1, 0, head) for lane, head in self.heads.items()]

    def connect(self) -> None:
        self.wire.clear()
        self.sender.disconnected()
        self.sender.connected(self.positions())

    def post(self, deliver: Callable[[], None], *, faulty: bool) -> None:
        """Lost, once, or twice; each after a delay of its own, so that order is lost too."""
        copies = self.draw.choices([0, 1, 2], [0.2, 0.65, 0.15])[0] if faulty else 1
        for _ in range(copies):
            delay_s = self.draw.uniform(0.01, 0.8 if faulty else 0.05)
            self.wire.append((self.now_s + delay_s, deliver))

    def act(self, action: Action, *, faulty: bool) -> None:
        match action:
            case SendRows(lane, _, after, limit):
                last = min(after + limit, self.heads[lane])
                self.post(lambda: self.answer(self.cloud.take(lane, after + 1, last), faulty=faulty), faulty=faulty)
                self.sender.sent(action, last, self.now_s)
            case Greet(lane):
                self.post(lambda: self.answer(self.cloud.greet(lane), faulty=faulty), faulty=faulty)
                self.sender.greeted(lane, self.now_s)
            case Confirm(lane, seq):
                assert seq <= len(self.cloud.applied[lane]), "confirmed before the cloud had it"
                assert seq >= self.confirmed[lane], "a confirmation was taken back"
                self.confirmed[lane] = seq
            case Compare(lane):
                for further in self.sender.compared(lane, b"h"):
                    self.act(further, faulty=faulty)
            case BeginEpoch() | Wait():
                raise AssertionError(action)

    def answer(self, ack: Ack, *, faulty: bool) -> None:
        def deliver() -> None:
            for action in self.sender.received(ack, self.now_s):
                self.act(action, faulty=faulty)

        self.post(deliver, faulty=faulty)

    def step(self, *, faulty: bool) -> None:
        self.sender.moved(self.positions())
        while not isinstance(action := self.sender.next(self.now_s), Wait):
            self.act(action, faulty=faulty)
        times = [at for at, _ in self.wire] + ([action.until_s] if action.until_s is not None else [])
        self.now_s = max(self.now_s, min(times, default=self.now_s + 1.0))
        due = sorted((item for item in self.wire if item[0] <= self.now_s), key=lambda item: item[0])
        self.wire = [item for item in self.wire if item[0] > self.now_s]
        for _, deliver in due:
            deliver()


@pytest.mark.parametrize("seed", range(40))
def test_bad_wire_loses_nothing_and_doubles_nothing(seed: int) -> None:
    world = World(seed)
    for _ in range(400):
        world.heads[world.draw.choice([0, 2])] += world.draw.randrange(6)
        if world.draw.random() < 0.02:
            world.connect()
        world.step(faulty=True)
    steps = 0
    while world.confirmed != world.heads:
        world.step(faulty=False)
        steps += 1
        assert steps < 2000, "the wire is good again, and yet it does not finish"
    assert world.cloud.applied == {lane: list(range(1, head + 1)) for lane, head in world.heads.items()}
    assert world.heads[0] > 200
