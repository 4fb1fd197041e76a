"""Applications with their history, documents, vehicles of people, and visits."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A history may lose what it says about a person when the time to keep that is over; what was done, when and by whom
# stays. Nothing else of it is ever changed.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION '% lets nothing be changed', TG_TABLE_NAME; END $$;
CREATE FUNCTION only_redaction() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN IF OLD.redacted_at IS NULL AND NEW.redacted_at IS NOT NULL
    AND to_jsonb(OLD) - '{reason,remarks,fields,details,redacted_at}'::text[]
      = to_jsonb(NEW) - '{reason,remarks,fields,details,redacted_at}'::text[]
    THEN RETURN NEW; END IF; RAISE EXCEPTION '% lets nothing be changed', TG_TABLE_NAME; END $$
"""

APPLICATIONS = """
CREATE TABLE application_numbers (
  year integer PRIMARY KEY,
  last integer NOT NULL
);
CREATE TABLE applications (
  application_id text PRIMARY KEY,
  applicant_id text NOT NULL DEFAULT '',
  filed_by text NOT NULL,
  status text NOT NULL CHECK (status IN ('draft', 'submitted', 'returned', 'approved', 'refused', 'active', 'used_up',
    'expired', 'revoked', 'appealed')),
  form jsonb NOT NULL,
  plate text NOT NULL DEFAULT '',
  permit_class text NOT NULL CHECK (permit_class IN ('emergency', 'special', 'standing')),
  window_from timestamptz,
  window_until timestamptz,
  approvals jsonb NOT NULL DEFAULT '[]',
  entries_used integer NOT NULL DEFAULT 0 CHECK (entries_used >= 0),
  entered_at timestamptz,
  arrival_id text UNIQUE,
  appeal jsonb,
  copied_from text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  submitted_at timestamptz,
  decided_at timestamptz,
  ended_at timestamptz,
  due_at timestamptz,
  due_term text,
  due_of_office boolean,
  next_at timestamptz,
  rules_version text NOT NULL DEFAULT '',
  publish_at timestamptz,
  published_at timestamptz,
  redacted_at timestamptz,
  version integer NOT NULL CHECK (version > 0)
);
CREATE INDEX applications_status ON applications (status, window_from, application_id);
CREATE INDEX applications_person ON applications (applicant_id, application_id DESC);
CREATE INDEX applications_plate ON applications (plate);
CREATE INDEX applications_plate_like ON applications USING gin (plate gin_trgm_ops);
CREATE INDEX applications_next ON applications (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX applications_publish ON applications (publish_at) WHERE publish_at IS NOT NULL AND published_at IS NULL;
CREATE INDEX applications_ended ON applications (ended_at) WHERE redacted_at IS NULL;
CREATE INDEX applications_decided ON applications (decided_at DESC) WHERE decided_at IS NOT NULL;
CREATE TABLE application_changes (
  application_id text NOT NULL REFERENCES applications,
  number integer NOT NULL CHECK (number > 0),
  at timestamptz NOT NULL,
  by text NOT NULL,
  role text NOT NULL,
  action text NOT NULL,
  before text NOT NULL,
  after text NOT NULL,
  reason text NOT NULL DEFAULT '',
  remarks jsonb NOT NULL DEFAULT '[]',
  fields jsonb NOT NULL DEFAULT '[]',
  details jsonb NOT NULL DEFAULT '{}',
  redacted_at timestamptz,
  PRIMARY KEY (application_id, number)
);
CREATE TRIGGER application_changes_only_redaction BEFORE UPDATE ON application_changes
  FOR EACH ROW EXECUTE FUNCTION only_redaction();
CREATE TRIGGER application_changes_kept BEFORE DELETE OR TRUNCATE ON application_changes
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE reminders (
  reminder_key text PRIMARY KEY,
  application_id text NOT NULL REFERENCES applications,
  kind text NOT NULL,
  term text,
  to_office boolean NOT NULL,
  due_at timestamptz,
  entries_left integer,
  made_at timestamptz NOT NULL,
  over_at timestamptz,
  seen_at timestamptz,
  seen_by text
);
CREATE INDEX reminders_open ON reminders (application_id) WHERE over_at IS NULL;
CREATE INDEX reminders_office ON reminders (due_at, reminder_key) WHERE over_at IS NULL AND to_office;
CREATE TABLE vehicles (
  vehicle_id text PRIMARY KEY,
  owner_id text NOT NULL,
  plate text NOT NULL CHECK (plate <> ''),
  plate_colour text NOT NULL,
  vehicle_type text NOT NULL,
  drive text NOT NULL,
  emission_class text NOT NULL DEFAULT '',
  consumption_per_100km numeric CHECK (consumption_per_100km > 0),
  name text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  confirmed_at timestamptz,
  confirmed_by text,
  removed_at timestamptz
);
CREATE UNIQUE INDEX vehicles_once ON vehicles (owner_id, plate) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX vehicles_confirmed ON vehicles (plate) WHERE removed_at IS NULL AND confirmed_at IS NOT NULL;
CREATE INDEX vehicles_unconfirmed ON vehicles (created_at) WHERE removed_at IS NULL AND confirmed_at IS NULL
"""

DOCUMENTS = """
CREATE TABLE documents (
  sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  media_type text NOT NULL,
  size_bytes bigint NOT NULL,
  width_px integer,
  height_px integer,
  uploader text NOT NULL,
  stored_at timestamptz NOT NULL,
  deleted_at timestamptz
);
CREATE TABLE document_uploads (
  sha256 text NOT NULL REFERENCES documents,
  user_id text NOT NULL,
  size_bytes bigint NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (sha256, user_id)
);
CREATE INDEX document_uploads_person ON document_uploads (user_id, at);
CREATE TABLE document_uses (
  sha256 text NOT NULL REFERENCES documents,
  kind text NOT NULL CHECK (kind IN ('application', 'visit', 'carbon')),
  subject_id text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (sha256, kind, subject_id)
);
CREATE INDEX document_uses_subject ON document_uses (kind, subject_id)
"""

# A visit that turns out not to have been one (its entry arrived late and took its exit, its plate was read otherwise)
# is withdrawn: its row stays with a higher revision, so that what was booked for it can be booked back.
VISITS = """
CREATE TABLE visits (
  visit_id text PRIMARY KEY,
  plate text NOT NULL,
  permit_id text,
  application_id text,
  gate_in text,
  gate_out text,
  entered_at timestamptz,
  left_at timestamptz,
  entry_arrival text,
  exit_arrival text,
  state text NOT NULL CHECK (state IN ('inside', 'complete', 'exit_unknown', 'entry_unknown')),
  flags text[] NOT NULL DEFAULT '{}',
  vehicle_type text,
  emergency boolean NOT NULL DEFAULT false,
  revision integer NOT NULL CHECK (revision > 0),
  is_over boolean NOT NULL,
  withdrawn_at timestamptz,
  anonymised_at timestamptz,
  updated_at timestamptz NOT NULL
);
CREATE INDEX visits_plate ON visits (plate, visit_id);
CREATE INDEX visits_plate_like ON visits USING gin (plate gin_trgm_ops);
CREATE INDEX visits_time ON visits ((coalesce(entered_at, left_at)) DESC, visit_id DESC);
CREATE INDEX visits_open ON visits (entered_at) WHERE NOT is_over AND withdrawn_at IS NULL;
CREATE INDEX visits_permit ON visits (permit_id) WHERE permit_id IS NOT NULL;
CREATE INDEX visits_application ON visits (application_id) WHERE application_id IS NOT NULL;
CREATE INDEX visits_updated ON visits (updated_at, visit_id);
CREATE TABLE visit_passages (
  arrival_id text PRIMARY KEY,
  gateway_id text NOT NULL,
  plate text NOT NULL,
  gate_id text NOT NULL,
  direction text NOT NULL,
  movement text NOT NULL,
  at timestamptz NOT NULL,
  hlc bigint NOT NULL,
  permit_id text,
  tailgated boolean NOT NULL,
  vehicle_type text,
  complete_after boolean NOT NULL
);
CREATE INDEX visit_passages_plate ON visit_passages (plate, hlc);
CREATE TABLE visit_todo (
  todo_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  arrival_id text NOT NULL
);
INSERT INTO visit_todo (arrival_id)
  SELECT arrival_id FROM passages WHERE movement IS NOT NULL AND anonymised_at IS NULL ORDER BY arrived_at
"""

# What is left is the most less what visits used; entries are no longer counted event by event.
PERMITS = """
ALTER TABLE permits ADD COLUMN entries_max integer CHECK (entries_max >= 0),
  ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
UPDATE permits SET changed_at = created_at, entries_max = entries_left +
  (SELECT count(*) FROM permit_entries e WHERE e.permit_id = permits.permit_id);
CREATE INDEX permits_revoked ON permits (valid_until) WHERE revoked_at IS NOT NULL;
DROP TABLE permit_entries;
ALTER TABLE retention_rules DROP CONSTRAINT retention_rules_applies_to_check;
ALTER TABLE retention_rules ADD CONSTRAINT retention_rules_applies_to_check CHECK (applies_to ~ '^[a-z_]+$');
ALTER TABLE retention_rules ADD COLUMN author text NOT NULL DEFAULT 'delivered with the product',
  ADD COLUMN reason text NOT NULL DEFAULT 'the shortest time that its purpose needs'
"""


def upgrade() -> None:
    """Adds the tables; entries of permits are counted from visits from now on."""
    for part in (FUNCTIONS, APPLICATIONS, DOCUMENTS, VISITS, PERMITS):
        for statement in part.split(";\n"):
            op.execute(statement)


def downgrade() -> None:
    """What these tables hold is evidence."""
    raise NotImplementedError("restore a backup")
