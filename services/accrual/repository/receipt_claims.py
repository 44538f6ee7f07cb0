"""Who claimed which receipt, and how often somebody was wrong about one."""

from uuid import UUID

from services.accrual.domain.receipt_claims import ReceiptClaim
from services.accrual.repository.stored_documents import decompress
from shared.database import Transaction

_FIND = "select natural_key, member_id, claimed_by, claimed_at from receipt_claims where natural_key = $1"
_INSERT = "insert into receipt_claims (natural_key, member_id, claimed_by, claimed_at) values ($1, $2, $3, $4)"
_LOAD_OF_MEMBER = """
    select natural_key, member_id, claimed_by, claimed_at from receipt_claims
    where member_id = $1 and natural_key > $2 order by natural_key limit $3
"""

# Names nobody, and waits for nothing: the caller holds its claim, so that it stays so.
_FIND_WITHOUT_CARD = """
    select event from parked
    where natural_key = $1 and waits_for is null and owner_id is null and identifier_hash is null
"""
_TAKE_WITHOUT_CARD = "delete from parked where natural_key = $1"

_WRONG_PROOFS = "select wrong from receipt_proofs where natural_key = $1"
_COUNT_WRONG = """
    insert into receipt_proofs (natural_key, wrong, wrong_at) values ($1, 1, $2)
    on conflict (natural_key) do update set wrong = receipt_proofs.wrong + 1, wrong_at = excluded.wrong_at
"""


async def find(transaction: Transaction, natural_key: bytes) -> ReceiptClaim | None:
    """Who has claimed a receipt."""
    row = await transaction.raw.fetchrow(_FIND, natural_key)
    return None if row is None else ReceiptClaim(**dict(row))


async def insert(transaction: Transaction, claim: ReceiptClaim) -> None:
    """Keep that a receipt was claimed; twice is impossible (primary key)."""
    await transaction.raw.execute(_INSERT, claim.natural_key, claim.member_id, claim.claimed_by, claim.claimed_at)


async def load_of_member(
    transaction: Transaction, member_id: UUID, after_key: bytes, rows_max: int
) -> list[ReceiptClaim]:
    """What was claimed for a member, by natural key."""
    rows = await transaction.raw.fetch(_LOAD_OF_MEMBER, member_id, after_key, rows_max)
    return [ReceiptClaim(**dict(row)) for row in rows]


async def find_without_card(transaction: Transaction, natural_key: bytes) -> bytes | None:
    """The event of a parked receipt that names nobody; None where there is none. The caller holds its claim."""
    event: bytes | None = await transaction.raw.fetchval(_FIND_WITHOUT_CARD, natural_key)
    return None if event is None else decompress(event)


async def take_without_card(transaction: Transaction, natural_key: bytes) -> None:
    """Let it wait no more."""
    await transaction.raw.execute(_TAKE_WITHOUT_CARD, natural_key)


async def count_wrong_proofs(transaction: Transaction, natural_key: bytes) -> int:
    """How often somebody was wrong about a receipt. The caller holds its claim."""
    return int(await transaction.raw.fetchval(_WRONG_PROOFS, natural_key) or 0)


async def add_wrong_proof(transaction: Transaction, natural_key: bytes) -> None:
    """Count one more."""
    await transaction.raw.execute(_COUNT_WRONG, natural_key, transaction.now)
