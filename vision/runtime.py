"""Neural networks on the CPU: owns opening a model of `models.toml`, its checksum, and running it on one thread.

The only file that knows onnxruntime. What goes in and what comes out belongs to the model's own module.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from control.domain.errors import ConfigurationError

MODELS_DIR = Path(__file__).with_name("models")


@dataclass(frozen=True, slots=True)
class Model:
    """A network ready to run, with its row of `models.toml`. One instance serves one thread at a time."""

    name: str
    facts: dict[str, Any]
    session: onnxruntime.InferenceSession

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The network's outputs, in the order of `outputs` in `models.toml`."""
        return self.session.run(self.facts["outputs"], {self.facts["input"]: batch})


def open_model(name: str, models_dir: Path | None = None) -> Model:
    """Open the network `name`; raises ConfigurationError when its row or file is missing or was changed."""
    folder = models_dir or MODELS_DIR
    facts = _facts_of(name, folder / "models.toml")
    data = _checked_bytes(folder / facts["file"], facts["sha256"])
    return Model(name, facts, onnxruntime.InferenceSession(data, _one_thread(), providers=["CPUExecutionProvider"]))


def _facts_of(name: str, path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} is missing: install the models beside it") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is no valid TOML: {error}") from error
    if name not in table:
        raise ConfigurationError(f"{path} has no model {name!r}; it has {', '.join(sorted(table))}")
    facts = table[name]
    missing = {"file", "sha256", "input", "outputs"} - facts.keys()
    if missing:
        raise ConfigurationError(f"{path}: [{name}] lacks {', '.join(sorted(missing))}")
    return facts


def _checked_bytes(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"the model {path} is missing: restore it from the release") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ConfigurationError(f"{path} does not have the checksum of models.toml: restore both from one release")
    return data


def _one_thread() -> onnxruntime.SessionOptions:
    """One thread is fastest on a busy gateway, and a camera's latency then does not depend on its neighbours."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options
