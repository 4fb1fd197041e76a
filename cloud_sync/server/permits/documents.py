"""Papers that people hand in: owns taking one, who may have it again, and what it belongs to.

The same bytes are one document, whoever sends them; each sender has an upload of their own. A paper is found by its
hash by who sent it, by who may see what it belongs to, and by the office.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud_sync.server import rule_books
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.people.limits import HOUR_S, limit
from cloud_sync.server.permits.access import owners_of
from cloud_sync.server.permits.records import DocumentRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, note_access, write_audit
from control.permits import rules as keys
from control.permits.application import Paper
from control.permits.documents import AcceptedDocument, DocumentLimits, MediaType, RejectedDocument, response_headers
from control.permits.rules import PermitRules
from control.permits.words import DOCUMENT_PROBLEMS

_COLUMNS = ", ".join(DocumentRecord.__dataclass_fields__)


async def bytes_max(given: Services) -> int:
    """The most bytes that one paper may have today: what a request's body is read up to."""
    return (await _rules(given)).count(keys.DOCUMENT_BYTES_MAX)


@asynccontextmanager
async def admitted(given: Services, user: CurrentUser) -> AsyncIterator[None]:
    """Counts one upload, whatever becomes of it, and lets a person's in one by one, before their bodies are read.

    Raises Problem `too_many_requests`.
    """
    await limit(given, f"upload/{user.user_id}", given.config.limits.uploads_per_hour, HOUR_S)
    async with given.permits.documents.sender(user.user_id):
        yield


async def take(given: Services, user: CurrentUser, content: bytes, *, remote: str = "") -> DocumentRecord:
    """Keeps a paper. Raises Problem `document_refused` with the reason, `day_is_full`, `storage_full`."""
    rules = await _rules(given)
    await _check_quota(given.pool, given, user, len(content), rules)
    found = await given.permits.documents.inspected(content, DocumentLimits.of(rules))
    if isinstance(found, RejectedDocument):
        raise _refused(found)
    async with given.change() as connection:
        # Uploads of one person wait for one another, so that together they stay below the day's limit.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"upload/{user.user_id}")
        await _check_quota(connection, given, user, len(content), rules)
        # Retention holds the same row while it takes a file away.
        await connection.fetchval("SELECT 1 FROM documents WHERE sha256 = $1 FOR UPDATE", found.sha256)
        await given.permits.documents.keep(found.sha256, content)
        await _record(connection, given, user, found, remote)
    return DocumentRecord(
        found.sha256, found.media_type.value, found.size_bytes, found.width_px, found.height_px, given.clock()
    )


async def _rules(given: Services) -> PermitRules:
    today = given.clock().astimezone(given.config.zone).date()
    return (await rule_books.permit_rules(given.pool)).at(today)


async def _check_quota(db: Reader, given: Services, user: CurrentUser, size_bytes: int, rules: PermitRules) -> None:
    most = rules.count(keys.DOCUMENT_DAY_BYTES_MAX)
    used = await db.fetchval(
        "SELECT coalesce(sum(size_bytes), 0)::bigint FROM document_uploads WHERE user_id = $1 AND at >= $2",
        user.user_id,
        given.today_from(),
    )
    if used + size_bytes > most:
        raise Problem("day_is_full", detail=f"{used} of {most} bytes are used today")


def _refused(found: RejectedDocument) -> Problem:
    chinese, english = (text.replace("{detail}", found.detail) for text in DOCUMENT_PROBLEMS[found.problem])
    return Problem("document_refused", detail=english, why=found.problem.value, why_zh=chinese, why_en=english)


async def _record(connection: Any, given: Services, user: CurrentUser, found: AcceptedDocument, remote: str) -> None:
    now = given.clock()
    await connection.execute(
        "INSERT INTO documents (sha256, media_type, size_bytes, width_px, height_px, uploader, stored_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (sha256) DO UPDATE SET deleted_at = NULL,"
        " stored_at = CASE WHEN documents.deleted_at IS NULL THEN documents.stored_at ELSE excluded.stored_at END",
        found.sha256,
        found.media_type.value,
        found.size_bytes,
        found.width_px,
        found.height_px,
        user.user_id,
        now,
    )
    await connection.execute(
        "INSERT INTO document_uploads (sha256, user_id, size_bytes, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        found.sha256,
        user.user_id,
        found.size_bytes,
        now,
    )
    await write_audit(
        connection,
        at=now,
        actor=Actor.of(user, remote),
        action="document_uploaded",
        subject=("document", found.sha256),
        after={"media_type": found.media_type.value, "size_bytes": found.size_bytes},
    )


async def opened(given: Services, user: CurrentUser, sha256: str, *, remote: str = "") -> tuple[Path, dict[str, str]]:
    """The file and the headers with which it leaves; that it was opened is audited. Raises Problem `not_found`."""
    path = given.permits.documents.path_of(sha256)
    row = await given.pool.fetchrow(
        f"SELECT {_COLUMNS} FROM documents WHERE sha256 = $1 AND deleted_at IS NULL", sha256
    )
    if row is None or not await _may_open(given.pool, user, sha256) or not path.is_file():
        raise Problem("not_found")
    actor, subject = Actor.of(user, remote), ("document", sha256)
    for person_id in await _whose(given.pool, sha256):
        await note_access(given, actor, "document_opened", subject, what={"person_id": person_id})
    document = AcceptedDocument(
        row["sha256"], MediaType(row["media_type"]), row["size_bytes"], row["width_px"], row["height_px"]
    )
    return path, response_headers(document)


async def _whose(db: Reader, sha256: str) -> list[str]:
    """Whose a paper is: the applicants of what it belongs to, or whoever uploaded it."""
    rows = await db.fetch(
        "SELECT DISTINCT a.applicant_id AS person_id FROM document_uses u LEFT JOIN visits v ON u.kind = 'visit'"
        " AND v.visit_id = u.subject_id JOIN applications a ON a.application_id ="
        " CASE u.kind WHEN 'application' THEN u.subject_id ELSE v.application_id END"
        " WHERE u.sha256 = $1 AND a.applicant_id <> '' ORDER BY 1",
        sha256,
    )
    found = [row["person_id"] for row in rows]
    return found or [await db.fetchval("SELECT uploader FROM documents WHERE sha256 = $1", sha256)]


async def _may_open(db: Reader, user: CurrentUser, sha256: str) -> bool:
    if user.may(Can.READ_APPLICATIONS):
        return True
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT 1 FROM document_uploads WHERE sha256 = $1 AND user_id = $2)"
            " OR EXISTS (SELECT 1 FROM document_uses u JOIN applications a ON a.application_id = u.subject_id"
            "   WHERE u.sha256 = $1 AND u.kind = 'application' AND a.applicant_id = ANY($3::text[]))",
            sha256,
            user.user_id,
            list(owners_of(user)),
        )
    )


async def papers(
    connection: Any, user: CurrentUser, wanted: Sequence[Paper], *, already: Iterable[Paper] = ()
) -> tuple[Paper, ...]:
    """The papers with type and size as they were found to be; what a sender says of them does not count.

    A paper is one that this person sent, or that was there `already`. Raises Problem `paper_unknown`.
    """
    hashes = [paper.sha256 for paper in wanted]
    rows = await connection.fetch(
        "SELECT d.sha256, d.media_type, d.size_bytes FROM documents d WHERE d.sha256 = ANY($1::text[])"
        " AND d.deleted_at IS NULL AND (d.sha256 = ANY($3::text[])"
        "   OR EXISTS (SELECT 1 FROM document_uploads u WHERE u.sha256 = d.sha256 AND u.user_id = $2))",
        hashes,
        user.user_id,
        [paper.sha256 for paper in already],
    )
    known = {row["sha256"]: row for row in rows}
    missing = [sha256 for sha256 in hashes if sha256 not in known]
    if missing:
        raise Problem("paper_unknown", detail=missing[0])
    return tuple(
        replace(paper, media_type=known[paper.sha256]["media_type"], size_bytes=known[paper.sha256]["size_bytes"])
        for paper in wanted
    )


async def use(
    connection: Any, user: CurrentUser, sha256s: Sequence[str], *, kind: str, subject_id: str, at: Any
) -> tuple[Paper, ...]:
    """Says what papers of this person belong to: `application`, `visit` or `carbon`. Raises Problem `paper_unknown`."""
    found = await papers(connection, user, [Paper(sha256, "other", "", 0) for sha256 in sha256s])
    await note_uses(connection, sha256s, kind=kind, subject_id=subject_id, at=at)
    return found


async def drop_uses(connection: Any, *, kind: str, subject_id: str) -> None:
    """Nothing belongs to this any more; papers that belong to nothing else are loose."""
    await connection.execute("DELETE FROM document_uses WHERE kind = $1 AND subject_id = $2", kind, subject_id)


async def note_uses(connection: Any, sha256s: Sequence[str], *, kind: str, subject_id: str, at: Any) -> None:
    """Writes down what papers belong to; they stay as long as that is kept."""
    await connection.executemany(
        "INSERT INTO document_uses (sha256, kind, subject_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [(sha256, kind, subject_id, at) for sha256 in dict.fromkeys(sha256s)],
    )
