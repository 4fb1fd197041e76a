"""Multinomial logistic regression in plain numpy: owns the loss, its minimum, folds, and a temperature.

It knows nothing of vehicles: labels are row numbers of the weights. What a head is belongs to `vision/head.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Indices = NDArray[np.int64]
Floats = NDArray[np.float32]

STEPS_MAX = 200
MEMORY = 12
GRADIENT_SMALL = 1e-4
SLOPE_SHARE = 1e-4
HALVINGS_MAX = 25
TEMPERATURES = np.geomspace(0.25, 6.0, 97)


@dataclass(frozen=True, slots=True)
class Linear:
    """Logits of row x are `x @ weights.T + bias`. Weights (k, d), bias (k,), float64."""

    weights: Matrix
    bias: Matrix

    def logits(self, features: Floats) -> Matrix:
        """Features (n, d) to logits (n, k)."""
        return features @ self.weights.T.astype(np.float32) + self.bias


def softmax(logits: Matrix) -> Matrix:
    """Rows of probabilities that sum to 1."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return shares


def balanced(labels: Indices, count: int) -> Matrix:
    """A weight per sample, mean 1, so that every class that occurs weighs the same in all."""
    sizes = np.bincount(labels, minlength=count)
    shares: Matrix = 1.0 / sizes[labels]
    return shares * (len(labels) / shares.sum())


def fitted(features: Floats, labels: Indices, start: Linear, *, strength: float, weights: Matrix) -> Linear:
    """The least weighted cross-entropy plus `strength` times the squared way from `start`, in scaled features.

    Features are centred, and scaled by one number, so that `strength` has no unit. A class without any sample keeps
    the weights it starts with.
    """
    middle, scale = features.mean(axis=0), float(features.std()) + 1e-9
    scaled = ((features - middle) / scale).astype(np.float32)
    begun = start.logits(features)
    count = len(start.bias)
    moving = np.bincount(labels, minlength=count) > 0
    share = (weights / weights.sum()).astype(np.float64)

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        moved = flat.reshape(count, -1)
        logits = begun + scaled @ moved[:, :-1].T.astype(np.float32) + moved[:, -1]
        chances = softmax(logits)
        own = np.maximum(chances[np.arange(len(labels)), labels], 1e-12)
        value = float(-(share * np.log(own)).sum() + 0.5 * strength * (flat @ flat))
        chances[np.arange(len(labels)), labels] -= 1.0
        chances *= share[:, None]
        slope = np.hstack([chances.T.astype(np.float32) @ scaled, chances.sum(axis=0)[:, None]])
        slope[~moving] = 0.0
        return value, slope.ravel() + strength * flat

    moved = least(loss, np.zeros(count * (features.shape[1] + 1))).reshape(count, -1)
    steps = moved[:, :-1] / scale
    return Linear(start.weights + steps, start.bias + moved[:, -1] - steps @ middle.astype(np.float64))


def least(loss: Callable[[Matrix], tuple[float, Matrix]], place: Matrix) -> Matrix:
    """The minimum of a smooth convex function by L-BFGS with a backtracking search (Nocedal and Wright, 7.4)."""
    value, slope = loss(place)
    steps: list[tuple[Matrix, Matrix, float]] = []
    for _ in range(STEPS_MAX):
        if np.abs(slope).max() < GRADIENT_SMALL:
            break
        way = -_curved(slope, steps)
        fall = float(way @ slope)
        length = 1.0 if steps else min(1.0, 1.0 / float(np.linalg.norm(slope)))
        for _ in range(HALVINGS_MAX):
            reached, reached_slope = loss(place + length * way)
            if reached <= value + SLOPE_SHARE * length * fall:
                break
            length /= 2
        else:
            break
        step, turn = length * way, reached_slope - slope
        if (bend := float(step @ turn)) > 1e-12:
            steps = [*steps[-(MEMORY - 1) :], (step, turn, bend)]
        place, value, slope = place + step, reached, reached_slope
    return place


def _curved(slope: Matrix, steps: list[tuple[Matrix, Matrix, float]]) -> Matrix:
    """The slope times the inverse curvature that the last steps saw."""
    way, shares = slope.copy(), []
    for step, turn, bend in reversed(steps):
        share = float(step @ way) / bend
        shares.append(share)
        way -= share * turn
    if steps:
        _, turn, bend = steps[-1]
        way *= bend / float(turn @ turn)
    for (step, turn, bend), share in zip(steps, reversed(shares), strict=True):
        way += step * (share - float(turn @ way) / bend)
    return way


def folds_of(labels: Indices, groups: Indices, count: int, *, seed: int) -> Indices:
    """The fold of each sample, 0 to count - 1: whole groups, each class spread as evenly as they let it."""
    order = np.random.default_rng(seed).permutation(np.unique(groups))
    sizes = {int(group): int((groups == group).sum()) for group in order}
    filled = np.zeros((count, int(labels.max()) + 1))
    fold_of: dict[int, int] = {}
    for group in sorted(order.tolist(), key=lambda g: -sizes[g]):
        held = np.bincount(labels[groups == group], minlength=filled.shape[1])
        crowd = filled[:, held > 0].sum(axis=1) + filled.sum(axis=1) * 1e-3
        fold_of[group] = int(np.argmin(crowd))
        filled[fold_of[group]] += held
    return np.array([fold_of[int(group)] for group in groups], np.int64)


def best_temperature(logits: Matrix, labels: Indices) -> float:
    """The divisor of the logits under which the labels are most likely."""
    rows = np.arange(len(labels))
    losses = [-np.log(np.maximum(softmax(logits / t)[rows, labels], 1e-12)).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])
