from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from cloud_sync.server.hashed_files import HashedFiles
from cloud_sync.server.problems import Problem

CONTENT = b"a paper of a stranger"
NAME = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> HashedFiles:
    return HashedFiles(tmp_path / "papers", free_bytes_min=0, suffix=".pdf")


def _there(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_content_is_kept_once_for_its_owner_alone(files: HashedFiles, tmp_path: Path) -> None:
    for _ in range(2):
        await files.keep(NAME, CONTENT)
    (path,) = _there(tmp_path)
    assert (path, path.read_bytes()) == (files.path_of(NAME), CONTENT)
    assert (path.name, path.stat().st_mode & 0o777) == (f"{NAME}.pdf", 0o600)
    for _ in range(2):
        await files.remove(NAME)
    assert _there(tmp_path) == []


async def test_content_and_name_outlive_a_power_cut(files: HashedFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    plain = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    await files.keep(NAME, CONTENT)
    folder = files.path_of(NAME).parent
    assert [Path(one).parent if Path(one) not in (folder, folder.parent) else Path(one) for one in synced] == [
        folder.parent,
        folder,
        folder,
    ]


@pytest.mark.parametrize("name", [NAME.upper(), NAME[:-1], "../" * 20 + "etc/passwd", ""])
async def test_what_is_no_hash_is_no_path(files: HashedFiles, name: str) -> None:
    with pytest.raises(Problem, match="not_found"):
        await files.keep(name, CONTENT)


async def test_content_of_another_name_leaves_nothing(files: HashedFiles, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="hash_differs"):
        await files.keep(NAME, CONTENT + b"x")
    assert _there(tmp_path) == []


async def test_a_full_disk_leaves_nothing_half(
    files: HashedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "papers" / NAME[:2]).mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Problem, match="No space left") as told:
        await files.keep(NAME, CONTENT)
    assert (told.value.code, _there(tmp_path)) == ("storage_full", [])


async def test_a_disk_that_is_nearly_full_takes_no_more(tmp_path: Path) -> None:
    files = HashedFiles(tmp_path, free_bytes_min=2**62)
    with pytest.raises(Problem, match="bytes are free"):
        await files.keep(NAME, CONTENT)
