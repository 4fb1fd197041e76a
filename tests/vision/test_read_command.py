"""The command as people and programs use it: lines, exit status, folders, videos, tables, drawings."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from control.domain.plates import EnergyClass, PlateColour, PlateKind, Verdict
from control.domain.readings import CharacterReading, PlateReading, VehicleReading
from control.domain.vehicles import VehicleType
from vision import pictures, read_command, read_pool, read_progress
from vision.read_output import Result, as_json
from vision.reader import FrameReading
from vision.render.plates import render_plate
from vision.render.scenes import paste_plate
from vision.render.weather import noise

ROOT = Path(read_command.__file__).parents[1]
TEXT = "琼CD12345"


def green(confidence: float = 0.991) -> PlateReading:
    characters = tuple(CharacterReading(char, confidence ** (1 / 8)) for char in TEXT)
    quad = ((10.0, 20.0), (110.04, 22.0), (110.0, 50.0), (10.0, 48.0))
    return PlateReading(characters, PlateColour.GREEN, 0.99, confidence, quad)


class GreenReader:
    """Sees one green plate in every picture that is not black."""

    def __init__(self, models_dir: Path | None = None) -> None:
        self.crops: list[bool] = []

    def read(self, image_bgr: np.ndarray, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
        self.crops.append(crop)
        return FrameReading((green(),) if image_bgr.mean() > 10 else (), None, 21.44)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> GreenReader:
    reader = GreenReader()
    monkeypatch.setattr(read_command, "PlateReader", lambda models: reader)
    return reader


def picture(path: Path, level: int = 120) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (300, 200), (level, level, level)).save(path)
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = read_command.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


# --------------------------------------------------------------------------------------------------------------- JSON


def test_a_line_has_the_contract_s_shape(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = picture(tmp_path / "a.jpg")
    status, out, err = run(capsys, path, "--json")
    assert (status, err) == (0, "")
    assert lines(out) == [
        {
            "file": str(path),
            "ms": 21.4,
            "plates": [
                {
                    "text": TEXT,
                    "kind": "nev_small",
                    "colour": "green",
                    "energy": "battery_electric",
                    "verdict": "new_energy",
                    "confidence": 0.991,
                    "quad": [[10.0, 20.0], [110.0, 22.0], [110.0, 50.0], [10.0, 48.0]],
                }
            ],
            "vehicles": [],
            "error": None,
        }
    ]
    assert list(lines(out)[0]) == ["file", "ms", "plates", "vehicles", "error"]


def test_vehicles_have_the_contract_s_shape() -> None:
    vehicle = VehicleReading(VehicleType.CAR, 0.93, (0, 0, 300, 200))
    answer = as_json(Result("a.jpg", 1.0, vehicles=(vehicle,)))
    assert answer["vehicles"] == [{"type": "car", "confidence": 0.93, "box": [0, 0, 300, 200]}]


class CarReader(GreenReader):
    """Sees a car around the plate, when it is asked to look for vehicles."""

    def read(self, image_bgr: np.ndarray, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
        seen = super().read(image_bgr, crop=crop)
        car = VehicleReading(VehicleType.CAR, 0.934, (0.0, 5.04, 200.0, 100.0))
        return replace(seen, vehicles=(car,) if vehicles else None)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [([], True), (["--plates-only"], False), (["--crops"], False), (["--models", "plates"], False)],
)
def test_vehicles_are_looked_for_where_it_makes_sense(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    found: bool,
) -> None:
    monkeypatch.setattr(read_command, "PlateReader", lambda models: CarReader())
    monkeypatch.setattr(read_command, "sees_vehicles", lambda models: models is None)
    path = picture(tmp_path / "a.png")
    status, out, _ = run(capsys, path, "--json", *arguments)
    car = {"type": "car", "confidence": 0.934, "box": [0.0, 5.0, 200.0, 100.0]}
    assert (status, lines(out)[0]["vehicles"]) == (0, [car] if found else [])
    _, out, _ = run(capsys, path, *arguments)
    assert ("车辆 vehicles: 轿车 car 93%" in out) is found


def test_boxes_are_those_of_the_original(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(read_command, "PlateReader", lambda models: CarReader())
    monkeypatch.setattr(read_command, "sees_vehicles", lambda models: True)
    path = tmp_path / "large.png"
    Image.new("RGB", (6000, 4000), "white").save(path, compress_level=1)
    _, out, _ = run(capsys, path, "--json", "--draw", tmp_path / "out", "--csv", tmp_path / "t.csv")
    assert lines(out)[0]["vehicles"][0]["box"] == [0.0, 10.1, 400.0, 200.0]
    assert "car" in (tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    drawn = np.asarray(Image.open(tmp_path / "out" / "large.png.jpg"))
    assert drawn[50:90, 196:205].min() < 200, "the vehicle's right edge"


def test_bad_files_are_told_and_the_others_read(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    letter = tmp_path / "letter.jpg"
    letter.write_text("no picture")
    good = picture(tmp_path / "good.png")
    status, out, _ = run(capsys, empty, tmp_path / "none.jpg", letter, good, "--json")
    first, second, third, fourth = lines(out)
    assert status == 1
    assert [line["plates"] for line in (first, second, third)] == [[], [], []]
    assert "empty" in first["error"]
    assert "no such file" in second["error"]
    assert "not a picture" in third["error"]
    assert (fourth["error"], fourth["plates"][0]["text"]) == (None, TEXT)


def test_corners_are_those_of_the_original(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (6000, 4000), "white").save(path, compress_level=1)
    _, out, _ = run(capsys, path, "--json")
    assert lines(out)[0]["plates"][0]["quad"][0] == [20.0, 40.0]


def test_folders_are_read_through_in_order_of_name(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b/2.jpg", "a/车牌.png", "b/1.JPG"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("left alone")
    status, out, _ = run(capsys, tmp_path, "--json")
    assert status == 0
    names = [str(Path(line["file"]).relative_to(tmp_path)) for line in lines(out)]
    assert names == ["a/车牌.png", "b/1.JPG", "b/2.jpg"]


def test_an_empty_folder_is_an_error(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, tmp_path, "--json")
    assert status == 1
    assert "no picture" in lines(out)[0]["error"]
    assert "1 of 1 could not be read" in err


def test_file_names_that_are_no_text_do_no_harm(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(tmp_path / "a.png").rename(tmp_path / "bad\udcff.png")
    status, out, _ = run(capsys, path, "--json", "--csv", tmp_path / "t.csv")
    assert status == 0
    assert lines(out)[0]["file"].endswith("bad\udcff.png")


def test_crops_are_one_plate_each(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, picture(tmp_path / "a.png"), "--json", "--crops")
    run(capsys, picture(tmp_path / "a.png"), "--json")
    assert fake.crops == [True, False]


# -------------------------------------------------------------------------------------------------------------- video


def write_video(path: Path, levels: list[int]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for level in levels:
        writer.write(np.full((240, 320, 3), level, np.uint8))
    writer.release()
    return path


def test_a_video_gives_a_line_for_each_plate_that_came_by(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = write_video(tmp_path / "twice.avi", [0] * 25 + [120] * 25 + [0] * 100 + [120] * 25)
    none = write_video(tmp_path / "none.avi", [0] * 10)
    status, out, _ = run(capsys, twice, none, "--json")
    first, second, third = lines(out)
    assert status == 0
    assert (first["frame"], first["at_s"]) == (25, 1.0)
    assert (second["frame"], second["at_s"]) == (150, 6.0)
    assert first["plates"][0]["text"] == second["plates"][0]["text"] == TEXT
    assert (third["plates"], third["error"]) == ([], None)
    assert "frame" not in third


def test_a_bad_video_is_told(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    status, out, _ = run(capsys, tmp_path / "a.mp4", "--json")
    assert status == 1
    assert "not a video" in lines(out)[0]["error"]


# -------------------------------------------------------------------------------------------------- table, CSV, drawing


def test_the_table_speaks_two_languages_and_is_plain_in_a_pipe(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(
        capsys, picture(tmp_path / "a.png"), picture(tmp_path / "b.png", level=0), tmp_path / "none.png"
    )
    assert status == 1
    with_plate, without, failed = out.splitlines()
    for word in (TEXT, "小型新能源", "small NEV", "绿 green", "新能源 new energy", "99%"):
        assert word in with_plate
    assert "无车牌 no plate" in without
    assert "no such file" in failed
    assert "\033" not in out


def test_every_value_of_the_vocabulary_has_words() -> None:
    from vision import read_output

    assert set(read_output.KIND_WORDS) == set(PlateKind)
    assert set(read_output.TYPE_WORDS) == set(VehicleType)
    assert set(read_output.COLOUR_WORDS) == set(PlateColour)
    assert set(read_output.VERDICT_WORDS) == set(read_output.VERDICT_PAINT) == set(Verdict)


def test_csv_has_a_row_a_plate(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "out.csv"
    run(capsys, picture(tmp_path / "a.png"), tmp_path / "none.png", "--json", "--csv", table)
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    with table.open(encoding="utf-8-sig", newline="") as stream:
        first, second = csv.DictReader(stream)
    assert (first["text"], first["energy"], first["error"]) == (TEXT, EnergyClass.BATTERY_ELECTRIC, "")
    assert (second["text"], second["error"]) == ("", "There is no such file.")


def test_drawn_pictures_show_the_plate(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "in" / "sub" / "a.png")
    write_video(tmp_path / "in" / "b.avi", [120] * 10)
    status, _, _ = run(capsys, tmp_path / "in", "--json", "--draw", tmp_path / "out")
    assert status == 0
    drawn = np.asarray(Image.open(tmp_path / "out" / "sub" / "a.png.jpg"))
    assert drawn.shape == (200, 300, 3)
    assert drawn.std() > 5
    assert (tmp_path / "out" / "b.avi.0.jpg").exists()


def test_an_output_that_cannot_be_written_is_said_before_anything_is_read(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, picture(tmp_path / "a.png"), "--json", "--csv", tmp_path / "no" / "t.csv")
    assert (status, out) == (1, "")
    assert "cannot be written" in err
    status, out, err = run(capsys, tmp_path / "a.png", "--json", "--draw", tmp_path / "a.png")
    assert (status, out) == (1, "")


# ------------------------------------------------------------------------------------------------------------ the ends


def test_wrong_usage_is_two(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--nonsense", "a.jpg"]):
        with pytest.raises(SystemExit) as caught:
            read_command.main(arguments)
        assert caught.value.code == 2


def test_an_interrupt_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(GreenReader):
        def read(self, image_bgr: np.ndarray, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
            raise KeyboardInterrupt

    monkeypatch.setattr(read_command, "PlateReader", Interrupted)
    status, out, err = run(capsys, picture(tmp_path / "a.png"), "--json")
    assert (status, out, err) == (130, "", "Interrupted.\n")


def command(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vision.read_command", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,
    )


def scene(path: Path) -> Path:
    rng = np.random.default_rng(4)
    ground = np.broadcast_to(np.linspace(150, 60, 480)[:, None, None], (480, 640, 3)).astype(np.uint8)
    quad = np.array([[200, 300], [392, 304], [391, 361], [201, 357]], np.float32)
    plate = render_plate(TEXT, PlateKind.NEV_SMALL, rng=rng)
    cv2.imencode(".png", noise(paste_plate(ground, plate, quad), rng, sigma=4))[1].tofile(path)
    return path


def test_the_whole_program_on_a_good_and_a_bad_file(tmp_path: Path) -> None:
    good = scene(tmp_path / "好.png")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    (tmp_path / "broken.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    process = command(good, broken, tmp_path / "broken.mp4", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err == "read: 2 of 3 could not be read.\n"
    first, second, third = lines(out)
    assert (first["plates"][0]["text"], first["plates"][0]["verdict"]) == (TEXT, "new_energy")
    assert second["error"]
    assert third["error"]


def test_each_line_is_out_before_the_next_picture_and_ctrl_c_ends_the_rest(tmp_path: Path) -> None:
    scene(tmp_path / "000.png")
    for number in range(1, 400):
        (tmp_path / f"{number:03}.png").hardlink_to(tmp_path / "000.png")
    process = command(tmp_path, "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["file"].endswith("000.png")
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert len(rest.splitlines()) < 399
    assert err.startswith("Interrupted after ")


def test_a_reader_that_leaves_does_no_harm(tmp_path: Path) -> None:
    scene(tmp_path / "000.png")
    for number in range(1, 40):
        (tmp_path / f"{number:03}.png").hardlink_to(tmp_path / "000.png")
    process = command(tmp_path, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=120) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


# ------------------------------------------------------------------------------------------- many files, many workers


class PacedReader(GreenReader):
    """Takes longer over dark pictures than over light ones, so that readers overtake each other."""

    def read(self, image_bgr: np.ndarray, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
        time.sleep((255 - float(image_bgr.mean())) / 10_000)
        return super().read(image_bgr, crop=crop, vehicles=vehicles)


def thirty(folder: Path) -> Path:
    for number in range(30):
        picture(folder / f"{number:02}.png", level=20 + (number * 67) % 230)
    (folder / "11.png").write_bytes(b"")
    return folder


def files_in(path: Path) -> list[str]:
    return [Path(line["file"]).name for line in lines(path.read_text(encoding="utf-8"))]


def test_several_workers_keep_the_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[PacedReader] = []
    monkeypatch.setattr(read_command, "PlateReader", lambda models: made.append(PacedReader()) or made[-1])
    status, out, err = run(capsys, thirty(tmp_path / "in"), "--json", "--workers", 4, "--csv", tmp_path / "t.csv")
    assert status == 1
    assert "1 of 30 could not be read" in err
    names = [Path(line["file"]).name for line in lines(out)]
    assert names == sorted(names)
    assert len(names) == 30
    assert len(made) == 4
    assert min(len(reader.crops) for reader in made) >= 2
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [Path(row["file"]).name for row in csv.DictReader(stream)] == names


def test_files_are_handed_out_a_few_ahead_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handed: list[Path] = []
    written: list[int] = []
    real = pictures.read_picture

    def counted(path: Path) -> pictures.Picture:
        handed.append(path)
        written.append(len((tmp_path / "o.jsonl").read_bytes().splitlines()))
        return real(path)

    monkeypatch.setattr(read_command, "PlateReader", lambda models: GreenReader())
    monkeypatch.setattr(pictures, "read_picture", counted)
    run(capsys, thirty(tmp_path / "in"), "--out", tmp_path / "o.jsonl", "--workers", 2)
    ahead = [number - lines_out for number, lines_out in enumerate(written)]
    assert max(ahead) <= 2 * read_pool.AHEAD_PER_WORKER + 2


def test_a_reader_s_own_failure_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(GreenReader):
        def read(self, image_bgr: np.ndarray, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
            raise ZeroDivisionError("our bug")

    monkeypatch.setattr(read_command, "PlateReader", lambda models: Broken())
    with pytest.raises(ZeroDivisionError, match="our bug"):
        run(capsys, thirty(tmp_path / "in"), "--json", "--workers", 3)


@pytest.mark.parametrize("cut", ["whole line", "torn line", "nothing written"])
def test_an_interrupted_run_is_continued_with_nothing_twice_and_nothing_missing(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str], cut: str
) -> None:
    folder, out, table = thirty(tmp_path / "in"), tmp_path / "o.jsonl", tmp_path / "t.csv"
    run(capsys, folder, "--out", out, "--csv", table)
    whole, whole_table = out.read_bytes(), table.read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    kept = {"whole line": ends[16] + 1, "torn line": ends[16] + 40, "nothing written": 0}[cut]
    out.write_bytes(whole[:kept])
    table.write_bytes(whole_table[: kept // 3])
    read_before = len(fake.crops)
    status, stdout, err = run(capsys, folder, "--out", out, "--csv", table, "--resume")
    assert (status, stdout) == (1, "")
    assert "1 of 30 could not be read" in err
    assert files_in(out) == sorted(files_in(out))
    assert len(files_in(out)) == 30
    assert table.read_text("utf-8-sig").count("\n") == whole_table.decode("utf-8-sig").count("\n")
    assert len(fake.crops) - read_before == (29 if cut == "nothing written" else 13)


def test_what_is_done_is_not_read_again(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = thirty(tmp_path / "in"), tmp_path / "o.jsonl"
    run(capsys, folder, "--out", out)
    before = out.read_bytes()
    count = len(fake.crops)
    status, _, err = run(capsys, folder, "--out", out, "--resume", "--progress")
    assert (status, out.read_bytes(), len(fake.crops)) == (1, before, count)
    assert "30 of 30 files, 100%" in err


def test_a_video_that_comes_last_is_read_again_whole(
    fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.jsonl"
    picture(tmp_path / "in" / "a.png")
    write_video(tmp_path / "in" / "b.avi", [120] * 10 + [0] * 100 + [120] * 10)
    picture(tmp_path / "in" / "c.png")
    run(capsys, tmp_path / "in", "--out", out)
    whole = out.read_bytes()
    assert files_in(out) == ["a.png", "b.avi", "b.avi", "c.png"]
    for kept in (2, 3):
        out.write_bytes(b"".join(whole.splitlines(keepends=True)[:kept]))
        assert run(capsys, tmp_path / "in", "--out", out, "--resume")[0] == 0
        assert out.read_bytes() == whole


def test_an_earlier_output_is_never_lost(fake: GreenReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "o.jsonl"
    out.write_text("a letter\n")
    for arguments in ([], ["--resume"]):
        status, _, err = run(capsys, picture(tmp_path / "a.png"), "--out", out, *arguments)
        assert status == 1
        assert ("is there already" in err) or ("no line of this command at line 1" in err)
        assert out.read_text() == "a letter\n"
    with pytest.raises(SystemExit):
        read_command.main(["a.png", "--resume"])


def test_progress_is_told_in_lines_where_there_is_no_terminal(
    fake: GreenReader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(read_progress, "LINE_EVERY_S", 0.0)
    _, _, err = run(capsys, thirty(tmp_path / "in"), "--json", "--progress")
    told = [line for line in err.splitlines() if line.startswith("read: ") and " files, " in line]
    assert len(told) == 30
    assert told[14].startswith("read: 15 of 30 files, 50%, ")
    assert told[-1].endswith("about 0 s left")


def test_ctrl_c_leaves_a_file_that_can_be_continued(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "o.jsonl"
    scene_at = folder / "000.png"
    folder.mkdir()
    scene(scene_at)
    for number in range(1, 60):
        (folder / f"{number:03}.png").hardlink_to(scene_at)
    process = command(folder, "--out", out, "--workers", 2)
    while not (out.exists() and out.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    done = out.read_bytes()
    assert process.returncode == 130
    assert done.endswith(b"\n")
    count = len(files_in(out))
    assert f"Interrupted after {count} of 60." in err
    assert "--resume" in err
    process = command(folder, "--out", out, "--resume")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert out.read_bytes().startswith(done)
    assert files_in(out) == [f"{number:03}.png" for number in range(60)]


def test_a_provider_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, picture(tmp_path / "a.png"), "--provider", "abacus")
    assert status == 1
    assert "'abacus' is not available" in err
    assert "cpu" in err
