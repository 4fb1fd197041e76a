"""Pictures and papers that wait to be sent: owns one folder an account, and that a file named there is whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from mobile.core.errors import FileGone, StoreError, StoreFull
from mobile.core.store import Store

_NO_ROOM = {28, 122}  # ENOSPC, EDQUOT


class Files:
    """Files of the present account by the hash of their content. Raises StoreError."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store

    def keep(self, content: bytes) -> str:
        """Keeps a file; its name, when it is durable."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        if not path.exists():
            try:
                _write(path, content)
            except OSError as error:
                raise _trouble(error, path) from error
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes of a file that was kept. Raises FileGone."""
        try:
            return self.path(sha256).read_bytes()
        except OSError as error:
            raise FileGone(f"{self.path(sha256)}: {error}") from error

    def path(self, sha256: str) -> Path:
        """Where a file lies."""
        return self._of(self._store.account) / sha256

    @property
    def papers_dir(self) -> Path:
        """A folder of the present account for papers that it saved, each under its own name."""
        return self._of(self._store.account) / "papers"

    def drop(self, sha256: str) -> None:
        """Removes a file; one that is not there is no error."""
        try:
            self.path(sha256).unlink(missing_ok=True)
        except OSError as error:
            raise _trouble(error, self.path(sha256)) from error

    def forget_account(self, account: str) -> None:
        """Removes every file of an account."""
        try:
            shutil.rmtree(self._of(account), ignore_errors=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _trouble(error, self._of(account)) from error

    def _of(self, account: str) -> Path:
        return self._folder / hashlib.sha256(account.encode()).hexdigest()[:24]


def write_whole(path: Path, content: bytes) -> None:
    """Puts a file there in one step, readable by its owner alone: either it is whole and durable, or not there.

    Raises StoreError.
    """
    try:
        _write(path, content)
    except OSError as error:
        raise _trouble(error, path) from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _trouble(error: OSError, path: Path) -> StoreError:
    if error.errno in _NO_ROOM:
        return StoreFull(f"no room for {path}: {error}")
    return StoreError(f"{path}: {error}")
