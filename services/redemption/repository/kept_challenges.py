"""What a member was asked to confirm by codes, for an export."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.redemption.domain.confirming import SpendKind
from shared.database import Transaction

_LOAD_KEPT = """
    select challenge_id, kind, partner_id, point_type, points, sent_at, expires_at, wrong_tries, used_at
    from redemption_challenges
    where member_id = $1 and ($2::uuid is null or challenge_id > $2)
    order by challenge_id
    limit $3
"""


@dataclass(frozen=True, slots=True)
class KeptChallenge:
    """A code that the member was sent, and what became of it."""

    challenge_id: UUID
    kind: SpendKind
    partner_id: str | None
    point_type: str
    points: int
    sent_at: datetime
    expires_at: datetime
    wrong_tries: int
    used_at: datetime | None


async def load_kept(
    transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int
) -> list[KeptChallenge]:
    """What the member was asked to confirm, in the order of challenges."""
    return [KeptChallenge(**dict(row)) for row in await transaction.raw.fetch(_LOAD_KEPT, member_id, after, rows_max)]
