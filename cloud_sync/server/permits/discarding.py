"""Throwing a draft away: owns that its applicant may take back what was never handed in, and what remains of it.

Numbers are counted and lines of a history are never deleted, so the number stays with an empty form, as after the time
for keeping drafts is over; its papers belong to it no longer.
"""

from __future__ import annotations

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.live import Change, announce
from cloud_sync.server.permits import access, documents, forgetting, storing
from cloud_sync.server.permits.storing import Held
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit
from control.permits.application import Status


async def discard(given: Services, user: CurrentUser, application_id: str, *, remote: str = "") -> None:
    """The draft is gone for everybody; one that is gone already stays so.

    Raises Problem `not_found`, `forbidden` to staff who only see it, `not_a_draft`, and `draft_of_entry`: a vehicle is
    on the island by it, so its papers are due.
    """
    now, subject = given.clock(), ("application", application_id)
    async with given.change() as connection:
        held = await storing.held(connection, application_id)
        if held is None or not access.may_read(user, held.application.applicant_id):
            raise Problem("not_found")
        if held.application.applicant_id not in access.owners_of(user):
            raise Problem("forbidden")
        if _is_gone(held):
            return
        await forgetting.redact(connection, [application_id], now)
        await documents.drop_uses(connection, kind="application", subject_id=application_id)
        await write_audit(
            connection, at=now, actor=Actor.of(user, remote), action="application_discarded", subject=subject
        )
        await announce(connection, [Change("application", application_id)])


def _is_gone(held: Held) -> bool:
    """Whether nothing is left to throw away. Raises Problem for what may not be."""
    if held.application.status is not Status.DRAFT:
        raise Problem("not_a_draft", application_status=held.application.status.value)
    if held.application.entered_at is not None:
        raise Problem("draft_of_entry")
    return held.redacted
