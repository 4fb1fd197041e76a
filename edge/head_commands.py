"""`./island vision label | adapt | heads | use | rollback`: owns their arguments and what they print.

Each works on the data folder of a gateway, running or not: a running gateway takes the version over by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from control.domain.errors import ConfigurationError, IslandError
from edge.adaptation import Backbone, adapt, summary
from edge.adapters.correction_store import CORRECTIONS_FILE, CorrectionStore
from edge.config import load
from edge.labelled_pictures import PlateFinder, take
from edge.model_shelf import ModelShelf
from vision.head_shelf import HEADS_FOLDER, SHIPPED, HeadReport, HeadShelf, Shelf, Switch
from vision.reader import PlateReader
from vision.vehicle_classifier import VehicleClassifier

OK, FAILED, MISUSED, NOT_USED = 0, 1, 2, 3
MODELS_FOLDER = "models"


def adapt_command(arguments: list[str], *, backbone: Backbone | None = None) -> int:
    """Learn from the guards' corrections; exit status 3 when the new version is worse and was not put in use."""
    words = _parser("adapt", "Learn this gateway's vehicles from the guards' corrections, and use it if it is better.")
    words.add_argument("--force", action="store_true", help="put the new version in use even if it is worse")
    options = words.parse_args(arguments)

    def run() -> int:
        data, models = _place(options)
        shelf, crops = HeadShelf(data / HEADS_FOLDER), CorrectionStore(data / CORRECTIONS_FILE).read()
        found = backbone or VehicleClassifier.load(models)
        made = adapt(crops, found, shelf, now=datetime.now(UTC), by=options.by, force=options.force)
        told = summary(made)
        _show(told, _adapted_lines(told), as_json=options.json)
        return OK if made.switch else NOT_USED

    return _guarded(run)


def label_command(arguments: list[str], *, finder: PlateFinder | None = None) -> int:
    """Take labelled pictures, a folder a type, to learn from beside the guards' corrections."""
    words = _parser("label", "Take labelled pictures to learn from: a folder a type, each picture one vehicle.")
    words.add_argument("folder", type=Path, help="such as vehicles/, with vehicles/truck/1.jpg in it")
    options = words.parse_args(arguments)

    def run() -> int:
        data, models = _place(options)
        if not options.folder.is_dir():
            raise ConfigurationError(f"{options.folder} is no folder: it needs one folder a vehicle type")
        store, found = CorrectionStore(data / CORRECTIONS_FILE), finder or PlateReader(models)
        taken = take(options.folder, store, found, now=datetime.now(UTC), by=options.by)
        for path in taken.unreadable:
            print(f"vision: {path} is no picture and is left out", file=sys.stderr)
        lines = [f"{kind:12} {count:5}" for kind, count in taken.counts.items()]
        _show({"taken": taken.counts, "there": store.counts()}, lines, as_json=options.json)
        return OK

    return _guarded(run)


def heads_command(arguments: list[str]) -> int:
    """Show the versions, newest first."""
    options = _parser("heads", "Show the versions of this gateway's head.").parse_args(arguments)

    def run() -> int:
        shelf = HeadShelf(_place(options)[0] / HEADS_FOLDER).read()
        _show(_shelf_words(shelf), _shelf_lines(shelf), as_json=options.json)
        return OK

    return _guarded(run)


def use_command(arguments: list[str], *, backbone: Backbone | None = None) -> int:
    """Put one version in use."""
    words = _parser("use", "Put one version of the head in use.")
    words.add_argument("version", help=f"a version that `vision heads` lists, or {SHIPPED!r}")
    options = words.parse_args(arguments)
    return _switch(options, backbone, lambda shelf, **by: shelf.use(options.version, why="chosen", **by))


def rollback_command(arguments: list[str], *, backbone: Backbone | None = None) -> int:
    """Return to the version that was in use before."""
    options = _parser("rollback", "Return to the version that was in use before.").parse_args(arguments)
    return _switch(options, backbone, lambda shelf, **by: shelf.roll_back(**by))


def _switch(options: argparse.Namespace, backbone: Backbone | None, change: Callable[..., Switch]) -> int:
    def run() -> int:
        data, models = _place(options)
        shipped = (backbone or VehicleClassifier.load(models)).shipped
        switch = change(HeadShelf(data / HEADS_FOLDER), at=_now(), by=options.by, shipped=shipped)
        _show(asdict(switch), [f"{switch.was} -> {switch.now}"], as_json=options.json)
        return OK

    return _guarded(run)


# ----------------------------------------------------------------------------------------------------------- arguments


def _parser(name: str, what: str) -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog=f"island vision {name}", description=what)
    place = words.add_mutually_exclusive_group(required=True)
    place.add_argument("--data", type=Path, metavar="DIR", help="the gateway's data folder (gateway.data_dir)")
    place.add_argument("--site-config", type=Path, metavar="FILE", help="the gateway's site.toml, which names it")
    words.add_argument("--models", type=Path, metavar="DIR", help="other models than the gateway's own")
    words.add_argument(
        "--by", default=os.environ.get("USER", "command line"), metavar="NAME", help="who does it; for the history"
    )
    words.add_argument("--json", action="store_true", help="print one JSON object")
    return words


def _place(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """The data folder, and the folder of models where the configuration names one."""
    shipped = None
    if options.site_config is not None:
        config = load(options.site_config, os.environ)
        data, shipped = config.gateway.data_dir, config.vision.models_dir
    elif options.data.is_dir():
        data = options.data
    else:
        raise ConfigurationError(f"{options.data} is no folder: name the gateway's data folder (gateway.data_dir)")
    models = ModelShelf(data / MODELS_FOLDER)
    return data, options.models or models.models_dir(models.read().in_use, shipped)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _guarded(run: Callable[[], int]) -> int:
    try:
        return run()
    except IslandError as error:
        print(f"vision: {error}", file=sys.stderr)
        return FAILED


# ------------------------------------------------------------------------------------------------------------- output


def _show(value: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
        return
    print("\n".join(lines))


def _percent(share: float, interval: Any) -> str:
    return f"{share:6.1%} ({interval[0]:.1%} to {interval[1]:.1%})"


def _adapted_lines(told: dict[str, Any]) -> list[str]:
    before, after = told["before"], told["after"]
    kinds = [
        f"  {kind:12} {row['crops']:5} crops  {row['before']:6.1%} -> {row['after']:6.1%}"
        for kind, row in told["by_type"].items()
    ]
    state = "in use now" if told["in_use"] else f"kept, not in use: {told['why_not']} (--force uses it all the same)"
    return [
        f"{told['crops']} crops, judged by cross-validation, {told['seconds']:.1f} s",
        f"before  {before['version']:24} {_percent(before['accuracy'], before['interval'])}",
        f"after   {after['version']:24} {_percent(after['accuracy'], after['interval'])}",
        *kinds,
        f"{told['version']}: {state}",
    ]


def _shelf_words(shelf: Shelf) -> dict[str, Any]:
    return {
        "in_use": shelf.in_use,
        "before": shelf.before,
        "versions": [asdict(report) for report in shelf.versions],
        "history": [asdict(switch) for switch in shelf.history],
    }


def _shelf_lines(shelf: Shelf) -> list[str]:
    lines = [_version_line(report, shelf.in_use) for report in shelf.versions]
    return [
        *lines,
        f"{'*' if shelf.in_use == SHIPPED else ' '} {SHIPPED}",
        f"rollback leads to: {shelf.before or 'none'}",
    ]


def _version_line(report: HeadReport, in_use: str) -> str:
    mark = "*" if report.version == in_use else " "
    return f"{mark} {report.version}  {report.crops} crops  {report.before:.1%} -> {report.after:.1%}  by {report.by}"
