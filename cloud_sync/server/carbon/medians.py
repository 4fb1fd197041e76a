"""Days to neutralisation by year: owns keeping the median, which is too much to compute for each page.

The definition is that of `control.carbon.offset_reports.days_to_neutralisation`; a test compares both.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

_MEDIAN = (
    "SELECT count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM neutralised_at - at))"
    " / 86400 AS days FROM visit_accounts WHERE neutralised_at IS NOT NULL AND day >= $1 AND day < $2"
)


async def keep_medians(db: Any, *, now: datetime) -> None:
    """Medians of the years in which another visit was neutralised since."""
    years = await db.fetch(
        "SELECT extract(year FROM day)::int AS year, count(*) AS n FROM visit_accounts"
        " WHERE neutralised_at IS NOT NULL GROUP BY 1"
    )
    known = {row["year"]: row["neutralised"] for row in await db.fetch("SELECT * FROM carbon_medians")}
    for row in years:
        if known.pop(row["year"], None) != row["n"]:
            await _keep(db, row["year"], now)
    for year in known:
        await _keep(db, year, now)


async def _keep(db: Any, year: int, now: datetime) -> None:
    row = await db.fetchrow(_MEDIAN, date(year, 1, 1), date(year + 1, 1, 1))
    await db.execute(
        "INSERT INTO carbon_medians (year, neutralised, median_days, at) VALUES ($1, $2, $3::float8::numeric, $4)"
        " ON CONFLICT (year) DO UPDATE SET neutralised = excluded.neutralised, median_days = excluded.median_days,"
        " at = excluded.at",
        year,
        row["n"],
        row["days"],
        now,
    )
