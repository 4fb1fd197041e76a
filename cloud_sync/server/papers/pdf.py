"""The house's paper: owns how a sheet of text, figures and tables becomes a PDF. The same sheet gives the same bytes.

A4, one column: mark and zone, a title with its sentence, big figures, tables that go on over pages, footnotes, and a QR
code that leads to the page where anybody verifies the paper. Rendering takes part of a second of processor time: call
`render` in a thread.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import segno
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, WrapMode

from cloud_sync.contract.look import plates
from cloud_sync.contract.look.tokens import LIGHT

_FONTS = Path(plates.__file__).with_name("fonts")
FACES = {"": _FONTS / "noto-sans-sc-regular.ttf", "B": _FONTS / "noto-sans-sc-bold.ttf"}
FAMILY = "NotoSansSC"
_MARGIN_MM, _WIDTH_MM, _FOOT_MM, _TOP_MM = 18.0, 174.0, 20.0, 34.0
_QR_MM = 30.0
_LINE = 1.45  # height of a line in parts of its size
_MM_PER_PT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Figure:
    """One big figure: what it is, its value, its unit."""

    label: str
    value: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`widths` are parts of the page's width; numbers of columns in `right` are set flush right."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    right: frozenset[int] = frozenset()
    empty: str = "—"
    total: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a paper says, in words that are final. `verify_url` stands in the QR code and below it, cut in `code`."""

    language: str
    zone: str
    title: str
    lead: str
    number: str
    issued: str
    issued_at: datetime
    figures: tuple[Figure, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    verify_url: str = ""
    verify_word: str = ""
    code: str = ""
    page_word: str = "%(page)d / %(pages)s"


@cache
def _known_characters() -> frozenset[int]:
    with TTFont(FACES[""], lazy=True) as face:
        return frozenset(face.getBestCmap())


def printable(text: str) -> str:
    """`text` in characters that the face has: letters lose accents that it lacks, anything else becomes □."""
    known = _known_characters()
    return "".join(one if ord(one) in known else _nearest(one, known) for one in text if one == "\n" or one >= " ")


def _nearest(char: str, known: frozenset[int]) -> str:
    if char == "\n":
        return char
    base = unicodedata.normalize("NFKD", char)[0]
    return base if ord(base) in known else "□"


def render(sheet: Sheet) -> bytes:
    """The sheet as PDF."""
    page = _Page(sheet)
    page.add_page()
    page.opening()
    page.figures(sheet.figures)
    page.pairs(sheet.pairs)
    for table in sheet.tables:
        page.listing(table)
    page.notes(sheet.notes)
    return bytes(page.output())


class _Page(FPDF):
    """The pen. Positions and sizes are millimetres, type sizes are points."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self._sheet = sheet
        self._wrap = WrapMode.CHAR if sheet.language == "zh" else WrapMode.WORD
        self.set_margins(_MARGIN_MM, _TOP_MM, _MARGIN_MM)
        self.c_margin = 0.0
        self.set_auto_page_break(True, margin=_FOOT_MM + 4)
        for style, face in FACES.items():
            self.add_font(FAMILY, style, face)
        self.set_title(printable(sheet.title))
        self.set_author(printable(sheet.zone))
        self.set_subject(sheet.number)
        self.set_lang("zh-CN" if sheet.language == "zh" else "en-GB")
        self.set_producer(f"fpdf2 {version('fpdf2')}")
        self.set_creation_date(sheet.issued_at)
        self.alias_nb_pages("{pages}")

    # ------------------------------------------------------------ what stands on every page

    def header(self) -> None:
        """Mark and zone on the left, number and day on the right."""
        sheet = self._sheet
        self._mark(_MARGIN_MM, 14.0, 9.0)
        self._put(_MARGIN_MM + 12, 14.2, printable(sheet.zone), size=10.5, style="B")
        self._put(_MARGIN_MM + 12, 19.0, printable(sheet.number), size=8, tone="ink3")
        self._put(_MARGIN_MM, 19.0, printable(sheet.issued), size=8, tone="ink3", right=True)
        self._line(27.0)
        self.set_y(_TOP_MM)

    def footer(self) -> None:
        """The address that verifies the paper, and the page."""
        sheet, y = self._sheet, 297 - _FOOT_MM + 6
        self._line(y - 2.5)
        self._put(_MARGIN_MM, y, sheet.verify_url, size=7.5, tone="ink3")
        self._type(7.5, "", "ink3")
        page = self.page_no()
        # The number of pages is not known yet; its place is kept as wide as the page's own number.
        width = self.get_string_width(printable(sheet.page_word % {"page": page, "pages": page}))
        text = printable(sheet.page_word % {"page": page, "pages": "{pages}"})
        self._put(_MARGIN_MM + _WIDTH_MM - width, y, text, size=7.5, tone="ink3")

    def _mark(self, x: float, y: float, size: float) -> None:
        """A sun over two waves, as everywhere in the house."""
        unit = size / 30
        self._fill("accent")
        self.rect(x, y, size, size, style="F", round_corners=True, corner_radius=8 * unit)
        self._fill("onaccent")
        self.circle(x=x + 15 * unit, y=y + 11 * unit, radius=4.2 * unit, style="F")
        self._draw("onaccent", 1.8 * unit)
        for base in (17.2, 22.0):
            crests = [(5 + 4 * n, base - (1.3 if n % 2 else 0)) for n in range(6)]
            for (x1, y1), (x2, y2) in pairwise(crests):
                self.line(x + x1 * unit, y + y1 * unit, x + x2 * unit, y + y2 * unit)

    # ------------------------------------------------------------ parts of a sheet, one below the other

    def opening(self) -> None:
        """Title and sentence; the QR code stands beside them."""
        sheet, top = self._sheet, self.get_y()
        width = _WIDTH_MM - (_QR_MM + 10 if sheet.verify_url else 0)
        self._text(sheet.title, size=22, style="B", width=width, line=1.3)
        self.ln(2.5)
        self._text(sheet.lead, size=11, tone="ink2", width=width, line=1.55)
        low = self.get_y()
        if sheet.verify_url:
            low = max(low, self._qr(_MARGIN_MM + _WIDTH_MM - _QR_MM, top))
        self.set_y(low + 6)

    def _qr(self, x: float, y: float) -> float:
        """The code as rectangles, sharp at every size; the height where what stands below it ends."""
        sheet = self._sheet
        rows = [bytes(row) for row in segno.make(sheet.verify_url, error="m", micro=False).matrix]
        unit = _QR_MM / len(rows)
        self.set_fill_color(0, 0, 0)
        for down, row in enumerate(rows):
            for start, length in _runs(row):
                self.rect(x + start * unit, y + down * unit, length * unit, unit, style="F")
        self.set_xy(x - 8, y + _QR_MM + 2)
        self._text(sheet.verify_word, size=7.5, tone="ink3", width=_QR_MM + 8, align="R")
        self.set_x(x - 8)
        self._text(sheet.code, size=8, style="B", width=_QR_MM + 8, align="R")
        return self.get_y()

    def figures(self, figures: Sequence[Figure]) -> None:
        """Big figures side by side, at most four a row."""
        if not figures:
            return
        top, width = self.get_y(), _WIDTH_MM / max(len(figures), 3)
        for place, one in enumerate(figures):
            x = _MARGIN_MM + place * width
            self._put(x, top, printable(one.label), size=8.5, tone="ink3")
            self._put(x, top + 5.2, printable(one.value), size=20, style="B")
            after = x + self.get_string_width(printable(one.value)) + 1.2
            self._put(after, top + 9.2, printable(one.unit), size=9, tone="ink3")
        self.set_y(top + 18)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """What the paper is about, a line each: a name and its text."""
        for name, text in pairs:
            self._room(8)
            top = self.get_y()
            self._put(_MARGIN_MM, top, printable(name), size=9, tone="ink3")
            self.set_xy(_MARGIN_MM + 40, top)
            self._text(text, size=9, width=_WIDTH_MM - 40)
            self.set_y(max(self.get_y(), top + 5) + 1.2)
        self.ln(3)

    def listing(self, table: Table) -> None:
        """A table under its caption; its head stands again on each page."""
        self._room(26)
        self._text(table.caption, size=11, style="B")
        self.ln(1.5)
        self._head(table)
        if not table.rows:
            self._text(table.empty, size=9, tone="ink3")
            self.ln(2)
        for row in table.rows:
            self._row(table, row)
        if table.total:
            self._row(table, table.total, style="B")
        self.ln(6)

    def _head(self, table: Table) -> None:
        self._row(table, table.heads, size=8, tone="ink3")

    def _row(
        self, table: Table, cells: Sequence[str], *, size: float = 8.5, style: str = "", tone: str = "ink"
    ) -> None:
        """One row; cells that are too long take more lines."""
        widths = [one * _WIDTH_MM / sum(table.widths) for one in table.widths]
        self._type(size, style, tone)
        height = size * _LINE * _MM_PER_PT
        lines = [self._lines(text, width - 2) for text, width in zip(cells, widths, strict=True)]
        tall = height * max(len(one) for one in lines) + 2.2
        if self.get_y() + tall > 297 - _FOOT_MM - 4:
            self.add_page()
            if cells is not table.heads:
                self._head(table)
            self._type(size, style, tone)
        top, x = self.get_y(), _MARGIN_MM
        for place, (texts, width) in enumerate(zip(lines, widths, strict=True)):
            room = width if place == len(widths) - 1 else width - 2
            for down, text in enumerate(texts):
                shift = room - self.get_string_width(text) if place in table.right else 0.0
                self.set_xy(x + shift, top + 1.1 + down * height)
                self.cell(w=0, h=height, text=text)
            x += width
        self._line(top + tall)
        self.set_y(top + tall)

    def _lines(self, text: str, width: float) -> list[str]:
        if not text:
            return [""]
        found = self.multi_cell(
            w=width,
            text=printable(text),
            wrapmode=self._wrap,
            dry_run=True,
            output=MethodReturnValue.LINES,
            padding=0,
        )
        assert isinstance(found, list)
        return found or [""]

    def notes(self, notes: Sequence[str]) -> None:
        """Footnotes: factors, sources, what is not known."""
        if not notes:
            return
        self._room(16)
        for number, note in enumerate(notes, 1):
            self._room(8)
            top = self.get_y()
            self._put(_MARGIN_MM, top, str(number), size=7.5, tone="ink3")
            self.set_xy(_MARGIN_MM + 6, top)
            self._text(note, size=7.5, tone="ink2", width=_WIDTH_MM - 6)
            self.ln(0.8)

    # ------------------------------------------------------------ the pen

    def _room(self, height: float) -> None:
        if self.get_y() + height > 297 - _FOOT_MM - 4:
            self.add_page()

    def _text(
        self,
        text: str,
        *,
        size: float,
        style: str = "",
        tone: str = "ink",
        width: float = _WIDTH_MM,
        line: float = _LINE,
        align: str = "L",
    ) -> None:
        """Text that wraps, from the pen's place on; the pen stands below it afterwards, at the margin."""
        self._type(size, style, tone)
        self.multi_cell(
            w=width,
            h=size * line * _MM_PER_PT,
            text=printable(text),
            align=align,
            wrapmode=self._wrap,
            new_x="LMARGIN",
            new_y="NEXT",
            padding=0,
        )

    def _put(
        self, x: float, y: float, text: str, *, size: float, style: str = "", tone: str = "ink", right: bool = False
    ) -> None:
        """One line at a place; `right` puts it against the right margin."""
        self._type(size, style, tone)
        if right:
            x = _MARGIN_MM + _WIDTH_MM - self.get_string_width(text)
        self.set_xy(x, y)
        self.cell(w=0, h=size * _LINE * _MM_PER_PT, text=text)

    def _line(self, y: float) -> None:
        self._draw("line", 0.2)
        self.line(_MARGIN_MM, y, _MARGIN_MM + _WIDTH_MM, y)

    def _type(self, size: float, style: str, tone: str) -> None:
        self.set_font(FAMILY, style, size)
        self.set_text_color(*_rgb(tone))

    def _fill(self, tone: str) -> None:
        self.set_fill_color(*_rgb(tone))

    def _draw(self, tone: str, width: float) -> None:
        self.set_draw_color(*_rgb(tone))
        self.set_line_width(width)


def _rgb(tone: str) -> tuple[int, int, int]:
    text = LIGHT[tone].lstrip("#")
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def _runs(row: bytes) -> Iterable[tuple[int, int]]:
    """Where dark modules begin in a row, and how many follow."""
    start = 0
    while start < len(row):
        if not row[start]:
            start += 1
            continue
        end = start
        while end < len(row) and row[end]:
            end += 1
        yield start, end - start
        start = end
