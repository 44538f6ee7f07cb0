"""Publishes a tier scheme: an immutable version that takes effect at a time."""

from datetime import datetime

from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeDraft
from services.accrual.repository import tier_schemes
from services.accrual.use_cases.keep_promises import require_kept
from shared.database import Transaction
from shared.rule_sets.errors import PublishedTooLateError
from shared.rule_sets.life import NOTICE
from shared.rule_sets.repository import queue_for_publication


class TierZoneChangedError(Exception):
    """Days are counted in the zone of the first version: in another one they would be other days."""

    def __init__(self, zone: str) -> None:
        super().__init__(f"zone must be {zone}, as in the first version: what was collected is kept by its days")
        self.zone = zone


class TierPointsChangedError(Exception):
    """Points of another type would count than in the versions before."""

    def __init__(self, point_type: str | None) -> None:
        words = "must be left out" if point_type is None else f"must be {point_type}"
        super().__init__(f"points_of {words}, as in the first version: what was collected is one sum a day")


async def publish_tier_scheme(
    transaction: Transaction, draft: TierSchemeDraft, effective_from: datetime, published_by: str
) -> TierScheme:
    """Publish ``draft`` as the next version. Receipts count from the first version's time on, not before.

    Raises:
        PublishedTooLateError: it would take effect less than ``NOTICE`` from now, before every worker can know it.
        TierZoneChangedError: it counts days in another zone than the versions before.
        TierPointsChangedError: it counts points of another type than they.
        UnkeptPromiseError: a tier is promised a multiplier that the rules in force then do not give.
    """
    await queue_for_publication(transaction)  # rules, too, stand still until this is committed
    earlier = await tier_schemes.lock_publication(transaction)
    earliest = transaction.now + NOTICE
    if effective_from < earliest:
        raise PublishedTooLateError(
            f"effective_from must be {earliest.isoformat()} or later: {NOTICE.seconds} seconds after publication"
        )
    if earlier and draft.zone != earlier[0].zone:
        raise TierZoneChangedError(earlier[0].zone)
    if earlier and draft.points_of != earlier[0].points_of:
        raise TierPointsChangedError(earlier[0].points_of)
    stated = draft.model_dump(include=set(TierSchemeDraft.model_fields))
    scheme = TierScheme(**stated, version=len(earlier) + 1, effective_from=effective_from)
    await require_kept(transaction, scheme, earlier)
    await tier_schemes.save(transaction, scheme, published_by)
    return scheme
