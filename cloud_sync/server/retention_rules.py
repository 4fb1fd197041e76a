"""Rules of retention: owns how the dated rows of `retention_rules` are read, ended and followed by new ones.

A row is never edited: from a day on, other days hold, with author, source and reason. Days begin at the island's
midnight. What a rule applies to stays; another subject is another rule and comes with the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit

KEEP_DAYS_MAX = 36_500
_ROWS = (
    "SELECT rule_id, applies_to, outcomes, verdicts, keep_days, valid_from, valid_until, source, author, reason"
    " FROM retention_rules"
)


@dataclass(frozen=True, slots=True)
class KeepRow:
    """One dated row. `valid_until` is the day after its last one; `state` is in_force, coming or over."""

    keep_days: int
    valid_from: date
    valid_until: date | None
    source: str
    author: str
    reason: str
    state: str


@dataclass(frozen=True, slots=True)
class KeepRule:
    """One rule with its rows, the newest first, and the one that holds (or the newest)."""

    rule_id: str
    applies_to: str
    outcomes: tuple[str, ...]
    verdicts: tuple[str, ...]
    now: KeepRow
    rows: tuple[KeepRow, ...]


@dataclass(frozen=True, slots=True)
class NewKeep:
    """What somebody wants from a day on."""

    rule_id: str
    valid_from: date
    keep_days: int
    source: str
    reason: str


async def rules(given: Services, db: Reader) -> tuple[KeepRule, ...]:
    """Every rule with all its rows, in the order of what they apply to."""
    by_rule: dict[str, list[Any]] = {}
    for row in await db.fetch(f"{_ROWS} ORDER BY applies_to, rule_id, valid_from DESC"):
        by_rule.setdefault(row["rule_id"], []).append(row)
    return tuple(_rule(given, rows) for rows in by_rule.values())


def _rule(given: Services, rows: list[Any]) -> KeepRule:
    newest, shown = rows[0], tuple(_row(given, row) for row in rows)
    return KeepRule(
        rule_id=newest["rule_id"],
        applies_to=newest["applies_to"],
        outcomes=tuple(newest["outcomes"]),
        verdicts=tuple(newest["verdicts"]),
        now=next((row for row in shown if row.state == "in_force"), shown[0]),
        rows=shown,
    )


def _row(given: Services, row: Any) -> KeepRow:
    now, zone = given.clock(), given.config.zone
    since, until = row["valid_from"], row["valid_until"]
    state = "coming" if since > now else "in_force" if until is None or now < until else "over"
    return KeepRow(
        keep_days=row["keep_days"],
        valid_from=since.astimezone(zone).date(),
        valid_until=until.astimezone(zone).date() if until else None,
        source=row["source"],
        author=row["author"],
        reason=row["reason"],
        state=state,
    )


async def change(given: Services, actor: Actor, new: NewKeep) -> KeepRule:
    """Ends the rule's open row and begins the new one, with an audit row; the rule as it is then.

    Raises Problem `not_found`, `reason_missing`, `nothing_changed`, or `rules_refused` with what speaks against it.
    """
    _check_texts(new)
    begins = datetime.combine(new.valid_from, time(), given.config.zone)
    async with given.pool.acquire() as connection, connection.transaction():
        last = await connection.fetchrow(
            f"{_ROWS} WHERE rule_id = $1 ORDER BY valid_from DESC LIMIT 1 FOR UPDATE", new.rule_id
        )
        if last is None:
            raise Problem("not_found", detail=new.rule_id)
        _check_days(given, _row(given, last), new)
        await connection.execute(
            "UPDATE retention_rules SET valid_until = $3 WHERE rule_id = $1 AND valid_from = $2",
            new.rule_id,
            last["valid_from"],
            begins,
        )
        await connection.execute(
            "INSERT INTO retention_rules"
            " (rule_id, applies_to, outcomes, verdicts, keep_days, valid_from, source, author, reason)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            new.rule_id,
            last["applies_to"],
            last["outcomes"],
            last["verdicts"],
            new.keep_days,
            begins,
            new.source.strip(),
            actor.username,
            new.reason.strip(),
        )
        await write_audit(
            connection,
            at=given.clock(),
            actor=actor,
            action="rules_changed",
            subject=("retention_rule", new.rule_id),
            before={"keep_days": last["keep_days"], "source": last["source"]},
            after={
                "keep_days": new.keep_days,
                "valid_from": new.valid_from.isoformat(),
                "source": new.source.strip(),
            },
            why=new.reason.strip(),
        )
        rows = await connection.fetch(f"{_ROWS} WHERE rule_id = $1 ORDER BY valid_from DESC", new.rule_id)
    return _rule(given, rows)


def _check_texts(new: NewKeep) -> None:
    if not new.reason.strip():
        raise Problem("reason_missing")
    if not new.source.strip():
        raise _refused("没有来源的规则不予采用。", "A row without a source is refused.")
    if not 1 <= new.keep_days <= KEEP_DAYS_MAX:
        raise _refused(f"天数须在 1 至 {KEEP_DAYS_MAX} 之间。", f"Days lie between 1 and {KEEP_DAYS_MAX}.")


def _check_days(given: Services, last: KeepRow, new: NewKeep) -> None:
    if last.valid_until is not None or new.valid_from <= last.valid_from:
        raise _refused(
            f"最后一行自 {last.valid_from} 起；新的一行须晚于它，且它须未终止。",
            f"The last row holds from {last.valid_from}; a new one begins after that, and only an open row is ended.",
        )
    if new.valid_from < given.today_from().date():
        raise _refused("起始日不能早于今天。", "A row begins today or later; past days keep theirs.")
    if (new.keep_days, new.source.strip()) == (last.keep_days, last.source):
        raise Problem("nothing_changed")


def _refused(zh: str, en: str) -> Problem:
    return Problem("rules_refused", detail=en, why_zh=zh, why_en=en)
