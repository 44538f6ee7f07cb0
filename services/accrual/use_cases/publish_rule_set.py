"""Publishes a rule set: an immutable version that takes effect at a time."""

from datetime import datetime, timedelta

from services.accrual.domain.rules import RuleSet, RuleSetDraft
from services.accrual.repository import parked, rule_sets
from services.accrual.use_cases.release_parked import release_parked
from shared.database import Transaction

# Every worker has read the new version long before it counts, whatever its refresh interval or a short outage.
NOTICE = timedelta(seconds=60)


class PublishedTooLateError(Exception):
    """The rule set would take effect before every worker can know it."""

    def __init__(self, earliest: datetime) -> None:
        super().__init__(f"effective_from must be {earliest.isoformat()} or later: 60 seconds after publication")
        self.earliest = earliest


async def publish_rule_set(
    transaction: Transaction, draft: RuleSetDraft, effective_from: datetime, published_by: str
) -> RuleSet:
    """Publish ``draft`` as the next version. The very first one may reach back: nothing was judged before it.

    Raises:
        PublishedTooLateError: a later version would take effect less than ``NOTICE`` from now.
    """
    latest = await rule_sets.lock_publication(transaction)
    earliest = transaction.now + NOTICE
    if latest and effective_from < earliest:
        raise PublishedTooLateError(earliest)
    rules = draft.model_dump(include=set(RuleSetDraft.model_fields))
    rule_set = RuleSet(**rules, version=latest + 1, effective_from=effective_from)
    # Receipts older than any rule set wait for one: whoever parks now meets us here.
    await parked.meet(transaction, [parked.WAITS_FOR_RULES])
    await rule_sets.save(transaction, rule_set, published_by)
    await release_parked(transaction, [parked.WAITS_FOR_RULES])
    return rule_set
