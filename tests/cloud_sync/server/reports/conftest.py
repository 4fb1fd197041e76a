"""Quarter hours and passages for reports, put straight into the tables that projections fill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from cloud_sync.server.services import Services

OCTOBER = datetime(2026, 9, 30, 16, tzinfo=UTC)  # 1 October on the island


@dataclass
class Data:
    """What these tests put into the store."""

    given: Services

    @property
    def pool(self) -> Any:
        return self.given.pool

    async def quarters(self, since: datetime, count: int, *, without: tuple[int, ...] = ()) -> None:
        """Each quarter hour 10 kWh imported, 4 exported, 20 of sun; the ones in `without` are not there."""
        await self.pool.executemany(
            "INSERT INTO energy_samples (gateway_id, period_s, at, mode, pv_kwh, load_kwh, ev_kwh, charged_kwh,"
            " discharged_kwh, imported_kwh, exported_kwh, good_frac, binding, settings_version)"
            " VALUES ('gw-east', 900, $1, 'grid_tied', 20, 24, 2, 0, 0, 10, 4, 1, 'value_curve', 0)",
            [(since + timedelta(minutes=15 * one),) for one in range(count) if one not in without],
        )

    async def passage(self, arrival_id: str, at: datetime, *, verdict: str = "new_energy", gate: str = "east") -> None:
        await self.pool.execute(
            "INSERT INTO passages (arrival_id, gateway_id, lane_id, gate_id, direction, arrived_at, decided_at,"
            " received_at, outcome, reasons, rule_version, plate, verdict, snapshot_version, decide_ms)"
            " VALUES ($1, 'gw-east', 'e1', $2, 'in', $3, $3, $3, 'admit', '[]', '7', '琼AD31906', $4, 1, 20)",
            *(arrival_id, gate, at, verdict),
        )


@pytest.fixture
def data(app: FastAPI) -> Data:
    return Data(app.state.services)
