"""Reason codes have sentences, and the document beside them says the same."""

from __future__ import annotations

import re
from pathlib import Path

from control.gate.reasons import REASONS, Code

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "gate_reasons.md"
ROW = re.compile(r"^\| `(?P<code>\w+)` \| (?P<zh>.+) \| (?P<en>.+) \|$", re.MULTILINE)


def test_the_document_is_the_table() -> None:
    rows = {Code(m["code"]): (m["zh"], m["en"]) for m in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))}
    assert rows == REASONS


def test_every_code_has_a_sentence_in_both_languages() -> None:
    assert set(REASONS) == set(Code)
    for chinese, english in REASONS.values():
        assert re.search(r"[\u4e00-\u9fff]", chinese)
        assert re.fullmatch(r"[\x20-\x7e]+", english)


def test_no_two_codes_say_the_same() -> None:
    assert len({texts[0] for texts in REASONS.values()}) == len(REASONS)
    assert len({texts[1] for texts in REASONS.values()}) == len(REASONS)
