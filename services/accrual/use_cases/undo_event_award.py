"""Takes back all that rules gave for a member event, with what it had used of caps, budgets and tiers."""

from typing import NamedTuple

from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.event_awards import read_decision
from services.accrual.domain.judged_event import occasion_of
from services.accrual.domain.member_events import EventPointsSpentError
from services.accrual.domain.tiers.counting import Counted
from services.accrual.domain.tiers.periods import day_of
from services.accrual.domain.tiers.qualification import Amounts
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.programme import PublishedRules
from services.accrual.repository import award_parts, awards, campaign_budgets
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.count_for_tiers import count
from services.accrual.use_cases.decide_documents import write_counters
from services.accrual.use_cases.lock_owners import Owner
from shared import ledger
from shared.database import Transaction
from shared.ledger import ClawBack, Posted
from shared.outbox import Message


class Undone(NamedTuple):
    """What was taken back, part by part, by their numbers, and what is to be told of tiers."""

    posted: list[tuple[int | None, Posted]]
    told: list[Message]


async def undo_event_award(transaction: Transaction, award: StoredAward, owner: Owner, rules: PublishedRules) -> Undone:
    """Take back what is left of each part, what waits first, and give caps and budgets back what it had used.

    The owner and the award are locked. By the version that judged it; what is not there any more is owed, left to who
    issued it, or refuses the whole, as that version says of returns.

    Raises:
        EventPointsSpentError: what it gave is not there, and nobody may owe it. Roll back.
    """
    owner_id = owner.owner_id
    await rules.refresh(transaction)
    decision = read_decision(award.decision)
    rule_set = rules.history.of_event(award.rule_set_version, decision.type_code)
    left = [part for part in award.parts if part.state != "lapsed" and part.points > part.taken_back]
    earning = EarningOfBatch({}, {}, {}, {}, {})
    occasion, facts = occasion_of(decision.occurred_at), decision.facts_for(rule_set)
    earning.free(owner_id, occasion, facts, rule_set, decision.usage(rule_set))
    if earning.budgets_taken:
        await campaign_budgets.lock(transaction, earning.budgets_taken)
    await write_counters(transaction, earning)
    told = await _uncount(transaction, award, left, owner, rules.tiers.history)
    reference = award.natural_key + b":revoked"
    own = sum(part.points - part.taken_back for part in left if part.point_type == award.point_type)
    await awards.take_back(transaction, {award.natural_key: own})
    await awards.void(transaction, {award.natural_key: reference})
    await award_parts.take_back(
        transaction, {(award.natural_key, part.number): part.points - part.taken_back for part in left}
    )
    policy = rule_set.returns.claw_back
    commands = [
        ClawBack(owner_id, part.point_type, reference, part.points - part.taken_back, part.lot, part.award, policy)
        for part in left
    ]
    posted: list[tuple[int | None, Posted]] = []
    for part, outcome in zip(left, await ledger.post(transaction, commands), strict=True):
        if not isinstance(outcome, Posted):
            raise EventPointsSpentError("what the event gave is not there any more, and by its rules nobody owes it")
        posted.append((part.number, outcome))
    return Undone(posted, told)


async def _uncount(
    transaction: Transaction, award: StoredAward, left: list[StoredPart], owner: Owner, schemes: TierSchemeHistory
) -> list[Message]:
    """Take it off the day on which it counted towards tiers; what lapsed was taken off when it did."""
    occurred_at = read_decision(award.decision).occurred_at
    scheme = schemes.at(occurred_at)
    if scheme is None or owner.status == "erased":
        return []
    of_type = [part for part in left if part.point_type == (scheme.points_of or award.point_type)]
    points = sum(part.points - part.taken_back for part in of_type)
    counted = [Counted(owner.owner_id, day_of(occurred_at, scheme.days_zone), Amounts(-points, 0, 0))] if points else []
    return await count(transaction, counted, schemes)
