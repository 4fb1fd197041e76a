"""Points and vouchers: devices and scans, earning events, the ledger of points, catalogue, redemptions, vouchers.

`point_entries` is the record, one hash chain a person; `point_balances` and `point_lots` are made from it and can be
rebuilt. Entries, what was spent of vouchers, and settled months are never changed.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

EARNING = """
CREATE SEQUENCE point_device_numbers MAXVALUE 1048575;
CREATE TABLE point_devices (
  device_id text PRIMARY KEY,
  number integer NOT NULL UNIQUE,
  name text NOT NULL,
  place text NOT NULL,
  merchant text NOT NULL DEFAULT '',
  keys text[] NOT NULL CHECK (cardinality(keys) BETWEEN 1 AND 32),
  directions text[] NOT NULL CHECK (cardinality(directions) = cardinality(keys)),
  makes_acts boolean NOT NULL,
  generation integer NOT NULL DEFAULT 1,
  previous_until timestamptz,
  active boolean NOT NULL DEFAULT true,
  clock_offset_s integer NOT NULL DEFAULT 0,
  clock_learnt_at timestamptz NOT NULL,
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL
);
CREATE TABLE point_ways (
  from_place text NOT NULL,
  to_place text NOT NULL,
  metres integer NOT NULL CHECK (metres >= 0),
  valid_from date NOT NULL,
  source text NOT NULL CHECK (source <> ''),
  author text NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  at timestamptz NOT NULL,
  PRIMARY KEY (from_place, to_place, valid_from)
);
CREATE TRIGGER point_ways_append_only BEFORE UPDATE OR DELETE ON point_ways
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER point_ways_never_emptied BEFORE TRUNCATE ON point_ways
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE point_scans (
  scan_id text PRIMARY KEY,
  person text NOT NULL,
  received_at timestamptz NOT NULL,
  scanned_at timestamptz NOT NULL,
  remote bytea NOT NULL,
  state text NOT NULL,
  reason text NOT NULL DEFAULT '',
  device_id text NOT NULL DEFAULT '',
  key text NOT NULL DEFAULT '',
  place text NOT NULL DEFAULT '',
  direction text NOT NULL DEFAULT '',
  use_key text UNIQUE,
  code_at timestamptz,
  event_id text
);
CREATE INDEX point_scans_received ON point_scans (received_at);
CREATE INDEX point_scans_person ON point_scans (person, received_at DESC);
CREATE INDEX point_scans_failed ON point_scans (person, received_at) WHERE state = 'failed';
CREATE INDEX point_scans_failed_remote ON point_scans (remote, received_at) WHERE state = 'failed';
CREATE INDEX point_scans_refused ON point_scans (received_at) WHERE reason <> '';
CREATE INDEX point_scans_trip ON point_scans (person, code_at) WHERE direction IN ('start', 'end');
CREATE TABLE point_trips (
  trip_id text PRIMARY KEY,
  person text NOT NULL,
  key text NOT NULL,
  start_scan text NOT NULL UNIQUE,
  end_scan text NOT NULL UNIQUE,
  start_place text NOT NULL,
  end_place text NOT NULL,
  metres integer NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  event_id text NOT NULL
);
CREATE INDEX point_trips_person ON point_trips (person, ended_at DESC);
CREATE INDEX point_trips_ended ON point_trips (ended_at);
CREATE TABLE point_events (
  event_id text PRIMARY KEY,
  person text NOT NULL,
  key text NOT NULL,
  scene text NOT NULL,
  state text NOT NULL CHECK (state IN ('granted', 'held', 'refused')),
  day date NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  claimed_at timestamptz NOT NULL,
  evidence text NOT NULL,
  source_id text NOT NULL,
  evidence_ref text NOT NULL,
  activity text NOT NULL,
  trip_id text NOT NULL DEFAULT '',
  distance_km text,
  steps integer,
  start_place text NOT NULL DEFAULT '',
  end_place text NOT NULL DEFAULT '',
  confirmed_by text NOT NULL DEFAULT '',
  merchant text NOT NULL DEFAULT '',
  clock_doubt boolean NOT NULL DEFAULT false,
  dedupe_key text NOT NULL,
  points integer NOT NULL,
  grams bigint NOT NULL,
  reasons text[] NOT NULL,
  detail text NOT NULL DEFAULT '',
  judgement jsonb NOT NULL,
  badge text NOT NULL DEFAULT '',
  release_at timestamptz,
  decided_at timestamptz NOT NULL,
  decided_by text NOT NULL,
  entry_id text,
  reversed_at timestamptz,
  reversed_by text
);
CREATE UNIQUE INDEX point_events_once ON point_events (dedupe_key) WHERE state <> 'refused';
CREATE UNIQUE INDEX point_events_single_use ON point_events (source_id, evidence_ref)
  WHERE state <> 'refused' AND evidence IN ('merchant', 'organiser', 'gate', 'charger');
CREATE INDEX point_events_evidence ON point_events (source_id, evidence_ref) WHERE state <> 'refused';
CREATE INDEX point_events_person ON point_events (person, ended_at DESC);
CREATE INDEX point_events_person_claimed ON point_events (person, claimed_at DESC, event_id DESC);
CREATE INDEX point_events_badges ON point_events (person, badge) WHERE badge <> '' AND state = 'granted';
CREATE INDEX point_events_held ON point_events (claimed_at, event_id) WHERE state = 'held';
CREATE INDEX point_events_held_person ON point_events (person) WHERE state = 'held';
CREATE INDEX point_events_release ON point_events (release_at) WHERE state = 'held' AND release_at IS NOT NULL;
CREATE INDEX point_events_day ON point_events (day, scene);
CREATE TABLE point_person_codes (
  code_hash bytea PRIMARY KEY,
  confirmation_id text NOT NULL,
  person text NOT NULL,
  made_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX point_person_codes_ends ON point_person_codes (ends_at);
CREATE TABLE merchant_confirmations (
  confirmation_id text PRIMARY KEY,
  org_id text NOT NULL,
  staff text NOT NULL,
  person text NOT NULL,
  request_id text NOT NULL,
  at timestamptz NOT NULL,
  acts jsonb NOT NULL
);
CREATE INDEX merchant_confirmations_org ON merchant_confirmations (org_id, at DESC);
CREATE TABLE point_merchants (
  org_id text PRIMARY KEY,
  keys text[] NOT NULL,
  updated_at timestamptz NOT NULL,
  updated_by text NOT NULL
);
CREATE TABLE point_charge_claims (
  claim_id text PRIMARY KEY,
  person text NOT NULL,
  charger text NOT NULL,
  at timestamptz NOT NULL,
  gateway_id text,
  session_id text,
  settled_at timestamptz,
  event_id text
);
CREATE INDEX point_charge_claims_open ON point_charge_claims (at, claim_id) WHERE settled_at IS NULL;
CREATE UNIQUE INDEX point_charge_claims_session ON point_charge_claims (gateway_id, session_id)
  WHERE session_id IS NOT NULL;
CREATE INDEX events_charging ON events ((body ->> 'session_id'), wall_at) WHERE kind = 'charging_session'
"""

LEDGER = """
CREATE TABLE point_entries (
  person text COLLATE "C" NOT NULL,
  seq integer NOT NULL CHECK (seq > 0),
  entry_id text NOT NULL,
  kind text NOT NULL,
  at timestamptz NOT NULL,
  points bigint NOT NULL CHECK (points <> 0),
  author text NOT NULL,
  reason text NOT NULL,
  about text,
  valid_until timestamptz,
  details jsonb NOT NULL,
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL,
  spent jsonb,
  PRIMARY KEY (person, seq),
  UNIQUE (person, entry_id)
);
CREATE INDEX point_entries_about ON point_entries (person, about) WHERE about IS NOT NULL;
CREATE TRIGGER point_entries_append_only BEFORE UPDATE OR DELETE ON point_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER point_entries_never_emptied BEFORE TRUNCATE ON point_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE point_balances (
  person text COLLATE "C" PRIMARY KEY,
  balance bigint NOT NULL,
  debt bigint NOT NULL CHECK (debt >= 0),
  length integer NOT NULL,
  head bytea NOT NULL,
  last_at timestamptz NOT NULL
);
CREATE TABLE point_lots (
  person text COLLATE "C" NOT NULL,
  valid_until timestamptz NOT NULL,
  seq integer NOT NULL,
  entry_id text NOT NULL,
  points_left bigint NOT NULL CHECK (points_left > 0),
  PRIMARY KEY (person, valid_until, seq, entry_id)
);
CREATE INDEX point_lots_end ON point_lots (valid_until);
CREATE TABLE point_heads (
  until timestamptz PRIMARY KEY,
  accounts integer NOT NULL,
  entries bigint NOT NULL,
  root bytea NOT NULL,
  published_at timestamptz NOT NULL
);
CREATE TRIGGER point_heads_append_only BEFORE UPDATE OR DELETE ON point_heads
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER point_heads_never_emptied BEFORE TRUNCATE ON point_heads
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE point_appeals (
  appeal_id text PRIMARY KEY,
  person text NOT NULL,
  event_id text NOT NULL UNIQUE,
  text text NOT NULL,
  at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'granted', 'refused')),
  points integer NOT NULL DEFAULT 0,
  answer text NOT NULL DEFAULT '',
  decided_at timestamptz,
  decided_by text
);
CREATE INDEX point_appeals_person ON point_appeals (person, at DESC);
CREATE INDEX point_appeals_open ON point_appeals (at) WHERE state = 'open';
CREATE TABLE point_goals (
  person text PRIMARY KEY,
  month_points integer NOT NULL CHECK (month_points > 0),
  set_at timestamptz NOT NULL
)
"""

SPENDING = """
CREATE TABLE catalogue_items (
  item_id text PRIMARY KEY,
  name_zh text NOT NULL,
  name_en text NOT NULL,
  text_zh text NOT NULL DEFAULT '',
  text_en text NOT NULL DEFAULT '',
  price_points integer NOT NULL CHECK (price_points > 0),
  stock integer NOT NULL CHECK (stock >= 0),
  taken integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
  person_max integer NOT NULL CHECK (person_max > 0),
  merchants text[] NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  CONSTRAINT catalogue_items_never_oversold CHECK (taken <= stock)
);
CREATE TABLE redemptions (
  redemption_id text PRIMARY KEY,
  item_id text NOT NULL REFERENCES catalogue_items,
  person text NOT NULL,
  price_points integer NOT NULL,
  state text NOT NULL CHECK (state IN ('reserved', 'issued', 'used', 'expired', 'returned')),
  reserved_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  code_hash bytea UNIQUE,
  used_at timestamptz,
  used_by text NOT NULL DEFAULT '',
  used_request text NOT NULL DEFAULT '',
  used_staff text NOT NULL DEFAULT '',
  returned_at timestamptz
);
CREATE INDEX redemptions_person ON redemptions (person, redemption_id DESC);
CREATE INDEX redemptions_taken ON redemptions (item_id, person) WHERE state <> 'returned';
CREATE INDEX redemptions_ends ON redemptions (ends_at) WHERE state IN ('reserved', 'issued', 'expired');
CREATE UNIQUE INDEX redemptions_request ON redemptions (used_by, used_request) WHERE used_request <> '';
CREATE INDEX redemptions_used ON redemptions (used_by, used_at) WHERE state = 'used';
CREATE TABLE voucher_schemes (
  scheme_id text PRIMARY KEY,
  name_zh text NOT NULL,
  name_en text NOT NULL,
  amounts_fen bigint[] NOT NULL,
  budget_fen bigint NOT NULL CHECK (budget_fen > 0),
  issued_fen bigint NOT NULL DEFAULT 0 CHECK (issued_fen >= 0),
  validity_days integer NOT NULL CHECK (validity_days > 0),
  valid_from timestamptz NOT NULL,
  valid_until timestamptz,
  merchants text[] NOT NULL,
  holders text[] NOT NULL,
  in_parts boolean NOT NULL,
  source text NOT NULL,
  reason text NOT NULL,
  author text NOT NULL,
  created_at timestamptz NOT NULL,
  approved_by text,
  approved_at timestamptz,
  CONSTRAINT voucher_schemes_within_budget CHECK (issued_fen <= budget_fen),
  CONSTRAINT voucher_schemes_second_person CHECK (approved_by IS NULL OR approved_by <> author)
);
CREATE TABLE vouchers (
  voucher_id text PRIMARY KEY,
  scheme_id text NOT NULL REFERENCES voucher_schemes,
  holder_kind text NOT NULL,
  holder_id text NOT NULL,
  amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  issued_at timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  issued_by text NOT NULL,
  code_hash bytea NOT NULL UNIQUE
);
CREATE INDEX vouchers_holder ON vouchers (holder_kind, holder_id, voucher_id DESC);
CREATE INDEX vouchers_scheme ON vouchers (scheme_id, voucher_id DESC);
CREATE TABLE voucher_spends (
  spend_id text PRIMARY KEY,
  voucher_id text NOT NULL REFERENCES vouchers,
  merchant text NOT NULL,
  request_id text NOT NULL,
  amount_fen bigint NOT NULL CHECK (amount_fen <> 0),
  at timestamptz NOT NULL,
  staff text NOT NULL,
  reverses text UNIQUE REFERENCES voucher_spends
);
CREATE INDEX voucher_spends_voucher ON voucher_spends (voucher_id);
CREATE UNIQUE INDEX voucher_spends_request ON voucher_spends (merchant, request_id) WHERE reverses IS NULL;
CREATE INDEX voucher_spends_statement ON voucher_spends (merchant, at, spend_id);
CREATE TRIGGER voucher_spends_append_only BEFORE UPDATE OR DELETE ON voucher_spends
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER voucher_spends_never_emptied BEFORE TRUNCATE ON voucher_spends
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE voucher_settlements (
  merchant text NOT NULL,
  month text NOT NULL CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
  amount_fen bigint NOT NULL,
  lines integer NOT NULL CHECK (lines = cardinality(spend_ids)),
  spend_ids text[] NOT NULL,
  compared boolean NOT NULL,
  differences jsonb NOT NULL,
  why text NOT NULL,
  settled_by text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (merchant, month)
);
CREATE TRIGGER voucher_settlements_append_only BEFORE UPDATE OR DELETE ON voucher_settlements
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER voucher_settlements_never_emptied BEFORE TRUNCATE ON voucher_settlements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    """Adds the tables."""
    for part in (EARNING, LEDGER, SPENDING):
        for statement in part.split(";\n"):
            op.execute(statement)


def downgrade() -> None:
    """What these tables hold is evidence."""
    raise NotImplementedError("restore a backup")
