"""The look keeps its contrasts, its stylesheet is the one that tokens.py writes, and both chips draw the same plate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloud_sync.contract.look import plates, tokens
from control.domain.plates import PlateKind

LOOK = Path(tokens.__file__).parent


def test_every_contrast_holds() -> None:
    assert tokens.failures() == ()


def test_a_pale_colour_fails_by_name() -> None:
    bad = tokens.failures(light=tokens.LIGHT | {"ink3": "#B0B8B6"})
    assert {(pair.theme, pair.front) for pair in bad} == {("light", "ink3")}
    assert all(pair.ratio < pair.ratio_min for pair in bad)


def test_a_pale_mark_fails_too() -> None:
    bad = tokens.failures(dark=tokens.DARK | {"control": "#1B2629"})
    assert {pair.front for pair in bad} == {"control"}


@pytest.mark.parametrize(("one", "other", "ratio"), [("#000000", "#FFFFFF", 21.0), ("#777777", "#FFFFFF", 4.48)])
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert tokens.contrast_ratio(one, other) == pytest.approx(ratio, abs=0.01)
    assert tokens.contrast_ratio(other, one) == tokens.contrast_ratio(one, other)


def test_both_themes_have_the_same_tokens() -> None:
    assert tokens.LIGHT.keys() == tokens.DARK.keys()
    assert tokens.LIGHT_SHAPE.keys() == tokens.DARK_SHAPE.keys()


def test_the_stylesheet_is_the_written_one() -> None:
    assert tokens.CSS_PATH.read_text(encoding="utf-8") == tokens.stylesheet()


def test_stylesheets_use_only_tokens_that_exist() -> None:
    known = {f"--{name}" for name in tokens.LIGHT | tokens.LIGHT_SHAPE} | {
        "--sans", "--plate", "--r1", "--r2", "--r3", "--r4", "--h", "--cut",
    }  # fmt: skip
    for sheet in (*LOOK.glob("*.css"), *LOOK.parents[1].glob("server/console/static/*.css")):
        used = set(re.findall(r"var\((--[a-z0-9]+)", sheet.read_text(encoding="utf-8")))
        assert used <= known, f"{sheet.name}: {used - known}"


def test_every_face_that_is_named_is_here_and_little() -> None:
    faces = set(re.findall(r"url\((fonts/[^)]+)\)", (LOOK / "fonts.css").read_text(encoding="utf-8")))
    files = {f"fonts/{path.name}" for path in (LOOK / "fonts").glob("*.woff2")}
    assert faces == files
    assert sum(path.stat().st_size for path in (LOOK / "fonts").glob("*.woff2")) < 6_000_000


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (LOOK / "icons.svg").read_text(encoding="utf-8")))
    console = LOOK.parents[1] / "server" / "console"
    used: set[str] = set()
    for page in console.glob("templates/*.html"):
        used |= set(re.findall(r'icon\("([a-z0-9-]+)"', page.read_text(encoding="utf-8")))
    for code in ("reasons.py", "views.py", "trail.py", "keys.py"):
        texts = re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', (console / code).read_text(encoding="utf-8"))
        used |= {one for one in texts if one not in ("zh-CN",)}
    assert used - sprite == set()


@pytest.mark.parametrize(
    ("text", "dot"),
    [("琼CD12345", True), ("粤Z1234港", True), ("224001使", False), ("VA12345", False), ("WJ琼1234X", False)],
)
def test_the_dot_stands_on_civil_plates_alone(text: str, dot: bool) -> None:
    assert plates.dotted(text) is dot
    assert ("<u></u>" in plates.chip(text, "blue", label=text)) is dot


def test_every_kind_has_a_ground() -> None:
    drawn = (LOOK / "plate.css").read_text(encoding="utf-8")
    for kind in PlateKind:
        assert f".plate.{plates.ground_of(kind)} " in drawn


def test_what_was_seen_is_drawn_before_what_the_kind_has() -> None:
    assert plates.ground_of("small", "yellow") == "yellow"
    assert plates.ground_of("small", "unknown") == "blue"
    assert plates.ground_of("unknown", "nonsense") == "plain"


def test_a_chip_boxes_the_unsure_character_and_escapes_text() -> None:
    made = plates.chip("琼C7B083", "yellow", label='"><script>', unsure=(3,))
    assert '<b class="q"><span>B</span></b>' in made
    assert "<script>" not in made
    assert plates.chip("", "none", label="没读到") == '<span class="plate none ">没读到</span>'
    assert "&lt;" in plates.chip("<b>1234", "blue", label="x")


def test_a_plate_of_two_rows_stands_in_two_rows() -> None:
    made = plates.chip("琼C12345", "yellow", label="x", rows=2)
    assert 'class="r1"' in made
    assert 'class="r2"' in made
