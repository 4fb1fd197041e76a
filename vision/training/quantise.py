"""Weights in 8 bits: owns how a network of the product is quantised.

Weights use 7 of the 8 bits: processors without VNNI add two products in 16 bits and would clip otherwise. A network
then answers alike on every gateway, which the heads that sites learn on top of it rely on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Inputs(CalibrationDataReader):
    """Hands the sample inputs to the quantiser one by one."""

    def __init__(self, name: str, batches: Iterable[NDArray[np.float32]]) -> None:
        self._batches = ({name: batch} for batch in batches)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._batches, None)


def nothing(graph: onnx.GraphProto) -> list[str]:
    """No node stays in floats."""
    return []


def quantised(
    plain: Path,
    target: Path,
    batches: Iterable[NDArray[np.float32]],
    *,
    kept: Callable[[onnx.GraphProto], list[str]] = nothing,
) -> None:
    """Write `plain` with int8 weights a channel and uint8 activations; the ranges are those seen on `batches`.

    The nodes that `kept` names stay in floats.
    """
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        model = onnx.load(ready)
        quantize_static(
            str(ready),
            str(target),
            Inputs(model.graph.input[0].name, batches),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept(model.graph),
        )
