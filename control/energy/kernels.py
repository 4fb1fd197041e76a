"""Compiled kernels and their plain-Python twins: owns which of the two serves.

A kernel is written once, in the part of Python that Numba compiles. Until `warm` has compiled it (or loaded it from
Numba's cache) the same function runs as plain Python, so that control begins at once; afterwards the compiled one
serves. Small functions that kernels call are marked with `inner`. No `fastmath`: both must give the same numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

import numba
from numba.extending import register_jitable

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

_all: list[Kernel[..., Any]] = []


class Kernel(Generic[P, R]):
    """One function in two forms; `example` gives arguments of the types that it is called with."""

    def __init__(self, twin: Callable[P, R], example: Callable[[], tuple[Any, ...]]) -> None:
        self.twin = twin
        self.name = f"{twin.__module__}.{twin.__qualname__}"
        self._example = example
        self.compiled: Callable[P, R] = numba.njit(twin, cache=True, nogil=True)
        self._serving: Callable[P, R] = twin

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Whichever form serves now."""
        return self._serving(*args, **kwargs)

    @property
    def ready(self) -> bool:
        """Whether the compiled form serves."""
        return self._serving is self.compiled

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
    marked: F = register_jitable(function)
    return marked


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
