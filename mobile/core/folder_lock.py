"""One app for each folder: owns the lock on it. Two would renew one sign-in, and the server would end it for safety."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from control.domain.errors import IslandError
from mobile.core.errors import StoreError

LOCK_FILE = "app.lock"


class FolderTaken(IslandError):
    """Another app works on the folder."""


class FolderLock:
    """Held until `release` or the end of the process, whatever ends it. Its making raises FolderTaken, StoreError.

    SQLite's lock on an empty file: the one lock of the standard library that every system has.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_FILE
        try:
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise FolderTaken(
                    f"The app is open already on {folder}. Close that window, or name another folder with --data-dir."
                ) from error
            raise StoreError(f"{path}: {error}") from error

    def release(self) -> None:
        """Lets others have the folder; any number of times."""
        self._connection.close()
