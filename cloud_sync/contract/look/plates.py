"""The number-plate chip as markup: owns which ground a kind of plate gets and where the dot stands.

`plate.js` beside it builds the same chip in a browser; `plate.css` draws both.
"""

from __future__ import annotations

from collections.abc import Collection
from html import escape

from control.domain.plates import LETTERS, PROVINCES, PlateColour, PlateKind, normalise

UNREAD = "none"
_GROUND_OF_KIND = {
    PlateKind.SMALL: "blue",
    PlateKind.LARGE: "yellow",
    PlateKind.TRAILER: "yellow",
    PlateKind.COACH: "yellow",
    PlateKind.NEV_SMALL: "nev",
    PlateKind.NEV_LARGE: "nevl",
    PlateKind.POLICE: "white",
    PlateKind.EMERGENCY: "white",
    PlateKind.ARMED_POLICE: "white",
    PlateKind.MILITARY: "white",
    PlateKind.HONG_KONG: "black",
    PlateKind.MACAU: "black",
    PlateKind.EMBASSY: "black",
    PlateKind.CONSULATE: "black",
    PlateKind.TRACTOR: "farm",
    PlateKind.AVIATION: "farm",
    PlateKind.TEMPORARY: "temp",
}
_GROUND_OF_COLOUR = {
    PlateColour.BLUE: "blue",
    PlateColour.YELLOW: "yellow",
    PlateColour.GREEN: "nev",
    PlateColour.YELLOW_GREEN: "nevl",
    PlateColour.WHITE: "white",
    PlateColour.BLACK: "black",
    PlateColour.FARM_GREEN: "farm",
    PlateColour.PAPER: "temp",
}
_RED_ON_WHITE = frozenset("警应急WJ")
_RED_ON_BLACK = frozenset("港澳使领")
_SUFFIXES = frozenset("警学挂港澳使领应急")


def ground_of(kind: str, colour: str = PlateColour.UNKNOWN) -> str:
    """The ground of the chip: what was seen, else what the kind of plate has; `plain` when neither is known."""
    seen = _GROUND_OF_COLOUR.get(PlateColour(colour)) if colour in set(PlateColour) else None
    return seen or _GROUND_OF_KIND.get(PlateKind(kind), "plain")


def dotted(text: str) -> bool:
    """Whether a round dot follows the second character: civil plates have one, military and embassy ones not."""
    return len(text) > 2 and text[0] in PROVINCES and text[1] in LETTERS


def spoken(text: str) -> str:
    """The plate as people write it, with its dot."""
    text = normalise(text)
    return f"{text[:2]}·{text[2:]}" if dotted(text) else text


def chip(
    text: str,
    ground: str,
    *,
    label: str,
    size: str = "",
    unsure: Collection[int] = (),
    rows: int = 1,
) -> str:
    """One chip as HTML. `label` is what a screen reader says; `unsure` holds indices into the text.

    `size` is one of `ps`, ``, `p28`, `p30`, `pl`, `pxl`, `phut` (plate.css).
    """
    text = normalise(text)
    classes = " ".join(part for part in ("plate", ground, size, "two" if rows == 2 else "") if part)
    attributes = f'class="{classes}" role="img" lang="zh-CN" aria-label="{escape(label)}"'
    if not text:
        return f'<span class="plate {UNREAD} {size}">{escape(label)}</span>'
    marked = [_character(text, at, ground, at in unsure) for at in range(len(text))]
    code, number = "".join(marked[:2]), "".join(marked[2:])
    if rows == 2:
        return f'<span {attributes}><span class="r1">{code}</span><span class="r2">{number}</span></span>'
    return f"<span {attributes}>{code}{'<u></u>' if dotted(text) else ''}{number}</span>"


def _character(text: str, at: int, ground: str, unsure: bool) -> str:
    char = text[at]
    red = red_at(text, at, ground)
    tag = "em" if char in _SUFFIXES else "i" if ord(char) > 0x2E80 else "span"
    inner = f'<{tag} class="rd">{escape(char)}</{tag}>' if red else f"<{tag}>{escape(char)}</{tag}>"
    return f'<b class="q">{inner}</b>' if unsure else inner


def red_at(text: str, at: int, ground: str) -> bool:
    """Whether this character of a normalised plate is red: on white and on black grounds some are."""
    return (ground == "white" and _is_red_on_white(text, at)) or (ground == "black" and text[at] in _RED_ON_BLACK)


def _is_red_on_white(text: str, at: int) -> bool:
    if text[at] in "WJ":
        return text.startswith("WJ") and at < 2
    return text[at] in _RED_ON_WHITE
