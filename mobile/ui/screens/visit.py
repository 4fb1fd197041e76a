"""One visit: owns how its emission was computed, what covers it, and what can still be declared of it."""

from __future__ import annotations

from collections.abc import Sequence, Set

from kivy.uix.widget import Widget

from mobile.core.api.carbon import Declared, Figure, VisitRecord
from mobile.core.models.choices import Choices
from mobile.core.models.visits import OneVisit, save_paper
from mobile.core.outbox import Entry
from mobile.core.words import N_
from mobile.ports.papers import PDF
from mobile.ui.kit import (
    Card,
    CardList,
    Dialog,
    Divider,
    Note,
    OutlineButton,
    Pair,
    QuietButton,
    Row,
    Section,
    Tag,
    Text,
)
from mobile.ui.kit import (
    Figure as BigFigure,
)
from mobile.ui.screens.emission import standing
from mobile.ui.screens.page import Page
from mobile.ui.screens.permit_parts import UNITS, plate_line, title_of
from mobile.ui.screens.visit_declare import DeclareSheet

_PROBLEMS = {
    "nothing_known": N_("Too little is known of this visit. Declare its fuel, and there is a figure at once."),
    "no_engine": N_("By what is known the vehicle burns no fuel."),
    "missing_factor": N_("The office has no factor for this vehicle yet."),
}
DECLARED = {
    "fuel_used": N_("Fuel used"),
    "odometer_in_km": N_("Odometer on arrival"),
    "odometer_out_km": N_("Odometer on leaving"),
    "route_km": N_("Way on the island"),
    "idle_min": N_("Engine idling"),
    "pto_min": N_("Engine driving a machine"),
    "type_approval_per_100km": N_("Consumption by type approval"),
    "fuel": N_("Fuel"),
    "vehicle_class": N_("Emission class"),
}


class Visit(Page):
    """`given`: `visit_id`."""

    def opened(self) -> None:
        self._visit, self._choices = OneVisit(self.client, self.given["visit_id"]), Choices(self.client)
        self._is_making = False
        self._refused: Set[int] = {one.entry_id for one in self._visit.on_its_way() if one.state == "refused"}
        self.watch(self._visit.changed)
        self.watch(self._choices.changed)
        self.watch(self.client.outbox.changed, self._outbox_changed)

    @property
    def model(self) -> OneVisit:
        return self._visit

    @property
    def title(self) -> str:
        return self.words("Visit")

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._choices.refresh_if_old())

    def closed(self) -> None:
        self._visit.close()
        self._choices.close()

    def _outbox_changed(self) -> None:
        self.redraw()
        self._tell_refused()
        if self.is_shown and self._visit.was_sent():
            self._visit.tidy()
            self.run(self._visit.refresh())

    def _tell_refused(self) -> None:
        """Its card stands at the top; whoever has just declared looks at the end of the page."""
        refused = {one.entry_id: one for one in self._visit.on_its_way() if one.state == "refused"}
        for entry_id in refused.keys() - self._refused:
            problem = refused[entry_id].problem
            if self.is_shown and problem is not None:
                self.say(problem.sentence(self.words), icon="octagon-x")
        self._refused = refused.keys()

    # ------------------------------------------------------------ widgets

    def parts(self) -> Sequence[Widget]:
        record = self._visit.shown.value
        if record is None:
            return self.waiting_for(self._visit, kind="card", rows=3)
        parts: list[Widget] = []
        if age := self.age_of(self._visit):
            parts.append(Tag(text=self.words("As of {age}", age=age), tone="stale", icon="history"))
        parts.append(self._head(record))
        parts += [self._waiting(one) for one in self._visit.on_its_way()]
        if record.figure is not None:
            parts.append(self._computed(record, record.figure))
        parts.append(self._declare_card(record))
        if record.covers:
            parts += [Section(title=self.words("What covers it")), self._covers(record)]
        return parts

    def _head(self, record: VisitRecord) -> Widget:
        words, row, card = self.words, record.row, Card(test_id="head")
        text, tone, icon = standing(self, row)
        if row.problem:
            text, tone, icon = words("No figure yet"), "unsure", "circle-question-mark"
        card.add_widget(plate_line(words, row.plate, row.plate_colour, Tag(text=text, tone=tone, icon=icon)))
        card.add_widget(Text(text=title_of(words, self._choices, row.purpose, row.purpose_text), style="section"))
        card.add_widget(Text(text=self._stay(record), style="small", tone="ink2"))
        if row.problem:
            said = words(_PROBLEMS[row.problem]) if row.problem in _PROBLEMS else words("The office looks at it.")
            card.add_widget(Text(text=said, style="small", tone="unsure", test_id="problem"))
            return card
        value, _, unit = words.grams(row.owed_g).partition(" ")
        card.add_widget(BigFigure(value=value, unit=f"{unit} CO₂e", test_id="owed"))
        card.add_widget(Pair(label=words("Offset"), value=words.grams(row.covered_g), tone="admit"))
        if row.due_on is not None and row.open_g > 0:
            card.add_widget(Pair(label=words("To be offset by"), value=words.date(row.due_on), tone="hold"))
        if record.neutralised_at is not None:
            card.add_widget(self._certificate())
        return card

    def _stay(self, record: VisitRecord) -> str:
        words = self.words
        came, left = record.entered_at, record.left_at
        gates = self._choices.gates(one for one in (record.gate_in, record.gate_out) if one)
        when = (
            f"{words.when(came)} – {words.when(left) if left else words('unknown')}"
            if came
            else words.date(record.row.day)
        )
        return " · ".join(filter(None, (when, gates)))

    def _certificate(self) -> Widget:
        button = OutlineButton(text=self.words("Certificate as PDF"), icon="badge-check", compact=True, kind="admit")
        button.test_id, button.busy = "certificate", self._is_making
        button.bind(on_release=lambda _button: self.run(self._make(), outlives=True))
        return button

    async def _make(self) -> None:
        self._is_making = True
        self.redraw()
        try:
            content = await self._visit.certificate(self.words.language)
            path = await save_paper(self.client, f"certificate-{self.given['visit_id']}.pdf", content)
        finally:
            self._is_making = False
            self.redraw()
        await self.app.hand_over(path, PDF)

    def _waiting(self, entry: Entry) -> Widget:
        words, card = self.words, CardList(test_id=f"sending-{entry.entry_id}")
        if entry.state == "refused" and entry.problem is not None:
            row = Row(icon="octagon-x", title=words("Not taken"), subtitle=entry.problem.sentence(words), lines=4)
            row.icon_tone, row.icon_ground, row.chevron, row.pressable = "refuse", "refusesoft", True, True
            row.test_id = f"refused-{entry.entry_id}"
            row.bind(on_release=lambda _row: self._ask_about(entry))
        else:
            text = words("It is sent once, as soon as there is a network.")
            row = Row(icon="cloud-upload", title=words("Your statement is kept"), subtitle=text)
            row.icon_tone, row.icon_ground = "stale", "stalesoft"
        card.add_widget(row)
        return card

    def _ask_about(self, entry: Entry) -> None:
        """What becomes of a statement that was not taken; nothing of it goes unasked."""
        words = self.words
        text = words("Put it right and declare it again, or throw it away with its photos.")
        dialog = Dialog(title=words("This statement was not taken"), text=text, test_id="refused-dialog")
        dialog.confirm_text, dialog.cancel_text = words("Put it right"), words("Keep it")
        dialog.bind(on_confirm=lambda _dialog: DeclareSheet(self, self._choices, self._visit, entry).open(self))
        drop = QuietButton(text=words("Throw it away"), kind="refuse", test_id="refused-drop")
        drop.bind(on_release=lambda _button: (dialog.close(), self._visit.drop(entry)))
        dialog.body.add_widget(drop)
        dialog.open(self)

    def _computed(self, record: VisitRecord, figure: Figure) -> Widget:
        """The ladder's rung, the fuel, the gases, and the factors with their sources."""
        words, card = self.words, Card(test_id="computed")
        card.add_widget(Text(text=words("How it was computed"), style="section"))
        card.add_widget(Text(text=words.both(figure.tier_zh, figure.tier_en), style="small", tone="ink2"))
        unit = UNITS.get(figure.fuel, "L")
        fuel = f"{words.trimmed(figure.fuel_amount, 2)} {unit} · {self._choices.name('drives', figure.fuel)}"
        card.add_widget(Pair(label=words("Fuel burnt"), value=fuel))
        for name, grams in (("CO₂", figure.co2_g), ("CH₄", figure.ch4_g_co2e), ("N₂O", figure.n2o_g_co2e)):
            card.add_widget(Pair(label=name, value=words.grams(grams)))
        card.add_widget(Divider())
        card.add_widget(
            Pair(label=words("In all"), value=words("{grams} CO₂e", grams=words.grams(figure.total_g)), strong=True)
        )
        card.add_widget(Pair(label=words("Uncertainty"), value=f"± {words.percent(float(figure.uncertainty_frac))}"))
        if figure.assumed:
            text = words("Some of it was assumed from a standard visit. A statement of yours makes it more exact.")
            card.add_widget(Text(text=text, style="small", tone="hold"))
        for one in figure.set_aside:
            card.add_widget(Text(text=words.both(one.zh, one.en), style="small", tone="hold"))
        sources = dict.fromkeys(one.source for one in figure.factors)
        for source in sources:
            card.add_widget(Text(text=words("Source: {source}", source=source), style="small", tone="ink3"))
        said = words("Factors {version}, revision {n}", version=figure.factor_version, n=figure.revision)
        card.add_widget(Text(text=said, style="small", tone="ink3"))
        return card

    def _declare_card(self, record: VisitRecord) -> Widget:
        words, card, until = self.words, Card(test_id="declared"), record.evidence_until
        card.add_widget(Text(text=words("What was declared"), style="section"))
        for one in record.declared:
            card.add_widget(Text(text=self._declared(one), style="small", tone="ink2"))
        if not record.declared:
            card.add_widget(Text(text=words("Nothing yet."), style="small", tone="ink3"))
        if until is None or until < words.today():
            text = words("The time for statements is over.")
            if until is not None:
                text = words("Statements were taken until {day}.", day=words.date(until))
            card.add_widget(Note(text=text, icon="lock"))
            return card
        button = OutlineButton(text=words("Declare fuel or way"), icon="fuel", compact=True, test_id="declare")
        button.bind(on_release=lambda _button: DeclareSheet(self, self._choices, self._visit).open(self))
        card.add_widget(button)
        card.add_widget(Note(text=words("Possible until {day}.", day=words.date(until)), icon="calendar"))
        return card

    def _declared(self, one: Declared) -> str:
        words = self.words
        said = [
            f"{words(DECLARED[name]) if name in DECLARED else name} {value or words('withdrawn')}"
            for name, value in one.declared.items()
        ]
        who = words("You") if not one.by else words("The office")
        papers = words.n("{n} paper", "{n} papers", len(one.papers))
        return f"{words.when(one.at)} · {who}: {'; '.join((*said, papers) if one.papers else said)}"

    def _covers(self, record: VisitRecord) -> Widget:
        words, card = self.words, CardList(test_id="covers")
        for one in record.covers:
            row = Row(
                icon="leaf", title=one.project, lines=3, value=words.grams(one.to_g - one.from_g), value_tone="admit"
            )
            row.subtitle = f"{one.registry} · {one.vintage} · {one.serial}"
            card.add_widget(row)
        return card
