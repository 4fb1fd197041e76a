"""Installing a model update: owns the order of verifying, unpacking, trying in a fresh process, and switching.

Blocking, for the command line and for a thread of the gateway. Nothing is in use before its golden pictures were read
as expected; what fails leaves the gateway as it was.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from control.domain.errors import IslandError
from edge.model_shelf import ModelShelf
from edge.reader_process import ReaderSettings
from vision import bundle, golden

TRIAL_LIMIT_S = 300.0
WRONG_SHOWN_MAX = 5


class UpdateRefusedError(IslandError):
    """The update is not used; the text says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an update has to meet: whose signature, and how long a golden picture may take on this machine."""

    key: bundle.Verifier
    picture_ms_max: float


Say = Callable[[str], None]


def install(
    file: Path,
    shelf: ModelShelf,
    terms: Terms,
    reading: ReaderSettings,
    *,
    now: datetime,
    older: bool = False,
    say: Say = lambda _: None,
) -> str:
    """Put an update into use and give its version; raises UpdateRefusedError or BundleError, and changes nothing then.

    An update made before the newest that was ever installed is refused unless `older` allows it: a signature that
    holds must not bring a weaker model back.
    """
    manifest = bundle.read_manifest(file, terms.key)
    say(f"The signature holds: version {manifest.version}, {len(manifest.members)} files.")
    made_at = manifest.made_at.astimezone(UTC).isoformat(timespec="seconds")
    _check_new(manifest.version, made_at, shelf, older=older)
    with shelf.receiving() as place:
        bundle.unpack(file, terms.key, place)
        trial = tried(place / bundle.MODELS, place / bundle.GOLDEN, reading)
        right = trial.pictures - _wrong_pictures(trial)
        say(f"{right} of {trial.pictures} golden pictures read as expected, {trial.ms} ms each.")
        _check_trial(trial, terms)
        shelf.put(place, manifest.version)
    shelf.use(manifest.version, at=now.astimezone(UTC).isoformat(timespec="seconds"), made_at=made_at)
    return manifest.version


def _check_new(version: str, made_at: str, shelf: ModelShelf, *, older: bool) -> None:
    standing = shelf.read()
    if version == standing.in_use:
        raise UpdateRefusedError(f"The version {version} is in use already.")
    if older:
        return
    if version in standing.failed:
        raise UpdateRefusedError(f"The version {version} has failed here: {standing.failed[version]}")
    if made_at <= standing.newest_made_at:
        raise UpdateRefusedError(
            f"The update was made at {made_at}, and one of {standing.newest_made_at} was installed: it is too old."
        )


def _check_trial(trial: golden.Trial, terms: Terms) -> None:
    if trial.wrong:
        more = len(trial.wrong) - WRONG_SHOWN_MAX
        shown = "; ".join(trial.wrong[:WRONG_SHOWN_MAX]) + (f"; and {more} more" if more > 0 else "")
        raise UpdateRefusedError(f"Golden pictures were not read as expected: {shown}.")
    if not trial.passes(ms_max=terms.picture_ms_max):
        raise UpdateRefusedError(f"A picture takes {trial.ms} ms, more than {terms.picture_ms_max:g} ms.")


def _wrong_pictures(trial: golden.Trial) -> int:
    return len({line.split(":", 1)[0] for line in trial.wrong})


def tried(models_dir: Path, golden_dir: Path, reading: ReaderSettings) -> golden.Trial:
    """The models read the golden pictures in a process of their own; raises UpdateRefusedError when they cannot."""
    providers = [word for name in reading.providers for word in ("--provider", name)]
    command = [sys.executable, "-m", golden.__name__, str(models_dir.resolve()), str(golden_dir.resolve())]
    try:
        done = subprocess.run(
            [*command, *providers, "--threads", str(reading.threads)],
            cwd=Path(golden.__file__).parents[1],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TRIAL_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UpdateRefusedError(f"The models did not finish the golden pictures in {TRIAL_LIMIT_S:g} s.") from error
    return _trial_of(done)


def _trial_of(done: subprocess.CompletedProcess[str]) -> golden.Trial:
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise UpdateRefusedError(f"The models' process ended with status {done.returncode}: {last}") from error
    if "error" in answer:
        raise UpdateRefusedError(answer["error"])
    return golden.Trial(answer["pictures"], tuple(answer["wrong"]), answer["ms"])
