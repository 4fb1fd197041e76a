"""The page of `benchmarks.read`: owns the picture of every failure, grouped by cause, beside what every peer read.

A folder with `index.html` and its pictures, which opens without a server or a network. The pictures are other people's,
so the folder must lie outside of the repository.
"""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import cloud_sync.contract.look as look
from benchmarks._read_answers import WRONG_TEXT, Cause, Outcome, holds
from benchmarks._read_cases import folded
from benchmarks._read_peers import Peer
from cloud_sync.contract.look.plates import chip, ground_of
from control.domain.errors import IslandError
from control.domain.readings import PlateReading
from control.gate.reasons import REASONS, Code
from vision.pictures import read_picture
from vision.recogniser import Recogniser
from vision.training.answers import GateAnswer

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path(__file__).with_name("_read_report.html")
SCENE_SIDE_PX = 720
CUT_SCALE = 2
# A character below this is shown as unsure.
SURE = 0.8

CAUSES: dict[Cause, tuple[str, str, str]] = {
    Cause.NO_PLATE: ("没有找到车牌", "No plate found", "octagon"),
    Cause.TWO_ROWS: ("双行车牌读错", "Two rows, read wrong", "octagon"),
    Cause.LENGTH: ("位数不对", "Wrong length", "octagon"),
    Cause.PROVINCE: ("省份读错", "Wrong province", "octagon"),
    Cause.CHARACTER: ("一位读错", "One wrong character", "octagon"),
    Cause.CHARACTERS: ("多位读错", "Several wrong characters", "octagon"),
    Cause.COLOUR: ("号码正确，颜色不对或存疑", "Text right, colour wrong or unknown", "unsure"),
    Cause.KIND: ("号码正确，种类未知", "Text right, kind unknown", "unsure"),
    Cause.PERSON: ("读对，但不够肯定，交人工", "Right, but not sure enough: sent to a person", "hold"),
}

ANSWERS: dict[GateAnswer, str] = {
    GateAnswer.OPEN: "放行 open",
    GateAnswer.REFUSE: "拒绝 refuse",
    GateAnswer.SPECIAL: "特种 special",
    GateAnswer.PERSON: "交人工 a person",
}


def check_place(folder: Path) -> None:
    """Raises IslandError when the page would lie in the repository."""
    if folder.resolve().is_relative_to(ROOT):
        raise IslandError(
            f"--report {folder} lies in the repository, where these pictures must never be: name another."
        )


def write(
    folder: Path, outcomes: list[Outcome], peers: list[Peer], report: dict[str, Any], models: Path | None
) -> Path:
    """Write the page into `folder` and give its path; pictures of an earlier page are removed."""
    pictures = folder / "pictures"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    recogniser = Recogniser.load(models)
    running = [peer for peer in peers if peer.why_not is None]
    sections = []
    for cause in Cause:
        members = sorted((o for o in outcomes if o.cause is cause), key=_sureness, reverse=cause in WRONG_TEXT)
        cards = [_card(outcome, running, pictures, recogniser) for outcome in members]
        if cards:
            sections.append(_section(cause, cards))
    page = Template(PAGE.read_text(encoding="utf-8")).substitute(
        style="\n".join(_look(name) for name in ("tokens.css", "base.css", "plate.css")),
        summary=_summary(report),
        figures=_figures(report),
        absent=_absent(peers),
        sets="".join(f"<option>{escape(name)}</option>" for name in report["sets"]),
        contents="".join(_content(cause, outcomes) for cause in Cause),
        sections="\n".join(sections) or "<p>全部正确。All is well.</p>",
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def _look(name: str) -> str:
    return Path(look.__file__).with_name(name).read_text(encoding="utf-8")


def _sureness(outcome: Outcome) -> float:
    """The surest errors come first: nobody would look at them."""
    return outcome.readings[0].confidence if outcome.readings else 0.0


# ------------------------------------------------------------------------------------------------------------- head


def _summary(report: dict[str, Any]) -> str:
    parts = []
    for name, found in report["sets"].items():
        ours, person = found["ours"], found["ours"]["sent_to_a_person"]["count"]
        parts.append(
            f"<p><b>{escape(name)}</b>: {ours['right']} / {ours['of']} 读对，{person} 交人工，"
            f"误放 {ours['false_pass']['count']}，误拒 {ours['false_refusal']['count']}。"
            f'<span class="mut" lang="en">{ours["right"]} of {ours["of"]} read whole, {person} sent to a person, '
            f"{ours['false_pass']['count']} false passes, {ours['false_refusal']['count']} false refusals.</span></p>"
        )
    return "".join(parts)


def _figures(report: dict[str, Any]) -> str:
    sizes = {peer["name"]: peer["model_bytes"] for peer in report["peers"] if peer["runs"]}
    rows = []
    for name, found in report["sets"].items():
        rows.append(_figure_row(name, "本系统 ours", found["ours"], report["models"]["total"], best=True))
        rows += [_figure_row("", peer, theirs, sizes[peer]) for peer, theirs in found["peers"].items()]
    return "".join(rows)


def _figure_row(set_name: str, who: str, tally: dict[str, Any], size: int, *, best: bool = False) -> str:
    low, high = tally["interval"]
    ratio = "" if best or tally["ratio_ms"] is None else f"{tally['ratio_ms']:.2f}"
    cells = (
        f"{tally['right']} / {tally['of']}",
        f"{100 * low:.1f}–{100 * high:.1f} %",
        f"{tally['ms_median']:.1f}",
        f"{tally['cpu_ms_median']:.1f}",
        ratio,
        f"{size / 1e6:.1f}",
    )
    numbers = "".join(f'<td class="num">{cell}</td>' for cell in cells)
    return f'<tr class="{"ours" if best else ""}"><th>{escape(set_name)}</th><td>{escape(who)}</td>{numbers}</tr>'


def _absent(peers: list[Peer]) -> str:
    missing = [f"{escape(peer.name)}: {escape(peer.why_not)}" for peer in peers if peer.why_not]
    return f'<p class="mut">未运行 not run: {"; ".join(missing)}</p>' if missing else ""


def _content(cause: Cause, outcomes: list[Outcome]) -> str:
    count = sum(outcome.cause is cause for outcome in outcomes)
    chinese, english, tone = CAUSES[cause]
    if not count:
        return ""
    return (
        f'<a class="cause {tone}" href="#{cause}"><b class="num">{count}</b><span>{chinese}</span>'
        f'<span class="mut" lang="en">{english}</span></a>'
    )


# ------------------------------------------------------------------------------------------------------------ cards


def _section(cause: Cause, cards: list[str]) -> str:
    chinese, english, _ = CAUSES[cause]
    head = f'<h2>{chinese} <span class="mut" lang="en">{english}</span> <span class="num dim">{len(cards)}</span></h2>'
    return f'<section id="{cause}">{head}<div class="cards">{"".join(cards)}</div></section>'


def _card(outcome: Outcome, peers: list[Peer], folder: Path, recogniser: Recogniser) -> str:
    case, reading = outcome.case, outcome.nearest
    image = read_picture(case.path).image_bgr
    name = f"{len(list(folder.iterdir())):05}"
    scene = _saved(folder / f"{name}_scene.jpg", _with_quads(image, outcome))
    seen = _cut(image, reading, recogniser, crop=case.crop) if reading else None
    cut = f'<img class="cut" src="{_saved(folder / f"{name}_cut.png", seen)}" alt="">' if seen is not None else ""
    label = chip(case.plate, ground_of(case.kind, case.colour), label=f"实际 {case.plate}", rows=1)
    doubts = "".join(f'<p class="s mut">{_reason(doubt)}</p>' for doubt in outcome.doubts)
    facts = f"{case.path.name} · {case.kind} · {case.source}"
    return (
        f'<article data-set="{escape(case.set_name)}">'
        f'<a href="{scene}"><img class="scene" src="{scene}" alt="" loading="lazy"></a>{cut}'
        f"<dl><dt>实际 label</dt><dd>{label}</dd>{_ours(outcome)}{_theirs(outcome, peers)}</dl>"
        f'{doubts}<p class="xs dim">{escape(facts)}</p></article>'
    )


def _reason(code: str) -> str:
    """A doubt as the guard reads it, in both languages."""
    chinese, english = REASONS[Code(code)]
    return f'{escape(chinese)} <span class="dim" lang="en">{escape(english)}</span>'


def _saved(path: Path, image: NDArray[np.uint8]) -> str:
    cv2.imwrite(str(path), image)
    return f"pictures/{path.name}"


def _with_quads(image: NDArray[np.uint8], outcome: Outcome) -> NDArray[np.uint8]:
    scale = SCENE_SIDE_PX / max(image.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = cv2.resize(image, None, fx=scale, fy=scale, interpolation=way)
    if outcome.case.crop:
        return drawn
    for reading in outcome.readings:
        corners = np.round(np.array(reading.quad) * scale).astype(np.int32)
        colour = (60, 60, 255) if reading is outcome.nearest else (200, 160, 60)
        cv2.polylines(drawn, [corners], True, colour, 2, cv2.LINE_AA)
    return drawn


def _cut(image: NDArray[np.uint8], reading: PlateReading, recogniser: Recogniser, *, crop: bool) -> NDArray[np.uint8]:
    """The plate as the recogniser saw it."""
    quad = np.array(reading.quad, np.float32)
    seen = recogniser.read(image, None if crop else quad).plate_bgr
    return cv2.resize(seen, None, fx=CUT_SCALE, fy=CUT_SCALE, interpolation=cv2.INTER_NEAREST)


def _ours(outcome: Outcome) -> str:
    reading = outcome.nearest
    if reading is None:
        return "<dt>本系统 ours</dt><dd>—</dd>"
    label = folded(outcome.case.plate)
    text = folded(reading.text)
    marked = {
        place
        for place, character in enumerate(reading.characters)
        if character.probability < SURE or label[place : place + 1] != text[place : place + 1]
    }
    name = f"本系统读作 {reading.text}"
    plate = chip(reading.text, ground_of(reading.kind, reading.colour), label=name, unsure=marked)
    figures = f"{reading.confidence:.3f} · {escape(str(reading.colour))} {reading.colour_confidence:.2f}"
    answer = f"{ANSWERS[outcome.answer]} · {outcome.ms:.0f} ms"
    return f'<dt>本系统 ours</dt><dd>{plate}<span class="num s mut">{figures} · {answer}</span></dd>'


def _theirs(outcome: Outcome, peers: list[Peer]) -> str:
    rows = []
    for peer in peers:
        if peer.key in outcome.peers:
            texts = outcome.peers[peer.key].texts
            right = holds(texts, outcome.case.plate)
            mark = f'<b class="{"c-admit" if right else "c-refuse"}">{"✓" if right else "✗"}</b>'
            read = escape(" ".join(text for text in texts if text)) or "—"
            rows.append(
                f'<dt class="s">{escape(peer.key)}</dt><dd class="s">{mark} <span lang="zh-CN">{read}</span></dd>'
            )
    return "".join(rows)
