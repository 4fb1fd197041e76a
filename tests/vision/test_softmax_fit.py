import numpy as np
import pytest

from vision.softmax_fit import Linear, balanced, best_temperature, fitted, folds_of, least, softmax

RNG = np.random.default_rng(7)


def _crowd(centres, sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return (centres[labels] + RNG.normal(0, 1.0, (len(labels), centres.shape[1]))).astype(np.float32), labels


def test_the_minimum_of_a_bowl():
    target = np.array([3.0, -2.0, 0.5])
    found = least(lambda x: (float(((x - target) ** 2 * [1, 20, 3]).sum()), 2 * (x - target) * [1, 20, 3]), np.zeros(3))
    assert found == pytest.approx(target, abs=1e-4)


def test_a_fit_has_no_slope_left():
    """The gradient of the penalised loss, taken by differences, is zero at the answer."""
    features, labels = _crowd(RNG.normal(0, 1, (3, 4)), [30, 20, 10])
    start, weights = Linear(np.zeros((3, 4)), np.zeros(3)), balanced(labels, 3)
    found = fitted(features, labels, start, strength=0.05, weights=weights)

    def loss(linear):
        chances = softmax(linear.logits(features))[np.arange(60), labels]
        middle, scale = features.mean(axis=0), features.std()
        steps, bias = (linear.weights - start.weights) * scale, linear.bias + linear.weights @ middle
        penalty = (steps**2).sum() + (bias**2).sum()
        return -(weights * np.log(chances)).sum() / weights.sum() + 0.025 * penalty

    here = loss(found)
    for _ in range(20):
        aside = Linear(
            found.weights + RNG.normal(0, 0.02, found.weights.shape), found.bias + RNG.normal(0, 0.02, found.bias.shape)
        )
        assert loss(aside) > here - 1e-6


def test_rare_classes_weigh_as_much_as_common_ones():
    weights = balanced(np.array([0] * 90 + [1] * 10), 3)
    assert weights[:90].sum() == pytest.approx(weights[90:].sum())
    assert weights.mean() == pytest.approx(1.0)


def test_a_class_without_samples_keeps_its_weights():
    features, labels = _crowd(RNG.normal(0, 3, (2, 6)), [20, 20])
    start = Linear(RNG.normal(0, 1, (3, 6)), RNG.normal(0, 1, 3))
    found = fitted(features, labels, start, strength=0.01, weights=balanced(labels, 3))
    assert found.weights[2] == pytest.approx(start.weights[2])
    assert found.bias[2] == pytest.approx(start.bias[2])
    assert not np.allclose(found.weights[0], start.weights[0])


def test_folds_keep_groups_whole_and_classes_spread():
    labels = np.repeat([0, 1, 2], 30)
    groups = np.arange(90) // 3
    folds = folds_of(labels, groups, 5, seed=1)
    assert all(len(set(folds[groups == group])) == 1 for group in range(30))
    for kind in range(3):
        sizes = np.bincount(folds[labels == kind], minlength=5)
        assert sizes.tolist() == [6, 6, 6, 6, 6]
    assert folds.tolist() == folds_of(labels, groups, 5, seed=1).tolist()


def test_the_temperature_makes_an_overconfident_head_honest():
    labels = RNG.integers(0, 2, 4000)
    right = RNG.random(4000) < 0.8
    said = np.where(right, labels, 1 - labels)
    logits = np.zeros((4000, 2))
    logits[np.arange(4000), said] = 5.0
    sure = softmax(logits / best_temperature(logits, labels)).max(axis=1).mean()
    assert sure == pytest.approx(0.8, abs=0.03)
