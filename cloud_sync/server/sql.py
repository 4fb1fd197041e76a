"""What users of the database share: owns the reader port, JSON columns, LIKE patterns, errors of a lost database."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Protocol

import asyncpg

from cloud_sync.proofs.json_columns import as_json as as_json

# asyncpg raises InternalClientError, no child of its other errors, for a statement that begins between the server's
# farewell and the end of the connection.
DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
    TimeoutError,
)
DATABASE_TROUBLE = (*DATABASE_AWAY, asyncpg.PostgresError, OSError)


class Reader(Protocol):
    """What an asyncpg pool and a connection share."""

    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[Any]: ...

    async def fetchrow(self, query: str, *args: Any, timeout: float | None = None) -> Any: ...

    async def fetchval(self, query: str, *args: Any, timeout: float | None = None) -> Any: ...


def in_list(words: Iterable[StrEnum]) -> str:
    """What stands behind IN: words of an enum, never what somebody typed."""
    return "({})".format(", ".join(f"'{one.value}'" for one in sorted(words)))


def like_pattern(text: str) -> str:
    """`?` is one unknown character, `*` any number; LIKE's own signs are taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("?", "_").replace("*", "%")
