"""A folder for a whole island, which the embedded PostgreSQL can enter as another user."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def island_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="island-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
