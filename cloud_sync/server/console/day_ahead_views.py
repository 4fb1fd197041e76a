"""Day-ahead prices as the settings page shows them: owns what the draft has, what is in force, and each price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from control.energy.settings import DayAhead, EnergySettings, prices_at, tariff_at


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day. `state` is same, new (in the draft only) or gone (left out by the draft).

    `rows` are time of day, buying, selling, and buying by the tariff, yuan a kWh.
    """

    day: str
    count: int
    bought: str
    sold: str
    source: str
    state: str
    rows: tuple[tuple[str, float, float, float], ...]


def days_of(now: EnergySettings, draft: EnergySettings) -> list[DayRow]:
    """The days of the draft and those in force, in order."""
    kept = {one.day for one in draft.day_ahead}
    rows = [_row(draft, one, "same" if one in now.day_ahead else "new") for one in draft.day_ahead]
    rows += [_row(now, one, "gone") for one in now.day_ahead if one.day not in kept]
    return sorted(rows, key=lambda row: row.day)


def _row(settings: EnergySettings, one: DayAhead, state: str) -> DayRow:
    count = len(one.import_per_kwh)
    begin = datetime.combine(one.day, time())
    at = [begin + timedelta(days=1) / count * place for place in range(count)]
    rows = []
    for local in at:
        price = prices_at(settings, local)
        usual = tariff_at(settings, month=local.month, hour=local.hour + local.minute / 60)
        rows.append((f"{local:%H:%M}", price.import_per_kwh, price.export_per_kwh, usual.import_per_kwh))
    return DayRow(
        day=one.day.isoformat(),
        count=count,
        bought=_span(one.import_per_kwh),
        sold=_span(one.export_per_kwh),
        source=one.source,
        state=state,
        rows=tuple(rows),
    )


def _span(prices: tuple[float, ...]) -> str:
    """Lowest to highest."""
    return f"{min(prices):.3f} … {max(prices):.3f}".replace("-", "−") if prices else ""
