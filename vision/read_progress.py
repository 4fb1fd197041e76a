"""How far the `read` command is: owns the bar on a terminal, and the lines where there is none."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

LINE_EVERY_S = 5.0


class Progress:
    """On the error stream. `done` counts files, with those of an earlier run. Use with `with`."""

    def __init__(self, total: int, done: int, *, always: bool) -> None:
        """Where the error stream is no terminal nothing is told, unless `always`."""
        self.done = done
        self._total, self._begun_with = total, done
        on_terminal = sys.stderr.isatty()
        self._lines = always and not on_terminal
        self._started_s = self._told_s = time.monotonic()
        self._bar = tqdm(total=total, initial=done, unit="file", disable=not on_terminal, leave=False)

    def __enter__(self) -> Progress:
        if self._lines and self.done:
            self._tell()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Clear the bar."""
        self._bar.close()

    def one_more(self) -> None:
        """A file is done."""
        self.done += 1
        self._bar.update()
        now_s = time.monotonic()
        if self._lines and (now_s - self._told_s >= LINE_EVERY_S or self.done == self._total):
            self._told_s = now_s
            self._tell()

    def _tell(self) -> None:
        here, seconds = self.done - self._begun_with, time.monotonic() - self._started_s
        text = f"read: {self.done} of {self._total} files, {self.done / self._total:.0%}"
        if here and seconds > 0:
            left_s = (self._total - self.done) * seconds / here
            text += f", {here / seconds:.1f} a second, about {left_s:.0f} s left"
        print(text, file=sys.stderr, flush=True)
