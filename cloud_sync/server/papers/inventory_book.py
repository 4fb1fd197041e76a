"""The inventory as rows and workbook: owns its columns, with units in the heads, and the sheets beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from cloud_sync.server.carbon.green_power import GreenRow
from cloud_sync.server.carbon.inventory import FEED_OF, Month, unheard
from cloud_sync.server.papers.words import FEEDS, LINES, WORDS
from cloud_sync.server.papers.xlsx import Cell, SheetTable
from control.carbon.exact import GRAMS_PER_KG, to_decimal
from control.carbon.factors import FactorSet
from control.carbon.inventory import MonthInventory

_NAMES = {
    "months": ("排放清单", "Inventory"),
    "factors": ("因子", "Factors"),
    "completeness": ("数据完整度", "Completeness"),
    "evidence": ("绿电凭证", "Green power"),
}
_MISSING = (
    "空白的净排放表示当月数据有缺口，不是零；已知部分见 known 各列。",
    "An empty net or gross means that the month has a gap, not zero; what is known stands in the known columns.",
)
_KNOWN = {
    "known_gross_location_g": ("已知总排放，按地区", "Known gross, by place"),
    "known_gross_market_g": ("已知总排放，按合同", "Known gross, by contract"),
    "known_net_location_g": ("已知净排放，按地区", "Known net, by place"),
    "known_net_market_g": ("已知净排放，按合同", "Known net, by contract"),
}
_COLUMNS = (*(key for key in LINES if not key.endswith("_frac")), *_KNOWN)


def heads(lang: str) -> tuple[str, ...]:
    """The head of each column, with its unit."""
    at = 0 if lang == "zh" else 1
    return (WORDS["month"][at], *(_head(key, at) for key in _COLUMNS), *(_share(one, at) for one in FEEDS))


def _head(key: str, at: int) -> str:
    name = {**LINES, **_KNOWN}[key][at]
    return f"{name} (kgCO₂e)" if key.endswith("_g") else name


def _share(feed: str, at: int) -> str:
    return f"{FEEDS[feed][at]} · {WORDS['known'][at]}"


def rows(months: Iterable[MonthInventory]) -> list[list[Cell]]:
    """One row a month; None where something is not known."""
    return [
        [
            str(Month(one.year, one.month)),
            *(_value(one, key) for key in _COLUMNS),
            *(feed.known_frac for feed in one.completeness),
        ]
        for one in months
    ]


def _value(month: MonthInventory, key: str) -> Decimal | None:
    value = None if FEED_OF.get(key) in unheard(month) else getattr(month, key)
    if key.endswith("_g") and value is not None:
        return Decimal(value) / GRAMS_PER_KG
    return None if value is None else Decimal(value)


def csv_rows(months: Sequence[MonthInventory], lang: str) -> list[list[Cell]]:
    """Head and rows; None is not known."""
    return [list(heads(lang)), *([_cell(one) for one in row] for row in rows(months))]


def _cell(value: Cell) -> Cell:
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    return value


def sheets(
    months: Sequence[MonthInventory], factors: FactorSet, evidence: Iterable[GreenRow], lang: str
) -> tuple[SheetTable, ...]:
    """The workbook: the inventory, its factors with sources, completeness, and evidence of green power."""
    at = 0 if lang == "zh" else 1
    used = {row for one in months for row in one.factor_ids}
    listed = {(one.year, one.month) for one in months}
    word = {key: pair[at] for key, pair in WORDS.items()}
    factor_heads = ("id", "key", word["value"], "unit", "valid_from", word["source"], "announcement")
    return (
        SheetTable(_NAMES["months"][at], heads(lang), rows(months), (_MISSING[at],)),
        SheetTable(
            _NAMES["factors"][at],
            factor_heads,
            [
                (
                    row.factor_id,
                    row.key,
                    row.value if isinstance(row.value, str) else to_decimal(row.value, 6).normalize(),
                    row.unit,
                    row.valid_from,
                    row.source,
                    row.announcement,
                )
                for row in factors.rows
                if row.factor_id in used
            ],
        ),
        SheetTable(
            _NAMES["completeness"][at],
            (word["month"], *(FEEDS[feed][at] for feed in FEEDS)),
            [[str(Month(one.year, one.month)), *(feed.known_frac for feed in one.completeness)] for one in months],
        ),
        SheetTable(
            _NAMES["evidence"][at],
            (word["month"], word["reference"], "kWh", "SHA-256"),
            [
                (str(Month(one.year, one.month)), one.reference, one.kwh, one.document_sha256)
                for one in evidence
                if (one.year, one.month) in listed
            ],
        ),
    )
