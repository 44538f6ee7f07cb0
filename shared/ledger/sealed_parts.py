"""How a stretch of transfers becomes the parts of its blocks, in the database: the same as ``chain``, for many rows."""

from shared.ledger.chain import CHILDREN_MAX, LEVELS, NAMING_MEMBERS, ROW_COLUMNS

_KINDS = ", ".join(f"'{kind.decode()}'::bytea" for kind in NAMING_MEMBERS)
_KIND_BYTES = len(NAMING_MEMBERS[0])
_REFERENCE = f"""case when substr(reference, 1, {_KIND_BYTES}) in ({_KINDS}) then substr(reference, 1, {_KIND_BYTES})
                    else reference end"""
_ROW = ", ".join(_REFERENCE if column == "reference" else column for column in ROW_COLUMNS)
_ROW_HASH = rf"sha256('\x00'::bytea || record_send(row({_ROW})))"


def _levels() -> str:
    """Each level joins families of the one below; with them go the list of rows and their number."""
    return ", ".join(
        rf"""
        level_{level} as (
            select block, month, partner_id, place / {CHILDREN_MAX} as place,
                sha256('\x01'::bytea || string_agg(hash, '' order by place)) as hash,
                string_agg(listed, '' order by place) as listed, sum(transfers)::bigint as transfers
            from level_{level - 1}
            group by block, month, partner_id, place / {CHILDREN_MAX}
        )"""
        for level in range(1, LEVELS + 1)
    )


# Transfers from $1 to $2 that belong to the blocks that begin at $3 and end at $4, both ascending: a row a part. Each
# row's number and the beginning of its hash are listed, so that a row that was changed can be named.
PARTS = f"""
    with level_0 as (
        select block, month, partner_id, hash, int8send(transfer_id) || substr(hash, 1, 8) as listed, 1 as transfers,
            row_number() over (partition by block, month, partner_id order by transfer_id, hash) - 1 as place
        from (
                select width_bucket(transfer_id, $3::bigint[]) as block, coalesce(partner_id, '') as partner_id,
                    date_trunc('month', business_time at time zone 'UTC')::date as month, transfer_id,
                    {_ROW_HASH} as hash
                from ledger_transfers
                where transfer_id between $1 and $2
            ) as hashed
        where transfer_id <= ($4::bigint[])[block]
    ), {_levels()}
    select block, month, partner_id, transfers, hash as root, listed
    from level_{LEVELS}
"""
LISTED_BYTES = 16

# The same for one block, saved as its parts.
SAVE_PARTS = f"""
    insert into ledger_block_parts (block_number, month, partner_id, transfers, root, listed)
    select $5, month, partner_id, transfers, root, listed
    from ({PARTS}) as parts
    returning month, partner_id, transfers, root
"""

# Parts of the blocks from number $5 on that are not as stored; all of a block that has one.
DIFFERING_PARTS = f"""
    with computed as materialized (
        select ($5::bigint[])[block] as block_number, month, partner_id, transfers, root, listed from ({PARTS}) as parts
    )
    select block_number, month, partner_id, stored.transfers as stored_transfers, computed.transfers,
        stored.root as stored_root, computed.root, stored.listed as stored_listed, computed.listed
    from (
            select block_number, month, partner_id, transfers, root, listed
            from ledger_block_parts
            where block_number = any($5::bigint[])
        ) as stored
        full join computed using (block_number, month, partner_id)
    where (stored.transfers, stored.root, stored.listed)
        is distinct from (computed.transfers, computed.root, computed.listed)
    order by block_number, month, partner_id
"""
