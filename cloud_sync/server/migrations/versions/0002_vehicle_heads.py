"""What gateways have learnt of their vehicles, and what people order about it."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE gateway_health ADD COLUMN vehicle_head jsonb NOT NULL DEFAULT '{}'",
    """
CREATE TABLE head_orders (
  command_id text PRIMARY KEY,
  gateway_id text NOT NULL,
  action text NOT NULL CHECK (action IN ('adapt', 'use', 'roll_back')),
  version text NOT NULL DEFAULT '',
  force boolean NOT NULL DEFAULT false,
  issued_by text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  published_at timestamptz,
  result text,
  result_detail text,
  result_at timestamptz
)""",
    "CREATE INDEX head_orders_gateway ON head_orders (gateway_id, issued_at DESC)",
)


def upgrade() -> None:
    """A column and a table."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Takes both away again; what was ordered stays in the audit trail."""
    op.execute("DROP TABLE head_orders")
    op.execute("ALTER TABLE gateway_health DROP COLUMN vehicle_head")
