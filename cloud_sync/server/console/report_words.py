"""Papers and inventories in words: owns what the verifying page and the reports page say of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words
from cloud_sync.server.papers.issued import Checked

KIND = {
    "visits": N_("Offset statement of visits"),
    "neutralisation": N_("Certificate of neutralisation"),
    "event": N_("Certificate of a neutral event"),
    "month": N_("Monthly inventory"),
    "year": N_("Yearly inventory"),
}
SAID = {
    "name": N_("Event"),
    "organiser": N_("Organiser"),
    "people": N_("People"),
    "plates": N_("Plates"),
    "visits": N_("Visits"),
    "owed_g": N_("Emitted"),
    "covered_g": N_("Offset by credits"),
    "neutralised_at": N_("Neutralised"),
    "uncertainty_frac": N_("Uncertainty"),
    "serials": N_("Serial numbers of the credits"),
    "net_market_g": N_("Net, by contract"),
    "net_location_g": N_("Net, by place"),
    "known_net_market_g": N_("Net of what is known"),
    "incomplete": N_("Months with gaps"),
}
FEED = {
    "fuel": N_("Visits of fuel vehicles"),
    "grid_import": N_("Electricity from the grid"),
    "pv_used": N_("Solar power used"),
    "exported": N_("Electricity exported"),
    "sinks": N_("Sinks"),
}
FEED_KIND = {
    "passages": N_("Passages"),
    "energy": N_("Electricity"),
    "charging": N_("Charging"),
    "visits": N_("Visits of fuel vehicles"),
    "shuttle": N_("Shuttle rides that riders proved"),
}


@dataclass(frozen=True, slots=True)
class PaperVerdict:
    """What is to be thought of a paper."""

    tone: str
    icon: str
    title: str
    text: str


def kind_name(words: Words, kind: str) -> str:
    """What a paper is called."""
    return words.gettext(KIND[kind])


def verdict(words: Words, paper: Checked) -> PaperVerdict:
    """Genuine and true, genuine and no longer true, withdrawn by rule, or altered."""
    if paper.withdrawn_at is not None:
        return PaperVerdict(
            "hold",
            "clock",
            words.gettext("The record of this paper was withdrawn by rule"),
            words.gettext(
                "A paper was issued under this code. What it said is no longer kept, so it cannot be verified."
            ),
        )
    if not paper.genuine:
        return PaperVerdict(
            "refuse",
            "octagon-x",
            words.gettext("The record of this paper was altered"),
            words.gettext("Do not rely on it. Tell the zone's office."),
        )
    if paper.holds:
        return PaperVerdict(
            "admit",
            "circle-check",
            words.gettext("Genuine and true"),
            words.gettext("Issued by this zone, and the books still say the same."),
        )
    if paper.changed_since is None:
        text = words.gettext("Issued by this zone, but the books say something else now. Ask for a new one.")
    else:
        text = words.gettext("Issued by this zone, but corrected on %(day)s. Ask for a new one.") % {
            "day": full_time(words, paper.changed_since)
        }
    return PaperVerdict("hold", "triangle-alert", words.gettext("Genuine, but no longer true"), text)


def said(words: Words, paper: Checked) -> list[tuple[str, str]]:
    """What the paper says, a line each."""
    facts, found = paper.said, []
    if "from" in facts or "starts_on" in facts:
        first, last = (facts.get(one) or facts[other] for one, other in (("from", "starts_on"), ("to", "ends_on")))
        found.append((words.gettext("Period"), first if first == last else f"{first} – {last}"))
    for key, label in SAID.items():
        if key in facts and (text := _text(words, key, facts)) is not None:
            found.append((words.gettext(label), text))
    return found


def _text(words: Words, key: str, facts: dict[str, Any]) -> str | None:
    value = facts[key]
    if key == "name" and words.language == "en":
        return str(facts.get("name_en") or value)
    if key == "incomplete" and not value:
        return None
    if key.endswith("_g"):
        return words.gettext("missing") if value is None else f"{kg(value)} kgCO₂e"
    if key == "neutralised_at":
        return "—" if value is None else full_time(words, datetime.fromisoformat(value))
    if key == "uncertainty_frac":
        return f"±{float(value):.0%}"
    return ", ".join(value) if isinstance(value, list) else str(value)


def kg(grams: int) -> str:
    """Kilograms with two places and a true minus."""
    return f"{grams / 1000:,.2f}".replace("-", "−")


def full_time(words: Words, at: datetime) -> str:
    """Day and time with the year, on the island's clock."""
    return f"{at.astimezone(words.zone):%Y-%m-%d %H:%M}"
