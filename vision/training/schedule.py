"""What both trainings share: owns the learning rate over wall-clock time, averaged weights and checkpoints."""

from __future__ import annotations

import copy
import math
import time
from pathlib import Path

import torch
from torch import nn


def rate_at(done: float, peak: float) -> float:
    """Learning rate after the fraction `done` of the time: a 6 % warm-up, then a cosine to almost zero."""
    if done < 0.06:
        return peak * (0.1 + 0.9 * done / 0.06)
    return peak * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * min(1.0, (done - 0.06) / 0.94))))


class Clock:
    """Fraction of the allotted minutes that has passed."""

    def __init__(self, minutes: float) -> None:
        self._start, self._seconds = time.monotonic(), minutes * 60

    def done(self) -> float:
        return (time.monotonic() - self._start) / self._seconds


class Average:
    """Exponential moving average of a net's weights and batch statistics."""

    def __init__(self, net: nn.Module, keep: float = 0.998) -> None:
        self.net, self._keep, self._steps = copy.deepcopy(net).eval(), keep, 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self._steps += 1
        keep = min(self._keep, self._steps / (self._steps + 10))
        for mine, theirs in zip(self.net.state_dict().values(), net.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - keep)
            else:
                mine.copy_(theirs)


def save(path: Path, net: nn.Module, average: Average) -> None:
    partial = path.with_suffix(".part")
    torch.save({"net": net.state_dict(), "average": average.net.state_dict()}, partial)
    partial.replace(path)


def resume(path: Path, net: nn.Module) -> None:
    """Load the averaged weights of an earlier run into `net`."""
    net.load_state_dict(torch.load(path, weights_only=True)["average"])


def export(
    net: nn.Module,
    example: torch.Tensor,
    path: Path,
    *,
    inputs: list[str],
    outputs: list[str],
    free_sides: bool = False,
) -> None:
    """Write `net` as ONNX with a free batch axis, and free sides if wanted; the file appears whole or not at all."""
    partial = path.with_suffix(".part")
    axes = {0: "batch", 2: "height", 3: "width"} if free_sides else {0: "batch"}
    torch.onnx.export(
        net.eval(),
        (example,),
        str(partial),
        input_names=inputs,
        output_names=outputs,
        dynamic_axes={name: axes for name in (*inputs, *outputs)},
        opset_version=17,
        dynamo=False,
    )
    partial.replace(path)
