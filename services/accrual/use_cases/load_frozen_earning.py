"""Loads the facts of a receipt's own time for an award that is judged again, by the version that it was awarded by."""

from uuid import UUID

from services.accrual.domain.awarding_anew import FrozenAward
from services.accrual.domain.decisions import Document, Facts
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.programme import Programme, PublishedRules
from services.accrual.use_cases.load_earning import load_earning
from shared.database import Transaction
from shared.outbox import Message


async def load_frozen_earning(
    transaction: Transaction,
    frozen: FrozenAward,
    document: Document,
    owner_id: UUID,
    programme: Programme,
    published: PublishedRules,
) -> tuple[EarningOfBatch | None, list[Message]]:
    """A member's facts at the receipt's time, as if ``document`` came now under that member; what is to be told of
    tiers that time has changed.

    The member is locked.
    """
    facts = Facts(
        owners={frozen.natural_key: owner_id},
        members={owner_id: "active"},
        tills={document.till},
        partners={},
        mappings={},
        funds={},
        originals={},
        rule_sets=published.history.judging_by(frozen.rule_set.version),
        now=transaction.now,
        parked_window=programme.parked_window,
        zone=programme.zone,
    )
    schemes = published.tiers.history
    return await load_earning(transaction, [document], facts, schemes, point_type=programme.point_type)
