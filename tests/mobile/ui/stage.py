"""The app as a person has it in the hand: its own process and window, touched and looked at by commands.

The other side is `actor.py`, which runs inside the app's process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_sync.server.broker import free_port
from hw_sim.bound import bound

ROOT = Path(__file__).resolve().parents[3]
ACTOR = Path(__file__).with_name("actor.py")
START_WITHIN_S = 180.0
# What a test waits for, as in `actor.py`; the app says itself what did not come, so its answer is waited for longer.
WITHIN_S = 120.0
ANSWER_AFTER_S = 60.0
LINE_BYTES_MAX = 2**24


@dataclass(frozen=True)
class Box:
    """A place in the window in pixels; `top` counts downwards."""

    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


class StageApp:
    """One running app. Every method waits until the app has done it."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, data_dir: Path) -> None:
        self._process, self._folder, self.data_dir = process, folder, data_dir
        self.first_frame_s = 0.0
        self._failures = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def tap(self, test_id: str | None = None, *, text: str | None = None, at: Any = None) -> None:
        """Touch what has this id or text, or a point (x, y from the top), once it is there and still."""
        await self._do("tap", test_id=test_id, text=text, at=at)

    async def long_press(self, test_id: str | None = None, *, text: str | None = None) -> None:
        await self._do("long_press", test_id=test_id, text=text)

    async def type(self, text: str, *, into: str | None = None, clear: bool = False) -> None:
        """Type into the input that has the focus, or touch `into` first; `clear` empties it before."""
        if into is not None:
            await self.tap(into)
        await self._do("type", text=text, clear=clear)

    async def key(self, name: str) -> None:
        """enter, escape, backspace, delete, tab, space, left or right."""
        await self._do("key", name=name)

    async def back(self) -> None:
        """Android's back key, which is escape on a desktop."""
        await self.key("escape")

    async def swipe(self, start: tuple[float, float], end: tuple[float, float], *, seconds: float = 0.25) -> None:
        await self._do("swipe", start=start, end=end, seconds=seconds)

    async def scroll_to(self, test_id: str | None = None, *, text: str | None = None) -> None:
        """Drag until it is wholly in sight."""
        await self._do("scroll_to", test_id=test_id, text=text)

    async def wait_for(
        self, test_id: str | None = None, *, text: str | None = None, gone: bool = False, within_s: float = WITHIN_S
    ) -> None:
        """Until it is there (or gone); a text may stand within a longer one."""
        await self._do("wait", test_id=test_id, text=text, gone=gone, within_s=within_s)

    async def texts(self) -> list[str]:
        """All that can be read, top to bottom."""
        found: list[str] = await self._do("texts")
        return found

    async def ids(self) -> dict[str, Box]:
        """Where everything is that has an id."""
        return {name: Box(**box) for name, box in (await self._do("ids")).items()}

    async def state(self) -> dict[str, Any]:
        """Screen, tab, language, theme, network, outbox, session, faults."""
        found: dict[str, Any] = await self._do("state")
        return found

    async def strays(self) -> int:
        """Widgets that live although no screen holds them any more."""
        found: int = await self._do("strays")
        return found

    async def wait_state(self, *, within_s: float = WITHIN_S, **wanted: Any) -> None:
        """Until the state has these values."""
        until_s = time.monotonic() + within_s
        while (state := await self.state()) | wanted != state:
            assert time.monotonic() < until_s, f"waited {within_s} s for {wanted}, and it is {state}"
            await asyncio.sleep(0.05)

    async def settings(self, **wanted: Any) -> None:
        """Set language, theme or text_scale, as the settings' screen does."""
        await self._do("settings", **wanted)

    async def ask(self) -> None:
        """A light question to the server: what the app knows of the network is from its calls."""
        await self._do("ask")

    async def fail(self, where: str) -> None:
        """A fault of ours with a plate in its words: `in_touch` or `in_task`."""
        await self._do("fail", where=where)

    async def away(self, is_away: bool) -> str:
        """Into the background as Android does it, or back; the camera's state then."""
        state: str = await self._do("away", is_away=is_away)
        return state

    async def photos(self, path: Path) -> None:
        """A camera app like a phone's from now on; what it takes is this picture."""
        await self._do("photos", path=str(path))

    async def shot(self, path: Path) -> Path:
        """A picture of the window, PNG."""
        await self._do("shot", path=str(path))
        return path

    async def frames(self, *, start: bool = False) -> dict[str, float]:
        """Frames drawn since the last call: count, seconds, per_s, gap_ms_max."""
        found: dict[str, float] = await self._do("frames", start=start)
        return found

    async def quit(self) -> None:
        """End it as closing the window does."""
        if self.is_running:
            self._send(do="quit")
            await self.gone()

    def kill(self) -> None:
        """kill -9."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def gone(self) -> int:
        """Until the process has ended; its status."""
        async with asyncio.timeout(WITHIN_S):
            return await self._process.wait()

    async def begin(self) -> None:
        """Until the first frame is drawn."""
        async with asyncio.timeout(START_WITHIN_S):
            self.first_frame_s = (await self._answer())["first_frame_s"]

    async def _do(self, what: str, **given: Any) -> Any:
        self._send(do=what, **{name: value for name, value in given.items() if value is not None})
        wait_s = given.get("within_s", WITHIN_S) + ANSWER_AFTER_S
        try:
            answer = await asyncio.wait_for(self._answer(), wait_s)
        except TimeoutError:
            raise AssertionError(f"no answer within {wait_s} s to {what} {given}") from None
        assert "broken" not in answer, f"{what} {given}: {answer['broken']}"
        if "failed" in answer:
            raise AssertionError(f"{answer['failed']}{await self._what_is_seen()}")
        return answer["ok"]

    async def _what_is_seen(self) -> str:
        """For the report of a failure: every text, and a picture."""
        self._failures += 1
        path = self._folder / f"failed-{self._process.pid}-{self._failures}.png"
        await self._do("shot", path=str(path))
        texts = await self._do("texts")
        return f"\non the screen: {texts}\nids: {sorted(await self._do('ids'))}\npicture: {path}"

    def _send(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"the app ended, status {await self.gone()}; see above what it wrote"
        answer: dict[str, Any] = json.loads(line)
        return answer


async def started(folder: Path, environment: dict[str, str], choices: dict[str, Any]) -> StageApp:
    """A running app after its first frame."""
    process = await asyncio.create_subprocess_exec(
        *bound(sys.executable, str(ACTOR), json.dumps(choices)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
        cwd=ROOT,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
    )
    app = StageApp(process, folder, Path(choices["data_dir"]))
    try:
        await app.begin()
    except BaseException:
        app.kill()
        await app.gone()
        raise
    return app


class Wire:
    """A way to the server that can be cut: everything that comes to `url` is passed on."""

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._port = free_port("127.0.0.1")  # kept while it is cut: nothing else is given it meanwhile
        # Connections are taken and never answered.
        self.is_jammed = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def mend(self) -> None:
        """The network is there (again), at the same address."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """The network goes: what is open breaks off, what is new is refused."""
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_jammed:
            await reader.read()
            writer.close()
            return
        server = self._server
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        if server is None or not server.is_serving():  # it was cut meanwhile
            for one in (writer, back):
                one.transport.abort()
            return
        self._open |= {writer, back}
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        self._open -= {writer, back}


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(2**16):
            writer.write(chunk)
            await writer.drain()
    writer.close()
