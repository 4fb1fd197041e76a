"""How the faces in this folder are made: run by hand, imported by nobody, left out of the app's package.

`python mobile/ui/fonts/make_fonts.py LUCIDE_DIR` needs fontTools and brotli; LUCIDE_DIR is the unpacked npm package
`lucide-static`. The other sources are committed in `cloud_sync/contract/look/fonts`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from fontTools.varLib.instancer import instantiateVariableFont

HERE = Path(__file__).resolve().parent
LOOK = HERE.parents[2] / "cloud_sync" / "contract" / "look" / "fonts"
UNITS_PER_EM = 1000
# The two static cuts that the weights 400 and 600 to 650 of the design map to.
CUTS = {"Regular": (400, "noto-sans-sc-regular.ttf"), "SemiBold": (620, "noto-sans-sc-bold.ttf")}
EPOCH = 3_786_912_000  # 2024-01-01 in seconds since 1904, so that the same steps give the same file


def main() -> int:
    """Write the two text faces, the plate face and the icon face beside this file."""
    for cut, (weight, noto) in CUTS.items():
        _text_face(cut, weight, LOOK / noto)
    _plate_face()
    _icon_face(Path(sys.argv[1]))
    return 0


def _text_face(cut: str, weight: int, noto: Path) -> None:
    latin = TTFont(LOOK / "inter-latin-wght-normal.woff2")
    latin = instantiateVariableFont(latin, {"wght": weight})
    _bake_tabular_digits(latin)
    _subset(latin, set(latin.getBestCmap()), ["kern"])
    scale_upem(latin, UNITS_PER_EM)
    han = TTFont(noto)
    _subset(han, set(han.getBestCmap()) - set(latin.getBestCmap()), [])
    latin_path, han_path = HERE / "latin.tmp.ttf", HERE / "han.tmp.ttf"
    ascent, descent = latin["hhea"].ascent, latin["hhea"].descent
    latin.save(latin_path)
    han.save(han_path)
    merged = Merger().merge([str(latin_path), str(han_path)])
    latin_path.unlink()
    han_path.unlink()
    # The box of a line is Inter's: capitals stand in its middle, and the theme sets the distance of lines.
    merged["hhea"].ascent = merged["OS/2"].sTypoAscender = merged["OS/2"].usWinAscent = ascent
    merged["hhea"].descent = merged["OS/2"].sTypoDescender = descent
    merged["OS/2"].usWinDescent = -descent
    merged["hhea"].lineGap = merged["OS/2"].sTypoLineGap = 0
    _finish(merged, "Island Sans", cut, HERE / f"IslandSans-{cut}.ttf")


def _plate_face() -> None:
    face = TTFont(LOOK / "barlow-semi-condensed-latin-600-normal.woff2")
    face.flavor = None
    _subset(face, set(face.getBestCmap()), ["kern"])
    _finish(face, "Barlow Semi Condensed", "SemiBold", HERE / "BarlowSemiCondensed-SemiBold.ttf")


def _icon_face(lucide: Path) -> None:
    names = (HERE / "icon_names.txt").read_text(encoding="utf-8").split()
    points = json.loads((lucide / "font" / "codepoints.json").read_text(encoding="utf-8"))
    face = TTFont(lucide / "font" / "lucide.ttf")
    _subset(face, {points[name] for name in names}, [])
    # The face says that every icon begins at its left edge, and renderers believe it: icons would stand off centre.
    outlines = face["glyf"]
    for glyph, (advance, _bearing) in face["hmtx"].metrics.items():
        outlines[glyph].recalcBounds(outlines)
        face["hmtx"][glyph] = (advance, getattr(outlines[glyph], "xMin", 0))
    _finish(face, "Lucide", "Regular", HERE / "Lucide.ttf")
    rows = "".join(f'    "{name}": "\\u{points[name]:04x}",\n' for name in sorted(names))
    (HERE.parent / "icons.py").write_text(_ICONS_HEAD + rows + "}\n" + _ICONS_TAIL, encoding="utf-8")


def _bake_tabular_digits(face: TTFont) -> None:
    """Kivy cannot ask a face for `tnum`, so digits are tabular from the start."""
    gsub = face["GSUB"].table
    swaps: dict[str, str] = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for at in record.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[at].SubTable:
                    swaps.update(getattr(table, "ExtSubTable", table).mapping)
    for table in face["cmap"].tables:
        # Digits alone: the face has hyphens and points of that width too, which tear words apart.
        for digit in map(ord, "0123456789"):
            table.cmap[digit] = swaps.get(table.cmap[digit], table.cmap[digit])


def _subset(face: TTFont, points: set[int], features: list[str]) -> None:
    options = Options()
    options.layout_features = features
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = False
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=points)
    subsetter.subset(face)


def _finish(face: TTFont, family: str, cut: str, path: Path) -> None:
    for number, text in {1: family, 2: cut, 4: f"{family} {cut}", 6: f"{family.replace(' ', '')}-{cut}"}.items():
        face["name"].setName(text, number, 3, 1, 0x409)
    face["head"].created = face["head"].modified = EPOCH
    face.recalcTimestamp = False
    face.save(path)


_ICONS_HEAD = '''\
"""Names of the icons: owns which character of `fonts/Lucide.ttf` draws each. `fonts/make_fonts.py` writes it."""

from __future__ import annotations

GLYPHS: dict[str, str] = {
'''
_ICONS_TAIL = '''

def glyph(name: str) -> str:
    """The character that draws the icon, or nothing for an empty name. KeyError names an icon that was not packed."""
    return GLYPHS[name] if name else ""
'''

if __name__ == "__main__":
    raise SystemExit(main())
