"""The carbon ledger."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LEDGER = """
CREATE TABLE ledger_entries (
  seq bigint PRIMARY KEY CHECK (seq > 0),
  entry_id text NOT NULL UNIQUE,
  kind text NOT NULL CHECK (kind IN ('visit_debit', 'correction', 'credit_bought', 'retirement', 'settlement',
    'event_debit', 'reversal')),
  at timestamptz NOT NULL,
  author text NOT NULL,
  reason text NOT NULL,
  reverses text UNIQUE REFERENCES ledger_entries (entry_id),
  details jsonb NOT NULL,
  prev_hash bytea NOT NULL UNIQUE,
  hash bytea NOT NULL UNIQUE,
  CHECK ((kind = 'reversal') = (reverses IS NOT NULL))
);
CREATE INDEX ledger_entries_kind ON ledger_entries (kind, seq);
CREATE INDEX ledger_entries_corrections ON ledger_entries (at, seq) WHERE kind IN ('correction', 'reversal');
CREATE TABLE ledger_postings (
  seq bigint NOT NULL REFERENCES ledger_entries (seq),
  place smallint NOT NULL CHECK (place >= 0),
  account text NOT NULL,
  grams bigint NOT NULL CHECK (grams <> 0),
  PRIMARY KEY (seq, place)
);
CREATE INDEX ledger_postings_account ON ledger_postings (account, seq);
CREATE TABLE ledger_balances (
  account text PRIMARY KEY,
  grams bigint NOT NULL
);
CREATE TABLE chain_heads (
  book text NOT NULL,
  day date NOT NULL,
  length bigint NOT NULL CHECK (length >= 0),
  head bytea NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (book, day)
);
CREATE TABLE ledger_checks (
  check_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  book text NOT NULL,
  at timestamptz NOT NULL,
  rows bigint NOT NULL,
  head_hash text NOT NULL,
  broken_seq bigint,
  why text NOT NULL DEFAULT ''
);
CREATE INDEX ledger_checks_newest ON ledger_checks (book, check_id DESC)
"""

# Serial numbers of one registry and prefix are one series. Ranges of identity numbers stand for equality, so that the
# exclusion constraints need no extension of the database.
CREDITS = """
CREATE TABLE credit_series (
  series_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  registry text NOT NULL,
  serial_prefix text NOT NULL,
  UNIQUE (registry, serial_prefix)
);
CREATE TABLE credit_lots (
  lot_id text PRIMARY KEY,
  lot_no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  series_no bigint NOT NULL REFERENCES credit_series,
  project text NOT NULL,
  vintage integer NOT NULL,
  serials int8range NOT NULL CHECK (NOT isempty(serials) AND lower(serials) >= 0 AND NOT upper_inf(serials)),
  bought_on date NOT NULL,
  evidence text NOT NULL,
  added_by text NOT NULL,
  added_at timestamptz NOT NULL,
  voided_by text REFERENCES ledger_entries (entry_id),
  CONSTRAINT credit_lots_serials_once
    EXCLUDE USING gist (int8range(series_no, series_no, '[]') WITH &&, serials WITH &&) WHERE (voided_by IS NULL)
);
CREATE TABLE retirements (
  retirement_id text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('proposed', 'confirmed', 'cancelled')),
  tonnes integer NOT NULL CHECK (tonnes > 0),
  cancelled_for text NOT NULL,
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL,
  evidence text NOT NULL DEFAULT '',
  decided_by text,
  decided_at timestamptz,
  why text NOT NULL DEFAULT '',
  subject text NOT NULL DEFAULT '',
  CHECK ((state = 'proposed') = (decided_by IS NULL)),
  CHECK (state <> 'confirmed' OR (decided_by <> proposed_by AND evidence <> ''))
);
CREATE INDEX retirements_open ON retirements (proposed_at) WHERE state = 'proposed';
CREATE TABLE retirement_units (
  unit_id text PRIMARY KEY,
  retirement_id text NOT NULL REFERENCES retirements,
  place smallint NOT NULL,
  lot_id text NOT NULL REFERENCES credit_lots,
  lot_no bigint NOT NULL,
  serials int8range NOT NULL CHECK (NOT isempty(serials)),
  given_back boolean NOT NULL DEFAULT false,
  UNIQUE (retirement_id, place),
  CONSTRAINT retirement_units_once
    EXCLUDE USING gist (int8range(lot_no, lot_no, '[]') WITH &&, serials WITH &&) WHERE (NOT given_back)
);
CREATE TABLE pooled_parts (
  lot_no bigint NOT NULL,
  serial bigint NOT NULL,
  from_g integer NOT NULL CHECK (from_g >= 0),
  to_g integer NOT NULL CHECK (to_g <= 1000000),
  unit_id text NOT NULL REFERENCES retirement_units,
  lot_id text NOT NULL,
  retired_at timestamptz NOT NULL,
  PRIMARY KEY (lot_no, serial, from_g),
  CHECK (from_g < to_g)
);
CREATE INDEX pooled_parts_in_turn ON pooled_parts (retired_at, unit_id, serial, from_g);
CREATE TABLE covers (
  entry_id text NOT NULL REFERENCES ledger_entries (entry_id),
  place smallint NOT NULL,
  visit_id text NOT NULL,
  unit_id text NOT NULL REFERENCES retirement_units,
  lot_id text NOT NULL,
  lot_no bigint NOT NULL,
  serial bigint NOT NULL,
  from_g integer NOT NULL CHECK (from_g >= 0),
  to_g integer NOT NULL CHECK (to_g <= 1000000),
  at timestamptz NOT NULL,
  freed_by text REFERENCES ledger_entries (entry_id),
  PRIMARY KEY (entry_id, place),
  CHECK (from_g < to_g),
  CONSTRAINT covers_grams_once EXCLUDE USING gist (int8range(lot_no, lot_no, '[]') WITH &&,
    int8range(serial, serial, '[]') WITH &&, int4range(from_g, to_g) WITH &&) WHERE (freed_by IS NULL)
);
CREATE INDEX covers_visit ON covers (visit_id)
"""

# visit_emissions is the history that never changes; visit_accounts is what holds now, for lists and due days.
VISITS = """
CREATE TABLE visit_evidence (
  evidence_id text PRIMARY KEY,
  visit_id text NOT NULL,
  by text NOT NULL,
  by_role text NOT NULL CHECK (by_role IN ('applicant', 'office')),
  at timestamptz NOT NULL,
  declared jsonb NOT NULL,
  papers text[] NOT NULL DEFAULT '{}',
  note text NOT NULL DEFAULT ''
);
CREATE INDEX visit_evidence_visit ON visit_evidence (visit_id, evidence_id);
CREATE INDEX visit_evidence_by ON visit_evidence (by) WHERE by_role = 'applicant';
CREATE TABLE visit_emissions (
  visit_id text NOT NULL,
  revision integer NOT NULL CHECK (revision > 0),
  entry_id text UNIQUE REFERENCES ledger_entries (entry_id),
  at timestamptz NOT NULL,
  day date NOT NULL,
  grams bigint NOT NULL CHECK (grams >= 0),
  emission jsonb,
  evidence jsonb NOT NULL,
  factor_version text NOT NULL,
  problem text NOT NULL DEFAULT '',
  computed_at timestamptz NOT NULL,
  PRIMARY KEY (visit_id, revision)
);
CREATE TABLE visit_accounts (
  visit_id text PRIMARY KEY,
  revision integer NOT NULL,
  visit_revision integer NOT NULL,
  evidence_id text NOT NULL DEFAULT '',
  entry_id text,
  at timestamptz NOT NULL,
  day date NOT NULL,
  owed_g bigint NOT NULL,
  covered_g bigint NOT NULL DEFAULT 0,
  neutralised_at timestamptz,
  due_on date,
  due_factor_id text NOT NULL DEFAULT '',
  tier smallint,
  uncertainty_frac numeric,
  fuel_amount numeric,
  fuel_unit text NOT NULL DEFAULT '',
  information boolean NOT NULL DEFAULT false,
  problem text NOT NULL DEFAULT '',
  vehicle_class text NOT NULL DEFAULT '',
  CHECK (covered_g BETWEEN 0 AND owed_g)
);
CREATE INDEX visit_accounts_open ON visit_accounts (at, visit_id) WHERE covered_g < owed_g;
CREATE INDEX visit_accounts_due ON visit_accounts (due_on) INCLUDE (owed_g, covered_g) WHERE covered_g < owed_g;
CREATE INDEX visit_accounts_at ON visit_accounts (at, visit_id);
CREATE INDEX visit_accounts_tier ON visit_accounts (tier, at, visit_id);
CREATE INDEX visit_accounts_class ON visit_accounts (vehicle_class, at, visit_id);
CREATE INDEX visit_accounts_unknown ON visit_accounts (at, visit_id) WHERE problem NOT IN ('', 'withdrawn');
CREATE INDEX visit_accounts_closed ON visit_accounts (day) WHERE neutralised_at IS NOT NULL;
CREATE TABLE carbon_days (
  day date PRIMARY KEY,
  visits bigint NOT NULL DEFAULT 0,
  owed_g bigint NOT NULL DEFAULT 0,
  covered_g bigint NOT NULL DEFAULT 0,
  open_visits bigint NOT NULL DEFAULT 0,
  retired_g bigint NOT NULL DEFAULT 0
);
CREATE TABLE carbon_medians (
  year integer PRIMARY KEY,
  neutralised bigint NOT NULL,
  median_days numeric,
  at timestamptz NOT NULL
)
"""

REPORTS = """
CREATE TABLE papers (
  paper_id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('visits', 'neutralisation', 'event', 'month', 'year')),
  subject text NOT NULL,
  language text NOT NULL CHECK (language IN ('zh', 'en')),
  code text NOT NULL UNIQUE,
  facts jsonb NOT NULL,
  sha256 text NOT NULL,
  size_bytes integer NOT NULL,
  seal bytea NOT NULL,
  issued_at timestamptz NOT NULL,
  issued_by text NOT NULL,
  issued_for text,
  redacted_at timestamptz
);
CREATE INDEX papers_issued ON papers (issued_at DESC, paper_id DESC);
CREATE INDEX papers_subject ON papers (kind, subject);
CREATE INDEX papers_holder ON papers (issued_for, issued_at DESC) WHERE issued_for IS NOT NULL;
CREATE TABLE green_power (
  green_id text PRIMARY KEY,
  year integer NOT NULL CHECK (year BETWEEN 2000 AND 2200),
  month integer NOT NULL CHECK (month BETWEEN 1 AND 12),
  kwh numeric(14, 3) NOT NULL CHECK (kwh > 0),
  reference text NOT NULL,
  document_sha256 text NOT NULL,
  document_type text NOT NULL,
  added_at timestamptz NOT NULL,
  added_by text NOT NULL,
  withdrawn_at timestamptz,
  withdrawn_by text,
  withdrawn_why text
);
CREATE INDEX green_power_month ON green_power (year, month);
CREATE UNIQUE INDEX green_power_reference ON green_power (reference, year, month) WHERE withdrawn_at IS NULL;
CREATE TABLE carbon_sinks (
  sink_id text PRIMARY KEY,
  year integer NOT NULL CHECK (year BETWEEN 2000 AND 2200),
  month integer NOT NULL CHECK (month BETWEEN 1 AND 12),
  grams bigint NOT NULL CHECK (grams > 0),
  method text NOT NULL,
  source text NOT NULL,
  added_at timestamptz NOT NULL,
  added_by text NOT NULL,
  withdrawn_at timestamptz,
  withdrawn_by text,
  withdrawn_why text
);
CREATE INDEX carbon_sinks_month ON carbon_sinks (year, month);
CREATE TABLE carbon_events (
  event_id text PRIMARY KEY,
  name text NOT NULL,
  name_en text NOT NULL DEFAULT '',
  organiser text NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  people integer NOT NULL CHECK (people > 0),
  state text NOT NULL CHECK (state IN ('open', 'closed', 'cancelled')),
  grams bigint,
  footprint jsonb,
  closed_at timestamptz,
  closed_by text,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  CHECK (ends_on >= starts_on),
  CHECK ((state = 'closed') = (grams IS NOT NULL))
);
CREATE INDEX carbon_events_start ON carbon_events (starts_on DESC, event_id DESC);
CREATE TABLE carbon_event_lines (
  line_id text PRIMARY KEY,
  event_id text NOT NULL REFERENCES carbon_events,
  source text NOT NULL,
  amount numeric(14, 3) NOT NULL CHECK (amount > 0),
  measured boolean NOT NULL,
  note text NOT NULL DEFAULT '',
  added_at timestamptz NOT NULL,
  added_by text NOT NULL,
  withdrawn_at timestamptz,
  withdrawn_by text
);
CREATE INDEX carbon_event_lines_event ON carbon_event_lines (event_id, added_at);
CREATE TABLE feed_tokens (
  token_id text PRIMARY KEY,
  name text NOT NULL,
  token_hash bytea NOT NULL UNIQUE,
  made_at timestamptz NOT NULL,
  made_by text NOT NULL,
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by text
);
CREATE TABLE feed_rows (
  seq bigint PRIMARY KEY CHECK (seq > 0),
  kind text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  revision integer NOT NULL CHECK (revision > 0),
  body jsonb NOT NULL,
  written_at timestamptz NOT NULL,
  UNIQUE (kind, starts_at, revision)
);
CREATE INDEX events_health ON events (gateway_id, wall_at) WHERE kind = 'gateway_health';
CREATE INDEX events_lost ON events (uuid) WHERE kind = 'device_lost'
"""

_UNCHANGING = ("ledger_entries", "ledger_postings", "chain_heads", "visit_evidence", "visit_emissions")

# Of a paper, what it says of people may be taken out, once; everything else stays as it was issued.
PAPERS_KEPT = """
CREATE FUNCTION only_withdrawal() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN IF OLD.redacted_at IS NULL AND NEW.redacted_at IS NOT NULL
    AND NEW.facts = '{}' AND NEW.issued_by = '' AND NEW.issued_for IS NULL
    AND to_jsonb(OLD) - '{facts,issued_by,issued_for,redacted_at}'::text[]
      = to_jsonb(NEW) - '{facts,issued_by,issued_for,redacted_at}'::text[]
    THEN RETURN NEW; END IF; RAISE EXCEPTION '% lets nothing be changed', TG_TABLE_NAME; END $$

CREATE TRIGGER papers_only_withdrawal BEFORE UPDATE ON papers FOR EACH ROW EXECUTE FUNCTION only_withdrawal()

CREATE TRIGGER papers_kept BEFORE DELETE OR TRUNCATE ON papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    """Adds the tables; what is evidence of something lets nobody change it."""
    for part in (LEDGER, CREDITS, VISITS, REPORTS):
        for statement in part.split(";\n"):
            op.execute(statement)
    for statement in PAPERS_KEPT.split("\n\n"):
        op.execute(statement)
    for table in _UNCHANGING:
        op.execute(
            f"CREATE TRIGGER {table}_unchanging BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """What these tables hold is evidence."""
    raise NotImplementedError("restore a backup")
