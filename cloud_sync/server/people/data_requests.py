"""Requests about personal data: owns how people ask, by when staff answer, and what became of each request.

PIPL art. 44 to 50: copy, correction, deletion, objection, explanation. Most of it people do themselves in the app; this
is for what needs a person, and for people who come without an account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import uuid_utils

from cloud_sync.server import rule_books
from cloud_sync.server.people.idempotency import Answer, once
from cloud_sync.server.people.limits import limit
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.permits.rules import DATA_REQUEST_TERM

_REQUESTS_MAX = 10
_REQUESTS_WINDOW_S = 86_400


class RequestKind(StrEnum):
    """What somebody asks for."""

    COPY = "copy"
    CORRECTION = "correction"
    DELETION = "deletion"
    OBJECTION = "objection"
    QUESTION = "question"


class RequestState(StrEnum):
    """How far it is."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DataRequest:
    """One request; `username` is empty for somebody without an account, who left a `contact`."""

    request_id: str
    user_id: str | None
    username: str
    contact: str
    kind: str
    message: str
    state: str
    created_at: datetime
    created_by: str
    due_at: datetime
    answer: str
    answered_by: str | None
    answered_at: datetime | None


async def ask(
    given: Services, actor: Actor, user_id: str, *, kind: RequestKind, message: str, key: str | None = None
) -> Answer:
    """A person's request, once for a `key`; answers with its `request_id`. Raises Problem."""
    await limit(given, f"data_request/{user_id}", _REQUESTS_MAX, _REQUESTS_WINDOW_S)

    async def act(connection: Any) -> dict[str, str]:
        made = await _insert(given, connection, actor, user_id=user_id, contact="", kind=kind, message=message)
        return {"request_id": made}

    asked = {"kind": kind.value, "message": message}
    return await once(given, user_id, key, route="me/requests", act=act, status=201, asked=asked)


async def note_down(
    given: Services, actor: Actor, *, username: str, contact: str, kind: RequestKind, message: str
) -> str:
    """A request that came by letter, telephone or in person; its id. Raises Problem."""
    user_id = None
    if username.strip():
        user_id = await given.pool.fetchval(
            "SELECT user_id::text FROM users WHERE username = $1 AND anonymised_at IS NULL", username.strip().casefold()
        )
        if user_id is None:
            raise Problem("not_found", detail="username")
    elif not contact.strip():
        raise Problem("invalid", detail="contact")
    async with given.change() as connection:
        return await _insert(
            given, connection, actor, user_id=user_id, contact=contact.strip(), kind=kind, message=message
        )


async def _insert(
    given: Services,
    connection: Any,
    actor: Actor,
    *,
    user_id: str | None,
    contact: str,
    kind: RequestKind,
    message: str,
) -> str:
    request_id, now = str(uuid_utils.uuid7()), given.clock()
    term = (await rule_books.permit_rules(connection)).at(given.today_from().date()).term(DATA_REQUEST_TERM)
    await connection.execute(
        "INSERT INTO data_requests (request_id, user_id, contact, kind, message, created_at, created_by, due_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        request_id,
        account_uuid(user_id) if user_id else None,
        contact,
        kind.value,
        message.strip(),
        now,
        actor.username,
        now + term,
    )
    await write_audit(
        connection,
        at=now,
        actor=actor,
        action="data_request_made",
        subject=("data_request", request_id),
        after={"kind": kind.value} | ({"person_id": user_id} if user_id else {}),
    )
    return request_id


async def answer(given: Services, actor: Actor, request_id: str, *, state: RequestState, text: str) -> None:
    """Settles a request with words to the person. Raises Problem."""
    if state is RequestState.OPEN:
        raise Problem("invalid", detail="state")
    if not text.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT user_id::text, state FROM data_requests WHERE request_id = $1 FOR UPDATE", request_id
        )
        if row is None:
            raise Problem("not_found")
        if row["state"] != RequestState.OPEN:
            raise Problem("nothing_changed")
        await connection.execute(
            "UPDATE data_requests SET state = $2, answer = $3, answered_by = $4, answered_at = $5"
            " WHERE request_id = $1",
            request_id,
            state.value,
            text.strip(),
            actor.username,
            now,
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="data_request_answered",
            subject=("data_request", request_id),
            after={"state": state.value} | ({"person_id": row["user_id"]} if row["user_id"] else {}),
        )


async def of_person(db: Reader, user_id: str) -> tuple[DataRequest, ...]:
    """A person's own requests, newest first."""
    rows = await db.fetch(f"{_REQUESTS} WHERE r.user_id = $1 ORDER BY r.created_at DESC", account_uuid(user_id))
    return tuple(_request(row) for row in rows)


async def listed(db: Reader, *, open_only: bool = True, after: str = "", limit: int = 50) -> tuple[DataRequest, ...]:
    """Requests by their day of arrival, oldest first; `after` is the last id of the page before."""
    rows = await db.fetch(
        f"{_REQUESTS} WHERE ($1 = false OR r.state = 'open') AND r.request_id > $2 ORDER BY r.request_id LIMIT $3",
        open_only,
        after,
        limit,
    )
    return tuple(_request(row) for row in rows)


_REQUESTS = (
    "SELECT r.request_id, r.user_id::text, coalesce(u.username, '') AS username, r.contact, r.kind, r.message,"
    " r.state, r.created_at, r.created_by, r.due_at, r.answer, r.answered_by, r.answered_at"
    " FROM data_requests r LEFT JOIN users u USING (user_id)"
)


def _request(row: Any) -> DataRequest:
    return DataRequest(**row)
