"""Codes that partners bring, as pieces of their rewards. A code is one piece in the whole programme, or one voucher."""

from collections.abc import Collection, Sequence

from services.redemption.credentials.voucher_codes import KeptCode
from shared.database import Transaction

FIND_KNOWN = """
    select code_hash from redemption_reward_pieces where code_hash = any($1::text[])
    union all
    select code_hash from redemption_vouchers where code_hash = any($1::text[])
"""

# Two who bring the same codes in different orders would deadlock; whoever is being given one is waited for.
INSERT = """
    insert into redemption_reward_pieces (reward_id, code_hash, sealed_code)
    select $1, code_hash, sealed_code
    from unnest($2::text[], $3::text[]) as brought (code_hash, sealed_code)
    order by code_hash
    on conflict (code_hash) do nothing
    returning code_hash
"""

# Somebody may have been given one of these, brought for another reward, while we waited for its piece.
TAKE_OUT_GIVEN = """
    delete from redemption_reward_pieces as piece
    using redemption_vouchers as voucher
    where piece.code_hash = any($1::text[]) and voucher.code_hash = piece.code_hash
    returning piece.code_hash
"""

# The reward's row is locked.
COUNT_ADDED = "update redemption_rewards set pieces_added = pieces_added + $2 where reward_id = $1"


async def find_known(transaction: Transaction, code_hashes: Collection[str]) -> set[str]:
    """Those of these hashes that are of a piece or a voucher already."""
    rows = await transaction.raw.fetch(FIND_KNOWN, list(code_hashes))
    return {row["code_hash"] for row in rows}


async def insert(transaction: Transaction, reward_id: str, codes: Sequence[KeptCode]) -> int:
    """Write codes as pieces of a reward that is locked; how many were new in the programme."""
    rows = await transaction.raw.fetch(
        INSERT, reward_id, [code.code_hash for code in codes], [code.sealed_code for code in codes]
    )
    made = [row["code_hash"] for row in rows]
    given = await transaction.raw.fetch(TAKE_OUT_GIVEN, made)
    added = len(made) - len(given)
    await transaction.raw.execute(COUNT_ADDED, reward_id, added)
    return added
