"""Which receipts handed over goods that were paid ahead, and in which receipts: where both find each other."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.database import Transaction

_SAVE = """
    insert into handovers (prepaid_key, natural_key)
    select prepaid_key, natural_key from unnest($1::bytea[], $2::bytea[]) as incoming (prepaid_key, natural_key)
    order by prepaid_key, natural_key
    on conflict do nothing
"""
_OF_PREPAYMENTS = "select prepaid_key, natural_key from handovers where prepaid_key = any($1::bytea[]) order by 1, 2"
_OF_HANDOVERS = "select prepaid_key, natural_key from handovers where natural_key = any($1::bytea[]) order by 1, 2"

_IS_HANDED_OVER = """
    select exists (
        select from handovers join awards using (natural_key) where prepaid_key = $1 and awards.voided_by is null)
"""

_GIVEN_BACK = "select coalesce(sum(given_back), 0)::bigint from returns where natural_key = any($1::bytea[])"


class Handover(NamedTuple):
    """A receipt that handed over goods for which another one took money ahead."""

    prepaid_key: bytes
    natural_key: bytes


async def save(transaction: Transaction, rows: Sequence[Handover]) -> None:
    """Keep what handovers name that were awarded. The caller holds all these claims."""
    await transaction.raw.execute(_SAVE, [row.prepaid_key for row in rows], [row.natural_key for row in rows])


async def find_of_prepayments(transaction: Transaction, keys: Collection[bytes]) -> list[Handover]:
    """The handovers that name these receipts, whose claims the caller holds."""
    return [Handover(*row.values()) for row in await transaction.raw.fetch(_OF_PREPAYMENTS, list(keys))]


async def find_of_handovers(transaction: Transaction, keys: Collection[bytes]) -> list[Handover]:
    """What these receipts name, where they are handovers."""
    return [Handover(*row.values()) for row in await transaction.raw.fetch(_OF_HANDOVERS, list(keys))]


async def is_handed_over(transaction: Transaction, prepaid_key: bytes) -> bool:
    """Whether some receipt that stands hands over goods for which this one took money."""
    return bool(await transaction.raw.fetchval(_IS_HANDED_OVER, prepaid_key))


async def load_given_back(transaction: Transaction, sides: Collection[bytes]) -> int:
    """What the void of a handover gave again to those in which its goods were paid ahead; ``sides`` are how it is
    called there.
    """
    return int(await transaction.raw.fetchval(_GIVEN_BACK, list(sides)))
