"""Puts the app together: owns what its starters (desktop, Android, tests) choose, and the order of the first steps."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobile.core.folder_lock import FolderLock
from mobile.core.server_url import checked_server_url
from mobile.ui import window

if TYPE_CHECKING:
    from mobile.ui.app import IslandApp


@dataclass(frozen=True, slots=True)
class Choices:
    """How the app is to start; None: as it was left."""

    role: str
    server: str
    data_dir: Path
    language: str | None = None
    # What the app speaks at first, before anything was chosen.
    phone_language: str | None = None
    theme: str | None = None
    text_scale: float | None = None
    is_animated: bool = True
    # Sign-in name and password that the sign-in screen offers, in a demonstration.
    demo_account: tuple[str, str] | None = None
    # Where a desktop's pictures come from, see `mobile.ports.build.build_ports`.
    camera: str = ""


def made(choices: Choices) -> IslandApp:
    """The app, ready to be served; raises ConfigurationError, FolderTaken, NoDisplay, StoreError."""
    checked_server_url(choices.server)
    choices.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(choices.data_dir)
    window.prepare(choices.data_dir)
    # httpx would load the libraries of its own command line (click, rich, pygments): 5 MB that the app never uses.
    sys.modules.setdefault("click", None)  # type: ignore[arg-type]
    from mobile.core.client import build_client
    from mobile.core.models.sending import register_kinds

    client = build_client(
        choices.data_dir,
        choices.server,
        choices.role,
        language=choices.language,
        phone_language=choices.phone_language,
        theme=choices.theme,
        text_scale=choices.text_scale,
    )
    register_kinds(client)
    window.configure()
    window.opened_window()
    from mobile.ui.app import IslandApp

    return IslandApp(
        client,
        is_animated=choices.is_animated,
        demo_account=choices.demo_account,
        camera=choices.camera,
        lock=lock,
    )


def run(choices: Choices) -> None:
    """Make it and serve it until its window is closed."""
    asyncio.run(made(choices).serve())
