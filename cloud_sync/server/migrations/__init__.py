"""The database's shape: alembic revisions, run at start under an advisory lock."""
