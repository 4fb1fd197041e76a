"""Neural networks on this machine: owns opening a model of `models.toml`, its checksum, and what it runs on.

The only file that knows onnxruntime. What goes in and what comes out belongs to the model's own module. The CPU is
the default; another execution provider is used when the process asks for it and onnxruntime has it.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from control.domain.errors import ConfigurationError

MODELS_DIR = Path(__file__).with_name("models")
CPU = "CPUExecutionProvider"
_SUFFIX = "ExecutionProvider"
_NEEDED = frozenset({"file", "sha256", "input", "outputs"})


@dataclass(frozen=True, slots=True)
class Execution:
    """What the networks of this process run on: providers by onnxruntime's names, best first, and CPU threads each.

    One thread is fastest on a busy gateway, and a camera's latency then does not depend on its neighbours.
    """

    providers: tuple[str, ...] = (CPU,)
    threads: int = 1


_execution = Execution()


@dataclass(frozen=True, slots=True)
class Model:
    """A network ready to run, with its row of `models.toml`. One instance serves one thread at a time."""

    name: str
    facts: dict[str, Any]
    session: onnxruntime.InferenceSession

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The network's outputs, in the order of `outputs` in `models.toml`."""
        return self.session.run(self.facts["outputs"], {self.facts["input"]: batch})


# ---------------------------------------------------------------------------------------------------------- execution


def run_on(providers: Sequence[str] = (), *, threads: int = 1) -> Execution:
    """Choose for every model that this process opens from now on; called once, before the first.

    Names are `cpu`, `openvino`, `cuda` and so on, or onnxruntime's own; the CPU takes over what a provider cannot do.
    Raises ConfigurationError, naming what there is, when a provider is not part of the installed onnxruntime.
    """
    global _execution
    if threads < 1:
        raise ConfigurationError(f"{threads} threads cannot read: use 1 or more.")
    chosen = [_available(name) for name in providers]
    _execution = Execution(tuple(dict.fromkeys([*chosen, CPU])), threads)
    # Two readers side by side gain nothing from a picture library that starts threads of its own.
    cv2.setNumThreads(threads)
    return _execution


def _available(name: str) -> str:
    here = onnxruntime.get_available_providers()
    wanted = name.strip().lower().removesuffix(_SUFFIX.lower())
    for provider in here:
        if provider.removesuffix(_SUFFIX).lower() == wanted:
            return provider
    names = ", ".join(sorted(provider.removesuffix(_SUFFIX).lower() for provider in here))
    raise ConfigurationError(
        f"The execution provider {name!r} is not available: the installed onnxruntime has {names}. "
        "Name one of these, or install the onnxruntime build that brings it."
    )


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _execution.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def _session(name: str, data: bytes) -> onnxruntime.InferenceSession:
    first = _execution.providers[0]
    try:
        session = onnxruntime.InferenceSession(data, _options(), providers=list(_execution.providers))
    # onnxruntime's errors have no common base of their own below Exception; all of them mean that it does not load.
    except Exception as error:
        raise ConfigurationError(f"The model {name!r} cannot be loaded on {first}: {_first_line(error)}") from error
    if first not in session.get_providers():
        # onnxruntime falls back in silence, for example from a graphics card without its driver.
        raise ConfigurationError(
            f"The execution provider {first} does not start on this machine (driver or device missing?); "
            f"it runs: {', '.join(session.get_providers())}. Choose one of these."
        )
    return session


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


# -------------------------------------------------------------------------------------------------------------- files


def open_model(name: str, models_dir: Path | None = None) -> Model:
    """Open the network `name`; raises ConfigurationError when its row or file is missing, changed or of no use."""
    folder = models_dir or MODELS_DIR
    facts = _facts_of(name, folder / "models.toml")
    return Model(name, facts, _session(name, _checked_bytes(folder / facts["file"], facts["sha256"])))


def check_models(models_dir: Path | None = None) -> dict[str, str]:
    """The checksum of every row of the folder's `models.toml` that has a file, after comparing the file with it.

    Raises ConfigurationError that names the file at fault.
    """
    path = (models_dir or MODELS_DIR) / "models.toml"
    table, names = _table(path), sorted(model_names(models_dir))
    for name in names:
        facts = _facts_of(name, path, needed=frozenset({"file", "sha256"}))
        _checked_bytes(path.parent / facts["file"], facts["sha256"])
    return {name: table[name]["sha256"] for name in names}


def model_names(models_dir: Path | None = None) -> frozenset[str]:
    """The rows of the folder's `models.toml` that have a file; raises ConfigurationError when there is none."""
    path = (models_dir or MODELS_DIR) / "models.toml"
    names = frozenset(name for name, row in _table(path).items() if isinstance(row, dict) and "file" in row)
    if not names:
        raise ConfigurationError(f"{path} names no model: restore it from the release")
    return names


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} is missing: install the models beside it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no valid TOML: {error}") from error


def _facts_of(name: str, path: Path, *, needed: frozenset[str] = _NEEDED) -> dict[str, Any]:
    table = _table(path)
    if name not in table:
        raise ConfigurationError(f"{path} has no model {name!r}; it has {', '.join(sorted(table))}")
    facts: dict[str, Any] = table[name]
    missing = needed - facts.keys()
    if missing:
        raise ConfigurationError(f"{path}: [{name}] lacks {', '.join(sorted(missing))}")
    if Path(facts["file"]).name != facts["file"]:
        raise ConfigurationError(f"{path}: [{name}] file must be a name without a folder, not {facts['file']!r}")
    return facts


def _checked_bytes(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"the model {path} is missing: restore it from the release") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ConfigurationError(f"{path} does not have the checksum of models.toml: restore both from one release")
    return data
