"""Design tokens: owns every colour of the console and the hut, and the least contrast each must keep.

`python -m cloud_sync.contract.look.tokens` writes `tokens.css` beside this file and fails when a contrast
falls below its limit (WCAG 2.2: 4.5 for text, 3 for marks and edges of controls).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Palette = dict[str, str]

LIGHT: Palette = {
    "bg": "#ECF0EF", "surface": "#FFFFFF", "surface2": "#F5F8F7", "surface3": "#EAEFEE",
    "line": "#DEE5E3", "control": "#7F8F8B", "ink": "#10201E", "ink2": "#43534F", "ink3": "#596965",
    "accent": "#0A6478", "onaccent": "#FFFFFF", "accentsoft": "#DDF0F3", "segon": "#FFFFFF",
    "admit": "#126B38", "admitsoft": "#DCF3E3", "admitsolid": "#17803F", "onadmit": "#FFFFFF",
    "permit": "#3446B8", "permitsoft": "#E5E9FD", "permitsolid": "#4356D6", "onpermit": "#FFFFFF",
    "hold": "#854800", "holdsoft": "#FDEFD0", "holdsolid": "#F2A20C", "onhold": "#241500",
    "refuse": "#AE241C", "refusesoft": "#FCE5E2", "refusesolid": "#C4302B", "onrefuse": "#FFFFFF",
    "unsure": "#862B8F", "unsuresoft": "#F7E5F8", "unsuresolid": "#9C3AA6", "onunsure": "#FFFFFF",
    "stale": "#505D5A", "stalesoft": "#E3E8E7",
    "pv": "#B97A00", "storage": "#0C8575", "load": "#3A4A58", "grid": "#B4492F", "ev": "#2C69D8",
}  # fmt: skip
DARK: Palette = {
    "bg": "#090F11", "surface": "#10181A", "surface2": "#162022", "surface3": "#1E2A2D",
    "line": "#243134", "control": "#708488", "ink": "#E9F1F0", "ink2": "#AEBCBB", "ink3": "#8FA09F",
    "accent": "#55C7DD", "onaccent": "#04191E", "accentsoft": "#0E2E36", "segon": "#2B393C",
    "admit": "#62D68F", "admitsoft": "#10301F", "admitsolid": "#46BF77", "onadmit": "#03160A",
    "permit": "#A4B0FF", "permitsoft": "#1D2450", "permitsolid": "#8B99FF", "onpermit": "#0A0E2C",
    "hold": "#F6BF57", "holdsoft": "#35260B", "holdsolid": "#F2A20C", "onhold": "#241500",
    "refuse": "#FF9A92", "refusesoft": "#401917", "refusesolid": "#F4736B", "onrefuse": "#2A0503",
    "unsure": "#E6A2EC", "unsuresoft": "#37163A", "unsuresolid": "#D383DB", "onunsure": "#24042A",
    "stale": "#A6B4B2", "stalesoft": "#222D2F",
    "pv": "#F3C04C", "storage": "#3FCBB5", "load": "#C4D1D8", "grid": "#F08E71", "ev": "#7BABFF",
}  # fmt: skip
# What is no colour but still differs: edges and shadows.
LIGHT_SHAPE = {
    "sh1": "0 1px 2px rgb(16 32 30/.06)",
    "sh2": "0 1px 2px rgb(16 32 30/.05),0 8px 24px -8px rgb(16 32 30/.16)",
    "sh3": "0 16px 48px -12px rgb(16 32 30/.32)",
    "keyon": "rgb(0 0 0/.16)",
    "plateedge": "rgb(0 0 0/.18)",
}
DARK_SHAPE = {
    "sh1": "none",
    "sh2": "0 0 0 1px var(--line)",
    "sh3": "0 0 0 1px var(--line),0 16px 48px rgb(0 0 0/.6)",
    "keyon": "rgb(255 255 255/.2)",
    "plateedge": "rgb(255 255 255/.3)",
}
# Plates are objects of the world, so no theme recolours them: name, text, ground.
PLATES: tuple[tuple[str, str, str], ...] = (
    ("blue", "#FFFFFF", "#1452B8"),
    ("nev top", "#0B0F0D", "#F2FAF4"),
    ("nev bottom", "#0B0F0D", "#4CC474"),
    ("nevl code", "#0B0F0D", "#F5B800"),
    ("nevl number", "#0B0F0D", "#52C67A"),
    ("yellow", "#14120A", "#F5B800"),
    ("white", "#0B0F0D", "#FFFFFF"),
    ("white red", "#C01018", "#FFFFFF"),
    ("black", "#FFFFFF", "#16191B"),
    ("black last", "#FF8A84", "#16191B"),
    ("farm", "#FFFFFF", "#1B7038"),
    ("temp", "#0B0F0D", "#DCE9F5"),
    ("unsure box", "#54115B", "#F7E5F8"),
)

TEXT_RATIO_MIN = 4.5
MARK_RATIO_MIN = 3.0
_VERDICTS = ("admit", "permit", "hold", "refuse", "unsure")
CSS_PATH = Path(__file__).with_name("tokens.css")


@dataclass(frozen=True, slots=True)
class Contrast:
    """One pair of colours with the ratio it has and the ratio it must have."""

    theme: str
    front: str
    back: str
    ratio: float
    ratio_min: float

    @property
    def holds(self) -> bool:
        """Whether the pair can be told apart as well as it must be."""
        return self.ratio >= self.ratio_min


def luminance(colour: str) -> float:
    """Relative luminance of `#RRGGBB`, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_ratio(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21, in either order."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _pairs() -> Iterator[tuple[str, str, float]]:
    for front in ("ink", "ink2", "ink3", "accent", *_VERDICTS, "stale"):
        for back in ("surface", "surface2", "bg"):
            yield front, back, TEXT_RATIO_MIN
    yield from (("ink3", "surface3", TEXT_RATIO_MIN), ("ink", "segon", TEXT_RATIO_MIN))
    for verdict in (*_VERDICTS, "stale"):
        yield verdict, f"{verdict}soft", TEXT_RATIO_MIN
    for verdict in _VERDICTS:
        yield f"on{verdict}", f"{verdict}solid", TEXT_RATIO_MIN
    for front, back in (("onaccent", "accent"), ("accent", "accentsoft"), ("ink", "accentsoft"), ("surface", "ink")):
        yield front, back, TEXT_RATIO_MIN
    for mark in ("pv", "storage", "load", "grid", "ev", "control"):
        yield mark, "surface", MARK_RATIO_MIN
    yield "control", "surface2", MARK_RATIO_MIN


def contrasts(theme: str, palette: Palette) -> tuple[Contrast, ...]:
    """Every pair of the palette that must keep its distance, measured."""
    return tuple(
        Contrast(theme, front, back, contrast_ratio(palette[front], palette[back]), least)
        for front, back, least in _pairs()
    )


def failures(light: Palette = LIGHT, dark: Palette = DARK) -> tuple[Contrast, ...]:
    """The pairs that fall below their limit; empty when the look may be shipped."""
    plates = (
        Contrast("plate", name, back, contrast_ratio(front, back), TEXT_RATIO_MIN) for name, front, back in PLATES
    )
    return tuple(pair for pair in (*contrasts("light", light), *contrasts("dark", dark), *plates) if not pair.holds)


def stylesheet() -> str:
    """`tokens.css`: light by default, dark under `data-theme=dark`, the device's wish under `data-theme=auto`."""
    light, dark = _declarations(LIGHT | LIGHT_SHAPE), _declarations(DARK | DARK_SHAPE)
    return (
        "/* Written by tokens.py: change the colours there. */\n"
        f":root,[data-theme=light]{{color-scheme:light;{light}}}\n"
        f"[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        f"@media (prefers-color-scheme:dark){{[data-theme=auto]{{color-scheme:dark;{dark}}}}}\n"
    )


def _declarations(values: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in values.items())


def main() -> int:
    """Write the stylesheet, or say which pairs are too close and write nothing."""
    bad = failures()
    for pair in bad:
        print(f"{pair.theme}: {pair.front} on {pair.back} is {pair.ratio:.2f}, needs {pair.ratio_min}", file=sys.stderr)
    if not bad:
        CSS_PATH.write_text(stylesheet(), encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
