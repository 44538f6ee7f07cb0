"""What alembic runs for each component. ``shared.database.migrate`` opens the connection and chooses the schema."""

from alembic import context
from sqlalchemy import Connection

LOCK_TIMEOUT = "5s"  # a migration that waits for a lock makes everybody behind it wait as well


def run(connection: Connection, schema: str) -> None:
    context.configure(
        connection=connection,
        version_table="alembic_version",
        version_table_schema=schema,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
        context.run_migrations()


run(context.config.attributes["connection"], context.config.attributes["schema"])
