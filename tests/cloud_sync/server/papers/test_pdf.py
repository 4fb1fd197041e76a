"""A paper is the same bytes for the same words, says them in both languages, and its code is read by a camera."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont

from cloud_sync.server.papers import pdf
from cloud_sync.server.papers.pdf import FACES, Figure, Sheet, Table, printable, render

URL = "https://island.example/verify/7Q4M-KX2P-9TDA"
SHEET = Sheet(
    language="zh",
    zone="博鳌零碳示范区",
    title="碳中和证明",
    lead="琼C66E02 的 3 次到访共排放 12.84 千克二氧化碳当量（CO₂e），已全部抵消。",
    number="ZH-20261121-7Q4MKX",
    issued="签发 2026-11-21 10:42",
    issued_at=datetime(2026, 11, 21, 2, 42, tzinfo=UTC),
    figures=(Figure("实际排放", "12.84", "kgCO₂e"), Figure("未抵消", "0.00", "kgCO₂e")),
    pairs=(("许可申请", "XK-2026-000529"),),
    tables=(
        Table(
            "逐次到访",
            ("到访", "克"),
            tuple((f"V-{one}", f"{4280 + one:,}") for one in range(60)),
            (3, 1),
            frozenset({1}),
            total=("合计", "256,800"),
        ),
    ),
    notes=("柴油 2.718 kg/L，JS/T 303-2026",),
    verify_url=URL,
    verify_word="扫码查验",
    code="7Q4M-KX2P-9TDA",
)


@pytest.fixture(scope="module")
def paper() -> bytes:
    """The sheet as it is printed, once for all tests."""
    return render(SHEET)


def texts(content: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def test_the_same_sheet_is_the_same_file(paper: bytes) -> None:
    assert render(SHEET) == paper
    assert len(paper) < 200_000


def test_pages_repeat_the_head_of_their_table_and_are_counted(paper: bytes) -> None:
    pages = texts(paper)
    assert len(pages) == 3
    assert all("V-" in page and "到访" in page for page in pages[:2])
    assert all(re.search(rf"{number} / 3", page) for number, page in enumerate(pages, 1))
    assert "256,800" in pages[-1]
    assert "JS/T 303-2026" in pages[-1]
    assert "碳中和证明" in pages[0]


def test_a_camera_reads_the_code_from_the_printed_page(paper: bytes) -> None:
    document = pypdfium2.PdfDocument(paper)
    picture = document[0].render(scale=2.2, grayscale=True).to_numpy()
    document.close()
    assert [one.text for one in zxingcpp.read_barcodes(picture)] == [URL]


@pytest.mark.parametrize("style", ["", "B"])
def test_the_face_has_what_papers_need(style: str) -> None:
    with TTFont(FACES[style], lazy=True) as face:
        known = face.getBestCmap()
        outlines = {"glyf", "loca"} <= set(face.keys())
    assert outlines
    needed = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼警挂学港澳使领应急₂₄−–·×±≤≥°…“”『鳌龘"
    assert [one for one in needed if ord(one) not in known] == ["龘"]
    assert FACES[style].stat().st_size < 3_000_000


def test_what_the_face_lacks_loses_its_accent_or_becomes_a_box() -> None:
    assert printable("Škoda 龘\x00 café") == "Skoda □ café"
    assert pdf.render(replace(SHEET, tables=(), lead="龘" * 400))[:5] == b"%PDF-"
