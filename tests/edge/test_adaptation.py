import importlib.util
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge.adaptation import adapt
from edge.adapters.correction_store import CorrectionStore
from edge.corrections import Correction
from edge.head_commands import adapt_command, heads_command, label_command, rollback_command, use_command
from vision.head import HeadError
from vision.head_shelf import SHIPPED, HeadShelf
from vision.live_head import LiveHead

_SPEC = importlib.util.spec_from_file_location("learning_bench", Path(__file__).with_name("learning_bench.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
bench = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(bench)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def backbone():
    return bench.ColourBackbone()


@pytest.fixture
def data(tmp_path):
    """A gateway's data folder where guards have corrected 12 vehicles of each type."""
    store = CorrectionStore(tmp_path / "corrections.db")
    for number, kind in enumerate([kind for kind in bench.COLOURS for _ in range(12)]):
        store.write(correction(f"a{number}", kind, bench.vehicle(kind, 100 + number)), plate=f"琼A{number:05}")
    return tmp_path


def correction(arrival_id, label, picture):
    return Correction(
        arrival_id=arrival_id,
        lane_id="in-1",
        gate_id="g1",
        at=NOW,
        by="陈",
        source="hut",
        label=label,
        predicted="car",
        predicted_confidence=0.6,
        predicted_by=SHIPPED,
        crop=bench.jpeg(picture),
    )


def run(data, backbone, *, now=NOW, force=False):
    crops = CorrectionStore(data / "corrections.db").read()
    return adapt(crops, backbone, HeadShelf(data / "heads"), now=now, by="陈", force=force)


def test_corrections_become_a_better_head_that_is_in_use(data, backbone):
    made = run(data, backbone)
    assert made.switch is not None
    report = made.report
    assert (report.crops, report.counts) == (36, {"car": 12, "truck": 12, "bus": 12})
    assert report.after > report.before + 0.2
    assert report.seconds < 10
    shelf = HeadShelf(data / "heads")
    assert shelf.read().in_use == report.version == "site-20261121-090000"
    assert shelf.read().before == SHIPPED
    live = LiveHead(backbone.shipped, data / "heads")
    pictures = [bench.vehicle(kind, 900) for kind in bench.COLOURS]
    assert live.current().types(backbone.features(pictures)) == list(bench.COLOURS)


def test_a_second_round_is_compared_with_the_first(data, backbone):
    first = run(data, backbone)
    again = run(data, backbone, now=NOW + timedelta(minutes=1))
    assert again.report.before_version == first.report.version
    assert again.report.before == again.report.after == first.report.after


def test_wrong_labels_make_a_version_that_is_kept_but_not_used(data, backbone):
    good = run(data, backbone)
    store = CorrectionStore(data / "corrections.db")
    kinds, chance = list(bench.COLOURS), np.random.default_rng(3)
    for number in range(60):
        picture = bench.patchwork(chance)
        store.write(correction(f"b{number}", kinds[chance.integers(3)], picture), plate="")
    bad = run(data, backbone, now=NOW + timedelta(minutes=1))
    assert bad.report.after < bad.report.before
    assert bad.switch is None
    shelf = HeadShelf(data / "heads")
    assert shelf.read().in_use == good.report.version
    assert {report.version for report in shelf.read().versions} == {good.report.version, bad.report.version}
    forced = run(data, backbone, now=NOW + timedelta(minutes=2), force=True)
    assert forced.switch is not None
    assert shelf.read().in_use == forced.report.version


def test_nothing_to_learn_from_says_what_to_do(tmp_path, backbone):
    with pytest.raises(HeadError, match="correct some types in the hut"):
        run(tmp_path, backbone)


def test_a_crop_that_is_no_picture_is_named(data, backbone):
    CorrectionStore(data / "corrections.db").write(
        replace(correction("x", "car", bench.vehicle("car", 1)), crop=b"no picture"), plate=""
    )
    with pytest.raises(HeadError, match="crop 37 is no picture"):
        run(data, backbone)


# --------------------------------------------------------------------------------------------------------- the commands


def test_the_commands_from_end_to_end(data, backbone, capsys):
    assert adapt_command(["--data", str(data), "--json", "--by", "陈"], backbone=backbone) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["in_use"] is True
    assert made["after"]["accuracy"] > made["before"]["accuracy"]
    assert made["before"]["version"] == SHIPPED
    assert heads_command(["--data", str(data), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["in_use"] == made["version"]
    assert told["versions"][0]["by"] == "陈"
    assert rollback_command(["--data", str(data)], backbone=backbone) == 0
    assert capsys.readouterr().out == f"{made['version']} -> shipped\n"
    assert use_command([made["version"], "--data", str(data)], backbone=backbone) == 0
    assert heads_command(["--data", str(data)]) == 0
    assert f"* {made['version']}" in capsys.readouterr().out


def test_for_people_it_is_a_table(data, backbone, capsys):
    assert adapt_command(["--data", str(data)], backbone=backbone) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("36 crops, judged by cross-validation")
    assert lines[1].startswith("before  shipped")
    assert lines[-1].endswith("in use now")


def test_errors_are_one_line(tmp_path, backbone, capsys):
    assert adapt_command(["--data", str(tmp_path / "none")], backbone=backbone) == 1
    assert "is no folder" in capsys.readouterr().err
    assert adapt_command(["--data", str(tmp_path)], backbone=backbone) == 1
    assert "no corrected vehicle yet" in capsys.readouterr().err
    assert rollback_command(["--data", str(tmp_path)], backbone=backbone) == 1
    assert "no version before shipped" in capsys.readouterr().err
    assert use_command(["site-1", "--data", str(tmp_path)], backbone=backbone) == 1
    assert "no head 'site-1'" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------- labelled pictures


class NoPlates:
    """Finds one plate in the middle of every picture."""

    def __init__(self):
        self.asked = 0

    def read(self, image):
        self.asked += 1
        quad = ((40.0, 25.0), (60.0, 25.0), (60.0, 35.0), (40.0, 35.0))
        return SimpleNamespace(plates=(SimpleNamespace(quad=quad),))


def labelled(folder, each=4):
    for kind in bench.COLOURS:
        (folder / kind).mkdir(parents=True)
        for number in range(each):
            (folder / kind / f"{number}.jpg").write_bytes(bench.jpeg(bench.vehicle(kind, number)))
    return folder


def test_an_engineers_pictures_teach_like_a_guards(tmp_path, backbone, capsys):
    folder, data = labelled(tmp_path / "pictures"), tmp_path / "data"
    data.mkdir()
    (folder / "car" / "broken.jpg").write_bytes(b"no picture")
    finder = NoPlates()
    assert label_command([str(folder), "--data", str(data), "--json", "--by", "王工"], finder=finder) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["taken"] == {"bus": 4, "car": 4, "truck": 4}
    assert "broken.jpg is no picture" in told.err
    assert finder.asked == 12
    assert label_command([str(folder), "--data", str(data)], finder=finder) == 0
    assert len(CorrectionStore(data / "corrections.db").read()) == 12
    assert adapt_command(["--data", str(data)], backbone=backbone) == 0


def test_a_folder_of_no_type_or_without_pictures_is_refused(tmp_path, capsys):
    (tmp_path / "pictures" / "spaceship").mkdir(parents=True)
    assert label_command([str(tmp_path / "pictures"), "--data", str(tmp_path)], finder=NoPlates()) == 1
    assert "named after no vehicle type" in capsys.readouterr().err
    (tmp_path / "pictures" / "spaceship").rmdir()
    assert label_command([str(tmp_path / "pictures"), "--data", str(tmp_path)], finder=NoPlates()) == 1
    assert "holds no pictures" in capsys.readouterr().err
    assert label_command([str(tmp_path / "nowhere"), "--data", str(tmp_path)], finder=NoPlates()) == 1
