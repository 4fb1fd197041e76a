"""`python -m edge.energy.warm`: compiles the microgrid's kernels into Numba's cache, once at installation.

A gateway that finds the cache plans within seconds of its start; without it the plain-Python twins serve meanwhile.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import control.energy
from control.energy import kernels


def main() -> int:
    """Import every module of the microgrid's core and warm what it holds."""
    for module in pkgutil.iter_modules(control.energy.__path__):
        importlib.import_module(f"control.energy.{module.name}")
    seconds = kernels.warm_all()
    # The launcher runs this before a command whose output programs read.
    print(f"{len(kernels.names())} kernels are ready after {seconds:.0f} s.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
