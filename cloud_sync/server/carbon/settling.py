"""Covering visits from the pooled balance: owns that the tables beside the book say what `offsets.match` found.

First in, first out, gram by gram. Each settlement is about one visit, so that one visit can be put right without
touching the others. Whoever calls holds the lock of the book and ends the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cloud_sync.proofs.carbon_rows import UNITS, cover_of, entries_by_id, retirement_of
from cloud_sync.server.carbon import book
from control.carbon.offsets import Cover, Debit, PartUnit, freed, match
from control.carbon.postings import Stamp, reversal_of, visits_covered

OPEN_CHUNK = 500
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Pool:
    """Free stretches of retired units in the order in which they are used, and the numbers of their lots."""

    parts: tuple[PartUnit, ...]
    lot_nos: dict[str, int]

    @property
    def free_g(self) -> int:
        """Grams that cover nothing yet."""
        return sum(part.free_g for part in self.parts)


async def pool(db: Any) -> Pool:
    """What is retired and covers nothing yet."""
    rows = await db.fetch("SELECT * FROM pooled_parts ORDER BY retired_at, unit_id, serial, from_g")
    parts = (
        PartUnit(row["unit_id"], row["lot_id"], row["serial"], row["retired_at"], row["from_g"], row["to_g"])
        for row in rows
    )
    return Pool(tuple(parts), {row["lot_id"]: row["lot_no"] for row in rows})


async def oldest_open(db: Any, grams: int) -> list[Debit]:
    """The oldest open debits, as many as `grams` can touch; nothing is read beyond them."""
    found: list[Debit] = []
    left = grams
    while left > 0:
        last = found[-1] if found else None
        rows = await db.fetch(
            "SELECT visit_id, at, owed_g - covered_g AS open_g FROM visit_accounts WHERE covered_g < owed_g"
            f" AND ($1::timestamptz IS NULL OR (at, visit_id) > ($1, $2)) ORDER BY at, visit_id LIMIT {OPEN_CHUNK}",
            last and last.at,
            last and last.visit_id,
        )
        for row in rows:
            found.append(Debit(row["visit_id"], row["at"], row["open_g"]))
            left -= row["open_g"]
            if left <= 0:
                break
        if len(rows) < OPEN_CHUNK:
            break
    return found


async def settle(connection: Any, *, at: datetime, author: str = SYSTEM) -> int:
    """Covers the oldest open visits from the pool; how many grams."""
    await book.lock(connection)
    free = await pool(connection)
    debits = await oldest_open(connection, free.free_g)
    if not debits:
        return 0
    matching = match(debits, free.parts)
    await _post(connection, matching.covers, free.lot_nos, at=at, author=author)
    await put_pool(connection, free, matching.pooled)
    return sum(cover.grams for cover in matching.covers)


async def put_pool(connection: Any, before: Pool, after: Sequence[PartUnit]) -> None:
    """The pool after some of it was used: what changed is written, the rest stays."""
    left, kept = set(after), set(before.parts)
    gone = [part for part in before.parts if part not in left]
    await connection.execute(
        "DELETE FROM pooled_parts p USING unnest($1::bigint[], $2::bigint[], $3::integer[]) AS t (lot_no, serial,"
        " from_g) WHERE (p.lot_no, p.serial, p.from_g) = (t.lot_no, t.serial, t.from_g)",
        [before.lot_nos[part.lot_id] for part in gone],
        [part.serial for part in gone],
        [part.from_g for part in gone],
    )
    await add_parts(connection, [part for part in after if part not in kept], before.lot_nos)


async def add_parts(connection: Any, parts: Sequence[PartUnit], lot_nos: dict[str, int]) -> None:
    """Stretches of retired units become free."""
    await connection.execute(
        "INSERT INTO pooled_parts (lot_no, serial, from_g, to_g, unit_id, lot_id, retired_at) SELECT * FROM"
        " unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::timestamptz[])",
        [lot_nos[part.lot_id] for part in parts],
        [part.serial for part in parts],
        [part.from_g for part in parts],
        [part.to_g for part in parts],
        [part.retirement_id for part in parts],
        [part.lot_id for part in parts],
        [part.retired_at for part in parts],
    )


async def _post(
    connection: Any, covers: Iterable[Cover], lot_nos: dict[str, int], *, at: datetime, author: str
) -> None:
    """One settlement a visit, and what holds of each visit from now on."""
    by_visit: dict[str, list[Cover]] = {}
    for cover in covers:
        by_visit.setdefault(cover.visit_id, []).append(cover)
    numbers = await _next_numbers(connection, list(by_visit))
    stamped = [
        (
            Stamp(
                entry_id=f"settle:{visit_id}:{numbers[visit_id]}", at=at, author=author, reason="first in, first out"
            ),
            rows,
        )
        for visit_id, rows in by_visit.items()
    ]
    await book.post_many(connection, [visits_covered(stamp, rows) for stamp, rows in stamped])
    await put_covers(connection, [(stamp.entry_id, rows) for stamp, rows in stamped], lot_nos)
    await _note_covered(connection, {visit_id: sum(one.grams for one in rows) for visit_id, rows in by_visit.items()})


async def _next_numbers(connection: Any, visit_ids: list[str]) -> dict[str, int]:
    rows = await connection.fetch(
        "SELECT visit_id, count(DISTINCT entry_id) AS n FROM covers WHERE visit_id = ANY($1::text[]) GROUP BY visit_id",
        visit_ids,
    )
    return dict.fromkeys(visit_ids, 1) | {row["visit_id"]: row["n"] + 1 for row in rows}


async def put_covers(connection: Any, by_entry: Sequence[tuple[str, Sequence[Cover]]], lot_nos: dict[str, int]) -> None:
    """The covers of settlements that were posted just now."""
    rows = [(entry_id, place, cover) for entry_id, covers in by_entry for place, cover in enumerate(covers)]
    await connection.execute(
        "INSERT INTO covers (entry_id, place, visit_id, unit_id, lot_id, lot_no, serial, from_g, to_g, at) SELECT *"
        " FROM unnest($1::text[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],"
        " $8::integer[], $9::integer[], $10::timestamptz[])",
        [entry_id for entry_id, _, _ in rows],
        [place for _, place, _ in rows],
        [cover.visit_id for _, _, cover in rows],
        [cover.retirement_id for _, _, cover in rows],
        [cover.lot_id for _, _, cover in rows],
        [lot_nos[cover.lot_id] for _, _, cover in rows],
        [cover.serial for _, _, cover in rows],
        [cover.from_g for _, _, cover in rows],
        [cover.to_g for _, _, cover in rows],
        [cover.at for _, _, cover in rows],
    )


async def _note_covered(connection: Any, grams: dict[str, int]) -> None:
    """Covered grams of visits go up; the day of each visit with them."""
    rows = await connection.fetch(
        "WITH more AS (SELECT * FROM unnest($1::text[], $2::bigint[]) AS t (visit_id, grams))"
        " UPDATE visit_accounts a SET covered_g = a.covered_g + more.grams,"
        " neutralised_at = CASE WHEN a.covered_g + more.grams = a.owed_g THEN"
        "   (SELECT max(c.at) FROM covers c WHERE c.visit_id = a.visit_id AND c.freed_by IS NULL) END"
        " FROM more WHERE a.visit_id = more.visit_id"
        " RETURNING a.day, more.grams, (a.covered_g = a.owed_g)::int AS closed",
        list(grams),
        list(grams.values()),
    )
    sums: dict[date, DaySums] = {}
    for row in rows:
        sums[row["day"]] = sums.get(row["day"], DaySums()) + DaySums(covered_g=row["grams"], open_visits=-row["closed"])
    await add_to_days(connection, sums)


@dataclass(frozen=True, slots=True)
class DaySums:
    """What a day gains in `carbon_days`."""

    visits: int = 0
    owed_g: int = 0
    covered_g: int = 0
    open_visits: int = 0
    retired_g: int = 0

    def __add__(self, other: DaySums) -> DaySums:
        """Both together."""
        return DaySums(
            self.visits + other.visits,
            self.owed_g + other.owed_g,
            self.covered_g + other.covered_g,
            self.open_visits + other.open_visits,
            self.retired_g + other.retired_g,
        )


async def add_to_days(connection: Any, sums: dict[date, DaySums]) -> None:
    """Adds to the sums of days."""
    days = sorted(day for day, added in sums.items() if added != DaySums())
    await connection.execute(
        "INSERT INTO carbon_days AS d (day, visits, owed_g, covered_g, open_visits, retired_g) SELECT * FROM"
        " unnest($1::date[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])"
        " ON CONFLICT (day) DO UPDATE SET visits = d.visits + excluded.visits, owed_g = d.owed_g + excluded.owed_g,"
        " covered_g = d.covered_g + excluded.covered_g, open_visits = d.open_visits + excluded.open_visits,"
        " retired_g = d.retired_g + excluded.retired_g",
        days,
        [sums[day].visits for day in days],
        [sums[day].owed_g for day in days],
        [sums[day].covered_g for day in days],
        [sums[day].open_visits for day in days],
        [sums[day].retired_g for day in days],
    )


async def release(connection: Any, subject: str, *, at: datetime, author: str, reason: str) -> int:
    """Takes back every settlement of a visit (or `event:ID`); its stretches are free again. How many grams."""
    await book.lock(connection)
    rows = await connection.fetch(
        "SELECT * FROM covers WHERE visit_id = $1 AND freed_by IS NULL ORDER BY entry_id, place", subject
    )
    if not rows:
        return 0
    entry_ids = list(dict.fromkeys(row["entry_id"] for row in rows))
    entries = await entries_by_id(connection, entry_ids)
    await book.post_many(
        connection,
        [
            reversal_of(Stamp(entry_id=f"reverse:{one}", at=at, author=author, reason=reason), entries[one].entry)
            for one in entry_ids
        ],
    )
    await connection.execute(
        "UPDATE covers SET freed_by = 'reverse:' || entry_id WHERE entry_id = ANY($1::text[])", entry_ids
    )
    units = await connection.fetch(f"{UNITS} WHERE u.unit_id = ANY($1::text[])", [row["unit_id"] for row in rows])
    retirements = {unit["unit_id"]: retirement_of(unit) for unit in units}
    parts = [freed(cover_of(row), retirements[row["unit_id"]]) for row in rows]
    await add_parts(connection, parts, {row["lot_id"]: row["lot_no"] for row in rows})
    grams = sum(part.free_g for part in parts)
    await _note_released(connection, subject, grams)
    return grams


async def _note_released(connection: Any, visit_id: str, grams: int) -> None:
    row = await connection.fetchrow(
        "UPDATE visit_accounts a SET covered_g = a.covered_g - $2, neutralised_at = NULL FROM visit_accounts b"
        " WHERE a.visit_id = $1 AND b.visit_id = $1"
        " RETURNING a.day, (b.covered_g = b.owed_g)::int AS was_closed",
        visit_id,
        grams,
    )
    if row is not None:
        await add_to_days(connection, {row["day"]: DaySums(covered_g=-grams, open_visits=row["was_closed"])})
