"""Operators with their own member cards, by keyed hashes; and which receipts were made with a cashier's own card.

From now on an outcome that a late receipt raised bears, as its third part, the rule set's version that made it: the
decision may be of an older one.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table operators (
        operator_hash text collate "C" primary key,
        own_card_hashes text[] not null,
        version bigint not null
    )
    """,
    # An erasure looks for hashes, whoever's they are.
    "create index operators_own_cards on operators using gin (own_card_hashes) where own_card_hashes <> '{}'",
    "alter table window_receipts add column is_own_card boolean not null default false",
)


def upgrade() -> None:
    """Nobody is known: operators are told of by coalition, and receipts of before were judged without."""
    for statement in STATEMENTS:
        op.execute(statement)
