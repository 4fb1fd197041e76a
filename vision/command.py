"""`./island vision`: owns the names of its subcommands; each one's arguments belong to its own module.

A subcommand is a module with `main(arguments) -> exit status`, loaded only when it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

SUBCOMMANDS = {
    "pack": ("edge.model_commands:pack", "make a signed model update from models and golden pictures"),
    "key": ("edge.model_commands:key", "make a key pair for signing model updates"),
    "install": ("edge.model_commands:install", "try a signed model update and switch a gateway to it"),
    "models": ("edge.model_commands:models", "show a gateway's model versions; --back returns to the one before"),
    "label": ("edge.head_commands:label_command", "take labelled pictures of vehicles, a folder a type, to learn from"),
    "adapt": ("edge.head_commands:adapt_command", "learn a gateway's vehicles from the guards' corrections"),
    "heads": ("edge.head_commands:heads_command", "show what a gateway has learnt, version by version"),
    "use": ("edge.head_commands:use_command", "put one of these versions in use"),
    "rollback": ("edge.head_commands:rollback_command", "return to the version that was in use before"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and give its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] in ("help", "-h", "--help"):
        print(_help())
        return 0
    if given[0] not in SUBCOMMANDS:
        print(f"vision: there is no subcommand {given[0]!r}.\n\n{_help()}", file=sys.stderr)
        return 2
    return _function(given[0])(given[1:])


def _function(name: str) -> Callable[[list[str]], int]:
    module, _, function = SUBCOMMANDS[name][0].partition(":")
    found: Callable[[list[str]], int] = getattr(import_module(module), function or "main")
    return found


def _help() -> str:
    lines = [f"  {name:9} {summary}" for name, (_, summary) in SUBCOMMANDS.items()]
    return "\n".join(["usage: ./island vision SUBCOMMAND [ARGUMENTS]", "", *lines])


if __name__ == "__main__":
    sys.exit(main())
