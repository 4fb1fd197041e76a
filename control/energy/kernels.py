"""Compiled kernels and their plain-Python twins: owns which of the two serves.

A kernel is written once, in the part of Python that Numba compiles. Until `warm` has compiled it (or loaded it from
Numba's cache) the same function runs as plain Python, so that control begins at once; afterwards the compiled one
serves. Small functions that kernels call are marked with `inner`. No `fastmath`: both must give the same numbers.
The compiler is imported by whoever first asks for a compiled form: whoever only needs the twins does not wait for it.

Numba's cache follows the file of the kernel alone, but a kernel holds its inner functions too, from other files. So
what is stored carries a digest of all sources of this package, and an update of any of them compiles anew.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

_all: list[Kernel[..., Any]] = []
_inner_unknown: list[Callable[..., Any]] = []  # marked, and not yet known to the compiler
_compiler = Lock()


@cache
def sources_digest(package: Path) -> str:
    """One digest of all Python sources directly in `package`; it is taken once in a process."""
    digest = hashlib.sha256()
    for source in sorted(package.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


class Kernel(Generic[P, R]):
    """One function in two forms; `example` gives arguments of the types that it is called with."""

    def __init__(self, twin: Callable[P, R], example: Callable[[], tuple[Any, ...]]) -> None:
        self.twin = twin
        self.name = f"{twin.__module__}.{twin.__qualname__}"
        self._example = example
        self._serving: Callable[P, R] = twin

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Whichever form serves now."""
        return self._serving(*args, **kwargs)

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """The compiled form; it is compiled, or loaded, at its first call."""
        import numba
        from numba.extending import register_jitable

        with _compiler:
            while _inner_unknown:
                register_jitable(_inner_unknown.pop())
            made: Any = numba.njit(self.twin, cache=True, nogil=True)
            # Numba has no public way to say what else the cached code depends on.
            stored = made._cache._cache_file
            stored._source_stamp = (stored._source_stamp, sources_digest(Path(__file__).parent))
        compiled: Callable[P, R] = made
        return compiled

    @property
    def ready(self) -> bool:
        """Whether the compiled form serves."""
        return self._serving is not self.twin

    def warm(self) -> None:
        """Compile or load it by running the example; then the compiled form serves."""
        if not self.ready:
            self.compiled(*self._example())  # type: ignore[call-arg]
            self._serving = self.compiled


def kernel(example: Callable[[], tuple[Any, ...]]) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """Mark a function as a kernel. Arguments are passed by position, always of the example's types."""

    def mark(function: Callable[P, R]) -> Kernel[P, R]:
        made: Kernel[P, R] = Kernel(function, example)
        _all.append(made)
        return made

    return mark


def inner(function: F) -> F:
    """Mark a small function that kernels call; it stays an ordinary function for everybody else."""
    _inner_unknown.append(function)
    return function


def warm_all() -> float:
    """Warm every kernel of the modules imported so far; seconds it took."""
    started = time.perf_counter()
    for one in _all:
        one.warm()
    return time.perf_counter() - started


def all_ready() -> bool:
    """Whether every kernel is compiled."""
    return all(one.ready for one in _all)


def names() -> tuple[str, ...]:
    """Every kernel of the modules imported so far."""
    return tuple(one.name for one in _all)
