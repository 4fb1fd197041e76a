"""How far `verify` is: owns the bar on a terminal; where there is none, a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tqdm import tqdm

LINE_EVERY_S = 10.0


class Progress:
    """On the error stream, one thing after another. Use with `with`."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._bar: tqdm[None] | None = None
        self._what, self._total, self._rows = "", 0, 0
        self._told_s = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def begin(self, what: str, total: int = 0) -> None:
        """Something else is looked at now; `total` rows are expected, 0 where nobody knows."""
        self._close()
        self._what, self._total, self._rows = what, total, 0
        self._bar = tqdm(
            total=total or None, desc=what, unit=" rows", unit_scale=True, disable=not self._on_terminal, leave=False
        )

    def add(self, rows: int) -> None:
        """So many more rows were looked at."""
        self._rows += rows
        if self._bar is not None:
            self._bar.update(rows)
        now_s = time.monotonic()
        if not self._on_terminal and now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            of = f" of {self._total}, {self._rows / self._total:.0%}" if self._total else ""
            print(f"verify: {self._what}: {self._rows} rows{of}", file=sys.stderr, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
