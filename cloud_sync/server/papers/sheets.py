"""From facts to a sheet: owns which figures, tables and notes each kind of paper has, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cloud_sync.server.papers.pdf import Figure, Sheet, Table
from cloud_sync.server.papers.words import FEEDS as FEED_WORDS
from cloud_sync.server.papers.words import LINES, NOTES, TITLES, WORDS, source_name, source_unit
from control.carbon import words as carbon_words

Facts = Mapping[str, Any]
NOTE_FACTORS_MAX = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every paper has: whose it is, its number, its code and where it is verified."""

    language: str
    zone_name: str
    number: str
    code: str
    verify_url: str
    issued_at: datetime
    zone: ZoneInfo

    @property
    def at(self) -> int:
        """The place of this language in a pair of words."""
        return 0 if self.language == "zh" else 1

    def word(self, key: str) -> str:
        """A fixed word."""
        return WORDS[key][self.at]

    def time(self, text: str | None) -> str:
        """A time of the facts, on the island's clock."""
        return "—" if text is None else f"{datetime.fromisoformat(text).astimezone(self.zone):%Y-%m-%d %H:%M}"

    def day(self, text: str | None) -> str:
        """The day of a time of the facts."""
        return self.time(text)[:10]


def sheet_of(kind: str, facts: Facts, frame: Frame) -> Sheet:
    """The sheet that says the facts."""
    parts = {
        "visits": _visits,
        "neutralisation": _neutralisation,
        "event": _event,
        "month": _inventory,
        "year": _inventory,
    }[kind](facts, frame)
    return Sheet(
        language=frame.language,
        zone=frame.zone_name,
        title=TITLES[kind][frame.at],
        number=frame.number,
        issued=f"{frame.word('issued')} {frame.issued_at.astimezone(frame.zone):%Y-%m-%d %H:%M}",
        issued_at=frame.issued_at,
        verify_url=frame.verify_url,
        verify_word=frame.word("verify"),
        code=frame.code,
        page_word=frame.word("page"),
        **parts,
    )


def kg(grams: int | None, missing: str = "—") -> str:
    """Kilograms with two places and a true minus; what is not known is called so."""
    return missing if grams is None else f"{grams / 1000:,.2f}".replace("-", "−")


# ---------------------------------------------------------------- visits


def _visits(facts: Facts, frame: Frame) -> dict[str, Any]:
    count, open_g = len(facts["visits"]), facts["owed_g"] - facts["covered_g"]
    sentence = (
        f"{facts['from']} 至 {facts['to']} 共 {count} 次到访，实际排放 {kg(facts['owed_g'])} 千克二氧化碳当量，"
        + ("已全部抵消。" if open_g == 0 else f"还有 {kg(open_g)} 千克未抵消。"),
        f"{count} visit{'' if count == 1 else 's'} from {facts['from']} to {facts['to']} emitted"
        f" {kg(facts['owed_g'])} kg CO₂e. "
        + ("All of it is offset." if open_g == 0 else f"{kg(open_g)} kg are not offset yet."),
    )
    pairs = ((frame.word("holder"), facts["holder"]), (frame.word("period"), f"{facts['from']} – {facts['to']}"))
    return _offset_paper(facts, frame, sentence[frame.at], pairs)


def _neutralisation(facts: Facts, frame: Frame) -> dict[str, Any]:
    count = len(facts["visits"])
    plates = "、".join(sorted({one["plate"] for one in facts["visits"]}))
    sentence = (
        f"{plates} 的 {count} 次到访共排放 {kg(facts['owed_g'])} 千克二氧化碳当量，已由注销的碳信用全部抵消。",
        f"{count} visit{'' if count == 1 else 's'} of {plates} emitted {kg(facts['owed_g'])} kg CO₂e,"
        " all of it offset by retired credits.",
    )
    pairs = (
        (frame.word("applications"), "、".join(facts["applications"]) or "—"),
        (frame.word("neutralised_at"), frame.day(facts["neutralised_at"])),
    )
    return _offset_paper(facts, frame, sentence[frame.at], pairs)


def _offset_paper(facts: Facts, frame: Frame, lead: str, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "lead": lead,
        "figures": _owed_figures(facts, frame),
        "pairs": tuple(pairs),
        "tables": (_visit_table(facts, frame), _units_table(facts, frame)),
        "notes": (NOTES["law"][frame.at], NOTES["tonne"][frame.at], *_factor_notes(facts, frame)),
    }


def _owed_figures(facts: Facts, frame: Frame) -> tuple[Figure, ...]:
    owed, covered = facts["owed_g"], facts["covered_g"]
    return tuple(
        Figure(frame.word(name), kg(grams), "kgCO₂e")
        for name, grams in (("owed", owed), ("covered", covered), ("open", owed - covered))
    )


def _visit_table(facts: Facts, frame: Frame) -> Table:
    heads = ("visit", "plate", "in", "out", "method", "emission")
    return Table(
        caption=frame.word("by_visit"),
        heads=tuple(frame.word(one) for one in heads),
        rows=tuple(_visit_row(one, frame) for one in facts["visits"]),
        widths=(2.6, 1.7, 2.5, 2.5, 2.6, 1.8),
        right=frozenset({5}),
        total=(frame.word("total"), "", "", "", "", kg(facts["owed_g"])),
    )


def _visit_row(one: Facts, frame: Frame) -> tuple[str, ...]:
    method = "—" if one["tier"] is None else f"{one['tier']} {carbon_words.TIERS[one['tier']][frame.at]}"
    grams = frame.word("no_figure") if one["problem"] else kg(one["owed_g"])
    visit = str(one["visit_id"])
    short = visit if len(visit) <= 20 else f"…{visit[-12:]}"
    return (short, one["plate"], frame.time(one["entered_at"]), frame.time(one["left_at"]), method, grams)


def _units_table(facts: Facts, frame: Frame) -> Table:
    heads = ("registry", "vintage", "serials", "retired_at", "used")
    return Table(
        caption=frame.word("units"),
        heads=tuple(frame.word(one) for one in heads),
        rows=tuple(
            (
                f"{one['registry']} · {one['project']}",
                str(one["vintage"]),
                one["serials"],
                frame.day(one["retired_at"]),
                kg(one["grams"]),
            )
            for one in facts["parts"]
        ),
        widths=(4, 1.1, 4, 1.8, 1.6),
        right=frozenset({4}),
        empty=frame.word("none_covers"),
        total=(frame.word("total"), "", "", "", kg(facts["covered_g"])) if facts["parts"] else (),
    )


def _factor_notes(facts: Facts, frame: Frame) -> tuple[str, ...]:
    """A note a factor, the first ones; a source says `policy value` where nobody publishes one."""
    shown = [one for one in facts["factors"] if one["unit"] != "choice"][:NOTE_FACTORS_MAX]
    since = ("起", "since")[frame.at]
    return tuple(
        f"{one['id']} {one['key']} = {_with_unit(one)}; {one['source']}; {since} {one['valid_from']}" for one in shown
    )


def _with_unit(factor: Facts) -> str:
    return str(factor["value"]) if factor["unit"] == "1" else f"{factor['value']} {factor['unit']}"


# ---------------------------------------------------------------- events


def _event(facts: Facts, frame: Frame) -> dict[str, Any]:
    name = facts["name"] if frame.at == 0 or not facts["name_en"] else facts["name_en"]
    sentence = (
        f"“{name}”共排放 {kg(facts['owed_g'])} 千克二氧化碳当量，已由注销的碳信用全部抵消。",
        f"{name} emitted {kg(facts['owed_g'])} kg CO₂e, all of it offset by retired credits.",
    )
    uncertainty = f"±{float(facts['uncertainty_frac']):.0%}"
    heads = ("source", "amount", "factor", "emission")
    by_source = Table(
        caption=frame.word("by_source"),
        heads=tuple(frame.word(one) for one in heads),
        rows=tuple(_source_row(one, frame) for one in facts["sources"]),
        widths=(3, 3, 3, 2),
        right=frozenset({1, 2, 3}),
        total=(frame.word("total"), "", uncertainty, kg(facts["owed_g"])),
    )
    return {
        "lead": sentence[frame.at],
        "figures": _owed_figures(facts, frame),
        "pairs": (
            (frame.word("organiser"), facts["organiser"]),
            (frame.word("days"), f"{facts['starts_on']} – {facts['ends_on']}"),
            (frame.word("people"), f"{facts['people']:,}"),
            (frame.word("neutralised_at"), frame.day(facts["neutralised_at"])),
        ),
        "tables": (by_source, _units_table(facts, frame)),
        "notes": (NOTES["event"][frame.at], NOTES["tonne"][frame.at], *_factor_notes(facts, frame)),
    }


def _source_row(one: Facts, frame: Frame) -> tuple[str, ...]:
    unit = source_unit(one["source"], frame.at)
    amount = f"{float(one['amount']):,g}"
    factor = f"{float(one['kg_per_unit']):g} kg/{unit}"
    return (source_name(one["source"], frame.at), f"{amount} {unit}", factor, kg(one["grams"]))


# ---------------------------------------------------------------- months and years


def _inventory(facts: Facts, frame: Frame) -> dict[str, Any]:
    months, net = facts["months"], facts["net_market_g"]
    period = facts["from"] if facts["from"] == facts["to"] else f"{facts['from']} – {facts['to']}"
    return {
        "lead": _inventory_sentence(facts, frame, period),
        "figures": (
            Figure(frame.word("net" if net is not None else "known_net"), kg(facts["known_net_market_g"]), "kgCO₂e"),
            Figure(frame.word("grid"), _sum_kwh(months, "grid_import_kwh"), "kWh"),
            Figure(frame.word("solar"), _sum_kwh(months, "pv_used_kwh"), "kWh"),
        ),
        "pairs": ((frame.word("period"), period),),
        "tables": (*_month_tables(months, frame), _completeness_table(months, frame), _evidence_table(facts, frame)),
        "notes": (NOTES["missing"][frame.at], NOTES["market"][frame.at], *_factor_notes(facts, frame)),
    }


def _inventory_sentence(facts: Facts, frame: Frame, period: str) -> str:
    net = facts["net_market_g"]
    if net is not None:
        return (
            f"{period} 净排放 {kg(net)} 千克二氧化碳当量（按合同），数据完整。",
            f"Net emission of {period}: {kg(net)} kg CO₂e by contract. The data are complete.",
        )[frame.at]
    gaps = "、".join(facts["incomplete"])
    return (
        f"{period} 的数据有缺口（{gaps}），不给净排放；已知部分为 {kg(facts['known_net_market_g'])} 千克二氧化碳当量。",
        f"The data of {period} have gaps ({gaps}), so there is no net;"
        f" what is known comes to {kg(facts['known_net_market_g'])} kg CO₂e.",
    )[frame.at]


def _sum_kwh(months: Sequence[Facts], name: str) -> str:
    """Over the months that told something; none of them told: a dash."""
    known = [float(one[name]) for one in months if one[name] is not None]
    return f"{sum(known):,.0f}" if known else "—"


def _month_tables(months: Sequence[Facts], frame: Frame) -> tuple[Table, ...]:
    """Half a year a table, so that the figures stay readable."""
    return tuple(_month_table(months[start : start + 6], frame) for start in range(0, len(months), 6))


def _month_table(months: Sequence[Facts], frame: Frame) -> Table:
    return Table(
        caption=frame.word("inventory"),
        heads=(frame.word("item"), *(one["month"] for one in months)),
        rows=tuple((name[frame.at], *(_cell(one, key, frame) for one in months)) for key, name in LINES.items()),
        widths=(3.4, *(1.6 for _ in months)),
        right=frozenset(range(1, len(months) + 1)),
    )


def _cell(month: Facts, key: str, frame: Frame) -> str:
    value = month[key]
    if value is None:
        return frame.word("missing")
    if key.endswith("_g"):
        return kg(value)
    return f"{float(value):.1%}" if key.endswith("_frac") else f"{float(value):,.0f}"


def _completeness_table(months: Sequence[Facts], frame: Frame) -> Table:
    return Table(
        caption=frame.word("completeness"),
        heads=(frame.word("month"), *(name[frame.at] for name in FEED_WORDS.values())),
        rows=tuple((one["month"], *(_known(one["completeness"][feed]) for feed in FEED_WORDS)) for one in months),
        widths=(2, *(2 for _ in FEED_WORDS)),
        right=frozenset(range(1, len(FEED_WORDS) + 1)),
    )


def _known(frac: str) -> str:
    """A gap, however small, stays below a hundred."""
    value = float(frac)
    return "100%" if value >= 1 else f"{min(value, 0.999):.1%}"


def _evidence_table(facts: Facts, frame: Frame) -> Table:
    return Table(
        caption=frame.word("evidence"),
        heads=(frame.word("month"), frame.word("reference"), "kWh", "SHA-256"),
        rows=tuple(
            (one["month"], one["reference"], f"{float(one['kwh']):,.0f}", f"{one['sha256'][:16]}…")
            for one in facts["evidence"]
        ),
        widths=(1.5, 5, 2, 3),
        right=frozenset({2}),
        empty=frame.word("none_evidence"),
    )
