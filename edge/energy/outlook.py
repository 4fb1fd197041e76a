"""The forecast by which a gateway plans when it has nothing better: owns similar hours of past days, and a cold start.

With no past the load stays as it is and no sun is counted on: holding noon for all day has cost more than it saved.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from control.energy.plan import Band, Series
from edge.energy.history import DAY_SLOTS, Past
from edge.energy.plan_grounds import Outlook

DAYS = 14


def plain_outlook(
    past: Past, *, starts_at: datetime, slots: int, load_now_kw: float | None, pv_now_kw: float | None
) -> Outlook:
    """Quantiles of the same quarter of an hour on the last days."""
    load = _band(past.load_kw, slots, otherwise=load_now_kw or 0.0)
    return Outlook(load=load, pv=_band(past.pv_kw, slots, otherwise=0.0))


def _band(series: Series, slots: int, *, otherwise: float) -> Band:
    days = min(len(series) // DAY_SLOTS, DAYS)
    if days == 0:
        flat = np.full(slots, otherwise)
        return Band(flat, flat.copy(), flat.copy())
    # The past ends where the outlook begins, so that its last whole days line up with the slots ahead.
    table = series[-days * DAY_SLOTS :].reshape(days, DAY_SLOTS)
    known = np.where(np.isnan(table).all(axis=0), otherwise, table)
    low, mid, high = np.nanquantile(known, (0.1, 0.5, 0.9), axis=0)
    at = np.arange(slots) % DAY_SLOTS
    return Band(low[at], mid[at], high[at])
