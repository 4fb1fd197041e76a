"""The reading benchmark in its smallest size, without and with a stand-in for a peer, and its page of failures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import _read_peers, read
from benchmarks._read_answers import Cause, Outcome, PeerAnswer, holds, same_ground, text_says_new_energy
from benchmarks._read_cases import Case, boxed_cases, labelled_cases, rendered_cases
from control.domain.plates import PlateColour, PlateKind
from control.domain.readings import CharacterReading, PlateReading
from vision.reader import PlateReader
from vision.training.answers import GateAnswer

BLUE, GREEN, YELLOW = PlateColour.BLUE, PlateColour.GREEN, PlateColour.YELLOW
QUAD = ((0.0, 0.0), (90.0, 0.0), (90.0, 30.0), (0.0, 30.0))


def report_of(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def labelled(folder: Path, rows: list[tuple[str, ...]], columns: tuple[str, ...] = ("file", "plate", "colour")) -> Path:
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *rows])
    return folder


def outcome(
    plate: str, colour: PlateColour, *texts: str, read_as: PlateColour | None = None, **more: object
) -> Outcome:
    case = Case(Path("x.jpg"), plate, colour, "set", two_rows=bool(more.get("two_rows")))
    answer = more.get("answer", GateAnswer.REFUSE)
    return Outcome(case, tuple(reading(text, read_as or colour) for text in texts), 1.0, 1.0, answer, ())


def reading(text: str, colour: PlateColour) -> PlateReading:
    return PlateReading(tuple(CharacterReading(char, 0.99) for char in text), colour, 0.9, 0.95, QUAD)


# ------------------------------------------------------------------------------------------------------------- runs


def test_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert read.main(["--json", "--no-peer", "--pictures", "3"]) == 0
    report = report_of(capsys)
    ours = report["sets"]["rendered"]["ours"]
    assert (report["pictures"], ours["of"], report["ratio_ms"], report["peers"]) == (3, 3, None, [])
    assert ours["ms_median"] > 0
    assert sum(ours["gate"].values()) == 3
    assert report["models"]["total"] == sum(size for name, size in report["models"].items() if name != "total") > 0


def test_a_peer_that_is_not_there_is_named_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    read.main(["--json", "--pictures", "1", "--peers", "agentclpr,rapidocr", "--peer-python", "/nowhere/python"])
    peers = {peer["name"]: peer for peer in report_of(capsys)["peers"]}
    assert peers.keys() == {"agentclpr", "rapidocr"}
    assert not peers["rapidocr"]["runs"]
    assert "no interpreter" in peers["rapidocr"]["why_not"]


def test_a_peer_without_its_package_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    read.main(["--json", "--pictures", "1"])
    peers = report_of(capsys)["peers"]
    assert [peer["name"] for peer in peers] == list(_read_peers.PEERS)
    assert all("not usable" in peer["why_not"] for peer in peers)


STAND_IN = """
import json, sys
print(json.dumps({"name": "agentclpr 1.0", "model_bytes": 7, "scenes": %s}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    print(json.dumps({"ms": 1e6, "cpu_ms": 1e6, "texts": ["琼AO0001", str(task["crop"])]}), flush=True)
"""


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    (folder / "peer.py").write_text(program, encoding="utf-8")
    monkeypatch.setattr(_read_peers, "script_of", lambda key: folder / "peer.py")


def test_beside_a_peer_on_labelled_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ratio compares both in one run, and O counts as 0."""
    cases = rendered_cases(tmp_path, 2)
    labelled(tmp_path, [(case.path.name, "琼A00001", "blue") for case in cases])
    stand_in(monkeypatch, tmp_path, STAND_IN % "True")
    status = read.main(["--json", "--data", str(tmp_path), "--peers", "agentclpr"])
    report = report_of(capsys)
    found = report["sets"][tmp_path.name]
    assert status == 0
    assert report["peers"] == [{"name": "agentclpr 1.0", "runs": True, "model_bytes": 7}]
    assert found["peers"]["agentclpr 1.0"]["by_colour"] == {"blue": "2/2"}
    assert found["peers"]["agentclpr 1.0"]["right_where_we_are_wrong"] == 2
    assert found["ours"]["by_colour"] == {"blue": "0/2"}
    assert 0 < report["ratio_ms"] < read.RATIO_MAX


def test_a_peer_that_finds_no_plates_gets_those_that_we_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, tmp_path, STAND_IN % "False")
    assert read.main(["--json", "--pictures", "1", "--peers", "agentclpr", "--report", str(tmp_path / "page")]) == 0
    page = Path(report_of(capsys)["page"]).read_text(encoding="utf-8")
    assert "琼AO0001 True" in page or "All is well" in page


def test_a_peer_that_dies_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, tmp_path, 'print(\'{"name": "stand-in", "model_bytes": 0, "scenes": true}\')')
    assert read.main(["--json", "--pictures", "1", "--peers", "agentclpr"]) == 2
    assert "stand-in failed" in capsys.readouterr().err


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    read.main(["--pictures", "1", "--no-peer"])
    assert "ours" in capsys.readouterr().out


def test_documents_get_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    read.main(["--pictures", "1", "--no-peer", "--table"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert len({line.count("|") for line in lines[:3]}) == len({line.count("|") for line in lines[3:]}) == 1
    assert lines[2].startswith("| this product |")


@pytest.mark.parametrize("arguments", [["--peers", "nobody"], ["--peer-python", "nobody=/bin/sh"]])
def test_an_unknown_peer_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert read.main(["--pictures", "1", *arguments]) == 2
    assert "no peer" in capsys.readouterr().err


def test_a_folder_without_labels_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read.main(["--data", str(tmp_path), "--no-peer"]) == 2
    assert "labels.csv" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------- sets


def test_crops_and_boxes_are_sets_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scene with labelled corners is cut there, one without where we found the plate; a crop is squeezed."""
    first, second = rendered_cases(tmp_path, 2)
    assert first.quad is not None
    quad = json.dumps(first.quad.tolist())
    scenes = labelled(
        tmp_path,
        [(first.path.name, first.plate, first.colour, quad), (second.path.name, second.plate, second.colour, "")],
        ("file", "plate", "colour", "quad_xy"),
    )
    crops = tmp_path / "crops"
    crops.mkdir()
    image = cv2.imread(str(first.path))
    left, top = np.floor(first.quad.min(axis=0)).astype(int)
    right, bottom = np.ceil(first.quad.max(axis=0)).astype(int)
    cv2.imwrite(str(crops / "a.png"), image[top:bottom, left:right])
    labelled(crops, [("a.png", first.plate, first.colour)])
    arguments = ["--json", "--no-peer", "--data", str(scenes), "--crops", str(crops), "--boxes", "94x24"]
    assert read.main(arguments) == 0
    sets = report_of(capsys)["sets"]
    assert sets[f"{scenes.name}, labelled boxes 94x24"]["pictures"] == 1
    assert sets["crops"]["pictures"] == sets["crops, squeezed 94x24"]["pictures"] == 1


def test_a_box_has_the_asked_size(tmp_path: Path) -> None:
    (case,) = rendered_cases(tmp_path, 1)
    (box,) = boxed_cases([case], (94, 24), tmp_path, PlateReader())
    assert cv2.imread(str(box.path)).shape == (24, 94, 3)
    assert (box.crop, box.plate) == (True, case.plate)


@pytest.mark.parametrize("size", ["94", "x24", "0x24", "94x", "axb"])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    with pytest.raises(SystemExit):
        read.main(["--boxes", size])


def test_labels_are_read_with_all_their_columns(tmp_path: Path) -> None:
    rows = [
        ("a.jpg", "皖AD04076", "green", "nev", "[[1, 2], [3, 4], [5, 6], [7, 8]]", "somebody"),
        ("b.jpg", *[""] * 5),
    ]
    folder = labelled(tmp_path, rows, ("file", "plate", "colour", "type", "quad_xy", "source"))
    (case,) = labelled_cases(folder)
    assert (case.kind, case.is_new_energy, case.source, case.two_rows) == (PlateKind.NEV_SMALL, True, "somebody", False)
    assert case.quad is not None
    assert case.quad.shape == (4, 2)


# ------------------------------------------------------------------------------------------------ causes and answers


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (outcome("琼A12345", BLUE), Cause.NO_PLATE),
        (outcome("琼A12345", YELLOW, "琼A1234S", two_rows=True), Cause.TWO_ROWS),
        (outcome("琼AD12345", GREEN, "琼AD1234"), Cause.LENGTH),
        (outcome("赣K11978", YELLOW, "鄂K11978"), Cause.PROVINCE),
        (outcome("沪AF58686", GREEN, "沪AF5868G"), Cause.CHARACTER),
        (outcome("皖AY521H", BLUE, "皖AXA21H"), Cause.CHARACTERS),
        (outcome("琼A12345", BLUE, "琼A12345", read_as=PlateColour.UNKNOWN), Cause.COLOUR),
        (outcome("WJ1693015", PlateColour.WHITE, "WJ1693015"), Cause.KIND),
        (outcome("琼A12345", BLUE, "琼A12345", answer=GateAnswer.PERSON), Cause.PERSON),
        (outcome("琼AO2345", BLUE, "琼A02345"), None),
    ],
)
def test_every_failure_has_one_cause(found: Outcome, cause: Cause | None) -> None:
    assert found.cause is cause


def test_the_reading_most_like_the_label_is_judged() -> None:
    found = outcome("赣K11978", YELLOW, "川C00000", "鄂K11978")
    assert found.nearest is found.readings[1]


def test_false_passes_and_false_refusals() -> None:
    assert outcome("琼A12345", BLUE, "琼AD12345", answer=GateAnswer.OPEN).is_false_pass
    assert outcome("琼AD12345", GREEN, "琼AD1234", answer=GateAnswer.REFUSE).is_false_refusal
    assert not outcome("琼AD12345", GREEN, "琼AD12345", answer=GateAnswer.OPEN).is_false_pass
    assert not outcome("琼A12345", BLUE, "琼A12345").is_false_refusal


def test_texts_alone() -> None:
    assert holds(("苏A·H0G66",), "苏AHOG66")
    assert text_says_new_energy(("琼AD12345",))
    assert not text_says_new_energy(("琼AD1234", ""))


def test_labels_call_farm_plates_green() -> None:
    assert same_ground(PlateColour.FARM_GREEN, GREEN)
    assert not same_ground(PlateColour.UNKNOWN, GREEN)
    assert not same_ground(GREEN, BLUE)


# ------------------------------------------------------------------------------------------------------------- page


def test_the_page_shows_every_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels that are not on the pictures make failures; the page holds them with all that was read."""
    cases = rendered_cases(tmp_path, 3)
    labelled(tmp_path, [(case.path.name, "琼Z99999", "blue") for case in cases])
    page = tmp_path / "page"
    (page / "pictures").mkdir(parents=True)
    (page / "pictures" / "old.jpg").write_bytes(b"")
    read.main(["--json", "--no-peer", "--data", str(tmp_path), "--report", str(page)])
    causes = report_of(capsys)["sets"][tmp_path.name]["ours"]["causes"]
    text = (page / "index.html").read_text(encoding="utf-8")
    assert sum(causes.values()) == text.count("<article") == 3
    assert all(f'<section id="{cause}">' in text for cause in causes)
    assert "$" not in text.replace("${", "")
    assert not (page / "pictures" / "old.jpg").exists()
    assert len(list((page / "pictures").glob("*_scene.jpg"))) == 3


def test_the_page_shows_what_a_peer_read(tmp_path: Path) -> None:
    from benchmarks import _read_report

    found = outcome("赣K11978", YELLOW, "鄂K11978")
    found.peers["agentclpr"] = PeerAnswer(("赣K11978",), 3.0, 3.0)
    assert "✓" in _read_report._theirs(found, [_read_peers.Peer("agentclpr", "agentclpr 1")])


def test_a_page_in_the_repository_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert read.main(["--report", str(Path(__file__).parent / "page")]) == 2
    assert "repository" in capsys.readouterr().err
