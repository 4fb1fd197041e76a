"""Entries that were counted against a permit, each once."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENT = """
CREATE TABLE permit_entries (
  event_uuid uuid PRIMARY KEY,
  permit_id text NOT NULL,
  at timestamptz NOT NULL
)"""


def upgrade() -> None:
    """One table."""
    op.execute(STATEMENT)


def downgrade() -> None:
    """Takes it away again; what the permits have left stays."""
    op.execute("DROP TABLE permit_entries")
