"""What it takes to let points expire: lots are found by their day, and what lapsed in passing waits to be told of.

The index names columns that never change, so that balances change within their page as before; its rows are those of
lots that can expire. Postings wait while it is built: one pass over the lots.
"""

from alembic import op

from shared.ledger.grants import lapse_grant_statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create index ledger_lots_expiring on ledger_lots (expires_on, account_id)
    where expires_on is not null and award is null
    """,
    """
    create table ledger_lapses (
        account_id bigint not null,
        lot_key bytea not null,
        points bigint not null constraint ledger_lapses_points_positive check (points > 0),
        constraint ledger_lapses_pkey primary key (account_id, lot_key)
    )
    """,
    "insert into ledger_version (version) values (4)",
)


def upgrade() -> None:
    """Index lots by their day of expiry, and make room for what is to be told."""
    for statement in (*STATEMENTS, *lapse_grant_statements()):
        op.execute(statement)
