"""OCPP-J over one websocket: owns framing, matching answers to calls, repeated messages, and every time limit.

Calls and answers are plain dictionaries in the words of the specification, checked by the schemas of the package
`ocpp`. Nothing that comes in is believed before its schema has accepted it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from ocpp.exceptions import FormatViolationError, OCPPError
from ocpp.exceptions import NotImplementedError as ActionNotImplemented
from ocpp.messages import Call, CallError, CallResult, unpack, validate_payload
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from control.domain.errors import DeviceError

Payload = dict[str, Any]
Handler = Callable[[Payload], Payload]

BAD_MESSAGES_MAX = 10
ANSWERS_KEPT = 32
# Carrying these out twice would begin or end a session twice; all others may come again.
ONCE = frozenset({"StartTransaction", "StopTransaction", "TransactionEvent"})
MESSAGE_ID_MAX = 64
SEND_WITHIN_S = 2.0
PROTOCOL_ERROR = 1002

log = structlog.get_logger(__name__)


class CallRefused(DeviceError):
    """The charger answered a call with an error of its own."""


class Answers:
    """The last answers: a message that comes again is answered as before and not carried out again.

    Some chargers count their message ids from 1 after every start, so the whole message must be the same.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()

    def to(self, asked: Call) -> str | None:
        """The answer that was given, if this very message has been answered before."""
        return self._kept.get(asked.to_json()) if asked.action in ONCE else None

    def keep(self, asked: Call, answer: str) -> None:
        """Remember an answer."""
        if asked.action in ONCE:
            self._kept[asked.to_json()] = answer
            while len(self._kept) > ANSWERS_KEPT:
                self._kept.popitem(last=False)


class RpcLink:
    """One connection to one charger. At most one call of ours is under way at a time, as OCPP-J asks."""

    def __init__(
        self,
        connection: ServerConnection,
        *,
        charger: str,
        version: str,
        handlers: Mapping[str, Handler],
        answers: Answers,
        timeout_s: float,
        heard: Callable[[], None],
    ) -> None:
        self._connection, self._charger, self._version = connection, charger, version
        self._handlers, self._answers, self._timeout_s, self._heard = handlers, answers, timeout_s, heard
        self._turn = asyncio.Lock()
        self._awaited: tuple[str, asyncio.Future[CallResult | CallError]] | None = None
        self._bad = 0

    async def hear(self) -> None:
        """Take messages until the connection ends or only nonsense comes."""
        try:
            async for message in self._connection:
                if not await self._take(message):
                    await self._connection.close(PROTOCOL_ERROR, "not OCPP")
                    return
        except (ConnectionClosed, TimeoutError):
            return

    async def call(self, action: str, payload: Payload) -> Payload:
        """Ask the charger. Raises CallRefused, DeviceError when it does not answer in time or answers nonsense."""
        message = Call(str(uuid.uuid4()), action, payload)
        try:
            await _check(message, self._version)
        except OCPPError as error:
            raise DeviceError(f"{self._charger}: {action} cannot be said in OCPP {self._version}: {error}") from error
        async with self._turn:
            answer = await self._exchange(message)
        if isinstance(answer, CallError):
            raise CallRefused(f"{self._charger}: refused {action}: {str(answer.error_code)[:50]}")
        answer.action = action
        try:
            await _check(answer, self._version)
        except OCPPError as error:
            raise DeviceError(f"{self._charger}: answered {action} with nonsense") from error
        return dict(answer.payload)

    async def close(self, why: str) -> None:
        """End the connection."""
        await self._connection.close(reason=why)

    async def _exchange(self, message: Call) -> CallResult | CallError:
        future: asyncio.Future[CallResult | CallError] = asyncio.get_running_loop().create_future()
        self._awaited = (message.unique_id, future)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connection.send(message.to_json())
                return await future
        except TimeoutError as error:
            why = f"{self._charger}: no answer to {message.action} within {self._timeout_s:g} s"
            raise DeviceError(why) from error
        except ConnectionClosed as error:
            raise DeviceError(f"{self._charger}: lost the connection before it answered {message.action}") from error
        finally:
            self._awaited = None

    async def _take(self, message: str | bytes) -> bool:
        """False when it is time to give up this peer."""
        try:
            parsed = unpack(message)
        except (OCPPError, ValueError, RecursionError) as error:
            return self._refuse(type(error).__name__)
        if not isinstance(parsed.unique_id, str) or not 0 < len(parsed.unique_id) <= MESSAGE_ID_MAX:
            return self._refuse("message id")
        self._heard()
        if isinstance(parsed, Call):
            await self._answer(parsed)
        elif self._awaited is not None and self._awaited[0] == parsed.unique_id and not self._awaited[1].done():
            self._awaited[1].set_result(parsed)
        return True

    def _refuse(self, why: str) -> bool:
        self._bad += 1
        log.debug("ocpp_nonsense", charger=self._charger, why=why, count=self._bad)
        return self._bad < BAD_MESSAGES_MAX

    async def _answer(self, asked: Call) -> None:
        answer = self._answers.to(asked) if isinstance(asked.action, str) else None
        if answer is None:
            answer = await self._carry_out(asked)
        async with asyncio.timeout(SEND_WITHIN_S):
            await self._connection.send(answer)

    async def _carry_out(self, asked: Call) -> str:
        """The handler's answer, or the error that says what is wrong with the question."""
        try:
            handler = self._handlers.get(asked.action) if isinstance(asked.action, str) else None
            if handler is None:
                raise ActionNotImplemented
            await _check(asked, self._version)
            answer = str(asked.create_call_result(handler(asked.payload)).to_json())
        except OCPPError as error:
            # The error's own details would send the whole question back, with everything personal in it.
            error.details = {}
            return str(asked.create_call_error(error).to_json())
        self._answers.keep(asked, answer)
        return answer


async def _check(message: Call | CallResult, version: str) -> None:
    """Raises OCPPError for what the schema does not allow; numbers that the check itself cannot bear are no better."""
    try:
        await validate_payload(message, version)
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise FormatViolationError from error


async def attempt(link: RpcLink, action: str, payload: Payload) -> Payload | None:
    """A call that a charger may refuse: None then. Raises DeviceError when it does not answer."""
    try:
        return await link.call(action, payload)
    except CallRefused:
        return None
