"""What alembic runs for each component. ``shared.database.migrate`` opens the connection and chooses the schema.

``op.execute`` sends a string to the server as it stands: it may hold several statements, and a colon in it is no
parameter.
"""

import asyncpg
from alembic import context
from alembic.operations import Operations
from alembic.operations.ops import ExecuteSQLOp
from sqlalchemy import Connection, text
from sqlalchemy.util import await_

# A migration that waits for a lock makes everybody behind it wait as well.
_BEGIN = text("set local lock_timeout = '5s'")


@Operations.implementation_for(ExecuteSQLOp, replace=True)
def send_script(operations: Operations, operation: ExecuteSQLOp) -> None:
    """Run a migration's SQL inside the migration's transaction."""
    connection = operations.get_bind()
    connection.execute(_BEGIN)  # BEGIN goes out with a statement that passes through SQLAlchemy
    raw = connection.connection.driver_connection
    if not isinstance(raw, asyncpg.Connection) or not raw.is_in_transaction():
        raise TypeError("a migration needs an asyncpg connection with an open transaction")
    await_(raw.execute(str(operation.sqltext)))


def run(connection: Connection, schema: str) -> None:
    context.configure(
        connection=connection,
        version_table="alembic_version",
        version_table_schema=schema,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"], context.config.attributes["schema"])
