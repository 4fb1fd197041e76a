"""Takes the pictures of one role inside the app's own process: `painter.py ROLE FOLDER [SCENE...]`.

The app is made as it is shipped; only the clock stands still and the fixed island answers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import segno
from actor import Actor, Failed
from PIL import Image
from scenes import DEVICE_CODE, LANGUAGES, NEW, NOBODY, SCENES, SOMEBODY, THEMES, WALL, Scene

from mobile.core.client import Client, build_client
from mobile.core.errors import Offline
from mobile.core.models.trips import remember, remembered_running
from mobile.ports.camera import CameraState
from mobile.ui import window

# Answers come between two frames, and what they change is drawn in the next one.
STILL_FRAMES = 3
AWAIT_S = 20.0
QUIET_FRAMES_MAX = 600


class Painter:
    """One app, and the hands that put it into each scene."""

    def __init__(self, app: Any, island: Any, folder: Path, cameras: dict[str, Path], camera: Path) -> None:
        self._app, self._island, self._folder = app, island, folder
        self._cameras, self._camera = cameras, camera
        self._actor = Actor(app)
        self.wrong: list[str] = []

    async def paint(self, role: str, wanted: frozenset[str]) -> None:
        """Every scene in every look."""
        scenes = [one for one in SCENES[role] if not wanted or one.name in wanted]
        for who in (NOBODY, NEW, SOMEBODY):
            mine = [one for one in scenes if one.who == who]
            if not mine:
                continue
            await self._sign(who, role)
            for language in LANGUAGES:
                for theme in THEMES:
                    await self._actor.do_settings(language=language, theme=theme)
                    for scene in mine:
                        await self._paint(scene, f"{role}-{scene.name}-{language}-{theme}")
        self.wrong += [f"the fixed island has no answer to {one}" for one in sorted(self._island.asked)]
        if self._app.faults.count:
            self.wrong.append((self._app.client.data_dir / "faults.log").read_text(encoding="utf-8")[-3000:])

    async def _paint(self, scene: Scene, name: str) -> None:
        try:
            await self._show(scene)
            await self._actor.do_shot(str(self._folder / f"{name}.png"))
        except Failed as error:
            self.wrong.append(f"{name}: {error}; on the screen: {await self._actor.do_texts()}")
        await self._leave()

    async def _sign(self, who: str, role: str) -> None:
        session = self._app.client.session
        if who == NOBODY:
            return
        from picture_people import CHEN, PASSWORD, XIAOYU
        from picture_people import NEW as NEW_NAME

        name = NEW_NAME if who == NEW else XIAOYU if role == "visitor" else CHEN
        await session.sign_in(name, PASSWORD)
        if who == SOMEBODY:
            _keep_codes(self._app.client)
        await self._quiet()

    async def _show(self, scene: Scene) -> None:
        from mobile.ui import routes

        app, actor = self._app, self._actor
        _hold(self._cameras[scene.camera], self._camera)
        self._island.is_riding = scene.is_riding
        first = routes.TABS[app.client.role][0].name if scene.who else routes.SIGN_IN
        if app.router.front.name != first or scene.is_riding != _rides(app.client):
            if app.client.role == "visitor" and scene.who:
                await remember(app.client)
            app.router.reset(first)
        if scene.screen != first:
            app.router.go(scene.screen, **scene.given)
        if scene.screen == "scan":
            await self._seen_by_camera()
        await self._quiet()
        if scene.is_cut:
            await self._cut(is_cut=True)
        for test_id in scene.taps:
            await actor.do_tap(test_id=test_id, within_s=AWAIT_S)
            await self._quiet()
        if scene.awaits:
            await actor.do_wait(test_id=scene.awaits, within_s=AWAIT_S)
            await self._quiet()
        if app.router.front.name != scene.screen:
            raise Failed(f"{app.router.front.name} is in front")

    async def _leave(self) -> None:
        """Nothing of this scene stays: sheets, what was scanned, the screen itself, the cut."""
        while self._app.overlay.back() or self._app.router.back():
            await self._actor._frame()
        outbox = self._app.client.outbox
        for entry in outbox.entries():
            outbox.dismiss(entry.entry_id)
        if self._island.is_cut:
            await self._cut(is_cut=False)

    async def _cut(self, *, is_cut: bool) -> None:
        """The network goes or comes, and the app notices."""
        self._island.is_cut = is_cut
        with suppress(Offline):
            await self._app.client.api.public.health()
        await self._quiet()

    async def _quiet(self) -> None:
        """Until nothing changes any more for some frames, and nobody waits for an answer."""
        before, same = None, 0
        for _ in range(QUIET_FRAMES_MAX):
            await self._actor._frame()
            now = self._actor._looks()
            same = same + 1 if now == before and not self._is_busy() else 0
            before = now
            if same == STILL_FRAMES:
                return
        raise Failed("it does not come to rest")

    def _is_busy(self) -> bool:
        """Answers are still to come. Looking through the camera goes on for ever."""
        if self._app.router.is_moving:
            return True
        return any(not one.get_name().endswith("._look") for one in self._app._tasks)

    async def _seen_by_camera(self) -> None:
        """Until the camera gives pictures."""
        for _ in range(QUIET_FRAMES_MAX):
            if self._app.ports.camera.state is CameraState.ON:
                return
            await self._actor._frame()
        raise Failed("the camera gives no picture")


def _screens(role: str) -> list[str]:
    """All that the role can be shown."""
    from mobile.ui import routes

    return sorted(routes.table(role))


def _rides(client: Client) -> bool:
    return client.role == "visitor" and remembered_running(client) is not None


def _keep_codes(client: Client) -> None:
    """What was bought lies in the phone."""
    if client.role != "visitor":
        return
    import picture_points

    from mobile.core.models.rewards import Codes

    for code in reversed(picture_points.CODES):
        Codes(client).keep(code)


def _hold(picture: Path, camera: Path) -> None:
    """Never half a picture."""
    beside = camera.with_suffix(".part")
    beside.write_bytes(picture.read_bytes())
    beside.replace(camera)


def _cameras(folder: Path) -> dict[str, Path]:
    """What the camera sees: a grey wall, and the same with a machine's code on it."""
    wall = Image.new("RGB", (720, 1280), (104, 112, 116))
    wall.save(folder / "wall.png")
    beside = folder / "qr.png"
    segno.make_qr(_device_text()).save(str(beside), scale=9, border=4)
    with Image.open(beside) as code:
        wall.paste(code.convert("RGB"), ((720 - code.width) // 2, 300))
    wall.save(folder / "code.png")
    return {WALL: folder / "wall.png", DEVICE_CODE: folder / "code.png"}


def _device_text() -> str:
    """What a recycling machine shows at the moment of the pictures; the phone cannot tell whose secret it is."""
    from picture_points import NOW

    from control.points.rotating_code import CodeContent, qr_text, step_of

    content = CodeContent(device_number=17, step=step_of(NOW), slot=0, counter=1, amount=100)
    return qr_text(content, bytes(32))


async def serve(app: Any, painter: Painter, role: str, wanted: frozenset[str]) -> None:
    async def work() -> None:
        try:
            await painter.paint(role, wanted)
        finally:
            app.stop()

    working = asyncio.create_task(work())
    await app.serve()
    await working


def main() -> None:
    role, folder, *wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="island-pictures-") as kept:
        here = Path(kept)
        window.prepare(here)
        import picture_island
        import picture_points

        island = picture_island.FixedIsland(role)
        client = build_client(
            here, "http://island.test", role, transport=island, wall=lambda: picture_points.NOW, mono=lambda: 1_000.0
        )
        from mobile.core.models.sending import register_kinds

        register_kinds(client)
        window.configure()
        window.opened_window()
        from kivy.lang import Builder

        from mobile.ui.app import IslandApp

        Builder.load_string("<TextInput>:\n    cursor_blink: False")
        cameras, camera = _cameras(here), here / "camera.png"
        _hold(cameras[WALL], camera)

        async def run() -> Painter:
            app = IslandApp(client, is_animated=False, camera=str(camera))
            painter = Painter(app, island, Path(folder), cameras, camera)
            await serve(app, painter, role, frozenset(wanted))
            return painter

        painter = asyncio.run(run())
        sys.stdout.write(json.dumps({"wrong": painter.wrong, "screens": _screens(role)}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
