"""The file of an interrupted run: owns what of it still counts, and which files need not be read again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control.domain.errors import IslandError
from vision.read_sources import Source, is_video

_KEYS = frozenset({"file", "plates", "error"})


@dataclass(frozen=True, slots=True)
class Done:
    """What an earlier run wrote: its lines, and where the first byte goes that is written now."""

    answers: tuple[dict[str, Any], ...] = ()
    end: int = 0

    @property
    def failures(self) -> int:
        """Files that could not be read."""
        return sum(answer["error"] is not None for answer in self.answers)

    def left_of(self, sources: list[Source]) -> Iterator[Source]:
        """The sources that are not done, in their order; one that is named twice is done as often as it is there."""
        counts: Counter[str] = Counter()
        for name, is_film in ((str(a["file"]), "frame" in a) for a in self.answers):
            counts[name] = 1 if is_film else counts[name] + 1
        for source in sources:
            if counts[str(source.path)] > 0:
                counts[str(source.path)] -= 1
            else:
                yield source


def done_in(path: Path) -> Done:
    """What counts of an earlier run's file; raises IslandError when it is none.

    A last line that was cut off does not count, and neither does a video that comes last: of its plates some may be
    missing.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Done()
    except OSError as error:
        raise IslandError(f"{path} cannot be read: {error.strerror}.") from error
    lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
    answers = [_answer(path, number, line) for number, line in enumerate(lines, 1)]
    if answers and is_video(Path(answers[-1]["file"])):
        name = answers[-1]["file"]
        while answers and answers[-1]["file"] == name:
            answers.pop()
    return Done(tuple(answers), sum(map(len, lines[: len(answers)])))


def _answer(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not answer.keys() >= _KEYS:
        raise IslandError(f"{path} has no line of this command at line {number}: name the file that --out wrote.")
    return answer
