"""A cloud in memory that keeps the contract, and a line to it that loses and doubles: owns both, for virtual time.

The real sender decides what to send; the real bytes travel; only broker and database are missing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from cloud_sync.contract.v1 import (
    Ack,
    AckStatus,
    Batch,
    EventRow,
    Hello,
    decode_ack,
    decode_up,
    encode_ack,
    encode_up,
    genesis_hash,
)
from cloud_sync.uplink.sender import (
    Action,
    Greet,
    Sender,
    SenderSettings,
    SendRows,
)
from edge.journal import UplinkJournal
from edge.uplink_steps import UplinkSteps
from hw_sim.virtual_devices import VirtualClock

ACTIONS_A_TURN = 16


@dataclass(slots=True)
class Stream:
    """What the cloud has committed of one lane's stream."""

    epoch: int
    applied_seq: int
    head_hash: bytes
    rows: list[EventRow] = field(default_factory=list)


class MemoryCloud:
    """Applies batches as the contract says: in order, once, chain verified. `streams` is its database."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}

    def receive(self, payload: bytes) -> bytes:
        """One message up, the acknowledgement down."""
        message = decode_up(payload)
        answer = self._hello(message) if isinstance(message, Hello) else self._batch(message)
        return encode_ack(answer)

    def _hello(self, hello: Hello) -> Ack:
        stream = self.streams.get(hello.lane)
        if stream is None or stream.epoch != hello.epoch:
            head = genesis_hash(hello.gateway, hello.epoch, hello.lane, hello.base_seq)
            rows = stream.rows if stream else []
            stream = self.streams[hello.lane] = Stream(hello.epoch, hello.base_seq, head, rows)
        return self._ack(hello, stream, AckStatus.RESUME)

    def _batch(self, batch: Batch) -> Ack:
        stream = self.streams.get(batch.lane)
        if stream is None or stream.epoch != batch.epoch:
            return Ack(batch.gateway, batch.epoch, batch.lane, 0, AckStatus.HELLO)
        if batch.first_seq > stream.applied_seq + 1:
            return self._ack(batch, stream, AckStatus.GAP)
        fresh = [row for row in batch.rows if row.seq > stream.applied_seq]
        before = batch.prev_hash if fresh == list(batch.rows) else stream.head_hash
        if before != stream.head_hash:
            return self._ack(batch, stream, AckStatus.CHAIN)
        if fresh:
            stream.rows += fresh
            stream.applied_seq, stream.head_hash = fresh[-1].seq, fresh[-1].hash
        return self._ack(batch, stream, AckStatus.OK)

    def _ack(self, message: Hello | Batch, stream: Stream, status: AckStatus) -> Ack:
        return Ack(message.gateway, message.epoch, message.lane, stream.applied_seq, status, stream.head_hash)


@dataclass(slots=True)
class Line:
    """How bad the way to the cloud is: down altogether, or shares of lost and doubled messages."""

    down: bool = False
    lost_share: float = 0.0
    doubled_share: float = 0.0


class VirtualUplink:
    """Carries out what the real `Sender` asks, over a bad line, on virtual time."""

    def __init__(
        self, gateway_id: str, journal: UplinkJournal, cloud: MemoryCloud, line: Line, clock: VirtualClock, seed: int
    ) -> None:
        self._cloud, self._line, self._clock = cloud, line, clock
        self._rng = random.Random(f"{seed}/line")
        self._sender = Sender(gateway_id, SenderSettings(), random=self._rng.random)
        self._steps = UplinkSteps(gateway_id, journal, self._sender)
        self._connected = False

    async def turn(self) -> None:
        """Send and hear what there is; at most so many messages, so that a turn ends."""
        if self._line.down:
            if self._connected:
                self._sender.disconnected()
            self._connected = False
            return
        if not self._connected:
            self._sender.connected(self._steps.positions())
            self._connected = True
        for _ in range(ACTIONS_A_TURN):
            self._sender.moved(self._steps.positions())
            if not await self._act(self._sender.next(self._clock.monotonic())):
                return

    async def _act(self, action: Action) -> bool:
        match action:
            case Greet():
                await self._greet(action)
            case SendRows():
                await self._send(action)
            case _:
                return False
        return True

    async def _greet(self, action: Greet) -> None:
        hello = await self._steps.hello(action)
        self._sender.greeted(action.lane, self._clock.monotonic())
        await self._exchange(encode_up(hello))

    async def _send(self, action: SendRows) -> None:
        batch = await self._steps.batch(action)
        if batch is not None:
            self._sender.sent(action, batch.last_seq, self._clock.monotonic())
            await self._exchange(encode_up(batch))

    async def _exchange(self, payload: bytes) -> None:
        """Up and down again; either way may lose the message, and the way up may double it."""
        times = 2 if self._rng.random() < self._line.doubled_share else 1
        for _ in range(times):
            if self._rng.random() < self._line.lost_share:
                continue
            answer = self._cloud.receive(payload)
            if self._rng.random() >= self._line.lost_share:
                await self._steps.carry_out(self._sender.received(decode_ack(answer), self._clock.monotonic()))
