"""The microgrid's figures beside their goals, each with its rival or its bound in the same run.

    ./island bench energy --json [--tiny] [--only planner,causal,replay,loop,field] [--peer PYTHON]

`--peer` names an interpreter that has python-microgrid with cvxpy (and NumPy before 2), for the closed loop of
planning; without it only the same linear program by HiGHS runs. Parts: planner against HiGHS, causal control between
rules and perfect foresight, replay and what-if, the fast loop on simulated devices, and the gateway as a process on a
simulated microgrid over the real protocols (some minutes).
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import platform
import sys
import time
from typing import Any

from control.domain.errors import IslandError

PARTS = ("planner", "causal", "replay", "loop", "field")


def main(arguments: list[str]) -> int:
    """Measure, print, and give 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="island bench energy", description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes: that it runs, not how fast")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PARTS", help="parts, separated by commas")
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter with python-microgrid and cvxpy")
    options = parser.parse_args(arguments)
    wanted = options.only.split(",")
    if unknown := [name for name in wanted if name not in PARTS]:
        print(f"energy: there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    try:
        report = measure(wanted, tiny=options.tiny, peer=options.peer)
    except IslandError as error:
        print(f"energy: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report, default=float) if options.json else "\n".join(_lines(report)))
    return 0 if report["within_goals"] else 1


def measure(wanted: list[str], *, tiny: bool, peer: str | None) -> dict[str, Any]:
    """Every wanted part's figures, and the goals that were missed by path."""
    report: dict[str, Any] = {
        "benchmark": "energy",
        "tiny": tiny,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
    }
    for name in wanted:
        figures = importlib.import_module(f"benchmarks._energy_{name}").figures
        given = {"peer": peer} if "peer" in inspect.signature(figures).parameters else {}
        started = time.perf_counter()
        report[name] = figures(tiny, **given)
        report[name]["taken_s"] = round(time.perf_counter() - started, 1)
    report["missed"] = list(_missed(report, ""))
    report["within_goals"] = not report["missed"]
    return report


def _missed(report: dict[str, Any], path: str) -> list[str]:
    """Where a part says `within_goal: false`."""
    found = []
    for key, value in report.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            found += _missed(value, here)
        elif key == "within_goal" and not value:
            found.append(path)
    return found


def _lines(report: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in report.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", *_lines(value, indent + "  ")]
        else:
            shown = f"{value:,.6g}" if isinstance(value, float) else value
            lines.append(f"{indent}{key:{max(1, 40 - len(indent))}} {shown}")
    return lines
