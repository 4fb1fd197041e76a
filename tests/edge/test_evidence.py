"""Evidence files: named by content, whole or absent, pruned by rule."""

from __future__ import annotations

import errno
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge import evidence as module
from edge.evidence import EvidenceFull, EvidenceStore, crop_evidence, crop_plate, evidence_of, frame_evidence
from edge.ports import Frame

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


async def test_a_picture_lies_under_its_hash(store: EvidenceStore) -> None:
    picture = evidence_of(b"bytes", "frame")
    await store.keep(picture)
    await store.keep(picture)
    assert picture.sha256 == hashlib.sha256(b"bytes").hexdigest()
    assert store.path_of(picture.sha256).read_bytes() == b"bytes"
    assert store.path_of(picture.sha256).parent.parent.name == picture.sha256[:2]
    assert store.read(picture.sha256) == b"bytes"
    assert store.read("0" * 64) is None


async def test_a_camera_jpeg_is_kept_as_it_came(make_jpeg, make_noisy) -> None:
    sent = make_jpeg(make_noisy(1))
    frame = Frame(make_noisy(1), NOW, 0.0, sent)
    assert frame_evidence(frame).data == sent
    assert frame_evidence(Frame(frame.image, NOW, 0.0)).data[:2] == b"\xff\xd8"


def test_a_crop_is_the_plate_upright() -> None:
    image = np.zeros((200, 400, 3), np.uint8)
    image[80:120, 100:220] = (0, 180, 245)
    crop = crop_plate(image, ((100, 80), (220, 80), (220, 120), (100, 120)), rows=1)
    assert crop.shape == (89, 280, 3)
    assert tuple(crop[44, 140]) == (0, 180, 245)
    assert tuple(crop[1, 1]) == (0, 0, 0)
    assert crop_plate(image, ((0, 0), (9, 0), (9, 9), (0, 9)), rows=2).shape == (140, 280, 3)
    assert crop_evidence(image, ((100, 80), (220, 80), (220, 120), (100, 120))).role == "crop"


async def test_a_full_disk_leaves_no_part_of_a_file(store: EvidenceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(EvidenceFull, match="free some disk space"):
        await store.keep(evidence_of(b"bytes", "frame"))
    assert not [path for path in store.root.rglob("*") if path.is_file()]


async def test_below_the_reserve_nothing_is_stored(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "evidence", free_mb_min=10**9)
    with pytest.raises(EvidenceFull, match="free_mb_min"):
        await store.keep(evidence_of(b"bytes", "frame"))


async def kept(store: EvidenceStore, data: bytes, age_days: float) -> str:
    picture = evidence_of(data, "frame")
    await store.keep(picture)
    at_s = (NOW - timedelta(days=age_days)).timestamp()
    os.utime(store.path_of(picture.sha256), (at_s, at_s))
    return picture.sha256


async def test_only_what_is_old_and_in_the_cloud_goes(store: EvidenceStore) -> None:
    old, old_alone, new = await kept(store, b"a", 40), await kept(store, b"b", 50), await kept(store, b"c", 1)
    gone = await store.prune(now=NOW, keep_days=30, size_mb_max=100, in_cloud=lambda name: name != old_alone)
    assert gone == [old]
    assert store.read(old) is None
    assert store.read(old_alone) == b"b"
    assert store.read(new) == b"c"


async def test_above_the_size_the_oldest_go_first(store: EvidenceStore) -> None:
    names = [await kept(store, bytes([n]) * 400_000, age_days=10 - n) for n in range(4)]
    gone = await store.prune(now=NOW, keep_days=30, size_mb_max=1, in_cloud=lambda _: True)
    assert gone == names[:2]
