"""What holds for every test: a busy machine is no failure, so that no property test has a deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")
