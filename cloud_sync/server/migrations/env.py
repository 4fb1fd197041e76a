"""Runs the migrations on the connection that `cloud_sync.server.postgres.migrate` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
