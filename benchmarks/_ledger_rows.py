"""A long carbon ledger, made in a moment: valid hashes, covers and sums, written by COPY into an empty database.

Half of the entries are debits of visits and half their settlements, but for the newest visits, which are open, and the
purchases and retirements in between. `book.verify` finds nothing wrong with it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cloud_sync.proofs.carbon_beside import figure_digest
from cloud_sync.proofs.carbon_rows import BOOK_ID
from cloud_sync.server.carbon.figures import as_mapping, figure
from cloud_sync.server.permits.forms import dumped
from cloud_sync.server.rule_books import BookName, delivered
from control.carbon.ledger import Account, Entry, SealedEntry, genesis_hash, seal
from control.carbon.offsets import CreditLot, Debit, PartUnit, Retirement, Units, match, units_of
from control.carbon.postings import Stamp, credits_bought, credits_retired, visit_debit, visits_covered
from control.carbon.visit_types import VisitEmission
from control.domain.plates import PlateColour
from control.permits.application import Form, Purpose

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2025, 1, 1, tzinfo=UTC)  # the factors that ship begin shortly before
LOT_TONNES = 1_000
RETIRED_AT_ONCE = 10
OPEN_VISITS = 2_000
CHUNK = 20_000
APPLICATIONS = 2_000
CLASSES = ("light_truck", "crane", "petrol_car", "ambulance", "heavy_truck", "fire_engine", "coach")
_ACCOUNT_COLUMNS = (
    *("visit_id", "revision", "visit_revision", "entry_id", "at", "day", "owed_g", "covered_g", "neutralised_at"),
    *("due_on", "due_factor_id", "tier", "uncertainty_frac", "fuel_amount", "fuel_unit", "vehicle_class"),
)
COLUMNS = {
    "ledger_entries": "seq entry_id kind at author reason reverses details prev_hash hash",
    "ledger_postings": "seq place account grams",
    "visit_emissions": "visit_id revision entry_id at day grams emission evidence factor_version computed_at",
    "covers": "entry_id place visit_id unit_id lot_id lot_no serial from_g to_g at",
    "visits": "visit_id plate application_id gate_in gate_out entered_at left_at state vehicle_type revision is_over"
    " updated_at",
    "visit_accounts": " ".join(_ACCOUNT_COLUMNS),
}


_APPLICATION = "application_id applicant_id filed_by status form plate permit_class created_at updated_at version"


@dataclass(slots=True)
class Rows:
    """What is written next, by table."""

    of: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    async def write(self, connection: Any) -> None:
        for name, rows in self.of.items():
            await connection.copy_records_to_table(name, records=rows, columns=COLUMNS[name].split())
            rows.clear()


@dataclass(frozen=True, slots=True)
class _Kept:
    """A figure of a class and a day, as it is and as it is written."""

    figure: VisitEmission
    told: dict[str, Any]
    told_json: str
    evidence_json: str


class Maker:
    """Makes entries in their order and remembers what the tables beside the book have to say."""

    def __init__(self, entries: int, last: datetime) -> None:
        self.entries, self.last = entries, last
        self.rows, self.balances = Rows(), dict[Account, int]()
        self.seq, self.head = 0, genesis_hash(BOOK_ID)
        self.pool: deque[PartUnit] = deque()
        self.days: dict[date, list[int]] = {}
        self.lots: list[tuple[CreditLot, datetime]] = []
        self.retirements: list[tuple[Retirement, int]] = []
        self._factors = delivered(BookName.FACTORS)
        self._figures: dict[tuple[str, date], _Kept] = {}

    def make(self) -> Iterator[None]:
        """Visit by visit; yields when it is time to write."""
        visits = max(1, self.entries // 2)
        step = (self.last - FIRST) / visits
        for number in range(visits):
            at = self.last - step * (visits - number)
            debit = self._debit(number, at)
            if number < visits - min(OPEN_VISITS, visits // 4):
                self._settle(debit, at + timedelta(days=20))
            else:
                self._account(debit, covered_g=0, at=None)
            if len(self.rows.of["ledger_entries"]) >= CHUNK:
                yield
        yield

    def _append(self, entry: Entry) -> SealedEntry:
        self.seq += 1
        sealed = seal(self.seq, entry, self.head)
        self.head = sealed.hash
        details = json.dumps(dict(entry.details), ensure_ascii=False)
        self.rows.of["ledger_entries"].append(
            (
                *(self.seq, entry.entry_id, entry.kind.value, entry.at, entry.author, entry.reason, entry.reverses),
                *(details, sealed.prev_hash, sealed.hash),
            )
        )
        for place, posting in enumerate(entry.postings):
            self.rows.of["ledger_postings"].append((self.seq, place, str(posting.account), posting.grams))
            self.balances[posting.account] = self.balances.get(posting.account, 0) + posting.grams
        return sealed

    def _figure(self, kind: str, day: date) -> _Kept:
        key = (kind, day)
        if key not in self._figures:
            found = figure({"vehicle_class": kind}, self._factors.at(day))
            assert isinstance(found, VisitEmission)
            told = as_mapping(found)
            self._figures[key] = _Kept(found, told, json.dumps(told), json.dumps({"vehicle_class": kind}))
        return self._figures[key]

    def _debit(self, number: int, at: datetime) -> dict[str, Any]:
        day, kind, visit_id = at.astimezone(ZONE).date(), CLASSES[number % len(CLASSES)], f"visit-{number:07}"
        kept = self._figure(kind, day)
        found = kept.figure
        row = {
            "visit_id": visit_id,
            "revision": 1,
            "entry_id": f"debit:{visit_id}:1",
            "at": at,
            "day": day,
            "grams": found.total_g,
            "emission": kept.told,
            "evidence": {"vehicle_class": kind},
            "factor_version": found.factor_version,
            "computed_at": at + timedelta(minutes=1),
        }
        stamp = Stamp(entry_id=row["entry_id"], at=row["computed_at"], author="system", reason="the visit is over")
        self._append(visit_debit(stamp, visit_id, found, evidence=figure_digest(row)))
        written = row | {"emission": kept.told_json, "evidence": kept.evidence_json}
        self.rows.of["visit_emissions"].append(tuple(written[name] for name in COLUMNS["visit_emissions"].split()))
        plate, application_id = f"琼C{number % 10_000:04}A", f"XK-2024-{number % APPLICATIONS:06}"
        self.rows.of["visits"].append(
            (
                *(visit_id, plate, application_id, "east", "west", at - timedelta(minutes=50), at, "complete", "truck"),
                *(1, True, at),
            )
        )
        sums = self.days.setdefault(day, [0, 0, 0, 0, 0])
        sums[0] += 1
        sums[1] += found.total_g
        return row | {"figure": found}

    def _settle(self, row: dict[str, Any], at: datetime) -> None:
        while sum(part.free_g for part in self.pool) < row["grams"]:
            self._retire(row["computed_at"])
        parts = [self.pool.popleft()]
        while sum(part.free_g for part in parts) < row["grams"]:
            parts.append(self.pool.popleft())
        matching = match([Debit(row["visit_id"], row["at"], row["grams"])], parts)
        self.pool.extendleft(reversed(matching.pooled))
        entry_id = f"settle:{row['visit_id']}:1"
        stamp = Stamp(entry_id=entry_id, at=row["computed_at"], author="system", reason="first in, first out")
        self._append(visits_covered(stamp, matching.covers))
        numbers = {lot.lot_id: place for place, (lot, _) in enumerate(self.lots, 1)}
        for place, one in enumerate(matching.covers):
            self.rows.of["covers"].append(
                (
                    *(entry_id, place, one.visit_id, one.retirement_id, one.lot_id, numbers[one.lot_id], one.serial),
                    *(one.from_g, one.to_g, one.at),
                )
            )
        self._account(row, covered_g=row["grams"], at=max(one.at for one in matching.covers))

    def _account(self, row: dict[str, Any], *, covered_g: int, at: datetime | None) -> None:
        found: VisitEmission = row["figure"]
        self.rows.of["visit_accounts"].append(
            (
                *(row["visit_id"], 1, 1, row["entry_id"], row["at"], row["day"], row["grams"], covered_g, at),
                *(row["day"] + timedelta(days=365), "F145", found.tier, found.uncertainty_frac, found.fuel_amount),
                *(found.fuel_unit, row["evidence"]["vehicle_class"]),
            )
        )
        sums = self.days[row["day"]]
        sums[2] += covered_g
        sums[3] += int(not covered_g)

    def _retire(self, at: datetime) -> None:
        done = len(self.retirements) * RETIRED_AT_ONCE
        if done % LOT_TONNES == 0:
            self._buy(at)
        lot = self.lots[-1][0]
        first = lot.first_serial + done % LOT_TONNES
        retirement = Retirement(
            retirement_id=f"RET-{len(self.retirements):06}/1",
            units=Units(lot.lot_id, first, first + RETIRED_AT_ONCE - 1),
            retired_at=at,
            evidence="registry's proof",
            cancelled_for="visits",
        )
        stamp = Stamp(entry_id=f"retired:{retirement.retirement_id}", at=at, author="lin", reason="visits")
        self._append(credits_retired(stamp, retirement, lot))
        self.retirements.append((retirement, len(self.lots)))
        self.pool.extend(units_of((retirement,)))
        self.days.setdefault(at.astimezone(ZONE).date(), [0, 0, 0, 0, 0])[4] += RETIRED_AT_ONCE * 1_000_000

    def _buy(self, at: datetime) -> None:
        first = len(self.lots) * LOT_TONNES + 1
        lot = CreditLot(
            lot_id=f"LOT-{len(self.lots):06}",
            registry="CCER",
            project="mangroves",
            vintage=2024,
            serial_prefix="CN-",
            first_serial=first,
            last_serial=first + LOT_TONNES - 1,
            bought_on=date(2024, 1, 1),
            evidence="invoice",
        )
        stamp = Stamp(entry_id=f"bought:{lot.lot_id}", at=at, author="fu", reason="mangroves")
        self._append(credits_bought(stamp, lot))
        self.lots.append((lot, at))


async def fill(connection: Any, entries: int, *, last: datetime) -> int:
    """Fills the empty tables; how many entries there are. `last` is when the newest visit ended."""
    maker = Maker(entries, last.astimezone(UTC))
    await connection.execute("SET session_replication_role = replica")  # no foreign key is looked up row by row
    try:
        async with connection.transaction():
            await _applications(connection, last)
            for _ in maker.make():
                await maker.rows.write(connection)
            await _credits(connection, maker)
            await _sums(connection, maker)
    finally:
        await connection.execute("SET session_replication_role = origin")
    await connection.execute("ANALYZE")
    return maker.seq


async def _applications(connection: Any, last: datetime) -> None:
    form = dumped(Form(plate_colour=PlateColour.YELLOW, purpose=Purpose.LIFTING, purpose_text="lamps on the square"))
    await connection.copy_records_to_table(
        "applications",
        records=[
            (f"XK-2024-{number:06}", f"person-{number % 500}", "fu", "active", form, "", "special", last, last, 1)
            for number in range(APPLICATIONS)
        ],
        columns=_APPLICATION.split(),
    )


async def _credits(connection: Any, maker: Maker) -> None:
    await connection.execute("INSERT INTO credit_series (registry, serial_prefix) VALUES ('CCER', 'CN-')")
    for lot, at in maker.lots:
        await connection.execute(
            "INSERT INTO credit_lots (lot_id, series_no, project, vintage, serials, bought_on, evidence, added_by,"
            " added_at) SELECT $1, series_no, $2, $3, int8range($4, $5, '[]'), $6, $7, 'fu', $8 FROM credit_series",
            *(lot.lot_id, lot.project, lot.vintage, lot.first_serial, lot.last_serial, lot.bought_on, lot.evidence, at),
        )
    # Covers name lots by number in the order of their purchase; the database gave its own.
    numbers = {row["lot_id"]: row["lot_no"] for row in await connection.fetch("SELECT lot_id, lot_no FROM credit_lots")}
    shift = min(numbers.values(), default=1) - 1
    if shift:
        await connection.execute("UPDATE covers SET lot_no = lot_no + $1", shift)
    await connection.executemany(
        "INSERT INTO retirements (retirement_id, state, tonnes, cancelled_for, proposed_by, proposed_at, evidence,"
        " decided_by, decided_at) VALUES ($1, 'confirmed', $2, $3, 'fu', $4, $5, 'lin', $4)",
        [
            (one.retirement_id.split("/")[0], RETIRED_AT_ONCE, one.cancelled_for, one.retired_at, one.evidence)
            for one, _ in maker.retirements
        ],
    )
    await connection.executemany(
        "INSERT INTO retirement_units (unit_id, retirement_id, place, lot_id, lot_no, serials)"
        " VALUES ($1, $2, 1, $3, $4, int8range($5, $6, '[]'))",
        [
            (
                *(one.retirement_id, one.retirement_id.split("/")[0], one.units.lot_id, number + shift),
                *(one.units.first_serial, one.units.last_serial),
            )
            for one, number in maker.retirements
        ],
    )
    await connection.copy_records_to_table(
        "pooled_parts",
        records=[
            (numbers[one.lot_id], one.serial, one.from_g, one.to_g, one.retirement_id, one.lot_id, one.retired_at)
            for one in maker.pool
        ],
        columns=["lot_no", "serial", "from_g", "to_g", "unit_id", "lot_id", "retired_at"],
    )


async def _sums(connection: Any, maker: Maker) -> None:
    await connection.copy_records_to_table(
        "ledger_balances",
        records=[(str(account), grams) for account, grams in maker.balances.items()],
        columns=["account", "grams"],
    )
    await connection.copy_records_to_table(
        "carbon_days",
        records=[(day, *sums) for day, sums in maker.days.items()],
        columns=["day", "visits", "owed_g", "covered_g", "open_visits", "retired_g"],
    )
    await connection.execute(
        "INSERT INTO chain_heads (book, day, length, head, at) VALUES ($1, $2, $3, $4, $5)",
        *(BOOK_ID, maker.last.astimezone(ZONE).date(), maker.seq, maker.head, maker.last),
    )
