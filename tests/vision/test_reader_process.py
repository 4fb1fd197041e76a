"""What goes between gateway and reader process comes out as it went in."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, VehicleReading
from control.domain.vehicles import VehicleType
from vision.reader import FrameReading
from vision.reader_process import LENGTH, Answer, Ask, Begin, Ready, Refusal, decode_response, encode

QUAD = ((1.5, 2.0), (9.0, 2.0), (9.0, 5.0), (1.0, 5.0))
PLATE = PlateReading(
    (CharacterReading("琼", 0.9, (("京", 0.05), ("沪", 0.01))), CharacterReading("A", 1.0)),
    PlateColour.YELLOW_GREEN,
    0.97,
    0.9,
    QUAD,
    rows=2,
)
VEHICLE = VehicleReading(VehicleType.GOLF_CART, 0.8, (0.0, 1.0, 2.0, 3.0), ((VehicleType.CAR, 0.1),))


@pytest.mark.parametrize(
    "message",
    [
        Ready({"plate_detector": "ab"}),
        Refusal("why", ours=True),
        Answer(FrameReading((), None, 1.5)),
        Answer(FrameReading((PLATE, PLATE), (), 0.0)),
        Answer(FrameReading((PLATE,), (VEHICLE, VEHICLE), 12.0)),
    ],
)
def test_responses_come_out_as_they_went_in(message: object) -> None:
    data = encode(message)
    assert LENGTH.unpack(data[: LENGTH.size])[0] == len(data) - LENGTH.size
    assert decode_response(data[LENGTH.size :]) == message


def test_numbers_of_numpy_become_plain_ones() -> None:
    plate = PlateReading(
        (CharacterReading("A", np.float32(0.5)),), PlateColour.BLUE, np.float64(0.5), np.float32(0.25), QUAD
    )
    decoded = decode_response(encode(Answer(FrameReading((plate,), None, np.float64(2.0))))[LENGTH.size :])
    assert isinstance(decoded, Answer)
    assert type(decoded.reading.plates[0].confidence) is float
    assert decoded.reading.plates[0].characters[0].probability == 0.5


def test_what_is_no_response_is_refused() -> None:
    for message in (Begin(None, (), 1), Ask(1, 2)):
        with pytest.raises(msgspec.MsgspecError):
            decode_response(encode(message)[LENGTH.size :])
    with pytest.raises(msgspec.MsgspecError):
        decode_response(b"\xff")


def test_what_cannot_be_told_says_so() -> None:
    with pytest.raises(NotImplementedError, match="ndarray"):
        encode(Answer(FrameReading((np.zeros(3),), None, 1.0)))
