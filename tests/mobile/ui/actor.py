"""Inside the app's process during a test: makes the app, reads commands from stdin, answers on stdout.

One JSON object a line. Touches and keys go to the window as if a person made them.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mobile import start
from mobile.ports.desktop import papers
from mobile.ports.files import Files, GivenFile, Kind

STILL_FRAMES = 3
STEP_S = 1 / 60
LONG_PRESS_S = 0.9
# Longer than a busy machine takes for anything, and than the app rests before it asks for a lost network again.
WITHIN_S = 120.0
# For the first word about the network, which moves the page if there is none.
NETWORK_WITHIN_S = 10.0
KEYS = {"enter": 13, "escape": 27, "backspace": 8, "tab": 9, "space": 32, "left": 276, "right": 275, "delete": 127}


def age_s() -> float:
    """Seconds since this process began."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return float(Path("/proc/uptime").read_text().split()[0]) - started


class Failed(Exception):
    """What was waited for did not come."""


@dataclass(frozen=True)
class PhoneFiles:
    """The computer's files, beside a camera that always sees one picture, as a phone has both."""

    files: Files
    picture: Path
    can_photograph = True

    async def choose(self, kind: Kind) -> GivenFile | None:
        return await self.files.choose(kind)

    async def photograph(self) -> GivenFile | None:
        return GivenFile("photo.jpg", await asyncio.to_thread(self.picture.read_bytes))


class Actor:
    """Carries out commands; each is a coroutine named `do_...`."""

    def __init__(self, app: Any) -> None:
        from kivy.core.window import Window

        from benchmarks._finger import Finger

        self.app, self.window, self.finger = app, Window, Finger()
        self.first_frame_s: float | None = None
        self._flips: list[float] = []
        self._network_until_s = time.monotonic() + NETWORK_WITHIN_S
        Window.bind(on_flip=self._on_flip)

    def _on_flip(self, *_: Any) -> None:
        if self.first_frame_s is None and self.app.root is not None:
            self.first_frame_s = age_s()
            answer({"first_frame_s": self.first_frame_s})
        self._flips.append(time.perf_counter())

    async def listen(self) -> None:
        reader = asyncio.StreamReader(limit=2**20)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            command = json.loads(line)
            do: Callable[..., Awaitable[Any]] = getattr(self, f"do_{command.pop('do')}")
            try:
                answer({"ok": await do(**command)})
            except Failed as error:
                answer({"failed": str(error)})
        self.app.stop()

    # ------------------------------------------------------------ looking

    async def do_texts(self) -> list[str]:
        from seen import texts

        await self._settled()
        return texts()

    async def do_ids(self) -> dict[str, Any]:
        from seen import everything

        await self._settled()
        return {one.test_id: one.box.from_top() for one in reversed(everything()) if one.test_id}

    async def do_state(self) -> dict[str, Any]:
        app, client = self.app, self.app.client
        return {
            "screen": app.router.front.name,
            "tab": app.router.tab,
            "language": client.words.language,
            "theme": client.settings.theme,
            "text_scale": client.settings.text_scale,
            "online": client.network.online,
            "waiting": client.outbox.waiting,
            "signed_in": client.session.is_signed_in,
            "faults": app.faults.count,
            "first_frame_s": self.first_frame_s,
        }

    async def do_strays(self) -> int:
        from kivy.uix.widget import Widget

        await self._settled()
        router = self.app.router
        held = {one.uid for stack in router._stacks.values() for screen in stack for one in screen.walk()}
        held |= {one.uid for one in self.app.overlay.walk()}
        gc.collect()
        return sum(issubclass(type(one), Widget) and one.uid not in held for one in gc.get_objects())

    async def do_wait(
        self, test_id: str | None = None, text: str | None = None, gone: bool = False, within_s: float = WITHIN_S
    ) -> None:
        until_s = time.monotonic() + within_s
        while (self._find(test_id, text) is None) != gone:
            if time.monotonic() > until_s:
                raise Failed(f"waited {within_s} s until {test_id or text!r} was {'gone' if gone else 'there'}")
            await self._frame()

    async def do_shot(self, path: str) -> None:
        await self._settled()
        taken: list[bytes] = []

        def read_back(*_: Any) -> None:
            # Before the buffers change places: what was just drawn.
            from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glReadPixels

            taken.append(glReadPixels(0, 0, *self.window.size, GL_RGBA, GL_UNSIGNED_BYTE))
            self.window.unbind(on_flip=read_back)

        self.window.bind(on_flip=read_back)
        self.window.canvas.ask_update()
        while not taken:
            await self._frame()
        from PIL import Image

        picture = Image.frombytes("RGBA", self.window.size, taken[0])
        picture.convert("RGB").transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(path)

    async def do_frames(self, start: bool = False) -> dict[str, float]:
        flips, self._flips = self._flips, []
        if start or len(flips) < 2:
            return {"count": len(flips), "seconds": 0.0, "per_s": 0.0, "gap_ms_max": 0.0}
        seconds = flips[-1] - flips[0]
        gaps = [later - earlier for earlier, later in itertools.pairwise(flips)]
        return {
            "count": len(flips),
            "seconds": seconds,
            "per_s": (len(flips) - 1) / seconds,
            "gap_ms_max": max(gaps) * 1e3,
        }

    # ------------------------------------------------------------ touching

    async def do_tap(
        self,
        test_id: str | None = None,
        text: str | None = None,
        at: list[float] | None = None,
        within_s: float = WITHIN_S,
    ) -> None:
        if at is not None:
            await self._settled()
            await self._touch([self._up(at)])
            return
        await self._lifted([await self._begun(test_id, text, within_s)])

    async def do_long_press(
        self, test_id: str | None = None, text: str | None = None, within_s: float = WITHIN_S
    ) -> None:
        place = await self._begun(test_id, text, within_s)
        await asyncio.sleep(LONG_PRESS_S)
        await self._lifted([place])

    async def do_swipe(self, start: list[float], end: list[float], seconds: float = 0.25) -> None:
        (x0, y0), (x1, y1) = self._up(start), self._up(end)
        steps = max(2, round(seconds / STEP_S))
        await self._touch([(x0 + (x1 - x0) * n / steps, y0 + (y1 - y0) * n / steps) for n in range(steps + 1)])

    async def do_scroll_to(
        self, test_id: str | None = None, text: str | None = None, within_s: float = WITHIN_S
    ) -> None:
        """Drag its list until it is wholly in sight; what is not laid out yet is sought downwards, then upwards."""
        from seen import find, in_window, largest_list

        until_s = time.monotonic() + within_s
        down, before = True, None
        while True:
            await self._settled()
            found = find(test_id, text, among=in_window())
            if found is not None and (found.box == found.whole or found.around is None):
                return
            if time.monotonic() > until_s:
                raise Failed(f"dragged {within_s} s and did not find {test_id or text!r}")
            around = largest_list() if found is None or found.around is None else found.around
            if found is not None:
                down = found.whole.middle[1] < around.middle[1]
            looks = self._looks()
            if found is None and looks == before:
                down = not down
            before = looks
            await self._drag(around, down)

    async def do_type(self, text: str, clear: bool = False) -> None:
        focused = self._focused()
        until_s = time.monotonic() + WITHIN_S
        while focused is None:
            if time.monotonic() > until_s:
                raise Failed(f"typed {text!r}, but no input had the focus for {WITHIN_S} s")
            await self._frame()
            focused = self._focused()
        if clear:
            focused.select_all()
            focused.delete_selection()
        for char in text:
            await self._pressed(partial(self.window.dispatch, "on_textinput", char))

    async def do_key(self, name: str) -> None:
        code = KEYS[name]

        def down() -> None:
            if not self.window.dispatch("on_key_down", code, 0, None, []):
                self.window.dispatch("on_keyboard", code, 0, None, [])

        await self._pressed(down)
        await self._pressed(lambda: self.window.dispatch("on_key_up", code, 0))

    async def do_settings(self, **wanted: Any) -> None:
        for name, value in wanted.items():
            setattr(self.app.client.settings, name, value)
        await self._settled()

    async def do_ask(self) -> None:
        self.app.run_task(self.app.client.api.public.health())

    async def do_fail(self, where: str) -> None:
        def fault() -> None:
            raise RuntimeError("琼A12345")

        async def task() -> None:
            fault()

        if where == "in_task":
            self.app.run_task(task())
        else:
            await self._pressed(fault)

    async def do_away(self, is_away: bool) -> str:
        if is_away:
            assert self.app.on_pause()
        else:
            self.app.on_resume()
        return str(self.app.ports.camera.state)

    async def do_photos(self, path: str) -> None:
        self.app.ports = replace(self.app.ports, files=PhoneFiles(self.app.ports.files, Path(path)))

    async def do_quit(self) -> None:
        self.app.stop()

    # ------------------------------------------------------------ inside

    def _find(self, test_id: str | None, text: str | None) -> Any:
        from seen import find

        return find(test_id, text)

    def _focused(self) -> Any:
        from kivy.uix.textinput import TextInput

        return next((one for one in self.window.children[0].walk() if isinstance(one, TextInput) and one.focus), None)

    def _looks(self) -> list[Any]:
        from seen import everything

        return [(one.text, one.box) for one in everything() if one.text]

    def _up(self, at: list[float]) -> tuple[float, float]:
        return at[0], self.window.height - at[1]

    async def _begun(self, test_id: str | None, text: str | None, within_s: float) -> tuple[float, float]:
        """The finger is down on it, once it stands still; where."""
        from kivy.clock import Clock

        until_s = time.monotonic() + within_s
        while self.app.client.network.online is None and time.monotonic() < self._network_until_s:
            await self._frame()
        while True:
            boxes: list[Any] = []
            while len(boxes) < STILL_FRAMES or len({*boxes[-STILL_FRAMES:]}) > 1 or boxes[-1] is None:
                if time.monotonic() > until_s:
                    raise Failed(f"waited {within_s} s to touch {test_id or text!r}")
                boxes.append(self._still_box(test_id, text))
                await self._frame()
            begun = asyncio.get_running_loop().create_future()
            Clock.schedule_once(partial(self._begin, boxes[-1], test_id, text, begun), 0)
            if await begun:
                return boxes[-1].middle

    def _begin(self, box: Any, test_id: str | None, text: str | None, begun: asyncio.Future[bool], _: float) -> None:
        """Just before this frame's touches are taken: down, unless it has moved since it was looked at."""
        is_there = self._still_box(test_id, text) == box
        if is_there:
            self.finger.put("begin", *box.middle)
        begun.set_result(is_there)

    def _still_box(self, test_id: str | None, text: str | None) -> Any:
        found = None if self.app.router.is_moving else self._find(test_id, text)
        return None if found is None else found.box

    async def _drag(self, around: Any, down: bool) -> None:
        x, middle = around.middle
        reach = min((around.top - around.bottom) * 0.35, self.window.height * 0.2)
        low, high = middle - reach, middle + reach
        steps = 12
        path = [(x, low + (high - low) * n / steps) for n in range(steps + 1)]
        if not down:
            path.reverse()
        # It rests at the end, so that the list does not fly on.
        await self._touch([*path, *[path[-1]] * 8])

    async def _touch(self, path: list[tuple[float, float]]) -> None:
        self.finger.put("begin", *path[0])
        await self._lifted(path)

    async def _lifted(self, path: list[tuple[float, float]]) -> None:
        """Along the path from where the finger is down, and up."""
        for x, y in path[1:]:
            self.finger.put("update", x, y)
        self.finger.put("end", *path[-1])
        while not self.finger.is_idle:
            await self._frame()
        await self._frame()
        await self._frame()

    async def _pressed(self, press: Callable[[], Any]) -> None:
        """Do it in Kivy's loop, where the window's own keys come from."""
        from kivy.clock import Clock

        Clock.schedule_once(lambda _elapsed_s: press(), 0)
        await self._frame()
        await self._frame()

    async def _frame(self) -> None:
        """Until the next frame's work is done."""
        from kivy.clock import Clock

        passed = asyncio.get_running_loop().create_future()
        Clock.schedule_once(lambda _elapsed_s: passed.done() or passed.set_result(None), 0)
        await passed

    async def _settled(self) -> None:
        """Until nothing moves and nothing is waiting to be laid out."""
        before = None
        for _ in range(120):
            now = self._looks()
            if now == before and not self.app.router.is_moving:
                return
            before = now
            await self._frame()


def answer(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    sys.stdout.flush()


async def play(app: Any) -> None:
    actor = Actor(app)
    listening = asyncio.create_task(actor.listen(), name="listening")
    listening.add_done_callback(tell_end)
    await app.serve()
    listening.cancel()


def tell_end(listening: asyncio.Task[None]) -> None:
    """What ended it is told: nobody listens from then on."""
    error = None if listening.cancelled() else listening.exception()
    if error is not None:
        answer({"broken": "".join(traceback.format_exception(error))})


def main() -> None:
    wanted = json.loads(sys.argv[1])
    wanted["data_dir"] = Path(wanted["data_dir"])
    papers.VIEWER = ""  # no viewer of this computer opens beside a test
    asyncio.run(play(start.made(start.Choices(**wanted))))


if __name__ == "__main__":
    main()
