"""Frames of real video files, and one arrival for each plate that came by."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading
from vision.pictures import PictureError
from vision.video import VideoFrame, arrivals, sampled_frames, silence_decoders

FPS = 25


def write_video(path: Path, frames: int = 50, size: tuple[int, int] = (64, 48)) -> Path:
    """A video whose brightness tells the number of the frame: 4 grey levels a frame."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, size)
    assert writer.isOpened()
    for index in range(frames):
        writer.write(np.full((size[1], size[0], 3), index * 4, np.uint8))
    writer.release()
    return path


def test_frames_are_sampled_by_time(tmp_path: Path) -> None:
    frames = list(sampled_frames(write_video(tmp_path / "车.avi"), every_s=0.2))
    assert [frame.index for frame in frames] == list(range(0, 50, 5))
    assert [frame.at_s for frame in frames] == pytest.approx([0.2 * i for i in range(10)])
    for frame in frames:
        assert frame.image_bgr.shape == (48, 64, 3)
        assert abs(float(frame.image_bgr.mean()) - frame.index * 4) < 4


def test_a_video_of_one_frame_has_one(tmp_path: Path) -> None:
    assert len(list(sampled_frames(write_video(tmp_path / "a.avi", frames=1)))) == 1


def test_a_video_that_was_cut_short_gives_what_is_left(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.avi", size=(320, 240)).read_bytes()
    (tmp_path / "b.avi").write_bytes(whole[: len(whole) * 6 // 10])
    silence_decoders()
    assert 2 <= len(list(sampled_frames(tmp_path / "b.avi"))) < 10


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"no video at all" * 99, "not a video"),
        (b"RIFF\x00\x00\x00\x00AVI ", "video"),
    ],
)
def test_what_is_no_video_is_said(
    tmp_path: Path, content: bytes | None, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    silence_decoders()
    path = tmp_path / "a.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PictureError, match=words):
        list(sampled_frames(path))
    assert capfd.readouterr() == ("", "")


# ----------------------------------------------------------------------------------------------------------- arrivals


def seen(text: str, confidence: float = 0.9, x: float = 10) -> PlateReading:
    probability = confidence ** (1 / len(text))
    characters = tuple(CharacterReading(char, probability) for char in text)
    quad = ((x, 10), (x + 80, 10), (x + 80, 35), (x, 35))
    return PlateReading(characters, PlateColour.BLUE, 0.9, confidence, quad)


def film(*frames: tuple[float, list[PlateReading]]):
    for index, (at_s, readings) in enumerate(frames):
        yield VideoFrame(index, at_s, np.full((4, 4, 3), index, np.uint8)), tuple(readings)


def test_a_plate_seen_in_many_frames_is_one_arrival_with_its_best_frame() -> None:
    (arrival,) = arrivals(
        film(
            (0.0, [seen("琼C12345", 0.5, x=10)]),
            (0.2, [seen("琼C12345", 0.97, x=20)]),
            (0.4, [seen("琼C12346", 0.4, x=30)]),
        )
    )
    assert (arrival.reading.text, arrival.reading.frames) == ("琼C12345", 3)
    assert (arrival.best.frame.index, arrival.best.frame.at_s) == (1, 0.2)
    assert arrival.reading.quad[0] == (20, 10)
    assert (arrival.first_at_s, arrival.last_at_s) == (0.0, 0.4)


def test_two_plates_are_two_arrivals_and_are_told_as_they_go() -> None:
    told = arrivals(
        film(
            (0.0, [seen("琼C12345"), seen("琼A98765", x=400)]),
            (0.2, [seen("琼A98765", x=400)]),
            (9.0, []),
            (9.2, [seen("琼C12345")]),
        )
    )
    assert [arrival.reading.text for arrival in told] == ["琼C12345", "琼A98765", "琼C12345"]


def test_nothing_seen_is_no_arrival() -> None:
    assert list(arrivals(film((0.0, []), (0.2, [])))) == []
