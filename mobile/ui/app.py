"""The app as a whole: owns its window, its root, and what follows from language, theme, session and network.

Its course: the first frame from what the phone remembers, then the network. Nothing here waits for a server.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.widget import Widget

from mobile.core.client import Client
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.shown import trouble_of
from mobile.ports.papers import Handed, PaperNotGiven
from mobile.ui import routes, window
from mobile.ui.faults import Barrier, FaultLog
from mobile.ui.kit import Overlay, Toast
from mobile.ui.router import Router
from mobile.ui.screen import AppScreen
from mobile.ui.shell import Shell
from mobile.ui.theme import install_fonts, theme
from mobile.ui.widgets.focus import KeyFocus

if TYPE_CHECKING:
    from mobile.core.folder_lock import FolderLock
    from mobile.ports.build import Ports

KEY_ESCAPE = 27
GC_THRESHOLDS = (700, 10, 3)
FAULT_TOLD_EVERY_S = 10.0


class IslandApp(App):
    """The app of one role. `is_animated=False` shows every change at once; `demo_account` is offered at sign-in.

    `lock` keeps other apps off its folder as long as it runs.

    Background work begins after the first frame, so that nothing of the network stands before it.
    """

    title = "Near-zero-carbon island"

    def __init__(
        self,
        client: Client,
        *,
        is_animated: bool = True,
        demo_account: tuple[str, str] | None = None,
        camera: str = "",
        lock: FolderLock | None = None,
    ) -> None:
        super().__init__()
        self.client = client
        self.demo_account = demo_account
        self._camera = camera
        self._lock = lock
        # Counts changes of language, theme and text size; screens compare it with what they were drawn for.
        self.look = 0
        self.is_animated = is_animated
        self.faults = FaultLog(client.data_dir / "faults.log", now=client.clock.now)
        self.barrier = Barrier(self.faults, self._tell_fault)
        install_fonts()
        self._apply_look()
        tabs = routes.TABS[client.role]
        self.router = Router(
            self._make_screen, tabs=[tab.name for tab in tabs], on_front=self._on_front, is_animated=is_animated
        )
        self.shell = Shell(client, self.router, tabs)
        self.overlay = Overlay()
        self.overlay.add_page(self.shell)
        self._account_id = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._frame_seen = asyncio.Event()
        self._fault_told_at_s: float | None = None

    # ------------------------------------------------------------ course

    def build(self) -> Widget:
        """The root: an overlay with the shell as its only page."""
        self._begin()
        return self.overlay

    def on_start(self) -> None:
        """The window is open: keys, signals, and after the first frame the network."""
        Window.softinput_mode = "below_target"
        Window.bind(on_keyboard=self._on_key)
        self._focus = KeyFocus(self.overlay, Window)
        self.barrier.install(asyncio.get_running_loop())
        self.client.session.changed.connect(self._begin)
        self.client.settings.changed.connect(self._look_changed)
        Window.bind(on_flip=self._first_frame)
        self.run_task(self._reach_out())
        if self.client.mended_from is not None:
            self.say(self.words("The app's memory was damaged and mended; what could be read was kept."), seconds=10)

    async def serve(self) -> None:
        """Run until the window is closed, then put everything away."""
        try:
            await self.async_run(async_lib="asyncio")
        finally:
            self.router.close()
            self.shell.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.client.stop()
            if self._lock is not None:
                self._lock.release()

    def on_pause(self) -> bool:
        """Android may take the app away at any time; everything that was confirmed is in the store already.

        What the screen in front holds, as the camera with its lamp, is for other apps meanwhile.
        """
        self.router.pause()
        return True

    def on_resume(self) -> None:
        """Back again: day may have become night meanwhile."""
        self._look_changed()
        self.router.resume()

    def open_settings(self, *_: Any) -> bool:
        """Kivy's own settings page stays closed."""
        return False

    # ------------------------------------------------------------ for screens

    @cached_property
    def ports(self) -> Ports:
        """Camera, code reader, files, brightness, vibration; made when a screen first needs one."""
        from mobile.ports.build import ANDROID, DESKTOP, build_ports
        from mobile.ui.file_sheet import asked_path

        platform = ANDROID if window.on_phone() else DESKTOP
        return build_ports(platform, camera=self._camera, ask=partial(asked_path, self.overlay, self.words))

    @property
    def words(self) -> Any:
        """For kv: `app.words("English")`."""
        return self.client.words

    def say(self, sentence: str, **more: Any) -> None:
        """A short message over everything; `more` as for `Toast.show`: icon, action_text, on_action, seconds."""
        Toast.show(self.overlay, sentence, **more)

    async def hand_over(self, path: Path, media_type: str) -> None:
        """Give a saved paper to the person, and say where it is then."""
        words = self.words
        try:
            handed = await self.ports.papers.hand_over(path, media_type)
        except PaperNotGiven:
            self.say(words("It cannot be saved there. Choose another place."), icon="file-x")
            return
        if handed is Handed.LIES:
            # It stays to be read, and goes when it was: it lies over the page's last buttons.
            told = words("Saved as {path}", path=str(path))
            self.say(told, icon="download", seconds=0, action_text=words("Close"))
        elif handed is Handed.GIVEN:
            self.say(words("Saved where you chose."), icon="download")

    def run_task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Do it in the background; what is refused is said, a fault of ours is noted."""
        task = asyncio.get_running_loop().create_task(self._guarded(work), name=getattr(work, "__qualname__", "task"))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, work))
        return task

    # ------------------------------------------------------------ inside

    async def _reach_out(self) -> None:
        """What goes on beside the screens; and one light question, so that being offline is known on any screen."""
        await self.client.start()
        with suppress(ApiProblem, Offline):
            await self.client.api.public.health()

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        await self._frame_seen.wait()
        try:
            await work
        except (ApiProblem, Offline, StoreError) as error:
            self.say(trouble_of(error).said(self.words))

    def _done(self, task: asyncio.Task[None], work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.discard(task)
        work.close()  # it may have been cancelled before it began
        if task.cancelled():
            return
        fault = task.exception()
        if isinstance(fault, Exception):
            self.barrier.met(fault)

    def _first_frame(self, *_: Any) -> None:
        Window.unbind(on_flip=self._first_frame)
        # Screens that were built anew leave rings of widgets behind: they are sought often, but only among what came
        # after the start.
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        self._frame_seen.set()

    def _make_screen(self, name: str, given: dict[str, Any]) -> AppScreen:
        where = routes.table(self.client.role)[name]
        return routes.screen_class(where)(self, name, **given)

    def _begin(self) -> None:
        """Sign-in for nobody, the first tab for somebody new; who signs in again finds the screens as they were."""
        session = self.client.session
        account_id = "" if session.person is None else session.person.account_id
        if self.router.front is None or account_id != self._account_id:
            self._account_id = account_id
            self.router.reset(routes.TABS[self.client.role][0].name if account_id else routes.SIGN_IN)
        elif session.is_signed_in and self.router.front.name == routes.SIGN_IN:
            self.router.back()
        self.shell.arrange()

    def _on_front(self) -> None:
        self.shell.arrange()

    def _on_key(self, _window: Any, key: int, *_: Any) -> bool:
        """Escape and Android's back key: the topmost layer, then the screen; at the very beginning Android decides."""
        if key != KEY_ESCAPE:
            return False
        return bool(self.overlay.back()) or self.router.back() or not window.on_phone()

    def _look_changed(self) -> None:
        self._apply_look()
        self.look += 1
        self.shell.redraw()
        self.router.redraw()

    def _apply_look(self) -> None:
        theme.system_dark = window.system_is_dark()
        theme.mode = self.client.settings.theme
        theme.text_scale = self.client.settings.text_scale
        theme.reduced_motion = not self.is_animated
        Window.clearcolor = theme.bg

    def _tell_fault(self) -> None:
        now_s = Clock.get_time()
        if self._fault_told_at_s is not None and now_s - self._fault_told_at_s < FAULT_TOLD_EVERY_S:
            return
        self._fault_told_at_s = now_s
        self.say(self.words("Something went wrong in the app. What was confirmed is kept. Go back and try again."))
