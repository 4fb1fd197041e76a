"""A reader in a process of its own: owns what is said over its socket, and the process itself.

`python -m vision.reader_process SOCKET MEMORY` is started by the gateway with a connected socket and a piece of
shared memory. The pixels of a picture lie in the memory, so that megabytes do not go through the gateway's loop;
requests and answers go over the socket, each with its length before it. Whatever happens in here, a crash of a
decoder or a network that never ends, the gateway's own process lives on.
"""

from __future__ import annotations

import ctypes
import mmap
import signal
import socket
import struct
import sys
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from control.domain.errors import IslandError
from vision.abilities import sees_vehicles
from vision.reader import BgrImage, FrameReading, PlateReader
from vision.runtime import check_models, run_on

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
FIRST_LOOK_SHAPE = (480, 640, 3)
LENGTH = struct.Struct("<I")
_PR_SET_PDEATHSIG = 1


class Begin(msgspec.Struct, frozen=True, tag=True):
    """First of all: which models, on what."""

    models_dir: str | None
    providers: tuple[str, ...]
    threads: int
    heads_dir: str | None = None


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Read what lies in the memory, uint8 BGR. Vehicles are looked for when asked for, if there are models for it."""

    height: int
    width: int
    vehicles: bool = False


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The models are loaded: the checksum of each."""

    models: dict[str, str]


class Answer(msgspec.Struct, frozen=True, tag=True):
    """What the picture holds."""

    reading: FrameReading


class Refusal(msgspec.Struct, frozen=True, tag=True):
    """The models cannot be used (`ours` false), or our own code failed on a picture, with its traceback."""

    why: str
    ours: bool


Request = Begin | Ask
Response = Ready | Answer | Refusal


def encode(message: Request | Response) -> bytes:
    """With its length before it."""
    body = msgspec.msgpack.encode(message, enc_hook=_plain)
    return LENGTH.pack(len(body)) + body


def decode_response(body: bytes) -> Response:
    """Raises msgspec.MsgspecError for anything else."""
    response: Response = msgspec.msgpack.decode(body, type=Response)
    return response


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value).__name__} cannot be told to another process")


# -------------------------------------------------------------------------------------------------- inside the process


def main(arguments: list[str]) -> int:
    """Serve until the socket closes."""
    _die_with_the_gateway()
    # The gateway alone is told to stop; it then closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(arguments[0])) as gateway:
        return _serve(gateway, _Pixels(int(arguments[1])))


def _die_with_the_gateway() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Eyes(NamedTuple):
    """A reader, and whether it has models for vehicles."""

    reader: PlateReader
    sees_vehicles: bool


class _Pixels:
    """The shared memory, which the gateway makes larger when a larger picture comes."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._map: mmap.mmap | None = None

    def image(self, ask: Ask) -> BgrImage:
        """The picture, not copied and not to be written to; the gateway leaves it alone until we have answered."""
        size = ask.height * ask.width * 3
        if self._map is None or len(self._map) < size:
            self._map = mmap.mmap(self._memory, 0, prot=mmap.PROT_READ)
        return np.frombuffer(self._map, np.uint8, size).reshape(ask.height, ask.width, 3)


def _serve(gateway: socket.socket, pixels: _Pixels) -> int:
    eyes: _Eyes | None = None
    while (body := _receive(gateway)) is not None:
        match msgspec.msgpack.decode(body, type=Request):
            case Begin() as begin:
                eyes, response = _begin(begin)
            case Ask() as ask:
                assert eyes is not None, "the gateway begins before it asks"
                response = _read(eyes, pixels.image(ask), vehicles=ask.vehicles)
        gateway.sendall(encode(response))
        if eyes is None:
            return 1
    return 0


def _begin(begin: Begin) -> tuple[_Eyes | None, Response]:
    models_dir = Path(begin.models_dir) if begin.models_dir else None
    heads_dir = Path(begin.heads_dir) if begin.heads_dir else None
    try:
        run_on(begin.providers, threads=begin.threads)
        models = check_models(models_dir)
        eyes = _Eyes(PlateReader(models_dir, heads_dir=heads_dir), sees_vehicles(models_dir))
        # The first picture of a network takes longest, and opens the models that are opened late.
        eyes.reader.read(np.zeros(FIRST_LOOK_SHAPE, np.uint8), vehicles=eyes.sees_vehicles)
    except IslandError as error:
        return None, Refusal(str(error), ours=False)
    return eyes, Ready(models)


def _read(eyes: _Eyes, image: BgrImage, *, vehicles: bool) -> Response:
    try:
        return Answer(eyes.reader.read(image, vehicles=vehicles and eyes.sees_vehicles))
    except Exception:  # noqa: BLE001 the outermost loop of this process: the gateway logs and counts it
        return Refusal(traceback.format_exc(), ours=True)


def _receive(gateway: socket.socket) -> bytes | None:
    head = _exactly(gateway, LENGTH.size)
    return None if head is None else _exactly(gateway, LENGTH.unpack(head)[0])


def _exactly(gateway: socket.socket, size: int) -> bytes | None:
    """None where the gateway has hung up."""
    parts = bytearray()
    while len(parts) < size:
        try:
            part = gateway.recv(size - len(parts))
        except ConnectionError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
