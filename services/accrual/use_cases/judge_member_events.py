"""Judges member events by the rules in force when they happened: by the engine, facts and counters of purchases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.award_parts import every_part
from services.accrual.domain.decisions import POINTS_MAX, Awarded
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.event_awards import DECISION_BYTES_MAX, facts_at, write_decision
from services.accrual.domain.judged_event import document_of_event, evaluate_event, occasion_of
from services.accrual.domain.member_events import EventRefusal, MemberEvent
from services.accrual.domain.tiers.counting import Counted
from services.accrual.domain.tiers.periods import day_of
from services.accrual.domain.tiers.qualification import Amounts
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.programme import Programme, PublishedRules
from services.accrual.use_cases.count_for_tiers import count
from services.accrual.use_cases.decide_documents import UndecidableError, lock_budgets, undecidable, write_counters
from services.accrual.use_cases.load_earning import load_judged
from services.accrual.use_cases.load_member_facts import Judged
from shared.database import Transaction
from shared.database.reads import Reads
from shared.outbox import Message


class EventOfOwner(NamedTuple):
    """An event that rules decide about, and who has its points."""

    event: MemberEvent
    owner_id: UUID


@dataclass(slots=True)
class JudgedEvents:
    """What the rules gave, by event; why they gave nothing, for good; and what is to be told of tiers."""

    awards: dict[UUID, Awarded] = field(default_factory=dict)
    refusals: dict[UUID, EventRefusal] = field(default_factory=dict)
    told: list[Message] = field(default_factory=list)


async def judge_member_events(
    transaction: Transaction,
    events: Sequence[EventOfOwner],
    programme: Programme,
    rules: PublishedRules,
    *,
    is_preview: bool = False,
) -> JudgedEvents:
    """Decide events of members that are locked, in their order, each seeing what those before it used; write what they
    use of caps and budgets, and count what they gave towards tiers.

    Budgets are locked after the decision that wants them, and what others took meanwhile makes all of it be decided
    again, as for purchases: a cap or a budget that both share is exact whatever comes at once. A preview locks nobody,
    and writes nothing. The number of statements does not depend on how many events there are.
    """
    judged = JudgedEvents()
    if not events:
        return judged
    await rules.refresh(transaction)
    asked: dict[UUID, tuple[EventOfOwner, Judged]] = {}
    for one in events:
        in_force = rules.history.at(one.event.occurred_at)
        if in_force is None:
            judged.refusals[one.event.event_id] = "no_rules_in_force"
            continue
        rule_set = rules.history.of_event(in_force.version, one.event.type_code)
        occasion = occasion_of(one.event.occurred_at)
        asked[one.event.event_id] = one, Judged(one.event.award, one.owner_id, occasion, rule_set)
    if not asked:
        return judged
    here = facts_at(programme.zone)
    earning, judged.told = await load_judged(
        Reads(transaction, sharing_trips=False),
        [each for _, each in asked.values()],
        {each.natural_key: here for _, each in asked.values()},
        rules.tiers.history,
        {},
        {},
        point_type=programme.point_type,
        is_preview=is_preview,
    )
    decided = _decide(asked, earning, programme.zone)
    if not is_preview:
        if earning.budgets_taken and (fresh := await lock_budgets(transaction, earning)) is not None:
            earning = fresh
            decided = _decide(asked, earning, programme.zone)
        await write_counters(transaction, earning)
    for event_id, outcome in decided.items():
        if isinstance(outcome, Awarded):
            judged.awards[event_id] = outcome
        else:
            judged.refusals[event_id] = outcome
    if not is_preview:
        counted = _counted(judged.awards.values(), rules.tiers.history)
        judged.told += await count(transaction, counted, rules.tiers.history)
    return judged


def _decide(
    asked: dict[UUID, tuple[EventOfOwner, Judged]], earning: EarningOfBatch, zone: tzinfo
) -> dict[UUID, Awarded | EventRefusal]:
    return {event_id: _decide_one(one.event, each, earning, zone) for event_id, (one, each) in asked.items()}


def _decide_one(event: MemberEvent, judged: Judged, earning: EarningOfBatch, zone: tzinfo) -> Awarded | EventRefusal:
    """Whatever goes wrong while rules are applied is this event's own, and holds up no other."""
    key, owner_id, occasion, rule_set = judged
    try:
        with undecidable():
            facts = earning.facts_of(key, owner_id, occasion, rule_set)
            evaluation = evaluate_event(event.type_code, event.payload, event.occurred_at, rule_set, facts)
            parts = every_part(evaluation, event.occurred_at.astimezone(zone).date())
    except UndecidableError:
        return "undecidable"
    if len(write_decision(evaluation)) > DECISION_BYTES_MAX:  # more rules gave points than can be kept of one award
        return "undecidable"
    if evaluation.points > POINTS_MAX or any(part.points > POINTS_MAX for part in parts):
        return "implausible_points"
    earning.count(key, owner_id, occasion, evaluation)
    return Awarded(document_of_event(key, event.event_id, event.occurred_at), owner_id, evaluation, parts)


def _counted(awards: Iterable[Awarded], schemes: TierSchemeHistory) -> list[Counted]:
    """What events gave, of the type that the scheme of their time counts. They are no spend, and no visit."""
    counted = []
    for one in awards:
        occurred_at = one.document.event.data.occurred_at
        scheme = schemes.at(occurred_at)
        points = 0 if scheme is None else one.evaluation.points_of(scheme.points_of)
        if scheme is not None and points:
            counted.append(Counted(one.owner_id, day_of(occurred_at, scheme.days_zone), Amounts(points, 0, 0)))
    return counted
