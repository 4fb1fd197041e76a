"""The gateway's end of a reader process: owns its life, the pictures on their way to it, and the limit on waiting.

One picture at a time. A process that dies or takes longer than the limit is ended, and says so by its error;
starting another is `edge.kept_reader`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from control.domain.errors import ConfigurationError, IslandError
from edge.ports import FrameReading, Picture
from vision import reader_process as child

START_LIMIT_S = 60.0
END_LIMIT_S = 2.0


class ReaderFailedError(IslandError):
    """Our own code failed on one picture; the process goes on."""


class ReaderLostError(IslandError):
    """The process died (`reader_died`), hung (`reader_stuck`) or is not there (`reader_down`): `why` says which."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """What a reader is started with. `models_dir` None means the models that came with the program.

    `heads_dir` holds the heads that the vehicle classifier learnt on this site.
    """

    models_dir: Path | None = None
    providers: tuple[str, ...] = ()
    threads: int = 1
    picture_s_max: float = 5.0
    heads_dir: Path | None = None


class ReaderProcess:
    """A reader that is ready. Make one with `start`, end it with `aclose`."""

    def __init__(
        self,
        settings: ReaderSettings,
        process: asyncio.subprocess.Process,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        memory: int,
    ) -> None:
        self._settings, self._process, self._memory = settings, process, memory
        self._answers, self._requests = streams
        self._map: mmap.mmap | None = None
        self.models: dict[str, str] = {}

    @classmethod
    async def start(cls, settings: ReaderSettings) -> ReaderProcess:
        """Raises ConfigurationError when the models cannot be used, ReaderLostError when the process ends by itself."""
        memory = os.memfd_create("picture")
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = (str(theirs.fileno()), str(memory))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", child.__name__, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), memory),
                cwd=Path(child.__file__).parents[1],
            )
        reader = cls(settings, process, await asyncio.open_connection(sock=ours), memory)
        try:
            await reader._begin()
        except BaseException:
            await reader.aclose()
            raise
        return reader

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def _begin(self) -> None:
        settings = self._settings
        models_dir = str(settings.models_dir) if settings.models_dir else None
        heads_dir = str(settings.heads_dir) if settings.heads_dir else None
        begin = child.Begin(models_dir, settings.providers, settings.threads, heads_dir)
        match await self._ask(begin, limit_s=START_LIMIT_S):
            case child.Ready(models):
                self.models = models
            case child.Refusal(why):
                raise ConfigurationError(why)

    async def read(self, image: Picture, *, vehicles: bool = False) -> FrameReading:
        """Raises ReaderFailedError or ReaderLostError; after the latter this process is gone."""
        height, width = image.shape[:2]
        self._put(image)
        response = await self._ask(child.Ask(height, width, vehicles), limit_s=self._settings.picture_s_max)
        if isinstance(response, child.Answer):
            return response.reading
        why = response.why if isinstance(response, child.Refusal) else f"it said {type(response).__name__}"
        raise ReaderFailedError(why)

    def _put(self, image: Picture) -> None:
        if self._map is None or len(self._map) < image.nbytes:
            os.ftruncate(self._memory, image.nbytes)
            self._map = mmap.mmap(self._memory, image.nbytes)
        np.frombuffer(self._map, np.uint8, image.nbytes).reshape(image.shape)[...] = image

    async def _ask(self, request: child.Request, *, limit_s: float) -> child.Response:
        try:
            async with asyncio.timeout(limit_s):
                return await self._exchange(request)
        except TimeoutError as error:
            await self.aclose()
            raise ReaderLostError("reader_stuck", f"no answer within {limit_s:g} s") from error
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            code = await self._ended()
            raise ReaderLostError("reader_died", f"{_how(code)} ({type(error).__name__})") from error

    async def _exchange(self, request: child.Request) -> child.Response:
        self._requests.write(child.encode(request))
        await self._requests.drain()
        (size,) = child.LENGTH.unpack(await self._answers.readexactly(child.LENGTH.size))
        if size > child.MESSAGE_BYTES_MAX:
            raise EOFError(f"an answer of {size} bytes")
        return child.decode_response(await self._answers.readexactly(size))

    async def _ended(self) -> int | None:
        """Its own exit status; a process that closed its socket without ending is ended."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), END_LIMIT_S)
        await self.aclose()
        return self._process.returncode

    async def aclose(self) -> None:
        """End the process at once: it holds nothing that could be lost. More than once does no harm."""
        self._requests.close()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
