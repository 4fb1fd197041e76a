"""The peers' processes of `benchmarks.read`: owns starting them, asking them, and saying why one cannot run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any

from control.domain.errors import IslandError

PEERS = ("agentclpr", "agentclpr_warp", "rapidocr", "hyperlpr", "hyperlpr3")
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Task:
    """One picture for a peer. `side_px` 0 leaves a scene as large as it is."""

    path: Path
    crop: bool
    side_px: int


@dataclass(slots=True)
class Peer:
    """A peer, running or not: then `why_not` says why. `scenes` is whether it finds plates by itself."""

    key: str
    name: str
    model_bytes: int = 0
    scenes: bool = True
    why_not: str | None = None
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def ask(self, task: Task) -> dict[str, Any]:
        """`ms`, `cpu_ms` and `texts` of one picture. Raises IslandError when the peer died of it."""
        assert self.process is not None
        message = {"file": str(task.path), "side_px": task.side_px, "crop": task.crop}
        answer = _exchange(self.process, message)
        if "error" in answer:
            raise IslandError(f"{self.name} failed on {task.path.name}: {answer['error']}. Leave it out with --peers.")
        return answer

    def facts(self) -> dict[str, Any]:
        """For the report."""
        found: dict[str, Any] = {"name": self.name, "runs": self.why_not is None}
        return found | ({"why_not": self.why_not} if self.why_not else {"model_bytes": self.model_bytes})


def interpreters(named: list[str], default: str) -> dict[str, str]:
    """Interpreter by peer from `NAME=PATH` or `PATH` for all others."""
    found = {"": default}
    for one in named:
        key, equals, path = one.partition("=")
        found[key if equals else ""] = path if equals else one
    unknown = found.keys() - {"", *PEERS}
    if unknown:
        raise IslandError(
            f"--peer-python: there is no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}."
        )
    return found


@contextmanager
def started(keys: list[str], pythons: dict[str, str]) -> Iterator[list[Peer]]:
    """Every named peer, in its own process while the context lasts."""
    with ExitStack() as stack:
        yield [_started(key, pythons.get(key) or pythons[""], stack) for key in keys]


def script_of(key: str) -> Path:
    """The program that runs a peer."""
    return FOLDER / f"_peer_{key}.py"


def _started(key: str, python: str, stack: ExitStack) -> Peer:
    if key not in PEERS:
        raise IslandError(f"--peers: there is no peer {key!r}; there are {', '.join(PEERS)}.")
    if not which(python):
        return Peer(key, key, why_not=f"there is no interpreter {python}")
    process = stack.enter_context(
        subprocess.Popen(
            [python, str(script_of(key))],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    )
    stack.callback(_stop, process)
    greeting = _exchange(process)
    if "error" in greeting:
        return Peer(key, key, why_not=greeting["error"])
    return Peer(key, greeting["name"], greeting["model_bytes"], greeting["scenes"], process=process)


def _exchange(process: subprocess.Popen[str], message: dict[str, Any] | None = None) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if message is not None:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = ""
    return json.loads(line) if line else {"error": "its process ended"}


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
