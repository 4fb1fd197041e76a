"""The command line of the gateway, as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def edge(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "edge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


def site(folder: Path) -> Path:
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(2):
        cv2.imwrite(str(pictures / f"{number}.jpg"), np.full((360, 480, 3), 90 + number, np.uint8))
    (folder / "pin").write_text("402917")
    path = folder / "site.toml"
    path.write_text(
        """
[gateway]
id = "gw-1"
name = "Gate"
data_dir = "data"
[[lane]]
id = "yard"
name = "Yard"
gate_id = "east"
[lane.camera]
kind = "folder"
path = "pictures"
"""
    )
    return path


def test_check_prints_the_configuration_and_no_secret(tmp_path: Path) -> None:
    path = site(tmp_path)
    path.write_text(path.read_text() + '[hut]\npin_file = "pin"\n')
    done = edge("--config", str(path), "--check")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gateway"]["id"] == "gw-1"
    assert "402917" not in done.stdout
    assert not (tmp_path / "data").exists()


def test_a_wrong_file_is_said_in_one_line(tmp_path: Path) -> None:
    path = site(tmp_path)
    path.write_text(path.read_text() + "[cloud]\nhost = 1\n")
    done = edge("--config", str(path), "--check")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cloud.host is not a setting" in done.stderr


def test_a_folder_goes_through_the_whole_gateway_and_ends(tmp_path: Path) -> None:
    done = edge("--config", str(site(tmp_path)), "--exit-when-done", "--json", "--log-level", "warning")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["pictures"], summary["decisions"], summary["drained"]) == (2, {"hold": 2}, True)
    assert summary["backlog"]["0"] == 2
    assert len(list((tmp_path / "data" / "evidence").rglob("*.jpg"))) == 2
