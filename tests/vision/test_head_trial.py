import numpy as np
import pytest

from vision.head import Head, Learner, samples_of
from vision.head_trial import Score, tried

RNG = np.random.default_rng(11)
CENTRES = RNG.normal(0, 1, (3, 40))
TYPES = ("car", "truck", "bus")
SHIFT = RNG.normal(0, 4.0, 40)


def crops(each, *, shift, seed):
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(3), each)
    features = CENTRES[numbers] + shift + rng.normal(0, 1.5, (len(numbers), 40))
    return features.astype(np.float32), [TYPES[number] for number in numbers]


def trial_of(site, known, **more):
    shipped = Head.fit(*crops(80, shift=0, seed=1), name="h", made_at="t", exemplars_per_class=5)
    samples, classes = samples_of(*site, prior=shipped, **more)
    return tried(Learner.of(shipped, classes, 40), samples, known_before=known(len(site[1])))


def test_a_shifted_camera_is_mended():
    trial = trial_of(crops(40, shift=SHIFT, seed=2), lambda n: np.zeros(n, bool))
    assert trial.after.share > trial.before.share + 0.1
    assert not trial.falls
    assert trial.before.of == trial.after.of == 120
    assert sum(after.of for _, after in trial.by_type.values()) == 120


def test_the_head_in_use_is_judged_on_what_it_did_not_see():
    """When it learnt from all crops already, before and after are the same question."""
    trial = trial_of(crops(40, shift=SHIFT, seed=2), lambda n: np.ones(n, bool))
    assert trial.before == trial.after


def test_labels_of_chance_make_it_worse():
    features, labels = crops(40, shift=0, seed=3)
    shuffled = list(np.random.default_rng(1).permutation(labels))
    trial = trial_of((features, labels), lambda n: np.zeros(n, bool))
    spoilt = trial_of((features, shuffled), lambda n: np.zeros(n, bool))
    assert trial.before.share > 0.9
    assert spoilt.after.share < 0.6


def test_one_vehicle_never_judges_itself():
    """Copies of one crop with chance labels look learnable, unless they are known as one vehicle."""
    rng = np.random.default_rng(5)
    features = rng.normal(0, 1, (20, 40)).astype(np.float32).repeat(6, axis=0)
    labels = [TYPES[number] for number in rng.integers(0, 3, 20).repeat(6)]
    vehicles = [str(at // 6) for at in range(120)]
    apart = trial_of((features, labels), lambda n: np.zeros(n, bool))
    together = trial_of((features, labels), lambda n: np.zeros(n, bool), groups=vehicles)
    assert apart.after.share > 0.95
    assert together.after.share < 0.7


def test_intervals_are_wilsons():
    low, high = Score(45, 50).interval
    assert (low, high) == (pytest.approx(0.7864, abs=1e-3), pytest.approx(0.9565, abs=1e-3))
    assert Score(0, 0).interval == (0.0, 1.0)
    assert Score(10, 10).interval[1] == pytest.approx(1.0)
