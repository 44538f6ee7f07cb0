"""Prepayments may earn when they are paid, until their goods are handed over.

Revision ID: 0043
Revises: 0042
"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Which receipt hands over what another one took money for; and that it took points back."""
    op.execute(
        """
        -- For ever: whichever of the two comes last must find the other.
        create table handovers (
            prepaid_key bytea not null,
            natural_key bytea not null,
            primary key (prepaid_key, natural_key)
        );
        create index handovers_named on handovers (natural_key);
        """
    )
    op.execute(
        """
        alter table returns drop constraint returns_cause_known,
            add constraint returns_cause_known check (cause in ('return', 'void', 'exchange', 'handover'))
        """
    )
