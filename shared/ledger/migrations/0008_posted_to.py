"""How far each service has posted what receipts ask for.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

from shared.ledger.grants import posted_to_grant_statements

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table ledger_posted_to (
        service text not null,
        posted_to timestamptz not null,
        constraint ledger_posted_to_pkey primary key (service)
    ) with (fillfactor = 50)
    """,
    "insert into ledger_version (version) values (6)",
)


def upgrade() -> None:
    """Each service says so itself, from its next second on."""
    for statement in (*STATEMENTS, *posted_to_grant_statements()):
        op.execute(statement)
