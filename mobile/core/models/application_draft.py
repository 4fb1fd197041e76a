"""Filling in an application: owns the draft in the phone, and handing it in once with its papers.

Every change is kept at once. Handing in waits in the outbox: papers first, then the form, then the step itself; each
part may be repeated. What the office returned opens with everything that was entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mobile.core.api.parsing import parse, plain
from mobile.core.api.permits import ApplicationRecord, Form
from mobile.core.errors import ApiProblem

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.outbox import Entry

APPLICATION = "application"
_DRAFTS = "application/"
_OPEN = ("draft", "returned")


@dataclass(frozen=True, slots=True)
class DraftPaper:
    """A paper of the form. `is_here`: its bytes lie in the phone and may not have been sent yet."""

    sha256: str
    kind: str
    name: str
    media_type: str
    size_bytes: int
    valid_until: date | None = None
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """What was entered. `version` is the server's that it was made from; None while the server knows nothing of it.

    `form` holds fields by their names in `Form`, as JSON; papers stand beside it.
    """

    draft_id: str
    made_at: datetime
    changed_at: datetime
    application_id: str | None = None
    version: int | None = None
    form: dict[str, Any] = field(default_factory=dict)
    papers: tuple[DraftPaper, ...] = ()
    step: int = 0


class Drafts:
    """Drafts of the account that is signed in. Every method may raise StoreError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> tuple[Draft, ...]:
        """The last changed first; what waits in the outbox is not among them."""
        kept = (parse(Draft, one) for one in self._client.store.drafts(_DRAFTS).values())
        return tuple(sorted(kept, key=lambda one: one.changed_at, reverse=True))

    def get(self, draft_id: str) -> Draft | None:
        """One of them."""
        kept = self._client.store.draft_get(_DRAFTS + draft_id)
        return None if kept is None else parse(Draft, kept)

    def new(self, form: Mapping[str, Any] | None = None) -> Draft:
        """An empty one, or one that begins with a vehicle's fields."""
        now = self._client.clock.now()
        return self._keep(Draft(uuid4().hex, now, now, form=plain(form or {})))

    def of(self, application: ApplicationRecord) -> Draft:
        """The draft of an application that can be changed: the one in the phone if it is as new, else the server's.

        What was entered here stays when the office changed nothing but its state; its fields lie over the server's.
        """
        mine = next((one for one in self.all() if one.application_id == application.row.application_id), None)
        server = _entered(application.form)
        now = self._client.clock.now()
        if mine is None:
            mine = Draft(uuid4().hex, now, now, application.row.application_id)
            papers = _papers(application.form)
        else:
            papers = mine.papers
            server |= mine.form
        return self._keep(replace(mine, version=application.row.version, form=server, papers=papers))

    def change(self, draft: Draft, **fields: Any) -> Draft:
        """Keeps changed fields; None takes one out."""
        return self._keep(replace(draft, form=draft.form | plain(fields)))

    def turn_to(self, draft: Draft, step: int) -> Draft:
        """Keeps which page of the form was open."""
        return self._keep(replace(draft, step=step))

    def add_paper(self, draft: Draft, content: bytes, *, kind: str, name: str, media_type: str) -> Draft:
        """Keeps a paper in the phone; the same bytes of the same kind stand once."""
        sha256 = self._client.files.keep(content)
        paper = DraftPaper(sha256, kind, name, media_type, len(content))
        others = tuple(one for one in draft.papers if (one.sha256, one.kind) != (sha256, kind))
        return self._keep(replace(draft, papers=(*others, paper)))

    def date_paper(self, draft: Draft, paper: DraftPaper, valid_until: date | None) -> Draft:
        """Keeps the last day that stands on a paper."""
        dated = replace(paper, valid_until=valid_until)
        return self._keep(replace(draft, papers=tuple(dated if one == paper else one for one in draft.papers)))

    def drop_paper(self, draft: Draft, paper: DraftPaper) -> Draft:
        """Takes a paper out of the form."""
        return self._keep(replace(draft, papers=tuple(one for one in draft.papers if one != paper)))

    def drop(self, draft: Draft) -> None:
        """Throws a draft away; what the server has of it stays there."""
        self._client.store.draft_drop(_DRAFTS + draft.draft_id)

    def hand_in(self, draft: Draft) -> Entry:
        """Puts it into the outbox; when this returns it will be sent, once."""
        entry = self._client.outbox.put(APPLICATION, plain(draft), key=draft.draft_id + f".{draft.version or 0}")
        self.drop(draft)
        return entry

    def take_back(self, entry: Entry) -> Draft | None:
        """An entry that was refused, or never tried, as a draft again; None when it may be on its way."""
        draft: Draft = parse(Draft, entry.body)
        is_mine = self._client.outbox.dismiss(entry.entry_id) or self._client.outbox.withdraw(entry.entry_id)
        return self._keep(draft) if is_mine else None

    def _keep(self, draft: Draft) -> Draft:
        kept = replace(draft, changed_at=self._client.clock.now())
        self._client.store.draft_put(_DRAFTS + draft.draft_id, plain(kept))
        return kept


def body_of(draft: Draft) -> dict[str, Any]:
    """The form as the server takes it."""
    papers = [{name: getattr(one, name) for name in ("sha256", "kind", "name", "valid_until")} for one in draft.papers]
    return {**draft.form, "papers": plain(papers)}


def _entered(form: Form) -> dict[str, Any]:
    entered: dict[str, Any] = plain(form)
    entered.pop("papers")
    return entered


def _papers(form: Form) -> tuple[DraftPaper, ...]:
    return tuple(
        DraftPaper(one.sha256, one.kind, one.name, one.media_type, one.size_bytes, one.valid_until, is_here=False)
        for one in form.papers
    )


def register(client: Client) -> None:
    """Tells the outbox how applications are handed in; once for a client."""

    async def send(entry: Entry) -> Any:
        draft: Draft = parse(Draft, entry.body)
        for paper in draft.papers:
            if paper.is_here:
                await client.api.permits.upload(client.files.read(paper.sha256))
        return plain(await _handed_in(client, draft, entry))

    client.outbox.register(APPLICATION, send)


async def _handed_in(client: Client, draft: Draft, entry: Entry) -> ApplicationRecord:
    """Creates or changes it, then hands it in. An earlier try may have done part of that, or all."""
    permits = client.api.permits
    if draft.application_id is None:
        record = await permits.create(body_of(draft), key=entry.key)
        record = await permits.application(record.row.application_id)
    else:
        record = await permits.application(draft.application_id)
        if record.row.status in _OPEN:
            version = draft.version if entry.tries == 1 and draft.version is not None else record.row.version
            record = await permits.edit(draft.application_id, version=version, form=body_of(draft))
    if record.row.status not in _OPEN:
        if entry.tries > 1:
            return record
        raise ApiProblem(
            "application_moved_on",
            zh="这份申请已经在办，不能再改",
            en="This application has moved on and cannot be changed any more",
            status=409,
        )
    return await permits.submit(record.row.application_id)
