"""Forgets whatever leads to an erased person: own cards of operators, and records that could not be handled."""

from collections.abc import Sequence

from services.coalition.repository import erased_members, operators
from services.coalition.use_cases.operator_events import operator_changed
from shared import outbox
from shared.database import Transaction
from shared.events.members import MemberErased
from shared.runtime import dead_letters


async def erase_members(transaction: Transaction, events: Sequence[MemberErased]) -> None:
    """Put up tombstones, delete the own-card hashes of operators who are these members, and blank dead letters.

    Idempotent: of an erasure that comes again, operators hear nothing. Each operator without his card is told of
    (OperatorChanged), so that a projection that reads an older version after the erasure loses the hash again.
    """
    erasures = [event.data for event in events]
    news = await erased_members.save(transaction, {erasure.member_id for erasure in erasures})
    forgotten = {hashed for erasure in erasures if erasure.member_id in news for hashed in erasure.identifier_hashes}
    without_card = await operators.take_cards_away(transaction, forgotten) if forgotten else []
    keys = {str(erasure.member_id) for erasure in erasures}
    hashes = {hashed for erasure in erasures for hashed in erasure.identifier_hashes}
    await dead_letters.erase(transaction, sorted(keys | hashes))
    await outbox.record(transaction, [operator_changed(transaction, operator) for operator in without_card])
