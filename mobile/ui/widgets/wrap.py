"""Breaking text into lines: owns where Chinese and Latin text may break and how a cut text ends.

Kivy breaks lines at spaces alone, which tears Chinese sentences apart; this follows the usual rules instead
(W3C, Requirements for Chinese Text Layout, 3.1.2: no closing mark begins a line, no opening mark ends one).
"""

from __future__ import annotations

import re
from collections.abc import Callable

ELLIPSIS = "…"
# Steps in the search for the narrowest width that needs no further line: to a sixty-fourth of the width.
_HALVINGS = 6
_OPENING = "（〔［｛《〈「『【“‘("
_CLOSING = "，。、；：？！）〕］｝》〉」』】”’…—·,.;:?!)%"
_HAN = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_UNITS = "公里|千克|公斤|毫升|分钟|小时|平方米|千瓦时|千瓦|[克吨米升秒天次步分元人]"
# One piece never breaks inside: a figure with its unit, a run of Latin with the closing marks behind it, or one Han
# character.
_PIECE = re.compile(
    rf"[{re.escape(_OPENING)}]*(?:\d[\d.,]*\s?(?:{_UNITS})|[{_HAN}]|[^\s{_HAN}{re.escape(_OPENING)}]+)[{re.escape(_CLOSING)}]*|\s+"
    rf"|[{re.escape(_OPENING)}]+"
)


def wrap(
    text: str, width: float, measure: Callable[[str], float], *, lines_max: int = 0, balanced: bool = False
) -> list[str]:
    """The lines of the text; with `lines_max` the last one ends in an ellipsis where text was left out.

    `balanced` makes them about equally long, so that no single character is left on a line; for centred text.
    """
    broken = _wrap_balanced if balanced else _wrap_paragraph
    lines = [line for paragraph in text.split("\n") for line in broken(paragraph, width, measure)]
    if lines_max and len(lines) > lines_max:
        lines = [*lines[: lines_max - 1], _cut(lines[lines_max - 1] + ELLIPSIS, width, measure)]
    return lines


def _wrap_paragraph(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    if measure(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for piece in _PIECE.findall(text):
        if measure((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = piece.lstrip()
        while len(line) > 1 and measure(line) > width:
            head = _fitting(line, width, measure)
            lines.append(line[:head])
            line = line[head:]
    return [*lines, line.rstrip()]


def _wrap_balanced(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    best = _wrap_paragraph(text, width, measure)
    count, low, high = len(best), width / 2, width
    for _ in range(_HALVINGS if count > 1 else 0):
        middle = (low + high) / 2
        tried = _wrap_paragraph(text, middle, measure)
        if len(tried) <= count:
            best, high = tried, middle
        else:
            low = middle
    return best


def _fitting(text: str, width: float, measure: Callable[[str], float]) -> int:
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle]) <= width else (low, middle - 1)
    return low


def _cut(text: str, width: float, measure: Callable[[str], float]) -> str:
    if measure(text) <= width:
        return text
    kept = _fitting(text[:-1], width - measure(ELLIPSIS), measure)
    return text[:kept].rstrip() + ELLIPSIS
