"""Emergency entries: owns the draft that one leaves behind, and whose it becomes.

道路交通安全法 art. 53: the vehicle goes in first, its papers follow within the dated term. The draft belongs to the
account that has the plate confirmed; without one, to nobody until the office says whose it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloud_sync.server.permits import history, storing, vehicles
from cloud_sync.server.services import Services
from cloud_sync.server.sql import in_list
from cloud_sync.server.store import Actor
from control.permits.application import WITH_APPLICANT, Application, emergency_entry
from control.permits.passages import Passage
from control.permits.transitions import Action, Step, take

_ACCOUNT = Actor("system")


async def draft(connection: Any, given: Services, passage: Passage) -> None:
    """The draft of one entry, once, however often its events come; with the plate as it is read by now."""
    known = await connection.fetchval(
        "SELECT application_id FROM applications WHERE arrival_id = $1", passage.arrival_id
    )
    if known is not None:
        await _reread(connection, given, known, passage.plate)
        return
    now = given.clock()
    made = emergency_entry(
        application_id=await storing.new_number(connection, now.astimezone(given.config.zone).year),
        plate=passage.plate,
        gate_id=passage.gate_id,
        # A gate's clock may be ahead; nothing can be done before the entry.
        entered_at=min(passage.at, now),
        by=history.SYSTEM,
        applicant_id=await vehicles.owner_of(connection, passage.plate),
    )
    await storing.insert(connection, given, made, account=_ACCOUNT, arrival_id=passage.arrival_id)


async def _reread(connection: Any, given: Services, application_id: str, plate: str) -> None:
    """Somebody named the plate otherwise, and nobody has worked on the draft yet: it follows, as does its owner."""
    held = await storing.held(connection, application_id)
    if held is None or held.redacted or held.application.form.plate == plate:
        return
    if not _untouched(held):
        return
    form = replace(held.application.form, plate=plate)
    await _system_step(connection, given, held, Action.EDIT, form=form)
    owner_id = await vehicles.owner_of(connection, plate)
    if owner_id:
        await _assign(connection, given, application_id, owner_id)


async def find_owners(given: Services) -> int:
    """Drafts without an owner whose plate somebody has had confirmed since then; how many found theirs."""
    rows = await given.pool.fetch(
        "SELECT a.application_id, v.owner_id FROM applications a JOIN vehicles v ON v.plate = a.plate"
        f" WHERE a.applicant_id = '' AND a.entered_at IS NOT NULL AND a.status IN {in_list(WITH_APPLICANT)}"
        " AND v.removed_at IS NULL AND v.confirmed_at IS NOT NULL LIMIT 100"
    )
    for row in rows:
        async with given.change() as connection:
            await _assign(connection, given, row["application_id"], row["owner_id"])
    return len(rows)


async def _assign(connection: Any, given: Services, application_id: str, owner_id: str) -> None:
    """What a person has said about whose it is stays."""
    held = await storing.held(connection, application_id)
    if held is None or held.application.applicant_id == owner_id:
        return
    if not held.application.applicant_id or _untouched(held):
        await _system_step(connection, given, held, Action.ASSIGN, applicant_id=owner_id)


def _untouched(held: storing.Held) -> bool:
    return all(line.by == history.SYSTEM for line in held.application.history)


async def _system_step(connection: Any, given: Services, held: storing.Held, action: Action, **more: Any) -> None:
    step = Step(action=action, by=history.SYSTEM, at=given.clock(), **more)
    moved = take(held.application, step, (await storing.book(connection)).of(held.application, given))
    if isinstance(moved, Application):
        details = history.details_of(step)
        await storing.save(connection, given, held, moved, account=_ACCOUNT, details=details)
