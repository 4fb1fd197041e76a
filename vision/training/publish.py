"""Copies trained weights into `vision/models` and writes their rows of `models.toml`.

    python -m vision.training.publish --detector OUT/plate_detector.onnx --recogniser OUT/plate_recogniser.onnx \
        --facts OUT/facts.toml
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import tomllib
from pathlib import Path

from control.domain.plates import ALPHABET
from vision.recogniser import COLOURS, INPUT_HEIGHT, INPUT_WIDTH, SLOTS
from vision.runtime import MODELS_DIR

HEADER = """# The networks that come with the product; `vision/runtime.py` refuses a file whose checksum differs.
# Written by vision/training/publish.py.
"""


def detector_row(digest: str, facts: dict[str, str]) -> str:
    return f"""
[plate_detector]
file = "plate_detector.onnx"
sha256 = "{digest}"
input = "image"
input_shape = ["batch", 3, "height, a multiple of 32", "width, a multiple of 32"]
input_values = "RGB, 0 to 1"
outputs = ["cells"]
output_meaning = "per cell of 8 px: centre logit, 4 corners (x, y) from its centre in units of 64 px, two-row logit"
{common_rows(facts)}"""


def recogniser_row(digest: str, facts: dict[str, str]) -> str:
    return f"""
[plate_recogniser]
file = "plate_recogniser.onnx"
sha256 = "{digest}"
input = "image"
input_shape = ["batch", 3, {INPUT_HEIGHT}, {INPUT_WIDTH}]
input_values = "RGB, 0 to 1"
outputs = ["characters", "colour"]
output_meaning = "logits of {SLOTS} places x (none + alphabet); logits of the ground's colour"
alphabet = "{ALPHABET}"
colours = [{", ".join(f'"{colour}"' for colour in COLOURS)}]
sharpness = {facts.get("sharpness", "1.0")}
{common_rows(facts)}"""


def common_rows(facts: dict[str, str]) -> str:
    data = (
        "PKU vehicle data set (Yuan et al., IEEE TIP 2017); plate crops of chenweijiang99/yolo_-lprnet_-pytorch and "
        "rodney-wang/Plate_Recognition-LPRnet; plates rendered by vision/render (fonts Roadgeek 2014, MIT; "
        "Noto Sans CJK, OFL 1.1; the digits of new-energy plates are drawn)"
    )
    rows = [f'licence = "Apache-2.0"\ndate = "2026-11"\ntrained_on = "{data}"']
    rows += [f'{key} = "{facts[key]}"' for key in ("trained", "score_scenes", "score_withheld") if key in facts]
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--recogniser", type=Path, required=True)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=MODELS_DIR)
    args = parser.parse_args()
    facts = tomllib.loads(args.facts.read_text(encoding="utf-8"))
    rows = [HEADER]
    for name, source, row in (
        ("plate_detector", args.detector, detector_row),
        ("plate_recogniser", args.recogniser, recogniser_row),
    ):
        target = args.out / f"{name}.onnx"
        if source.resolve() != target.resolve():
            shutil.copyfile(source, target)
        rows.append(row(hashlib.sha256(target.read_bytes()).hexdigest(), facts.get(name, {})))
    (args.out / "models.toml").write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
