"""PostgreSQL: transactions with business time, roles, migrations."""

from shared.database.engine import Database, Transaction

__all__ = ["Database", "Transaction"]
