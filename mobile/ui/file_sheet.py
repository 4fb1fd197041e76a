"""Choosing a file of a computer: owns the sheet that walks through its folders. A phone has its own page for that."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.words import Words
from mobile.ports.files import Kind
from mobile.ui.kit import LazyList, Sheet, Text

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
ENDINGS = {Kind.PICTURE: PICTURES, Kind.PAPER: PICTURES | {".pdf"}}
UP = ".."
LIST_DP = 420


async def asked_path(widget: Widget, words: Words, kind: Kind) -> Path | None:
    """The file that the person picks in a sheet over `widget`; None when they close it."""
    sheet = FileSheet(words, kind)
    sheet.open(widget)
    return await sheet.picked


class FileSheet(Sheet):
    """Folders and the files that fit, from the person's own folder on."""

    def __init__(self, words: Words, kind: Kind) -> None:
        title = words("Choose a picture") if kind is Kind.PICTURE else words("Choose a picture or PDF")
        super().__init__(title=title, close_label=words("Close"), test_id="file-sheet")
        self._words, self._kind = words, kind
        self.picked: asyncio.Future[Path | None] = asyncio.get_running_loop().create_future()
        self._where = Text(style="small", tone="ink2", lines=1)
        self._list = LazyList(size_hint_y=None, height=dp(LIST_DP), row_height_dp=60, test_id="files")
        self._list.bind(on_pick=lambda _list, key: self._pick(Path(key)))
        self.body.add_widget(self._where)
        self.body.add_widget(self._list)
        self.bind(on_closed=lambda _sheet: self._settle(None))
        self._show(Path.home())

    def _show(self, folder: Path) -> None:
        self._where.text = str(folder)
        self._list.rows = [_row(folder.parent, UP), *(_row(one, one.name) for one in _inside(folder, self._kind))]
        self._list.scroll_y = 1

    def _pick(self, path: Path) -> None:
        if path.is_dir():
            self._show(path)
        else:
            self._settle(path)
            self.close()

    def _settle(self, path: Path | None) -> None:
        if not self.picked.done():
            self.picked.set_result(path)


def _inside(folder: Path, kind: Kind) -> list[Path]:
    """Folders first, by name; nothing that is hidden, and nothing where the folder may not be read."""
    try:
        found = [one for one in folder.iterdir() if not one.name.startswith(".")]
        fitting = [one for one in found if one.is_dir() or one.suffix.lower() in ENDINGS[kind]]
        return sorted(fitting, key=lambda one: (not one.is_dir(), one.name.casefold()))
    except OSError:
        return []


def _row(path: Path, name: str) -> dict[str, object]:
    icon = "folder" if name == UP or path.is_dir() else "file-text" if path.suffix.lower() == ".pdf" else "image"
    return {"key": str(path), "icon": icon, "title": name, "test_id": f"file-{name}"}
