"""The central system of the chargers: owns its websocket server, who may connect, and one conversation a charger.

A charger connects to `/ocpp/{id}` with a subprotocol (2.0.1 before 1.6) and its id and the site's password (security
profile 1, basic authentication). A second connection of the same charger takes the place of the first. Every charger
is led by tasks of its own: one that hangs keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hmac
import http
import logging
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from control.domain.errors import DeviceError
from control.energy.site import ChargerSpec
from edge.adapters import ocpp16, ocpp201
from edge.adapters.ocpp16 import Ocpp16
from edge.adapters.ocpp201 import Ocpp201
from edge.adapters.ocpp_limits import send_limit, settle
from edge.adapters.ocpp_rpc import RpcLink
from edge.adapters.ocpp_seat import ChargingSettings, Seat
from edge.energy.ports import ChargerReading
from edge.ports import Clock

PATH = "/ocpp/"
SUBPROTOCOLS = (ocpp201.SUBPROTOCOL, ocpp16.SUBPROTOCOL)
MESSAGE_BYTES_MAX = 64 * 1024
QUEUED_MAX = 16
OPEN_WITHIN_S, CLOSE_WITHIN_S = 5.0, 2.0
PING_EVERY_S, PING_WITHIN_S = 10.0, 10.0
BOOT_WITHIN_S = 3.0
LOOK_S = 30.0
PORT_RETRY_S = 5.0
TOLD_MAX, CHARGER_ID_MAX = 32, 48

log = structlog.get_logger(__name__)


class CentralSystem:
    """Serves all configured chargers. Without a password everybody who knows a charger's id may be it."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        password: str | None,
        chargers: Sequence[ChargerSpec],
        clock: Clock,
        settings: ChargingSettings | None = None,
    ) -> None:
        self._host, self._wanted_port, self._password, self._clock = host, port, password, clock
        held = settings or ChargingSettings()
        self._settings = held
        self._seats = {spec.id: Seat(spec, held, clock) for spec in chargers}
        self._links: dict[str, RpcLink] = {}
        self._transaction = 0
        self._told_refused: set[str] = set()
        self.port = port
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Serve for ever; a port that is taken is told once and tried again."""
        told = False
        while True:
            try:
                server = await self._listen()
            except OSError as error:
                if not told:
                    log.error("ocpp_port_taken", host=self._host, port=self._wanted_port, error=str(error))  # noqa: TRY400
                told = True
                await self._clock.sleep(PORT_RETRY_S)
                continue
            async with server:
                self.port = server.sockets[0].getsockname()[1]
                self.listening.set()
                await server.serve_forever()

    def read(self) -> Mapping[str, ChargerReading]:
        """Every configured charger as it last said."""
        for seat in self._seats.values():
            seat.tidy()
        return {charger: seat.reading() for charger, seat in self._seats.items()}

    async def limit(self, charger_id: str, kw: float) -> None:
        """Want this power limit from now on. Raises WriteNotTaken, DeviceError of the last attempt."""
        seat = self._seats[charger_id]
        if seat.wanted_kw != kw:
            seat.wanted_kw = kw
            seat.stirred.set()
        if not seat.connected:
            raise DeviceError(f"{charger_id}: is not connected")
        if seat.failure is not None:
            raise seat.failure

    async def _listen(self) -> Server:
        # What the library says of peers that speak no websocket would fill the log; what matters is told here.
        quiet = logging.getLogger("edge.ocpp.websockets")
        quiet.setLevel(logging.CRITICAL)
        return await serve(
            self._converse,
            self._host,
            self._wanted_port,
            process_request=self._admit,
            select_subprotocol=_choose,
            compression=None,
            max_size=MESSAGE_BYTES_MAX,
            max_queue=QUEUED_MAX,
            open_timeout=OPEN_WITHIN_S,
            close_timeout=CLOSE_WITHIN_S,
            ping_interval=PING_EVERY_S,
            ping_timeout=PING_WITHIN_S,
            server_header=None,
            logger=quiet,
        )

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse whoever is not one of our chargers, before any of its messages is heard."""
        charger = _charger_in(request.path)
        if charger not in self._seats:
            self._tell_refused(charger, "unknown")
            return connection.respond(http.HTTPStatus.NOT_FOUND, "No such charger.\n")
        if self._password is not None and not _allowed(
            request.headers.get("Authorization", ""), charger, self._password
        ):
            self._tell_refused(charger, "wrong id or password")
            refused = connection.respond(http.HTTPStatus.UNAUTHORIZED, "Wrong id or password.\n")
            refused.headers["WWW-Authenticate"] = 'Basic realm="ocpp"'
            return refused
        return None

    def _tell_refused(self, charger: str, why: str) -> None:
        """Once a charger; whoever tries names without an end is told of only a few times."""
        if charger not in self._told_refused and len(self._told_refused) < TOLD_MAX:
            self._told_refused.add(charger)
            log.warning("charger_refused", charger=charger[:CHARGER_ID_MAX], why=why)

    async def _converse(self, connection: ServerConnection) -> None:
        """One connection, from its first message to its last."""
        assert connection.request is not None
        charger = _charger_in(connection.request.path)
        seat, booted = self._seats[charger], asyncio.Event()
        dialect = self._dialect(connection, seat, booted)
        link = RpcLink(
            connection,
            charger=charger,
            version=dialect.version,
            handlers=dialect.handlers,
            answers=seat.answers,
            timeout_s=seat.settings.answer_within_s,
            heard=seat.heard,
        )
        self._told_refused.discard(charger)
        former, self._links[charger] = self._links.get(charger), link
        seat.met()
        log.info("charger_connected", charger=charger, version=dialect.version)
        try:
            async with asyncio.TaskGroup() as tasks:
                if former is not None:
                    tasks.create_task(former.close("replaced by a newer connection"), name=f"ocpp-{charger}-former")
                leading = tasks.create_task(_lead(link, seat, dialect, booted), name=f"ocpp-{charger}")
                await link.hear()
                leading.cancel()
        except* Exception:
            # The outermost loop of this conversation: a fault of ours ends it, and none of the others.
            log.exception("charger_conversation_failed", charger=charger)
        finally:
            if self._links.get(charger) is link:
                del self._links[charger]
                seat.gone()
                log.info("charger_gone", charger=charger)

    def _dialect(self, connection: ServerConnection, seat: Seat, booted: asyncio.Event) -> Ocpp16 | Ocpp201:
        if connection.subprotocol == ocpp201.SUBPROTOCOL:
            return Ocpp201(seat, booted=booted.set)
        return Ocpp16(seat, booted=booted.set, next_transaction=self._next_transaction)

    def _next_transaction(self) -> int:
        """Rises with the clock, so that no number comes again after a restart."""
        self._transaction = max(self._transaction + 1, int(self._clock.now().timestamp()) & 0x7FFF_FFFF)
        return self._transaction


async def _lead(link: RpcLink, seat: Seat, dialect: Ocpp16 | Ocpp201, booted: asyncio.Event) -> None:
    """Greet the charger, then send it a limit whenever one is due."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BOOT_WITHIN_S):
            await booted.wait()
    with contextlib.suppress(DeviceError):
        await settle(link, seat, dialect)
        await dialect.greet(link)
    while True:
        seat.stirred.clear()
        due_s = seat.due_in_s()
        if due_s == 0.0:
            await _send(link, seat, dialect)
            continue
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S if due_s is None else min(due_s, LOOK_S)):
                await seat.stirred.wait()


async def _send(link: RpcLink, seat: Seat, dialect: Ocpp16 | Ocpp201) -> None:
    """One attempt; its failure waits in the seat for the next time that somebody wants a limit."""
    kw = seat.sendable_kw()
    assert kw is not None
    seat.tried_s = seat.clock.monotonic()
    session = seat.session
    try:
        await send_limit(link, seat, dialect, kw)
    except DeviceError as error:
        if seat.failure is None:
            log.warning("charger_limit_not_taken", charger=seat.spec.id, error=str(error))
        seat.failure, seat.sent_kw = error, None
    else:
        # A vehicle that came or went meanwhile needs a limit of its own.
        seat.failure, seat.sent_kw = None, kw if seat.session is session else None


def _charger_in(path: str) -> str:
    plain = path.split("?", 1)[0]
    return unquote(plain[len(PATH) :]).rstrip("/") if plain.startswith(PATH) else ""


def _allowed(header: str, charger: str, password: str) -> bool:
    """Whether a basic authorisation names this charger and the site's password; takes the same time for all."""
    kind, _, encoded = header.partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        given = b""
    return hmac.compare_digest(given, f"{charger}:{password}".encode()) and kind.lower() == "basic"


def _choose(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
    for ours in SUBPROTOCOLS:
        if ours in offered:
            return Subprotocol(ours)
    raise NegotiationError(f"no subprotocol in common: this central system speaks {', '.join(SUBPROTOCOLS)}")
