"""The hut's web application: owns its addresses, who may call them, and the stream of changes.

It binds to loopback or to the hut's own network. Every decision needs a signed-in guard, a JSON body and the
session's own token, so that no other page can decide in a guard's name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import structlog
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.trustedhost import TrustedHostMiddleware

from cloud_sync.contract import look
from control.domain.plates import normalise
from control.domain.readings import Unavailable
from control.domain.vehicles import VehicleType
from control.gate.lane import GuardAction
from control.gate.reasons import GUARD_PERMIT
from edge.api import view
from edge.api.requests import ADMIT_REASONS, REFUSE_REASONS, BarrierOrder, HoldDecision, SignIn, VehicleWord
from edge.api.sessions import Session, Sessions
from edge.api.words import WORDS
from edge.app import Gateway
from edge.config import HutConfig
from edge.evidence import encode
from edge.gate_lane import GateLane
from edge.guards import Answer, GuardChoice, Source
from edge.journal import JournalError
from edge.metrics import metrics_text
from edge.ports import Clock, Frame

log = structlog.get_logger(__name__)

HERE = Path(__file__).parent
COOKIE = "island_hut"
HEARTBEAT_S = 5.0
STREAMS_MAX = 16
POLICY = "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
STATUS_OF: dict[Answer, int] = {
    Answer.DONE: 200,
    Answer.GONE: 410,
    Answer.ALREADY_DECIDED: 409,
    Answer.BARRIER_UNAVAILABLE: 503,
    Answer.NOT_NOW: 409,
    Answer.JOURNAL_FULL: 507,
}


def create_app(gateway: Gateway, config: HutConfig, clock: Clock) -> FastAPI:
    """The application of one gateway."""
    assert config.pin is not None, "checked with the configuration"
    app = FastAPI(title="Hut", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.gateway, app.state.config = gateway, config
    app.state.sessions = Sessions(pin=config.pin.reveal(), session_s=config.session_h * 3600, clock=clock)
    app.state.streams = 0
    app.state.stopping = asyncio.Event()
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", config.host])
    app.middleware("http")(_with_headers)
    app.mount("/look", StaticFiles(directory=Path(look.__file__).parent), name="look")
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for path, method, handler in _ROUTES:
        app.add_api_route(path, handler, methods=[method])
    return app


async def _with_headers(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if not request.url.path.startswith("/look/"):
        response.headers["Cache-Control"] = "no-store"
    return response


# ----------------------------------------------------------------------------------------------------- who is asking


def session_of(request: Request) -> Session | None:
    """The guard of the cookie, if signed in."""
    found: Session | None = request.app.state.sessions.find(request.cookies.get(COOKIE))
    return found


def guard(request: Request) -> Session:
    """The signed-in guard; else 401."""
    session = session_of(request)
    if session is None:
        raise HTTPException(401, "sign in first")
    return session


def deciding_guard(
    request: Request, session: Annotated[Session, Depends(guard)], x_island_csrf: Annotated[str, Header()] = ""
) -> Session:
    """The guard, on a request that only our own page can have made."""
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise HTTPException(415, "application/json only")
    if x_island_csrf != session.csrf:
        raise HTTPException(403, "the page is out of date; reload it")
    return session


Guard = Annotated[Session, Depends(guard)]
DecidingGuard = Annotated[Session, Depends(deciding_guard)]


# ------------------------------------------------------------------------------------------------------------- pages

_templates = Jinja2Templates(directory=HERE / "templates")


def _page(request: Request, name: str, **values: Any) -> HTMLResponse:
    config: HutConfig = request.app.state.config
    language = request.cookies.get("island_lang", config.language)
    language = language if language in ("zh", "en") else config.language
    words = {key: pair[language == "en"] for key, pair in WORDS.items()}
    theme = "dark" if request.cookies.get("island_theme") == "dark" else "light"
    context = {
        "w": words,
        "lang": language,
        "html_lang": "zh-CN" if language == "zh" else "en",
        "theme": theme,
        "gateway_name": request.app.state.gateway.parts.name,
        **values,
    }
    return _templates.TemplateResponse(request, name, context)


async def home(request: Request) -> Response:
    """The hut's page, or the way to it."""
    session = session_of(request)
    if session is None:
        return RedirectResponse("/sign-in", 303)
    both = {key: {"zh": zh, "en": en} for key, (zh, en) in WORDS.items()}
    boot = {"csrf": session.csrf, "words": both, "admit_reasons": ADMIT_REASONS, "refuse_reasons": REFUSE_REASONS}
    boot["vehicle_types"] = [kind.value for kind in VehicleType]
    return _page(request, "hut.html", guard=session.name, boot=boot)


async def sign_in_page(request: Request) -> Response:
    """Name and PIN."""
    return _page(request, "sign_in.html")


async def sign_in(request: Request, body: SignIn) -> Response:
    """Begin a session."""
    sessions: Sessions = request.app.state.sessions
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise HTTPException(415, "application/json only")
    locked_s = sessions.locked_s()
    if locked_s > 0:
        raise HTTPException(429, "too many tries", {"Retry-After": str(int(locked_s) + 1)})
    session = sessions.sign_in(body.name, body.pin)
    if session is None:
        raise HTTPException(403, "wrong PIN")
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE, session.token, httponly=True, samesite="strict", max_age=int(request.app.state.config.session_h * 3600)
    )
    return response


async def sign_out(request: Request, _: DecidingGuard) -> Response:
    """End the session."""
    request.app.state.sessions.end(request.cookies.get(COOKIE))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


async def metrics(request: Request) -> Response:
    """Counts for monitoring, without signing in: there is no plate and no name in them."""
    return Response(metrics_text(request.app.state.gateway), media_type="text/plain; version=0.0.4; charset=utf-8")


# --------------------------------------------------------------------------------------------------------- live state


async def state(request: Request, _: Guard) -> dict[str, Any]:
    """Everything the page shows, now."""
    return await _state(request.app.state.gateway)


async def _state(gateway: Gateway) -> dict[str, Any]:
    return view.state_of(gateway, await view.recent_of(gateway))


async def changes(request: Request, _: Guard) -> Response:
    """The state at every change, and every few seconds, as server-sent events."""
    if request.app.state.streams >= STREAMS_MAX:
        raise HTTPException(503, "too many pages are open")
    return StreamingResponse(_stream(request), media_type="text/event-stream")


async def _stream(request: Request) -> AsyncIterator[str]:
    app_state = request.app.state
    gateway: Gateway = app_state.gateway
    app_state.streams += 1
    try:
        seen = -1
        while not app_state.stopping.is_set() and session_of(request) is not None:
            seen = gateway.parts.changes.count
            body = json.dumps(await _state(gateway), ensure_ascii=False, separators=(",", ":"))
            yield f"event: state\ndata: {body}\n\n"
            await _change_or_stop(gateway, app_state.stopping, seen)
    finally:
        app_state.streams -= 1


async def _change_or_stop(gateway: Gateway, stopping: asyncio.Event, seen: int) -> None:
    change = asyncio.ensure_future(gateway.parts.changes.after(seen, timeout_s=HEARTBEAT_S))
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait([change, stop], return_when=asyncio.FIRST_COMPLETED)
    finally:
        change.cancel()
        stop.cancel()


async def live_picture(request: Request, lane_id: str, _: Guard) -> Response:
    """The newest picture of a lane; 503 says why there is none."""
    lanes = request.app.state.gateway.parts.lanes
    lane = next((lane for lane in lanes if lane.settings.lane_id == lane_id), None)
    if lane is None:
        raise HTTPException(404, "no such lane")
    latest = lane.camera.latest if isinstance(lane, GateLane) else lane.latest
    if isinstance(latest, Unavailable):
        raise HTTPException(503, latest.why)
    return Response(await _jpeg(latest), media_type="image/jpeg")


async def _jpeg(frame: Frame) -> bytes:
    return frame.jpeg if frame.jpeg is not None else await asyncio.to_thread(encode, frame.image)


async def hold_picture(request: Request, arrival_id: str, role: str, _: Guard) -> Response:
    """The picture that a held vehicle was decided by: `frame` or `crop`."""
    for lane in request.app.state.gateway.gate_lanes():
        held = lane.held
        if held is not None and held.arrival_id == arrival_id and held.passage is not None:
            data = held.passage.picture(role)
            if data is not None:
                return Response(data, media_type="image/jpeg")
    raise HTTPException(404, "no such picture")


# --------------------------------------------------------------------------------------------------------- decisions


async def decide_hold(request: Request, arrival_id: str, body: HoldDecision, session: DecidingGuard) -> Response:
    """Let a held vehicle in, or not."""
    allowed = ADMIT_REASONS if body.outcome == "admit" else REFUSE_REASONS
    if body.reason_code not in (*allowed, *(GUARD_PERMIT if body.under_permit else ())):
        raise HTTPException(422, "unknown reason")
    gateway: Gateway = request.app.state.gateway
    lane = next((lane for lane in gateway.gate_lanes() if lane.held and lane.held.arrival_id == arrival_id), None)
    if lane is None:
        raise HTTPException(STATUS_OF[Answer.GONE], Answer.GONE.value)
    reading = normalise(body.reading) if body.reading else None
    permit = view.permit_view(gateway, lane, reading) if body.under_permit and reading else None
    if body.under_permit and permit is None:
        raise HTTPException(409, "no_permit")
    choice = GuardChoice(
        action=GuardAction.ADMIT if body.outcome == "admit" else GuardAction.REFUSE,
        arrival_id=arrival_id,
        by=session.name,
        source=Source.HUT,
        reason_code=body.reason_code,
        note=body.note,
        corrected_plate=reading,
        permit_id=permit["permit_id"] if permit else None,
    )
    return _answer(await lane.ask(choice))


async def name_vehicle(request: Request, arrival_id: str, body: VehicleWord, session: DecidingGuard) -> dict[str, bool]:
    """Say what type a held vehicle is; the answer says whether its picture is kept to learn from."""
    gateway: Gateway = request.app.state.gateway
    desk = gateway.parts.vehicles
    lane = next((lane for lane in gateway.gate_lanes() if lane.held and lane.held.arrival_id == arrival_id), None)
    passage = lane.held.passage if lane is not None and lane.held is not None else None
    if desk is None or passage is None:
        raise HTTPException(STATUS_OF[Answer.GONE], "vehicle_gone")
    try:
        kept = await desk.correct(passage, body.type, by=session.name, source=Source.HUT.value)
    except JournalError as error:
        raise HTTPException(STATUS_OF[Answer.JOURNAL_FULL], "type_not_kept") from error
    gateway.parts.changes.tell()
    return {"learnt_from": kept}


async def order_barrier(request: Request, lane_id: str, body: BarrierOrder, session: DecidingGuard) -> Response:
    """Raise or lower an arm by hand, with a reason."""
    if body.reason_code not in ADMIT_REASONS:
        raise HTTPException(422, "unknown reason")
    choice = GuardChoice(
        action=GuardAction(body.action),
        arrival_id=None,
        by=session.name,
        source=Source.HUT,
        reason_code=body.reason_code,
        note=body.note,
    )
    return _answer(await request.app.state.gateway.ask(lane_id, choice))


def _answer(answer: Answer) -> Response:
    if answer is Answer.DONE:
        return Response(status_code=204)
    raise HTTPException(STATUS_OF[answer], answer.value)


_ROUTES = (
    ("/", "GET", home),
    ("/sign-in", "GET", sign_in_page),
    ("/api/sign-in", "POST", sign_in),
    ("/api/sign-out", "POST", sign_out),
    ("/metrics", "GET", metrics),
    ("/api/state", "GET", state),
    ("/api/changes", "GET", changes),
    ("/api/lanes/{lane_id}/picture.jpg", "GET", live_picture),
    ("/api/holds/{arrival_id}/{role}.jpg", "GET", hold_picture),
    ("/api/holds/{arrival_id}/decision", "POST", decide_hold),
    ("/api/holds/{arrival_id}/vehicle", "POST", name_vehicle),
    ("/api/lanes/{lane_id}/barrier", "POST", order_barrier),
)


class _Server(uvicorn.Server):
    """Signals belong to the program, not to its page."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


class HutServer:
    """The page as a service of the gateway; `serve` names the gateway before `run`."""

    def __init__(self, config: HutConfig, *, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._gateway: Gateway | None = None
        self.port = config.port

    def serve(self, gateway: Gateway) -> None:
        """The gateway to show."""
        self._gateway = gateway

    async def run(self) -> None:
        """Serve until cancelled."""
        assert self._gateway is not None
        app = create_app(self._gateway, self._config, self._clock)
        # Bound here: the server itself would end the whole program over a port that is taken.
        family = socket.AF_INET6 if ":" in self._config.host else socket.AF_INET
        listener = socket.create_server((self._config.host, self._config.port), family=family)
        self.port = listener.getsockname()[1]
        log.info("hut page is up", url=f"http://{self._config.host}:{self.port}")
        settings = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            lifespan="off",
        )
        server = _Server(settings)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="hut-server")
        try:
            await asyncio.shield(serving)
        finally:
            app.state.stopping.set()
            server.should_exit = True
            await asyncio.wait([serving], timeout=3)
            listener.close()
