"""The detector's net: owns its layers. One heatmap of plate centres, four corners and a row count per cell of 8 px."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vision.training.recogniser_net import Residual, conv

STRIDE = 8
CORNER_UNIT_PX = 64.0


class DetectorNet(nn.Module):
    """RGB float (B, 3, H, W) in [0, 1], sides multiples of 32, to (B, 10, H / 8, W / 8).

    Channels: centre logit, four corners (x, y) relative to the cell's centre in units of 64 px, two-row logit.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, 2), conv(16, 24, 2), conv(24, 40, 2), Residual(40))
        self.middle = nn.Sequential(conv(40, 64, 2), Residual(64))
        self.deep = nn.Sequential(conv(64, 80, 2), Residual(80))
        self.deep_across = nn.Conv2d(80, 64, 1)
        self.middle_across = nn.Conv2d(64, 40, 1)
        self.middle_mix = conv(64, 64)
        self.head = nn.Sequential(conv(40, 48), nn.Conv2d(48, 10, 1))
        nn.init.constant_(self.head[1].bias[:1], -4.0)

    def forward(self, images: Tensor) -> Tensor:
        fine = self.stem((images - 0.45) / 0.25)
        middle = self.middle(fine)
        deep = self.deep(middle)
        middle = self.middle_mix(middle + nn.functional.interpolate(self.deep_across(deep), scale_factor=2.0))
        fine = fine + nn.functional.interpolate(self.middle_across(middle), scale_factor=2.0)
        return self.head(torch.relu(fine))
