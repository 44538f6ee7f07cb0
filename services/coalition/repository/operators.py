"""Statements on operators. Writers hold the table's mode, then their partner's row. Set-based, in key order.

A card that is being named has no row yet which an erasure could find. So the erasure waits until what is under way is
committed, and who comes then waits for the erasure, before anything else is locked.
"""

from collections.abc import Collection, Sequence

import asyncpg

from services.coalition.domain.operators import Operator
from shared.database import Transaction

_COLUMNS = "partner_id, operator_hash, state, own_card_hashes, version"

HOLD_FOR_WRITING = "lock table operators in row exclusive mode"
STOP_WRITING = "lock table operators in share row exclusive mode"

# unnest takes nested arrays apart altogether, so that an operator's hashes come as one text; none has a space in it.
INSERT = f"""
    insert into operators ({_COLUMNS}, registered_at, changed_at)
    select $1, operator_hash, 'active', string_to_array(own_cards, ' '), 1, $2, $2
    from unnest($3::text[], $4::text[]) as incoming (operator_hash, own_cards)
    order by operator_hash collate "C"
    on conflict (partner_id, operator_hash) do nothing
    returning operator_hash
"""

FIND = f"select {_COLUMNS} from operators where partner_id = $1 and operator_hash = $2"

LOAD = f"""
    select {_COLUMNS} from operators where partner_id = $1 and operator_hash > $2 order by operator_hash limit $3
"""

UPDATE = """
    update operators set state = $3, own_card_hashes = $4, version = $5, changed_at = $6
    where partner_id = $1 and operator_hash = $2
"""

LOCK_PARTNERS_OF_CARDS = """
    select partner_id from partners
    where partner_id in (select partner_id from operators where own_card_hashes && $1::text[])
    order by partner_id
    for no key update
"""

TAKE_CARDS_AWAY = f"""
    update operators set own_card_hashes = '{{}}', version = version + 1, changed_at = $3
    where partner_id = any($1::text[]) and own_card_hashes && $2::text[]
    returning {_COLUMNS}
"""

# A hash begins with its key's version. Looked for at a start alone; who has no card is passed over.
_IS_RETIRED = """
    own_card_hashes <> '{}'
    and exists (select from unnest(own_card_hashes) as hash where split_part(hash, '.', 1)::integer < $1)
"""

FIND_PARTNER_WITH_RETIRED_CARDS = f"select partner_id from operators where {_IS_RETIRED} order by partner_id limit 1"

RETIRE_CARDS = f"""
    update operators
    set own_card_hashes = array(
            select hash from unnest(own_card_hashes) as hash where split_part(hash, '.', 1)::integer >= $1
        ),
        version = version + 1, changed_at = $4
    where partner_id = $2 and operator_hash in (
        select operator_hash from operators where partner_id = $2 and {_IS_RETIRED} order by operator_hash limit $3
    )
    returning {_COLUMNS}
"""


async def hold_for_writing(transaction: Transaction) -> None:
    """Wait for an erasure that is under way, and make one that comes wait; before the partner's row is locked."""
    await transaction.raw.execute(HOLD_FOR_WRITING)


async def insert_operators(transaction: Transaction, partner_id: str, operators: Sequence[Operator]) -> set[str]:
    """Write those of the operators that are not there yet; their hashes come back."""
    rows = await transaction.raw.fetch(
        INSERT,
        partner_id,
        transaction.now,
        [operator.operator_hash for operator in operators],
        [" ".join(operator.own_card_hashes) for operator in operators],
    )
    return {row["operator_hash"] for row in rows}


async def find_operator(transaction: Transaction, partner_id: str, operator_hash: str) -> Operator | None:
    """The partner's operator with this hash."""
    row = await transaction.raw.fetchrow(FIND, partner_id, operator_hash)
    return None if row is None else _operator(row)


async def load_operators(transaction: Transaction, partner_id: str, after: str, rows_max: int) -> list[Operator]:
    """A partner's operators in the order of their hashes."""
    return [_operator(row) for row in await transaction.raw.fetch(LOAD, partner_id, after, rows_max)]


async def update_operator(transaction: Transaction, operator: Operator) -> None:
    """Write what an operator is now."""
    await transaction.raw.execute(
        UPDATE,
        operator.partner_id,
        operator.operator_hash,
        operator.state,
        list(operator.own_card_hashes),
        operator.version,
        transaction.now,
    )


async def take_cards_away(transaction: Transaction, card_hashes: Collection[str]) -> list[Operator]:
    """Delete own cards by their hashes, whoever's they are; the operators as they are then, in the order of subjects.

    Waits for whoever is writing operators, and locks the rows of the partners.
    """
    await transaction.raw.execute(STOP_WRITING)
    hashes = sorted(card_hashes)
    partners = [row["partner_id"] for row in await transaction.raw.fetch(LOCK_PARTNERS_OF_CARDS, hashes)]
    if not partners:
        return []
    rows = await transaction.raw.fetch(TAKE_CARDS_AWAY, partners, hashes, transaction.now)
    return sorted((_operator(row) for row in rows), key=lambda operator: operator.subject)


async def find_partner_with_retired_cards(transaction: Transaction, oldest_version: int) -> str | None:
    """A partner with own cards that are hashed with keys of lower versions."""
    found: str | None = await transaction.raw.fetchval(FIND_PARTNER_WITH_RETIRED_CARDS, oldest_version)
    return found


async def retire_cards(transaction: Transaction, partner_id: str, oldest_version: int, rows_max: int) -> list[Operator]:
    """Delete hashes of own cards that were made with keys of lower versions; the operators as they are then."""
    rows = await transaction.raw.fetch(RETIRE_CARDS, oldest_version, partner_id, rows_max, transaction.now)
    return sorted((_operator(row) for row in rows), key=lambda operator: operator.subject)


def _operator(row: asyncpg.Record) -> Operator:
    return Operator(
        partner_id=row["partner_id"],
        operator_hash=row["operator_hash"],
        state=row["state"],
        own_card_hashes=tuple(row["own_card_hashes"]),
        version=row["version"],
    )
