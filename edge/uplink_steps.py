"""What the sender's answers mean for the journal: owns how they are carried out, whatever line carries the messages.

`edge.adapters.mqtt` puts it on a broker's connection; the simulated day puts it on a line that loses and doubles.
"""

from __future__ import annotations

from collections.abc import Iterable

from cloud_sync.contract.v1 import Batch, Hello, batch_of
from cloud_sync.uplink.sender import (
    Action,
    BeginEpoch,
    Compare,
    Confirm,
    Greet,
    Position,
    Restamp,
    Sender,
    SendRows,
    Wait,
    point_numbers,
)
from edge.journal import LaneHead, UplinkJournal


class UplinkSteps:
    """One gateway's sender and journal, joined."""

    def __init__(self, gateway: str, journal: UplinkJournal, sender: Sender) -> None:
        self._gateway, self._journal, self._sender = gateway, journal, sender
        self._ends: dict[tuple[int, int], tuple[int, bytes]] = {}

    def positions(self) -> list[Position]:
        """Where every lane's journal stands."""
        return [_position(head) for head in self._journal.heads()]

    async def hello(self, action: Greet) -> Hello:
        """What to greet with."""
        numbers = point_numbers(after=action.after, until=action.until, count=action.points) if action.points else ()
        points = await self._journal.points(action.lane, numbers)
        head = self._head(action.lane)
        return Hello(self._gateway, head.epoch, head.lane, head.base_seq, head.head_seq, points)

    async def batch(self, action: SendRows) -> Batch | None:
        """The rows asked for; None when an epoch began meanwhile: the next look sees it."""
        rows = await self._journal.pending(action.lane, after=action.after, limit=action.limit)
        before = await self._hash_before(action)
        if not rows or before is None or self._head(action.lane).epoch != action.epoch:
            return None
        batch = batch_of(self._gateway, action.epoch, action.lane, before, rows)
        self._ends[action.lane, action.epoch] = batch.last_seq, batch.head_hash
        return batch

    async def carry_out(self, actions: Iterable[Action]) -> None:
        """What an acknowledgement asks for."""
        for action in actions:
            match action:
                case Confirm(lane, seq):
                    await self._journal.acknowledge(lane, seq)
                case Compare(lane, seq):
                    await self.carry_out(self._sender.compared(lane, await self._journal.hash_at(lane, seq)))
                case BeginEpoch(lane, agreed_seq, why):
                    head = await self._journal.rewind(lane, agreed_seq=agreed_seq, why=why)
                    self._sender.epoch_begun(_position(head))
                case Restamp(lane, seq):
                    stamped = await self._journal.restamp(lane, agreed_seq=seq)
                    if stamped is not None:
                        self._sender.epoch_begun(_position(stamped))
                case Greet() | SendRows() | Wait():
                    raise AssertionError(f"{action} is an answer of next() only")

    async def _hash_before(self, action: SendRows) -> bytes | None:
        """Known from the batch before; otherwise the journal knows."""
        seq, digest = self._ends.get((action.lane, action.epoch), (-1, b""))
        return digest if seq == action.after else await self._journal.hash_at(action.lane, action.after)

    def _head(self, lane: int) -> LaneHead:
        return next(head for head in self._journal.heads() if head.lane == lane)


def _position(head: LaneHead) -> Position:
    return Position(head.lane, head.epoch, head.base_seq, head.head_seq)
