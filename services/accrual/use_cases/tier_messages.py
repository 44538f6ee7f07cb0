"""``TierChanged``, as it leaves accrual."""

from services.accrual.repository.tier_standings import ChangeRow
from services.accrual.use_cases.messages import message_of_member
from shared.database import Transaction
from shared.events.tiers import TierChanged, TierData
from shared.outbox import Message


def tier_message(transaction: Transaction, row: ChangeRow) -> Message:
    """A member has another tier."""
    change = row.change
    data = TierData(
        member_id=row.member_id,
        version=row.version,
        old_tier=change.old_tier,
        new_tier=change.new_tier,
        reason=change.reason,
        effective_at=change.at,
        until=change.until,
        scheme_version=row.scheme_version,
    )
    return message_of_member(transaction, TierChanged, row.member_id, data)
