"""The operators that coalition registered, as far as rules need them: which own member cards they have, by hash."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.database import Transaction

# unnest takes nested arrays apart altogether, so that an operator's hashes come as one text; none has a space in it.
_SAVE = """
    insert into operators (operator_hash, own_card_hashes, version)
    select operator_hash, string_to_array(own_cards, ' '), version
    from unnest($1::text[], $2::text[], $3::bigint[]) as changed (operator_hash, own_cards, version)
    order by operator_hash collate "C"
    on conflict (operator_hash) do update
        set own_card_hashes = excluded.own_card_hashes, version = excluded.version
        where operators.version < excluded.version
"""
_LOAD_OWN_CARDS = """
    select operator_hash, own_card_hashes from operators
    where operator_hash = any($1::text[]) and own_card_hashes <> '{}'
"""
_LOCK_OF_CARDS = """
    select operator_hash from operators where own_card_hashes && $1::text[] order by operator_hash for no key update
"""
_FORGET_CARDS = """
    update operators set own_card_hashes = '{}' where operator_hash = any($1::text[]) and own_card_hashes && $2::text[]
"""


class Operator(NamedTuple):
    """An operator, by the hash that receipts bear, and what may stand for his own card. The higher version is newer."""

    operator_hash: str
    own_card_hashes: tuple[str, ...]
    version: int


async def save(transaction: Transaction, operators: Sequence[Operator]) -> None:
    """Take in distinct operators; an older version than the known one changes nothing."""
    if operators:
        await transaction.raw.execute(
            _SAVE,
            [operator.operator_hash for operator in operators],
            [" ".join(operator.own_card_hashes) for operator in operators],
            [operator.version for operator in operators],
        )


async def load_own_cards(transaction: Transaction, operator_hashes: Collection[str]) -> dict[str, frozenset[str]]:
    """The own cards of those of these operators that have any."""
    rows = await transaction.raw.fetch(_LOAD_OWN_CARDS, sorted(operator_hashes)) if operator_hashes else ()
    return {row["operator_hash"]: frozenset(row["own_card_hashes"]) for row in rows}


async def forget_cards(transaction: Transaction, card_hashes: Collection[str]) -> None:
    """Delete own cards by their hashes. Versions stay: coalition tells a higher one of each that lost its card."""
    hashes = sorted(card_hashes)
    found = [row["operator_hash"] for row in await transaction.raw.fetch(_LOCK_OF_CARDS, hashes)] if hashes else []
    if found:
        await transaction.raw.execute(_FORGET_CARDS, found, hashes)
