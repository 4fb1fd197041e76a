"""The gate: what gateways send, what is made of it, who may see it, and what goes down to them.

`events` is the record; `passages`, `alarms`, `lanes` and `gateway_health` are made from it and can be
rebuilt. `events.raw` keeps the body byte by byte, so that the hash chain can be verified again; where retention has
taken it away (`redacted_at`), the row's own hash still links its neighbours.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RECORD = """
CREATE TABLE gateways (
  gateway_id text PRIMARY KEY CHECK (gateway_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text NOT NULL,
  token_hash bytea,
  public_key bytea,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE cursors (
  gateway_id text NOT NULL,
  epoch bigint NOT NULL,
  lane smallint NOT NULL,
  applied_seq bigint NOT NULL DEFAULT 0,
  head_hash bytea NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (gateway_id, epoch, lane)
);
CREATE TABLE events (
  gateway_id text NOT NULL,
  epoch bigint NOT NULL,
  lane smallint NOT NULL,
  seq bigint NOT NULL,
  uuid uuid NOT NULL,
  hlc bigint NOT NULL,
  wall_at timestamptz NOT NULL,
  mono_ns bigint NOT NULL DEFAULT 0,
  boot_id text NOT NULL,
  kind text NOT NULL,
  body jsonb NOT NULL,
  raw bytea NOT NULL,
  hash bytea NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  redacted_at timestamptz,
  PRIMARY KEY (gateway_id, epoch, lane, seq)
);
CREATE INDEX events_received ON events USING brin (received_at);
CREATE INDEX events_arrival ON events (gateway_id, (body ->> 'arrival_id')) WHERE body ? 'arrival_id';
CREATE TABLE quarantine (
  quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_id text NOT NULL,
  epoch bigint NOT NULL,
  lane smallint NOT NULL,
  seq bigint NOT NULL,
  reason text NOT NULL,
  raw bytea NOT NULL,
  hash bytea,
  received_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (gateway_id, epoch, lane, seq)
)
"""

PROJECTIONS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;
CREATE TABLE passages (
  arrival_id text PRIMARY KEY,
  gateway_id text NOT NULL,
  lane_id text NOT NULL,
  gate_id text NOT NULL,
  direction text NOT NULL,
  arrived_at timestamptz NOT NULL,
  decided_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  outcome text NOT NULL,
  reasons jsonb NOT NULL,
  rule_version text NOT NULL,
  raw_plate text,
  plate text,
  plate_kind text,
  plate_colour text,
  energy text,
  verdict text,
  confidence real,
  reading jsonb,
  vehicle jsonb,
  vehicle_type text,
  unavailable text,
  permit_id text,
  complete_permit_after boolean NOT NULL DEFAULT false,
  record_emission boolean NOT NULL DEFAULT false,
  suggestions text[] NOT NULL DEFAULT '{}',
  snapshot_version bigint NOT NULL,
  frame_sha256 text,
  crop_sha256 text,
  decide_ms double precision NOT NULL,
  guard_outcome text,
  guard_reason text,
  guard_note text,
  guard_by text,
  guard_source text,
  guard_permit_id text,
  guard_at timestamptz,
  revised_outcome text,
  revised_at timestamptz,
  final_outcome text GENERATED ALWAYS AS (coalesce(revised_outcome, guard_outcome, outcome)) STORED,
  barrier_command_id text,
  barrier_action text,
  barrier_cause text,
  barrier_at timestamptz,
  barrier_outcome text,
  barrier_detail text,
  movement text,
  passed_at timestamptz,
  anonymised_at timestamptz
);
CREATE INDEX passages_time ON passages (arrived_at DESC, arrival_id DESC);
CREATE INDEX passages_lane_time ON passages (lane_id, arrived_at DESC);
CREATE INDEX passages_gate_time ON passages (gate_id, arrived_at DESC);
CREATE INDEX passages_outcome_time ON passages (final_outcome, arrived_at DESC);
CREATE INDEX passages_plate ON passages (plate text_pattern_ops, arrived_at DESC);
CREATE INDEX passages_plate_like ON passages USING gin (plate gin_trgm_ops);
CREATE INDEX passages_raw_like ON passages USING gin (raw_plate gin_trgm_ops);
CREATE INDEX passages_command ON passages (barrier_command_id);
CREATE INDEX passages_waiting ON passages (arrived_at)
  WHERE outcome = 'hold' AND guard_outcome IS NULL AND movement IS NULL;
CREATE TABLE corrections (
  correction_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  arrival_id text NOT NULL,
  raw_text text NOT NULL,
  corrected_text text NOT NULL,
  by text NOT NULL,
  source text NOT NULL,
  note text NOT NULL DEFAULT '',
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  event_uuid uuid UNIQUE
);
CREATE INDEX corrections_arrival ON corrections (arrival_id, recorded_at);
CREATE TABLE revisions (
  revision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  arrival_id text NOT NULL,
  outcome text NOT NULL,
  reason_code text NOT NULL,
  note text NOT NULL,
  by text NOT NULL,
  source text NOT NULL,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  event_uuid uuid UNIQUE
);
CREATE INDEX revisions_arrival ON revisions (arrival_id, recorded_at);
CREATE TABLE lanes (
  gateway_id text NOT NULL,
  lane_id text NOT NULL,
  gate_id text NOT NULL,
  direction text NOT NULL,
  name text,
  state jsonb NOT NULL DEFAULT '{}',
  state_at timestamptz,
  PRIMARY KEY (gateway_id, lane_id)
);
CREATE TABLE gateway_health (
  gateway_id text PRIMARY KEY,
  at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  software text NOT NULL,
  uptime_s double precision NOT NULL,
  backlog jsonb NOT NULL,
  snapshot_version bigint NOT NULL,
  disk_free_frac double precision NOT NULL,
  lanes jsonb NOT NULL
);
CREATE TABLE alarms (
  event_uuid uuid PRIMARY KEY,
  gateway_id text NOT NULL,
  device text NOT NULL,
  lane_id text,
  why text NOT NULL,
  raised_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  cleared_at timestamptz,
  after_s double precision
);
CREATE INDEX alarms_open ON alarms (gateway_id, device) WHERE cleared_at IS NULL;
CREATE INDEX alarms_time ON alarms (raised_at DESC);
CREATE TABLE media (
  sha256 text PRIMARY KEY,
  media_type text,
  size_bytes bigint,
  gateway_id text,
  stored_at timestamptz,
  deleted_at timestamptz
);
CREATE TABLE media_links (
  sha256 text NOT NULL,
  arrival_id text NOT NULL,
  role text NOT NULL,
  gateway_id text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (sha256, arrival_id, role)
);
CREATE INDEX media_links_arrival ON media_links (arrival_id)
"""

PEOPLE = """
CREATE TABLE users (
  user_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  username text NOT NULL UNIQUE,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('guard', 'office', 'engineer')),
  password_hash text NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sessions (
  token_hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  csrf_token text NOT NULL,
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  user_agent text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE TABLE sign_in_attempts (
  attempt_key text NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_key ON sign_in_attempts (attempt_key, at);
CREATE TABLE audit (
  audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  by text NOT NULL,
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  before jsonb,
  after jsonb,
  why text NOT NULL DEFAULT '',
  remote text NOT NULL DEFAULT ''
);
CREATE INDEX audit_time ON audit (at DESC, audit_id DESC);
CREATE INDEX audit_subject ON audit (subject_kind, subject_id, at)
"""

DOWN = """
CREATE TABLE permits (
  permit_id text PRIMARY KEY,
  plate text NOT NULL,
  permit_class text NOT NULL CHECK (permit_class IN ('emergency', 'special', 'standing')),
  valid_from timestamptz NOT NULL,
  valid_until timestamptz NOT NULL CHECK (valid_until > valid_from),
  gates text[] NOT NULL DEFAULT '{}',
  entries_left integer CHECK (entries_left >= 0),
  vehicle_type text,
  holder text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  revoked_at timestamptz,
  revoked_by text,
  revoked_why text
);
CREATE INDEX permits_plate ON permits (plate);
CREATE TABLE watch_entries (
  watch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plate text NOT NULL,
  effect text NOT NULL CHECK (effect IN ('block', 'alert', 'allow')),
  reason text NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  removed_at timestamptz,
  removed_by text
);
CREATE INDEX watch_entries_plate ON watch_entries (plate);
CREATE TABLE registry (
  plate text PRIMARY KEY,
  energy text NOT NULL,
  vehicle_type text,
  source text NOT NULL DEFAULT '',
  updated_at timestamptz NOT NULL
);
CREATE TABLE rule_sets (
  rule_version text PRIMARY KEY,
  body jsonb NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz,
  author text NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE TABLE snapshot_versions (
  version bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  by text NOT NULL,
  why text NOT NULL
);
INSERT INTO snapshot_versions (version, at, by, why) VALUES (1, now(), 'system', 'first');
CREATE TABLE commands (
  command_id text PRIMARY KEY,
  gateway_id text NOT NULL,
  arrival_id text NOT NULL,
  lane_id text NOT NULL,
  outcome text NOT NULL,
  reason_code text NOT NULL,
  note text NOT NULL DEFAULT '',
  permit_id text,
  corrected_plate text,
  issued_by text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  published_at timestamptz,
  result text,
  result_detail text,
  result_at timestamptz
);
CREATE INDEX commands_arrival ON commands (arrival_id, issued_at);
CREATE INDEX commands_unpublished ON commands (issued_at) WHERE published_at IS NULL;
CREATE TABLE retention_rules (
  rule_id text NOT NULL,
  applies_to text NOT NULL CHECK (applies_to IN ('passage_media', 'passage_plate', 'sign_ins', 'live')),
  outcomes text[] NOT NULL DEFAULT '{}',
  verdicts text[] NOT NULL DEFAULT '{}',
  keep_days integer NOT NULL CHECK (keep_days > 0),
  valid_from timestamptz NOT NULL,
  valid_until timestamptz,
  source text NOT NULL,
  PRIMARY KEY (rule_id, valid_from)
);
CREATE TABLE live_events (
  live_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  kind text NOT NULL,
  key text NOT NULL,
  gateway_id text,
  lane_id text
)
"""


def upgrade() -> None:
    """Everything the first gate needs."""
    for part in (RECORD, PROJECTIONS, PEOPLE, DOWN):
        for statement in part.split(";\n"):
            op.execute(statement)


def downgrade() -> None:
    """There is nothing before the first revision."""
    raise NotImplementedError("the first revision cannot be taken back: restore a backup")
