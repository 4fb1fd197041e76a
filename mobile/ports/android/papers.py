"""Papers on Android: owns the system's page for choosing a place, and writing there.

The app's own folder is closed to every other app, so that a paper there is of no use. ACTION_CREATE_DOCUMENT needs no
permission and no FileProvider.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from jnius import JavaException, autoclass

from mobile.ports.android.system import opened, result_of
from mobile.ports.papers import Handed, PaperNotGiven

_PLACE = 0x15A3


class AndroidPapers:
    """Into a place that the person chooses: a folder of the phone, or a cloud they use."""

    async def hand_over(self, path: Path, media_type: str) -> Handed:
        """A copy; the app keeps its own."""
        try:
            intents = autoclass("android.content.Intent")
            intent = intents(intents.ACTION_CREATE_DOCUMENT)
            intent.addCategory(intents.CATEGORY_OPENABLE)
            intent.setType(media_type)
            intent.putExtra(intents.EXTRA_TITLE, path.name)
            answer = await result_of(intent, _PLACE)
            if not answer.is_given or answer.data is None:
                return Handed.LEFT
            await asyncio.to_thread(_write, answer.data.getData(), path)
        except (JavaException, OSError) as error:
            raise PaperNotGiven(f"{path.name} cannot be saved there ({error}); choose another place.") from error
        return Handed.GIVEN


def _write(address: Any, path: Path) -> None:
    """Raises JavaException, OSError."""
    # "wt" empties the file first: a person may choose one that is there already.
    with os.fdopen(opened(address, "wt"), "wb") as file:
        file.write(path.read_bytes())
