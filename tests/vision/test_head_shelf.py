import os
from dataclasses import replace

import numpy as np
import pytest

from control.domain.errors import ConfigurationError
from vision.head import Head
from vision.head_shelf import SHIPPED, HeadReport, HeadShelf, HeadShelfError
from vision.live_head import LiveHead

RNG = np.random.default_rng(2)
CENTRES = RNG.normal(0, 3, (2, 8))
WHO = {"at": "2026-11-21T09:00:00Z", "by": "engineer"}


def learnt(name, prior=None, seed=0):
    numbers = np.repeat([0, 1], 12)
    features = (CENTRES[numbers] + np.random.default_rng(seed).normal(0, 1, (24, 8))).astype(np.float32)
    labels = [("car", "bus")[number] for number in numbers]
    return Head.fit(features, labels, name=name, made_at="2026-11-21T08:00:00Z", prior=prior)


SHIPPED_HEAD = learnt("shipped head")


def report(version):
    return HeadReport(
        version=version,
        made_at="2026-11-21T08:00:00Z",
        by="engineer",
        crops=24,
        counts={"car": 12, "bus": 12},
        learnt_until=24,
        before_version=SHIPPED,
        before=0.5,
        before_interval=(0.3, 0.7),
        after=0.9,
        after_interval=(0.7, 1.0),
        by_type={"car": {"crops": 12, "before": 0.5, "after": 0.9}},
        seconds=0.1,
        digest="d",
    )


@pytest.fixture
def shelf(tmp_path):
    shelf = HeadShelf(tmp_path / "heads")
    for number in (1, 2):
        version = f"site-20261121-08000{number}"
        shelf.add(learnt(version, SHIPPED_HEAD, seed=number), report(version))
    return shelf


def use(shelf, version, **more):
    return shelf.use(version, **WHO, why="chosen", shipped=SHIPPED_HEAD, **more)


def test_an_empty_shelf_uses_the_shipped_head(tmp_path):
    shelf = HeadShelf(tmp_path / "heads").read()
    assert (shelf.in_use, shelf.before, shelf.versions) == (SHIPPED, None, ())
    assert not (tmp_path / "heads").exists()


def test_versions_are_kept_switched_and_rolled_back(shelf):
    assert [report.version for report in shelf.read().versions] == ["site-20261121-080002", "site-20261121-080001"]
    assert shelf.read().in_use == SHIPPED
    use(shelf, "site-20261121-080001")
    use(shelf, "site-20261121-080002")
    assert (shelf.read().in_use, shelf.read().before) == ("site-20261121-080002", "site-20261121-080001")
    shelf.roll_back(**WHO, shipped=SHIPPED_HEAD)
    shelf.roll_back(**WHO, shipped=SHIPPED_HEAD)
    now = shelf.read()
    assert (now.in_use, now.before) == (SHIPPED, None)
    assert [switch.now for switch in now.history] == [
        "site-20261121-080001",
        "site-20261121-080002",
        "site-20261121-080001",
        SHIPPED,
    ]
    assert len(now.versions) == 2
    with pytest.raises(HeadShelfError, match="no version before"):
        shelf.roll_back(**WHO, shipped=SHIPPED_HEAD)


def test_what_is_not_there_or_in_use_already_is_refused(shelf):
    with pytest.raises(HeadShelfError, match="no head 'site-x'; there are site-20261121-080002"):
        use(shelf, "site-x")
    with pytest.raises(HeadShelfError, match=r"no head '\.\./secret'"):
        use(shelf, "../secret")
    with pytest.raises(HeadShelfError, match="in use already"):
        use(shelf, SHIPPED)
    with pytest.raises(HeadShelfError, match="there already"):
        shelf.add(SHIPPED_HEAD, report("site-20261121-080001"))


def test_a_broken_or_foreign_version_is_never_put_in_use(shelf):
    path = shelf.root / "site-20261121-080001.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ConfigurationError, match="no head"):
        use(shelf, "site-20261121-080001")
    other = replace(SHIPPED_HEAD, temperature=3.0)
    with pytest.raises(HeadShelfError, match="made from other models"):
        shelf.use("site-20261121-080002", **WHO, why="chosen", shipped=other)
    assert shelf.read().in_use == SHIPPED


def test_a_damaged_state_says_what_to_remove(shelf):
    use(shelf, "site-20261121-080001")
    (shelf.root / "in_use.json").write_text("{")
    with pytest.raises(HeadShelfError, match=r"in_use\.json is damaged"):
        shelf.read()


# --------------------------------------------------------------------------------------------------------- the live one


def test_a_switch_is_taken_over_while_running(shelf):
    live = LiveHead(SHIPPED_HEAD, shelf.root)
    assert live.current() is SHIPPED_HEAD
    use(shelf, "site-20261121-080001")
    assert live.current().provenance.name == "site-20261121-080001"
    assert live.version == "site-20261121-080001"
    shelf.roll_back(**WHO, shipped=SHIPPED_HEAD)
    assert live.current() is SHIPPED_HEAD


def test_a_head_that_breaks_later_leaves_the_last_good_one(shelf):
    live = LiveHead(SHIPPED_HEAD, shelf.root)
    use(shelf, "site-20261121-080001")
    good = live.current()
    use(shelf, "site-20261121-080002")
    (shelf.root / "site-20261121-080002.npz").write_bytes(b"nothing")
    assert live.current() is good
    assert "no head" in live.problem
    assert live.version == "site-20261121-080001"
    shelf.roll_back(**WHO, shipped=SHIPPED_HEAD)
    assert live.current().digest == good.digest
    assert live.problem == ""


def test_a_folder_that_goes_away_does_no_harm(shelf):
    live = LiveHead(SHIPPED_HEAD, shelf.root)
    use(shelf, "site-20261121-080001")
    good = live.current()
    os.rename(shelf.root, shelf.root.with_name("gone"))
    assert live.current() in (good, SHIPPED_HEAD)


def test_without_a_folder_the_shipped_head_stays():
    assert LiveHead(SHIPPED_HEAD).current() is SHIPPED_HEAD
