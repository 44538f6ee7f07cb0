"""Merges: who answers for whom, and transfers from one owner's account to another's.

Only adds. The rule about a transfer's legs is replaced by one that admits more; rows are checked against it before the
old one goes, without keeping postings waiting for that.
"""

from alembic import op

from shared.ledger.grants import alias_grant_statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The owner was merged away: whoever waits for the row finds out under the lock. Nothing can be spent here any more.
    """
    alter table ledger_accounts
        add column is_merged boolean not null default false,
        add constraint ledger_accounts_merged_has_given check (not is_merged or (available, pending, debt) = (0, 0, 0))
            not valid
    """,
    "alter table ledger_accounts validate constraint ledger_accounts_merged_has_given",
    """
    create table ledger_aliases (
        owner_id uuid not null constraint ledger_aliases_pkey primary key,
        survivor_id uuid not null,
        merged_at timestamptz not null,
        constraint ledger_aliases_of_another check (survivor_id <> owner_id)
    )
    """,
    "create index ledger_aliases_survivor on ledger_aliases (survivor_id)",
    # Null unless the credit is on another owner's account than the debit: a merge.
    """
    alter table ledger_transfers
        add column credit_account_id bigint,
        add constraint ledger_transfers_merge_names_both check (
            (credit_account_id is not null) = (purpose = 'merge') and credit_account_id is distinct from account_id
        ) not valid,
        add constraint ledger_transfers_ways_known check ((purpose, debit, credit) in (
            ('earn', 'issue', 'available'),
            ('reserve', 'available', 'held'),
            ('capture', 'held', 'redeem'),
            ('void', 'held', 'available'),
            ('expire', 'held', 'available'),
            ('clear_debt', 'available', 'debt'),
            ('claw_back', 'pending', 'issue'),
            ('claw_back', 'available', 'issue'),
            ('claw_back', 'debt', 'issue'),
            ('suspend', 'available', 'pending'),
            ('release', 'pending', 'available'),
            ('spend_late', 'available', 'redeem'),
            ('merge', 'available', 'available'),
            ('merge', 'pending', 'pending'),
            ('merge', 'debt', 'debt')
        )) not valid
    """,
    "alter table ledger_transfers validate constraint ledger_transfers_merge_names_both",
    "alter table ledger_transfers validate constraint ledger_transfers_ways_known",
    "alter table ledger_transfers drop constraint ledger_transfers_legs_known",
    "alter table ledger_transfers rename constraint ledger_transfers_ways_known to ledger_transfers_legs_known",
    "insert into ledger_version (version) values (2)",
)


def upgrade() -> None:
    """Add aliases and the ways of a merge."""
    for statement in (*STATEMENTS, *alias_grant_statements()):
        op.execute(statement)
