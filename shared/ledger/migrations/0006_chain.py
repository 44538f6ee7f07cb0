"""The sealed chain: blocks of transfers that are settled, and a partner's rows of a month in each.

The index is of pages, not of rows: finding the stretch that a block covers costs postings next to nothing. They wait
while it is built: one pass over the transfers.
"""

from alembic import op

from shared.ledger.grants import chain_grant_statements

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table ledger_blocks (
        block_number bigint not null,
        encoding smallint not null,
        first_transfer_id bigint not null,
        last_transfer_id bigint not null,
        transfers bigint not null,
        sealed_at timestamptz not null,
        root bytea not null,
        previous bytea not null,
        hash bytea not null,
        constraint ledger_blocks_pkey primary key (block_number),
        constraint ledger_blocks_last_key unique (last_transfer_id),
        constraint ledger_blocks_number_positive check (block_number > 0),
        constraint ledger_blocks_transfers_positive check (transfers > 0),
        constraint ledger_blocks_end_after_beginning check (last_transfer_id >= first_transfer_id),
        constraint ledger_blocks_hash_lengths
            check (octet_length(root) = 32 and octet_length(previous) = 32 and octet_length(hash) = 32)
    )
    """,
    # '' are the rows that name no partner. What is listed of each row, 16 bytes: its number, 8 bytes of its hash.
    """
    create table ledger_block_parts (
        block_number bigint not null,
        month date not null,
        partner_id text not null,
        transfers bigint not null,
        root bytea not null,
        listed bytea not null,
        constraint ledger_block_parts_pkey primary key (block_number, month, partner_id),
        constraint ledger_block_parts_transfers_positive check (transfers > 0),
        constraint ledger_block_parts_root_length check (octet_length(root) = 32),
        constraint ledger_block_parts_lists_all check (octet_length(listed) = 16 * transfers)
    )
    """,
    "alter table ledger_block_parts alter column listed set storage external",  # hashes do not get smaller
    "create index ledger_block_parts_partner on ledger_block_parts (partner_id, block_number)",
    "create index ledger_transfers_stretch on ledger_transfers using brin (transfer_id) with (autosummarize = on)",
    "insert into ledger_version (version) values (5)",
)


def upgrade() -> None:
    """Make room for blocks, and find their transfers."""
    for statement in (*STATEMENTS, *chain_grant_statements()):
        op.execute(statement)
