"""Trains the plate recogniser: owns the loop, the loss and the measurement on withheld crops.

python -m vision.training.recogniser --data DATA --out OUT --minutes 60 --seed 1
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from control.domain.plates import ALPHABET, PlateColour
from vision.recogniser import COLOURS, INPUT_HEIGHT, INPUT_WIDTH, levelled
from vision.training.crops import Crop, load_crops, withhold
from vision.training.harvest import MARGIN, PLATE_HEIGHT, PLATE_WIDTH, Harvest
from vision.training.recogniser_net import CLASSES, RecogniserNet
from vision.training.samples import Pool, RealGlyphs, Sampler
from vision.training.schedule import Average, Clock, export, rate_at, resume, save

# Share of a harvested plate's picture that lies beside the plate, on each side.
INSET = MARGIN / (1 + 2 * MARGIN)


def as_input(images: np.ndarray) -> Tensor:
    """uint8 BGR (B, H, W, 3) to float RGB (B, 3, H, W) in [0, 1]."""
    rgb = np.ascontiguousarray(images[..., ::-1].transpose(0, 3, 1, 2))
    return torch.from_numpy(rgb).float().div_(255)


def strips_as_input(strips: np.ndarray) -> Tensor:
    """uint8 BGR strips (B, 40, 160, 3) as the recogniser sees them."""
    return as_input(np.stack([levelled(strip) for strip in strips]))


def read_crops(net: nn.Module, crops: list[Crop]) -> list[tuple[str, str]]:
    """(text, colour) as read from each crop, unjittered."""
    size = (INPUT_WIDTH, INPUT_HEIGHT)
    images = np.stack([cv2.resize(c.image, size, interpolation=cv2.INTER_AREA) for c in crops])
    with torch.no_grad():
        characters, colours = net(strips_as_input(images))
    texts = ["".join(ALPHABET[i - 1] for i in row if i > 0) for row in characters.argmax(2).tolist()]
    return list(zip(texts, [COLOURS[i] for i in colours.argmax(1).tolist()], strict=True))


def score(net: nn.Module, crops: list[Crop]) -> str:
    """Share of withheld crops read whole, without the province, and coloured right."""
    readings = read_crops(net, crops)
    whole = sum(text == c.text for (text, _), c in zip(readings, crops, strict=True))
    tail = sum(text[1:] == c.text[1:] for (text, _), c in zip(readings, crops, strict=True))
    colour = sum(seen == c.colour for (_, seen), c in zip(readings, crops, strict=True))
    return f"whole {whole}/{len(crops)} tail {tail} colour {colour}"


def loss_of(net: nn.Module, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[Tensor, Tensor]:
    """(loss, share of plates read whole)."""
    images, texts, colours = batch
    characters, colour_logits = net(strips_as_input(images).to(memory_format=torch.channels_last))
    target = torch.from_numpy(texts)
    text_loss = nn.functional.cross_entropy(characters.reshape(-1, CLASSES), target.reshape(-1), label_smoothing=0.02)
    colour_loss = nn.functional.cross_entropy(colour_logits, torch.from_numpy(colours), label_smoothing=0.02)
    return 2 * text_loss + 0.2 * colour_loss, (characters.argmax(2) == target).all(1).float().mean()


def with_harvest(crops: list[Crop], harvest: Harvest) -> list[Crop]:
    """The crops as they were cut, again with their true corners, and the plates that were read in the road scenes."""
    known = zip(crops, harvest.corners, strict=True)
    aligned = [replace(crop, corners=quad) for crop, quad in known if np.isfinite(quad).all()]
    inset = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (1 - 2 * INSET) + INSET
    corners = (inset * (PLATE_WIDTH, PLATE_HEIGHT)).astype(np.float32)
    rows = zip(harvest.plates, harvest.plate_texts.tolist(), harvest.plate_colours.tolist(), strict=True)
    return crops + aligned + [Crop(image, text, PlateColour(colour), corners=corners) for image, text, colour in rows]


def train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    learned, withheld = withhold(load_crops(args.data / "plates/crops_train"))
    scenes = sorted((args.data / "plates/scenes_train").glob("*.jpg"))[::8]
    glyphs = None
    if args.harvest:
        harvest = Harvest.load(args.harvest)
        learned = with_harvest(learned, harvest)
        glyphs = RealGlyphs(rng, harvest.cover_chars, harvest.covers)
    sampler = Sampler(
        rng, learned, Pool.filled(rng, args.pool, glyphs), [cv2.imread(str(p)) for p in scenes], args.real
    )
    net = RecogniserNet().to(memory_format=torch.channels_last)
    if args.resume:
        resume(args.resume, net)
    average = Average(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=0.02, betas=(0.9, 0.98))
    clock, step, good = Clock(args.minutes), 0, 0.0
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(learned)} crops, {len(withheld)} withheld")
    while clock.done() < 1:
        for group in optimiser.param_groups:
            group["lr"] = rate_at(clock.done(), args.rate)
        strength = args.strength * (1.0 if args.resume else min(1.0, 0.3 + step / 1500))
        loss, whole = loss_of(net, sampler.batch(args.batch, strength))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update(net)
        step, good = step + 1, 0.98 * good + 0.02 * float(whole)
        if step % 50 == 0:
            print(f"{clock.done():.3f} step {step} loss {float(loss):.3f} whole {good:.3f}", flush=True)
        if step % 250 == 0 or clock.done() >= 1:
            print(score(average.net, withheld), flush=True)
            save(args.out / "recogniser.pt", net, average)
            example = torch.zeros(1, 3, INPUT_HEIGHT, INPUT_WIDTH)
            out = args.out / "plate_recogniser.onnx"
            export(average.net, example, out, inputs=["image"], outputs=["characters", "colour"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--strength", type=float, default=0.6)
    parser.add_argument("--real", type=float, default=0.45)
    parser.add_argument("--pool", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--harvest", type=Path, help="written by vision.training.harvest")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    train(args)


if __name__ == "__main__":
    main()
