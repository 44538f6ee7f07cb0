"""Accounts, lots, holds and transfers, with the rules that hold whatever code writes to them.

There are no foreign keys: nothing here is ever deleted, `tessera ledger verify` looks for strays, and checking one
for each new lot would cost more than storing it.
"""

from alembic import op

from shared.database.month_partitions import month_partitions_ddl
from shared.ledger.grants import grant_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_accounts_and_lots()
    create_holds()
    create_transfers()
    op.execute("create table ledger_version (version integer not null constraint ledger_version_pkey primary key)")
    op.execute("insert into ledger_version (version) values (1)")
    for statement in grant_statements():
        op.execute(statement)


def create_accounts_and_lots() -> None:
    """What owners have, in all and by lot."""
    op.execute("""
        create table ledger_accounts (
            account_id bigint generated always as identity,
            owner_id uuid not null,
            point_type text not null,
            available bigint not null default 0,
            held bigint not null default 0,
            pending bigint not null default 0,
            debt bigint not null default 0,
            constraint ledger_accounts_pkey primary key (account_id),
            constraint ledger_accounts_owner_key unique (owner_id, point_type),
            constraint ledger_accounts_point_type_length check (length(point_type) between 1 and 64),
            constraint ledger_accounts_available_not_negative check (available >= 0),
            constraint ledger_accounts_held_not_negative check (held >= 0),
            constraint ledger_accounts_pending_not_negative check (pending >= 0),
            constraint ledger_accounts_debt_not_negative check (debt >= 0),
            constraint ledger_accounts_debt_is_cleared_first check (debt = 0 or available = 0)
        ) with (fillfactor = 80)
    """)
    # The key sorts in the order of spending, so that the primary key serves that as well. No index has remaining or
    # reserved in it or in its predicate: changing them stays within the page (HOT).
    op.execute("""
        create table ledger_lots (
            account_id bigint not null,
            lot_key bytea not null,
            award bytea,
            issuer text not null,
            basis text not null,
            available_from date not null,
            expires_on date,
            remaining bigint not null,
            reserved bigint not null,
            constraint ledger_lots_pkey primary key (account_id, lot_key),
            constraint ledger_lots_key_length check (octet_length(lot_key) = 16),
            constraint ledger_lots_award_length check (octet_length(award) between 1 and 512),
            constraint ledger_lots_remaining_not_negative check (remaining >= 0),
            constraint ledger_lots_reserved_not_negative check (reserved >= 0),
            constraint ledger_lots_pending_is_not_reserved check (award is null or reserved = 0),
            constraint ledger_lots_expire_after_available check (expires_on > available_from)
        ) with (fillfactor = 90)
    """)


def create_holds() -> None:
    """What is reserved, in all and from which lots."""
    op.execute("""
        create table ledger_holds (
            hold_id uuid not null,
            account_id bigint not null,
            reserved bigint not null,
            captured bigint not null,
            state text not null,
            opened_at timestamptz not null,
            closed_at timestamptz,
            constraint ledger_holds_pkey primary key (hold_id),
            constraint ledger_holds_reserved_not_negative check (reserved >= 0),
            constraint ledger_holds_captured_not_negative check (captured >= 0),
            constraint ledger_holds_state_known check (state in ('open', 'captured', 'voided', 'expired')),
            constraint ledger_holds_open_while_reserved check ((state = 'open') = (reserved > 0)),
            constraint ledger_holds_closed_at_given check ((state = 'open') = (closed_at is null))
        ) with (fillfactor = 90)
    """)
    op.execute("""
        create table ledger_hold_lots (
            hold_id uuid not null,
            account_id bigint not null,
            lot_key bytea not null,
            reserved bigint not null,
            captured bigint not null,
            constraint ledger_hold_lots_pkey primary key (hold_id, lot_key),
            constraint ledger_hold_lots_reserved_not_negative check (reserved >= 0),
            constraint ledger_hold_lots_captured_not_negative check (captured >= 0)
        ) with (fillfactor = 90)
    """)


def create_transfers() -> None:
    """Append-only: services have no UPDATE or DELETE. Partitioned by month of business time, without uniqueness."""
    op.execute("""
        create table ledger_transfers (
            transfer_id bigint generated always as identity,
            account_id bigint not null,
            debit text not null,
            credit text not null,
            partner_id text,
            points bigint not null,
            purpose text not null,
            reference bytea not null,
            debit_lot bytea,
            credit_lot bytea,
            hold_id uuid,
            business_time timestamptz not null,
            posted_at timestamptz not null default clock_timestamp(),
            constraint ledger_transfers_points_positive check (points > 0),
            constraint ledger_transfers_legs_known check ((purpose, debit, credit) in (
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
                ('spend_late', 'available', 'redeem')
            )),
            constraint ledger_transfers_partner_named
                check ((partner_id is not null) = (debit = 'issue' or credit in ('issue', 'redeem'))),
            constraint ledger_transfers_debit_lot_named
                check ((debit_lot is not null) = (debit in ('available', 'held', 'pending'))),
            constraint ledger_transfers_credit_lot_named
                check ((credit_lot is not null) = (credit in ('available', 'held', 'pending'))),
            constraint ledger_transfers_hold_named check ((hold_id is not null) = ('held' in (debit, credit))),
            constraint ledger_transfers_reference_length check (octet_length(reference) between 1 and 512)
        ) partition by range (business_time)
    """)
    # One index, for a member's statement.
    op.execute("create index ledger_transfers_statement on ledger_transfers (account_id, transfer_id)")
    for statement in month_partitions_ddl("ledger_transfers", "business_time"):
        op.execute(statement)
