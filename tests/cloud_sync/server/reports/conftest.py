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

    async def gate(self, gateway_id: str, since: datetime, hours: int, *, silent: tuple[int, ...] = ()) -> None:
        """A gate with one lane that gives a sign of life each hour, but for the `silent` ones."""
        await self.pool.execute(
            "INSERT INTO gateways (gateway_id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", gateway_id
        )
        await self.pool.execute(
            "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ($1, 'l1', $1, 'in')", gateway_id
        )
        await self.pool.executemany(
            "INSERT INTO events (gateway_id, epoch, lane, seq, uuid, hlc, wall_at, boot_id, kind, body, raw, hash)"
            " VALUES ($1, 7, 2, $2, gen_random_uuid(), $2, $3, 'boot', 'gateway_health', '{}', '', '')",
            [
                (gateway_id, one + 1, since + timedelta(minutes=60 * one + 59))
                for one in range(hours)
                if one not in silent
            ],
        )

    async def lost(
        self, gateway_id: str, device: str, lane: str | None, at: datetime, length: timedelta | None
    ) -> None:
        """A device of a gate goes for a time, or until nobody said when."""
        event = await self.pool.fetchval(
            "INSERT INTO events (gateway_id, epoch, lane, seq, uuid, hlc, wall_at, boot_id, kind, body, raw, hash)"
            " SELECT $1, 7, 1, 1 + count(*), gen_random_uuid(), 1, $2, 'boot', 'device_lost', '{}', '', ''"
            " FROM events WHERE gateway_id = $1 AND lane = 1 RETURNING uuid",
            *(gateway_id, at),
        )
        await self.pool.execute(
            "INSERT INTO alarms (event_uuid, gateway_id, device, lane_id, why, raised_at, received_at, cleared_at)"
            " VALUES ($6, $1, $2, $3, 'away', $4, $4, $5)",
            *(gateway_id, device, lane, at, None if length is None else at + length),
            event,
        )

    async def passage(
        self, arrival_id: str, at: datetime, *, verdict: str = "new_energy", gateway: str = "gw-east"
    ) -> None:
        await self.pool.execute(
            "INSERT INTO passages (arrival_id, gateway_id, lane_id, gate_id, direction, arrived_at, decided_at,"
            " received_at, outcome, reasons, rule_version, plate, verdict, snapshot_version, decide_ms)"
            " VALUES ($1, $2, 'e1', 'east', 'in', $3, $3, $3, 'admit', '[]', '7', '琼AD31906', $4, 1, 20)",
            *(arrival_id, gateway, at, verdict),
        )


@pytest.fixture
def data(app: FastAPI) -> Data:
    return Data(app.state.services)
