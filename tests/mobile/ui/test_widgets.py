"""The widgets in a real window: sizes of what is touched, touches, typing, layers, lists, codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ACTS = tuple(
    act
    for name in ("widget_acts", "layer_acts")
    for act in re.findall(r"^def (act_\w+)", (HERE / f"{name}.py").read_text(encoding="utf-8"), re.MULTILINE)
)
# A busy machine draws slowly; nothing here is a measure of speed.
WITHIN_S = 860
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def played(screen: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each act; all are played in one process, which takes the window once."""
    folder = tmp_path_factory.mktemp("gallery")
    environment = {**os.environ, **screen, "PYTHONPATH": str(HERE.parents[2])}
    ended = subprocess.run(
        (sys.executable, str(HERE / "widget_acts.py"), str(folder)),
        env=environment,
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    said = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    assert ended.returncode == 0, ended.stderr[-4000:]
    return {one["act"]: one["wrong"] for one in said}


@pytest.mark.parametrize("act", ACTS)
def test_widgets(played: dict[str, str], act: str) -> None:
    assert played[act] == "", played[act]
