"""The look in numbers: contrast of each pair that the widgets draw, faces that have every character, icons, lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from cloud_sync.contract.look.tokens import DARK, LIGHT, MARK_RATIO_MIN, PLATES, TEXT_RATIO_MIN, contrast_ratio
from control.domain.plates import ALPHABET
from mobile.ui.icons import GLYPHS
from mobile.ui.palette import FACES, FONTS, ICONS, PALETTES, PLATE, STRONG, STYLES, TEXT
from mobile.ui.widgets.wrap import wrap

MOBILE = Path(__file__).resolve().parents[3] / "mobile"
VERDICTS = ("admit", "permit", "hold", "refuse", "unsure", "stale")


def text_pairs() -> Iterator[tuple[str, str]]:
    for back in ("bg", "surface", "surface2"):
        for front in ("ink", "ink2", "ink3", "accent", *VERDICTS):
            yield front, back
    for verdict in VERDICTS:
        yield verdict, f"{verdict}soft"
        yield "ink2", f"{verdict}soft"
        yield f"on{verdict}", f"{verdict}solid"
    yield from (
        ("onhero", "hero"),
        ("onpass", "passhead"),
        ("onaccent", "accent"),
        ("accent", "accentsoft"),
        ("ink3", "line"),  # a button that cannot be pressed
        ("surface", "ink"),  # a message
        ("accentsoft", "ink"),  # its action
        ("ink", "segon"),
        ("ink2", "line"),  # a segment in light
        ("ink2", "surface3"),  # and in dark
        ("ink", "land"),  # names on the sketch of a trip
        ("ink", "water"),
    )


def mark_pairs() -> Iterator[tuple[str, str]]:
    yield from (("accent", "line"), ("accent", "surface3"), ("permitsolid", "surface"), ("admitsolid", "surface"))
    yield from (("control", "surface"), ("surface", "control"), ("onaccent", "accent"), ("accent", "road"))
    yield from (("refuse", "surface"), ("accent", "bg"))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("front", "back"), sorted(set(text_pairs())))
def test_text_can_be_read(front: str, back: str, dark: bool) -> None:
    palette = PALETTES[dark]
    assert contrast_ratio(palette[front], palette[back]) >= TEXT_RATIO_MIN


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("front", "back"), sorted(set(mark_pairs())))
def test_marks_can_be_seen(front: str, back: str, dark: bool) -> None:
    palette = PALETTES[dark]
    assert contrast_ratio(palette[front], palette[back]) >= MARK_RATIO_MIN


def test_the_bar_of_the_balance_can_be_seen_on_its_track() -> None:
    for palette in PALETTES.values():
        assert contrast_ratio(palette["onhero"], blended(palette["herotrack"], palette["hero"])) >= MARK_RATIO_MIN


def blended(front: str, back: str) -> str:
    alpha = int(front[7:9], 16) / 255
    parts = [round(int(front[at : at + 2], 16) * alpha + int(back[at : at + 2], 16) * (1 - alpha)) for at in (1, 3, 5)]
    return "#" + "".join(f"{part:02X}" for part in parts)


def test_the_app_and_the_console_share_their_colours() -> None:
    assert LIGHT.items() <= PALETTES[False].items()
    assert DARK.items() <= PALETTES[True].items()
    assert PALETTES[False].keys() == PALETTES[True].keys()


@cache
def characters(face: str) -> frozenset[int]:
    return frozenset(TTFont(FONTS / FACES[face]).getBestCmap())


@pytest.mark.parametrize("face", [TEXT, STRONG])
def test_the_text_faces_have_every_character_that_the_app_says(face: str) -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in MOBILE.glob("locale/**/*.po"))
    said += ALPHABET + "0123456789+−–—·•…×%₀₁₂₃₄₅₆₇₈₉，。：；？！（）「」《》、“”‘’°€¥"
    missing = {char for char in said if ord(char) > 31 and ord(char) not in characters(face)}
    assert not missing


def test_the_plate_face_has_letters_and_digits() -> None:
    assert {ord(char) for char in ALPHABET if ord(char) < 0x80} <= characters(PLATE)


@pytest.mark.parametrize("face", [TEXT, STRONG])
def test_digits_are_equally_wide_so_that_numbers_stand_in_columns(face: str) -> None:
    font = TTFont(FONTS / FACES[face])
    glyphs = font.getBestCmap()
    assert len({font["hmtx"][glyphs[ord(digit)]][0] for digit in "0123456789"}) == 1


def test_each_face_has_its_licence_beside_it() -> None:
    for name in ("Inter", "NotoSansSC", "BarlowSemiCondensed", "Lucide"):
        assert "licen" in (FONTS / f"LICENCE-{name}.txt").read_text(encoding="utf-8").lower()


@pytest.mark.parametrize("face", [TEXT, STRONG, PLATE, ICONS])
def test_glyphs_stand_where_their_outlines_are(face: str) -> None:
    font = TTFont(FONTS / FACES[face])
    outlines = font["glyf"]
    for glyph, (_advance, bearing) in font["hmtx"].metrics.items():
        # One unit of a thousand may be lost in rounding.
        assert abs(bearing - getattr(outlines[glyph], "xMin", bearing)) <= 1, glyph


def test_each_icon_that_is_named_has_been_packed() -> None:
    assert {ord(glyph) for glyph in GLYPHS.values()} <= characters(ICONS)
    named = set()
    for path in [*MOBILE.rglob("*.py"), *MOBILE.rglob("*.kv")]:
        named |= set(re.findall(r"""\bicon\s*[=:]\s*["']([a-z0-9-]+)["']""", path.read_text(encoding="utf-8")))
    assert named <= GLYPHS.keys(), f"not in fonts/icon_names.txt: {sorted(named - GLYPHS.keys())}"


def test_each_part_of_a_rule_is_found_wherever_it_is_used_first() -> None:
    """Modules of widgets are loaded when the first of them is named: a rule may only name what the kit can find."""
    shared = set(re.findall(r'"(\w+)"', (MOBILE / "ui" / "kit.py").read_text(encoding="utf-8")))
    kivys_own = {"Widget", "Label", "BoxLayout", "FloatLayout", "AnchorLayout", "GridLayout", "RecycleBoxLayout"}
    for rules in MOBILE.glob("ui/widgets/*.kv"):
        text = rules.read_text(encoding="utf-8")
        drawing = re.sub(r"^( +)canvas(?:\.\w+)?:\n(?:\1 +.*\n)+", "", text, flags=re.MULTILINE)
        made_here = set(re.findall(r"^<-?(\w+)[@>,]", text, re.MULTILINE))
        made_here |= set(
            re.findall(r"^class (\w+)", rules.with_suffix(".py").read_text(encoding="utf-8"), re.MULTILINE)
        )
        used = set(re.findall(r"^ +([A-Z]\w+):\s*$", drawing, re.MULTILINE))
        assert used <= shared | kivys_own | made_here, f"{rules.name}: {sorted(used - shared - kivys_own - made_here)}"


def test_each_style_names_a_face() -> None:
    assert {style.face for style in STYLES.values()} <= FACES.keys()
    assert min(style.size_sp for style in STYLES.values()) == 12
    assert len(PLATES) == len({name for name, _text, _ground in PLATES})


# ---------------------------------------------------------------- lines


def columns(text: str) -> float:
    return sum(2 if ord(char) > 0x2E80 else 1 for char in text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("短", 10, ["短"]),
        ("", 10, [""]),
        ("一二三四五六", 8, ["一二三四", "五六"]),
        ("一二三四，五六", 8, ["一二三", "四，五六"]),  # a comma never begins a line
        ("一二三（四五）", 8, ["一二三", "（四五）"]),  # an opening bracket never ends one
        ("排放 9.60 kg，办公室会抵消", 14, ["排放 9.60 kg，", "办公室会抵消"]),
        ("行驶 2.6 公里", 11, ["行驶", "2.6 公里"]),  # a figure keeps its unit
        ("the quick brown fox", 10, ["the quick", "brown fox"]),
        ("one\ntwo", 10, ["one", "two"]),
        ("abcdefghijkl", 5, ["abcde", "fghij", "kl"]),
        ("去 CO₂ 少", 4, ["去", "CO₂", "少"]),
    ],
)
def test_lines_break_where_chinese_and_english_may(text: str, width: float, lines: list[str]) -> None:
    assert wrap(text, width, columns) == lines


def test_a_cut_text_ends_in_an_ellipsis_and_fits() -> None:
    lines = wrap("一二三四五六七八九十", 8, columns, lines_max=2)
    assert lines == ["一二三四", "五六七…"]
    assert all(columns(line) <= 8 for line in lines)
    assert wrap("一二三四", 8, columns, lines_max=1) == ["一二三四"]


def test_balanced_lines_leave_no_single_character_behind() -> None:
    assert wrap("一二三四五六七八九", 16, columns) == ["一二三四五六七八", "九"]
    lines = wrap("一二三四五六七八九", 16, columns, balanced=True)
    assert len(lines) == 2
    assert min(columns(line) for line in lines) >= 8
