"""People and rules: the roles of the whole island, and the books of dated rows."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROLES = """
ALTER TABLE users DROP CONSTRAINT users_role_check;
UPDATE users SET role = 'approver' WHERE role = 'office';
ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('visitor', 'driver', 'organisation', 'merchant',
  'guard', 'operator', 'reviewer', 'approver', 'auditor', 'engineer'))
"""

RULES = """
CREATE TABLE rule_books (
  book text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  body jsonb NOT NULL,
  author text NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (book, version)
)
"""


def upgrade() -> None:
    """More roles than three; the office's accounts may approve."""
    for part in (ROLES, RULES):
        for statement in part.split(";\n"):
            op.execute(statement)


def downgrade() -> None:
    """Accounts of the new roles have no place in the old table."""
    raise NotImplementedError("more roles cannot become three again: restore a backup")
