"""Papers on a computer: owns showing one in the system's viewer, where there is one."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

from mobile.ports.papers import Handed

VIEWER = "xdg-open"


class DesktopPapers:
    """The file lies in the person's own folders already; it is only shown."""

    async def hand_over(self, path: Path, media_type: str) -> Handed:
        """Does not wait: a viewer may stay open for as long as the person reads."""
        viewer = shutil.which(VIEWER)
        if viewer is not None:
            threading.Thread(target=_show, args=(viewer, path), name="viewer", daemon=True).start()
        return Handed.LIES


def _show(viewer: str, path: Path) -> None:
    subprocess.run(
        [viewer, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )
