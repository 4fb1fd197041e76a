"""What can go wrong in the app: owns its errors, and whose fault each is.

The island's server refuses with `ApiProblem`, the way to it fails with `Offline`, the phone itself with `StoreError`.
How they read to a person is `shown.Trouble`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control.domain.errors import IslandError


class ApiProblem(IslandError):
    """The server understood the request and refuses it; `zh` and `en` are its own sentences."""

    def __init__(
        self,
        code: str,
        *,
        zh: str = "",
        en: str = "",
        status: int = 0,
        retry_after_s: float | None = None,
        detail: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code} ({status}): {detail or en}")
        self.code = code
        self.zh = zh
        self.en = en
        self.status = status
        self.retry_after_s = retry_after_s
        self.detail = detail
        self.more = dict(more or {})

    def sentence(self, language: str) -> str:
        """What the server says in `zh` or `en`."""
        return self.zh if language.startswith("zh") else self.en

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be taken later: too many at once, or the server is out of order."""
        return self.status == 429 or self.status >= 500


class SignedOut(ApiProblem):
    """Nobody is signed in any more; `code` says why."""


class BadAnswer(ApiProblem):
    """The answer is not what this version of the app understands; what was asked for may have been done."""

    @property
    def may_pass(self) -> bool:
        """The next version of the app asks again, and reads the answer."""
        return True


class Offline(IslandError):
    """The request may or may not have arrived; nothing came back. `why` is for logs."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the server could not be reached: {why}")
        self.why = why


class StoreError(IslandError):
    """The phone's own memory failed; what was kept before is still there. The text names file and cause."""


class StoreFull(StoreError):
    """No room is left: the change was not made."""


class StoreBroken(StoreError):
    """The file cannot be read as a whole."""


class FileGone(StoreError):
    """A file that was kept cannot be read any more; no later try helps."""


class StoreTooNew(StoreError):
    """A newer version of the app wrote the file."""
