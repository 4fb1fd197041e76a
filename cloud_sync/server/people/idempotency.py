"""The same answer to the same request: owns how a repeated POST is recognised by its `Idempotency-Key`.

The key is written in the transaction of the act itself: both hold or neither does, and a second request with the same
key waits until the first is through. Keys belong to one person and one route, and are forgotten by a retention row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Header
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import as_json

KEY_CHARS_MAX = 64
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=KEY_CHARS_MAX, pattern=r"^[!-~]+$")
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with; `repeated` when it was answered before."""

    status: int
    body: Any
    repeated: bool = False

    def response(self) -> JSONResponse:
        """As sent; a repeated one says so in a header."""
        headers = {"Idempotent-Replayed": "true"} if self.repeated else {}
        return JSONResponse(self.body, status_code=self.status, headers=headers)


async def once(
    given: Services,
    person: str,
    key: str | None,
    *,
    route: str,
    act: Callable[[Any], Awaitable[Any]],
    status: int = 200,
    asked: Any,
) -> Answer:
    """Runs `act(connection)` in a transaction of its own, once for a key of this person. See `idempotent`."""
    async with given.change() as connection:
        return await idempotent(
            connection,
            person=person,
            key=key,
            route=route,
            at=given.clock(),
            act=partial(act, connection),
            status=status,
            asked=asked,
        )


async def idempotent(
    connection: Any,
    *,
    person: str,
    key: str | None,
    route: str,
    at: datetime,
    act: Callable[[], Awaitable[Any]],
    status: int = 200,
    asked: Any = None,
) -> Answer:
    """Runs `act` once for a key of this person, inside the caller's transaction; without a key, each time.

    What `act` returns becomes the JSON body. A Problem that it raises undoes the transaction and the key with it.
    `asked` is the request's body. Raises Problem `key_reused` when the key was used for another route or body.
    """
    if key is None:
        return Answer(status, jsonable_encoder(await act()))
    made = await connection.fetchval(
        "INSERT INTO idempotency_keys (person, key, route, asked, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING RETURNING true",
        person,
        key,
        route,
        _digest(asked),
        at,
    )
    if not made:
        return await _answered(connection, person, key, route, _digest(asked))
    body = jsonable_encoder(await act())
    await connection.execute(
        "UPDATE idempotency_keys SET status = $3, body = $4::jsonb WHERE person = $1 AND key = $2",
        person,
        key,
        status,
        json.dumps(body, ensure_ascii=False),
    )
    return Answer(status, body)


def _digest(asked: Any) -> bytes:
    """Equal bodies have equal digests, however they were spelt."""
    return hashlib.sha256(json.dumps(jsonable_encoder(asked), sort_keys=True).encode()).digest()


async def _answered(connection: Any, person: str, key: str, route: str, digest: bytes) -> Answer:
    row = await connection.fetchrow(
        "SELECT route, asked, status, body FROM idempotency_keys WHERE person = $1 AND key = $2", person, key
    )
    if (row["route"], row["asked"]) != (route, digest):
        raise Problem("key_reused")
    return Answer(row["status"], as_json(row["body"]), repeated=True)
