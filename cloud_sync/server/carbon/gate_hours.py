"""Of which hours the gates told anything: owns what makes an hour of a gate known, so that silence is not read as calm.

A gate is a gateway with lanes. It has told of an hour when a sign of life or a passage of that hour has come from it,
however late. It is expected from its first sign of life on; one that was taken out of service, until its last.
Who cannot see tells nothing of who went by: the time for which the gateway said that a lane's camera, or the reader of
all lanes, was lost is not known, each lane alike. A loss ends when the gateway says so, or begins anew to run.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from cloud_sync.server.sql import Reader

# One look into an index for each hour and gate: `events_health`, and `passages_time` where that finds nothing.
_TOLD = """
  WITH gates AS MATERIALIZED (
    SELECT g.gateway_id, coalesce(life.first_at, '-infinity') AS first_at,
      CASE WHEN g.enabled THEN 'infinity' ELSE coalesce(life.last_at, '-infinity') END AS last_at
    FROM gateways g CROSS JOIN LATERAL (SELECT min(e.wall_at) AS first_at, max(e.wall_at) AS last_at FROM events e
      WHERE e.gateway_id = g.gateway_id AND e.kind = 'gateway_health') life
    WHERE EXISTS (SELECT 1 FROM lanes l WHERE l.gateway_id = g.gateway_id)),
  lost AS MATERIALIZED (
    SELECT a.gateway_id, a.lane_id, a.raised_at, coalesce(a.cleared_at, (SELECT h.wall_at FROM events h
      WHERE h.gateway_id = a.gateway_id AND h.kind = 'gateway_health' AND h.wall_at > a.raised_at
        AND h.boot_id <> (SELECT e.boot_id FROM events e WHERE e.uuid = a.event_uuid AND e.kind = 'device_lost'
          LIMIT 1)
      ORDER BY h.wall_at LIMIT 1), 'infinity') AS ended_at
    FROM alarms a WHERE a.device IN ('camera', 'reader') AND a.raised_at < $2
      AND coalesce(a.cleared_at, 'infinity') > $1)
  SELECT hour.at, count(*) AS expected, sum(seen.frac) FILTER (WHERE
      EXISTS (SELECT 1 FROM events e WHERE e.gateway_id = gates.gateway_id AND e.kind = 'gateway_health'
        AND e.wall_at >= hour.at AND e.wall_at < hour.at + interval '1 hour')
      OR EXISTS (SELECT 1 FROM passages p WHERE p.gateway_id = gates.gateway_id
        AND p.arrived_at >= hour.at AND p.arrived_at < hour.at + interval '1 hour')) AS told_frac
  FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 hour', interval '1 hour') AS hour (at)
  JOIN gates ON gates.first_at < hour.at + interval '1 hour' AND gates.last_at >= hour.at
  CROSS JOIN LATERAL (SELECT avg(1 - least(1, coalesce((SELECT sum(extract(epoch FROM
      least(x.ended_at, hour.at + interval '1 hour') - greatest(x.raised_at, hour.at))) FROM lost x
    WHERE x.gateway_id = l.gateway_id AND (x.lane_id IS NULL OR x.lane_id = l.lane_id)
      AND x.raised_at < hour.at + interval '1 hour' AND x.ended_at > hour.at), 0) / 3600)) AS frac
    FROM lanes l WHERE l.gateway_id = gates.gateway_id) AS seen
  GROUP BY hour.at
"""


async def told(db: Reader, since: datetime, until: datetime) -> dict[datetime, Fraction]:
    """The share of each hour from `since` on that the gates told of, 0 to 1. Hours without any gate are left out."""
    rows = await db.fetch(_TOLD, since, until)
    return {row["at"]: Fraction(row["told_frac"] or 0) / row["expected"] for row in rows}


async def first_told(db: Reader) -> datetime | None:
    """The first sign of life of any gateway; None where none came yet."""
    found: datetime | None = await db.fetchval(
        "SELECT min(life.at) FROM gateways g CROSS JOIN LATERAL (SELECT min(e.wall_at) AS at FROM events e"
        " WHERE e.gateway_id = g.gateway_id AND e.kind = 'gateway_health') life"
    )
    return found
