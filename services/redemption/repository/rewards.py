"""Rewards with their versions, and the pieces that are left of them."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from services.redemption.domain.rewards.reward import Reward, RewardTerms
from services.redemption.domain.rewards.voucher import Voucher
from shared.database import Transaction

_COLUMNS = "reward_id, version, document::text, changed_at, author"

FIND = f"select {_COLUMNS} from redemption_rewards where reward_id = $1"
LOCK = f"{FIND} for no key update"

# One who makes the same reward at once waits here, and finds it.
INSERT = """
    insert into redemption_rewards (reward_id, version, partner_id, document, changed_at, author)
    values ($1, $2, $3, $4::jsonb, $5, $6)
    on conflict (reward_id) do nothing
    returning reward_id
"""
# The row is locked.
UPDATE = """
    update redemption_rewards
    set version = $2, document = $3::jsonb, changed_at = $4, author = $5
    where reward_id = $1
"""
KEEP_VERSION = """
    insert into redemption_reward_versions (reward_id, version, document, changed_at, author)
    values ($1, $2, $3::jsonb, $4, $5)
"""
FIND_VERSION = "select document::text from redemption_reward_versions where reward_id = $1 and version = $2"

# A reward that is not limited always has one left.
LOAD = f"""
    select {_COLUMNS},
        document ->> 'supply' = 'unlimited'
            or exists (select from redemption_reward_pieces as piece where piece.reward_id = reward.reward_id)
            as is_left
    from redemption_rewards as reward
    where reward_id > $1 and ($2::text is null or partner_id = $2)
        and ($3::text is null or document -> 'categories' ? $3)
        and ($4::timestamptz is null or (
            not coalesce((document ->> 'is_withdrawn')::boolean, false)
            and coalesce((document ->> 'offered_from')::timestamptz <= $4, true)
            and coalesce((document ->> 'offered_until')::timestamptz > $4, true)
        ))
    order by reward_id
    limit $5
"""
COUNT_STOCK = """
    select pieces_added,
        (select count(*) from redemption_reward_pieces as piece where piece.reward_id = reward.reward_id) as left
    from redemption_rewards as reward
    where reward_id = $1
"""

# Many take at once: each takes a piece that nobody else is taking at this moment.
TAKE_FREE_PIECE = """
    delete from redemption_reward_pieces
    where reward_id = $1 and piece_id = (
        select piece_id from redemption_reward_pieces where reward_id = $1 limit 1 for update skip locked
    )
    returning code_hash, sealed_code
"""
# Where all that are left are being taken, one of those who take them may fail yet: only then is somebody waited for.
TAKE_ANY_PIECE = TAKE_FREE_PIECE.replace(" skip locked", "")

# The reward's row is locked.
ADD_PIECES = """
    with added as (update redemption_rewards set pieces_added = pieces_added + $2 where reward_id = $1)
    insert into redemption_reward_pieces (reward_id)
    select $1 from generate_series(1, $2)
"""
# What somebody takes at this moment is left to him.
TAKE_AWAY_PIECES = """
    with free as (
        select piece_id from redemption_reward_pieces where reward_id = $1 limit $2 for update skip locked
    ), gone as (
        delete from redemption_reward_pieces as piece using free
        where piece.reward_id = $1 and piece.piece_id = free.piece_id
        returning piece.piece_id
    )
    update redemption_rewards set pieces_added = pieces_added - (select count(*) from gone)
    where reward_id = $1
    returning (select count(*) from gone) as gone
"""
# Whether a reward is limited to pieces stays as it was made.
GIVE_BACK_PIECES = """
    insert into redemption_reward_pieces (reward_id)
    select reward_id
    from unnest($1::text[]) as given (reward_id)
        join redemption_rewards using (reward_id)
    where document ->> 'supply' = 'pieces'
"""


# The vouchers are locked, and closed.
GIVE_BACK_CODES = """
    with taken as (
        update redemption_vouchers as voucher
        set code_hash = null, sealed_code = null
        from redemption_rewards as reward
        where voucher.voucher_id = any($1::uuid[]) and reward.reward_id = voucher.reward_id
            and reward.document ->> 'supply' = 'imported'
        returning voucher.reward_id, old.code_hash, old.sealed_code
    )
    insert into redemption_reward_pieces (reward_id, code_hash, sealed_code)
    select reward_id, code_hash, sealed_code from taken
"""


class Offered(NamedTuple):
    """A reward, and whether one is left of it."""

    reward: Reward
    is_left: bool


class Piece(NamedTuple):
    """A piece that was taken, with the code that its partner brought, if it did."""

    code_hash: str | None
    sealed_code: str | None


class Stock(NamedTuple):
    """How many pieces were added in all, and how many are left."""

    added: int
    left: int


async def find_reward(transaction: Transaction, reward_id: str) -> Reward | None:
    """A reward as last committed."""
    return _reward(await transaction.raw.fetchrow(FIND, reward_id))


async def lock_reward(transaction: Transaction, reward_id: str) -> Reward | None:
    """The same, its row locked to the commit: for those who change it, whom nobody who takes one waits for."""
    return _reward(await transaction.raw.fetchrow(LOCK, reward_id))


async def insert_reward(transaction: Transaction, reward: Reward) -> bool:
    """Write a new reward; False where its id is there."""
    document = reward.terms.model_dump_json()
    made = await transaction.raw.fetchval(
        INSERT,
        reward.reward_id,
        reward.version,
        reward.terms.partner_id,
        document,
        reward.changed_at,
        reward.author,
    )
    if made is None:
        return False
    await _keep_version(transaction, reward, document)
    return True


async def update_reward(transaction: Transaction, reward: Reward) -> None:
    """Write the next version of a reward that is locked."""
    document = reward.terms.model_dump_json()
    await transaction.raw.execute(UPDATE, reward.reward_id, reward.version, document, reward.changed_at, reward.author)
    await _keep_version(transaction, reward, document)


async def find_terms(transaction: Transaction, reward_id: str, version: int) -> RewardTerms:
    """What a reward said at one of its versions."""
    document = await transaction.raw.fetchval(FIND_VERSION, reward_id, version)
    return RewardTerms.model_validate_json(document)


async def load_offered(
    transaction: Transaction,
    *,
    after: str,
    partner_id: str | None,
    category: str | None,
    is_offered_now: bool,
    rows_max: int,
) -> list[Offered]:
    """Rewards in the order of their ids; as far as asked those of one partner, one category, offered now."""
    offered_at = transaction.now if is_offered_now else None
    rows = await transaction.raw.fetch(LOAD, after, partner_id, category, offered_at, rows_max)
    return [Offered(_of(row), row["is_left"]) for row in rows]


async def count_stock(transaction: Transaction, reward_id: str) -> Stock:
    """A reward's pieces as last committed."""
    row = await transaction.raw.fetchrow(COUNT_STOCK, reward_id)
    return Stock(0, 0) if row is None else Stock(*row.values())


async def take_piece(transaction: Transaction, reward_id: str) -> Piece | None:
    """Take one of the pieces that are left; None where none is. It is somebody else's again if this transaction fails.

    Whoever takes one waits for nobody, until all that are left are being taken by others at this moment.
    """
    taken = await transaction.raw.fetchrow(TAKE_FREE_PIECE, reward_id)
    if taken is None:
        taken = await transaction.raw.fetchrow(TAKE_ANY_PIECE, reward_id)
    return None if taken is None else Piece(*taken.values())


async def give_back_pieces(transaction: Transaction, closed: Sequence[Voucher], unseen: Sequence[Voucher] = ()) -> None:
    """What these vouchers had taken is left again, of rewards that are limited: codes that partners brought only of
    those that nobody has seen."""
    await transaction.raw.execute(GIVE_BACK_PIECES, [voucher.reward_id for voucher in closed])
    if unseen:
        await transaction.raw.execute(GIVE_BACK_CODES, [voucher.voucher_id for voucher in unseen])


async def add_pieces(transaction: Transaction, reward_id: str, count: int) -> None:
    """So many pieces more, of a reward that is locked."""
    await transaction.raw.execute(ADD_PIECES, reward_id, count)


async def take_away_pieces(transaction: Transaction, reward_id: str, count: int) -> int:
    """Up to so many pieces less, of a reward that is locked; how many. What is taken already stays taken."""
    gone: int = await transaction.raw.fetchval(TAKE_AWAY_PIECES, reward_id, count)
    return gone


async def _keep_version(transaction: Transaction, reward: Reward, document: str) -> None:
    await transaction.raw.execute(
        KEEP_VERSION, reward.reward_id, reward.version, document, reward.changed_at, reward.author
    )


def _reward(row: asyncpg.Record | None) -> Reward | None:
    return None if row is None else _of(row)


def _of(row: asyncpg.Record) -> Reward:
    terms = RewardTerms.model_validate_json(row["document"])
    return Reward(row["reward_id"], row["version"], terms, row["changed_at"], row["author"])
