"""Trains the plate detector: owns the loop, the targets and the loss.

python -m vision.training.detector --data DATA --out OUT --minutes 60 --seed 1
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vision.training.crops import load_crops, withhold
from vision.training.detector_net import CORNER_UNIT_PX, STRIDE, DetectorNet
from vision.training.harvest import Harvest
from vision.training.recogniser import as_input
from vision.training.samples import Pool
from vision.training.schedule import Average, Clock, export, rate_at, resume, save
from vision.training.views import SIZE, Plate, ViewSampler, load_scenes

CELLS = SIZE // STRIDE
Targets = tuple[Tensor, Tensor, Tensor, Tensor]


def targets_of(views: list[list[Plate]]) -> Targets:
    """(heat (B, C, C), corners (B, 8, C, C) in px from the cell, rows (B, C, C), weight (B, C, C)).

    `weight` is 1 / plate width at the cells that learn corners, less where only a box is known.
    """
    count = len(views)
    heat, rows = np.zeros((count, CELLS, CELLS), np.float32), np.zeros((count, CELLS, CELLS), np.float32)
    corners, weight = np.zeros((count, 8, CELLS, CELLS), np.float32), np.zeros((count, CELLS, CELLS), np.float32)
    y, x = np.mgrid[:CELLS, :CELLS].astype(np.float32) * STRIDE + STRIDE / 2
    for index, plates in enumerate(views):
        for plate in plates:
            centre, size = plate.quad.mean(axis=0), plate.quad.max(axis=0) - plate.quad.min(axis=0)
            spread_x, spread_y = max(4.0, 0.09 * size[0]), max(4.0, 0.16 * size[1])
            bump = np.exp(-((x - centre[0]) ** 2) / (2 * spread_x**2) - ((y - centre[1]) ** 2) / (2 * spread_y**2))
            cell = tuple(np.clip((centre[::-1] // STRIDE).astype(int), 0, CELLS - 1))
            bump[cell] = 1.0
            heat[index] = np.maximum(heat[index], bump)
            for at in zip(*np.nonzero(bump > 0.55), strict=True):
                corners[index, :, at[0], at[1]] = (plate.quad - (x[at], y[at])).reshape(-1)
                rows[index, at[0], at[1]] = plate.two_rows
                weight[index, at[0], at[1]] = (1.0 if plate.exact else 0.5) / size[0] * bump[at]
    return torch.from_numpy(heat), torch.from_numpy(corners), torch.from_numpy(rows), torch.from_numpy(weight)


def loss_of(output: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """(loss, mean corner error as a fraction of the plate's width)."""
    heat, corners, rows, weight = targets
    seen = torch.sigmoid(output[:, 0]).clamp(1e-5, 1 - 1e-5)
    hit = (heat == 1).float()
    plates = hit.sum().clamp(min=1)
    centre_loss = -(hit * (1 - seen) ** 2 * seen.log()).sum() / plates
    centre_loss = centre_loss - ((1 - hit) * (1 - heat) ** 4 * seen**2 * (1 - seen).log()).sum() / plates
    error = (output[:, 1:9] * CORNER_UNIT_PX - corners).abs().mean(dim=1) * weight
    cells = (weight > 0).float().sum().clamp(min=1)
    row_loss = nn.functional.binary_cross_entropy_with_logits(output[:, 9], rows, weight=(weight > 0).float())
    row_loss = row_loss * weight.numel() / cells
    return centre_loss + 12 * error.sum() / cells + 0.3 * row_loss, error.sum() / cells


def train(args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    learned, _ = withhold(load_crops(args.data / "plates/crops_train"))
    corners = Harvest.load(args.harvest).scene_corners if args.harvest else None
    scenes = load_scenes(args.data / "plates/scenes_train", corners)
    sampler = ViewSampler(rng, scenes, learned, Pool.filled(rng, args.pool))
    net = DetectorNet().to(memory_format=torch.channels_last)
    if args.resume:
        resume(args.resume, net)
    average = Average(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=0.01, betas=(0.9, 0.98))
    clock, step, mean, off = Clock(args.minutes), 0, 0.0, 0.0
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(sampler.scenes)} scenes", flush=True)
    while clock.done() < 1:
        for group in optimiser.param_groups:
            group["lr"] = rate_at(clock.done(), args.rate)
        images, views = sampler.batch(args.batch)
        output = net(as_input(images).to(memory_format=torch.channels_last))
        loss, error = loss_of(output, targets_of(views))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimiser.step()
        average.update(net)
        step, mean, off = step + 1, 0.97 * mean + 0.03 * float(loss), 0.97 * off + 0.03 * float(error)
        if step % 25 == 0:
            print(f"{clock.done():.3f} step {step} loss {mean:.3f} corners {off:.4f}", flush=True)
        if step % 150 == 0 or clock.done() >= 1:
            save(args.out / "detector.pt", net, average)
            export_detector(average.net, args.out / "plate_detector.onnx")


def export_detector(net: nn.Module, path: Path) -> None:
    """ONNX with free batch, height and width (multiples of 32)."""
    export(net, torch.zeros(1, 3, 480, 640), path, inputs=["image"], outputs=["cells"], free_sides=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--pool", type=int, default=4000)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--harvest", type=Path, help="written by vision.training.harvest")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    train(args)


if __name__ == "__main__":
    main()
