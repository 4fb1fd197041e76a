"""One app for each folder, however the one before ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hw_sim.bound import bound
from mobile.core.errors import StoreError
from mobile.core.folder_lock import LOCK_FILE, FolderLock, FolderTaken

ROOT = Path(__file__).resolve().parents[3]
HOLDER = (
    "import sys, pathlib; from mobile.core.folder_lock import FolderLock;"
    "lock = FolderLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def test_a_folder_is_for_one(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(FolderTaken, match="open already"):
        FolderLock(tmp_path)
    (tmp_path / "other").mkdir()
    FolderLock(tmp_path / "other").release()
    first.release()
    first.release()
    FolderLock(tmp_path).release()


def test_it_is_free_when_its_app_was_killed(tmp_path: Path) -> None:
    app = subprocess.Popen(
        bound(sys.executable, "-c", HOLDER, str(tmp_path)), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert app.stdout is not None
        assert app.stdout.readline() == b"held\n"
        with pytest.raises(FolderTaken):
            FolderLock(tmp_path)
    finally:
        app.kill()
        app.communicate()
    FolderLock(tmp_path).release()


def test_a_folder_that_cannot_be_written_is_the_phones_trouble(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        FolderLock(tmp_path / "missing")
    (tmp_path / LOCK_FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        FolderLock(tmp_path)
