import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from control.domain.errors import ConfigurationError
from control.domain.vehicles import VehicleType
from vision.head import Head, HeadError

WIDTH = 64
TYPES = ("car", "truck", "bus", "fire_engine")
RNG = np.random.default_rng(3)
CENTRES = {kind: RNG.normal(0, 1, WIDTH) for kind in TYPES}
# A camera to which every vehicle looks rather like a fire engine.
SITE_SHIFT = 0.8 * (CENTRES["fire_engine"] - CENTRES["car"]) + RNG.normal(0, 1, WIDTH)


def crops(counts, *, shift=0.0, seed=0, noise=1.6):
    """Features and labels as a camera would give them; `shift` is another camera."""
    rng = np.random.default_rng(seed)
    labels = [kind for kind, count in counts.items() for _ in range(count)]
    features = np.stack([CENTRES[kind] + shift for kind in labels]) + rng.normal(0, noise, (len(labels), WIDTH))
    return features.astype(np.float32), labels


def fit(features, labels, **more):
    return Head.fit(features, labels, name="h", made_at="2026-11-21T08:00:00Z", **more)


def accuracy(head, features, labels):
    return float(np.mean([a == b for a, b in zip(head.types(features), labels, strict=True)]))


@pytest.fixture(scope="module")
def shipped():
    return fit(*crops(dict.fromkeys(TYPES, 60)), exemplars_per_class=6)


def test_learns_types_and_says_what_from(shipped):
    assert accuracy(shipped, *crops(dict.fromkeys(TYPES, 100), seed=9)) > 0.95
    assert shipped.classes == (VehicleType.CAR, VehicleType.BUS, VehicleType.TRUCK, VehicleType.FIRE_ENGINE)
    assert shipped.provenance.counts == {"car": 60, "truck": 60, "bus": 60, "fire_engine": 60}
    chances = shipped.probabilities(crops({"car": 5})[0])
    assert chances.shape == (5, 4)
    assert chances.sum(axis=1) == pytest.approx(1)


def test_probabilities_are_calibrated(shipped):
    features, labels = crops(dict.fromkeys(TYPES, 500), seed=5, noise=4.0)
    head = fit(*crops(dict.fromkeys(TYPES, 100), seed=4, noise=4.0))
    chances = head.probabilities(features)
    assert chances.max(axis=1).mean() == pytest.approx(accuracy(head, features, labels), abs=0.05)


def test_a_site_teaches_its_own_look_and_the_rest_is_kept(shipped):
    """Another camera shifts everything; a few site pictures of two types mend those and do not spoil the others."""
    site = crops({"car": 300, "truck": 300}, shift=SITE_SHIFT, seed=21)
    others = crops({"bus": 300, "fire_engine": 300}, seed=22)
    adapted = fit(*crops({"car": 20, "truck": 20}, shift=SITE_SHIFT, seed=20), prior=shipped)
    assert accuracy(adapted, *site) > accuracy(shipped, *site) + 0.2
    assert accuracy(adapted, *others) > accuracy(shipped, *others) - 0.05
    assert adapted.provenance.parent == shipped.digest
    assert adapted.classes == shipped.classes


def test_an_unbalanced_site_does_not_drown_the_rare_type(shipped):
    adapted = fit(*crops({"car": 200, "truck": 8}, shift=SITE_SHIFT, seed=30), prior=shipped)
    assert accuracy(adapted, *crops({"truck": 200}, shift=SITE_SHIFT, seed=31)) > 0.9


def test_the_same_crops_give_the_same_head(shipped):
    site = crops({"car": 20, "bus": 20}, shift=SITE_SHIFT)
    assert fit(*site, prior=shipped).digest == fit(*site, prior=shipped).digest


def test_unknown_teaches_nothing(shipped):
    features, labels = crops({"car": 20, "bus": 20})
    more = np.concatenate([features, features[:4]])
    adapted = fit(more, [*labels, *["unknown"] * 4], prior=shipped)
    assert adapted.digest == fit(features, labels, prior=shipped).digest


def test_few_crops_of_a_prior_are_enough(shipped):
    assert fit(*crops({"car": 8}), prior=shipped).provenance.counts == {"car": 8}


@pytest.mark.parametrize(
    ("counts", "spoil", "says"),
    [
        ({"car": 5, "bus": 2}, lambda f, names: (f, names), "too few"),
        ({"car": 9}, lambda f, names: (f, names), "too few"),
        ({"car": 9, "bus": 9}, lambda f, names: (f, names[:-1]), "as many labels"),
        ({"car": 9, "bus": 9}, lambda f, names: (f, [*names[:-1], "spaceship"]), "'spaceship' is no vehicle type"),
        ({"car": 9, "bus": 9}, lambda f, names: (np.where(f == f[3, 3], np.nan, f), names), "crop 3 are no numbers"),
        ({"car": 9, "bus": 9}, lambda f, names: (f[0], names), r"features must be"),
    ],
)
def test_what_cannot_be_learnt_says_why(counts, spoil, says):
    with pytest.raises(HeadError, match=says):
        fit(*spoil(*crops(counts)))


def test_a_type_or_a_width_that_the_prior_does_not_know_is_refused(shipped):
    features, labels = crops({"car": 9})
    with pytest.raises(HeadError, match="does not know the type 'crane'"):
        fit(features, ["crane", *labels[1:]], prior=shipped)
    with pytest.raises(HeadError, match="features must be"):
        fit(features[:, :32], labels, prior=shipped)


# ------------------------------------------------------------------------------------------------------------ the file


def test_saved_and_loaded_is_the_same(shipped, tmp_path):
    shipped.described(licence="Apache-2.0", trained_on="this test").save(tmp_path / "head.npz")
    loaded = Head.load(tmp_path / "head.npz")
    features = crops({"car": 4})[0]
    assert loaded.probabilities(features) == pytest.approx(shipped.probabilities(features))
    assert loaded.provenance.licence == "Apache-2.0"
    assert [path.name for path in tmp_path.iterdir()] == ["head.npz"]


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="missing"):
        Head.load(tmp_path / "head.npz")


def test_any_flipped_byte_is_seen_or_harmless(shipped, tmp_path):
    path = tmp_path / "head.npz"
    shipped.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for at in rng.integers(0, len(whole), 200):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(ConfigurationError):
            assert Head.load(path).digest == shipped.digest


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.99])
def test_a_cut_file_is_refused(shipped, tmp_path, cut):
    path = tmp_path / "head.npz"
    shipped.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: cut if isinstance(cut, int) else int(len(whole) * cut)])
    with pytest.raises(ConfigurationError, match="no head"):
        Head.load(path)


def test_a_changed_weight_is_refused(shipped, tmp_path):
    path = tmp_path / "head.npz"
    shipped.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["bias"] = arrays["bias"] + 1
    np.savez(path, **arrays)
    with pytest.raises(ConfigurationError, match="checksum"):
        Head.load(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.full((4, WIDTH), np.nan, np.float32)},
        {"bias": np.zeros(3, np.float32)},
        {"temperature": np.array(0.0)},
        {"exemplar_labels": np.array([9] * 24)},
        {"facts": np.frombuffer(json.dumps({"classes": ["spaceship"]}).encode(), np.uint8)},
        {"facts": np.frombuffer(b"[", np.uint8)},
    ],
)
def test_nonsense_in_a_file_is_refused(shipped, tmp_path, changes):
    path = tmp_path / "head.npz"
    shipped.save(path)
    with np.load(path) as file:
        arrays = {**dict(file), **changes}
    np.savez(path, **arrays)
    with pytest.raises(ConfigurationError):
        Head.load(path)


def test_a_pickle_is_never_opened(shipped, tmp_path):
    path = tmp_path / "head.npz"
    np.savez(path, weights=np.array([object()], dtype=object))
    with pytest.raises(ConfigurationError):
        Head.load(path)


def test_the_digest_tells_any_difference(shipped):
    assert replace(shipped, temperature=shipped.temperature + 0.1).digest != shipped.digest
