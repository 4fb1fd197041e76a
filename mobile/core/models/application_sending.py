"""Handing an application in: owns the steps to it (papers, form, the step itself), each of which may be repeated.

An answer may be lost after every step. What was done is then seen in the application: how often it was handed in, and
whether its form is the one that was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mobile.core.api.parsing import parse, plain
from mobile.core.api.permits import ApplicationRecord, CheckRecord, Form
from mobile.core.errors import ApiProblem
from mobile.core.models.application_draft import APPLICATION, Draft, Drafts, entered, submits_of

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.outbox import Entry

_OPEN = ("draft", "returned")


def register(client: Client) -> None:
    """Tells the outbox how applications are handed in; once for a client."""

    async def send(entry: Entry) -> Any:
        draft: Draft = parse(Draft, entry.body)
        for paper in draft.papers:
            if paper.is_here:
                await client.api.permits.upload(client.files.read(paper.sha256))
        record = await _filed(client, draft, entry)
        if submits_of(record) > draft.submits:
            if entry.tries == 1:
                raise _moved_on()
            return {"application_id": record.row.application_id}  # an earlier try did it; its answer was lost
        if record.row.status not in _OPEN:
            raise _moved_on()
        record = await client.api.permits.submit(record.row.application_id, version=record.row.version)
        return {"application_id": record.row.application_id}

    client.outbox.register(APPLICATION, send)


async def checked(client: Client, draft: Draft) -> CheckRecord:
    """What the server's automatic checks find; nothing is filed by it. Raises ApiProblem, Offline."""
    return await client.api.permits.check_form(body_of(draft), application_id=draft.application_id or "")


async def _filed(client: Client, draft: Draft, entry: Entry) -> ApplicationRecord:
    """The application with what was entered; as it is where it was handed in already."""
    permits, drafts = client.api.permits, Drafts(client)
    if draft.application_id is None:
        made = await permits.create(body_of(draft), key=entry.key)
        record = await permits.application(made.row.application_id)
        drafts.note_made(draft, record)
        return record
    record = await permits.application(draft.application_id)
    can_change = record.row.status in _OPEN and submits_of(record) <= draft.submits
    if not can_change or (record.row.version != draft.version and _is_same(draft, record)):
        return record
    version = record.row.version if draft.version is None else draft.version
    record = await permits.edit(draft.application_id, version=version, form=body_of(draft))
    drafts.note_made(draft, record)
    return record


def body_of(draft: Draft) -> dict[str, Any]:
    """The form as the server takes it."""
    papers = [{name: getattr(one, name) for name in ("sha256", "kind", "name", "valid_until")} for one in draft.papers]
    return {**draft.form, "papers": plain(papers)}


def _is_same(draft: Draft, record: ApplicationRecord) -> bool:
    """Whether the server's form holds what was entered: an earlier try changed it."""
    mine: Form = parse(Form, {**entered(record.form), **draft.form, "papers": []})
    theirs: Form = parse(Form, {**entered(record.form), "papers": []})
    papers = {(one.sha256, one.kind, one.valid_until) for one in record.form.papers}
    return mine == theirs and papers == {(one.sha256, one.kind, one.valid_until) for one in draft.papers}


def _moved_on() -> ApiProblem:
    return ApiProblem(
        "application_moved_on",
        zh="这份申请已经在别处提交或办结，这里的修改没有提交",
        en="This application was handed in or decided elsewhere; the changes made here were not handed in",
        status=409,
    )
