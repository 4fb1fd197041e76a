"""What holds for every test: a busy machine is no failure, and no test inherits another one's logging."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(autouse=True)
def logs_as_delivered() -> Iterator[None]:
    """A program that a test runs in this process sets up its own logs; the next test starts without that."""
    yield
    structlog.reset_defaults()
