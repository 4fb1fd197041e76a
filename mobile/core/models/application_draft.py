"""Filling in an application: owns the drafts in the phone, each kept at every change.

How one is handed in is `application_sending`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mobile.core.api.parsing import parse, plain
from mobile.core.api.permits import ApplicationRecord, Form
from mobile.core.models.kept_files import drop_unneeded

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.outbox import Entry

APPLICATION = "application"
_DRAFTS = "application/"
# What the server made of a draft whose handing in was refused later on.
_MADE = "application-made/"


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

    `form` holds fields by their names in `Form`, as JSON; papers stand beside it. `base` is the server's form that it
    was made from. `submits` is how often the server's application had been handed in by then.
    """

    draft_id: str
    made_at: datetime
    changed_at: datetime
    application_id: str | None = None
    version: int | None = None
    submits: int = 0
    form: dict[str, Any] = field(default_factory=dict)
    papers: tuple[DraftPaper, ...] = ()
    step: int = 0
    base: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> dict[str, Any]:
        """Fields that were entered here: they differ from the server's that it was made from."""
        return {name: one for name, one in self.form.items() if name not in self.base or self.base[name] != one}


@dataclass(frozen=True, slots=True)
class _Made:
    application_id: str
    version: int


class Drafts:
    """Drafts of the account that is signed in. Every method may raise StoreError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> tuple[Draft, ...]:
        """The last changed first; what was put into the outbox is not among them."""
        handed_in = {one.body["draft_id"] for one in self._client.outbox.entries(APPLICATION)}
        kept: list[Draft] = [parse(Draft, one) for one in self._client.store.drafts(_DRAFTS).values()]
        here = (one for one in kept if one.draft_id not in handed_in)
        return tuple(sorted(here, key=lambda one: one.changed_at, reverse=True))

    def get(self, draft_id: str) -> Draft | None:
        """One of them."""
        kept = self._client.store.draft_get(_DRAFTS + draft_id)
        return None if kept is None else parse(Draft, kept)

    def new(self, form: Mapping[str, Any] | None = None) -> Draft:
        """An empty one, or one that begins with some fields; it is kept at its first change."""
        now = self._client.clock.now()
        return Draft(uuid4().hex, now, now, form=plain(form or {}))

    def copy(self, form: Form) -> Draft:
        """One like a past one. Window and papers are left out: both have to be true today."""
        return self._keep(self.new({**entered(form), "window_from": None, "window_until": None}))

    def of(self, application: ApplicationRecord) -> Draft:
        """The draft of an application that can be changed: the one in the phone, else the server's.

        What was entered here stays; it lies over the server's fields, which others may have changed since.
        """
        number = application.row.application_id
        mine = next((one for one in self.all() if one.application_id == number), None)
        server, now = entered(application.form), self._client.clock.now()
        form = dict(server)
        if mine is None:
            mine = Draft(uuid4().hex, now, now, number, papers=_papers(application.form))
        else:
            form |= mine.changed
        version, submits = application.row.version, submits_of(application)
        return self._keep(replace(mine, version=version, submits=submits, form=form, base=server))

    def change(self, draft: Draft, **fields: Any) -> Draft:
        """Keeps changed fields."""
        return self._keep(replace(draft, form=draft.form | plain(fields)))

    def turn_to(self, draft: Draft, step: int) -> Draft:
        """Keeps which page of the form was open."""
        return self._keep(replace(draft, step=step))

    def add_paper(self, draft: Draft, content: bytes, *, kind: str, name: str, media_type: str) -> Draft:
        """Keeps a paper in the phone; the same bytes stand once."""
        sha256 = self._client.files.keep(content)
        paper = DraftPaper(sha256, kind, name, media_type, len(content))
        others = tuple(one for one in draft.papers if one.sha256 != sha256)
        return self._keep(replace(draft, papers=(*others, paper)))

    def date_paper(self, draft: Draft, paper: DraftPaper, valid_until: date | None) -> Draft:
        """Keeps the last day that stands on a paper."""
        dated = replace(paper, valid_until=valid_until)
        return self._keep(replace(draft, papers=tuple(dated if one == paper else one for one in draft.papers)))

    def drop_paper(self, draft: Draft, paper: DraftPaper) -> Draft:
        """Takes a paper out of the form."""
        changed = self._keep(replace(draft, papers=tuple(one for one in draft.papers if one != paper)))
        self._drop_files((paper,))
        return changed

    def drop(self, draft: Draft) -> None:
        """Throws a draft away on the phone; what the server has of it stays there."""
        self._client.store.draft_drop(_DRAFTS + draft.draft_id)
        self._drop_files(draft.papers)

    # ------------------------------------------------------------ the outbox

    def hand_in(self, draft: Draft) -> Entry:
        """Puts it into the outbox, in one step with taking it from the drafts; when this returns it is sent once.

        What was put there as it is now is not put there again.
        """
        body, outbox = plain(draft), self._client.outbox
        there = (one for one in outbox.entries(APPLICATION) if one.state != "refused" and one.body == body)
        return next(there, None) or outbox.put(APPLICATION, body, draft=_DRAFTS + draft.draft_id)

    def take_back(self, entry: Entry) -> Draft | None:
        """An entry that was refused, or never tried, as a draft again; None when it may be on its way."""
        draft: Draft = parse(Draft, entry.body)
        made = self.made_of(entry)
        if made is not None:
            draft = replace(draft, application_id=made[0], version=made[1], base=draft.form)
        # Kept first: were the phone to fall asleep here for good, it would stand twice rather than not at all.
        draft = self._keep(draft)
        if self._client.outbox.dismiss(entry.entry_id) or self._client.outbox.withdraw(entry.entry_id):
            return draft
        self._client.store.draft_drop(_DRAFTS + draft.draft_id)
        return None

    def made_of(self, entry: Entry) -> tuple[str, int] | None:
        """Number and version of the application that the server made of an entry before it was refused."""
        kept = self._client.store.draft_get(_MADE + entry.body["draft_id"])
        made = None if kept is None else parse(_Made, kept)
        return None if made is None else (made.application_id, made.version)

    def note_made(self, draft: Draft, application: ApplicationRecord) -> None:
        """The server has an application of this draft."""
        made = _Made(application.row.application_id, application.row.version)
        self._client.store.draft_put(_MADE + draft.draft_id, plain(made))

    def tidy(self) -> None:
        """Forgets what was handed in, with its papers: the server has both."""
        for entry in self._client.outbox.entries(APPLICATION, "sent"):
            draft: Draft = parse(Draft, entry.body)
            self._client.store.draft_drop(_DRAFTS + draft.draft_id)
            self._client.store.draft_drop(_MADE + draft.draft_id)
            self._client.outbox.dismiss(entry.entry_id)
            self._drop_files(draft.papers)

    # ------------------------------------------------------------ inside

    def _keep(self, draft: Draft) -> Draft:
        kept = replace(draft, changed_at=self._client.clock.now())
        self._client.store.draft_put(_DRAFTS + draft.draft_id, plain(kept))
        return kept

    def _drop_files(self, papers: tuple[DraftPaper, ...]) -> None:
        """Removes papers that no other draft and nothing in the outbox needs."""
        drop_unneeded(self._client, (one.sha256 for one in papers if one.is_here))


def entered(form: Form) -> dict[str, Any]:
    """The server's form without its papers, as drafts keep it."""
    fields: dict[str, Any] = plain(form)
    del fields["papers"]
    return fields


def submits_of(application: ApplicationRecord) -> int:
    """How often it was handed in."""
    return sum(one.action == "submit" for one in application.history)


def _papers(form: Form) -> tuple[DraftPaper, ...]:
    return tuple(
        DraftPaper(one.sha256, one.kind, one.name, one.media_type, one.size_bytes, one.valid_until, is_here=False)
        for one in form.papers
    )
