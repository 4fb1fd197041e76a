"""The recogniser's net: owns its layers. Slots look at the whole plate at once, so no alignment is learned twice."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from control.domain.plates import ALPHABET
from vision.recogniser import COLOURS, SLOTS

CLASSES = len(ALPHABET) + 1


def conv(inputs: int, outputs: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside an identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(features + self.second(self.first(features)))


class RecogniserNet(nn.Module):
    """RGB float (B, 3, 40, 160) in [0, 1] to (character logits (B, SLOTS, CLASSES), colour logits (B, colours))."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 24, 2),
            conv(24, 32),
            conv(32, 48, 2),
            Residual(48),
            conv(48, width, 2),
            Residual(width),
            Residual(width),
        )
        self.place = nn.Parameter(torch.randn(1, width, 5, 20) * 0.02)
        self.context = nn.Linear(width, width)
        self.attention = nn.Conv2d(width, SLOTS, 1)
        self.attention_place = nn.Parameter(_first_places())
        self.hidden = nn.Linear(width, 160)
        self.slot_hidden = nn.Parameter(torch.zeros(1, SLOTS, 160))
        self.classify = nn.Linear(160, CLASSES)
        self.slot_bias = nn.Parameter(torch.zeros(1, SLOTS, CLASSES))
        self.colour = nn.Sequential(nn.Linear(48 * 2, 48), nn.ReLU(inplace=True), nn.Linear(48, len(COLOURS)))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        early = self.body[:4]((images - 0.45) / 0.25)
        features = self.body[4:](early)
        context = self.context(features.mean(dim=(2, 3)))[:, :, None, None]
        keys = torch.relu(features + self.place + context)
        weights = (self.attention(keys) + self.attention_place).flatten(2).softmax(dim=2)
        slots = weights @ features.flatten(2).transpose(1, 2)
        hidden = torch.relu(self.hidden(slots) + self.slot_hidden)
        characters = self.classify(hidden) + self.slot_bias
        left, right = early[..., :12].mean(dim=(2, 3)), early[..., 12:].mean(dim=(2, 3))
        return characters, self.colour(torch.cat([left, right], dim=1))


def _first_places() -> Tensor:
    """Attention starts where the characters of a seven-character plate stand."""
    columns = torch.arange(20).float()[None, :] + 0.5
    centres = (torch.tensor([38, 95, 174, 231, 288, 345, 402, 430, 438]).float() / 440 * 20)[:, None]
    spread = -((columns - centres) ** 2) / (2 * 1.3**2)
    return spread.clamp(min=-6)[None, :, None, :].repeat(1, 1, 5, 1)
