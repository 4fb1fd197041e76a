"""The microgrid: telemetry, plans, alarms, modes, charging sessions, settings in versions, takeovers."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A sample's device states are large and change little: they are kept with the newest sample (energy_state) and with
# quarter hours. Powers and energies that were not known are null, never 0.
STATEMENTS = """
CREATE TABLE energy_samples (
  gateway_id text NOT NULL,
  period_s integer NOT NULL,
  at timestamptz NOT NULL,
  mode text NOT NULL,
  pv_kw real, load_kw real, ev_kw real, storage_kw real, grid_kw real, curtailed_kw real, shed_kw real,
  pv_kwh real, load_kwh real, ev_kwh real, charged_kwh real, discharged_kwh real, imported_kwh real,
  exported_kwh real, curtailed_kwh real, unserved_kwh real,
  soc_frac real,
  peak_import_kw real,
  frequency_hz real,
  good_frac real NOT NULL,
  binding text NOT NULL,
  settings_version bigint NOT NULL,
  devices jsonb,
  PRIMARY KEY (gateway_id, period_s, at)
);
CREATE TABLE energy_state (
  gateway_id text PRIMARY KEY,
  at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  body jsonb NOT NULL
);
CREATE TABLE energy_plans (
  gateway_id text NOT NULL,
  at timestamptz NOT NULL,
  starts_at timestamptz NOT NULL,
  slot_s integer NOT NULL,
  rung text NOT NULL,
  settings_version bigint NOT NULL,
  made_ms real NOT NULL,
  ride_through_h real,
  series jsonb NOT NULL,
  because jsonb NOT NULL,
  violations text[] NOT NULL,
  PRIMARY KEY (gateway_id, at)
);
CREATE TABLE energy_modes (
  event_uuid uuid PRIMARY KEY,
  gateway_id text NOT NULL,
  before text NOT NULL,
  after text NOT NULL,
  why text NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX energy_modes_at ON energy_modes (gateway_id, at DESC);
CREATE TABLE energy_alarms (
  gateway_id text NOT NULL,
  alarm_id text NOT NULL,
  code text NOT NULL,
  severity text NOT NULL,
  device text NOT NULL,
  evidence jsonb NOT NULL,
  suggestion text NOT NULL,
  lost_kwh real,
  raised_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  cleared_at timestamptz,
  after_s real,
  PRIMARY KEY (gateway_id, alarm_id)
);
CREATE INDEX energy_alarms_open ON energy_alarms (gateway_id, raised_at DESC) WHERE cleared_at IS NULL;
CREATE INDEX energy_alarms_raised ON energy_alarms (gateway_id, raised_at DESC);
CREATE TABLE charging_sessions (
  gateway_id text NOT NULL,
  session_id text NOT NULL,
  charger text NOT NULL,
  phase text NOT NULL,
  started_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  ended_at timestamptz,
  energy_kwh real NOT NULL,
  fed_back_kwh real NOT NULL,
  soc_frac real,
  depart_at timestamptz,
  power_kw real,
  PRIMARY KEY (gateway_id, session_id)
);
CREATE INDEX charging_sessions_started ON charging_sessions (gateway_id, started_at DESC);
CREATE TABLE energy_settings (
  gateway_id text NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  settings jsonb NOT NULL,
  based_on bigint NOT NULL,
  source text NOT NULL,
  reason text NOT NULL,
  issued_by text NOT NULL,
  issued_at timestamptz NOT NULL,
  effective_at timestamptz,
  released_at timestamptz,
  released_by text,
  discarded_at timestamptz,
  discarded_by text,
  published_at timestamptz,
  outcome text,
  outcome_detail text,
  outcome_at timestamptz,
  PRIMARY KEY (gateway_id, version),
  CHECK (released_at IS NULL OR discarded_at IS NULL),
  CHECK (released_at IS NULL OR effective_at IS NOT NULL)
);
CREATE TABLE energy_drafts (
  gateway_id text NOT NULL,
  username text NOT NULL,
  settings jsonb NOT NULL,
  based_on bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (gateway_id, username)
);
CREATE TABLE energy_takeovers (
  command_id text PRIMARY KEY,
  gateway_id text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('auto', 'hold', 'storage')),
  storage_kw real,
  note text NOT NULL,
  issued_by text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  published_at timestamptz,
  result text,
  result_detail text,
  result_at timestamptz,
  CHECK ((mode = 'storage') = (storage_kw IS NOT NULL))
);
CREATE INDEX energy_takeovers_issued ON energy_takeovers (gateway_id, issued_at DESC);
CREATE INDEX events_energy ON events (wall_at)
  WHERE kind IN ('energy_sample', 'energy_planned') AND redacted_at IS NULL;
ALTER TABLE retention_rules DROP CONSTRAINT retention_rules_applies_to_check;
ALTER TABLE retention_rules ADD CONSTRAINT retention_rules_applies_to_check CHECK (applies_to IN
  ('passage_media', 'passage_plate', 'sign_ins', 'live',
   'energy_seconds', 'energy_minutes', 'energy_quarters', 'energy_plans'))
"""
TABLES = (
    *("energy_samples", "energy_state", "energy_plans", "energy_modes", "energy_alarms"),
    *("charging_sessions", "energy_settings", "energy_drafts", "energy_takeovers"),
)


def upgrade() -> None:
    """Tables, and what retention may be about."""
    for statement in STATEMENTS.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Takes them away again; the events stay."""
    op.execute("DELETE FROM retention_rules WHERE applies_to LIKE 'energy%'")
    op.execute("ALTER TABLE retention_rules DROP CONSTRAINT retention_rules_applies_to_check")
    op.execute(
        "ALTER TABLE retention_rules ADD CONSTRAINT retention_rules_applies_to_check"
        " CHECK (applies_to IN ('passage_media', 'passage_plate', 'sign_ins', 'live'))"
    )
    op.execute("DROP INDEX events_energy")
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
