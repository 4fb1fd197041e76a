"""Sending once what a person sends from an open page: owns the key that a repeat after a lost answer carries again."""

from __future__ import annotations

from uuid import uuid4


class RepeatKey:
    """The same key as long as the same is sent; another one for anything else, and once it was taken."""

    def __init__(self) -> None:
        self._content: tuple[str, ...] | None = None
        self._key = ""

    def of(self, *content: str) -> str:
        """The idempotency key for this content."""
        if content != self._content:
            self._content, self._key = content, uuid4().hex
        return self._key

    def taken(self) -> None:
        """The server has it: the same again is a second one."""
        self._content = None
