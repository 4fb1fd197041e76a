"""Applying for a permit: owns the course of the form, step by step, and handing it in.

Every change is kept in the phone before anything else happens; the steps themselves are `apply_steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.api.permits import CheckRecord
from mobile.core.errors import ApiProblem, Offline
from mobile.core.models.application_draft import Draft, Drafts
from mobile.core.models.application_gaps import STEPS, gaps, step_of
from mobile.core.models.application_sending import checked
from mobile.core.models.applications import OneApplication, can_discard, discard
from mobile.core.models.choices import Choices
from mobile.core.models.vehicles import Vehicles
from mobile.core.outbox import SENT, Entry
from mobile.core.words import N_
from mobile.ui.kit import Column, FilledButton, IconButton, Note, Scroll, Skeleton, Stepper
from mobile.ui.screens import apply_steps
from mobile.ui.screens.discarding import CHANGES, EVERYWHERE, ON_PHONE, discard_dialog
from mobile.ui.screens.page import Page
from mobile.ui.screens.permits import refusal

TITLES = (N_("Vehicle"), N_("What for"), N_("Where and when"), N_("Papers"), N_("Look it over"))
OVERVIEW = len(STEPS)
# How long handing in waits for the answer before it says that it is kept.
ANSWER_WITHIN_S = 8.0


class Apply(Page):
    """`given`: `draft_id` (one of the phone's), or `application_id` (one that can be changed), or neither (a new one).

    `step` opens at that step; `form` has the fields that a new one begins with.
    """

    has_bar = False

    def opened(self) -> None:
        self.drafts, self.choices = Drafts(self.client), Choices(self.client)
        self.vehicles = Vehicles(self.client)
        self._application: OneApplication | None = None
        self._asked, self._is_busy, self._is_leaving = False, False, False
        self._refusal, self.check = "", None
        self._problems: dict[str, str] = {}
        self.draft: Draft | None = None
        self._drawn: tuple[Any, ...] = ()
        if self.given.get("draft_id"):
            self.draft = self.drafts.get(self.given["draft_id"])
        number = self.given.get("application_id") or (self.draft.application_id if self.draft else None)
        if number:
            self._application = OneApplication(self.client, number)
            self.watch(self._application.changed, self._application_heard)
            self._application_heard()
        elif self.draft is None:
            self.draft = self._new()
        self._drawn = self._facts()
        self.watch(self.choices.changed, self._redraw_if_changed)
        self.watch(self.vehicles.changed, self._redraw_if_changed)

    def _facts(self) -> tuple[Any, ...]:
        """What others say; a finger may be on the page, so it is built again for a change alone."""
        record = None if self._application is None else self._application.shown
        phases = (self.choices.shown.phase == "error", record is not None and record.phase == "error")
        return self.choices.shown.value, self.vehicles.shown.value or (), record and record.value, phases

    def _redraw_if_changed(self) -> None:
        facts = self._facts()
        if facts != self._drawn:
            self._drawn = facts
            self.redraw()

    def _new(self) -> Draft:
        person = self.client.session.person
        holder = "" if person is None else person.name or person.username
        begun = {"holder": holder, "permit_class": "special", "entry_kind": "single", "plate_colour": "unknown"}
        return self.drafts.new(begun | self.given.get("form", {}))

    def _application_heard(self) -> None:
        """The server's form comes once; what was entered since then lies over it."""
        assert self._application is not None
        record = self._application.shown.value
        if record is None:
            self._redraw_if_changed()
            return
        is_newer = self.draft is None or self.draft.version != record.row.version
        if record.row.status in ("draft", "returned") and is_newer and not self._is_busy:
            begun = self.draft is None
            self.draft = self.drafts.of(record)
            if begun and self.given.get("step") is not None:
                self.draft = self.drafts.turn_to(self.draft, self.given["step"])
        self._redraw_if_changed()

    @property
    def title(self) -> str:
        if self.draft is not None and self.draft.application_id:
            return self.draft.application_id
        return self.words("New application")

    def on_shown(self) -> None:
        if self._is_leaving:  # handed in while another screen was in front
            Clock.schedule_once(lambda _elapsed_s: self._leave())
            return
        self.run(self.choices.refresh_if_old())
        self.run(self.vehicles.refresh_if_old())
        if self._application is not None:
            self.run(self._application.refresh_if_old())
        if self.draft is not None and self.draft.step == OVERVIEW:
            self.run(self._check())

    def closed(self) -> None:
        for one in (self.choices, self.vehicles, self._application):
            if one is not None:
                one.close()

    def on_back(self) -> bool:
        if self._is_leaving or self.draft is None or self.draft.step == 0 or self._is_busy:
            return False
        self.turn_to(self.draft.step - 1)
        return True

    # ------------------------------------------------------------ for the steps

    @property
    def form(self) -> dict[str, Any]:
        """What was entered."""
        assert self.draft is not None
        return self.draft.form

    def change(self, **fields: Any) -> None:
        """Keep fields; what was wrong with them is no longer said."""
        assert self.draft is not None
        self.draft = self.drafts.change(self.draft, **fields)
        for name in fields:
            self._problems.pop(name, None)
        self._refusal, self.check = "", None

    def changed(self, **fields: Any) -> None:
        """The same, and the page follows."""
        self.change(**fields)
        self.redraw()

    def error(self, field: str) -> str:
        """What is wrong with a field, once that was asked for."""
        assert self.draft is not None
        if field in self._problems:
            return self._problems[field]
        if self._asked and field in gaps(self.draft, self.choices.permit_class(self.form.get("permit_class", ""))):
            return self.words("This is needed.") if not self.form.get(field) else self.words("This cannot be right.")
        return ""

    def remarks(self, *fields: str) -> list[Widget]:
        """What the office wrote beside these fields."""
        said = () if self._application is None else self._application.remarks()
        return [
            Note(text=text, icon="message-square-warning", tone="hold", test_id=f"remark-{field}")
            for field, text in said
            if field in fields
        ]

    def turn_to(self, step: int) -> None:
        """Another page of the form; not while it is being handed in."""
        assert self.draft is not None
        if self._is_busy:
            return
        if self.drafts.get(self.draft.draft_id) is None:
            self.draft = self.drafts.change(self.draft)
        self.draft = self.drafts.turn_to(self.draft, step)
        self.redraw()
        if step == OVERVIEW:
            self.run(self._check())

    # ------------------------------------------------------------ widgets

    def actions(self) -> Sequence[Widget]:
        if self.draft is None or self._is_busy:
            return ()
        discard = IconButton(icon="trash-2", label=self.words("Throw this draft away"), tone="ink2", test_id="discard")
        discard.bind(on_release=lambda _button: self._ask_discard())
        return [discard]

    def build(self) -> Widget:
        """Each step begins at its top: its scroller has a name of its own."""
        page = super().build()
        for one in page.walk():
            if isinstance(one, Scroll) and not one.test_id:
                one.test_id = f"step-{0 if self.draft is None else self.draft.step}"
        return page

    def parts(self) -> Sequence[Widget]:
        draft = self.draft
        if draft is None:
            assert self._application is not None
            return self.waiting_for(self._application, kind="row", rows=5)
        stepper = Stepper(count=len(TITLES), at=draft.step + 1, title=self.words(TITLES[draft.step]), test_id="stepper")
        stepper.note = f"{draft.step + 1}/{len(TITLES)}"
        if self.choices.shown.value is None and draft.step < OVERVIEW:
            if self.choices.shown.phase == "error":
                return [stepper, *self.waiting_for(self.choices)]
            return [stepper, Skeleton(kind="row", rows=4, test_id="loading")]
        general = self.remarks("") if draft.step == 0 else []
        return [stepper, *general, *apply_steps.STEPS[draft.step](self)]

    def footer(self) -> Widget | None:
        if self.draft is None:
            return None
        foot = Column(padding=(dp(20), dp(8), dp(20), dp(16)), spacing=dp(4))
        is_last = self.draft.step == OVERVIEW
        button = FilledButton(text=self.words("Hand it in") if is_last else self.words("Next"))
        button.icon, button.test_id, button.busy = ("send" if is_last else ""), "next", self._is_busy
        button.bind(on_release=lambda _button: self._hand_in() if is_last else self._next())
        foot.add_widget(button)
        return foot

    @property
    def refusal(self) -> str:
        """Why the server did not take it, where it was handed in from here."""
        return self._refusal

    def gaps(self) -> tuple[str, ...]:
        """What is missing still."""
        assert self.draft is not None
        return gaps(self.draft, self.choices.permit_class(self.form.get("permit_class", "")))

    # ------------------------------------------------------------ the course

    def _next(self) -> None:
        assert self.draft is not None
        here = [name for name in self.gaps() if step_of(name) == self.draft.step]
        if here and not self._asked:
            self._asked = True  # said once; whoever presses again goes on and comes back later
            self.redraw()
            return
        self._asked = False
        self.turn_to(self.draft.step + 1)

    async def _check(self) -> None:
        """The server's own checks, where it can be reached."""
        draft = self.draft
        assert draft is not None
        if self.gaps():
            return
        try:
            found = await checked(self.client, draft)
        except Offline:
            return
        except ApiProblem as problem:
            self._refusal = problem.sentence(self.words.language)
            self.redraw()
            return
        if self.draft is draft:
            self._take_check(found)

    def _take_check(self, found: CheckRecord) -> None:
        self.check = found
        self._problems = {one.field: self.words.both(one.words.zh, one.words.en) for one in found.problems}
        self.redraw()

    def _hand_in(self) -> None:
        if self._is_busy:
            return
        missing = self.gaps()
        if missing:
            self._asked = True
            self.turn_to(step_of(missing[0]))
            return
        self._is_busy = True
        self.redraw()
        self.run(self._handed_in(), outlives=True)

    async def _handed_in(self) -> None:
        assert self.draft is not None
        try:
            entry = self.drafts.hand_in(self.draft)
            found = await self.client.outbox.settled(entry.entry_id, ANSWER_WITHIN_S)
        finally:
            self._is_busy = False
            self.redraw()
        if found is not None and found.state == "refused":
            self._take_back(found)
            return
        self._is_leaving = True
        self._leave()
        if found is not None and found.state == SENT:
            self.say(self.words("Handed in. The office answers here."), icon="circle-check")
        else:
            self.say(self.words("Kept. It is sent as soon as there is a network."), icon="cloud-upload")

    def _take_back(self, entry: Entry) -> None:
        self.draft = self.drafts.take_back(entry) or self.draft
        self._refusal = refusal(self.words, entry)
        problems = [] if entry.problem is None else entry.problem.more.get("problems", [])
        key = self.words.both("zh", "en")
        self._problems = {one["field"]: one[key] for one in problems}
        if not self.is_shown:
            self.say(self._refusal, icon="octagon-x")
        self.redraw()

    def _leave(self) -> None:
        """Only from here: what the person went to meanwhile stays in front."""
        if self.is_shown:
            self.back()

    def _ask_discard(self) -> None:
        assert self.draft is not None
        what = ON_PHONE
        if self.draft.application_id:
            what = EVERYWHERE if self._is_only_a_draft() else CHANGES
        discard_dialog(self, self._discard, what=what).open(self)

    def _is_only_a_draft(self) -> bool:
        """Whether the server has it as a draft that goes too."""
        record = None if self._application is None else self._application.shown.value
        return record is not None and can_discard(record.row)

    def _discard(self) -> None:
        assert self.draft is not None
        if self._is_only_a_draft():
            self.run(self._discarded(), outlives=True)
        else:
            self._forget()

    async def _discarded(self) -> None:
        assert self.draft is not None
        assert self.draft.application_id is not None
        self._is_busy = True
        self.redraw()
        try:
            await discard(self.client, self.draft.application_id)
        finally:
            self._is_busy = False
            self.redraw()
        self.say(self.words("The draft is deleted."), icon="circle-check")
        self._forget()

    def _forget(self) -> None:
        assert self.draft is not None
        self.drafts.drop(self.draft)
        self._is_leaving = True
        self._leave()
