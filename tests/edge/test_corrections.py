import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.adapters.correction_store import CorrectionStore, CorrectionStoreError
from edge.corrections import CROP_SIDE_PX_MAX, Correction, anonymous_crop

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


def correction(arrival_id="a1", label="truck", at=AT, crop=b"jpeg"):
    return Correction(arrival_id, "in-1", "g1", at, "陈", "hut", label, "car", 0.6, "shipped", crop)


def keep(store, *corrections, plate="琼A12345"):
    for one in corrections:
        asyncio.run(store.keep(one, plate=plate))


@pytest.fixture
def store(tmp_path):
    return CorrectionStore(tmp_path / "gateway" / "corrections.db")


def test_kept_and_read_in_order(store):
    keep(store, correction("a1"), correction("a2", "bus"))
    found = store.read()
    assert [(c.number, c.label, c.predicted, c.crop) for c in found] == [
        (1, "truck", "car", b"jpeg"),
        (2, "bus", "car", b"jpeg"),
    ]
    assert store.counts() == {"bus": 1, "truck": 1}


def test_a_later_word_on_the_same_arrival_takes_the_place_of_the_first(store):
    keep(store, correction("a1", "truck"), correction("a1", "crane"))
    assert [(c.number, c.label) for c in store.read()] == [(2, "crane")]


def test_one_vehicle_has_one_name_and_no_plate_is_stored(store):
    keep(store, correction("a1"), correction("a2"))
    keep(store, correction("a3"), plate="琼B99999")
    keep(store, correction("a4"), correction("a5"), plate="")
    names = [c.vehicle for c in store.read()]
    assert names[0] == names[1]
    assert len(set(names)) == 4
    everything = store.path.read_bytes()
    assert b"12345" not in everything


def test_names_of_another_gateway_differ(store, tmp_path):
    other = CorrectionStore(tmp_path / "other.db")
    keep(store, correction())
    keep(other, correction())
    assert store.read()[0].vehicle != other.read()[0].vehicle


def test_old_crops_go_and_leave_no_trace_on_the_disk(store):
    secret = b"SECRET-PICTURE" * 40
    keep(store, correction("old", at=AT - timedelta(days=91), crop=secret), correction("new"))
    assert secret[:64] in store.path.read_bytes()
    assert asyncio.run(store.prune(now=AT, keep_days=90)) == 1
    assert [c.number for c in store.read()] == [2]
    assert secret[:64] not in store.path.read_bytes()


def test_without_a_file_there_is_nothing(store):
    assert store.read() == []
    assert store.counts() == {}
    assert asyncio.run(store.prune(now=AT, keep_days=1)) == 0
    assert not store.path.exists()


def test_a_damaged_file_is_an_error_of_its_own(store):
    store.path.parent.mkdir()
    store.path.write_bytes(b"this is no database" * 100)
    with pytest.raises(CorrectionStoreError, match="the gate works without them"):
        store.read()


def test_a_reader_does_not_stop_the_gateway(store):
    """The command line reads while the hut writes."""
    keep(store, correction("a1"))
    with sqlite3.connect(store.path) as other:
        other.execute("SELECT COUNT(*) FROM corrections").fetchall()
        keep(store, correction("a2"))
    other.close()
    assert len(store.read()) == 2


# ------------------------------------------------------------------------------------------------------------- the crop

QUAD = ((300.0, 300.0), (440.0, 304.0), (440.0, 346.0), (300.0, 342.0))


def picture():
    image = np.full((600, 900, 3), 90, np.uint8)
    cv2.fillConvexPoly(image, np.array(QUAD, np.int32), (200, 90, 20))
    cv2.putText(image, "A12345", (308, 336), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 3)
    return image


def test_a_crop_is_the_box_and_small():
    crop = cv2.imdecode(np.frombuffer(anonymous_crop(picture(), (100, 50, 700, 500), []), np.uint8), cv2.IMREAD_COLOR)
    assert crop.shape == (216, 288, 3)
    assert max(crop.shape) == CROP_SIDE_PX_MAX


def test_the_plate_cannot_be_read_in_a_crop_but_its_ground_can_be_told():
    image = picture()
    before = image.copy()
    crop = cv2.imdecode(np.frombuffer(anonymous_crop(image, (260, 250, 500, 400), [QUAD]), np.uint8), cv2.IMREAD_COLOR)
    plate = crop[54:90, 44:176].astype(int)
    columns = plate[10:26].mean(axis=0)
    assert len({tuple(np.round(c / 24).astype(int)) for c in columns}) <= 6
    assert plate[..., 0].mean() > plate[..., 2].mean() + 40
    assert np.array_equal(image, before)


def test_a_box_or_a_plate_outside_the_picture_does_no_harm():
    image = picture()
    assert anonymous_crop(image, (950, 0, 990, 40), []) is None
    assert anonymous_crop(image, (100, 100, 100, 100), []) is None
    outside = tuple((x + 1000, y) for x, y in QUAD)
    assert anonymous_crop(image, (-50, -50, 2000, 2000), [outside]) is not None
