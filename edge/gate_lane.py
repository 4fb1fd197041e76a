"""One lane with a barrier: owns its cycle of snapshot, decide, journal, act, publish.

Safety and ranking are `control.gate.lane`, admission is `control.gate.admission`. A barrier command is in
the journal before it is given, and none is ever given twice: after a crash the lane looks where the barrier
stands and goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from control.domain.errors import DeviceError
from control.domain.events import BarrierCommanded
from control.domain.passes import PassProblem, PermitPass
from control.domain.permits import Permit
from control.domain.readings import Unavailable
from control.gate import lane as rules_of_lane
from control.gate.lane import (
    BeginArrival,
    Cause,
    CloseBarrier,
    Effect,
    EndArrival,
    GuardCommand,
    LaneInputs,
    LaneState,
    OpenBarrier,
    Phase,
    ShowMessage,
    Tailgated,
)
from control.gate.presence import Presence
from edge.arrival import IN_VIEW_S, Arrival, vehicle_shown
from edge.changes import Changes
from edge.display_words import DisplayBoard
from edge.field_state import AlarmBook, FieldReader
from edge.guards import Answer, Asked, GuardChoice, Source
from edge.inference import InferenceWorker
from edge.journal import Journal, JournalError
from edge.lane_eyes import LaneEyes
from edge.lane_facts import LaneFacts, LaneSettings, followed
from edge.pass_watch import PassWatch
from edge.passages import EvidenceDesk, Passage, PassageDesk, Sighting
from edge.passes import ShownPass, told_to_driver
from edge.ports import Barrier, Camera, Clock, Frame

log = structlog.get_logger(__name__)

GUARDS_WAITING_MAX = 8
JOURNAL_RETRY_S = 1.0
FOLLOWER_SEEN_S = 3.0


@dataclass(frozen=True, slots=True)
class _Given:
    """A barrier command that waits for the barrier to get there."""

    command: BarrierCommanded
    given_s: float


class GateLane:
    """`run` turns until cancelled; `turn` is one cycle and can be driven on virtual time."""

    has_barrier = True

    def __init__(
        self,
        settings: LaneSettings,
        *,
        camera: Camera,
        barrier: Barrier,
        board: DisplayBoard,
        inference: InferenceWorker,
        journal: Journal,
        desk: PassageDesk,
        evidence: EvidenceDesk,
        changes: Changes,
        clock: Clock,
        new_id: Callable[[], str],
        passes: PassWatch | None = None,
    ) -> None:
        self.settings, self.camera, self.board = settings, camera, board
        self._barrier, self._journal = barrier, journal
        self._desk, self._evidence, self._changes = desk, evidence, changes
        self._clock, self._new_id = clock, new_id
        self._words = LaneFacts(settings, clock, new_id)
        self.field = FieldReader(barrier, clock)
        self.eyes = LaneEyes(settings.lane_id, inference, clock)
        self.alarm_book = AlarmBook(settings.lane_id, clock)
        self.state: LaneState | None = None
        self.arrival: Arrival | None = None
        self.journal_broken = False
        self.passes = passes
        if passes is not None:
            passes.on_shown(self._pass_shown)
        self._asked: list[Asked] = []
        self._given: _Given | None = None
        self._followers: list[Passage] = []
        self._wake = asyncio.Event()
        self._to_keep: asyncio.Queue[Passage] = asyncio.Queue(maxsize=32)
        self.frame_to_command_ms: list[float] = []

    # ---------------------------------------------------------------------------------------------- what others call

    async def ask(self, choice: GuardChoice, *, timeout_s: float = 5.0) -> Answer:
        """A person's choice, answered by the turn that heard it."""
        if len(self._asked) >= GUARDS_WAITING_MAX:
            return Answer.NOT_NOW
        asked = Asked(choice, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s):
                return await asked.answer
        except TimeoutError:
            return Answer.NOT_NOW

    @property
    def latest(self) -> Frame | Unavailable:
        """The newest picture, or why there is none."""
        return self.camera.latest

    @property
    def held(self) -> Arrival | None:
        """The arrival that waits for a person, refused ones included while they stand there."""
        waiting = self.state is not None and self.state.phase in (Phase.WAITING, Phase.REFUSED)
        return self.arrival if waiting and self.arrival is not None and self.arrival.passage is not None else None

    @property
    def presence(self) -> Presence:
        """Who went in and out, as far as this gateway saw."""
        return self._desk.presence

    def proved(self, said: PermitPass, plate: str) -> Permit | PassProblem:
        """What a pass proves now for a plate that a person sees at this lane."""
        return self._desk.proved(said, plate, self.settings.view)

    async def run(self) -> None:
        """Turn until cancelled. Begins as after a start, also when a bug ended the last run."""
        self.begin_anew()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.camera.run(), name=f"{self.settings.lane_id}-camera")
            tasks.create_task(self._look(), name=f"{self.settings.lane_id}-look")
            tasks.create_task(self._keep_evidence(), name=f"{self.settings.lane_id}-evidence")
            tasks.create_task(self.board.run(), name=f"{self.settings.lane_id}-display")
            tasks.create_task(self._turns(), name=f"{self.settings.lane_id}-turns")
            if self.passes is not None:
                tasks.create_task(self.passes.run(), name=f"{self.settings.lane_id}-passes")

    def begin_anew(self) -> None:
        """Forget what this run believed; the next turn asks journal and devices."""
        self.state, self.arrival, self._given = None, None, None

    async def _turns(self) -> None:
        while True:
            self._wake.clear()
            await self.turn()
            if self.journal_broken:
                await self._clock.sleep(JOURNAL_RETRY_S)
            await self._woken()

    async def _woken(self) -> None:
        pause = asyncio.ensure_future(self._clock.sleep(self.settings.turn_period_s))
        wake = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait([pause, wake], return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            wake.cancel()

    # ---------------------------------------------------------------------------------------------------- the camera

    async def _look(self) -> None:
        while True:
            await self.look(await self.camera.next())

    async def look(self, item: Frame | Unavailable) -> None:
        """A picture came, or the news that none comes; a picture is read where the lane needs it."""
        phase = self.state.phase if self.state else Phase.IDLE
        if self.passes is not None and isinstance(item, Frame):
            self.passes.see(item, self.arrival, phase)
        occupied = self.field.loop_a_occupied
        if not await self.eyes.look(item, phase=phase, loop_a_occupied=occupied, arrival=self.arrival):
            return
        if self.arrival is not None and isinstance(item, Frame):
            self.arrival.see(self.eyes.lookout)
        self._wake.set()

    def _pass_shown(self, shown: ShownPass) -> None:
        """A pass was shown: for the vehicle at loop A, and for the hut's page in any case."""
        if self.arrival is not None and self.arrival.take_pass(shown):
            self._wake.set()
        self._changes.tell()

    # ------------------------------------------------------------------------------------------------------ the turn

    async def turn(self) -> None:
        """One cycle. Raises nothing of a device; a journal that cannot write stops every act but a safety opening."""
        inputs = await self._snapshot()
        if self.state is None:
            await self._recover(inputs)
            return
        passage = self._decide()
        if passage is not None and self.arrival is not None:
            inputs = replace(inputs, decision=(self.arrival.number, passage.decision))
        asked, inputs = self._next_asked(inputs)
        state, effects = rules_of_lane.step(self.state, inputs)
        self.alarm_book.take(state.alarms, self.field.last)
        facts = self._facts_of(effects, passage, asked, state)
        try:
            await self._journal_all([fact for _, fact in facts])
        except JournalError as error:
            await self._without_journal(error, effects, asked)
            return
        self._settle(state, passage)
        await self._act(effects, facts)
        self._reply(asked, state, effects)
        if effects or passage is not None:
            self._changes.tell()

    async def _snapshot(self) -> LaneInputs:
        field = await self.field.read()
        newest = self.eyes.lookout.newest
        now_s = self._clock.monotonic()
        seen = newest is not None and self.eyes.lookout.nearest(since_s=now_s - IN_VIEW_S) is not None
        return LaneInputs(
            at_s=now_s,
            loop_a=field.loop_a,
            loop_b=field.loop_b,
            beam=field.beam,
            barrier=field.barrier,
            plate_seen=seen,
            own_in_view=self.arrival is not None and self.arrival.in_view(self.eyes.lookout, now_s=now_s),
        )

    def _decide(self) -> Passage | None:
        arrival = self.arrival
        if arrival is None:
            return None
        if arrival.passage is not None:
            return self._decide_again(arrival, arrival.passage)
        now_s, at, latest = self._clock.monotonic(), self._clock.now(), self.camera.latest
        rules, sees_vehicles = self._desk.policy.rules, self.eyes.lookout.sees_vehicles
        rolled_back = self.state is not None and self.state.rolled_back
        if rolled_back or not arrival.ripe(latest, rules, now_s=now_s, at=at, sees_vehicles=sees_vehicles):
            return None
        sighting = arrival.sighting(latest, rules.in_force(at))
        if sighting.plate is None and self.eyes.unread is not None:
            # Nobody looked: that is no vehicle without a plate.
            sighting = replace(sighting, plate=self.eyes.unread)
        arrival.pass_judged = sighting.shown
        return self._desk.decide(arrival.arrival_id, sighting, self.settings.view)

    def _decide_again(self, arrival: Arrival, before: Passage) -> Passage | None:
        """A held vehicle whose plate became clear, or that showed a pass: the answer that it would have had at once."""
        phase = self.state.phase if self.state else Phase.IDLE
        if self.field.last.loop_a is False or not arrival.may_be_judged_again(phase):
            return None
        arrival.judged_s = None if arrival.track is None else arrival.track.last_at_s
        sighting = arrival.sighting(self.camera.latest, self._desk.policy.rules.in_force(self._clock.now()))
        if arrival.pass_is_new:
            arrival.pass_judged = sighting.shown
            return self._desk.decide(arrival.arrival_id, sighting, self.settings.view)
        decision = self._desk.judge(sighting, self.settings.view).decision
        if decision.outcome is before.decision.outcome and decision.reasons[0].code == before.decision.reasons[0].code:
            return None
        return self._desk.decide(arrival.arrival_id, sighting, self.settings.view)

    def _next_asked(self, inputs: LaneInputs) -> tuple[Asked | None, LaneInputs]:
        """At most one person's choice a turn, the hut's first."""
        self._asked = [asked for asked in self._asked if not asked.answer.done()]
        if not self._asked:
            return None, inputs
        asked = min(self._asked, key=lambda a: a.choice.source is not Source.HUT)
        self._asked.remove(asked)
        refusal = self._refusal(asked.choice)
        if refusal is not None:
            asked.reply(refusal)
            return None, inputs
        number = self.arrival.number if asked.choice.arrival_id and self.arrival else None
        return asked, replace(inputs, guards=(GuardCommand(asked.choice.action, number),))

    def _refusal(self, choice: GuardChoice) -> Answer | None:
        if choice.arrival_id is None:
            return None
        if self.arrival is None or self.arrival.arrival_id != choice.arrival_id:
            return Answer.GONE
        # The hut may change its own mind while the vehicle stands there; the console comes second.
        if self.arrival.guard_outcome is not None and choice.source is Source.CONSOLE:
            return Answer.ALREADY_DECIDED
        return None

    # ------------------------------------------------------------------------------------------------------ the facts

    def _facts_of(
        self, effects: tuple[Effect, ...], passage: Passage | None, asked: Asked | None, state: LaneState
    ) -> list[tuple[Effect | None, object]]:
        """Everything this turn makes true, in order; each beside the effect that it lets happen."""
        news = [*self.eyes.watch.news(), *self.alarm_book.news()]
        facts: list[tuple[Effect | None, object]] = [(None, event) for event in news]
        if passage is not None:
            facts.append((None, passage.event))
        if asked is not None and followed(asked.choice, state, effects):
            facts += [(None, event) for event in self._words.guard(asked.choice, self.arrival)]
        facts += [(None, event) for event in self._barrier_news()]
        for passage in (self._follower() for effect in effects if isinstance(effect, Tailgated)):
            facts += [(None, passage.event), (None, self._words.through(passage.arrival_id))]
            self._followers.append(passage)
        events = ((effect, self._words.of(effect, self.arrival)) for effect in effects)
        return facts + [(effect, event) for effect, event in events if event is not None]

    def _follower(self) -> Passage:
        """The vehicle that went through behind the one that was let in: an arrival of its own."""
        own = self.arrival.track if self.arrival else None
        found = self.eyes.lookout.follower(own, since_s=self._clock.monotonic() - FOLLOWER_SEEN_S)
        latest = self.camera.latest
        sighting = Sighting(latest) if isinstance(latest, Unavailable) else Sighting(None, None, latest)
        if found is not None:
            track, shown = found
            self.eyes.lookout.passed(track.track_id)
            sighting = Sighting(track.reading, vehicle_shown(track, shown), shown.frame, shown.reading)
        return self._desk.tailgated(self._new_id(), sighting, self.settings.view)

    def _barrier_news(self) -> list[object]:
        """The result of the last command, once the barrier has got there or has had its time."""
        if self._given is None:
            return []
        outcome = self._outcome_of(self._given)
        if outcome is None:
            return []
        given, self._given = self._given, None
        return [self._words.result(given.command, outcome, "")]

    def _outcome_of(self, given: _Given) -> str | None:
        wanted = rules_of_lane.Barrier.OPEN if given.command.action == "open" else rules_of_lane.Barrier.CLOSED
        if self.field.last.barrier is wanted:
            return "done"
        waited_s = self._clock.monotonic() - given.given_s
        return "failed" if waited_s >= rules_of_lane.LaneTimes().move_s else None

    async def _journal_all(self, facts: list[object]) -> None:
        if facts:
            await self._journal.append_many(facts)
            self._desk.journalled(facts)
        self.journal_broken = False

    async def _without_journal(self, error: JournalError, effects: tuple[Effect, ...], asked: Asked | None) -> None:
        """Nothing happens that is not in the journal, but the arm is lifted off a vehicle."""
        if not self.journal_broken:
            log.error("journal cannot write; the lane waits", lane=self.settings.lane_id, why=str(error))
        self.journal_broken, self._followers = True, []
        if asked is not None:
            asked.reply(Answer.JOURNAL_FULL)
        if any(isinstance(effect, OpenBarrier) and effect.cause is Cause.SAFETY for effect in effects):
            await self._fire("open", self._new_id())
        self._changes.tell()

    # -------------------------------------------------------------------------------------------------------- acting

    def _settle(self, state: LaneState, passage: Passage | None) -> None:
        """What is in the journal is now so."""
        self.state = state
        self.eyes.watch.told()
        self.alarm_book.told()
        if passage is not None and self.arrival is not None:
            self.arrival.passage = passage
            if state.phase is Phase.WAITING and (told := told_to_driver(passage.event.pass_shown)) is not None:
                self.board.show(told)

    async def _act(self, effects: tuple[Effect, ...], facts: list[tuple[Effect | None, object]]) -> None:
        commands = {id(effect): fact for effect, fact in facts if effect is not None}
        for effect in effects:
            match effect:
                case OpenBarrier() | CloseBarrier():
                    command = commands[id(effect)]
                    assert isinstance(command, BarrierCommanded)
                    await self._give(command)
                case ShowMessage(code):
                    self.board.show(code)
                case BeginArrival(number):
                    self._begin(number)
                case EndArrival(_, movement):
                    self._end(movement)
                case _:
                    pass
        self._hand_evidence()

    async def _give(self, command: BarrierCommanded) -> None:
        """Give a journalled command once, unless its time is over."""
        if self._given is not None:
            await self._journal_late(self._words.result(self._given.command, "failed", "superseded"))
            self._given = None
        if self._clock.now() >= datetime.fromisoformat(command.expires_at):
            await self._journal_late(self._words.result(command, "expired", ""))
            return
        problem = await self._fire(command.action, command.command_id)
        self._measure(command)
        if problem is None:
            self._given = _Given(command, self._clock.monotonic())
        else:
            await self._journal_late(self._words.result(command, "failed", problem))

    async def _fire(self, action: str, command_id: str) -> str | None:
        try:
            await self._barrier.command(action, command_id=command_id)
        except DeviceError as error:
            log.warning("barrier command failed", lane=self.settings.lane_id, action=action, why=str(error))
            return str(error)
        return None

    async def _journal_late(self, fact: object) -> None:
        """A result whose loss the restart would make good again."""
        try:
            await self._journal.append(fact)
        except JournalError:
            log.exception("a barrier result is not in the journal", lane=self.settings.lane_id)

    def _measure(self, command: BarrierCommanded) -> None:
        frame = self.eyes.lookout.newest
        if command.action == "open" and command.cause == Cause.DECISION.value and frame is not None:
            self.frame_to_command_ms.append((self._clock.monotonic() - frame.taken_s) * 1000)
            del self.frame_to_command_ms[:-1000]

    def _begin(self, number: int) -> None:
        self.arrival = Arrival(self._new_id(), number, self._clock.now(), self._clock.monotonic())
        self.arrival.see(self.eyes.lookout)
        self._wake.set()

    def _end(self, movement: str) -> None:
        arrival, self.arrival = self.arrival, None
        if arrival is not None and arrival.track is not None and movement != "backed_out":
            self.eyes.lookout.passed(arrival.track.track_id)

    def _hand_evidence(self) -> None:
        """Pictures are stored after the act; when the disk is far behind, the newest passage goes without."""
        followers, self._followers = self._followers, []
        for passage in followers:
            self._hand(passage)
        if self.arrival is not None and self.arrival.passage not in (None, self.arrival.evidence_of):
            self.arrival.evidence_of = self.arrival.passage
            self._hand(self.arrival.evidence_of)

    def _hand(self, passage: Passage) -> None:
        if self._to_keep.full():
            log.warning("evidence is behind; a picture is not kept", lane=self.settings.lane_id)
            return
        self._to_keep.put_nowait(passage)

    async def _keep_evidence(self) -> None:
        while True:
            await self.keep_one()

    async def keep_one(self) -> None:
        """Store the pictures of the next decided passage."""
        passage = await self._to_keep.get()
        try:
            await self._evidence.keep(passage)
        except JournalError as error:
            log.warning("evidence is stored but not journalled", lane=self.settings.lane_id, why=str(error))

    def _reply(self, asked: Asked | None, state: LaneState, effects: tuple[Effect, ...]) -> None:
        if asked is None:
            return
        if followed(asked.choice, state, effects):
            if self.arrival is not None and asked.choice.arrival_id is not None:
                self.arrival.guard_outcome = asked.choice.outcome.value
                self.arrival.guard_by = asked.choice.by
            asked.reply(Answer.DONE)
        elif any(isinstance(e, ShowMessage) and e.code == "barrier_unavailable" for e in effects):
            asked.reply(Answer.BARRIER_UNAVAILABLE)
        else:
            asked.reply(Answer.NOT_NOW)

    # ------------------------------------------------------------------------------------------------------- recovery

    async def _recover(self, inputs: LaneInputs) -> None:
        """After a start: tell what is unknown, look where the barrier stands, give no command again."""
        if isinstance(inputs.barrier, Unavailable) and self.field.tries < 3:
            return
        await self._desk.remember(self._journal)
        unfinished = await self._words.unfinished(self._journal)
        await self._journal_all(list(unfinished.facts))
        self.state = _state_after_start(inputs, opening_meant=unfinished.opening_meant)
        self._changes.tell()


def _state_after_start(inputs: LaneInputs, *, opening_meant: bool) -> LaneState:
    """Nothing is opened again. An arm that was just raised stays up for the vehicle it was raised for."""
    if inputs.barrier is rules_of_lane.Barrier.CLOSED or isinstance(inputs.barrier, Unavailable):
        return LaneState(since_s=inputs.at_s)
    still_there = opening_meant and inputs.loop_a is True
    return replace(rules_of_lane.recovered(inputs.at_s), on_b=not still_there)
