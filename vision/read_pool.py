"""Several readers side by side: owns handing out files to them, the order of what they give, and stopping them.

A reader is bound to one core, so there is one in each thread; the networks and the decoders let go of Python's lock
while they work. Files are handed out only a few ahead of the one whose results are due, so that memory does not grow
with the number of files, and results come in the order of the files.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from vision.read_output import Result
from vision.read_sources import Reads, Source, Way, results_of

AHEAD_PER_WORKER = 4
# Python looks for a signal between two of these waits.
WAIT_S = 0.1


class Stopped(Exception):
    """The work was stopped before this file was done."""


@dataclass(slots=True)
class _Job:
    source: Source
    given: queue.SimpleQueue[Result | BaseException | None] = field(default_factory=queue.SimpleQueue)


class ReadPool:
    """`workers` threads, each with the reader that `make_reader` gives it. Use with `with`."""

    def __init__(self, make_reader: Callable[[], Reads], way: Way, *, workers: int) -> None:
        self._make_reader, self._way, self._workers = make_reader, way, workers
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> ReadPool:
        """The first reader is made here, so that models that cannot be used are told before anything is read."""
        first = self._make_reader()
        for number in range(self._workers):
            thread = threading.Thread(
                target=self._work, args=(first if number == 0 else None,), name=f"reader-{number}"
            )
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        """Let every reader finish the picture in its hand."""
        self._stop.set()
        for _number in range(len(self._threads)):
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Read no further; `results` then raises Stopped. May be called by a signal's handler."""
        self._stop.set()

    def results(self, sources: Iterator[Source]) -> Iterator[Result | None]:
        """Each result, in the order of the sources, and None after the last one of each source.

        Raises Stopped between two results, and whatever a reader raised, when its turn comes.
        """
        due: deque[_Job] = deque()
        while True:
            while len(due) < self._workers * AHEAD_PER_WORKER and (source := next(sources, None)) is not None:
                job = _Job(source)
                due.append(job)
                self._jobs.put(job)
            if not due:
                return
            job = due.popleft()
            result = self._given(job, begun=False)
            while result is not None:
                yield result
                result = self._given(job, begun=True)
            yield None

    def _given(self, job: _Job, *, begun: bool) -> Result | None:
        """The next of this file. One that has begun is waited for, so that what was given is also counted."""
        while begun or not self._stop.is_set():
            try:
                given = job.given.get(timeout=WAIT_S)
            except queue.Empty:
                continue
            if isinstance(given, BaseException):
                raise given
            return given
        raise Stopped

    def _work(self, reader: Reads | None) -> None:
        while (job := self._jobs.get()) is not None:
            if self._stop.is_set():
                continue
            try:
                reader = reader or self._make_reader()
                for result in results_of(job.source, reader, self._way, self._stop):
                    job.given.put(result)
                job.given.put(Stopped() if job.source.is_video and self._stop.is_set() else None)
            except BaseException as error:  # noqa: BLE001 raised again where the results are taken
                job.given.put(error)
