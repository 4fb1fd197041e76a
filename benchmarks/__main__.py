"""`./island bench NAME`: runs one benchmark, a module of this package with a `main(arguments) -> int`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable

import benchmarks


def names() -> list[str]:
    """Every benchmark there is."""
    return sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))


def load(name: str) -> Callable[[list[str]], int]:
    """The `main` of one benchmark."""
    main: Callable[[list[str]], int] = importlib.import_module(f"benchmarks.{name}").main
    return main


def main(arguments: list[str]) -> int:
    """Run the named benchmark, or list them."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: ./island bench NAME [--json] [OPTIONS]\n\n" + "\n".join(f"  {name}" for name in names()))
        return 0
    if arguments[0] not in names():
        print(f"bench: there is no benchmark {arguments[0]!r}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    return load(arguments[0])(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
