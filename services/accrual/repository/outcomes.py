"""What became of receipts, for those who ask: one statement for many waiting keys, and the full story of one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.accrual.repository.claims import ClaimState
from shared.database import Transaction
from shared.ledger.balances import LAPSED_UNTIL, bound_of

# A claim without a content hash was only named by another document: nothing has become of it yet.
_OUTCOMES = f"""
    select claims.natural_key, claims.content_hash, claims.state, awards.point_type, awards.points,
        account.available - {LAPSED_UNTIL.format(bound="$2")} as available, account.pending, account.debt
    from claims
        left join awards on awards.natural_key = claims.natural_key
        left join ledger_aliases on ledger_aliases.owner_id = awards.owner_id
        left join ledger_accounts as account on account.point_type = awards.point_type
            and account.owner_id = coalesce(ledger_aliases.survivor_id, awards.owner_id)
    where claims.natural_key = any($1::bytea[]) and claims.content_hash is not null
"""

_AWARD = """
    select coalesce(ledger_aliases.survivor_id, awards.owner_id), point_type, points, taken_back, rule_set_version,
        decided_at, fraud_holds.rule_code, fraud_holds.ends_at, mapping_version, voided_by,
        corrected_by
    from awards
        left join fraud_holds on fraud_holds.natural_key = awards.natural_key and fraud_holds.action = 'hold'
        left join ledger_aliases on ledger_aliases.owner_id = awards.owner_id
    where awards.natural_key = $1
"""

_RETURN = """
    select coalesce(ledger_aliases.survivor_id, returns.owner_id), original_key, points, became_debt, cause, clipped,
        voided_by, given_back, withheld
    from returns left join ledger_aliases on ledger_aliases.owner_id = returns.owner_id
    where natural_key = $1
"""

_REFUSALS = """
    select content_hash, reason, detail, refused_at from refusals where natural_key = $1
    order by refused_at, content_hash
"""

_WHY_PARKED = "select reason from parked where natural_key = $1"


@dataclass(frozen=True, slots=True)
class ReceiptOutcome:
    """What became of a natural key, and the owner's balance as it is now."""

    natural_key: bytes
    content_hash: bytes
    state: ClaimState
    point_type: str | None
    points: int | None
    available: int
    pending: int
    debt: int


@dataclass(frozen=True, slots=True)
class AwardStory:
    """An award as a support agent sees it."""

    owner_id: UUID
    point_type: str
    points: int
    taken_back: int
    rule_set_version: int
    decided_at: datetime
    hold_reason: str | None
    hold_ends_at: datetime | None
    mapping_version: int
    voided_by: bytes | None
    corrected_by: bytes | None


@dataclass(frozen=True, slots=True)
class ReturnStory:
    """A return, a void, or what came back in an exchange, as a support agent sees it. ``voided_by`` undid an exchange;
    ``given_back`` is what the void of one gave again. For those ``withheld`` money was kept of the refund.
    """

    owner_id: UUID
    original_key: bytes
    points: int
    became_debt: int
    cause: Literal["return", "void", "exchange", "handover"]
    clipped: int
    voided_by: bytes | None
    given_back: int
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class RefusalStory:
    """A refused document of a key."""

    content_hash: bytes
    reason: str
    detail: str
    refused_at: datetime


async def load_outcomes(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, ReceiptOutcome]:
    """What became of these keys; one that nobody has decided on yet is absent."""
    rows = await transaction.raw.fetch(_OUTCOMES, list(keys), bound_of(transaction))
    return {
        row["natural_key"]: ReceiptOutcome(
            natural_key=row["natural_key"],
            content_hash=row["content_hash"],
            state=row["state"],
            point_type=row["point_type"],
            points=row["points"],
            available=row["available"] or 0,
            pending=row["pending"] or 0,
            debt=row["debt"] or 0,
        )
        for row in rows
    }


async def find_award(transaction: Transaction, key: bytes) -> AwardStory | None:
    """The award of a receipt, with fraud's hold on it if one is in force."""
    row = await transaction.raw.fetchrow(_AWARD, key)
    return AwardStory(*row.values()) if row is not None else None


async def find_return(transaction: Transaction, key: bytes) -> ReturnStory | None:
    """What a return took back."""
    row = await transaction.raw.fetchrow(_RETURN, key)
    return ReturnStory(*row.values()) if row is not None else None


async def load_refusals(transaction: Transaction, key: bytes) -> list[RefusalStory]:
    """The refused documents of a key, the first first."""
    return [RefusalStory(*row.values()) for row in await transaction.raw.fetch(_REFUSALS, key)]


async def find_why_parked(transaction: Transaction, key: bytes) -> str | None:
    """What a parked receipt waits for, as a reason code."""
    reason: str | None = await transaction.raw.fetchval(_WHY_PARKED, key)
    return reason
