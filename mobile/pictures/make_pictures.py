"""How the pictures in this folder are made: run by hand, imported by nobody, left out of the app's package.

`python mobile/pictures/make_pictures.py` draws the leaf of the sign-in page on the accent colour, in Lucide's face
(licence: `mobile/ui/fonts/LICENCE-Lucide.txt`): the launcher's icon, and what is seen before the first frame.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LEAF = "\ue2de"
# Side of the picture, and of the leaf in it (px). Launchers cut a circle out of an icon.
SIZES_PX = {"icon.png": (512, 272), "presplash.png": (512, 192)}


def main() -> int:
    """Write both beside this file."""
    sys.path.insert(0, str(ROOT))
    from cloud_sync.contract.look.tokens import LIGHT

    for name, (side, leaf_side) in SIZES_PX.items():
        picture = Image.new("RGB", (side, side), LIGHT["accent"])
        face = ImageFont.truetype(ROOT / "mobile" / "ui" / "fonts" / "Lucide.ttf", leaf_side)
        ImageDraw.Draw(picture).text((side / 2, side / 2), LEAF, LIGHT["onaccent"], face, anchor="mm")
        picture.quantize(32).save(HERE / name, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
